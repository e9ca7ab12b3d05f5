"""In which groups labels' examples are, and the intervals of means over examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import Interval, Thin, level_of_one
from bench.statistics.scores import Scores
from bench.statistics.units import NO_VARIATION, Units, thinnest
from bench.statistics.wilson import normal_quantile, skewed_quantiles, skewness_of_shares, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

LEAST_SKEWNESS = 2.5
"""The least skewness of losses by their relative deviation; a gamma distribution has 2, a log-normal one 3 or more."""


@dataclass(frozen=True, eq=False)
class Support:
    """In which groups the examples of each label are.

    Parameters
    ----------
    groups, true : ndarray of int, shape (n_examples,)
        Each example's group and label.
    counts : ndarray of shape (n_groups, n_labels)
        The examples of each label in each group.
    units : Units
        The groups.
    """

    groups: Codes
    true: Codes
    counts: Floats
    units: Units

    @classmethod
    def of(cls, groups: Codes, true: Codes, n_labels: int) -> Support:
        """Count the examples."""
        n_groups = int(groups.max(initial=-1)) + 1
        counts = np.bincount(groups * n_labels + true, minlength=n_groups * n_labels).reshape(n_groups, n_labels)
        return cls(groups, true, counts.astype(np.float64), Units(np.ones(n_groups)))

    @property
    def thin(self) -> Thin | None:
        """The label that is in too few groups, None if all are in enough."""
        return thinnest(self.units.effective(self.counts), np.arange(self.counts.shape[1]))

    def loss_interval(self, loss: Floats, bound: float, logarithmic: bool) -> Interval | Thin:
        """The interval of a mean loss.

        Parameters
        ----------
        loss : ndarray of shape (n_examples,)
            The loss of each example, at most `bound`.
        bound : float
            The greatest loss that there can be.
        logarithmic : bool
            Whether the interval is computed on the logarithmic scale.
        """
        return self.thin or _mean_loss(loss, self.groups, self.true, self.counts, self.units, bound, logarithmic)

    @property
    def effective(self) -> Floats:
        """In how many groups of equal size each label is, in effect."""
        return self.units.effective(self.counts)

    @property
    def effective_of_rest(self) -> Floats:
        """In how many groups of equal size the examples without each label are, in effect."""
        return self.units.effective(self.counts.sum(axis=1, keepdims=True) - self.counts)

    def mean_interval(
        self, values: Floats, influences: Floats, effective: Floats, least_skewness: float = 0.0
    ) -> Interval:
        """The interval of the mean of labels' scores in [0, 1], all labels being in enough groups.

        Parameters
        ----------
        values : ndarray of shape (n_labels,)
            The scores.
        influences : ndarray of shape (n_examples, n_labels)
            How far one more example like each would move them.
        effective : ndarray of shape (n_labels,)
            The effective number of groups of each.
        least_skewness : float
            How skewed their errors are at least; see `Scores.of`.
        """
        n_groups = len(self.counts)
        moved = np.stack([np.bincount(self.groups, each, n_groups) for each in influences.T], axis=1).astype(np.float64)
        scores = Scores.of(values, moved, effective, self.units, capped=False, least_skewness=least_skewness)
        return scores.mean(self.units)


def _mean_loss(
    loss: Floats, codes: Codes, true: Codes, support: Floats, units: Units, bound: float, logarithmic: bool
) -> Interval:
    """The interval of a mean loss, on the logarithmic scale or Wilson's; Wilson's also if no group's loss varies.

    Losses have a long tail that a sample rarely shows: most data sets have no group with large loss; their mean is
    too low. So their skewness is at least `LEAST_SKEWNESS` times their relative deviation, and where few
    groups have most of the loss, the degrees of freedom are as if there were no others. A rare label may have most of
    the loss, too. The degrees of freedom are therefore also those of the labels' parts of the
    variance, put together by Welch (1947).
    """
    from scipy.special import stdtrit

    n_groups, n_labels = support.shape
    mean = float(loss.mean())
    parts = np.bincount(codes * n_labels + true, (loss - mean) / len(loss), n_groups * n_labels)
    influence = parts.reshape(n_groups, n_labels)
    groups = units.effective(support)
    by_label = units.counts @ influence**2
    welch = by_label.sum() ** 2 / (by_label**2 / (groups - 1.0)).sum() if by_label.any() else np.inf
    whole = influence.sum(axis=1, keepdims=True)
    effective = float(units.effective(support.sum(axis=1, keepdims=True))[0])
    error = float(np.sqrt(units.products(whole)[0, 0] * effective / (effective - 1.0)))
    resting = float(units.effective(np.bincount(codes, loss, n_groups)[:, None].astype(np.float64))[0])
    freedom = max(min(effective - 1.0, resting - 1.0, welch, float(units.freedom(whole)[0])), 0.1)
    varies = error**2 > NO_VARIATION
    share = np.array([mean / bound])
    if not varies:
        low, high = wilson(share, np.array([effective]), np.array([normal_quantile()]))
        return Interval(bound * float(low[0]), bound * float(high[0]))
    trials = share * (1.0 - share) / (error / bound) ** 2
    own = np.array([error / mean]) if logarithmic else skewness_of_shares(share, trials)
    skewness = np.maximum(units.skewness(whole, np.array([effective])), LEAST_SKEWNESS * own)
    quantiles = skewed_quantiles(np.array([float(stdtrit(freedom, (1.0 + level_of_one()) / 2.0))]), skewness, own)
    if logarithmic:
        below, above = np.minimum(quantiles[:, 0] * error / mean, 700.0)
        return Interval(mean * float(np.exp(-below)), min(mean * float(np.exp(above)), bound))
    low, high = wilson(share, trials, quantiles)
    return Interval(bound * float(low[0]), bound * float(high[0]))
