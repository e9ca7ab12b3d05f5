"""The summary of a run: pooled scores with intervals, made from the stored cells alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from bench.metrics.averaged import Averaged
from bench.metrics.confusion import UNANSWERED, per_class
from bench.metrics.metric import Metric
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import metric_title
from bench.metrics.scoring import all_intervals, all_scores, scores_with_intervals
from bench.results.cell import CellResult
from bench.statistics.interval import FEWEST, Thin


def summarise(cells: Sequence[CellResult], labels: tuple[str, ...], metric: Metric) -> dict[str, Any]:
    """Sum up a run's outer folds.

    The scores are those of the pooled out-of-fold predictions (Forman and Scholz 2010 show that
    pooling the counts is the unbiased way to cross-validate F1), the intervals are over groups.

    Parameters
    ----------
    cells : sequence of CellResult
        The outer folds, none failed.
    labels : tuple of str
        The task's labels.
    metric : Metric
        The task's metric.

    Returns
    -------
    dict
        Plain data: ``scores``, ``intervals``, ``no_interval`` (by metric, why there is none), ``per_class``,
        ``class_intervals`` (by label, of ``precision``, ``recall`` and ``f1``), ``confusion`` (rows are true
        labels, columns predicted ones, with a last column where examples were left unanswered), ``folds`` (their
        scores), ``n_examples``, ``n_groups`` and ``notes``. For a stratified sample also ``population``: the ``scores``
        and ``intervals`` of predicted labels with each example counted as often as it stands for texts of the
        population. Where the metric is averaged also ``by_value``: what it is of the examples of each value.
    """
    frames = [cell.predictions for cell in cells if cell.predictions is not None]
    predictions = pd.concat(frames, ignore_index=True)
    parts = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    outcomes = Outcomes.of(predictions, labels, parts)
    given, withheld = all_intervals(outcomes, metric)
    classes = per_class(outcomes.confusion)
    by_label = outcomes.shares.by_label() if outcomes.n_groups > 1 else {}
    further = dict[str, Any]()
    if "weight" in predictions:
        weights = predictions["weight"].to_numpy(dtype=np.float64)
        further["population"] = scores_with_intervals(outcomes.in_population(weights), metric)
    if isinstance(metric, Averaged):
        further["by_value"] = metric.of_values(outcomes)
    return {
        **further,
        "labels": list(labels),
        "scores": all_scores(outcomes, metric),
        "intervals": {name: asdict(interval) for name, interval in given.items()},
        "no_interval": {name: _too_few(thin, labels, outcomes.value_names) for name, thin in withheld.items()},
        "per_class": {
            label: {name: float(values[code]) for name, values in classes.items()} for code, label in enumerate(labels)
        },
        "class_intervals": {
            label: {name: asdict(each) for name, ends in by_label.items() if (each := ends[code]) is not None}
            for code, label in enumerate(labels)
        },
        "confusion": outcomes.confusion.tolist(),
        "folds": [{"fold": cell.fold, "inner_score": cell.inner_score, **cell.scores} for cell in cells],
        "n_examples": len(predictions),
        "n_groups": outcomes.n_groups,
        "notes": [
            *_unanswered(outcomes),
            *_without_interval(withheld, labels, outcomes.value_names),
            *(f"fold {cell.fold}: {note}" for cell in cells for note in cell.notes),
        ],
    }


def _too_few(thin: Thin, labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    what = "the examples are" if thin.label is None else f"label {labels[thin.label]} is{_predicted(thin)}"
    return (
        f"{_within(thin, values)}{what} in as good as {thin.groups:.1f} groups of equal size, and {FEWEST:g} are needed"
    )


def _without_interval(withheld: Mapping[str, Thin], labels: tuple[str, ...], values: tuple[str, ...]) -> list[str]:
    """Say which scores have no interval; without numbers, so that models with the same gap share the note."""
    metrics: dict[str, list[str]] = {}
    for name, thin in withheld.items():
        why = "there are" if thin.label is None else f"label {labels[thin.label]} is{_predicted(thin)} in"
        why = f"{_within(thin, values)}{why}"
        metrics.setdefault(why, []).append(metric_title(name))
    return [f"no interval for {', '.join(names)}: {why} too few groups" for why, names in metrics.items()]


def _within(thin: Thin, values: tuple[str, ...]) -> str:
    return "" if thin.value is None else f"within {values[thin.value]}, "


def _predicted(thin: Thin) -> str:
    return " predicted" if thin.predicted else ""


def _unanswered(outcomes: Outcomes) -> list[str]:
    count = int((outcomes.predicted == UNANSWERED).sum())
    return [f"{count} of {len(outcomes)} predictions are missing: what is unanswered is wrong"] if count else []
