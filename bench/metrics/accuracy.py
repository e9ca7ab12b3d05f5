"""Accuracy, and the balanced accuracy, in which each label counts as much as any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.confusion import margins, per_class, ratio
from bench.metrics.metric import LabelMetric
from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.outcomes import Outcomes

    Floats = NDArray[np.float64]


class Accuracy(LabelMetric):
    """The share of examples that are right."""

    @property
    def is_over_labels(self) -> bool:
        """Each example is right or wrong, whatever its label."""
        return False

    def of_confusions(self, counts: Floats) -> Floats:
        """The diagonal's share."""
        return ratio(np.diagonal(counts, axis1=-2, axis2=-1).sum(axis=-1), counts.sum(axis=(-2, -1)))

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The interval of a share."""
        return outcomes.shares.of_accuracy()


class BalancedAccuracy(LabelMetric):
    """The mean recall of the labels that occur."""

    def of_confusions(self, counts: Floats) -> Floats:
        """The mean over the labels that occur."""
        return ratio(per_class(counts)["recall"].sum(axis=-1), (margins(counts)[0] > 0).sum(axis=-1))

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The interval of the mean, of the labels' own ones."""
        return outcomes.shares.of_mean(outcomes.shares.recall)


ACCURACY = Accuracy("accuracy", "accuracy", brief=True)
BALANCED_ACCURACY = BalancedAccuracy("balanced_accuracy", "bal. acc.", brief=True)
