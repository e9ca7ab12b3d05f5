"""Scores by period, where folds train on earlier and test on later examples, and how they change with distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from bench.results.withheld import too_few
from bench.statistics.interval import LEVEL, Interval, Thin
from bench.statistics.paired import FEWEST_GROUPS
from bench.statistics.trend import FEWEST_PARTS, Slope, slope_within
from bench.support.records import LEFT_OUT, Number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.metric import Metric
    from bench.metrics.outcomes import Outcomes
    from bench.results.record import Period

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

DAYS = "days"
"""The column of predictions with the days from the end of the training part to each example."""

UNITS = (365.0, 30.0, 7.0, 1.0)
"""A slope is given over as many days: the most that a period has."""


@dataclass(frozen=True)
class FoldScore:
    """The task's metric on one outer fold.

    Parameters
    ----------
    score : float or None
        Its value; None where a label that the metric needs is absent, since it would count as predicted wrong.
    interval : Interval or None
        Over the fold's groups, if they are enough.
    absent : tuple of str
        These labels; with an averaged metric, each with the value of which no example has it.
    """

    score: Number | None
    interval: Interval | None = None
    absent: Annotated[tuple[str, ...], LEFT_OUT] = ()


@dataclass(frozen=True, kw_only=True)
class Trend:
    """How the score changes with the distance of a test example from the end of the training part.

    Parameters
    ----------
    days : float
        Over how many days.
    change : float
        The change over so many.
    interval : Interval or None
        Of the change.
    no_interval : str
        Why there is none.
    verdict : {"falls", "rises", "undecided"}
        What the interval says, at 5 %.
    """

    days: Number
    change: Number
    interval: Interval | None
    no_interval: Annotated[str, LEFT_OUT] = ""
    verdict: Literal["falls", "rises", "undecided"]


def period_scores(outcomes: Outcomes, metric: Metric, labels: tuple[str, ...], n_periods: int) -> tuple[FoldScore, ...]:
    """Score each period.

    Parameters
    ----------
    outcomes : Outcomes
        Predictions; the test part of period p is p, with a second seed `n_periods` + p, and so on. Scores are then
        means over seeds.
    metric : Metric
        What to score by.
    labels : tuple of str
        The task's labels.
    n_periods : int
        How many periods there are.
    """
    return tuple(_of_period(outcomes, metric, labels, period, n_periods) for period in range(n_periods))


def _of_period(outcomes: Outcomes, metric: Metric, labels: tuple[str, ...], period: int, n_periods: int) -> FoldScore:
    rows = np.flatnonzero(outcomes.parts % n_periods == period)
    if lacking := metric.lacking(outcomes.rows(rows)):
        names = outcomes.value_names
        absent = [
            " ".join(([] if label is None else [labels[label]]) + ([] if value is None else ["within", names[value]]))
            for label, value in lacking
        ]
        return FoldScore(None, absent=tuple(absent))
    own = outcomes.alone(rows)
    seeds = np.unique(own.parts)
    score = float(np.mean([metric.score(own.alone(np.flatnonzero(own.parts == seed))) for seed in seeds]))
    interval = metric.interval(own) if own.n_groups > 1 else None
    if interval is None or isinstance(interval, Thin):
        return FoldScore(score)
    if len(seeds) > 1:
        interval = interval.moved(score - metric.score(own), metric.bounds)
    return FoldScore(score, interval)


def trend_of(outcomes: Outcomes, days: Floats, metric: Metric, labels: tuple[str, ...], n_periods: int) -> Trend | None:
    """Estimate how the score changes with distance from training.

    It is the slope of what each example contributes to the metric, with a level of its own for each period.

    Parameters
    ----------
    outcomes : Outcomes
        As for `period_scores`.
    days : ndarray of shape (n_examples,)
        The days from the end of the training part to each example.
    metric : Metric
        What to score by.
    labels : tuple of str
        The task's labels.
    n_periods : int
        How many periods there are.

    Returns
    -------
    Trend or None
        None if the distances within each period are the same, or the metric is not smooth.
    """
    contributed = np.empty(len(outcomes))
    seeds = outcomes.parts // n_periods
    for seed in np.unique(seeds):
        rows = np.flatnonzero(seeds == seed)
        own = metric.contributions(outcomes.alone(rows))
        if own is None:
            return None
        contributed[rows] = own
    parts = outcomes.parts % n_periods
    found = slope_within(contributed, days, parts, outcomes.groups, LEVEL)
    if found is None:
        return None
    unit = _unit(days, parts)
    change = unit * found.slope
    reason = _reason(outcomes, found, metric, labels)
    if reason or found.half is None:
        return Trend(days=unit, change=change, interval=None, no_interval=reason, verdict="undecided")
    interval = Interval(change - unit * found.half, change + unit * found.half)
    verdict: Literal["falls", "rises", "undecided"] = "undecided"
    if interval.high < 0.0 or interval.low > 0.0:
        verdict = "falls" if change < 0.0 else "rises"
    return Trend(days=unit, change=change, interval=interval, verdict=verdict)


def _unit(days: Floats, parts: Codes) -> float:
    """The largest unit that a period has, on average over examples."""
    n = int(parts.max()) + 1
    first, last = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(first, parts, days)
    np.maximum.at(last, parts, days)
    reach = float((last - first)[parts].mean())
    return next((unit for unit in UNITS if unit <= reach), UNITS[-1])


def _reason(outcomes: Outcomes, found: Slope, metric: Metric, labels: tuple[str, ...]) -> str:
    """Why a change has no interval; empty if it has one."""
    if found.n_parts < FEWEST_PARTS:
        return f"distances differ within {found.n_parts} of the periods, but {FEWEST_PARTS} are needed"
    if found.n_groups < FEWEST_GROUPS or found.n_groups < found.n_parts + 2:
        needed = max(FEWEST_GROUPS, found.n_parts + 2)
        return f"they hold {found.n_groups} groups, but {needed} are needed"
    if found.half is None:
        return "the periods or groups do not vary"
    of_score = metric.interval(outcomes)
    return too_few(of_score, labels, outcomes.value_names) if isinstance(of_score, Thin) else ""


def period_text(period: Period) -> str:
    """Name a period by its first and last date."""
    return f"{period.tested_from} to {period.tested_to}"


def absent_text(absent: tuple[str, ...]) -> str:
    """Say why a period has no score.

    Examples
    --------
    >>> absent_text(("denial", "none"))
    'no score, without an example of denial, none'
    """
    return f"no score, without an example of {', '.join(absent)}"


def trend_unit(trend: Trend) -> str:
    """The time over which a change is given, in words."""
    return "a day" if trend.days == 1 else f"{trend.days:g} days"


def trend_text(trend: Trend, title: str) -> str:
    """Say how a score changes with distance from training.

    Examples
    --------
    >>> trend = Trend(days=30, change=-0.02, interval=Interval(-0.031, -0.009), verdict="falls")
    >>> trend_text(trend, "macro-F1")
    'macro-F1 falls with distance from training: -0.020 [-0.031, -0.009] over 30 days'
    """
    over = trend_unit(trend)
    if trend.interval is None:
        change = f"{title} changes by {trend.change:+.3f} over {over} of distance from training"
        return f"{change}, without an interval: {trend.no_interval}"
    ends = f"{trend.change:+.3f} [{trend.interval.low:+.3f}, {trend.interval.high:+.3f}] over {over}"
    if trend.verdict == "undecided":
        return f"{title} does not change distinguishably with distance from training: {ends}"
    return f"{title} {trend.verdict} with distance from training: {ends}"
