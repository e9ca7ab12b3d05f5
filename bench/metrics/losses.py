"""Log-loss and Brier score: the cost of probabilities below 1 for the true label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.metric import LossMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities are clipped here before their logarithm is taken, as scikit-learn does."""


class LogLoss(LossMetric):
    """The mean negative logarithm of the true label's probability, in nats."""

    def losses(self, probabilities: Floats, true: Codes) -> Floats:
        """The negative logarithms."""
        return np.asarray(-np.log(np.clip(probabilities[np.arange(len(true)), true], SMALLEST, 1.0)))

    @property
    def greatest_loss(self) -> float:
        """That of a probability of 0."""
        return -float(np.log(SMALLEST))

    @property
    def multiplicative(self) -> bool:
        """A large mean varies more."""
        return True


class Brier(LossMetric):
    """The squared distance from the truth, summed over labels (Brier 1950)."""

    def losses(self, probabilities: Floats, true: Codes) -> Floats:
        """The squared distances."""
        truth = np.zeros_like(probabilities)
        truth[np.arange(len(true)), true] = 1.0
        return np.asarray(((probabilities - truth) ** 2).sum(axis=1))

    @property
    def greatest_loss(self) -> float:
        """All probability on a wrong label."""
        return 2.0


LOG_LOSS = LogLoss("log_loss", "log-loss", greater_is_better=False, bounds=(0.0, float("inf")))
BRIER = Brier("brier", "Brier", greater_is_better=False, bounds=(0.0, 2.0))
