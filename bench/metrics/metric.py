"""What a metric is: how it is named, bounded and scored, and how sure its score is."""

from __future__ import annotations

import bisect
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bench.metrics.outcomes import Outcomes
    from bench.statistics.bootstrap import GroupBootstrap

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


MANY_LABELS = 20
"""With more labels than these not every wrong prediction is tried for the one that costs most."""

STEP = 1e-4
"""The part of a count by which it is moved for a derivative."""

SHARES = np.geomspace(1e-5, 1.0, 2_000)
"""Shares of groups at which the cost of failing there is computed."""


@dataclass(frozen=True)
class Metric(ABC):
    """One measure of the quality of predictions.

    Parameters
    ----------
    name : str
        The name in files, commands and MLflow.
    title : str
        The name in tables, in a few characters.
    greater_is_better : bool
        Whether more is better.
    bounds : tuple of two floats
        The least and the greatest value.
    everywhere : bool
        Whether each run is scored by it; else only runs of tasks that name it as their metric.
    brief : bool
        Whether the terminal's tables have a column for it.
    """

    name: str
    title: str
    greater_is_better: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)
    everywhere: bool = True
    brief: bool = False

    @property
    def difference_bounds(self) -> tuple[float, float]:
        """The least and the greatest difference of two scores."""
        least, greatest = self.bounds
        return least - greatest, greatest - least

    @property
    @abstractmethod
    def needs_probabilities(self) -> bool:
        """Whether predicted labels are not enough."""

    @abstractmethod
    def score(self, outcomes: Outcomes) -> float:
        """The score of all examples."""

    @abstractmethod
    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The score's interval over groups, of which there are at least two, or why there is none."""

    @abstractmethod
    def drawn(self, outcomes: Outcomes, bootstrap: GroupBootstrap) -> Floats:
        """The score of each draw of groups, of shape (n_draws,); NaN if a draw is empty."""

    @abstractmethod
    def without_each(self, outcomes: Outcomes) -> Floats | None:
        """The score without each group, of shape (n_groups,); None if it takes too long."""

    @abstractmethod
    def by_group(self, outcomes: Outcomes) -> Floats:
        """The score of each group alone, of shape (n_groups,)."""

    def contributions(self, outcomes: Outcomes) -> Floats | None:
        """How far the score would move if all examples were like each, to first order, of shape (n_examples,).

        None if the metric is not smooth.
        """
        return None

    @abstractmethod
    def largest_steps(self, outcomes: Outcomes) -> Floats:
        """How much one example that is predicted otherwise can move the score, at most.

        Of shape (n_labels,), by the example's label, or (1,) if its label does not matter.
        """

    @abstractmethod
    def share_to_lose(self, outcomes: Outcomes, loss: float) -> float:
        """The share of groups that must be all wrong to lose so much of the score; 1 if all are not enough."""

    def rests_on(self, n_labels: int) -> tuple[int, ...]:
        """The labels by index, of so many, each of which the metric needs examples of."""
        return tuple(range(n_labels))

    @property
    def is_over_labels(self) -> bool:
        """Whether labels have scores of their own, so that a score of examples that lack one is another quantity."""
        return True

    def lacking(self, outcomes: Outcomes) -> list[tuple[int | None, int | None]]:
        """The labels that the metric needs and no example has, by index, each with the value that lacks it, if any."""
        present = set(np.unique(outcomes.true).tolist())
        needed = self.rests_on(outcomes.n_labels) if self.is_over_labels else ()
        return [(label, None) for label in needed if label not in present]

    @property
    def sign(self) -> float:
        """What a score is multiplied by so that more is better."""
        return 1.0 if self.greater_is_better else -1.0


