"""A labelled sample, the archive that it was drawn from, and a share of a label."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.interval import Interval
from bench.statistics.units import Units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


MOST_KINDS = 20
"""With more different weights, examples are not told apart by them."""


@dataclass(frozen=True)
class Share:
    """The share of a label, with its interval.

    Parameters
    ----------
    value : float
        The share.
    interval : Interval or None
        None if too few groups of examples are labelled.
    """

    value: float
    interval: Interval | None

    @property
    def width(self) -> float:
        """The interval's width; infinite without one."""
        return np.inf if self.interval is None else self.interval.high - self.interval.low


@dataclass(frozen=True, eq=False)
class Unseen:
    """How large a group may be that differs from all labelled ones, by kind of example, as shares of all weight.

    Parameters
    ----------
    whole : ndarray of shape (n_kinds,)
        The group that an example is in, on average.
    wrong : ndarray of shape (n_kinds, n_labels)
        The wrong predictions in the group that one is in, on average over those that were seen and one group of which
        all is wrong.
    single : ndarray of shape (n_kinds,)
        An example.
    """

    whole: Floats
    wrong: Floats
    single: Floats


@dataclass(frozen=True, eq=False)
class LabelledSample:
    """Labelled examples of an archive, each with the prediction of a model that did not train on it.

    Parameters
    ----------
    given, predicted : ndarray of shape (n_examples, n_labels)
        Whether an example has each label, as 0 or 1, and its predicted probability of it.
    weights : ndarray of shape (n_examples,)
        How many texts of the archive each stands for, up to a factor: the inverse of the rate at which it was drawn.
    groups : ndarray of int, shape (n_examples,)
        The group of each. Groups were drawn independently.
    strata : ndarray of int, shape (n_groups,), or None
        The stratum that each group was drawn from, if that was done stratum by stratum.
    numbers : ndarray of int, shape (n_groups,), or None
        The number of each group among those of all samples that are put together; None if this is the only one.
    """

    given: Floats
    predicted: Floats
    weights: Floats
    groups: Codes
    strata: Codes | None = None
    numbers: Codes | None = None

    def part(self, shares: Floats) -> LabelledSample:
        """The examples in a part of the archive, given which share of each one's texts is there.

        How many of a stratum are among them is chance, so they count as not stratified.
        """
        here = shares > 0
        known, groups = np.unique(self.groups[here], return_inverse=True)
        weights = self.weights[here] * shares[here]
        return LabelledSample(self.given[here], self.predicted[here], weights, groups, None, self.named[known])

    @property
    def named(self) -> Codes:
        """The number of each group."""
        return np.arange(int(self.groups.max(initial=-1)) + 1) if self.numbers is None else self.numbers

    def __len__(self) -> int:
        return len(self.weights)

    @cached_property
    def effective(self) -> float:
        """The number of groups of equal weight that would have as unequal a total (Kish 1965)."""
        totals = self.by_group(self.weights[:, None])
        return float(Units(np.ones(len(totals))).effective(totals)[0])

    @property
    def total(self) -> float:
        """The sum of the weights, or 1 if every weight is 0."""
        return float(self.weights.sum()) or 1.0

    def mean(self, values: Floats) -> Floats:
        """The weighted means of values of shape (n_examples, n_labels)."""
        return np.asarray(self.weights @ values / self.total)

    def by_group(self, values: Floats) -> Floats:
        """The sums over each group of values of shape (n_examples, n_labels)."""
        n_groups = int(self.groups.max(initial=-1)) + 1
        return np.stack([np.bincount(self.groups, each, n_groups) for each in values.T], axis=1).astype(np.float64)

    def influence(self, values: Floats) -> Floats:
        """How far each group moves the weighted means of values."""
        parts = self.weights[:, None] * (values - self.mean(values)) / self.total
        return self.by_group(parts)

    @cached_property
    def kinds(self) -> Codes:
        """Which examples stand for as many texts: those of a stratum, else of a weight, of shape (n_examples,)."""
        if self.strata is not None:
            return self.strata[self.groups]
        known = np.unique(self.weights.round(6), return_inverse=True)[1]
        return known if known.max(initial=0) < MOST_KINDS else np.zeros(len(self), dtype=np.intp)

    def centred(self, values: Floats) -> Floats:
        """How far each group moves the weighted means of values, beyond what its stratum does.

        The squares sum to the variance: in a stratum of n groups they are raised by n / (n - 1).
        """
        influence = self.influence(values)
        if self.strata is None:
            return influence
        for stratum in np.unique(self.strata):
            here = self.strata == stratum
            n = int(here.sum())
            if n > 1:
                influence[here] = (influence[here] - influence[here].mean(axis=0)) * np.sqrt(n / (n - 1))
        return influence

    def steadied(self, values: Floats) -> Floats:
        """The same as `centred`, raised where large groups happen to vary less than groups do.

        A few groups with most of the weight decide the squares. If values have nothing to do with sizes, the variance
        follows from what varies between groups and within them (an analysis of variance with unequal groups, Searle
        1971), which all groups tell, and from how unequal they are (Kish 1965). The squares sum to it at least.
        """
        influence = self.centred(values)
        weights = self.weights / self.total
        sizes = self.by_group(weights[:, None])[:, 0]
        n_examples, n_groups = 1.0 / max(float((weights**2).sum()), 1e-300), len(sizes)
        if self.strata is not None or n_examples - n_groups < 1.0 or n_groups < 2:
            return influence
        off = values - self.mean(values)
        means = self.by_group(weights[:, None] * off) / np.maximum(sizes, 1e-300)[:, None]
        between = n_examples * (sizes[:, None] * means**2).sum(axis=0) / (n_groups - 1)
        within = n_examples * (weights[:, None] * (off - means[self.groups]) ** 2).sum(axis=0) / (n_examples - n_groups)
        shared = float((sizes**2).sum())
        typical = n_examples * (1.0 - shared) / (n_groups - 1)
        expected = np.maximum(between - within, 0.0) / typical * shared + within / n_examples
        squares = (influence**2).sum(axis=0)
        least = expected * (1.0 - shared)
        raised = np.divide(least, squares, out=np.ones_like(squares), where=squares > 1e-24)
        return influence * np.sqrt(np.maximum(raised, 1.0))

    @cached_property
    def power(self) -> Floats:
        """How far to rely on the predictions of each label, from 0 to 1: what makes the variance the least."""
        return self.power_for(self)

    def power_for(self, part: LabelledSample) -> Floats:
        """The power for a part of the sample, which alone may be too small to show it.

        Errors of whole groups that the part does not show speak against it, the more the fewer groups there are.

        The examples do not show the power of a label that all of them have, or none: it is then that of all labels
        together. Relied on to a degree of 0, such a label would have a share of 0 or 1, and the others what is left.
        """
        shared, varies, spread = self._products
        whole_groups = np.maximum((part.unseen.wrong**2 - part.unseen.single[:, None] ** 2).sum(axis=0), 0.0)
        against = spread + whole_groups * part.effective / max(self.effective, 1e-300)
        together = shared.sum() / against.sum() if spread.any() else 0.0
        slope = np.divide(shared, against, out=np.zeros_like(spread), where=spread > 0)
        slope[varies <= 1e-24] = together  # But for rounding, 0.
        return np.clip(slope, 0.0, 1.0)

    @cached_property
    def _products(self) -> tuple[Floats, Floats, Floats]:
        """By label, the covariance of what is given and predicted, and the variance of each."""
        n_labels = self.given.shape[1]
        both = self.centred(np.concatenate([self.given, self.predicted], axis=1))
        products = both.T @ both
        variances = np.diagonal(products)
        return np.diagonal(products, offset=n_labels), variances[:n_labels], variances[n_labels:]

    @cached_property
    def unseen(self) -> Unseen:
        """How large a group may be that differs from all of these."""
        missed = np.abs(self.given - (self.predicted > 0.5))
        whole, wrong, single = [], [], []
        for kind in np.unique(self.kinds):
            weights = (self.weights * (self.kinds == kind) / self.total)[:, None]
            groups, errors = self.by_group(weights), self.by_group(weights * missed)
            whole.append(_of_one(groups))
            wrong.append(_of_one(np.append(errors, np.full((1, errors.shape[1]), whole[-1]), axis=0)))
            single.append(_of_one(weights))
        return Unseen(np.concatenate(whole), np.stack(wrong), np.concatenate(single))


