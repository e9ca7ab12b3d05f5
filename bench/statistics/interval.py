"""Confidence intervals of scores over groups of examples.

A share of examples gets Wilson's interval, with as many trials as would vary as much between data sets as the groups
say. Every other score of predicted labels is made of shares, and its interval of theirs. ``docs/statistics.md`` has the
method and how often its intervals cover.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

LEVEL = 0.95
"""The nominal coverage of every interval."""

NO_VARIATION = 1e-20
"""A variance up to this one is rounding."""

LEAST_SKEWNESS = 2.5
"""The least skewness of losses by their relative deviation; a gamma distribution has 2, a log-normal one 3 or more."""

FEWEST = 3.0
"""Effective groups that each label must stand in; with fewer a score that needs the label has no interval."""


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval.

    Parameters
    ----------
    low, high : float
        Its ends.
    level : float
        Its nominal coverage.
    """

    low: float
    high: float
    level: float = LEVEL


@dataclass(frozen=True)
class Thin:
    """Why a score has no interval: too little stands behind it.

    Parameters
    ----------
    label : int or None
        The index of the label that is in the fewest groups; None where all labels together are in too few.
    groups : float
        In how many groups of equal size it is, in effect.
    predicted : bool
        Whether it is the model that gives the label in so few groups, rather than the data.
    value : int or None
        The index of the value that this is of, where a metric is averaged over values.
    """

    label: int | None
    groups: float
    predicted: bool = False
    value: int | None = None


@dataclass(frozen=True)
class Units:
    """What varies independently: the groups, those that are alike once.

    Parameters
    ----------
    counts : ndarray of shape (n_units,)
        How many groups are alike.
    strata : ndarray of int, shape (n_units,), or None
        The stratum that each was drawn from.
    """

    counts: Floats
    strata: Codes | None = None

    def effective(self, sizes: Floats) -> Floats:
        """How many groups of equal size have as unequal a total as these (Kish 1965).

        `sizes` has the shape (n_units, n_scores).
        """
        total, squares = self.counts @ sizes, self.counts @ sizes**2
        return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)

    def products(self, influence: Floats) -> Floats:
        """The sums of the products of groups' influences, within strata where there are any."""
        if self.strata is None:
            return np.asarray((influence * self.counts[:, None]).T @ influence)
        return np.sum(self._within_strata(influence), axis=0)

    def freedom(self, influence: Floats) -> Floats:
        """Degrees of freedom of a variance that is the sum of the squared influences (Satterthwaite 1946).

        Their fourth powers say how unequal they are: a few large groups or errors make the variance uncertain. With
        strata, one that has few groups and much of the variance does (Welch 1947).
        """
        if self.strata is None:
            squares, fourth = self.counts @ influence**2, self.counts @ influence**4
            doubt = (fourth - squares**2 / np.maximum(self.counts @ (influence != 0), 1.0)) / 2.0
        else:
            parts = np.diagonal(self._within_strata(influence), axis1=1, axis2=2)
            groups = np.array([self.counts[self.strata == stratum].sum() for stratum in np.unique(self.strata)])
            squares, doubt = parts.sum(axis=0), (parts**2 / np.maximum(groups - 1.0, 1.0)[:, None]).sum(axis=0)
        return np.divide(squares**2, doubt, out=np.full(len(squares), np.inf), where=doubt > 0)

    def skewness(self, influence: Floats, effective: Floats) -> Floats:
        """The skewness of sums of groups' influences, raised by what few groups hide of it; 0 with strata."""
        if self.strata is not None:
            return np.zeros(influence.shape[1])
        squares, cubes = self.counts @ influence**2, self.counts @ influence**3
        few = np.maximum(effective, FEWEST)
        hidden = np.sqrt(few * (few - 1.0)) / (few - 2.0)
        return hidden * np.divide(cubes, squares**1.5, out=np.zeros_like(cubes), where=squares > NO_VARIATION)

    def _within_strata(self, influence: Floats) -> Floats:
        """What each stratum adds to `products`, of shape (n_strata, n_scores, n_scores)."""
        assert self.strata is not None
        added = []
        for stratum in np.unique(self.strata):
            here = self.strata == stratum
            counts, values = self.counts[here], influence[here]
            n = counts.sum()
            if n > 1:
                centred = values - counts @ values / n
                added.append(n / (n - 1.0) * (centred * counts[:, None]).T @ centred)
            else:  # Nothing says how much such groups vary; what this one adds is taken for it.
                added.append(values.T @ values)
        return np.stack(added)


