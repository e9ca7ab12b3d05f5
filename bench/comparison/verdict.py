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
        The largest difference that the interval holds.
    groups, examples : int
        What it takes to see that one, no less than there are. A smaller one takes more, and none at all is never seen.
    more : bool
        Whether that is more than there are.
    equal_groups, equal_examples : int or None
        What it takes to call the models practically equal, were there no difference; None where that is never reached.
    """

    difference: float
    groups: int
    examples: int
    more: bool
    equal_groups: int | None
    equal_examples: int | None


def needed_to_decide(
    low: float,
    high: float,
    error: float,
    n_groups: int,
    n_examples: int,
    rope: float,
    level: float = LEVEL,
    fewest_equal: int = 1,
) -> Needed | None:
    """Say from how many groups and examples like the present ones on an undecided pair could be decided.

    The standard error falls with the square root of the number of groups. Looked for is the least number of groups with
    which the paired test rejects equality with a chance of 80 %, by the noncentral t distribution (Cohen 1988,
    chapter 2). The difference is not known but for its interval, so that number is given for the end of the interval
    that takes the least. The other end takes more, and since the interval of an undecided pair holds zero, no number
    is surely enough.

    Parameters
    ----------
    low, high : float
        The interval of the difference.
    error : float
        Its standard error.
    n_groups, n_examples : int
        The present numbers.
    rope : float
        The region of practical equivalence.
    level : float
        The level of the test of this pair, smaller than 5 % where it is one of several.
    fewest_equal : int
        With fewer groups no models are called practically equal; see `bench.comparison.equality.groups_to_meet`.

    Returns
    -------
    Needed or None
        None where even that is more than can be advised.

    Examples
    --------
    >>> needed_to_decide(-0.02, 0.12, error=0.05, n_groups=10, n_examples=500, rope=0.01)
    Needed(difference=0.12, groups=16, examples=800, more=True, equal_groups=2143, equal_examples=107150)
    """
    size = max(abs(low), abs(high))
    least = groups_to_decide(size / error / math.sqrt(n_groups), level)
    if least is None:
        return None
    # Two one-sided tests around no difference: each must miss with half the chance that both may.
    reach = rope / error / math.sqrt(n_groups)
    equal = groups_to_decide(reach, 2 * level, 1.0 - (1.0 - POWER) / 2) if rope > 0 else None
    equal = None if equal is None else max(equal, fewest_equal)
    return Needed(
        size,
        max(least, n_groups),
        _examples(max(least, n_groups), n_groups, n_examples),
        least > n_groups,
        equal,
        None if equal is None else _examples(equal, n_groups, n_examples),
    )


def _examples(groups: int, n_groups: int, n_examples: int) -> int:
    return math.ceil(n_examples * groups / n_groups)


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
