"""Counting examples by true and predicted label.

Confusion matrices come as arrays of shape (..., n_labels, n_labels) with the true label along
the second last axis, so that thousands of them (a bootstrap's) are scored in one call. Where a model left
examples unanswered, one more column (the last) counts them: they count in the support of their true label and
in no label's predictions, so they are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

UNANSWERED = -1
"""The predicted label's index of an example that the model left unanswered."""

NO_ANSWER = "no answer"
"""How tables name the column of unanswered examples."""


def confusion_matrix(true: NDArray[np.intp], predicted: NDArray[np.intp], n_labels: int) -> NDArray[np.int64]:
    """Count examples by true and predicted label.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (n_examples,)
        Label indices; a predicted one may be `UNANSWERED`.
    n_labels : int
        The number of labels of the task.

    Returns
    -------
    ndarray of int, shape (n_labels, n_labels) or (n_labels, n_labels + 1)
        Rows are true labels, columns predicted ones, with a last one for unanswered examples, if any.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]), 2)
    array([[1, 0],
           [1, 1]])
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, UNANSWERED]), 2)
    array([[1, 0, 0],
           [0, 1, 1]])
    """
    return grouped_confusion(true, predicted, np.zeros_like(true), 1, n_labels)[0]


def grouped_confusion(
    true: NDArray[np.intp],
    predicted: NDArray[np.intp],
    groups: NDArray[np.intp],
    n_groups: int,
    n_labels: int,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[Any]:
    """Count each group's examples by true and predicted label.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (n_examples,)
        Label indices; a predicted one may be `UNANSWERED`.
    groups : ndarray of int, shape (n_examples,)
        Group indices.
    n_groups, n_labels : int
        The numbers of groups and of labels.
    weights : ndarray of shape (n_examples,), optional
        What each example counts; 1 without them.

    Returns
    -------
    ndarray of int, or of float with weights, shape (n_groups, n_labels, n_labels) or (n_groups, n_labels, n_labels + 1)
        A confusion matrix for each group, as from `confusion_matrix`.
    """
    unanswered = predicted == UNANSWERED
    width = n_labels + int(unanswered.any())
    columns = np.where(unanswered, n_labels, predicted)
    cells = np.bincount((groups * n_labels + true) * width + columns, weights, minlength=n_groups * n_labels * width)
    return cells.reshape(n_groups, n_labels, width).astype(np.int64 if weights is None else np.float64)


def column_names(labels: Sequence[str], n_columns: int) -> list[str]:
    """Name the columns of a confusion matrix.

    Examples
    --------
    >>> column_names(["agree", "disagree"], 2), column_names(["agree", "disagree"], 3)
    (['agree', 'disagree'], ['agree', 'disagree', 'no answer'])
    """
    return [*labels, NO_ANSWER][:n_columns]


def per_class(confusion: NDArray[np.generic]) -> dict[str, Floats]:
    """Precision, recall, F1 and support of each label, 0 where undefined.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_labels, n_labels) or (..., n_labels, n_labels + 1)

    Returns
    -------
    dict of str to ndarray of shape (..., n_labels)
        ``precision``, ``recall``, ``f1`` and ``support``.
    """
    counts = np.asarray(confusion, dtype=np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    support, predicted = margins(counts)
    return {
        "precision": ratio(hits, predicted),
        "recall": ratio(hits, support),
        "f1": ratio(2 * hits, support + predicted),
        "support": support,
    }


def margins(counts: Floats) -> tuple[Floats, Floats]:
    """How often each label is true and how often it is predicted, each of shape (..., n_labels)."""
    return counts.sum(axis=-1), counts.sum(axis=-2)[..., : counts.shape[-2]]


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """A quotient; 0 if its denominator is 0."""
    zero = np.asarray(denominator) == 0
    return np.where(zero, 0.0, numerator / np.where(zero, 1.0, denominator))