@dataclass(frozen=True, eq=False)
class LabelShares:
    r"""The shares of examples of which all scores of predicted labels are made.

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
            A confusion matrix for each group, of which there are at least two: a single one says nothing about a next.
        strata : ndarray of int, shape (n_groups,), optional
            The stratum that each group was drawn from, where the sample was stratified.
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
        return _thin(self.recall.effective[scores.labels], scores.labels) or scores.mean(self.units)

    def of_label(self, scores: Scores, label: int) -> Interval | Thin:
        """The interval of one label's score, whose label must be in enough groups."""
        return _thin(self.recall.effective[[label]], np.array([label])) or scores.intervals()[label]

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
        if (thin := _thin(self.recall.effective, self.recall.labels)) is not None:
            return thin
        if (thin := _thin(self.precision.effective, self.precision.labels)) is not None:
            return replace(thin, predicted=True)
        effective = float(min(self.recall.effective.min(), self.precision.effective.min()))
        return _correlation(self.matrices, self.units, effective, score)

    def by_label(self) -> dict[str, tuple[Interval | None, ...]]:
        """The intervals of ``precision``, ``recall`` and ``f1`` of each label, None where it is in too few groups."""
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


@dataclass(frozen=True, eq=False)
class Support:
    """In which groups the examples of each label are.

    Parameters
    ----------
    groups, true : ndarray of int, shape (n_examples,)
        Each example's group and label.
    counts : ndarray of shape (n_groups, n_labels)
        The examples of each label in each group.
    units : Units
        The groups.
    """

    groups: Codes
    true: Codes
    counts: Floats
    units: Units

    @classmethod
    def of(cls, groups: Codes, true: Codes, n_labels: int) -> Support:
        """Count the examples."""
        n_groups = int(groups.max(initial=-1)) + 1
        counts = np.bincount(groups * n_labels + true, minlength=n_groups * n_labels).reshape(n_groups, n_labels)
        return cls(groups, true, counts.astype(np.float64), Units(np.ones(n_groups)))

    @property
    def thin(self) -> Thin | None:
        """The label that is in too few groups, None where all are in enough."""
        return _thin(self.units.effective(self.counts), np.arange(self.counts.shape[1]))

    def loss_interval(self, loss: Floats, bound: float, logarithmic: bool) -> Interval | Thin:
        """The interval of a mean loss.

        Parameters
        ----------
        loss : ndarray of shape (n_examples,)
            The loss of each example, at most `bound`.
        bound : float
            The greatest loss that there can be.
        logarithmic : bool
            Whether the interval is made on the logarithmic scale.
        """
        return self.thin or _mean_loss(loss, self.groups, self.true, self.counts, self.units, bound, logarithmic)

    def mean_interval(self, values: Floats, influences: Floats) -> Interval:
        """The interval of the mean of labels' scores in [0, 1], all labels being in enough groups.

        Parameters
        ----------
        values : ndarray of shape (n_labels,)
            The scores.
        influences : ndarray of shape (n_examples, n_labels)
            How far one more example like each would move them.
        """
        n_groups = len(self.counts)
        moved = np.stack([np.bincount(self.groups, each, n_groups) for each in influences.T], axis=1).astype(np.float64)
        effective = self.units.effective(self.counts)
        return Scores.of(values, moved, effective, self.units, capped=False).mean(self.units)


