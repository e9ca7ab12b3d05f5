"""Bootstrap draws of whole groups."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.statistics.draws import PART, affordable, drawn_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 2_000
"""Draws of a difference; its standard error is then known to about 1.6 %."""

WORK, LEAST_DRAWS = 100_000_000, 200
"""Weights that all draws have together, beyond which there are fewer draws, and the fewest."""


class GroupBootstrap:
    """Draws of whole groups with replacement (Field and Welsh 2007), the same for all that is scored on them.

    Parameters
    ----------
    n_groups : int
        The number of groups.
    seed : int
        Seed of the draws.
    draws : int
        Their number.
    out_of_bag : bool
        Whether a draw is scored on the groups that it left out, each once, rather than on those that it has.
    """

    def __init__(self, n_groups: int, seed: int, draws: int = DRAWS, out_of_bag: bool = False) -> None:
        self.n_groups, self._seed, self._out_of_bag = n_groups, seed, out_of_bag
        self.draws = affordable(draws, n_groups, WORK, LEAST_DRAWS)

    def complement(self) -> GroupBootstrap:
        """The same draws, scored on the groups that each left out; NaN if it left out none."""
        return GroupBootstrap(self.n_groups, self._seed, self.draws, out_of_bag=not self._out_of_bag)

    def weights(self) -> Iterator[Floats]:
        """How often each draw has each group, in parts of shape (n_part, n_groups)."""
        parts: Iterable[Floats]
        if self.n_groups * self.draws <= PART:
            parts = self._whole
        else:
            parts = drawn_weights(np.full(self.n_groups, 1.0 / self.n_groups), self.n_groups, self.draws, self._seed)
        return ((part == 0).astype(np.float64) for part in parts) if self._out_of_bag else iter(parts)

    @cached_property
    def _whole(self) -> list[Floats]:
        """The weights if they fit into memory."""
        return list(drawn_weights(np.full(self.n_groups, 1.0 / self.n_groups), self.n_groups, self.draws, self._seed))


def bootstrap_error(drawn: Floats, n_groups: int) -> float:
    r"""The standard error of a bootstrap of whole groups (Field and Welsh 2007).

    The deviation of the draws is inflated by :math:`\sqrt{G / (G - 1)}`, as in Cameron, Gelbach and Miller (2008).

    Parameters
    ----------
    drawn : ndarray of shape (n_draws,)
        The score of each draw.
    n_groups : int
        The number of groups, at least 2.
    """
    return float(drawn.std(ddof=1) * np.sqrt(n_groups / (n_groups - 1)))


def jackknife_error(left_out: Floats) -> float:
    """The standard error of the jackknife (Efron and Tibshirani 1993, chapter 11).

    Parameters
    ----------
    left_out : ndarray of shape (n_groups,)
        The score without each group, of at least 2.
    """
    return float(np.sqrt((len(left_out) - 1) * left_out.var()))


def group_indices(groups: NDArray[Any]) -> tuple[list[str], NDArray[np.intp]]:
    """Group names in order, and each row's group as an index into them."""
    names, codes = np.unique(groups, return_inverse=True)
    return [str(name) for name in names], codes
