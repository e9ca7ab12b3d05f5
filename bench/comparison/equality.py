"""What must be excluded before two models are called practically equal: differences that the data may not show."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.verdict import LEVEL, POWER, groups_to_decide
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


@dataclass(frozen=True)
class Disagreement:
    """How much two models disagree.

    That two models never disagreed does not prove that they never will: with n examples up to some 3/n of them may be
    predicted otherwise, with G groups up to 3/G of these. Where fewer than ten groups hold a disagreement on a label,
    three more are allowed for, each of as many of its examples as a group with one has, and of the label and kind that
    move the metric most. An example counts in all its repeats and seeds.

    Parameters
    ----------
    holding : sequence of float
        How many groups hold a disagreement, by the label of its example; a single number if labels do not matter.
    steps : sequence of float
        What a group that holds one moves the metric at most, in the same order.
    n_groups : int
        The number of groups that both are of.
    factor : float
        What a standard error is multiplied by for the fitting.

    Examples
    --------
    >>> rare = Disagreement([30, 0], [0.001, 0.02], 400, 1.3)
    >>> round(rare.unseen_error(400), 3), round(rare.unseen_error(800), 3)
    (0.045, 0.023)
    """

    holding: Sequence[float]
    steps: Sequence[float]
    n_groups: int
    factor: float

    @classmethod
    def between(cls, runs: ComparedRuns, one: ComparedRun, other: ComparedRun, factor: float) -> Disagreement:
        """How much two of the compared runs disagree."""
        differ, steps = _disagreements(runs, one, other), runs.largest_steps[one.name]
        kinds = [differ & (runs.true == label) for label in range(len(steps))] if len(steps) > 1 else [differ]
        holding = [len(np.unique(runs.groups[kind])) for kind in kinds]
        rows = [kind.sum() / n if n else runs.repeats for kind, n in zip(kinds, holding, strict=True)]
        return cls(holding, np.multiply(rows, steps).tolist(), len(runs.group_names), factor)

    def unseen_error(self, n_groups: int) -> float:
        """The standard error that is added for what so many groups may not show."""
        enough, times = min(ENOUGH_DISAGREEMENTS, n_groups), self.n_groups / n_groups
        few = [step for n, step in zip(self.holding, self.steps, strict=True) if n / times < enough]
        return math.sqrt(UNSEEN) * self.factor * times * max(few, default=0.0)


def error_for_equality(between: Difference, disagreement: Disagreement) -> float | None:
    """The standard error with which two models may be called practically equal.

    None where the models differ and the groups say nothing of how much they would elsewhere.
    """
    if between.standard_error is None and any(disagreement.holding):
        return None
    return math.hypot(between.standard_error or 0.0, disagreement.unseen_error(disagreement.n_groups))


def groups_for_equality(
    rope: float, deviation: float, level: float, disagreement: Disagreement, fewest: int | None
) -> int | None:
    """The least number of groups with which models without a difference are called practically equal in 80 %.

    Parameters
    ----------
    rope : float
        The region of practical equivalence.
    deviation : float
        Of a group's part in the difference.
    level : float
        The level of the test of this pair.
    disagreement : Disagreement
        How much the models disagree.
    fewest : int or None
        What `groups_to_meet` says.

    Returns
    -------
    int or None
        None where no number is enough.

    Examples
    --------
    >>> often, rarely = (Disagreement([holding], [1 / 400], 400, 1.3) for holding in (40, 2))
    >>> groups_for_equality(0.01, 0.09, 0.05, often, 110), groups_for_equality(0.01, 0.09, 0.05, rarely, 110)
    (696, 941)
    """
    from scipy.special import stdtrit

    if rope <= 0.0 or fewest is None:
        return None
    # Two one-sided tests around no difference: each must miss with half the chance that both may.
    missed = (1.0 - POWER) / 2.0
    least = groups_to_decide(rope / deviation, 2 * level, 1.0 - missed)
    if least is None:
        return None

    def enough(groups: int) -> bool:
        error = deviation / math.sqrt(groups)
        excluded, chance = stdtrit(groups - 1, [1.0 - level, 1.0 - missed])
        unseen = disagreement.unseen_error(groups)
        return not unseen or bool(excluded * math.hypot(error, unseen) + chance * error <= rope)

    high = least
    while not enough(high):
        high *= 2
    return max(bisect.bisect_left(range(high), True, lo=least, key=enough), fewest)


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
    reach = abs(between.difference) + runs.repeats * float(runs.largest_steps[one.name].max()) / 2
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
