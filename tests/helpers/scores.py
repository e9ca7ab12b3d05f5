"""Scores and intervals by metric, for tests that hold all of them against something else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.metrics.confusion import UNANSWERED, grouped_confusion
from bench.metrics.metric import LabelMetric
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import METRICS, find_metric
from bench.metrics.scoring import all_intervals, all_scores

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bench.statistics.bootstrap import GroupBootstrap
    from bench.statistics.interval import Interval, Thin

LABEL_METRICS = tuple(each.name for each in METRICS if each.everywhere and not each.needs_probabilities)
PROBABILITY_METRICS = tuple(each.name for each in METRICS if each.needs_probabilities)
LOWER_IS_BETTER = frozenset(each.name for each in METRICS if not each.greater_is_better)


def label_metric(name: str) -> LabelMetric:
    metric = find_metric(name)
    assert isinstance(metric, LabelMetric)
    return metric


def label_scores(confusion: NDArray[Any], metric: str = "macro_f1") -> dict[str, Any]:
    """The scores of confusion matrices by every metric of predicted labels, and by the one that is named."""
    counts = np.asarray(confusion, dtype=np.float64)
    names = dict.fromkeys((*LABEL_METRICS, metric))
    return {name: label_metric(name).of_confusions(counts) for name in names}


def outcomes_of(
    true: NDArray[Any],
    predicted: NDArray[Any],
    n_labels: int,
    groups: NDArray[Any] | None = None,
    parts: NDArray[Any] | None = None,
    probabilities: NDArray[Any] | None = None,
) -> Outcomes:
    """Outcomes of which all examples are in one group and one part unless something else is said."""
    codes = np.zeros(len(true), dtype=np.intp) if groups is None else np.unique(groups, return_inverse=True)[1]
    parts = np.zeros(len(true), dtype=np.intp) if parts is None else parts
    return Outcomes(true, predicted, n_labels, codes, parts, probabilities)


def probability_scores(
    probabilities: NDArray[Any], true: NDArray[Any], parts: NDArray[Any] | None = None
) -> dict[str, float]:
    """The scores of probabilities by every metric of them."""
    predicted = probabilities.argmax(axis=1)
    outcomes = outcomes_of(true, predicted, probabilities.shape[1], parts=parts, probabilities=probabilities)
    return {name: find_metric(name).score(outcomes) for name in PROBABILITY_METRICS}


def score_predictions(
    predictions: pd.DataFrame, labels: tuple[str, ...], metric: str = "macro_f1", parts: NDArray[Any] | None = None
) -> dict[str, float]:
    """All scores of a frame of predictions."""
    return all_scores(Outcomes.of(predictions, labels, parts), find_metric(metric, labels))


def confusion_by_group(
    true: NDArray[Any], predicted: NDArray[Any], groups: NDArray[Any], n_labels: int
) -> NDArray[Any]:
    """A confusion matrix for each group."""
    names, codes = np.unique(groups, return_inverse=True)
    return grouped_confusion(true, predicted, codes, len(names), n_labels)


def from_confusions(confusions: NDArray[Any], strata: NDArray[Any] | None = None) -> Outcomes:
    """Outcomes with these confusion matrices by group: an example for each cell, with its count for a weight."""
    n_labels, n_columns = confusions.shape[1:]
    groups, true, column = (each.ravel() for each in np.indices(confusions.shape))
    predicted = np.where(column == n_labels, UNANSWERED, column) if n_columns > n_labels else column
    weights = confusions.ravel().astype(np.float64)
    return Outcomes(true, predicted, n_labels, groups, np.zeros_like(true), weights=weights, strata=strata)


@dataclass(frozen=True)
class Found:
    """Intervals by metric, why others have none, and those of each label."""

    given: dict[str, Interval]
    withheld: dict[str, Thin]
    by_label: dict[str, tuple[Interval | None, ...]]


def label_intervals(confusions: NDArray[Any], metric: str = "macro_f1", strata: NDArray[Any] | None = None) -> Found:
    """The intervals of all metrics of predicted labels, from a confusion matrix for each group."""
    outcomes = from_confusions(np.asarray(confusions), strata)
    given, withheld = all_intervals(outcomes, find_metric(metric))
    return Found(given, withheld, outcomes.shares.by_label() if outcomes.n_groups > 1 else {})


def probability_intervals(
    probabilities: NDArray[Any], true: NDArray[Any], groups: NDArray[Any], parts: NDArray[Any] | None = None
) -> Found:
    """The intervals of all metrics of probabilities."""
    predicted = probabilities.argmax(axis=1)
    outcomes = outcomes_of(true, predicted, probabilities.shape[1], groups, parts, probabilities)
    given, withheld = all_intervals(outcomes, find_metric("macro_f1"))
    kept = [{name: each for name, each in of.items() if name in PROBABILITY_METRICS} for of in (given, withheld)]
    return Found(kept[0], kept[1], {})  # type: ignore[arg-type]


def drawn_label_scores(
    confusions: NDArray[Any], metric: str, bootstrap: GroupBootstrap
) -> tuple[float, NDArray[np.float64]]:
    """The score of predicted labels, and that of each draw of groups."""
    outcomes = from_confusions(confusions)
    return label_metric(metric).score(outcomes), label_metric(metric).drawn(outcomes, bootstrap)


def drawn_probability_scores(
    probabilities: NDArray[Any],
    true: NDArray[Any],
    groups: NDArray[Any],
    metric: str,
    bootstrap: GroupBootstrap,
    parts: NDArray[Any] | None = None,
) -> tuple[float, NDArray[np.float64]]:
    """The score of probabilities, and that of each draw of groups."""
    predicted = probabilities.argmax(axis=1)
    outcomes = outcomes_of(true, predicted, probabilities.shape[1], groups, parts, probabilities)
    return find_metric(metric).score(outcomes), find_metric(metric).drawn(outcomes, bootstrap)
