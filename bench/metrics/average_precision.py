"""Average precision: how pure the examples are that are ranked above each positive one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.ranking_metric import RankingMetric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.ranking import Ranking

    Floats = NDArray[np.float64]


class AveragePrecision(RankingMetric):
    """The mean precision at the positive examples, over the labels that occur, each against the rest.

    Test parts are averaged by how many of the label they have.
    """

    def of_ranking(self, ranking: Ranking) -> float:
        """The mean precision at the examples that have the label."""
        return float(_precision(ranking)[ranking.positive].mean())

    def influence(self, ranking: Ranking) -> Floats:
        """The derivative by an example's weight.

        It goes through the example's own precision, and through that of every positive example of its part that is not
        ranked higher.
        """
        positive, seen, precision = ranking.positive.astype(np.float64), ranking.seen, _precision(ranking)

        def from_here(values: Floats) -> Floats:
            sums = np.concatenate([[0.0], np.cumsum(values)])
            return np.asarray(sums[ranking.last_of_part + 1] - sums[ranking.first_of_tie])

        own = positive * (precision - self.of_ranking(ranking))
        others = positive * from_here(positive / seen) - from_here(positive * precision / seen)
        influence = np.empty(len(seen))
        influence[ranking.order] = (own + others) / positive.sum()
        return influence

    def weighted(self, ranking: Ranking, weights: Floats) -> float:
        """The mean precision with each example counted so often."""
        ends = np.flatnonzero(ranking.last_of_tie == np.arange(len(weights)))
        starts = ranking.first_of_part[ends]
        hits, seen = (np.concatenate([[0.0], np.cumsum(each)]) for each in (weights * ranking.positive, weights))
        steps = np.diff(hits[ends + 1], prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found, among = hits[ends + 1] - hits[starts], seen[ends + 1] - seen[starts]
            return float((steps * np.where(among > 0, found / among, 0.0)).sum() / hits[-1])


def _precision(ranking: Ranking) -> Floats:
    """The share of positive examples among those ranked as high as each in its part, or higher."""
    hits = np.concatenate([[0], np.cumsum(ranking.positive)])
    return np.asarray((hits[ranking.last_of_tie + 1] - hits[ranking.first_of_part]) / ranking.seen)


AVERAGE_PRECISION = AveragePrecision("average_precision", "avg. prec.")
