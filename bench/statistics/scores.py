"""Scores of labels in [0, 1] with their limits, and the interval of their mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import Interval, level_of_one
from bench.statistics.units import NO_VARIATION, Units
from bench.statistics.wilson import normal_quantile, skewed_quantiles, skewness_of_shares, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Scores:
    """Scores in [0, 1] with their limits, one for each label, and the contribution of each group.

    Parameters
    ----------
    values : ndarray of shape (n_scores,)
        The scores.
    limits, uncapped : ndarray of shape (2, n_scores)
        Their lower and upper limits, with and without the cap.
    variance, bias : ndarray of shape (n_scores,)
        Their variances, and by how much they are too high on average.
    influence : ndarray of shape (n_units, n_scores)
        How far each group moves the scores.
    effective : ndarray of shape (n_scores,)
        The effective number of groups of each.
    labels : ndarray of int, shape (n_scores,)
        Whose scores they are.
    """

    values: Floats
    limits: Floats
    uncapped: Floats
    variance: Floats
    bias: Floats
    influence: Floats
    effective: Floats
    labels: Codes

    @classmethod
    def of(
        cls,
        values: Floats,
        influence: Floats,
        effective: Floats,
        units: Units,
        capped: bool,
        least_skewness: float = 0.0,
        least: Floats | float = 0.0,
    ) -> Scores:
        """Give each score Wilson's interval (1927) with the number of trials that the groups' variance implies.

        The quantile is Student's with the degrees of freedom that the variance has, and larger on the side to which the
        groups are skewed. Where size and weight have nothing
        to do with being right, a share cannot vary more than if each group were all right or all wrong. So it is
        `capped` at the interval that has as many independent trials as there are effective groups, but not in a sample
        drawn by strata; a score that does not vary gets that one.

        What a score lacks of 1 can have a long tail that few groups do not show. Then its errors are at least
        `least_skewness` times as skewed as its relative deviation, and less so the nearer the score is to one half.

        A score nearer to 0 or 1 than `least` has as many trials as one so far from there: its variance is not that of
        so small a share, and not estimated from the groups.
        """
        from scipy.special import stdtrit

        few = np.maximum(effective, 1.0 + 1e-9)
        variance = np.diagonal(units.products(influence)) * (1.0 if units.strata is not None else few / (few - 1.0))
        around = np.clip(values, least, 1.0 - least)
        spread = around * (1.0 - around)
        estimated = np.where(around == values, units.freedom(influence), np.inf)
        freedom = np.maximum(np.minimum(effective - 1.0, estimated), 0.1)
        varies = (variance > NO_VARIATION) & (spread > NO_VARIATION)
        trials = np.where(varies, spread / np.where(varies, variance, 1.0), few)
        capped = capped and units.strata is None
        student = stdtrit(freedom, (1.0 + level_of_one()) / 2.0)
        skewness = units.skewness(influence, effective)
        if least_skewness:
            short = np.where(values > 0.5, 1.0 - values, values)
            tail = least_skewness * (1.0 - 2.0 * short) * np.sqrt(variance) / np.where(varies, short, 1.0)
            skewness = np.where(values > 0.5, np.minimum(skewness, -tail), np.maximum(skewness, tail))
        sides = skewed_quantiles(student, skewness, skewness_of_shares(around, trials))
        limits = uncapped = wilson(values, trials, np.where(varies, sides, normal_quantile()))
        variance = np.where(varies, variance, 0.0)
        if capped:
            widest = wilson(values, few, np.full(len(values), normal_quantile()))
            limits = np.stack([np.maximum(uncapped[0], widest[0]), np.minimum(uncapped[1], widest[1])])
            variance = np.minimum(variance, spread / few)
        return cls(
            values, limits, uncapped, variance, np.zeros_like(values), influence, effective, np.arange(len(values))
        )

    def through(self, function: Callable[[Floats], Floats], slope: Floats, curvature: Floats) -> Scores:
        """The scores on another scale, given by an increasing function and its derivatives at the scores.

        A curved function makes a mean of noisy values too low or too high (to the second order).
        """
        return Scores(
            function(self.values),
            function(self.limits),
            function(self.uncapped),
            self.variance * slope**2,
            self.bias * slope + curvature * self.variance / 2.0,
            self.influence * slope,
            self.effective,
            self.labels,
        )

    def only(self, chosen: NDArray[np.bool_] | Codes | slice) -> Scores:
        """Some of the scores."""
        return Scores(
            self.values[chosen],
            self.limits[:, chosen],
            self.uncapped[:, chosen],
            self.variance[chosen],
            self.bias[chosen],
            self.influence[:, chosen],
            self.effective[chosen],
            self.labels[chosen],
        )

    def intervals(self) -> list[Interval]:
        """Each score's interval."""
        return [Interval(float(low), float(high)) for low, high in self.limits.T]

    def mean(self, units: Units) -> Interval:
        """The interval of the scores' mean, from their limits (Zou and Donner 2008).

        Over many labels chance averages out and bias does not. So the interval is moved by the mean bias, as far as
        that is known, and from three labels on it is made of the wider limits without the cap. These leave too little
        above many labels that are nearly all right, so it is no narrower than that of the mean as one share.
        """
        products = units.products(self.influence)
        deviations = np.sqrt(np.diagonal(products))
        scale = np.where(deviations > 0, deviations, 1.0)
        correlations = products / np.outer(scale, scale)
        np.fill_diagonal(correlations, 1.0)
        limits = self.limits if len(self.values) <= 2 else self.uncapped
        below, above = self.values - limits[0], limits[1] - self.values
        centre, n = float((self.values - self.bias).mean()), len(self.values)
        reach = [float(np.sqrt(max(side @ correlations @ side, 0.0))) / n for side in (below, above)]
        observed = float(self.values.mean())
        low, high = min(centre - reach[0], observed), max(centre + reach[1], observed)
        if n > 2:
            rests_on = np.array([self.effective.max()])
            joint = self.influence.mean(axis=1, keepdims=True)
            whole = Scores.of(np.array([observed]), joint, rests_on, units, capped=False).limits[:, 0]
            low, high = min(low, float(whole[0])), max(high, float(whole[1]))
        return Interval(low, high).within((0.0, 1.0))