@dataclass(frozen=True)
class Scores:
    """Scores in [0, 1] with their limits, one a label, and what each group adds to them.

    Parameters
    ----------
    values : ndarray of shape (n_scores,)
        The scores.
    limits, uncapped : ndarray of shape (2, n_scores)
        Their lower and upper limits, with and without the cap.
    variance, bias : ndarray of shape (n_scores,)
        Their variances, and by how much they are too high on average.
    influence : ndarray of shape (n_units, n_scores)
        How far each group moves the scores.
    effective : ndarray of shape (n_scores,)
        The groups that each rests on, in effect.
    labels : ndarray of int, shape (n_scores,)
        Whose scores they are.
    """

    values: Floats
    limits: Floats
    uncapped: Floats
    variance: Floats
    bias: Floats
    influence: Floats
    effective: Floats
    labels: Codes

    @classmethod
    def of(cls, values: Floats, influence: Floats, effective: Floats, units: Units, capped: bool) -> Scores:
        """Give each score Wilson's interval (1927) with the number of trials that the groups' variance stands for.

        The quantile is Student's with the degrees of freedom that the variance has, and larger on the side to which the
        groups are skewed. Where size and weight have nothing
        to do with being right, a share cannot vary more than if each group were all right or all wrong. So it is
        `capped` at the interval that has as many independent trials as there are effective groups, but not in a sample
        drawn by strata; a score that does not vary gets that one.
        """
        from scipy.special import stdtrit

        few = np.maximum(effective, 1.0 + 1e-9)
        variance = np.diagonal(units.products(influence)) * (1.0 if units.strata is not None else few / (few - 1.0))
        freedom = np.maximum(np.minimum(effective - 1.0, units.freedom(influence)), 0.1)
        spread = values * (1.0 - values)
        varies = (variance > NO_VARIATION) & (spread > NO_VARIATION)
        trials = np.where(varies, spread / np.where(varies, variance, 1.0), few)
        capped = capped and units.strata is None
        student = stdtrit(freedom, (1.0 + LEVEL) / 2.0)
        sides = _skewed(student, units.skewness(influence, effective), _skewness_of_shares(values, trials))
        limits = uncapped = _wilson(values, trials, np.where(varies, sides, _normal()))
        variance = np.where(varies, variance, 0.0)
        if capped:
            widest = _wilson(values, few, np.full(len(values), _normal()))
            limits = np.stack([np.maximum(uncapped[0], widest[0]), np.minimum(uncapped[1], widest[1])])
            variance = np.minimum(variance, spread / few)
        return cls(
            values, limits, uncapped, variance, np.zeros_like(values), influence, effective, np.arange(len(values))
        )

    def through(self, function: Callable[[Floats], Floats], slope: Floats, curvature: Floats) -> Scores:
        """The scores on another scale, given by an increasing function and its derivatives at the scores.

        A function that bends makes a mean of noisy values too low or too high (to the second order).
        """
        return Scores(
            function(self.values),
            function(self.limits),
            function(self.uncapped),
            self.variance * slope**2,
            self.bias * slope + curvature * self.variance / 2.0,
            self.influence * slope,
            self.effective,
            self.labels,
        )

    def only(self, chosen: NDArray[np.bool_] | Codes | slice) -> Scores:
        """Some of the scores."""
        return Scores(
            self.values[chosen],
            self.limits[:, chosen],
            self.uncapped[:, chosen],
            self.variance[chosen],
            self.bias[chosen],
            self.influence[:, chosen],
            self.effective[chosen],
            self.labels[chosen],
        )

    def intervals(self) -> list[Interval]:
        """Each score's interval."""
        return [Interval(float(low), float(high)) for low, high in self.limits.T]

    def mean(self, units: Units) -> Interval:
        """The interval of the scores' mean, from their limits (Zou and Donner 2008).

        Over many labels chance averages out and bias does not. So the interval is moved by the mean bias, as far as
        that is known, and from three labels on it is made of the wider limits without the cap. These leave too little
        above many labels that are nearly all right, so it is no narrower than that of the mean as one share.
        """
        products = units.products(self.influence)
        deviations = np.sqrt(np.diagonal(products))
        scale = np.where(deviations > 0, deviations, 1.0)
        correlations = products / np.outer(scale, scale)
        np.fill_diagonal(correlations, 1.0)
        limits = self.limits if len(self.values) <= 2 else self.uncapped
        below, above = self.values - limits[0], limits[1] - self.values
        centre, n = float((self.values - self.bias).mean()), len(self.values)
        reach = [float(np.sqrt(max(side @ correlations @ side, 0.0))) / n for side in (below, above)]
        observed = float(self.values.mean())
        low, high = min(centre - reach[0], observed), max(centre + reach[1], observed)
        if n > 2:
            rests_on = np.array([self.effective.max()])
            joint = self.influence.mean(axis=1, keepdims=True)
            whole = Scores.of(np.array([observed]), joint, rests_on, units, capped=False).limits[:, 0]
            low, high = min(low, float(whole[0])), max(high, float(whole[1]))
        return Interval(max(low, 0.0), min(high, 1.0))


def _f1(overlap: Floats) -> Floats:
    return 2.0 * overlap / (1.0 + overlap)


def _shares(hits: Floats, trials: Floats, units: Units) -> Scores:
    """The shares of hits, each of shape (n_units, n_scores), over all groups; 0 where there is no trial."""
    total = units.counts @ trials
    some = np.where(total > 0, total, 1.0)
    values = units.counts @ hits / some
    return Scores.of(values, (hits - values * trials) / some, units.effective(trials), units, capped=True)


def _normal() -> float:
    from scipy.special import ndtri

    return float(ndtri((1.0 + LEVEL) / 2.0))


def _skewness_of_shares(values: Floats, trials: Floats) -> Floats:
    """The skewness of shares of so many independent trials."""
    spread = values * (1.0 - values) * trials
    return np.divide(1.0 - 2.0 * values, np.sqrt(spread), out=np.zeros_like(values), where=spread > 0)


