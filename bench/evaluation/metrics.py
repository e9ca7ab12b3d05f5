"""Metrics over all of a task's labels, from confusion matrices and from probabilities.

Confusion matrices come as arrays of shape (..., n_labels, n_labels) with the true label along
the second last axis, so that thousands of them (a bootstrap's) are scored in one call. Where a model left
examples unanswered, one more column (the last) counts them: they stand in the support of their true label and
in no label's predictions, so they are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LABEL_METRICS = ("macro_f1", "accuracy", "balanced_accuracy", "mcc")
"""Metrics of predicted labels."""

F_AVG = "f_avg"
"""One more, for tasks that ask for it: the mean F1 of the first two labels, which of stances are favour and against
(SemEval-2016, Mohammad et al. 2016)."""

PROBABILITY_METRICS = ("log_loss", "brier", "average_precision")
"""Metrics of predicted probabilities."""

METRICS = (*LABEL_METRICS, F_AVG, *PROBABILITY_METRICS)
"""All metrics that a task may name as its primary one."""

LOWER_IS_BETTER = frozenset({"log_loss", "brier"})
"""Metrics of which less is better."""

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
        Rows are true labels, columns predicted ones, with a last one for unanswered examples where there are any.

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
        A confusion matrix for each group, as `confusion_matrix` gives it.
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
    support, predicted = _margins(counts)
    return {
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, support),
        "f1": _ratio(2 * hits, support + predicted),
        "support": support,
    }


def label_scores(confusion: NDArray[np.generic], metric: str = "macro_f1") -> dict[str, Floats]:
    """Score confusion matrices with the metrics of predicted labels.

    The macro-F1 is the mean over all labels, one that never occurs and is never predicted
    counting 0; the balanced accuracy is the mean recall over the labels that occur; the
    Matthews correlation coefficient is Gorodkin's for several classes (2004), 0 where a side is constant, with
    "unanswered" as one more class that is never true.

    Parameters
    ----------
    confusion : ndarray of shape (..., n_labels, n_labels) or (..., n_labels, n_labels + 1)
    metric : str
        The metric that is wanted above all: `F_AVG` is computed only where it is this one.

    Returns
    -------
    dict of str to ndarray of shape (...)
        By metric name.

    Examples
    --------
    >>> {name: round(float(score), 3) for name, score in label_scores(np.array([[2, 1], [0, 3]])).items()}
    {'macro_f1': 0.829, 'accuracy': 0.833, 'balanced_accuracy': 0.833, 'mcc': 0.707}
    >>> float(label_scores(np.array([[2, 0, 0], [0, 3, 0], [1, 0, 0]]), F_AVG)[F_AVG])
    0.9
    """
    counts = np.asarray(confusion, dtype=np.float64)
    classes = per_class(counts)
    total = counts.sum(axis=(-2, -1))
    hits = np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1)
    support, predicted = _margins(counts)
    covariance = hits * total - (support * predicted).sum(axis=-1)
    columns = counts.sum(axis=-2)
    spread = (total**2 - (support**2).sum(axis=-1)) * (total**2 - (columns**2).sum(axis=-1))
    scores = {
        "macro_f1": classes["f1"].mean(axis=-1),
        "accuracy": _ratio(hits, total),
        "balanced_accuracy": _ratio(classes["recall"].sum(axis=-1), (support > 0).sum(axis=-1)),
        "mcc": _ratio(covariance, np.sqrt(np.maximum(spread, 0.0))),
    }
    return scores | {F_AVG: classes["f1"][..., :2].mean(axis=-1)} if metric == F_AVG else scores


def probability_scores(
    probabilities: Floats, true: NDArray[np.intp], parts: NDArray[np.intp] | None = None
) -> dict[str, float]:
    """Score predicted probabilities.

    Probabilities of different fitted models are not on one scale, and where a test part has more of a label, the model
    that was trained on the rest has seen less of it. Ranked together, even a constant is below chance. Examples are
    therefore ranked within their test part, and the parts averaged by how many of the label they have (Forman and
    Scholz 2010).

    Parameters
    ----------
    probabilities : ndarray of shape (n_examples, n_labels)
        Rows sum to 1.
    true : ndarray of int, shape (n_examples,)
        Label indices.
    parts : ndarray of int, shape (n_examples,), optional
        The test part that each example is in; all are in one without it.

    Returns
    -------
    dict of str to float
        ``log_loss`` in nats (probabilities clipped at the smallest float64 step, as
        scikit-learn does), ``brier`` summed over labels (Brier 1950; 0 to 2), and ``average_precision``,
        the mean over the labels that occur of each label against the rest.

    Examples
    --------
    >>> constant = np.array([[0.6, 0.4]] * 2 + [[0.4, 0.6]] * 2)
    >>> scores = probability_scores(constant, np.array([0, 1, 0, 1]), parts=np.array([0, 0, 1, 1]))
    >>> scores["average_precision"]
    0.5
    """
    precisions = [ranked(probabilities[:, k], true == k, parts).average_precision for k in np.unique(true)]
    return {
        "log_loss": float(losses(probabilities, true, "log_loss").mean()),
        "brier": float(losses(probabilities, true, "brier").mean()),
        "average_precision": float(np.mean(precisions)),
    }


def losses(probabilities: Floats, true: NDArray[np.intp], metric: str) -> Floats:
    """What each example adds to ``log_loss`` or ``brier``, of shape (n_examples,)."""
    rows = np.arange(len(true))
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(probabilities[rows, true], np.finfo(np.float64).eps, 1.0)))
    truth = np.zeros_like(probabilities)
    truth[rows, true] = 1.0
    return np.asarray(((probabilities - truth) ** 2).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Ranking:
    """The examples of each test part by falling score of one label; all arrays have the shape (n_examples,).

    Parameters
    ----------
    order : ndarray of int
        The examples, part after part. What follows is in this order, and places are places in it.
    positive : ndarray of bool
        Which examples have the label.
    first_of_part, last_of_part, first_of_tie, last_of_tie : ndarray of int
        The places of the first and the last example of the same part, and of the same part and score.
    """

    order: NDArray[np.intp]
    positive: NDArray[np.bool_]
    first_of_part: NDArray[np.intp]
    last_of_part: NDArray[np.intp]
    first_of_tie: NDArray[np.intp]
    last_of_tie: NDArray[np.intp]

    @property
    def seen(self) -> NDArray[np.intp]:
        """How many examples of its part are ranked as high as each, or higher."""
        return self.last_of_tie + 1 - self.first_of_part

    @property
    def precision(self) -> Floats:
        """The share of those that have the label."""
        hits = np.concatenate([[0], np.cumsum(self.positive)])
        return np.asarray((hits[self.last_of_tie + 1] - hits[self.first_of_part]) / self.seen)

    @property
    def average_precision(self) -> float:
        """The mean precision at the examples that have the label."""
        return float(self.precision[self.positive].mean())

    def influence(self) -> Floats:
        """How far one more example like each would move the average precision, in the examples' own order.

        It is the derivative by the example's weight: through its own precision, and through that of every positive
        example of its part that is not ranked higher.
        """
        positive, seen, precision = self.positive.astype(np.float64), self.seen, self.precision

        def from_here(values: Floats) -> Floats:
            sums = np.concatenate([[0.0], np.cumsum(values)])
            return np.asarray(sums[self.last_of_part + 1] - sums[self.first_of_tie])

        own = positive * (precision - self.average_precision)
        others = positive * from_here(positive / seen) - from_here(positive * precision / seen)
        influence = np.empty(len(seen))
        influence[self.order] = (own + others) / positive.sum()
        return influence


def ranked(score: Floats, positive: NDArray[np.bool_], parts: NDArray[np.intp] | None = None) -> Ranking:
    """Rank examples within their test part.

    Parameters
    ----------
    score : ndarray of shape (n_examples,)
        The higher, the more likely the label.
    positive : ndarray of bool, shape (n_examples,)
        Which examples have the label.
    parts : ndarray of int, shape (n_examples,), optional
        The examples' test parts; one for all without it.
    """
    parts = np.zeros(len(score), dtype=np.intp) if parts is None else parts
    order = np.lexsort((-score, parts))
    other_part = np.diff(parts[order]) != 0
    other_score = other_part | (np.diff(score[order]) != 0)
    return Ranking(order, positive[order], *_runs(other_part), *_runs(other_score))


def _runs(changes: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and the last place of the run that each place is in, given where one run changes into the next."""
    number = np.concatenate([[0], np.cumsum(changes)])
    ends = np.append(np.flatnonzero(changes), len(changes))
    return np.append(0, ends[:-1] + 1)[number], ends[number]


def _margins(counts: Floats) -> tuple[Floats, Floats]:
    """How often each label is true and how often it is predicted, each of shape (..., n_labels)."""
    return counts.sum(axis=-1), counts.sum(axis=-2)[..., : counts.shape[-2]]


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    zero = np.asarray(denominator) == 0
    return np.where(zero, 0.0, numerator / np.where(zero, 1.0, denominator))
