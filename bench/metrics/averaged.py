"""A task's metric as the mean of its scores within each value of a column.

It wraps any metric of predicted labels, and keeps the name under which scores are stored. Confusion
matrices have one more axis here, that of the values: (..., n_values, n_labels, n_columns).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.metric import LabelMetric, Metric
from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.outcomes import Outcomes

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

AVERAGED_OVER = "averaged_over"
"""The key of a task's definition and of its part of ``run.json``."""


def mean_over(column: str) -> str:
    """The suffix of the name of a metric that is averaged over a column; empty if there is none.

    Examples
    --------
    >>> mean_over("target"), mean_over("")
    (' (mean over target)', '')
    """
    return f" (mean over {column})" if column else ""


@dataclass(frozen=True, kw_only=True)
class Averaged(LabelMetric):
    """The mean of a metric over the values that have examples.

    Parameters
    ----------
    within : LabelMetric
        The metric of each value's examples.
    over : str
        The column that has the values.
    """

    within: LabelMetric
    over: str

    @property
    def told_apart(self) -> tuple[int, ...]:
        """Those of the metric within values."""
        return self.within.told_apart

    def rests_on(self, n_labels: int) -> tuple[int, ...]:
        """Those of the metric within values."""
        return self.within.rests_on(n_labels)

    @property
    def is_over_labels(self) -> bool:
        """As within values."""
        return self.within.is_over_labels

    def lacking(self, outcomes: Outcomes) -> list[tuple[int | None, int | None]]:
        """The labels that the metric within values needs and no example of a value has, each with the value.

        A value without any example stands without a label, if the metric needs none.
        """
        assert outcomes.values is not None
        found: list[tuple[int | None, int | None]] = []
        for value in range(len(outcomes.value_names) or int(outcomes.values.max()) + 1):
            labels = self.within.lacking(outcomes.within(value))
            absent = [(None, value)] if not labels and not (outcomes.values == value).any() else []
            found += absent or [(label, value) for label, _ in labels]
        return found

    def counts(self, outcomes: Outcomes) -> Floats:
        """A confusion matrix for each group and value."""
        return outcomes.by_value.astype(np.float64)

    def cells(self, outcomes: Outcomes) -> tuple[Codes, ...]:
        """The value, the true and the predicted label of each example."""
        assert outcomes.values is not None, "only outcomes with values are averaged over them"
        return (outcomes.values, *super().cells(outcomes))

    def of_confusions(self, counts: Floats) -> Floats:
        """The mean of the scores of values.

        Parameters
        ----------
        counts : ndarray of float, shape (..., n_values, n_labels, n_columns)

        Returns
        -------
        ndarray of shape (...)

        Examples
        --------
        >>> from bench.metrics.accuracy import ACCURACY
        >>> right, half, none = np.diag([1, 1]), np.array([[1, 1], [0, 0]]), np.zeros((2, 2))
        >>> float(averaged(ACCURACY, "target").of_confusions(np.stack([right, half, none])))
        0.75
        """
        held = counts.any(axis=(-2, -1))
        total = (self.within.of_confusions(counts) * held).sum(axis=-1)
        return np.asarray(total / np.maximum(held.sum(axis=-1), 1))

    def of_values(self, outcomes: Outcomes) -> dict[str, float]:
        """The score within each value, by the value's name."""
        scores = self.within.of_confusions(self._pooled(outcomes))
        return dict(zip(outcomes.value_names, scores.tolist(), strict=True))

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """Combine the limits of the values' scores by how their errors correlate over groups (Zou and Donner 2008).

        A group may have examples of several values, whose errors then correlate. What each group adds to a score is
        found by leaving it out.
        """
        counts = self.counts(outcomes)
        found = [self._within(outcomes, value) for value in range(counts.shape[1])]
        if thin := [each for each in found if isinstance(each, Thin)]:
            return min(thin, key=lambda each: each.groups)
        total = counts.sum(axis=0)
        scores = self.within.of_confusions(total)
        moved = scores - self.within.of_confusions(total - counts)
        lengths = np.sqrt((moved**2).sum(axis=0))
        unit = moved / np.where(lengths > 0, lengths, 1.0)
        correlation = unit.T @ unit
        np.fill_diagonal(correlation, 1.0)
        low, high = np.array([(each.low, each.high) for each in found if isinstance(each, Interval)]).T
        mean = float(scores.mean())
        return Interval(mean - _joint(scores - low, correlation), mean + _joint(high - scores, correlation))

    def _within(self, outcomes: Outcomes, value: int) -> Interval | Thin:
        own = outcomes.within(value)
        found = self.within.interval(own) if own.n_groups > 1 else Thin(None, float(own.n_groups))
        return replace(found, value=value) if isinstance(found, Thin) else found


def averaged(metric: Metric, over: str) -> Averaged:
    """A metric as the mean over the values of a column.

    Examples
    --------
    >>> from bench.metrics.f1 import F_AVG
    >>> averaged(F_AVG, "target").name, averaged(F_AVG, "target").title
    ('f_avg', 'F avg. (mean over target)')
    """
    assert isinstance(metric, LabelMetric), "a task's definition allows no other metrics to be averaged"
    return Averaged(
        metric.name,
        metric.title + mean_over(over),
        metric.greater_is_better,
        metric.bounds,
        metric.everywhere,
        metric.brief,
        within=metric,
        over=over,
    )


def _joint(reach: Floats, correlation: Floats) -> float:
    """The width of a mean's interval to one side, given those of its terms."""
    return float(np.sqrt(np.maximum(reach @ correlation @ reach, 0.0)) / len(reach))
