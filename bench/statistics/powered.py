"""Shares of labels in an archive, from a labelled sample of it and a model's predictions for all of it.

The model's mean prediction over the archive is corrected by how wrong it is, on average, about the labelled examples
(Angelopoulos, Duchi and Zrnic 2023: PPI++; in survey sampling, the difference estimator). Each labelled example is
predicted by a model that did not train on it (Zrnic and Candès 2024). ``docs/method/shares.md`` has the method and
how often its intervals cover.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import FEWEST, Interval, reach_of_difference
from bench.statistics.sampled import Archive, LabelledSample, Share
from bench.statistics.scores import Scores
from bench.statistics.units import Units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


NOISY = 100
"""In how many parts the noise of the archive's mean predictions is added, so that it does not look like few errors."""


@dataclass(frozen=True, eq=False)
class Method:
    """Shares by one method, and how each group moves them.

    Parameters
    ----------
    values : ndarray of shape (n_labels,)
        The shares in the archive.
    influence : ndarray of shape (n_groups + n_unseen, n_labels)
        How far each group moves them, and then what stands for errors that the groups do not show.
    groups : ndarray of int, shape (n_groups,)
        The number of each group among those of all methods that are put together or compared.
    noise : ndarray of shape (n_labels,)
        The standard error of the archive's mean predictions, in the values.
    effective : float
        The effective number of groups.
    parameters : int
        The parameters that were fitted to the same groups, besides the mean.
    possible : ndarray of shape (2, n_labels)
        The least and the greatest shares that there can be, by the labels that are known.
    exact : bool
        Whether the label of every text is known.
    """

    values: Floats
    influence: Floats
    groups: Codes
    noise: Floats
    effective: float
    parameters: int
    possible: Floats
    exact: bool = False

    @cached_property
    def moves(self) -> Floats:
        """All that moves the values, the noise in many small parts; the squares sum to the variance."""
        noise = np.repeat(self.noise[None] / np.sqrt(NOISY), NOISY if self.noise.any() else 0, axis=0)
        return np.concatenate([self.influence, noise])

    def shares(self) -> list[Share]:
        """Each label's share with its interval, or without one if it is not a number."""
        if self.exact:
            return [Share(float(value), Interval(float(value), float(value))) for value in self.values]
        if self.effective < FEWEST:
            return [Share(float(value), None) for value in self.values]
        units = Units(np.ones(len(self.moves)))
        few = np.full(len(self.values), max(self.effective - self.parameters, 1.0 + 1e-9))
        least = np.minimum(np.sqrt((self.influence[len(self.groups) :] ** 2).sum(axis=0)), 0.5)
        low, high = Scores.of(np.nan_to_num(self.values), self.moves, few, units, capped=False, least=least).limits
        low, high = np.maximum(low, self.possible[0]), np.minimum(high, self.possible[1])
        ends = zip(self.values.tolist(), low.tolist(), high.tolist(), strict=True)
        return [Share(value, None if np.isnan(value) else Interval(below, above)) for value, below, above in ends]


def powered(sample: LabelledSample, archive: Archive, power: Floats | None = None) -> Method:
    """Prediction-powered shares; the power is the sample's own, unless that of a larger sample is given."""
    return _corrected(sample, archive, sample.power if power is None else power)


def labels_alone(sample: LabelledSample, archive: Archive) -> Method:
    """Shares from the labels alone, without the predictions."""
    return _corrected(sample, archive, np.zeros(sample.given.shape[1]))


def all_known(archive: Archive) -> Method:
    """Shares in an archive of which every text is labelled."""
    known = archive.known / max(archive.total, 1.0)
    none = np.zeros((0, len(known)))
    return Method(known, none, np.zeros(0, dtype=np.intp), none.sum(axis=0), 0.0, 0, archive.possible, exact=True)


def _corrected(sample: LabelledSample, archive: Archive, power: Floats) -> Method:
    if archive.n == 0:
        return all_known(archive)
    wrong = sample.given - power * sample.predicted
    rest, wrong = _adding_up(power * archive.predicted + sample.mean(wrong), wrong, sample)
    influence = np.concatenate([sample.steadied(wrong), _unseen(sample, power)]) * _scale(sample, archive)
    noise = power * np.sqrt(archive.noise) * archive.n / archive.total
    parameters = int(power.any()) + int(np.ptp(power) > 0)
    values = _nearest(archive.whole(rest), archive.possible)
    return Method(values, influence, sample.named, noise, sample.effective, parameters, archive.possible)


