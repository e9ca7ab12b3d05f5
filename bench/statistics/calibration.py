"""How far the probability of a predicted label can be taken at its word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
"""Bins of a reliability curve, where there are examples enough."""

FEWEST_IN_BIN = 20
"""Examples that a bin holds at least, unless there are fewer in all."""


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
    error : float
        The expected calibration error.
    """

    confidence: Floats
    accuracy: Floats
    counts: NDArray[np.int64]
    error: float

    @property
    def bias(self) -> float:
        """Mean confidence less accuracy: above 0 where the model is too sure of itself."""
        return float(((self.confidence - self.accuracy) * self.counts).sum() / self.counts.sum())


def reliability(confidence: Floats, correct: NDArray[np.bool_], bins: int = BINS) -> Reliability:
    r"""Hold the probabilities of predicted labels against how often these are right.

    Predictions are put into bins of about equally many by their confidence, so that every point of the curve
    rests on as much data (Nixon et al. 2019); equal confidences are never parted. The expected calibration error is
    the mean of :math:`|\text{accuracy} - \text{confidence}|` over bins, weighted by their counts (Guo et al. 2017,
    eq. 3). It is about the predicted label only, depends on the number of bins, and is above zero by chance even for a
    calibrated model where predictions are few.

    Parameters
    ----------
    confidence : ndarray of shape (n_examples,)
        The probability that the model gives to the label that it predicts.
    correct : ndarray of bool, shape (n_examples,)
        Whether that label is the true one.
    bins : int
        How many bins at most; there are fewer where they would hold less than `FEWEST_IN_BIN` examples.

    Raises
    ------
    ValueError
        If there is no example.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), On calibration of modern neural networks. ICML.

    J. Nixon, M. Dusenberry, G. Jerfel, T. Nguyen, J. Liu, L. Zhang and D. Tran (2019), Measuring calibration in
    deep learning. CVPR workshops.

    Examples
    --------
    >>> curve = reliability(np.array([0.6] * 50 + [0.9] * 50), np.array([True, False] * 25 + [True] * 50), bins=2)
    >>> curve.accuracy, round(curve.error, 3)
    (array([0.5, 1. ]), 0.1)
    """
    n = len(confidence)
    if not n:
        raise ValueError("no prediction to hold against the truth")
    n_bins = max(1, min(bins, n // FEWEST_IN_BIN))
    edges = np.unique(np.sort(confidence)[np.arange(1, n_bins) * (n - 1) // n_bins])
    _, place = np.unique(np.searchsorted(edges, confidence, side="left"), return_inverse=True)
    counts = np.bincount(place)
    mean = np.bincount(place, weights=confidence) / counts
    accuracy = np.bincount(place, weights=correct) / counts
    return Reliability(mean, accuracy, counts, float((np.abs(accuracy - mean) * counts).sum() / n))
