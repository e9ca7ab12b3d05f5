"""The summary of a run: pooled scores with intervals, made from the stored cells alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.evaluation.cell import CellResult
from bench.evaluation.metrics import METRICS, UNANSWERED, grouped_confusion, label_scores, per_class
from bench.evaluation.scoring import label_codes, probability_columns, score_predictions
from bench.statistics.interval import label_score_intervals, probability_score_intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray


def summarise(
    cells: Sequence[CellResult], labels: tuple[str, ...], seed: int, metric: str = "macro_f1"
) -> dict[str, Any]:
    """Sum up a run's outer folds.

    The scores are those of the pooled out-of-fold predictions (Forman and Scholz 2010 show that
    pooling the counts is the unbiased way to cross-validate F1), the intervals come from a
    bootstrap by group.

    Parameters
    ----------
    cells : sequence of CellResult
        The outer folds, none failed.
    labels : tuple of str
        The task's labels.
    seed : int
        Seed of the bootstrap.
    metric : str
        The task's metric; see `bench.evaluation.metrics.label_scores`.

    Returns
    -------
    dict
        Plain data: ``scores``, ``intervals``, ``per_class``, ``confusion`` (rows are true
        labels, columns predicted ones, with a last column where examples were left unanswered), ``folds`` (their
        scores), ``n_examples``, ``n_groups`` and ``notes``. For a stratified sample also ``population``: the ``scores``
        and ``intervals`` of predicted labels with each example counted as often as it stands for texts of the
        population.
    """
    predictions = pd.concat([cell.predictions for cell in cells], ignore_index=True)
    true, predicted = label_codes(predictions, labels)
    groups = predictions["group"].to_numpy(dtype=str)
    by_group = confusion_by_group(true, predicted, groups, len(labels))
    confusion = by_group.sum(axis=0)
    intervals = label_score_intervals(by_group, seed, metric)
    probabilities = probability_columns(predictions, labels)
    if probabilities is not None:
        intervals |= probability_score_intervals(probabilities, true, groups, seed)
    classes = per_class(confusion)
    weighted = {}
    if "weight" in predictions:
        weighted["population"] = _in_population(
            true, predicted, groups, predictions["weight"], len(labels), seed, metric
        )
    return {
        **weighted,
        "labels": list(labels),
        "scores": score_predictions(predictions, labels, metric),
        "intervals": {name: asdict(interval) for name, interval in intervals.items()},
        "per_class": {
            label: {name: float(values[code]) for name, values in classes.items()} for code, label in enumerate(labels)
        },
        "confusion": confusion.tolist(),
        "folds": [{"fold": cell.fold, "inner_score": cell.inner_score, **cell.scores} for cell in cells],
        "n_examples": len(predictions),
        "n_groups": len(set(groups.tolist())),
        "notes": [*_unanswered(predicted), *(f"fold {cell.fold}: {note}" for cell in cells for note in cell.notes)],
    }


def _in_population(
    true: NDArray[np.intp],
    predicted: NDArray[np.intp],
    groups: NDArray[np.str_],
    weights: pd.Series,
    n_labels: int,
    seed: int,
    metric: str,
) -> dict[str, Any]:
    names, codes = np.unique(groups, return_inverse=True)
    by_group = grouped_confusion(true, predicted, codes, len(names), n_labels, weights.to_numpy(dtype=np.float64))
    intervals = label_score_intervals(by_group, seed, metric)
    return {
        "scores": {name: float(score) for name, score in label_scores(by_group.sum(axis=0), metric).items()},
        "intervals": {name: asdict(interval) for name, interval in intervals.items()},
    }


def confusion_by_group(
    true: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any], groups: np.ndarray[Any, Any], n_labels: int
) -> np.ndarray[Any, Any]:
    """A confusion matrix for each group; see `bench.evaluation.metrics.grouped_confusion`."""
    names, codes = np.unique(groups, return_inverse=True)
    return grouped_confusion(true, predicted, codes, len(names), n_labels)


def _unanswered(predicted: np.ndarray[Any, Any]) -> list[str]:
    count = int((predicted == UNANSWERED).sum())
    return [f"{count} of {len(predicted)} predictions are missing: what is unanswered is wrong"] if count else []


def metric_columns(scores: dict[str, float]) -> list[str]:
    """The metrics of a run in the order of tables."""
    return [name for name in METRICS if name in scores]
