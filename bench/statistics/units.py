"""What varies independently, and in how many units of equal size it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import FEWEST, Thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

NO_VARIATION = 1e-20
"""A variance up to this one is rounding."""


@dataclass(frozen=True)
class Units:
    """What varies independently: the groups, those that are alike once.

    Parameters
    ----------
    counts : ndarray of shape (n_units,)
        How many groups are alike.
    strata : ndarray of int, shape (n_units,), or None
        The stratum that each was drawn from.
    """

    counts: Floats
    strata: Codes | None = None

    def effective(self, sizes: Floats) -> Floats:
        """How many groups of equal size have as unequal a total as these (Kish 1965).

        `sizes` has the shape (n_units, n_scores).
        """
        total, squares = self.counts @ sizes, self.counts @ sizes**2
        return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)

    def products(self, influence: Floats) -> Floats:
        """The sums of the products of groups' influences, within strata where there are any."""
        if self.strata is None:
            return np.asarray((influence * self.counts[:, None]).T @ influence)
        return np.sum(self._within_strata(influence), axis=0)

    def freedom(self, influence: Floats) -> Floats:
        """Degrees of freedom of a variance that is the sum of the squared influences (Satterthwaite 1946).

        Their fourth powers measure how unequal they are: a few large groups or errors make the variance uncertain. With
        strata, one that has few groups and much of the variance does (Welch 1947).
        """
        if self.strata is None:
            squares, fourth = self.counts @ influence**2, self.counts @ influence**4
            doubt = (fourth - squares**2 / np.maximum(self.counts @ (influence != 0), 1.0)) / 2.0
        else:
            parts = np.diagonal(self._within_strata(influence), axis1=1, axis2=2)
            groups = np.array([self.counts[self.strata == stratum].sum() for stratum in np.unique(self.strata)])
            squares, doubt = parts.sum(axis=0), (parts**2 / np.maximum(groups - 1.0, 1.0)[:, None]).sum(axis=0)
        return np.divide(squares**2, doubt, out=np.full(len(squares), np.inf), where=doubt > 0)

    def skewness(self, influence: Floats, effective: Floats) -> Floats:
        """The skewness of sums of groups' influences, raised by what few groups hide of it; 0 with strata."""
        if self.strata is not None:
            return np.zeros(influence.shape[1])
        squares, cubes = self.counts @ influence**2, self.counts @ influence**3
        few = np.maximum(effective, FEWEST)
        hidden = np.sqrt(few * (few - 1.0)) / (few - 2.0)
        return hidden * np.divide(cubes, squares**1.5, out=np.zeros_like(cubes), where=squares > NO_VARIATION)

    def _within_strata(self, influence: Floats) -> Floats:
        """What each stratum adds to `products`, of shape (n_strata, n_scores, n_scores)."""
        assert self.strata is not None
        added = []
        for stratum in np.unique(self.strata):
            here = self.strata == stratum
            counts, values = self.counts[here], influence[here]
            n = counts.sum()
            if n > 1:
                centred = values - counts @ values / n
                added.append(n / (n - 1.0) * (centred * counts[:, None]).T @ centred)
            else:  # The variance of such groups is unknown, so this group's contribution stands in for it.
                added.append(values.T @ values)
        return np.stack(added)


def thinnest(effective: Floats, labels: Codes) -> Thin | None:
    """The label that is in too few groups, None if all are in enough."""
    least = int(np.argmin(effective))
    return Thin(int(labels[least]), float(effective[least])) if effective[least] < FEWEST else None
