"""The verdict on a pair of models, and how much more data an undecided one needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

Verdict = Literal["better", "practically equal", "undecided"]

LEVEL = 0.05
"""How often a verdict "better" may be wrong, over all pairs of a comparison together."""

SURE = 0.95
"""The posterior probability from which two models are called practically equal."""

POWER = 0.80
"""How surely the advised amount of data decides, if the difference stays."""


def verdict(p_groups: float, equal: float) -> Verdict:
    """Judge a pair of models.

    Parameters
    ----------
    p_groups : float
        The p-value of the paired bootstrap by group, adjusted for the number of pairs.
    equal : float
        The posterior probability that the two differ by no more than the region of practical equivalence.

    Returns
    -------
    {"better", "practically equal", "undecided"}
        ``practically equal`` where that is 95 % sure; else ``better`` (the one with the better score) where a
        difference of none is rejected at 5 %; else ``undecided``.

    Examples
    --------
    >>> verdict(0.01, equal=0.2), verdict(0.3, equal=0.99), verdict(0.3, equal=0.5)
    ('better', 'practically equal', 'undecided')
    """
    if equal >= SURE:
        return "practically equal"
    return "better" if p_groups < LEVEL else "undecided"


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


def needed_to_decide(groups: Mapping[str, Any], n_groups: int, n_examples: int, rope: float) -> dict[str, Any] | None:
    """Estimate how many groups and examples like the present ones would decide a pair.

    The standard error falls with the square root of the number of groups, and the difference is
    taken to stay as it was measured. A difference beyond the region of practical equivalence is decided with a power of
    80 % (as in Cohen 1988, with the normal distribution); one within it is to be shown to lie within.

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
        ``groups`` and ``examples`` in all, and ``shows``: ``"difference"`` or ``"equality"``. None where
        nothing can be said.
    """
    from scipy.special import ndtri

    error, size = groups["standard_error"], abs(groups["difference"])
    if not error:
        return None
    shows = "difference" if size > rope else "equality"
    margin = size if shows == "difference" else rope - size
    if margin <= 0.0:
        return None
    quantiles = float(ndtri(1 - LEVEL / 2) + ndtri(POWER))
    factor = (quantiles * error / margin) ** 2
    if factor <= 1.0:
        return None
    return {"groups": math.ceil(n_groups * factor), "examples": math.ceil(n_examples * factor), "shows": shows}