def _nearest(shares: Floats, possible: Floats) -> Floats:
    """The nearest shares that are possible and add up to 1: all of them moved by as much, within the bounds."""
    from scipy.optimize import brentq

    def moved(by: float) -> Floats:
        return np.asarray(np.clip(shares + by, *possible))

    if abs(moved(0.0).sum() - 1.0) <= 1e-12:
        return moved(0.0)
    reach = 1.0 + float(np.abs(shares).max())
    return moved(brentq(lambda by: float(moved(by).sum()) - 1.0, -reach, reach, xtol=1e-14))


def _adding_up(shares: Floats, wrong: Floats, sample: LabelledSample) -> tuple[Floats, Floats]:
    """Make shares sum to 1, which they do not if the predictions of each label are relied on to a degree of its own.

    Each moves in proportion to its covariance with the sum, which gives the least variances (Deming and Stephan 1940,
    least squares under a known total). Given are the shares and what they vary with, by example.
    """
    influence = sample.centred(wrong)
    total = influence.sum(axis=1)
    spread = float((total**2).sum())
    if spread <= 1e-12 * float((influence**2).sum()):
        return shares, wrong
    part = total @ influence / spread
    return shares - part * (shares.sum() - 1.0), wrong - wrong.sum(axis=1, keepdims=True) * part


def _unseen(sample: LabelledSample, power: Floats) -> Floats:
    """What stands for errors that the labelled examples do not show, of shape (n_unseen, n_labels).

    A model that is right about all labelled groups is not right about all texts: a group with errors is added in four
    parts, two to each side, as to a difference of paired shares (Agresti and Min 2005). Where all examples of a stratum
    are alike, a further group may be different, and stand for many texts.
    """
    rows = []
    for kind, whole, wrong in zip(np.unique(sample.kinds), sample.unseen.whole, sample.unseen.wrong, strict=True):
        given = sample.given[sample.kinds == kind]
        none, all_of = (given == 0).all(axis=0), (given == 1).all(axis=0)
        rows.append(whole * (none.astype(np.float64) - all_of))
        rows += [side * wrong * np.where(none | all_of, 0.0, power) for side in (0.5, 0.5, -0.5, -0.5)]
    return np.stack(rows)


def _scale(sample: LabelledSample, archive: Archive) -> float:
    """How far the error for the whole archive is from that of a mean of an endless one.

    Of the unlabelled texts, the share is off by the sample's error and by their own: 1/n + 1/N, of different texts. The
    labels of the other texts are known.
    """
    return float(archive.n / archive.total * np.sqrt(1.0 + len(sample) * archive.copies / archive.n))


def adjusted_count(sample: LabelledSample, archive: Archive, chosen: Floats) -> Method | None:
    """Adjusted counts (Gart and Buck 1966): the naive shares, corrected by the model's hit and false-alarm rates.

    They need no random sample, but rates that are the same in the archive.

    Parameters
    ----------
    chosen : ndarray of shape (n_examples, n_labels)
        Whether each label is the most probable one of an example, as 0 or 1.

    Returns
    -------
    Method or None
        None if the model finds no label better than by chance, or no text is unlabelled. The value of each label that
        it finds no better is not a number.
    """
    if archive.n == 0:
        return None
    total, given = sample.weights.sum(), sample.given
    support = sample.weights @ given
    other = total - support
    known = (support > 0) & (other > 0)
    support, other = np.where(known, support, 1.0), np.where(known, other, 1.0)
    hits = sample.weights @ (given * chosen) / support
    alarms = sample.weights @ ((1.0 - given) * chosen) / other
    found = known & (hits - alarms > 0.05)
    if not found.any():
        return None
    gain = np.where(found, hits - alarms, 1.0)
    rest = (archive.chosen - alarms) / gain
    within = np.clip(rest, 0.0, 1.0)
    parts = -(within * given * (chosen - hits) / support + (1.0 - within) * (1.0 - given) * (chosen - alarms) / other)
    influence = sample.steadied(parts * total / gain) * _scale(sample, archive)
    values = np.where(found, np.clip(archive.whole(within), *archive.possible), np.nan)
    return Method(values, influence, sample.named, np.zeros(len(gain)), sample.effective, 0, archive.possible)


