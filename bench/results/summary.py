"""The summary of a run: pooled scores with intervals, made from the stored cells alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.evaluation.metrics import METRICS, UNANSWERED, grouped_confusion, label_scores, per_class
from bench.evaluation.scoring import label_codes, probability_columns, score_predictions
from bench.results.cell import CellResult
from bench.results.leaderboard import TITLES
from bench.statistics.interval import FEWEST, Thin, label_score_intervals, probability_score_intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray


def summarise(cells: Sequence[CellResult], labels: tuple[str, ...], metric: str = "macro_f1") -> dict[str, Any]:
    """Sum up a run's outer folds.

    The scores are those of the pooled out-of-fold predictions (Forman and Scholz 2010 show that
    pooling the counts is the unbiased way to cross-validate F1), the intervals are over groups.

    Parameters
    ----------
    cells : sequence of CellResult
        The outer folds, none failed.
    labels : tuple of str
        The task's labels.
    metric : str
        The task's metric; see `bench.evaluation.metrics.label_scores`.

    Returns
    -------
    dict
        Plain data: ``scores``, ``intervals``, ``no_interval`` (by metric, why there is none), ``per_class``,
        ``class_intervals`` (by label, of ``precision``, ``recall`` and ``f1``), ``confusion`` (rows are true
        labels, columns predicted ones, with a last column where examples were left unanswered), ``folds`` (their
        scores), ``n_examples``, ``n_groups`` and ``notes``. For a stratified sample also ``population``: the ``scores``
        and ``intervals`` of predicted labels with each example counted as often as it stands for texts of the
        population.
    """
    frames = [cell.predictions for cell in cells if cell.predictions is not None]
    predictions = pd.concat(frames, ignore_index=True)
    parts = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    true, predicted = label_codes(predictions, labels)
    groups = predictions["group"].to_numpy()
    by_group = confusion_by_group(true, predicted, groups, len(labels))
    confusion = by_group.sum(axis=0)
    found = label_score_intervals(by_group, metric)
    given, withheld = found.given, found.withheld
    probabilities = probability_columns(predictions, labels)
    if probabilities is not None:
        of_probabilities = probability_score_intervals(probabilities, true, groups, parts)
        given, withheld = given | of_probabilities.given, withheld | of_probabilities.withheld
    classes = per_class(confusion)
    weighted = {}
    if "weight" in predictions:
        weights = predictions["weight"].to_numpy(dtype=np.float64)
        weighted["population"] = _in_population(true, predicted, groups, weights, len(labels), metric)
    return {
        **weighted,
        "labels": list(labels),
        "scores": score_predictions(predictions, labels, metric, parts),
        "intervals": {name: asdict(interval) for name, interval in given.items()},
        "no_interval": {name: _too_few(thin, labels) for name, thin in withheld.items()},
        "per_class": {
            label: {name: float(values[code]) for name, values in classes.items()} for code, label in enumerate(labels)
        },
        "class_intervals": {
            label: {name: asdict(each) for name, ends in found.by_label.items() if (each := ends[code]) is not None}
            for code, label in enumerate(labels)
        },
        "confusion": confusion.tolist(),
        "folds": [{"fold": cell.fold, "inner_score": cell.inner_score, **cell.scores} for cell in cells],
        "n_examples": len(predictions),
        "n_groups": len(by_group),
        "notes": [
            *_unanswered(predicted),
            *_without_interval(withheld, labels),
            *(f"fold {cell.fold}: {note}" for cell in cells for note in cell.notes),
        ],
    }


def _too_few(thin: Thin, labels: tuple[str, ...]) -> str:
    what = "the examples are" if thin.label is None else f"label {labels[thin.label]} is{_predicted(thin)}"
    return f"{what} in as good as {thin.groups:.1f} groups of equal size, and {FEWEST:g} are needed"


def _without_interval(withheld: Mapping[str, Thin], labels: tuple[str, ...]) -> list[str]:
    """Say which scores have no interval; without numbers, so that models with the same gap share the note."""
    metrics: dict[str, list[str]] = {}
    for name, thin in withheld.items():
        why = "there are" if thin.label is None else f"label {labels[thin.label]} is{_predicted(thin)} in"
        metrics.setdefault(why, []).append(TITLES[name])
    return [f"no interval for {', '.join(names)}: {why} too few groups" for why, names in metrics.items()]


def _predicted(thin: Thin) -> str:
    return " predicted" if thin.predicted else ""


def _in_population(
    true: NDArray[np.intp],
    predicted: NDArray[np.intp],
    groups: NDArray[Any],
    weights: NDArray[np.float64],
    n_labels: int,
    metric: str,
) -> dict[str, Any]:
    """Scores with each example weighed, and their intervals over the groups of each stratum.

    Examples of one stratum have the same weight, and each stratum was drawn for itself.
    """
    strata = np.unique(weights, return_inverse=True)[1]
    names, codes = np.unique(groups, return_inverse=True)
    units, unit_codes = np.unique(strata * len(names) + codes, return_inverse=True)
    by_unit = grouped_confusion(true, predicted, unit_codes, len(units), n_labels, weights)
    found = label_score_intervals(by_unit, metric, strata=units // len(names))
    return {
        "scores": {name: float(score) for name, score in label_scores(by_unit.sum(axis=0), metric).items()},
        "intervals": {name: asdict(interval) for name, interval in found.given.items()},
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
