"""Calibration: how reliable the probability of a predicted label is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.bootstrap import jackknife_error
from bench.statistics.interval import Interval, level_of_one
from bench.statistics.shares import LabelShares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
"""Bins of a reliability curve, if there are enough examples."""

FEWEST_IN_BIN = 20
"""The fewest examples in a bin, unless there are fewer in all."""


@dataclass(frozen=True, eq=False)
class Bins:
    """The predictions of each group in each bin; both arrays have the shape (n_groups, n_bins).

    Parameters
    ----------
    held : ndarray
        How many predictions.
    excess : ndarray
        How many of them are right, less the sum of their probabilities.
    """

    held: Floats
    excess: Floats

    @property
    def squared(self) -> float:
        """The squared error, less what chance adds to it; it may be below 0."""
        return float(_squared(self.held.sum(axis=0), self.excess.sum(axis=0), self._variances))

    @property
    def error(self) -> float:
        """The root mean square distance of accuracy from confidence, without what chance adds."""
        return float(np.sqrt(max(self.squared, 0.0)))

    @property
    def squared_without_each(self) -> Floats:
        """The squared error without each group, of shape (n_groups,); 1 without the only one that has predictions."""
        held, excess = self.held.sum(axis=0) - self.held, self.excess.sum(axis=0) - self.excess
        return np.nan_to_num(_squared(held, excess, self._variances), nan=1.0)

    def drawn(self, weights: Floats) -> Floats:
        """The error of draws that have each group so often: from (n_draws, n_groups) to (n_draws,).

        It is 1 in a draw without predictions.
        """
        held, excess = weights @ self.held, weights @ self.excess
        rate = np.divide(excess, held, out=np.zeros_like(held), where=held > 0)
        squares = weights @ self.excess**2 - 2.0 * rate * (weights @ (self.excess * self.held))
        squares += rate**2 * (weights @ self.held**2)
        groups = weights @ (self.held > 0).astype(np.float64)
        variances = np.divide(squares, held**2, out=np.zeros_like(held), where=held > 0)
        squared = _squared(held, excess, variances * groups / np.maximum(groups - 1.0, 1.0))
        return np.sqrt(np.maximum(np.nan_to_num(squared, nan=1.0), 0.0))

    @property
    def _variances(self) -> Floats:
        """The variance over groups of each bin's distance."""
        total, n_groups = self.held.sum(axis=0), (self.held > 0).sum(axis=0)
        residuals = self.excess - self.excess.sum(axis=0) / total * self.held
        return np.asarray((residuals**2).sum(axis=0) / total**2 * n_groups / np.maximum(n_groups - 1, 1))


def _squared(held: Floats, excess: Floats, variances: Floats) -> Floats:
    """The debiased squared error from bins' predictions, excesses and variances, by the last axis."""
    distances = excess / np.where(held > 0, held, 1.0)
    total = held.sum(axis=-1)
    summed = (held * (distances**2 - variances)).sum(axis=-1)
    return np.asarray(np.divide(summed, total, out=np.full_like(total, np.nan), where=total > 0))


@dataclass(frozen=True, eq=False)
class Reliability:
    """The reliability curve of a model's predicted labels.

    Parameters
    ----------
    confidence, accuracy : ndarray of shape (n_bins,)
        The mean probability of the predicted labels, and the share of them that are right, in each bin,
        by rising confidence.
    counts : ndarray of int, shape (n_bins,)
        Predictions in each bin.
    bins : Bins
        The same predictions by group.
    interval : Interval or None
        Its 95 % interval over groups; None if the accuracy has none because of too few groups.
    """

    confidence: Floats
    accuracy: Floats
    counts: NDArray[np.int64]
    bins: Bins
    interval: Interval | None

    @property
    def error(self) -> float:
        """The calibration error; see `Bins.error`."""
        return self.bins.error

    @property
    def bias(self) -> float:
        """Mean confidence less accuracy: above 0 if the model is overconfident."""
        return float(((self.confidence - self.accuracy) * self.counts).sum() / self.counts.sum())


