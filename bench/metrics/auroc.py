"""The area under the ROC curve: how often a positive example is ranked above a negative one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.ranking_metric import RankingMetric
from bench.statistics.support import LEAST_SKEWNESS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.ranking import Ranking
    from bench.statistics.support import Support

    Floats = NDArray[np.float64]


class MacroAuroc(RankingMetric):
    """The mean over the labels that occur of each label's AUROC against the rest.

    It is the share of pairs of a positive and a negative example of the same test part in which the positive one is
    ranked higher, with ties counting half. A label without such a pair counts 0.5.
    """

    least_skewness = LEAST_SKEWNESS

    def of_ranking(self, ranking: Ranking) -> float:
        """The share of pairs that are ranked right."""
        return self.weighted(ranking, np.ones(len(ranking.order)))

    def influence(self, ranking: Ranking) -> Floats:
        """How far an example's own pairs are ranked better or worse than all are (DeLong et al. 1988)."""
        weights = np.ones(len(ranking.order))
        right, pairs = _pairs(ranking, weights)
        total = pairs[ranking.positive].sum()
        influence = np.zeros(len(weights))
        if total > 0:
            influence[ranking.order] = (right - self.of_ranking(ranking) * pairs) / total
        return influence

    def groups_behind(self, support: Support) -> Floats:
        """Those of the label's examples or of the others, whichever are in fewer."""
        return np.minimum(support.effective, support.effective_of_rest)

    def weighted(self, ranking: Ranking, weights: Floats) -> float:
        """The share of pairs with each example counted so often."""
        positive = ranking.positive
        if not (weights * positive).any():
            return float("nan")
        right, pairs = _pairs(ranking, weights)
        total = (weights * pairs)[positive].sum()
        return float((weights * right)[positive].sum() / total) if total > 0 else 0.5


def _pairs(ranking: Ranking, weights: Floats) -> tuple[Floats, Floats]:
    """How many pairs each example is in, and how many of them are ranked right, ties counting half."""
    positive = ranking.positive
    ones, zeros = (np.concatenate([[0.0], np.cumsum(weights * each)]) for each in (positive, ~positive))
    first, last = ranking.first_of_part, ranking.last_of_part + 1
    above, tied_end = ranking.first_of_tie, ranking.last_of_tie + 1
    # Examples are in decreasing order of score: negatives belong after a positive one, positives before a negative one.
    of_positive = zeros[last] - zeros[tied_end] + 0.5 * (zeros[tied_end] - zeros[above])
    of_negative = ones[above] - ones[first] + 0.5 * (ones[tied_end] - ones[above])
    pairs = np.where(positive, zeros[last] - zeros[first], ones[last] - ones[first])
    return np.where(positive, of_positive, of_negative), pairs


MACRO_AUROC = MacroAuroc("macro_auroc", "AUROC")
