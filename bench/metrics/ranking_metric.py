"""Metrics of how well each label's probability ranks the examples."""

from __future__ import annotations

import math
from abc import abstractmethod
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bench.metrics.metric import ProbabilityMetric
from bench.metrics.ranking import Ranking, ranked
from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bench.metrics.outcomes import Outcomes
    from bench.statistics.bootstrap import GroupBootstrap
    from bench.statistics.support import Support

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


class RankingMetric(ProbabilityMetric):
    """The mean over labels of how well each label's probability ranks the examples within their test parts."""

    least_skewness: ClassVar[float] = 0.0
    """How skewed the errors of a label's score are at least, by their relative deviation."""

    @property
    def is_over_labels(self) -> bool:
        """Each label has a ranking."""
        return True

    @abstractmethod
    def of_ranking(self, ranking: Ranking) -> float:
        """The score of one label against the rest."""

    @abstractmethod
    def influence(self, ranking: Ranking) -> Floats:
        """How far one more example like each would move the label's score, in the examples' own order."""

    @abstractmethod
    def weighted(self, ranking: Ranking, weights: Floats) -> float:
        """The label's score with each example counted so often, in the ranking's order; NaN where it has none."""

    def score(self, outcomes: Outcomes) -> float:
        """The mean over the labels that occur."""
        rankings = self._rankings(outcomes, np.unique(outcomes.true))
        return float(np.mean([self.of_ranking(ranking) for ranking in rankings]))

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The interval of the mean over labels."""
        support = outcomes.support
        if (thin := support.thin) is not None:
            return thin
        rankings = self._rankings(outcomes, np.arange(outcomes.n_labels))
        values, influences = zip(*((self.of_ranking(each), self.influence(each)) for each in rankings), strict=True)
        moved = np.stack(influences, axis=1)
        # The scores of two labels are one ranking seen from both sides; the mean of more is less skewed than each.
        least = self.least_skewness / math.sqrt(max(len(values), 2) / 2)
        return support.mean_interval(np.array(values), moved, self.groups_behind(support), least)

    def groups_behind(self, support: Support) -> Floats:
        """The effective number of groups of each label's score: those of its examples."""
        return support.effective

    def drawn(self, outcomes: Outcomes, bootstrap: GroupBootstrap) -> Floats:
        """The mean of each draw over the labels that occur in it."""
        rankings = list(self._rankings(outcomes, np.unique(outcomes.true)))
        groups = [outcomes.groups[ranking.order] for ranking in rankings]
        drawn = np.array(
            [
                [self.weighted(ranking, draw[of_group]) for ranking, of_group in zip(rankings, groups, strict=True)]
                for draw in chain.from_iterable(bootstrap.weights())
            ]
        )
        counted = np.isfinite(drawn)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(counted, drawn, 0.0).sum(axis=1) / counted.sum(axis=1))

    def without_each(self, outcomes: Outcomes) -> None:
        """Not computed: each group would take another ranking."""

    def contributions(self, outcomes: Outcomes) -> Floats:
        """The mean over the labels that occur."""
        rankings = self._rankings(outcomes, np.unique(outcomes.true))
        return np.asarray(len(outcomes) * np.mean([self.influence(ranking) for ranking in rankings], axis=0))

    def largest_steps(self, outcomes: Outcomes) -> Floats:
        """One positive example of the rarest label."""
        return np.array([1.0 / np.bincount(outcomes.true)[np.unique(outcomes.true)].min()])

    def share_to_lose(self, outcomes: Outcomes, loss: float) -> float:
        """The same share of the score."""
        return min(1.0, loss / self.score(outcomes))

    def _rankings(self, outcomes: Outcomes, labels: Codes) -> Iterator[Ranking]:
        """Each label's ranking, one at a time: a ranking holds several times as much as the examples' scores."""
        assert outcomes.probabilities is not None
        for label in labels:
            yield ranked(outcomes.probabilities[:, label], outcomes.true == label, outcomes.parts)