class LabelMetric(Metric):
    """A metric of predicted labels, computed from confusion matrices."""

    @property
    def needs_probabilities(self) -> bool:
        """Labels are enough."""
        return False

    @property
    def told_apart(self) -> tuple[int, ...]:
        """The first labels by index, or those that the metric is about."""
        return (0, 1)

    def counts(self, outcomes: Outcomes) -> Floats:
        """What each group adds to what `of_confusions` scores, of shape (n_groups, ...)."""
        return outcomes.by_group.astype(np.float64)

    @abstractmethod
    def of_confusions(self, counts: Floats) -> Floats:
        """Score confusion matrices.

        Parameters
        ----------
        counts : ndarray of float, shape (..., n_labels, n_labels) or (..., n_labels, n_labels + 1)
            As `bench.metrics.confusion` describes them.

        Returns
        -------
        ndarray of shape (...)
        """

    def score(self, outcomes: Outcomes) -> float:
        """The score of the pooled confusion matrix."""
        return float(self.of_confusions(self._pooled(outcomes)))

    def drawn(self, outcomes: Outcomes, bootstrap: GroupBootstrap) -> Floats:
        """The score of each draw's pooled confusion matrix."""
        counts = self.counts(outcomes)
        drawn = np.concatenate([np.tensordot(part, counts, axes=1) for part in bootstrap.weights()])
        return np.where(drawn.any(axis=tuple(range(1, drawn.ndim))), self.of_confusions(drawn), np.nan)

    def without_each(self, outcomes: Outcomes) -> Floats:
        """The score of the matrix without each group's."""
        counts = self.counts(outcomes)
        return self.of_confusions(counts.sum(axis=0) - counts)

    def by_group(self, outcomes: Outcomes) -> Floats:
        """The score of each group's matrix."""
        return self.of_confusions(self.counts(outcomes))

    def contributions(self, outcomes: Outcomes) -> Floats:
        """The derivative by the count of each example's cell, times the number of examples."""
        pooled, cells = self._pooled(outcomes), self.cells(outcomes)
        moved = np.zeros_like(pooled)
        for place in map(tuple, np.unique(np.stack(cells, axis=1), axis=0).tolist()):
            more, fewer, step = pooled.copy(), pooled.copy(), STEP * pooled[place]
            more[place] += step
            fewer[place] -= step
            moved[place] = float(self.of_confusions(more) - self.of_confusions(fewer)) / (2.0 * step)
        return np.asarray(len(outcomes) * moved[cells])

    def cells(self, outcomes: Outcomes) -> tuple[Codes, ...]:
        """The place of each example in what `counts` adds up to."""
        return outcomes.true, outcomes.predicted % self._pooled(outcomes).shape[-1]

    def largest_steps(self, outcomes: Outcomes) -> Floats:
        """The largest change when one example of each label becomes wrong, or right."""
        pooled = self._pooled(outcomes)
        score, steps = self.of_confusions(pooled), np.zeros(outcomes.n_labels)
        for label in range(outcomes.n_labels):
            moved = []
            for place in np.ndindex(pooled.shape[:-2]):
                for was, now in self._changes(pooled[place], label):
                    other = pooled.copy()
                    other[(*place, label, was)] -= 1.0
                    other[(*place, label, now)] += 1.0
                    moved.append(other)
            if moved:
                steps[label] = np.abs(self.of_confusions(np.array(moved)) - score).max()
        return steps

    def _changes(self, matrix: Floats, label: int) -> Iterator[tuple[int, int]]:
        """The columns that one example of a label is taken from and moved to: right ones to wrong, and wrong to right.

        Of many labels, those are tried that it may move most.
        """
        if matrix[label, label]:
            yield from ((label, column) for column in self._costly_columns(matrix) - {label})
        wrong = [column for column in np.flatnonzero(matrix[label]).tolist() if column != label]
        if len(wrong) > MANY_LABELS:
            wrong = sorted(wrong, key=matrix.sum(axis=0).__getitem__)[:2]
        yield from ((column, label) for column in wrong)

    def share_to_lose(self, outcomes: Outcomes, loss: float) -> float:
        """The share of each label's examples that goes to the other labels in equal parts."""
        pooled = self._pooled(outcomes)
        n_labels = outcomes.n_labels
        failed = np.zeros_like(pooled)
        if n_labels > 1:
            failed[..., :n_labels] = pooled.sum(axis=-1, keepdims=True) / (n_labels - 1) * (1.0 - np.eye(n_labels))
        score = float(self.of_confusions(pooled))

        def costs_as_much(share: float) -> bool:
            return score - float(self.of_confusions((1.0 - share) * pooled + share * failed)) >= loss

        return float(SHARES[min(bisect.bisect_left(SHARES, True, key=costs_as_much), len(SHARES) - 1)])

    def _pooled(self, outcomes: Outcomes) -> Floats:
        return np.asarray(self.counts(outcomes).sum(axis=0))

    def _costly_columns(self, matrix: Floats) -> set[int]:
        """The labels that a wrong prediction is tried with: all, or of many those that it may harm most."""
        n_labels, n_columns = matrix.shape
        if n_columns <= MANY_LABELS:
            return set(range(n_columns))
        # A wrong prediction harms the rarest label most.
        sizes = matrix.sum(axis=1) + matrix.sum(axis=0)[:n_labels]
        rarest = np.argsort(np.where(np.diagonal(matrix) > 0, sizes, np.inf))[:2].tolist()
        return {*self.told_apart, n_columns - 1, *rarest}


