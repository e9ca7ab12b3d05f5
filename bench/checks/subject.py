"""The subject of the checks: a task, with cached results that several checks share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.checks.near import NEAR, components, jaccard, near_pairs
from bench.data.duplicates import duplicate_keys, input_keys
from bench.text.identity import canonical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task


@dataclass(frozen=True, eq=False)
class NearPairs:
    """Pairs of examples whose inputs are near repeats. The first example of each input represents it.

    Parameters
    ----------
    first, second : ndarray of int, shape (n_pairs,)
        Row numbers of the task's examples.
    similarities : ndarray of float, shape (n_pairs,)
        The Jaccard similarity of the less similar input column.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    similarities: NDArray[np.float64]

    def where(self, mask: NDArray[np.bool_]) -> NearPairs:
        """The pairs that `mask` marks, the most similar first."""
        rows = np.flatnonzero(mask)
        rows = rows[np.argsort(-self.similarities[rows], kind="stable")]
        return NearPairs(self.first[rows], self.second[rows], self.similarities[rows])

    def __len__(self) -> int:
        return len(self.first)


@dataclass(eq=False)
class Subject:
    """A task to check.

    Parameters
    ----------
    task : Task
        The task, grouped as it will be split.
    folds : int
        Outer folds, used if there are more than ten groups and no published split.
    """

    task: Task
    folds: int = 5

    @cached_property
    def keys(self) -> NDArray[np.bytes_]:
        """The inputs' keys, equal for equal inputs, of shape (n_examples,)."""
        return self.task.keys

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """The repeated inputs that the task left out."""
        return self.task.examples.iloc[:0] if self.task.left_out is None else self.task.left_out

    @cached_property
    def left_out_keys(self) -> NDArray[np.bytes_]:
        """The keys of their inputs, of shape (n_left_out,)."""
        return duplicate_keys(self.left_out[list(self.task.inputs)])

    @cached_property
    def left_out_groups(self) -> NDArray[Any]:
        """Their groups, of shape (n_left_out,)."""
        task = self.task
        names = canonical([*task.groups.tolist(), *self.left_out[task.group].astype(str)], task.group_key)
        return np.array(names[len(task) :], dtype=object)

    @cached_property
    def distinct(self) -> tuple[NDArray[np.bytes_], NDArray[np.intp]]:
        """The distinct keys of the task's examples and the first row of each, both of shape (n_distinct,)."""
        rows = np.flatnonzero(~pd.Series(self.keys).duplicated().to_numpy())
        return self.keys[rows], rows

    @cached_property
    def near(self) -> NearPairs:
        """The near repeats among the task's inputs: similar in every input column."""
        _, rows = self.distinct
        keys = input_keys(self.task.frame.iloc[rows])
        pairs, similarities = near_pairs([key.replace("\x1f", " ") for key in keys])
        if len(self.task.inputs) > 1:
            columns = [key.split("\x1f") for key in keys]
            similarities = np.array(
                [min(map(jaccard, columns[a], columns[b])) for a, b in pairs.tolist()], dtype=np.float64
            )
        kept = similarities >= NEAR
        return NearPairs(rows[pairs[kept, 0]], rows[pairs[kept, 1]], similarities[kept])

    @cached_property
    def families(self) -> tuple[NDArray[np.intp], NDArray[Any]]:
        """The family of equal or similar inputs, and the group, of all examples including those left out."""
        keys, rows = self.distinct
        place = np.empty(len(self.task), dtype=np.intp)
        place[rows] = np.arange(len(rows))
        pairs = np.stack([place[self.near.first], place[self.near.second]], axis=1)
        family = dict(zip(keys.tolist(), components(len(keys), pairs).tolist(), strict=True))
        numbers = [family[key] for key in (*self.keys.tolist(), *self.left_out_keys.tolist())]
        return np.array(numbers, dtype=np.intp), np.concatenate([self.task.groups, self.left_out_groups])

    def texts(self, column: str) -> pd.Series:
        """The distinct texts of an input column, indexed by the id of the first example with each."""
        column_texts = self.task.examples[column]
        first = ~column_texts.duplicated()
        return pd.Series(column_texts[first].to_numpy(dtype=object), index=self.task.ids[first.to_numpy()])
