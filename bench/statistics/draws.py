"""How often a bootstrap draws each group, in parts that fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PART = 2**22
"""The most numbers in a part, unless a single draw needs more."""


def affordable(draws: int, size: int, work: int, least: int) -> int:
    """Limit the number of draws if each is large.

    Parameters
    ----------
    draws : int
        Those that are wanted.
    size : int
        What one draw costs.
    work : int
        What all may cost together.
    least : int
        The fewest draws, at any cost.

    Examples
    --------
    >>> affordable(2_000, 500, 10_000_000, 200), affordable(2_000, 1_000_000, 10_000_000, 200)
    (2000, 200)
    """
    return min(draws, max(least, work // size))


def drawn_weights(shares: NDArray[np.float64], n_groups: int, draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Draw groups with replacement.

    Parameters
    ----------
    shares : ndarray of shape (n_kinds,)
        The share of the groups of each kind, summing to 1; all equal if each group is its own kind.
    n_groups : int
        How many groups a draw has.
    draws : int
        The number of draws.
    seed : int
        Their seed. The draws do not depend on how they are parted.

    Yields
    ------
    ndarray of shape (n_part, n_kinds)
        How often each kind was drawn.
    """
    rng = np.random.default_rng(seed)
    rows = max(1, PART // len(shares))
    for start in range(0, draws, rows):
        yield rng.multinomial(n_groups, shares, size=min(rows, draws - start)).astype(np.float64)
