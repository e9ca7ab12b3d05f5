"""Wilson's interval of a share (1927), with quantiles that are larger on the side of skewed errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import level_of_one

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def normal_quantile() -> float:
    """The quantile of the normal distribution at the nominal coverage."""
    from scipy.special import ndtri

    return float(ndtri((1.0 + level_of_one()) / 2.0))


def skewness_of_shares(values: Floats, trials: Floats) -> Floats:
    """The skewness of shares of so many independent trials."""
    spread = values * (1.0 - values) * trials
    return np.divide(1.0 - 2.0 * values, np.sqrt(spread), out=np.zeros_like(values), where=spread > 0)


def skewed_quantiles(quantile: Floats, skewness: Floats, of_shares: Floats) -> Floats:
    """The quantiles of the lower and of the upper limit, of shape (2, n), for scores with skewed errors.

    Johnson's correction (1978) on the side of the large errors. Wilson's interval, and one on the logarithmic scale,
    bends by itself as much as one and a half times the skewness of a share asks for; the rest is added.
    """
    excess = skewness - 1.5 * of_shares
    longer = np.where(excess * skewness > 0, np.abs(excess), 0.0) * quantile**2 / 3.0
    return quantile + np.stack([np.where(skewness < 0, longer, 0.0), np.where(skewness > 0, longer, 0.0)])


def wilson(values: Floats, trials: Floats, quantiles: Floats) -> Floats:
    """The lower and the upper limits, of shape (2, n), with one quantile for both or one for each."""
    squared = quantiles**2
    # In this form huge quantiles and few trials do not overflow.
    weight = trials / (trials + squared)
    centre = values * weight + 0.5 * (1.0 - weight)
    half = quantiles / (trials + squared) * np.sqrt(values * (1.0 - values) * trials + squared / 4.0)
    low, high = np.broadcast_to(centre - half, (2, len(values)))[0], np.broadcast_to(centre + half, (2, len(values)))[1]
    return np.stack([np.clip(low, 0.0, values), np.clip(high, values, 1.0)])
