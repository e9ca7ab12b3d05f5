"""The Matthews correlation coefficient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.confusion import margins, ratio
from bench.metrics.metric import LabelMetric
from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.outcomes import Outcomes

    Floats = NDArray[np.float64]


class Matthews(LabelMetric):
    """The correlation of true and predicted labels, for several classes (Gorodkin 2004); 0 if a side is constant.

    "Unanswered" is one more class, which is never true.
    """

    def of_confusions(self, counts: Floats) -> Floats:
        """The correlation of each matrix."""
        total = counts.sum(axis=(-2, -1))
        hits = np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1)
        support, predicted = margins(counts)
        covariance = hits * total - (support * predicted).sum(axis=-1)
        columns = counts.sum(axis=-2)
        spread = (total**2 - (support**2).sum(axis=-1)) * (total**2 - (columns**2).sum(axis=-1))
        return ratio(covariance, np.sqrt(np.maximum(spread, 0.0)))

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The jackknife's standard error on Fisher's scale."""
        return outcomes.shares.of_correlation(self.of_confusions)


MCC = Matthews("mcc", "MCC", bounds=(-1.0, 1.0), brief=True)