class ProbabilityMetric(Metric):
    """A metric of predicted probabilities."""

    @property
    def needs_probabilities(self) -> bool:
        """Labels are not enough."""
        return True

    @property
    def is_over_labels(self) -> bool:
        """Each example has a loss, whatever its label."""
        return False

    def by_group(self, outcomes: Outcomes) -> Floats:
        """The score of each group's examples."""
        groups = outcomes.groups
        return np.array([self.score(outcomes.rows(np.flatnonzero(groups == n))) for n in range(outcomes.n_groups)])


class LossMetric(ProbabilityMetric):
    """The mean of a loss of each example."""

    @abstractmethod
    def losses(self, probabilities: Floats, true: Codes) -> Floats:
        """The loss of each example, of shape (n_examples,)."""

    @property
    @abstractmethod
    def greatest_loss(self) -> float:
        """The greatest loss that an example can have."""

    @property
    def multiplicative(self) -> bool:
        """Whether the error of a mean loss is proportional to it, so that its interval is on the logarithmic scale."""
        return False

    def score(self, outcomes: Outcomes) -> float:
        """The mean loss."""
        return float(self._losses(outcomes).mean())

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The interval of the mean loss."""
        return outcomes.support.loss_interval(self._losses(outcomes), self.greatest_loss, self.multiplicative)

    def drawn(self, outcomes: Outcomes, bootstrap: GroupBootstrap) -> Floats:
        """The mean loss of each draw."""
        sums, counts = self._sums(outcomes)
        with np.errstate(invalid="ignore"):
            return np.concatenate([(part @ sums) / (part @ counts) for part in bootstrap.weights()])

    def without_each(self, outcomes: Outcomes) -> Floats:
        """The mean loss without each group."""
        sums, counts = self._sums(outcomes)
        loss = self._losses(outcomes)
        return np.asarray((loss.sum() - sums) / np.maximum(len(loss) - counts, 1))

    def contributions(self, outcomes: Outcomes) -> Floats:
        """The loss of each example less their mean."""
        loss = self._losses(outcomes)
        return np.asarray(loss - loss.mean())

    def largest_steps(self, outcomes: Outcomes) -> Floats:
        """The largest loss, in the mean."""
        return np.array([self._losses(outcomes).max() / len(outcomes)])

    def share_to_lose(self, outcomes: Outcomes, loss: float) -> float:
        """The share of examples that have the largest loss of all."""
        each = self._losses(outcomes)
        room = float(each.max() - each.mean())
        return min(1.0, loss / room) if room > 0.0 else 1.0

    def _losses(self, outcomes: Outcomes) -> Floats:
        assert outcomes.probabilities is not None
        return self.losses(outcomes.probabilities, outcomes.true)

    def _sums(self, outcomes: Outcomes) -> tuple[Floats, Floats]:
        loss, n_groups = self._losses(outcomes), outcomes.n_groups
        counts = np.bincount(outcomes.groups, minlength=n_groups)
        return np.bincount(outcomes.groups, loss, n_groups).astype(np.float64), counts.astype(np.float64)
