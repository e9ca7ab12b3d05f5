"""The parts of a learning curve: growing subsets of each outer training part, with unchanged test parts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data.splits import Split
from bench.results.curves import Axis, PartRecord
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task

FEW_GROUPS = 6
"""Up to this many training groups, groups are added one at a time."""

HALVINGS = tuple(Fraction(1, 2**power) for power in (4, 3, 2, 1))
"""The fractions of a training part before all of it."""


@dataclass(frozen=True, eq=False)
class CurvePart:
    """One point on a learning curve.

    Parameters
    ----------
    axis : {"groups", "examples"} or None
        What was left out; None for the whole training part, where both axes end.
    fraction : fractions.Fraction
        How much of it was kept, up to rounding.
    splits : list of Split
        The outer folds in their order, each with a part of its training rows and all its test rows.
    """

    axis: Axis | None
    fraction: Fraction
    splits: list[Split]

    @property
    def name(self) -> str:
        """The name of its folder, such as ``groups-1-of-4``."""
        return "all" if self.axis is None else f"{self.axis}-{self.fraction.numerator}-of-{self.fraction.denominator}"

    def describe(self, task: Task) -> PartRecord:
        """The part with the numbers of groups and examples that train, means over the folds."""
        folds = len(self.splits)
        return PartRecord(
            name=self.name,
            axis=self.axis,
            part="all" if self.axis is None else str(self.fraction),
            fraction=float(self.fraction),
            n_groups=sum(len(np.unique(task.groups[split.train])) for split in self.splits) / folds,
            n_examples=sum(len(split.train) for split in self.splits) / folds,
        )

    def digest(self, ids: NDArray[np.object_]) -> str:
        """Twelve hexadecimal digits, equal if and only if the training and test examples of each fold are equal."""
        content = hashlib.sha256()
        for split in self.splits:
            for rows in (split.train, split.test):
                content.update(("\x1e" + "\x1f".join(map(str, ids[rows]))).encode())
        return content.hexdigest()[:12]


def curve_parts(task: Task, outer: Sequence[Split], seed: int) -> list[CurvePart]:
    """Take growing subsets of the training part of each outer fold.

    On the axis ``groups`` whole groups are added in a random order, on the axis ``examples`` a
    random part of each group's examples. On each axis a larger part holds the smaller ones. The order depends on
    the seed, the task and the fold, and not on the model, so that all models learn from the same parts.

    Parameters
    ----------
    task : Task
        The examples.
    outer : sequence of Split
        The outer folds.
    seed : int
        The run's seed.

    Returns
    -------
    list of CurvePart
        By axis and size, with the whole training part last. Parts that would be the same in every
        fold come once, so an axis on which nothing can grow is missing.
    """
    whole = CurvePart(None, Fraction(1), list(outer))
    most = max(len(np.unique(task.groups[split.train])) for split in outer)
    one_by_one = [Fraction(kept, most) for kept in range(1, most)]

    def groups_of(rows: NDArray[np.intp], fraction: Fraction, purpose: int) -> NDArray[np.bool_]:
        return keep_groups(task.groups[rows], fraction, purpose)

    def examples_of(rows: NDArray[np.intp], fraction: Fraction, purpose: int) -> NDArray[np.bool_]:
        return keep_examples(task.codes[rows], task.groups[rows], fraction, purpose)

    def along(axis: Axis, fractions: Sequence[Fraction], keep: Callable[..., NDArray[np.bool_]]) -> list[CurvePart]:
        parts = [whole]
        for fraction in reversed(fractions):
            splits = []
            for fold, split in enumerate(outer):
                kept = keep(split.train, fraction, derive_seed(seed, task.name, fold, "curve", axis))
                splits.append(Split(split.train[kept], split.test, split.dev))
            larger = parts[0].splits
            if any(len(less.train) < len(more.train) for less, more in zip(splits, larger, strict=True)):
                parts.insert(0, CurvePart(axis, fraction, splits))
        return parts[:-1]

    return [
        *along("groups", one_by_one if most <= FEW_GROUPS else HALVINGS, groups_of),
        *along("examples", HALVINGS, examples_of),
        whole,
    ]


def keep_groups(groups: NDArray[Any], fraction: Fraction, seed: int) -> NDArray[np.bool_]:
    """Mark the examples of the first groups in a random order.

    Parameters
    ----------
    groups : ndarray of str, shape (n_examples,)
        The examples' groups.
    fraction : fractions.Fraction
        The share of the groups to keep, rounded to whole groups, at least one.
    seed : int
        Seed of the order; with the same seed a larger fraction keeps all that a smaller one keeps.

    Examples
    --------
    >>> keep_groups(np.array(["a", "a", "b", "b"]), Fraction(1, 2), seed=0).sum()
    np.int64(2)
    """
    names, codes = np.unique(groups, return_inverse=True)
    place = np.random.default_rng(seed).permutation(len(names))
    return np.asarray(place[codes] < _share(fraction, len(names)))


def keep_examples(codes: NDArray[np.intp], groups: NDArray[Any], fraction: Fraction, seed: int) -> NDArray[np.bool_]:
    """Mark a random part of each group's examples, stratified by label.

    Within a group, the examples of each label are shuffled and spread evenly over [0, 1) from a random start
    (systematic sampling), and the first of all labels together are kept. So each label keeps its share up to
    rounding, and an example that is the only one of its label is as likely to be kept as any other.

    Parameters
    ----------
    codes : ndarray of int, shape (n_examples,)
        Label indices.
    groups : ndarray of str, shape (n_examples,)
        The examples' groups.
    fraction : fractions.Fraction
        The share of each group to keep, rounded to whole examples, at least one.
    seed : int
        Seed of the order; with the same seed a larger fraction keeps all that a smaller one keeps.
    """
    rng = np.random.default_rng(seed)
    kept = np.zeros(len(codes), dtype=bool)
    by_group = np.argsort(groups, kind="stable")
    sizes = np.unique(groups, return_counts=True)[1]
    for rows in np.split(by_group, np.cumsum(sizes)[:-1]):
        place = np.empty(len(rows))
        for code in np.unique(codes[rows]):
            of_label = np.flatnonzero(codes[rows] == code)
            place[of_label] = (rng.permutation(len(of_label)) + rng.random()) / len(of_label)
        kept[rows[np.argsort(place, kind="stable")[: _share(fraction, len(rows))]]] = True
    return kept


def _share(fraction: Fraction, n: int) -> int:
    return max(1, math.floor(fraction * n + Fraction(1, 2)))
