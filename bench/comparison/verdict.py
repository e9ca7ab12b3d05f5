"""The verdict on a pair of models, and how much more data an undecided one needs."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from typing import Any, Literal

from bench.statistics.paired import FEWEST_GROUPS

Verdict = Literal["better", "practically equal", "undecided"]

LEVEL = 0.05
"""How often a verdict "better" may be wrong, over all pairs of a comparison together."""

SURE = 0.95
"""The posterior probability from which two models are called practically equal."""

MOST_GROUPS = 10**7
"""More groups than these are not advised."""

POWER = 0.80
"""How surely the advised amount of data decides, if the difference stays."""


def verdict(p_groups: float | None, equal: float, n_groups: int) -> Verdict:
    """Judge a pair of models.

    Parameters
    ----------
    p_groups : float or None
        The p-value of the paired bootstrap by group, adjusted for the number of pairs.
    equal : float
        The posterior probability that the two differ by no more than the region of practical equivalence: the
        smaller of that over folds and that over groups.
    n_groups : int
        The number of groups.

    Returns
    -------
    {"better", "practically equal", "undecided"}
        ``practically equal`` where that is 95 % sure; else ``better`` (the one with the better score) where a
        difference of none is rejected at 5 % and there are at least five groups; else ``undecided``.

    Examples
    --------
    >>> verdict(0.01, 0.2, 20), verdict(0.3, 0.99, 20), verdict(0.3, 0.5, 20), verdict(0.01, 0.2, 3)
    ('better', 'practically equal', 'undecided', 'undecided')
    """
    if equal >= SURE:
        return "practically equal"
    return "better" if p_groups is not None and p_groups < LEVEL and n_groups >= FEWEST_GROUPS else "undecided"


def equal_over_groups(groups: Mapping[str, Any], n_groups: int, rope: float) -> float:
    """The posterior probability that a pooled difference lies within the region of practical equivalence.

    It has the form of the Bayesian correlated t-test (`bench.statistics.paired.fold_test`), around the pooled
    difference, with the standard error over groups.

    Parameters
    ----------
    groups : mapping
        The pair's `bench.statistics.paired.Difference` as plain data.
    n_groups : int
        The number of groups.
    rope : float
        The region of practical equivalence.

    Returns
    -------
    float
        0 where there is no standard error.
    """
    from scipy.special import stdtr

    difference, error = groups["difference"], groups["standard_error"]
    if error is None:
        return 0.0
    above, below = (float(stdtr(n_groups - 1, (end - difference) / error)) for end in (rope, -rope))
    return above - below


def training_factor(test_share: float) -> float:
    r"""What the standard error of a bootstrap over fixed predictions is multiplied by.

    The bootstrap draws test groups and takes the fitted models as given, but fitted on other groups they
    would score otherwise, and the training parts of the folds overlap. Nadeau and Bengio (2003) multiply
    the variance of a mean over :math:`J` folds by :math:`1 + J n_2/n_1`; with :math:`J = n/n_2` folds that
    is :math:`1 + 1/(1 - n_2/n)`. It is about right for unstable models and more than enough for stable ones
    (``docs/comparison.md`` has the simulation).

    Parameters
    ----------
    test_share : float
        :math:`n_2/n`, the share of the examples in an outer test part.

    Examples
    --------
    >>> training_factor(0.2)
    1.5
    """
    return math.sqrt(1.0 + 1.0 / (1.0 - test_share))


def needed_to_decide(groups: Mapping[str, Any], n_groups: int, n_examples: int, rope: float) -> dict[str, int] | None:
    """Estimate how many groups and examples like the present ones would decide an undecided pair.

    The standard error falls with the square root of the number of groups, and the difference is taken to stay as
    it was measured. Looked for is the least number of groups with which the paired test rejects equality with a
    chance of 80 %, by the noncentral t distribution (Cohen 1988, chapter 2).

    Parameters
    ----------
    groups : mapping
        The pair's `bench.statistics.paired.Difference` as plain data.
    n_groups, n_examples : int
        The present numbers.
    rope : float
        The region of practical equivalence.

    Returns
    -------
    dict or None
        ``groups`` and ``examples`` in all. None where the difference lies within the region of practical
        equivalence, where there is no standard error, and where the present number is enough.

    Examples
    --------
    >>> needed_to_decide({"difference": 0.10, "standard_error": 0.05}, n_groups=10, n_examples=500, rope=0.01)
    {'groups': 22, 'examples': 1100}
    """
    error, size = groups["standard_error"], abs(groups["difference"])
    if error is None or size <= rope:
        return None
    effect = size / error / math.sqrt(n_groups)
    most = FEWEST_GROUPS
    while _power(effect, most) < POWER:
        most *= 2
        if most > MOST_GROUPS:
            return None
    least = bisect.bisect_left(range(most), True, lo=FEWEST_GROUPS, key=lambda n: _power(effect, n) >= POWER)
    if least <= n_groups:
        return None
    return {"groups": least, "examples": math.ceil(n_examples * least / n_groups)}


def _power(effect: float, n_groups: int) -> float:
    """The chance that the two-sided test of a mean of so many groups rejects none, the effect being in deviations."""
    from scipy.special import nctdtr, stdtrit

    df = n_groups - 1
    return 1.0 - float(nctdtr(df, effect * math.sqrt(n_groups), stdtrit(df, 1 - LEVEL / 2)))
