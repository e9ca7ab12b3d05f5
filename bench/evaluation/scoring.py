"""Scoring frames of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.data.task import encode
from bench.evaluation.metrics import UNANSWERED, confusion_matrix, label_scores, probability_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_codes(predictions: pd.DataFrame, labels: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The true and the predicted label indices of a frame of predictions, each of shape (n_examples,).

    Where a prediction is empty, the example is unanswered.
    """
    true, names = encode(predictions["label"].to_numpy(dtype=str), labels), predictions["predicted"].to_numpy(dtype=str)
    answered = names != ""
    predicted = np.full(len(names), UNANSWERED, dtype=np.intp)
    predicted[answered] = encode(names[answered], labels)
    return true, predicted


def score_predictions(
    predictions: pd.DataFrame,
    labels: tuple[str, ...],
    metric: str = "macro_f1",
    parts: NDArray[np.intp] | None = None,
) -> dict[str, float]:
    """Score a frame of predictions with every metric that its columns allow.

    Parameters
    ----------
    predictions : pandas.DataFrame of shape (n_examples, n_columns)
        With ``label``, ``predicted`` and, where the model gives probabilities, a column ``p_<label>`` each.
    labels : tuple of str
        The task's labels.
    metric : str
        The task's metric; see `bench.evaluation.metrics.label_scores`.
    parts : ndarray of int, shape (n_examples,), optional
        The test part of each example; see `bench.evaluation.metrics.probability_scores`.
    """
    true, predicted = label_codes(predictions, labels)
    confusion = confusion_matrix(true, predicted, len(labels))
    scores = {name: float(score) for name, score in label_scores(confusion, metric).items()}
    probabilities = probability_columns(predictions, labels)
    return scores if probabilities is None else scores | probability_scores(probabilities, true, parts)


def probability_columns(predictions: pd.DataFrame, labels: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The probabilities of a frame of predictions, of shape (n_examples, n_labels), None where a row has none."""
    columns = [f"p_{label}" for label in labels]
    if not set(columns) <= set(predictions.columns):
        return None
    probabilities = predictions[columns].to_numpy(dtype=np.float64)
    return probabilities if np.isfinite(probabilities).all() else None