def combined(methods: Sequence[Method]) -> Method:
    """Put together what several draws say of one archive: their mean, weighted by their effective numbers of groups.

    Each draw is from what the earlier ones left, whose labels are known, so each gives shares of the whole archive
    whose errors do not depend on those of the others. The weights depend on the draws, not on the labels.

    Parameters
    ----------
    methods : sequence of Method
        The shares by each draw.
    """
    exact = [method for method in methods if method.exact]
    if exact or len(methods) == 1:
        return exact[-1] if exact else methods[0]
    effective = np.array([method.effective for method in methods])
    weights = (effective / effective.sum()).tolist()
    groups = np.unique(np.concatenate([method.groups for method in methods]))
    moved, beyond = np.zeros((len(groups), len(methods[0].values))), []
    for weight, method in zip(weights, methods, strict=True):
        moved[np.searchsorted(groups, method.groups)] += weight * method.influence[: len(method.groups)]
        beyond.append(weight * method.influence[len(method.groups) :])
    return Method(
        values=np.asarray(sum(weight * method.values for weight, method in zip(weights, methods, strict=True))),
        influence=np.concatenate([moved, *beyond]),
        groups=groups,
        noise=np.asarray(sum(weight * method.noise for weight, method in zip(weights, methods, strict=True))),
        effective=min(float(effective.sum()), float(len(groups))),
        parameters=max(method.parameters for method in methods),
        possible=methods[-1].possible,
    )


def difference(one: Method, other: Method) -> list[Share]:
    """The differences of two parts' shares, whose labelled examples may be in the same groups.

    Their limits are put together from those of the shares (Zou and Donner 2008), with the correlation over the groups.
    """
    found = []
    moved = np.zeros((2, int(np.concatenate([one.groups, other.groups]).max(initial=-1)) + 1, len(one.values)))
    for place, method in enumerate((one, other)):
        moved[place, method.groups] = method.influence[: len(method.groups)]
    shared = (moved[0] * moved[1]).sum(axis=0)
    spread = np.sqrt((one.moves**2).sum(axis=0) * (other.moves**2).sum(axis=0))
    alike = np.divide(shared, spread, out=np.zeros_like(shared), where=spread > 0)
    for mine, its, together in zip(one.shares(), other.shares(), alike.tolist(), strict=True):
        value = mine.value - its.value
        if mine.interval is None or its.interval is None:
            found.append(Share(value, None))
            continue
        below = reach_of_difference(mine.value - mine.interval.low, its.interval.high - its.value, together)
        above = reach_of_difference(mine.interval.high - mine.value, its.value - its.interval.low, together)
        found.append(Share(value, Interval(value - below, value + above).within((-1.0, 1.0))))
    return found


def further_labels(share: Share, n: int, unlabelled: float, within: float) -> int | None:
    """How many more labels, drawn like the others from the archive, would make the interval at most ``± within``.

    The variance for *n* labels and *N* unlabelled texts is that of `_scale`, in proportion to N² (1/n + 1/N). With *m*
    more labels it is that for n + m and N - m.

    Parameters
    ----------
    share : Share
        The share with its interval.
    n : int
        The labelled examples.
    unlabelled : float
        The different texts of the archive that are not labelled.
    within : float
        The half width.

    Returns
    -------
    int or None
        None without an interval. At most `unlabelled`.

    Examples
    --------
    >>> further_labels(Share(0.2, Interval(0.16, 0.24)), 400, 1_000_000_000, 0.02)
    1200
    >>> further_labels(Share(0.2, Interval(0.16, 0.24)), 400, 600, 0.02)
    328
    """
    half = share.width / 2.0
    if not np.isfinite(half):
        return None
    if half <= within:
        return 0
    narrower = (within / half) ** 2
    return int(np.ceil(n * unlabelled * (1.0 - narrower) / (n + narrower * unlabelled) - 1e-6))


def without_labelled(
    weights: Floats, copies: NDArray[np.intp], times: NDArray[np.intp], by_text: bool = False
) -> Floats:
    """The weights for the unlabelled texts alone, in rows of the archive.

    An example that is in the archive stands for fewer of the other texts. One whose text stands there several times was
    drawn with more chance, and all its rows are known (Horvitz and Thompson 1952, over different texts).

    Parameters
    ----------
    weights : ndarray of shape (n_examples,)
        The inverse of the rate at which each row of the archive was drawn, or each different text.
    copies : ndarray of int, shape (n_examples,)
        How often the text of each stands in the archive.
    times : ndarray of int, shape (n_examples,)
        How many of the examples have that text.
    by_text : bool
        Whether different texts were drawn, so that one that stands there several times had no more chance.

    Examples
    --------
    >>> without_labelled(np.array([50.0, 50.0, 1.0]), np.array([0, 1, 1]), np.array([1, 1, 1])).round(9).tolist()
    [50.0, 49.0, 0.0]
    """
    rate = 1.0 - (1.0 - np.minimum(1.0 / weights, 1.0)) ** (1 if by_text else copies)
    known = copies * (1.0 / np.where(copies > 0, rate, 1.0) - 1.0)
    return np.asarray(np.where(copies > 0, known, weights) / times)