def _skewed(quantile: Floats, skewness: Floats, of_shares: Floats) -> Floats:
    """The quantiles of the lower and of the upper limit, of shape (2, n), for scores with skewed errors.

    Johnson's correction (1978) on the side of the large errors. Wilson's interval, and one on the logarithmic scale,
    bends by itself as much as one and a half times the skewness of a share asks for; the rest is added.
    """
    excess = skewness - 1.5 * of_shares
    longer = np.where(excess * skewness > 0, np.abs(excess), 0.0) * quantile**2 / 3.0
    return quantile + np.stack([np.where(skewness < 0, longer, 0.0), np.where(skewness > 0, longer, 0.0)])


def _wilson(values: Floats, trials: Floats, quantiles: Floats) -> Floats:
    """The lower and the upper limits, of shape (2, n), with one quantile for both or one for each."""
    squared = quantiles**2
    # In this form huge quantiles and few trials do not overflow.
    weight = trials / (trials + squared)
    centre = values * weight + 0.5 * (1.0 - weight)
    half = quantiles / (trials + squared) * np.sqrt(values * (1.0 - values) * trials + squared / 4.0)
    low, high = np.broadcast_to(centre - half, (2, len(values)))[0], np.broadcast_to(centre + half, (2, len(values)))[1]
    return np.stack([np.clip(low, 0.0, values), np.clip(high, values, 1.0)])


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
        low, high = _wilson(np.array([share]), np.array([effective]), np.array([_normal()]))
        return Interval(2.0 * float(low[0]) - 1.0, 2.0 * float(high[0]) - 1.0)
    freedom = max(min(effective - 1.0, float(units.freedom(influence)[0])), 0.1)
    reach = float(stdtrit(freedom, (1.0 + LEVEL) / 2.0)) * error / (1.0 - observed**2)
    centre = np.arctanh(observed)
    return Interval(float(np.tanh(centre - reach)), float(np.tanh(centre + reach)))


def _mean_loss(
    loss: Floats, codes: Codes, true: Codes, support: Floats, units: Units, bound: float, logarithmic: bool
) -> Interval:
    """The interval of a mean loss, on the logarithmic scale or Wilson's; Wilson's also where no group's loss varies.

    Losses have a long tail that a sample seldom shows: most data sets hold no group of great loss, and their mean is
    too low. So their skewness is taken to be `LEAST_SKEWNESS` times their relative deviation at least, and where few
    groups have most of the loss, the degrees of freedom are as if there were no others. A rare label may have most of
    the loss, too. The degrees of freedom are therefore also those of the labels' parts of the
    variance, put together by Welch (1947).
    """
    from scipy.special import stdtrit

    n_groups, n_labels = support.shape
    mean = float(loss.mean())
    parts = np.bincount(codes * n_labels + true, (loss - mean) / len(loss), n_groups * n_labels)
    influence = parts.reshape(n_groups, n_labels)
    groups = units.effective(support)
    by_label = units.counts @ influence**2
    welch = by_label.sum() ** 2 / (by_label**2 / (groups - 1.0)).sum() if by_label.any() else np.inf
    whole = influence.sum(axis=1, keepdims=True)
    effective = float(units.effective(support.sum(axis=1, keepdims=True))[0])
    error = float(np.sqrt(units.products(whole)[0, 0] * effective / (effective - 1.0)))
    resting = float(units.effective(np.bincount(codes, loss, n_groups)[:, None].astype(np.float64))[0])
    freedom = max(min(effective - 1.0, resting - 1.0, welch, float(units.freedom(whole)[0])), 0.1)
    varies = error**2 > NO_VARIATION
    share = np.array([mean / bound])
    if not varies:
        low, high = _wilson(share, np.array([effective]), np.array([_normal()]))
        return Interval(bound * float(low[0]), bound * float(high[0]))
    trials = share * (1.0 - share) / (error / bound) ** 2
    own = np.array([error / mean]) if logarithmic else _skewness_of_shares(share, trials)
    skewness = np.maximum(units.skewness(whole, np.array([effective])), LEAST_SKEWNESS * own)
    quantiles = _skewed(np.array([float(stdtrit(freedom, (1.0 + LEVEL) / 2.0))]), skewness, own)
    if logarithmic:
        below, above = np.minimum(quantiles[:, 0] * error / mean, 700.0)
        return Interval(mean * float(np.exp(-below)), min(mean * float(np.exp(above)), bound))
    low, high = _wilson(share, trials, quantiles)
    return Interval(bound * float(low[0]), bound * float(high[0]))


def _thin(effective: Floats, labels: Codes) -> Thin | None:
    """The label that is in too few groups, None where all are in enough."""
    least = int(np.argmin(effective))
    return Thin(int(labels[least]), float(effective[least])) if effective[least] < FEWEST else None


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
