"""Outer and inner splits that keep groups whole, and the check for leakage."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data.task import ROLES
from bench.errors import DataError, LeakageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

FEW_GROUPS = 10
"""Up to this many groups, one group is left out at a time."""


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the training and the test part, and of a published split's dev part.

    Parameters
    ----------
    train : ndarray of int, shape (n_train,)
    test : ndarray of int, shape (n_test,)
    dev : ndarray of int, shape (n_dev,), or None
        The dev part of a published split, used to choose settings. Without one, inner folds of `train` serve.
    """

    train: Rows
    test: Rows
    dev: Rows | None = None


def n_dealt(n_groups: int, n_folds: int) -> int:
    """The number of folds for a number of groups: as requested, but none without a group.

    Examples
    --------
    >>> n_dealt(7, 5), n_dealt(40, 5), n_dealt(12, 20)
    (7, 5, 12)
    """
    return n_groups if n_groups <= FEW_GROUPS else min(n_folds, n_groups)


def split_by_group(
    codes: NDArray[np.intp], groups: NDArray[Any], n_folds: int, seed: int, repeats: int = 1
) -> list[Split]:
    """Split examples so that no group is on both sides.

    Up to ten groups are left out one at a time. More groups form stratified folds
    (`sklearn.model_selection.StratifiedGroupKFold`; `StratifiedKFold` where every example is a
    group of its own). If there are at least as many folds as groups, each group is a fold.

    Parameters
    ----------
    codes : ndarray of int, shape (n_examples,)
        Label indices.
    groups : ndarray of str, shape (n_examples,)
        The examples' groups.
    n_folds : int
        The number of folds for more than ten groups.
    seed : int
        Seed of the shuffling.
    repeats : int
        How many times to repeat the split for more than ten groups.

    Returns
    -------
    list of Split
        Empty if there is only one group. The test parts of each repeat cover all examples.

    Examples
    --------
    >>> splits = split_by_group(np.array([0, 1, 0, 1]), np.array(["a", "a", "b", "b"]), 5, seed=0)
    >>> [split.test.tolist() for split in splits]
    [[0, 1], [2, 3]]
    """
    names = np.unique(groups)
    if len(names) < 2:
        return []
    if len(names) <= max(FEW_GROUPS, n_folds):
        return [Split(np.flatnonzero(groups != name), np.flatnonzero(groups == name)) for name in names]
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    own_group = len(names) == len(groups)
    kind = StratifiedKFold if own_group else StratifiedGroupKFold
    splits: list[Split] = []
    for repeat in range(repeats):
        folds = kind(n_splits=n_folds, shuffle=True, random_state=(seed + repeat) % 2**32)
        with warnings.catch_warnings():
            # A label with fewer examples than folds is named in the cell's notes.
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            strata = codes if np.bincount(codes).max() >= n_folds else np.zeros_like(codes)
            parts = [test for _, test in folds.split(codes, strata, None if own_group else groups)]
        splits += [_held_out(test, len(codes)) for test in _none_empty(parts, groups)]
    return splits


def _held_out(test: Rows, n_examples: int) -> Split:
    return Split(np.setdiff1d(np.arange(n_examples), test), test)


def _none_empty(parts: list[Rows], groups: NDArray[np.str_]) -> list[Rows]:
    """Give each empty part the smallest group of the part with the most groups. Stratification ignores sizes."""
    for empty in (number for number, part in enumerate(parts) if not len(part)):
        held = [np.unique(groups[part], return_counts=True) for part in parts]
        donor = max(range(len(parts)), key=lambda number: len(held[number][0]))
        names, sizes = held[donor]
        moved = groups[parts[donor]] == names[np.argmin(sizes)]
        parts[empty], parts[donor] = parts[donor][moved], parts[donor][~moved]
    return parts


def outer_splits(
    codes: NDArray[np.intp], groups: NDArray[Any], column: str, n_folds: int, seed: int, repeats: int
) -> list[Split]:
    """Split a whole task; see `split_by_group`.

    Raises
    ------
    bench.errors.DataError
        If there is only one group.
    """
    splits = split_by_group(codes, groups, n_folds, seed, repeats)
    if not splits:
        raise DataError(
            f"All {len(codes)} examples are in one group (column '{column}': '{groups[0]}'), so none can be held out.",
            "Choose another column with validation.group=COLUMN, or add examples of a second group.",
        )
    return splits


