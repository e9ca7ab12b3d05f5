"""How each model stands to one other: the pairs of a comparison, turned to face a reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bench.comparison.compare import Comparison
from bench.comparison.pairs import FamilyName, Pair
from bench.comparison.suspects import MAJORITY
from bench.metrics.registry import greater_is_better
from bench.statistics.interval import Interval

Standing = Literal["better", "practically equal", "undecided", "worse"]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A model against a reference.

    Parameters
    ----------
    name, reference : str
        The two runs.
    difference : float
        Score of the model minus that of the reference.
    interval : Interval or None
        The interval of the difference that the verdict rests on, adjusted for all pairs of the family. None where the
        groups do not allow one.
    standing : {"better", "practically equal", "undecided", "worse"}
        The verdict, seen from the model.
    pair : Pair
        The pair, with its tests.
    """

    name: str
    reference: str
    difference: float
    interval: Interval | None
    standing: Standing
    pair: Pair


def contrasts(comparison: Comparison, reference: str, family: FamilyName | None = None) -> list[Contrast]:
    """Compare every other model with one.

    Parameters
    ----------
    comparison : Comparison
        The comparison.
    reference : str
        The run that the others are held against.
    family : {"models", "baseline"}, optional
        Take only the pairs of this family; all pairs by default.

    Returns
    -------
    list of Contrast
        In the order of the ranking. Only pairs that the comparison tested.
    """
    place = {row.name: number for number, row in enumerate(comparison.rows)}
    found = [
        turned(pair, reference)
        for pair in comparison.pairs
        if reference in (pair.first, pair.second) and family in (None, pair.family)
    ]
    return sorted(found, key=lambda each: place[each.name])


def to_the_best(comparison: Comparison) -> list[Contrast]:
    """Compare the other models with the best one; empty where a baseline was named.

    The majority baseline is left out: its pairs are another family, which `to_the_baseline` returns.
    """
    if comparison.baseline is not None or not comparison.rows:
        return []
    return contrasts(comparison, comparison.rows[0].name, "models")


def to_the_baseline(comparison: Comparison) -> list[Contrast]:
    """Compare the models with the baseline that was named, else with the majority baseline; empty without one."""
    reference = comparison.baseline or majority(comparison)
    return [] if reference is None else contrasts(comparison, reference, "baseline")


def majority(comparison: Comparison) -> str | None:
    """The name of the run of the majority baseline, None where there is none."""
    found = [row for row in comparison.rows if _is_majority(row.model)]
    return min(found, key=lambda row: row.model != MAJORITY).name if found else None


def favours(comparison: Comparison, difference: float) -> bool:
    """Whether a difference is in favour of the model and not of its reference."""
    return difference > 0 if greater_is_better(comparison.metric) else difference < 0


def by_standing(found: Iterable[Contrast]) -> dict[Standing, list[str]]:
    """The names of models by how they stand to the reference."""
    names: dict[Standing, list[str]] = {}
    for each in found:
        names.setdefault(each.standing, []).append(each.name)
    return names


def _is_majority(model: str) -> bool:
    """Whether it is the majority baseline, also where another task's examples train (`majority+other`)."""
    return model.replace("@", "+").partition("+")[0] == MAJORITY


def turned(pair: Pair, reference: str) -> Contrast:
    """A pair seen from the run that is not the reference."""
    ahead = pair.second == reference
    sign = 1.0 if ahead else -1.0
    standing: Standing = pair.verdict if pair.verdict != "better" or ahead else "worse"
    interval = pair.interval
    if interval is not None and not ahead:
        interval = Interval(0.0 - interval.high, 0.0 - interval.low, interval.level)
    return Contrast(
        name=pair.first if ahead else pair.second,
        reference=reference,
        difference=sign * pair.groups.difference + 0.0,
        interval=interval,
        standing=standing,
        pair=pair,
    )
