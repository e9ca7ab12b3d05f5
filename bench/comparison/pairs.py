"""Pairs of compared runs: their differences, the tests of these, and a verdict on each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.comparison.compared import ComparedRuns
from bench.comparison.equality import (
    Disagreement,
    chance_unmet,
    error_for_equality,
    groups_for_equality,
    groups_to_meet,
)
from bench.comparison.suspects import MAJORITY
from bench.comparison.verdict import LEVEL, Needed, Verdict, needed_to_decide, verdict
from bench.statistics.interval import Interval
from bench.statistics.paired import (
    FEWEST_GROUPS,
    Difference,
    ErrorTest,
    FoldTest,
    error_test,
    fold_test,
    group_difference,
    holm,
)
from bench.statistics.simultaneous import Family

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


FamilyName = Literal["models", "baseline"]

Places = tuple[int, int]
"""The places of two runs, the better score first."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two runs, the one with the better score first.

    Parameters
    ----------
    first, second : str
        The runs' names.
    family : {"models", "baseline"}
        The family of pairs that p-values and the interval are adjusted for.
    groups, folds, errors : Difference, FoldTest or None, ErrorTest
        The tests of the pair alone; there is none over folds with a single one.
    p_groups, p_equal, p_folds : float
        Adjusted within the family.
    p_together : float
        That of `p_groups`, adjusted for the pairs of all families together, on which ranks rest.
    interval : Interval or None
        What the verdict rests on. "Better" means that it lies on one side of 0 (it may end there), "practically equal"
        that it lies within the region of practical equivalence, "undecided" that it holds 0. None with fewer than five
        groups, or where the groups do not vary.
    verdict : {"better", "practically equal", "undecided"}
        The verdict.
    needed : Needed or None
        How much data would decide it, where it is undecided.
    """

    first: str
    second: str
    family: FamilyName
    groups: Difference
    folds: FoldTest | None
    errors: ErrorTest
    p_groups: float
    p_equal: float
    p_folds: float
    p_together: float
    interval: Interval | None
    verdict: Verdict
    needed: Needed | None


def judged_pairs(runs: ComparedRuns, rope: float, place: int | None, slices: int = 1) -> list[Pair]:
    """Test pairs of runs, and judge each.

    Parameters
    ----------
    runs : ComparedRuns
        The runs.
    rope : float
        The region of practical equivalence.
    place : int or None
        The place of the run that all others are compared with. None compares each with each. The pairs with the
        majority baseline are then a family of their own, apart from those of the models among each other: that each
        model is better than no model at all is another question than which of them is best.
    slices : int
        In how many slices pairs are judged, of which this is one; all are adjusted for together, by Bonferroni's bound.
    """
    chosen = [pair for pair in combinations(range(len(runs.runs)), 2) if place is None or place in pair]
    apart = {pair for pair in chosen if place is not None or _has_majority(runs, pair)}
    families: dict[FamilyName, list[Places]] = {
        "models": [pair for pair in chosen if pair not in apart],
        "baseline": [pair for pair in chosen if pair in apart],
    }
    tests = _Tests(runs, rope, slices)
    judged = dict[Places, Pair]()
    for name, family in families.items():
        if family:
            judged |= zip(family, tests.judge(family, name), strict=True)
    if not all(families.values()):
        return [judged[pair] for pair in chosen]
    together = tests.p_values(chosen)
    return [replace(judged[pair], p_together=p) for pair, p in zip(chosen, together, strict=True)]


def _has_majority(runs: ComparedRuns, pair: Places) -> bool:
    return any(runs.runs[place].record.model.name == MAJORITY for place in pair)


class _Tests:
    """The tests of pairs, of what all families share."""

    def __init__(self, runs: ComparedRuns, rope: float, slices: int) -> None:
        self.runs, self.rope, self.slices = runs, rope, slices
        self.n_groups, self.factor = len(runs.group_names), runs.training_factor()
        self.drawn = [runs.drawn_scores(run) for run in runs.runs]
        self.left_out = [runs.left_out_scores(run) for run in runs.runs]
        self.differences = dict[Places, Difference]()
        # Each example once, for McNemar's test.
        self.once = np.unique(runs.ids.astype(str), return_index=True)[1]

    def judge(self, family: Sequence[Places], name: FamilyName) -> list[Pair]:
        """Test the pairs of a family, adjust for their number, and give each its verdict."""
        runs, rope = self.runs, self.rope
        # Of so many models each may fail in groups that are not in the data.
        places = sorted({place for pair in family for place in pair})
        failing = {place: runs.metric.share_to_lose(runs.runs[place].outcomes, rope) for place in places}
        others = len(places) - 1
        shares = [min(failing[a], failing[b]) for a, b in family]
        differences, folds = [self._by_groups(*pair) for pair in family], [self._over_folds(*pair) for pair in family]
        together = self._family(family)
        p_folds = holm([1.0 if test is None else test.p_value for test in folds])
        p_groups = self.p_values(family)
        judged = []
        for number, ((a, b), between) in enumerate(zip(family, differences, strict=True)):
            one, other = runs.runs[a], runs.runs[b]
            disagreement = Disagreement.between(runs, one, other, self.factor)
            error = error_for_equality(between, disagreement)
            unmet = others * chance_unmet(runs, one, other, between, shares[number], rope)
            p_equal = min(1.0, self.slices * max(unmet, _p_equal(together, between.difference, error, rope)))
            said = verdict(p_groups[number], p_equal, self.n_groups)
            interval = needed = None
            if together is not None and self.n_groups >= FEWEST_GROUPS:
                interval = _interval(together, said, between, error, self.slices)
            if said == "undecided" and together and interval:
                fewest = groups_to_meet(shares[number], LEVEL / others / self.slices)
                level = together.level_of_one(LEVEL / self.slices)
                needed = self._needed(between, interval, level, disagreement, fewest)
            judged.append(
                Pair(
                    first=one.name,
                    second=other.name,
                    family=name,
                    groups=between,
                    folds=folds[number],
                    errors=error_test(
                        (one.predicted == runs.true)[self.once], (other.predicted == runs.true)[self.once]
                    ),
                    p_groups=p_groups[number],
                    p_equal=p_equal,
                    p_folds=p_folds[number],
                    p_together=p_groups[number],
                    interval=interval and interval.within(runs.metric.difference_bounds),
                    verdict=said,
                    needed=needed,
                )
            )
        return judged

    def p_values(self, pairs: Sequence[Places]) -> list[float]:
        """The p-values of the paired bootstrap by group, adjusted for the number of these pairs."""
        together = self._family(pairs)
        if together is None:
            return [1.0] * len(pairs)
        differences = [self._by_groups(*pair) for pair in pairs]
        t = [each.difference / each.standard_error if each.standard_error else 0.0 for each in differences]
        return [min(1.0, self.slices * p) for p in together.p_values(t)]

    def _family(self, pairs: Sequence[Places]) -> Family | None:
        if self.n_groups < 2:
            return None
        return Family(np.array([self.drawn[a][1] - self.drawn[b][1] for a, b in pairs]), self.n_groups - 1)

    def _by_groups(self, a: int, b: int) -> Difference:
        if (a, b) not in self.differences:
            self.differences[a, b] = self._difference(a, b)
        return self.differences[a, b]

    def _difference(self, a: int, b: int) -> Difference:
        without = (self.left_out[a], self.left_out[b])
        return group_difference(
            [self.drawn[a][0], self.drawn[b][0]],
            [self.drawn[a][1], self.drawn[b][1]],
            self.n_groups,
            self.factor,
            left_out=None if without[0] is None or without[1] is None else [without[0], without[1]],
            bounds=self.runs.metric.difference_bounds,
        )

    def _over_folds(self, a: int, b: int) -> FoldTest | None:
        first, second = (self.runs.fold_scores(self.runs.runs[place]) for place in (a, b))
        if len(first) < 2:
            return None
        return fold_test(self.runs.metric.sign * (first - second), self.runs.test_share(), self.rope)

    def _needed(
        self, between: Difference, interval: Interval, level: float, disagreement: Disagreement, fewest: int | None
    ) -> Needed | None:
        if not between.standard_error:
            return None
        deviation = between.standard_error * math.sqrt(self.n_groups)
        return needed_to_decide(
            interval.low,
            interval.high,
            between.standard_error,
            self.n_groups,
            self.runs.n_scored,
            groups_for_equality(self.rope, deviation, level, disagreement, fewest),
            level,
            self.runs.metric.difference_bounds[1],
        )


def _p_equal(family: Family | None, difference: float, error: float | None, rope: float) -> float:
    """The p-value of two one-sided tests (Schuirmann 1987) that a difference lies beyond the region, adjusted."""
    within = rope - abs(difference)
    if family is None or not error or within <= 0.0:
        return 1.0
    return family.chance_beyond(within / error) / 2.0


def _interval(family: Family, said: Verdict, between: Difference, error: float | None, slices: int) -> Interval | None:
    """The interval that a verdict is made of: it holds the differences of all pairs of the family together.

    Of practically equal models it is the one of two one-sided tests, of 90 %. Where the step-down decides a pair that
    the interval of all pairs would leave open, it ends at no difference.
    """
    level = 1.0 - (2.0 if said == "practically equal" else 1.0) * LEVEL
    reach = (
        error if said == "practically equal" else between.standard_error or (error if between.difference == 0 else None)
    )
    if reach is None:
        return None
    half = family.critical_value(1.0 - (1.0 - level) / slices) * reach
    low, high = between.difference - half, between.difference + half
    if said == "better":
        low, high = (max(low, 0.0), high) if between.difference > 0 else (low, min(high, 0.0))
    return Interval(low, high, level)