def published_splits(roles: Sequence[NDArray[np.object_]]) -> list[Split]:
    """Split examples as they were published.

    Parameters
    ----------
    roles : sequence of ndarray of object, shape (n_examples,)
        One column for each split: ``"train"``, ``"dev"``, ``"test"`` or an empty string for each example.

    Examples
    --------
    >>> split = published_splits([np.array(["train", "test", "train", "dev"], dtype=object)])[0]
    >>> split.train.tolist(), split.dev.tolist(), split.test.tolist()
    ([0, 2], [3], [1])
    """
    found = []
    for column in roles:
        train, dev, test = (np.flatnonzero(column == role) for role in ROLES)
        found.append(Split(train, test, dev if len(dev) else None))
    return found


def with_lent(split: Split, lent: Rows, only: bool) -> Split:
    """Add training rows to a split, or replace its own.

    Parameters
    ----------
    split : Split
        A split.
    lent : ndarray of int, shape (n_lent,)
        Rows used for training only.
    only : bool
        Whether they replace the split's own training rows. Its dev part is then not used.
    """
    return Split(lent, split.test) if only else Split(np.concatenate([split.train, lent]), split.test, split.dev)


def verify(splits: Sequence[Split], groups: NDArray[Any], keys: NDArray[np.bytes_], ids: NDArray[np.object_]) -> None:
    """Check that training has no group and no example of its test part.

    Parameters
    ----------
    splits : sequence of Split
        The splits to check.
    groups : ndarray of str, shape (n_examples,)
        The examples' groups.
    keys : ndarray of bytes, shape (n_examples,)
        The inputs' keys (`bench.data.duplicates.duplicate_keys`).
    ids : ndarray of object, shape (n_examples,)
        The examples' ids, for errors.

    Raises
    ------
    bench.errors.LeakageError
        If a group or an input is on both sides of a split, or a part is empty.
    """
    verify_inputs(splits, keys, ids)
    for number, split in enumerate(splits):
        shared = sorted(set(groups[split.train].tolist()) & set(groups[split.test].tolist()))
        if shared:
            raise LeakageError(f"Fold {number}: group '{shared[0]}' is in both the training and the test part.")


def verify_inputs(splits: Sequence[Split], keys: NDArray[np.bytes_], ids: NDArray[np.object_]) -> None:
    """Check that no test example is in the training part or in the part on which settings are chosen.

    Parameters
    ----------
    splits, keys, ids
        As in `verify`.

    Raises
    ------
    bench.errors.LeakageError
        If an input is on both sides of a split, or a part is empty.
    """
    for number, split in enumerate(splits):
        if not len(split.train) or not len(split.test):
            raise LeakageError(f"Fold {number} has an empty {'training' if not len(split.train) else 'test'} part.")
        before = split.train if split.dev is None else np.concatenate([split.train, split.dev])
        seen = dict(zip(keys[before].tolist(), ids[before].tolist(), strict=True))
        copies = [(i, seen[k]) for i, k in zip(ids[split.test], keys[split.test], strict=True) if k in seen]
        if copies:
            test_id, train_id = copies[0]
            raise LeakageError(
                f"Fold {number}: test example '{test_id}' is also in the training part, as '{train_id}' "
                f"({len(copies)} such test {'example' if len(copies) == 1 else 'examples'}).",
                "Delete all but one of the copies from the data, or give them the same group.",
            )


def digest(splits: Sequence[Split], ids: NDArray[np.object_]) -> str:
    """Twelve hexadecimal digits, equal if and only if the test and dev examples of all splits are equal."""
    content = hashlib.sha256()
    for split in splits:
        content.update(("\x1e" + "\x1f".join(map(str, ids[split.test]))).encode())
        if split.dev is not None:
            content.update(("\x1d" + "\x1f".join(map(str, ids[split.dev]))).encode())
    return content.hexdigest()[:12]
