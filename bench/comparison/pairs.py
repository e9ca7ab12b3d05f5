"""Pairs of compared runs: their differences, the tests of these, and a verdict on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.comparison.equality import chance_unmet, error_for_equality, groups_to_meet
from bench.comparison.predictions import ComparedRuns
from bench.comparison.suspects import MAJORITY
from bench.comparison.verdict import LEVEL, needed_to_decide, verdict
from bench.statistics.interval import Interval
from bench.statistics.paired import Difference, error_test, fold_test, group_difference, holm
from bench.statistics.simultaneous import Family

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def judged_pairs(runs: ComparedRuns, rope: float, place: int | None) -> list[dict[str, Any]]:
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

    Returns
    -------
    list of dict
        The better score first. Each has ``first``, ``second``, ``family`` (``models`` or ``baseline``); ``groups``,
        ``folds`` and ``errors`` with the tests of the pair alone; ``p_groups``, ``p_equal`` and ``p_folds``, adjusted
        within its family; ``interval``, which the verdict is made of; ``verdict`` and ``needed``.
    """
    chosen = [pair for pair in combinations(range(len(runs.runs)), 2) if place is None or place in pair]
    families = [
        [pair for pair in chosen if (_has_majority(runs, pair) or place is not None) is own] for own in (False, True)
    ]
    drawn = [runs.drawn_scores(run) for run in runs.runs]
    left_out = [runs.left_out_scores(run) for run in runs.runs]
    judged = dict[tuple[int, int], dict[str, Any]]()
    for name, family in zip(("models", "baseline"), families, strict=True):
        if family:
            judged |= zip(family, _judge(runs, family, drawn, left_out, rope, name), strict=True)
    return [judged[pair] for pair in chosen]


def _has_majority(runs: ComparedRuns, pair: tuple[int, int]) -> bool:
    return any(runs.runs[place].record["model"]["name"] == MAJORITY for place in pair)


def _judge(
    runs: ComparedRuns,
    family: Sequence[tuple[int, int]],
    drawn: Sequence[tuple[float, Floats]],
    left_out: Sequence[Floats | None],
    rope: float,
    name: str,
) -> list[dict[str, Any]]:
    """Test the pairs of a family, adjust for their number, and give each its verdict."""
    n_groups, factor = len(runs.group_names), runs.training_factor()
    # Each example once, for McNemar's test.
    once = np.unique(runs.ids.astype(str), return_index=True)[1]
    sign = runs.metric.sign
    pairs = list[dict[str, Any]]()
    differences, errors, unmet = list[Difference](), list[float | None](), list[float]()
    # Of so many models each may fail in groups that are not in the data.
    places = sorted({place for pair in family for place in pair})
    failing = {place: runs.metric.share_to_lose(runs.runs[place].outcomes, rope) for place in places}
    others = len(places) - 1
    least, greatest = runs.metric.bounds
    for a, b in family:
        one, other = runs.runs[a], runs.runs[b]
        without = (left_out[a], left_out[b])
        between = group_difference(
            [drawn[a][0], drawn[b][0]],
            [drawn[a][1], drawn[b][1]],
            n_groups,
            factor,
            left_out=None if without[0] is None or without[1] is None else [without[0], without[1]],
        )
        folds = [runs.fold_scores(run) for run in (one, other)]
        pairs.append(
            {
                "first": one.name,
                "second": other.name,
                "family": name,
                "groups": asdict(between),
                "folds": asdict(fold_test(sign * (folds[0] - folds[1]), runs.test_share(), rope))
                if len(folds[0]) > 1
                else None,
                "errors": asdict(error_test((one.predicted == runs.true)[once], (other.predicted == runs.true)[once])),
            }
        )
        differences.append(between)
        errors.append(error_for_equality(runs, one, other, between, factor))
        share = min(failing[a], failing[b])
        unmet.append(min(1.0, others * chance_unmet(runs, one, other, between, share, rope)))
    together = Family(np.array([drawn[a][1] - drawn[b][1] for a, b in family]), n_groups - 1) if n_groups > 1 else None
    p_folds = holm([1.0 if pair["folds"] is None else pair["folds"]["p_value"] for pair in pairs])
    t = [each.difference / each.standard_error if each.standard_error else 0.0 for each in differences]
    p_groups = [1.0] * len(pairs) if together is None else together.p_values(t)
    for place, (pair, between, error) in enumerate(zip(pairs, differences, errors, strict=True)):
        pair["p_groups"], pair["p_folds"] = p_groups[place], p_folds[place]
        pair["p_equal"] = max(unmet[place], _p_equal(together, between.difference, error, rope))
        pair["verdict"] = verdict(pair["p_groups"], pair["p_equal"], n_groups)
        interval = None if together is None else _interval(together, pair["verdict"], between, error)
        pair["interval"] = None if interval is None else asdict(interval)
        pair["needed"] = None
        if pair["verdict"] == "undecided" and together and interval and between.standard_error:
            needed = needed_to_decide(
                interval.low,
                interval.high,
                between.standard_error,
                n_groups,
                runs.n_scored,
                rope,
                together.level_of_one(LEVEL),
                groups_to_meet(min(failing[place] for place in family[place]), LEVEL / others),
                greatest - least,
            )
            pair["needed"] = None if needed is None else asdict(needed)
    return pairs


def _p_equal(family: Family | None, difference: float, error: float | None, rope: float) -> float:
    """The p-value of two one-sided tests (Schuirmann 1987) that a difference lies beyond the region, adjusted."""
    within = rope - abs(difference)
    if family is None or error is None or within <= 0.0:
        return 1.0
    return family.chance_beyond(within / error) / 2.0


def _interval(family: Family, said: str, between: Difference, error: float | None) -> Interval | None:
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
    half = family.critical_value(level) * reach
    low, high = between.difference - half, between.difference + half
    if said == "better":
        low, high = (max(low, 0.0), high) if between.difference > 0 else (low, min(high, 0.0))
    return Interval(low, high, level)