def _of_one(sizes: Floats) -> Floats:
    """The size of the group that a part of all is in, on average, by columns."""
    return np.asarray((sizes**2).sum(axis=0) / np.maximum(sizes.sum(axis=0), 1e-300))


@dataclass(frozen=True, eq=False)
class Archive:
    """The unlabelled texts of an archive.

    Parameters
    ----------
    n : int
        How many there are.
    predicted : ndarray of shape (n_labels,)
        The mean predicted probability of each label.
    chosen : ndarray of shape (n_labels,)
        The share of texts for which each label is the most probable.
    known : ndarray of shape (n_labels,)
        The numbers of further texts of the archive whose label is known, since they are in the labelled sample.
    noise : ndarray of shape (n_labels,)
        The variances of `predicted`: 0, unless each text was predicted by only one of several models.
    later : ndarray of shape (n_labels,)
        How many of the `n` texts have since been given each label.
    copies : float
        In how many texts each different one of the `n` stands, on average.
    """

    n: int
    predicted: Floats
    chosen: Floats
    known: Floats
    noise: Floats
    later: Floats = field(default_factory=lambda: np.zeros(1))
    copies: float = 1.0

    @property
    def total(self) -> float:
        """All texts."""
        return self.n + float(self.known.sum())

    def whole(self, rest: Floats) -> Floats:
        """The shares in the whole archive, from those among the unlabelled texts."""
        return np.asarray((self.known + self.n * rest) / self.total)

    @property
    def possible(self) -> Floats:
        """The least and the greatest share of each label, by all that are known by now, of shape (2, n_labels)."""
        least = self.known + self.later
        return np.stack([least, least + self.n - self.later.sum()]) / max(self.total, 1.0)

    def counted(self) -> Floats:
        """The naive shares: known labels are counted, and the chosen ones of the other texts."""
        return self.whole(self.chosen)