def reliability(
    confidence: Floats,
    correct: NDArray[np.bool_],
    groups: NDArray[np.generic],
    bins: int = BINS,
    n_groups: int | None = None,
) -> Reliability:
    r"""Hold the probabilities of predicted labels against how often these are right.

    Predictions are put into bins of about equally many by their confidence, so that every point of the curve
    rests on as much data (Nixon et al. 2019); equal confidences are never parted. The calibration error is
    :math:`\sqrt{\sum_b (n_b / n) (\text{accuracy}_b - \text{confidence}_b)^2}`. The variance of each distance over
    groups is subtracted from its square (Kumar, Liang and Ma 2019): with few predictions, a calibrated model is
    off the diagonal by chance alone. The interval is the jackknife's over groups. It reaches at least as far as the
    mean confidence may be from the accuracy by the accuracy's own interval, since no calibration error is less than
    that: a model that is sure and has made no mistake yet may make one.

    Parameters
    ----------
    confidence : ndarray of shape (n_examples,)
        The probability that the model gives to the label that it predicts.
    correct : ndarray of bool, shape (n_examples,)
        Whether that label is the true one.
    groups : ndarray of shape (n_examples,)
        The examples' groups.
    bins : int
        The most bins. There are fewer if they would have less than `FEWEST_IN_BIN` examples.
    n_groups : int, optional
        How many groups there are, some perhaps without an example here, if `groups` are their numbers from 0.

    Raises
    ------
    ValueError
        If there are no examples.

    References
    ----------
    A. Kumar, P. Liang and T. Ma (2019), Verified uncertainty calibration. NeurIPS.

    J. Nixon, M. Dusenberry, G. Jerfel, T. Nguyen, J. Liu, L. Zhang and D. Tran (2019), Measuring calibration in
    deep learning. CVPR workshops.

    Examples
    --------
    >>> right = np.array([True, False] * 25 + [True] * 50)
    >>> curve = reliability(np.array([0.6] * 50 + [0.9] * 50), right, np.arange(100), bins=2)
    >>> curve.accuracy, round(curve.error, 3)
    (array([0.5, 1. ]), 0.086)
    """
    n = len(confidence)
    if not n:
        raise ValueError("there are no predictions")
    n_bins = max(1, min(bins, n // FEWEST_IN_BIN))
    edges = np.unique(np.sort(confidence)[np.arange(1, n_bins) * (n - 1) // n_bins])
    _, place = np.unique(np.searchsorted(edges, confidence, side="left"), return_inverse=True)
    counts = np.bincount(place)
    mean = np.bincount(place, weights=confidence) / counts
    accuracy = np.bincount(place, weights=correct) / counts
    codes = np.unique(groups, return_inverse=True)[1] if n_groups is None else groups.astype(np.intp)
    shape = (int(codes.max()) + 1 if n_groups is None else n_groups, len(counts))
    cells = codes * len(counts) + place
    held = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    off = np.bincount(cells, correct - confidence, minlength=shape[0] * shape[1])
    found = Bins(held, off.reshape(shape).astype(np.float64))
    right, answered = np.bincount(codes, correct, shape[0]), held.sum(axis=1)
    confusions = np.stack([right, answered - right, *np.zeros((2, shape[0]))], axis=1).reshape(-1, 2, 2)
    of_accuracy = LabelShares.of(confusions[answered > 0]).of_accuracy() if (answered > 0).sum() > 1 else None
    interval = None
    if isinstance(of_accuracy, Interval):
        sure = float(confidence.mean())
        furthest = max(abs(sure - of_accuracy.low), abs(of_accuracy.high - sure))
        interval = _interval(found, furthest)
    return Reliability(mean, accuracy, counts, found, interval)


def _interval(bins: Bins, furthest: float) -> Interval:
    from scipy.special import stdtrit

    answered = bins.held.any(axis=1)
    quantile = float(stdtrit(answered.sum() - 1, (1.0 + level_of_one()) / 2.0))
    reach = quantile * float(jackknife_error(bins.squared_without_each[answered]))
    low, high = (float(np.sqrt(min(max(end, 0.0), 1.0))) for end in (bins.squared - reach, bins.squared + reach))
    return Interval(low, max(high, furthest))
