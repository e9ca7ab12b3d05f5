"""All the scores of a model's outcomes, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.metrics.registry import scored_metrics
from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from bench.metrics.metric import Metric
    from bench.metrics.outcomes import Outcomes


@dataclass(frozen=True)
class Scored:
    """Scores and their intervals.

    Parameters
    ----------
    scores : mapping of str to float
        By the metric's name.
    intervals : mapping of str to Interval
        By the metric's name, if there is one.
    """

    scores: Mapping[str, float]
    intervals: Mapping[str, Interval]


def all_scores(outcomes: Outcomes, primary: Metric) -> dict[str, float]:
    """Score outcomes with every metric that they allow, in the order of tables.

    Parameters
    ----------
    outcomes : Outcomes
        What is scored.
    primary : Metric
        The task's own metric.

    Returns
    -------
    dict of str to float
        By the metric's name.
    """
    return {each.name: each.score(outcomes) for each in scored_metrics(primary, outcomes.probabilities is not None)}


def all_intervals(outcomes: Outcomes, primary: Metric) -> tuple[dict[str, Interval], dict[str, Thin]]:
    """The intervals of all scores.

    Parameters
    ----------
    outcomes : Outcomes
        What is scored.
    primary : Metric
        The task's own metric.

    Returns
    -------
    given : dict of str to Interval
        By the metric's name.
    withheld : dict of str to Thin
        Why the others have none. With fewer than two groups, both are empty.
    """
    given, withheld = dict[str, Interval](), dict[str, Thin]()
    if outcomes.n_groups < 2:
        return given, withheld
    for metric in scored_metrics(primary, outcomes.probabilities is not None):
        found = metric.interval(outcomes)
        if isinstance(found, Thin):
            withheld[metric.name] = found
        else:
            given[metric.name] = found
    return given, withheld


def scored(outcomes: Outcomes, primary: Metric) -> Scored:
    """All scores of outcomes, and the intervals that there are."""
    return Scored(all_scores(outcomes, primary), all_intervals(outcomes, primary)[0])
