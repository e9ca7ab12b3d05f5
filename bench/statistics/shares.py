"""The shares of examples behind scores of predicted labels.

A share of examples gets Wilson's interval, with as many trials as would vary as much between data sets as the groups
say. Every other score of predicted labels is made of shares, and its interval of theirs. ``docs/method/statistics.md``
has the method and how often its intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import FEWEST, Interval, Thin, level_of_one
from bench.statistics.scores import Scores
from bench.statistics.units import NO_VARIATION, Units, thinnest
from bench.statistics.wilson import normal_quantile, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LabelShares:
    r"""The shares of examples behind all scores of predicted labels.

    Precision, recall and accuracy are shares of examples. So is :math:`J = F_1 / (2 - F_1)`: of all examples that
    have the label or are given it, those that have both (Hand, Christen and Kirielle 2021). Means over labels combine
    the labels' limits by how their errors correlate over groups (Zou and Donner 2008).

    Parameters
    ----------
    matrices : ndarray of shape (n_units, n_labels, n_labels) or (n_units, n_labels, n_labels + 1)
        The different confusion matrices of groups.
    units : Units
        How many groups have each.
    recall, precision, f1 : Scores
        Of each label.
    accuracy : Scores
        Of all labels together, a single score.
    """

    matrices: Floats
    units: Units
    recall: Scores
    precision: Scores
    f1: Scores
    accuracy: Scores

    @classmethod
    def of(cls, confusions: NDArray[np.generic], strata: Codes | None = None) -> LabelShares:
        """Compute the shares.

        Parameters
        ----------
        confusions : ndarray of shape (n_groups, n_labels, n_labels) or (n_groups, n_labels, n_labels + 1)
            A confusion matrix for each group, at least two, since a single one is not informative about others.
        strata : ndarray of int, shape (n_groups,), optional
            The stratum that each group was drawn from, if the sample was stratified.
        """
        matrices, units = _alike(np.asarray(confusions, dtype=np.float64), strata)
        n_labels = matrices.shape[1]
        hits = np.diagonal(matrices, axis1=1, axis2=2)
        support, predicted = matrices.sum(axis=2), matrices[:, :, :n_labels].sum(axis=1)
        overlap = _shares(hits, support + predicted - hits, units)
        return cls(
            matrices,
            units,
            recall=_shares(hits, support, units),
            precision=_shares(hits, predicted, units),
            f1=overlap.through(
                _f1, slope=2.0 / (1.0 + overlap.values) ** 2, curvature=-4.0 / (1.0 + overlap.values) ** 3
            ),
            accuracy=_shares(hits.sum(axis=1, keepdims=True), matrices.sum(axis=(1, 2))[:, None], units),
        )

    def of_mean(self, scores: Scores) -> Interval | Thin:
        """The interval of a mean over labels, each of which must be in enough groups."""
        return thinnest(self.recall.effective[scores.labels], scores.labels) or scores.mean(self.units)

    def of_label(self, scores: Scores, label: int) -> Interval | Thin:
        """The interval of one label's score, whose label must be in enough groups."""
        return thinnest(self.recall.effective[[label]], np.array([label])) or scores.intervals()[label]

    def of_accuracy(self) -> Interval | Thin:
        """The interval of the share of all examples that are right."""
        effective = float(self.accuracy.effective[0])
        return Thin(None, effective) if effective < FEWEST else self.accuracy.intervals()[0]

    def of_correlation(self, score: Callable[[Floats], Floats]) -> Interval | Thin:
        """The interval of a correlation: the jackknife's standard error on Fisher's scale.

        Parameters
        ----------
        score : callable
            From confusion matrices of shape (..., n_labels, n_columns) to their correlations.
        """
        if (thin := thinnest(self.recall.effective, self.recall.labels)) is not None:
            return thin
        if (thin := thinnest(self.precision.effective, self.precision.labels)) is not None:
            return replace(thin, predicted=True)
        effective = float(min(self.recall.effective.min(), self.precision.effective.min()))
        return _correlation(self.matrices, self.units, effective, score)

    def by_label(self) -> dict[str, tuple[Interval | None, ...]]:
        """The intervals of ``precision``, ``recall`` and ``f1`` of each label, None if it is in too few groups."""
        return {
            name: tuple(
                each if groups >= FEWEST else None for each, groups in zip(scores.intervals(), rests_on, strict=True)
            )
            for name, scores, rests_on in (
                ("precision", self.precision, self.precision.effective),
                ("recall", self.recall, self.recall.effective),
                ("f1", self.f1, self.recall.effective),
            )
        }


def _f1(overlap: Floats) -> Floats:
    return 2.0 * overlap / (1.0 + overlap)


def _shares(hits: Floats, trials: Floats, units: Units) -> Scores:
    """The shares of hits, each of shape (n_units, n_scores), over all groups; 0 without trials."""
    total = units.counts @ trials
    some = np.where(total > 0, total, 1.0)
    values = units.counts @ hits / some
    return Scores.of(values, (hits - values * trials) / some, units.effective(trials), units, capped=True)


def _correlation(matrices: Floats, units: Units, effective: float, score: Callable[[Floats], Floats]) -> Interval:
    from scipy.special import stdtrit

    total = np.tensordot(units.counts, matrices, axes=1)
    observed = float(score(total))
    left_out = score(total - matrices)
    n = units.counts.sum()
    influence = (left_out - units.counts @ left_out / n)[:, None] * np.sqrt((n - 1.0) / n)
    error = float(np.sqrt(units.products(influence)[0, 0]))
    if error**2 <= NO_VARIATION or 1.0 - abs(observed) <= NO_VARIATION:
        share = np.clip((observed + 1.0) / 2.0, 0.0, 1.0)
        low, high = wilson(np.array([share]), np.array([effective]), np.array([normal_quantile()]))
        return Interval(2.0 * float(low[0]) - 1.0, 2.0 * float(high[0]) - 1.0)
    freedom = max(min(effective - 1.0, float(units.freedom(influence)[0])), 0.1)
    reach = float(stdtrit(freedom, (1.0 + level_of_one()) / 2.0)) * error / (1.0 - observed**2)
    centre = np.arctanh(observed)
    return Interval(float(np.tanh(centre - reach)), float(np.tanh(centre + reach)))


def _alike(matrices: Floats, strata: Codes | None) -> tuple[Floats, Units]:
    """The different matrices, and how many groups have each: of many groups most are alike."""
    rows = matrices.reshape(len(matrices), -1)
    if strata is not None:
        rows = np.column_stack([strata.astype(np.float64), rows])
    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    weights = counts.astype(np.float64)
    if strata is None:
        return kinds.reshape(-1, *matrices.shape[1:]), Units(weights)
    return kinds[:, 1:].reshape(-1, *matrices.shape[1:]), Units(weights, kinds[:, 0].astype(np.intp))
