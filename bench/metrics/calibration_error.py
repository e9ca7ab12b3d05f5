"""The expected calibration error: how far the probability of a predicted label is from how often it is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.confusion import UNANSWERED
from bench.metrics.metric import ProbabilityMetric
from bench.statistics.calibration import Reliability, reliability
from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.outcomes import Outcomes
    from bench.statistics.bootstrap import GroupBootstrap

    Floats = NDArray[np.float64]


class ExpectedCalibrationError(ProbabilityMetric):
    """The root mean square over bins of predictions, without what chance adds; see `bench.statistics.calibration`.

    Predictions are put into at most ten equally filled bins by the probability of the predicted label. The variance
    over groups is subtracted from each squared distance (Kumar, Liang and Ma 2019). Unanswered examples are
    excluded. Without any answer, the error is 1.
    """

    def score(self, outcomes: Outcomes) -> float:
        """The error of all predictions."""
        found = _reliability(outcomes)
        return 1.0 if found is None else found.error

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The jackknife's over groups, at least as wide as the accuracy's implies."""
        found = _reliability(outcomes)
        if found is not None and found.interval is not None:
            return found.interval
        in_effect = outcomes.shares.of_accuracy()
        return in_effect if isinstance(in_effect, Thin) else Thin(None, 0.0)

    def drawn(self, outcomes: Outcomes, bootstrap: GroupBootstrap) -> Floats:
        """The error of each draw, in the bins of all predictions."""
        found = _reliability(outcomes)
        if found is None:
            return np.ones(bootstrap.draws)
        return np.concatenate([found.bins.drawn(part) for part in bootstrap.weights()])

    def without_each(self, outcomes: Outcomes) -> Floats | None:
        """The error without each group, in the bins of all predictions."""
        found = _reliability(outcomes)
        return None if found is None else np.sqrt(np.maximum(found.bins.squared_without_each, 0.0))

    def largest_steps(self, outcomes: Outcomes) -> Floats:
        """One prediction of the smallest bin, if the rest of it is calibrated."""
        found = _reliability(outcomes)
        return np.ones(1) if found is None else np.array([1.0 / np.sqrt(found.counts.sum() * found.counts.min())])

    def share_to_lose(self, outcomes: Outcomes, loss: float) -> float:
        """The share of predictions that are wrong for sure, though as confident as the others."""
        found = _reliability(outcomes)
        return 1.0 if found is None else min(1.0, loss / float(found.confidence.max()))


def _reliability(outcomes: Outcomes) -> Reliability | None:
    """The reliability of all predicted labels, None if none is answered."""
    assert outcomes.probabilities is not None
    answered = np.flatnonzero(outcomes.predicted != UNANSWERED)
    if not len(answered):
        return None
    predicted = outcomes.predicted[answered]
    confidence, right = outcomes.probabilities[answered, predicted], predicted == outcomes.true[answered]
    return reliability(confidence, right, outcomes.groups[answered], n_groups=outcomes.n_groups)


EXPECTED_CALIBRATION_ERROR = ExpectedCalibrationError(
    "expected_calibration_error", "calib. err.", greater_is_better=False
)
