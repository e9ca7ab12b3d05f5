"""Several paired differences at once: p-values and intervals that are valid simultaneously.

The differences of a comparison are scored on the same bootstrap draws, so how they hang together is known: a model that
does well in a draw does so in every pair that it is part of. The largest of them all is therefore smaller than that of
as many independent ones, and the threshold for each can be lower (Westfall and Young 1993; Romano and Wolf 2005).

A draw's differences are standardised, and Student's distribution is put in place of the normal one by dividing all of
them by the same root of a chi-square over its degrees of freedom. With a single pair that is Student's t-test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.paired import NO_VARIATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS = 60
"""Bisection steps in the search for a critical value, enough for full precision."""


class Family:
    """Paired differences that are tested together.

    The p-value of a largest statistic is never below that of a single one, nor above
    Bonferroni's bound, which ignores dependence between pairs: far in the tail, the draws are too few.

    Parameters
    ----------
    drawn : ndarray of shape (n_pairs, n_draws)
        The difference of each pair in each bootstrap draw.
    df : float
        Degrees of freedom.
    """

    def __init__(self, drawn: Floats, df: float) -> None:
        spread = drawn.std(axis=1, ddof=1, keepdims=True)
        still = spread < NO_VARIATION
        self._sizes = np.abs(drawn - drawn.mean(axis=1, keepdims=True)) / np.where(still, 1.0, spread)
        self._sizes[still[:, 0]] = 0.0
        self._df = df

    def p_values(self, t: Sequence[float]) -> list[float]:
        """Adjust the pairs' two-sided tests by the step-down of the largest statistic.

        The largest statistic is compared with the largest of all pairs, the next with the largest of the pairs that
        are left, and so on; no p-value is smaller than that of a pair before it.

        Parameters
        ----------
        t : sequence of float, length n_pairs
            Each pair's difference over its standard error.
        """
        sizes = np.abs(np.asarray(t, dtype=np.float64))
        order = np.argsort(-sizes, kind="stable")
        most = np.maximum.accumulate(self._sizes[order[::-1]], axis=0)[::-1]
        chances = [self._chance(most[rank], len(order) - rank, sizes[place]) for rank, place in enumerate(order)]
        adjusted = np.empty(len(order))
        adjusted[order] = np.maximum.accumulate(chances)
        return [float(p) for p in adjusted]

    def chance_beyond(self, size: float) -> float:
        """The chance that any pair's statistic is so large, were there no differences."""
        return self._chance(self._sizes.max(axis=0), len(self._sizes), size)

    def critical_value(self, level: float) -> float:
        """How many standard errors a simultaneous interval of all differences reaches to either side.

        Parameters
        ----------
        level : float
            The probability that all intervals together cover their differences.
        """
        from scipy.special import stdtrit

        most = self._sizes.max(axis=0)
        low, high = (float(stdtrit(self._df, 1 - (1 - level) / 2 / n)) for n in (1, len(self._sizes)))
        for _ in range(STEPS if len(self._sizes) > 1 else 0):
            middle = (low + high) / 2
            beyond = self._chance(most, len(self._sizes), middle)
            low, high = (middle, high) if beyond > 1 - level else (low, middle)
        return high

    def level_of_one(self, level: float) -> float:
        """The level at which to test each pair, for a given level of all pairs together."""
        return _two_sided(self.critical_value(1 - level), self._df)

    def _chance(self, most: Floats, n_pairs: int, size: float) -> float:
        """The chance that the largest of so many statistics is beyond a size."""
        from scipy.special import chdtr

        if size == 0.0:
            return 1.0
        alone = _two_sided(size, self._df)
        with np.errstate(over="ignore"):
            together = float(chdtr(self._df, self._df * (most / size) ** 2).mean())
        return min(max(alone, together), n_pairs * alone, 1.0)


def _two_sided(size: float, df: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(df, -size))
