"""The verdict on a pair of models, and how much more data an undecided one needs."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import Literal

from bench.statistics.paired import FEWEST_GROUPS

Verdict = Literal["better", "practically equal", "undecided"]

LEVEL = 0.05
"""How often a verdict "better" may be wrong, over all pairs of a family together; and so "practically equal"."""

MOST_GROUPS = 10**7
"""More groups than these are not advised."""

POWER = 0.80
"""How surely an advised amount of data decides, if the difference is the one that it is named for."""


def verdict(p_groups: float | None, p_equal: float, n_groups: int) -> Verdict:
    """Judge a pair of models.

    Parameters
    ----------
    p_groups : float or None
        The p-value of the paired bootstrap by group, adjusted for the number of pairs.
    p_equal : float
        The p-value of the two one-sided tests that the models differ by more than the region of practical equivalence,
        adjusted too.
    n_groups : int
        The number of groups.

    Returns
    -------
    {"better", "practically equal", "undecided"}
        ``practically equal`` where a difference beyond the region is rejected at 5 %; else ``better`` (the one with the
        better score) where a difference of none is; else, and with fewer than five groups, ``undecided``.

    Examples
    --------
    >>> verdict(0.01, 0.9, 20), verdict(0.3, 0.01, 20), verdict(0.3, 0.5, 20), verdict(0.01, 0.9, 3)
    ('better', 'practically equal', 'undecided', 'undecided')
    """
    if n_groups < FEWEST_GROUPS:
        return "undecided"
    if p_equal < LEVEL:
        return "practically equal"
    return "better" if p_groups is not None and p_groups < LEVEL else "undecided"


@dataclass(frozen=True)
class Needed:
    """How much data an undecided pair takes, with a chance of 80 %, in all.

    Parameters
    ----------
    difference : float
        The largest difference that the interval holds and the metric can have.
    groups, examples : int
        What it takes to see that one, no less than there are. A smaller one takes more, and none at all is never seen.
    more : bool
        Whether that is more than there are.
    seen : float or None
        The smallest difference that the present number shows; None where it is larger than any of the metric.
    half_groups, half_examples : int or None
        What it takes to see half of that; None where it is more than can be advised.
    measured_groups, measured_examples : int or None
        What it takes to see a difference as large as the measured one.
    equal_groups, equal_examples : int or None
        What it takes to call the models practically equal, were there no difference; None where that is never reached.
    """

    difference: float
    groups: int
    examples: int
    more: bool
    seen: float | None
    half_groups: int | None
    half_examples: int | None
    measured_groups: int | None
    measured_examples: int | None
    equal_groups: int | None
    equal_examples: int | None


def needed_to_decide(
    low: float,
    high: float,
    error: float,
    n_groups: int,
    n_examples: int,
    equal: int | None,
    level: float = LEVEL,
    widest: float = math.inf,
) -> Needed | None:
    """Say from how many groups and examples like the present ones on an undecided pair could be decided.

    The standard error falls with the square root of the number of groups. Looked for is the least number of groups with
    which the paired test rejects equality with a chance of 80 %, by the noncentral t distribution (Cohen 1988,
    chapter 2). The difference is not known but for its interval, so there is no one number: it is given for the end of
    the interval that takes the least, and for the measured difference. Others take more, and since the interval of an
    undecided pair holds zero, no number is surely enough. What is known is which differences the present number shows.

    Parameters
    ----------
    low, high : float
        The interval of the difference, with the measured one in its middle.
    error : float
        Its standard error.
    n_groups, n_examples : int
        The present numbers.
    equal : int or None
        The groups that it takes to call the models practically equal, were there no difference; see
        `bench.comparison.equality.groups_for_equality`.
    level : float
        The level of the test of this pair, smaller than 5 % where it is one of several.
    widest : float
        The largest difference that the metric can have.

    Returns
    -------
    Needed or None
        None where even the least is more than can be advised.

    Examples
    --------
    >>> needed = needed_to_decide(-0.02, 0.12, error=0.05, n_groups=10, n_examples=500, equal=None)
    >>> needed.groups, needed.more, round(needed.seen, 3), needed.half_groups, needed.measured_groups
    (16, True, 0.157, 34, 81)
    """
    size = min(max(abs(low), abs(high)), widest)
    deviation = error * math.sqrt(n_groups)
    least = groups_to_decide(size / deviation, level)
    if least is None:
        return None
    seen = smallest_found(deviation, n_groups, level)
    half, measured = (groups_to_decide(each / deviation, level) for each in (seen / 2, abs(low + high) / 2))

    def examples(groups: int | None) -> int | None:
        return None if groups is None else math.ceil(n_examples * groups / n_groups)

    groups = max(least, n_groups)
    return Needed(
        difference=size,
        groups=groups,
        examples=math.ceil(n_examples * groups / n_groups),
        more=least > n_groups,
        seen=seen if seen <= widest else None,
        half_groups=half if seen <= widest else None,
        half_examples=examples(half) if seen <= widest else None,
        measured_groups=measured,
        measured_examples=examples(measured),
        equal_groups=equal,
        equal_examples=examples(equal),
    )


def smallest_found(deviation: float, n_groups: int, level: float = LEVEL) -> float:
    """The smallest difference that the test of so many groups finds with a chance of 80 %.

    Parameters
    ----------
    deviation : float
        Of a group's part in the difference.
    n_groups : int
        Their number, at least 2.
    level : float
        The two-sided level of the test.

    Examples
    --------
    >>> round(smallest_found(1.0, 34), 2)
    0.5
    """
    low, high = 0.0, 1.0
    while power(high, n_groups, level) < POWER:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, n_groups, level) >= POWER else (middle, high)
    return high * deviation


def groups_to_decide(effect: float, level: float = LEVEL, chance: float = POWER) -> int | None:
    """The least number of groups with which the test finds a difference with a given chance.

    Parameters
    ----------
    effect : float
        The difference over the standard deviation of a group's part in it.
    level : float
        The two-sided level of the test.
    chance : float
        How surely it must be found.

    Returns
    -------
    int or None
        None where there is no such number, or it is beyond `MOST_GROUPS`.
    """
    most = FEWEST_GROUPS
    while power(effect, most, level) < chance:
        most *= 2
        if most > MOST_GROUPS:
            return None
    return bisect.bisect_left(range(most), True, lo=FEWEST_GROUPS, key=lambda n: power(effect, n, level) >= chance)


def power(effect: float, n_groups: int, level: float = LEVEL) -> float:
    """The chance that the test of a mean of so many groups rejects none, the effect being in deviations of a group.

    Examples
    --------
    >>> round(power(0.5, 34), 2)
    0.81
    """
    from scipy.special import nctdtr, stdtrit

    df = n_groups - 1
    return 1.0 - float(nctdtr(df, effect * math.sqrt(n_groups), stdtrit(df, 1 - level / 2)))
