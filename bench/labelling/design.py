"""The design of a draw: strata, how many texts each gives, and which ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.intp]
    Floats = NDArray[np.float64]

BANDS = ("uncertain", "between", "sure")
"""The names of the bands of uncertainty within a predicted label."""

_EDGES = (0.2, 0.5)
"""Where the bands end: the shares of a label's texts, from the most uncertain on."""

_RATES = (8.0, 3.0, 1.0)
"""How often a text of each band is drawn, in proportion, where uncertain ones are wanted."""

_LEAST = 2
"""The fewest texts that a stratum gives, so that its variance can be estimated."""

_PER_STRATUM = 4
"""The fewest texts of the draw for each stratum, on average; smaller strata are merged."""

REST = "rest"
"""The name of what is left of strata that are too many."""


@dataclass(frozen=True, eq=False)
class Strata:
    """A partition of the texts that can be drawn.

    Parameters
    ----------
    names : tuple of str
        The strata's names.
    codes : ndarray of int, shape (n_texts,)
        Each text's stratum, as its place in `names`.
    """

    names: tuple[str, ...]
    codes: Integers

    @property
    def sizes(self) -> Integers:
        """How many texts each stratum has, of shape (n_strata,)."""
        return np.bincount(self.codes, minlength=len(self.names))

    def means(self, values: Floats) -> Floats:
        """The mean of values of the texts in each stratum, of shape (n_strata,)."""
        return np.bincount(self.codes, weights=values, minlength=len(self.names)) / self.sizes


def one_stratum(size: int) -> Strata:
    """Put all texts into one stratum."""
    return Strata(("all",), np.zeros(size, dtype=np.intp))


def by_names(names: Sequence[str], n: int) -> Strata:
    """Group texts by a name, merging the smallest groups where a draw of `n` has too few texts for all.

    Examples
    --------
    >>> by_names(["a", "a", "b", "c", "a"], 8).names
    ('a', 'rest')
    """
    found, codes, sizes = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True, return_counts=True)
    most = max(1, n // _PER_STRATUM)
    if len(found) <= most:
        return Strata(tuple(found.tolist()), codes)
    kept = np.sort(np.argsort(-sizes, kind="stable")[: most - 1])
    new = np.full(len(found), len(kept))
    new[kept] = np.arange(len(kept))
    rest = REST
    while rest in found:
        rest += "+"
    return Strata((*found[kept].tolist(), rest), new[codes])


def by_uncertainty(predicted: Sequence[str], uncertainty: Floats | None, n: int) -> tuple[Strata, Floats]:
    """Group texts by predicted label, and within it into bands of uncertainty if a draw of `n` has room for them.

    Bands are of ranks, since many models are sure of everything, or of nothing.

    Parameters
    ----------
    predicted : sequence of str
        Each text's predicted label.
    uncertainty : ndarray of float, shape (n_texts,), or None
        From 0, sure; None if the model gives no probabilities.
    n : int
        How many texts are drawn.

    Returns
    -------
    strata : Strata
        The groups.
    rates : ndarray of float, shape (n_strata,)
        How often a text of each is drawn, in proportion, where uncertain ones are wanted.
    """
    if uncertainty is None:
        strata = by_names(predicted, n)
        return strata, np.ones(len(strata.names))
    labels, codes = np.unique(np.array(predicted, dtype=object).astype(str), return_inverse=True)
    order = np.lexsort((np.arange(len(codes)), -uncertainty, codes))
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    place = np.empty(len(codes), dtype=np.float64)
    place[order] = (np.arange(len(codes)) - starts[codes[order]] + 0.5) / sizes[codes[order]]
    bands = np.searchsorted(_EDGES, place, side="right")
    names = [f"{labels[code]}/{BANDS[band]}" for code, band in zip(codes, bands, strict=True)]
    if len(labels) * len(BANDS) * _PER_STRATUM > n:
        names = [BANDS[band] for band in bands]
    strata = by_names(names, n)
    return strata, strata.means(np.array(_RATES)[bands])


def allocate(sizes: Integers, weights: Floats, n: int) -> Integers:
    """Say how many texts each stratum gives: in proportion to weights, at least two, at most all.

    Parameters
    ----------
    sizes : ndarray of int, shape (n_strata,)
        How many texts each stratum has; none is empty.
    weights : ndarray of float, shape (n_strata,)
        What the numbers are proportional to, above 0.
    n : int
        How many texts are drawn, at least two for each stratum and at most all.

    Returns
    -------
    ndarray of int, shape (n_strata,)
        Numbers that sum to `n`.

    Examples
    --------
    >>> allocate(np.array([1, 50, 949]), np.array([1.0, 50.0, 49.0]), 20).tolist()
    [1, 10, 9]
    """
    low, high = np.minimum(sizes, _LEAST), sizes
    if not low.sum() <= n <= high.sum():
        raise ValueError(f"{n} texts cannot be drawn from strata of {sizes.tolist()}")
    weights = np.maximum(weights / weights.sum(), 1e-12)
    below, above = 0.0, 2.0 * float((high / weights).max())
    for _ in range(200):
        factor = (below + above) / 2
        if np.clip(factor * weights, low, high).sum() < n:
            below = factor
        else:
            above = factor
    exact = np.clip(above * weights, low, high)
    drawn = np.floor(exact + 1e-9).astype(np.intp)
    short = n - int(drawn.sum())
    # The rounding of one step can be short or over by less than the number of strata.
    for place in np.argsort(drawn - exact, kind="stable"):
        if short > 0 and drawn[place] < high[place]:
            drawn[place] += 1
            short -= 1
    for place in np.argsort(exact - drawn, kind="stable"):
        if short < 0 and drawn[place] > low[place]:
            drawn[place] -= 1
            short += 1
    return drawn


def draw(strata: Strata, drawn: Integers, rng: np.random.Generator) -> Integers:
    """Draw a fixed number of texts from each stratum, each text of a stratum with the same probability.

    Returns
    -------
    ndarray of int, shape (n,)
        The places of the texts, in random order.
    """
    order = np.argsort(strata.codes, kind="stable")
    ends = np.cumsum(strata.sizes)
    chosen = [
        rng.choice(order[end - size : end], size=number, replace=False)
        for end, size, number in zip(ends, strata.sizes, drawn, strict=True)
    ]
    return rng.permutation(np.concatenate(chosen))
