"""The score of the best of several models, corrected for its having been picked by that very score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Winner:
    """The best of several models.

    Parameters
    ----------
    score : float
        What it can be expected to score on other groups.
    low, high : float or None
        The interval of that score; None if groups are not informative.
    level : float
        The interval's nominal coverage.
    """

    score: float
    low: float | None
    high: float | None
    level: float = 0.95

    def at_least(self, other: Interval) -> Winner:
        """The same with an interval that holds another one too.

        Examples
        --------
        >>> Winner(0.5, 0.49, 0.51).at_least(Interval(0.495, 0.7))
        Winner(score=0.5, low=0.49, high=0.7, level=0.95)
        """
        ends = [other.low, other.high, *(end for end in (self.low, self.high) if end is not None)]
        return replace(self, low=min(ends), high=max(ends))


def corrected_score(scores: Floats, drawn: Floats, unseen: Floats, lower_is_better: bool = False) -> float:
    """Estimate the expected score of the best model on other groups.

    Of models that are equally good the one is picked that these groups flatter most. In each bootstrap draw the model
    that is best there is scored on the groups that the draw left out, which had no part in the choice (Tsamardinos,
    Greasidou and Borboudakis 2018). What it has there above the mean of all models is added to the mean of all scores:
    so it does not matter that the groups left out are few, which shifts all models' scores alike.

    Parameters
    ----------
    scores : ndarray of shape (n_models,)
        The models' scores.
    drawn, unseen : ndarray of shape (n_models, n_draws)
        The scores on each draw's groups, and on those that it left out; NaN if there are none.
    lower_is_better : bool
        Whether less is better.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=(5, 40))  # the same score of five models in 40 groups
    >>> weights = rng.multinomial(40, np.full(40, 1 / 40), size=500)
    >>> drawn, unseen = noise @ weights.T / 40, noise @ (weights == 0).T / (weights == 0).sum(axis=1)
    >>> bool(abs(corrected_score(noise.mean(axis=1), drawn, unseen)) < noise.mean(axis=1).max())
    True
    """
    sign = -1.0 if lower_is_better else 1.0
    usable = np.isfinite(unseen).all(axis=0) & np.isfinite(drawn).all(axis=0)
    if not usable.any():
        return float((sign * scores).max() * sign)
    drawn, unseen = drawn[:, usable], unseen[:, usable]
    best = (sign * drawn).argmax(axis=0)
    above = unseen[best, np.arange(unseen.shape[1])] - unseen.mean(axis=0)
    corrected = sign * (scores.mean() + above.mean())
    return float(sign * min(corrected, (sign * scores).max()))


def winner(
    score: float, error: float | None, n_groups: int, bounds: tuple[float, float], level: float = 0.95
) -> Winner:
    """Put an interval around a corrected score.

    Parameters
    ----------
    score : float
        As from `corrected_score`.
    error : float or None
        The standard error of the best model's score, with what the fitting adds; None if groups are not informative.
    n_groups : int
        The number of groups.
    bounds : tuple of float
        The least and the greatest value of the metric.
    level : float
        The coverage.
    """
    from scipy.special import stdtrit

    if error is None:
        return Winner(score, None, None, level)
    half = float(stdtrit(n_groups - 1, (1 + level) / 2)) * error
    return Winner(score, max(score - half, bounds[0]), min(score + half, bounds[1]), level)
