"""A stored run's figures under the names that MLflow shows, the same in every run.

A run's page lists them in the order in which they are logged: the task's own metric comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bench.metrics.confusion import confusion_matrix, per_class
from bench.metrics.outcomes import label_codes
from bench.metrics.registry import greater_is_better
from bench.results.cell import CellResult, Trial
from bench.results.record import RunRecord
from bench.results.shares import Estimates, told_apart
from bench.results.stress import StressSummary
from bench.results.summary import Summary
from bench.statistics.sampled import Share
from bench.tracking.names import CLASS_METRICS, ascii_name, class_metric


class Point(NamedTuple):
    """One value of a metric."""

    name: str
    value: float
    step: int = 0


def run_points(
    record: RunRecord, summary: Summary | None, final: CellResult | None, inner: Sequence[float]
) -> list[Point]:
    """The figures of a whole run.

    Parameters
    ----------
    record : RunRecord
        What is stored of the run.
    summary : Summary or None
        Its summary, None while there is none.
    final : CellResult or None
        The cell whose fitted model is the run's, and whose search therefore is.
    inner : sequence of float
        The inner score of each outer fold, whose mean is the run's.

    Returns
    -------
    list of Point
    """
    metric = record.task.metric
    points = []
    if summary is not None:
        for name in _first(metric, summary.scores):
            points.append(Point(f"test/{name}", summary.scores[name]))
            if interval := summary.intervals.get(name):
                points += [Point(f"test/{name}_low", interval.low), Point(f"test/{name}_high", interval.high)]
        points += period_points(summary)
        for label, values in summary.per_class.items():
            points += [Point(class_metric(label, name), values[name]) for name in CLASS_METRICS]
    if inner:
        points.append(Point("inner/score", sum(inner) / len(inner)))
    points += [Point(f"time/{phase}_s", value) for phase, value in record.seconds.items()]
    return points + (search_points(final.trials, metric) if final is not None else [])


def period_points(summary: Summary) -> list[Point]:
    """The scores by period as steps, and their change with distance from training over `trend/days`; often empty."""
    scores = [(step, each.score) for step, each in enumerate(summary.by_period) if each.score is not None]
    points = [Point("period/score", score, step) for step, score in scores]
    if (trend := summary.trend) is not None:
        points += [Point("trend/change", trend.change), Point("trend/days", trend.days)]
        if trend.interval is not None:
            points += [Point("trend/change_low", trend.interval.low), Point("trend/change_high", trend.interval.high)]
    return points


def share_points(found: Sequence[Estimates]) -> list[Point]:
    """The shares of labels in whole archives and the differences of parts, with their intervals."""
    named: dict[str, Share] = {}
    for each, archive in zip(found, told_apart(found, [each.archive for each in found]), strict=True):
        above = f"shares/{ascii_name(archive)}"
        named |= {f"{above}/{ascii_name(share.label)}": share.powered for share in each.whole.shares}
        for change in each.differences:
            parts = ascii_name(f"{change.one} - {change.other} by {each.by}")
            named[f"{above}/{ascii_name(change.label)}/{parts}"] = change.difference
    points = []
    for name, share in named.items():
        points.append(Point(name, share.value))
        if (interval := share.interval) is not None:
            points += [Point(f"{name}/low", interval.low), Point(f"{name}/high", interval.high)]
    return points


def stress_points(stress: StressSummary | None) -> list[Point]:
    """What perturbed texts cost a run, by perturbation; empty without stress tests."""
    if stress is None:
        return []
    points = []
    for row in stress.rows:
        if row.standing == "unchanged":
            continue
        named = [(stress.metric, row.score), ("drop", row.drop), ("changed", row.changed), ("flipped", row.flipped)]
        if row.interval is not None:
            named += [("drop_low", row.interval.low), ("drop_high", row.interval.high)]
        points += [Point(f"stress/{row.name}/{name}", float(value)) for name, value in named]
    return points


def fold_points(cell: CellResult, labels: tuple[str, ...], metric: str) -> list[Point]:
    """The figures of one outer fold, its search's trials as steps."""
    points = [Point(f"test/{name}", cell.scores[name]) for name in _first(metric, cell.scores)]
    if cell.predictions is not None:
        classes = per_class(confusion_matrix(*label_codes(cell.predictions, labels), len(labels)))
        points += [
            Point(class_metric(label, name), float(classes[name][code]))
            for code, label in enumerate(labels)
            for name in CLASS_METRICS
        ]
    if cell.inner_score is not None:
        points.append(Point("inner/score", cell.inner_score))
    points += [Point(f"time/{phase}_s", value) for phase, value in cell.seconds.items()]
    return points + search_points(cell.trials, metric)


def search_points(trials: Sequence[Trial], metric: str) -> list[Point]:
    """A search as steps: each trial's score, the best so far, and the numbers that it tried.

    Examples
    --------
    >>> tried = [Trial(0, {"estimator.C": 0.1}, 0.5), Trial(1, {"estimator.C": 9.0}, 0.4)]
    >>> [tuple(point) for point in search_points(tried, "macro_f1") if point.step == 1]
    [('search/score', 0.4, 1), ('search/best', 0.5, 1), ('trial/estimator.C', 9.0, 1)]
    """
    better = max if greater_is_better(metric) else min
    best: float | None = None
    points = []
    for trial in trials:
        if trial.score is None:
            continue
        best = trial.score if best is None else better(best, trial.score)
        points += [Point("search/score", trial.score, trial.number), Point("search/best", best, trial.number)]
        points += [
            Point(f"trial/{name}", float(value), trial.number)
            for name, value in trial.params.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
    return points


def _first(metric: str, names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: name != metric)
