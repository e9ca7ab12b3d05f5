"""What must be excluded before two models are called practically equal: differences that the data may not show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.verdict import LEVEL, POWER
from bench.statistics.paired import Difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ENOUGH_DISAGREEMENTS = 10
"""Where fewer groups than these hold a disagreement of two models, its rate is poorly known."""

UNSEEN = 3.0
"""Disagreements that cannot be excluded at 5 % where none was seen."""

FAILS = 0.5
"""A model fails in a group where it loses this share of the right answers that a model gives on average."""

PARTS = np.linspace(0.0, 1.5, 61)
"""What missing groups may make up of the region, the rest being a difference elsewhere, for or against them."""


def error_for_equality(
    runs: ComparedRuns, one: ComparedRun, other: ComparedRun, between: Difference, factor: float
) -> float | None:
    """The standard error with which two models may be called practically equal.

    That two models never disagreed does not prove that they never will: with n examples up to some 3/n of them may be
    predicted otherwise, with G groups up to 3/G of these. Where fewer than ten groups hold a disagreement, three more
    are allowed for, each of as many examples as a group with one has, and of the kind that moves the metric most. An
    example counts in all its repeats and seeds.

    Parameters
    ----------
    runs : ComparedRuns
        All that is compared.
    one, other : ComparedRun
        The pair.
    between : Difference
        Its difference.
    factor : float
        What a standard error is multiplied by for the fitting.

    Returns
    -------
    float or None
        None where the models differ and the groups say nothing of how much they would elsewhere.
    """
    differ = _disagreements(runs, one, other)
    if between.standard_error is None and differ.any():
        return None
    error = between.standard_error or 0.0
    holding = len(np.unique(runs.groups[differ]))
    if holding >= min(ENOUGH_DISAGREEMENTS, len(runs.group_names)):
        return error
    rows = differ.sum() / max(holding, 1) or runs.repeats
    return math.hypot(error, math.sqrt(UNSEEN) * factor * rows * runs.metric.largest_step(one.outcomes))


def chance_unmet(
    runs: ComparedRuns, one: ComparedRun, other: ComparedRun, between: Difference, share: float, rope: float
) -> float:
    """The p-value that two models differ by the region, by groups in which one of them fails completely.

    No standard error tells of groups that are not in the data. It is the chance that so many groups hold no more of
    them than were met. Where none was met, it is multiplied by the chance that the difference elsewhere is as small as
    the one that was measured; what the missing groups do not make up of the region is a difference elsewhere, and the
    largest such chance is taken.

    Parameters
    ----------
    runs : ComparedRuns
        All that is compared.
    one, other : ComparedRun
        The pair.
    between : Difference
        Its difference.
    share : float
        The share of groups that costs the region; see `bench.metrics.metric.Metric.share_to_lose`.
    rope : float
        The region of practical equivalence.
    """
    from scipy.special import bdtr, stdtr

    n_groups = len(runs.group_names)
    met = _groups_failed(runs, one, other)
    if met or between.standard_error is None:
        return float(bdtr(met, n_groups, share))
    # Differences come in steps, and one of none at all is no rarity.
    reach = abs(between.difference) + runs.repeats * runs.metric.largest_step(one.outcomes) / 2
    elsewhere = rope * (1.0 - PARTS)
    small = np.subtract(*(stdtr(n_groups - 1, (end - elsewhere) / between.standard_error) for end in (reach, -reach)))
    return float(((1.0 - np.minimum(PARTS * share, 1.0)) ** n_groups * small).max())


def groups_to_meet(share: float, level: float = LEVEL) -> int | None:
    """The least number of groups with which models that are alike pass `chance_unmet` with a chance of 80 %.

    None where no number is enough, since no share of groups costs the region.

    Examples
    --------
    >>> groups_to_meet(0.025), groups_to_meet(1.0), groups_to_meet(0.0)
    (110, 1, None)
    """
    if share <= 0.0:
        return None
    return 1 if share >= 1.0 else math.ceil(math.log(level / POWER) / math.log1p(-share))


def _groups_failed(runs: ComparedRuns, one: ComparedRun, other: ComparedRun) -> int:
    """In how many more groups one of two runs fails, and not the other, than the reverse."""
    sizes = np.bincount(runs.groups)
    right = [np.bincount(runs.groups, run.predicted == runs.true) for run in (one, other)]
    apart = (right[0] - right[1]) / np.maximum(sizes, 1)
    enough = FAILS * max(each.sum() for each in right) / sizes.sum()
    if enough == 0.0:
        return 0
    return abs(int((apart >= enough).sum()) - int((apart <= -enough).sum()))


def _disagreements(runs: ComparedRuns, one: ComparedRun, other: ComparedRun) -> NDArray[np.bool_]:
    """The rows on which two runs differ, as far as the metric sees it."""
    if not runs.metric.needs_probabilities:
        return one.predicted != other.predicted
    assert one.probabilities is not None
    assert other.probabilities is not None
    return np.asarray((one.probabilities != other.probabilities).any(axis=1))
