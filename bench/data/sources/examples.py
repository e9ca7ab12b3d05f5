"""The examples of a table, collected row by row, with the rows left out and repeated ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pandas as pd

from bench.data.mapped import LARGE, MappedFile
from bench.data.messages import listed
from bench.data.sources.gaps import Gaps
from bench.data.sources.roles import role_of
from bench.data.sources.table_columns import ColumnRoles, all_of
from bench.data.task import ROLES
from bench.errors import DataError
from bench.text.identity import name_key

if TYPE_CHECKING:
    from bench.data.labels import LabelSet


@dataclass(frozen=True)
class Part:
    """One of a table's files.

    Parameters
    ----------
    path : str
        The name in the task's file.
    split : str or None
        The column of `Records.splits` that the file's examples have their role in; None if there is none.
    role : str
        The role of the file's examples.
    labels : str or None
        The file of their labels, if separate.
    """

    path: str
    split: str | None = None
    role: str = ""
    labels: str | None = None


class Examples:
    """The examples so far, by column. Most of a large table is already in a file."""

    def __init__(self, labels: LabelSet, named: ColumnRoles, splits: tuple[str, ...]) -> None:
        names = dict.fromkeys((*named.cells, "id", *splits))
        self._columns: dict[str, list[str]] = {name: [] for name in names}
        self._written: MappedFile | None = None
        self._count = self._characters = 0
        self.again = False
        self.left_out: Counter[str] = Counter()
        self.gaps = Gaps()
        self._labels, self._named, self._folds = labels, "id" in named.cells, len(splits) > 1
        self._labelled, self._own_splits, self._splits = named.labelled, named.splits, splits
        self._inputs = [name for name in ("claim", "text") if name in named.cells]
        self._seen: dict[str, tuple[int, str]] = {}
        self._twice: dict[str, list[int]] = {}
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, example: dict[str, str], part: Part, where: str) -> str:
        """Add an example of a part, read its labels and roles, and return its id."""
        for name in self._labelled:
            example[name] = self._labels.read(example[name], where)
        for name in self._own_splits:
            example[name] = _role(example[name], where) if example[name] else ""
        if part.split is not None:
            example[part.split] = part.role
        if not self._named:
            number = self._count_row(part)
            example["id"] = f"{part.role}-{number}" if part.role else str(number)
        elif _key(example["id"]) in self._seen:
            return self._add_again(example, part, where)
        self._add(example, part, where)
        return example["id"]

    def _add(self, example: dict[str, str], part: Part, where: str) -> None:
        if self._named:
            self._seen[_key(example["id"])] = len(self), where
        for name, values in self._columns.items():
            values.append("" if name in self._splits and name != part.split else example[name])
        self._count += 1
        self._characters += sum(map(len, example.values()))
        if self._characters > LARGE // 4 and not self._folds:  # folds can still change an example
            self._write()

    def leave_out(self, gap: str, part: Part, where: str, place: str) -> None:
        """Count a row that lacks the field `gap`. It counts in the numbering of rows."""
        self._count_row(part)
        self.gaps.add(gap, where, place)

    def _count_row(self, part: Part) -> int:
        number = self._counts[part.role] = self._counts.get(part.role, 0) + 1
        return number

    @property
    def n_rows(self) -> int:
        """All rows, with those that were left out."""
        return len(self) + self.left_out.total() + len(self.gaps)

    def frame(self) -> pd.DataFrame:
        """All examples."""
        if self._written is None:
            return pd.DataFrame(self._columns)
        self._write()
        return self._written.frame()

    def notes(self) -> tuple[str, ...]:
        """What was left out, a sentence each."""
        notes = [*self.gaps.notes(self.n_rows), *self._told_twice()]
        if unlabelled := self.left_out.total():
            why = ", ".join(f"{reason} ({number:,})" for reason, number in self.left_out.most_common())
            verb = "is" if unlabelled == 1 else "are"
            notes.insert(0, f"{unlabelled:,} of {self.n_rows:,} rows {verb} left out: {why}.")
        return tuple(notes)

    def _told_twice(self) -> Iterator[str]:
        """List ids that occur several times in a fold, with their labels."""
        if self._twice:
            labels = self._columns["label"]
            which = [
                f"{name} ({', '.join(labels[row] for row in (self._seen[name][0], *rows))})"
                for name, rows in self._twice.items()
            ]
            verb = "id occurs" if len(which) == 1 else "ids occur"
            yield (
                f"{len(which):,} {verb} several times in a fold: {listed(which)}. Each row is a separate example: "
                "all count in a test part, but only the first of each input in a training part."
            )

    def _write(self) -> None:
        self._written = self._written or MappedFile()
        self._written.write(self._columns)
        self._characters = 0
        for values in self._columns.values():
            values.clear()

    def _add_again(self, example: dict[str, str], part: Part, where: str) -> str:
        """Give an example of another fold its role in this one; an example that this fold repeats gets its own id.

        Returns the id.
        """
        name, split = example["id"], str(part.split)
        key = _key(name)
        row, first = self._seen[key]
        if not self._folds:
            spelt = "" if key == name else f" in another spelling ({name!r} counts as {key!r})"
            raise DataError(
                f"{where}: id '{name}' is repeated, first in {first}{spelt}.",
                "Correct it, or remove source.columns.id. Rows are then numbered.",
            )
        known = [row, *self._twice.get(key, ())]
        free = [each for each in known if not self._columns[split][each]]
        for each in free:
            if self._difference(example, each, part) is None:
                self._columns[split][each] = part.role
                self.again = True
                return self._columns["id"][each]
        if free:
            raise DataError(f"{where}: the {self._difference(example, row, part)} of '{name}' differs from {first}.")
        if any(self._columns[column][row] != example[column] for column in self._inputs):
            raise DataError(
                f"{where}: id '{name}' is repeated in {part.split}, first in {first}, with another input.",
                "List more columns in source.columns.id. Together, they must be different for different inputs.",
            )
        number = next(n for n in count(len(known) + 1) if _key(f"{name}#{n}") not in self._seen)
        self._twice.setdefault(key, []).append(len(self))
        own = f"{name}#{number}"
        self._add({**example, "id": own}, part, where)
        return own

    def _difference(self, example: dict[str, str], row: int, part: Part) -> str | None:
        """The first column in which an example differs from a row; None if it is the same example."""
        names = (name for name in example if name not in ("id", part.split))
        return next((name for name in names if self._columns[name][row] != example[name]), None)


def _key(name: str) -> str:
    """The normal form of an id."""
    return name_key(name, fold_case=False)


def _role(value: str, where: str) -> str:
    role = role_of(value)
    if role is None:
        raise DataError(
            f"{where}: '{value}' is not a part of a split.",
            f"Write {all_of(ROLES).replace(' and ', ' or ')} there, or leave the cell empty: the row is then left "
            "out. Without a published split, remove the column.",
        )
    return role
