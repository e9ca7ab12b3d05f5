"""The slope of a mean over a distance, within the parts that the examples are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.bootstrap import jackknife_error
from bench.statistics.paired import FEWEST_GROUPS, NO_VARIATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

FEWEST_PARTS = 3
"""With fewer parts, how their slopes differ says nothing."""


@dataclass(frozen=True)
class Slope:
    """A slope, and how sure it is.

    Parameters
    ----------
    slope : float
        The change of the mean over one unit of distance.
    by_groups, by_parts : float or None
        Half the width of its interval over groups, and over parts; None if there are too few, or they do not vary.
    n_parts, n_groups : int
        How many parts with different distances there are, and groups in them.
    """

    slope: float
    by_groups: float | None
    by_parts: float | None
    n_parts: int
    n_groups: int

    @property
    def half(self) -> float | None:
        """Half the width of the wider interval."""
        return None if self.by_groups is None or self.by_parts is None else max(self.by_groups, self.by_parts)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over examples, from which a slope within parts is computed, and what remains without some of them."""

    n: Floats
    x: Floats
    y: Floats
    xx: Floats
    xy: Floats

    @classmethod
    def of(cls, x: Floats, y: Floats, codes: Codes, n: int) -> _Sums:
        columns = (np.ones(len(x)), x, y, x * x, x * y)
        return cls(*(np.bincount(codes, each, n).astype(np.float64) for each in columns))

    def at(self, rows: Codes) -> _Sums:
        return _Sums(self.n[rows], self.x[rows], self.y[rows], self.xx[rows], self.xy[rows])

    def minus(self, other: _Sums) -> _Sums:
        return _Sums(self.n - other.n, self.x - other.x, self.y - other.y, self.xx - other.xx, self.xy - other.xy)

    @property
    def around_means(self) -> tuple[Floats, Floats]:
        """The sums of products and of squares around the means, 0 without examples."""
        n = np.maximum(self.n, 1.0)
        held = self.n > 0.5
        return np.where(held, self.xy - self.x * self.y / n, 0.0), np.where(held, self.xx - self.x**2 / n, 0.0)


def slope_within(values: Floats, distances: Floats, parts: Codes, groups: Codes, level: float) -> Slope | None:
    """Estimate by least squares how a mean changes with distance, each part having a level of its own.

    There are two standard errors, both of the jackknife: one leaves out each group, the other each part. Events make
    neighbours in time alike, which groups do not show, and parts do. The interval is the wider of the two, by Student's
    distribution; its degrees of freedom are those of the groups, or of the parts.

    Parameters
    ----------
    values : ndarray of shape (n_examples,)
        What the mean is of.
    distances : ndarray of shape (n_examples,)
        The examples' distances.
    parts, groups : ndarray of int, shape (n_examples,)
        The part and the group of each example; a group is in one part.
    level : float
        The nominal coverage of the interval.

    Returns
    -------
    Slope or None
        None if distances do not differ within any part.

    Examples
    --------
    >>> parts, distances = np.repeat([0, 1, 2], 4), np.tile([0.0, 1.0, 2.0, 3.0], 3)
    >>> found = slope_within(5.0 * parts - 2.0 * distances, distances, parts, np.arange(12), 0.95)
    >>> found.slope, found.half, found.n_parts, found.n_groups
    (-2.0, None, 3, 12)
    """
    n_all = int(parts.max(initial=-1)) + 1
    counts = np.maximum(np.bincount(parts, minlength=n_all), 1)

    def centred(column: Floats) -> Floats:
        return np.asarray(column - (np.bincount(parts, column, n_all) / counts)[parts])

    x, y = centred(distances), centred(values)
    differing = np.bincount(parts, np.abs(x), n_all) > NO_VARIATION
    kept = np.flatnonzero(differing[parts])
    if not len(kept):
        return None
    x, y = x[kept], y[kept]
    of_row = np.unique(parts[kept], return_inverse=True)[1]
    _, first, codes = np.unique(groups[kept], return_index=True, return_inverse=True)
    part = of_row[first]
    n_parts, n_groups = int(of_row.max()) + 1, len(first)
    each, all_of = _Sums.of(x, y, codes, n_groups), _Sums.of(x, y, of_row, n_parts)
    products, squares = all_of.around_means
    slope = float(products.sum() / squares.sum())
    df = n_groups - n_parts - 1
    if n_parts < FEWEST_PARTS or n_groups < FEWEST_GROUPS or df < 1:
        return Slope(slope, None, None, n_parts, n_groups)
    rest_products, rest_squares = all_of.at(part).minus(each).around_means
    left = squares.sum() - squares[part] + rest_squares
    left_of_parts = squares.sum() - squares
    if min(left.min(), left_of_parts.min()) < NO_VARIATION:
        return Slope(slope, None, None, n_parts, n_groups)
    without_group = (products.sum() - products[part] + rest_products) / left
    without_part = (products.sum() - products) / left_of_parts
    by_groups = _half(without_group, df, level)
    return Slope(slope, by_groups, _half(without_part, n_parts - 1, level), n_parts, n_groups)


def _half(left_out: Floats, df: int, level: float) -> float | None:
    from scipy.special import stdtrit

    half = float(stdtrit(df, (1.0 + level) / 2.0)) * jackknife_error(left_out)
    return None if half < NO_VARIATION else half
