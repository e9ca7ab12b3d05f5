"""Tables with an example a row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.data.files import check_characters
from bench.data.mapped import LARGE, MappedFile
from bench.data.messages import check_name, listed
from bench.data.published import find_file
from bench.data.section import Section
from bench.data.sources.cells import SHIFTED, LeftOut, Undecided
from bench.data.sources.formats import FORM_KEYS, Rows, form_of
from bench.data.sources.gaps import GAP_OF_CELLS, Gaps, is_empty, place_in
from bench.data.sources.records import Records
from bench.data.sources.roles import role_of
from bench.data.task import DEV, ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError, nearest
from bench.text.identity import name_key

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet

TABLE_COLUMNS = ("id", "text", "claim", "label", "group", "value", "split", "passes")
"""The columns that a table can give a task."""

SEVERAL = ("id", "split", "passes")
"""Those of them that can be several columns of the table."""

PASS = "pass-"
"""What the names of annotation passes begin with; their number follows."""

FOLD = "{fold}"
"""Stands in a file's name for the number of a published fold."""


@dataclass(frozen=True)
class Part:
    """One of a table's files.

    Parameters
    ----------
    path : str
        As the task's file has it.
    split : str or None
        The column of `Records.splits` that the file's examples have their role in; None where files have none.
    role : str
        The role of the file's examples.
    labels : str or None
        The file of their labels, where they stand in another one.
    """

    path: str
    split: str | None = None
    role: str = ""
    labels: str | None = None


def from_table(source: Section, inputs: tuple[str, ...], labels: LabelSet, mirror: Path | None) -> Records:
    """Read a table's rows, each with the columns that the task's file names.

    A row of JSON Lines whose label is a list gives an example for each label, with the items that stand at the same
    place of its other lists.
    """
    source.check_keys(("kind", "path", "columns"), (*FORM_KEYS, "folds", "download"))

    def rows_of(part: Part) -> tuple[str, Rows]:
        path = find_file(source, part.path, mirror)
        labels_file = None if part.labels is None else find_file(source, part.labels, mirror)
        return str(path), form_of(source, part.path, labels_file).rows(path)

    return read_parts(source, inputs, labels, _parts(source), rows_of)


def read_parts(
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    parts: Sequence[Part],
    rows_of: Callable[[Part], tuple[str, Rows]],
) -> Records:
    """Read the rows of a source's parts, each with the columns that ``source.columns`` names.

    Parameters
    ----------
    source : Section
        The source's section of the task's file.
    inputs : tuple of str
        The input columns.
    labels : LabelSet
        The task's labels.
    parts : sequence of Part
        What is read, in this order.
    rows_of : callable
        Gives a part's name, for errors, and its rows.

    Raises
    ------
    bench.errors.UserError
        If the section is malformed, or a row breaks its contract.
    """
    columns = source.section("columns", "such as {text: body, label: class}")
    columns.check_keys((*inputs, "label"), tuple(set(TABLE_COLUMNS) - {*inputs, "label"}))
    named = _Columns.parse(columns, inputs, labels)
    names = named.cells
    splits = tuple(dict.fromkeys(part.split for part in parts if part.split is not None))
    if splits and columns.content.get("split") is not None:
        raise ConfigError(f"{columns.where('split')} is given, but source.path has a file for each part already.")
    if len(splits) > 1 and "id" not in names:
        raise ConfigError(
            f"{columns.where('id')} is missing.", "It tells which examples of published folds are the same."
        )
    known = None if not source.flag("allow_shifted") else labels.known
    needed = [name for name in (*inputs, "label", *named.splits) if name not in named.blank]
    found = _Examples(labels, named, splits)
    for part in parts:
        path, rows = rows_of(part)
        before = len(found)
        for where, row in rows:
            cell = row.get(names["label"][0])
            if cell == SHIFTED or (known is not None and isinstance(cell, str) and cell.strip() and cell not in known):
                found.leave_out(GAP_OF_CELLS, part, where, place_in(where, path, len(parts) > 1))
                continue
            if isinstance(cell, LeftOut):
                found.left_out[cell.reason] += 1
                continue
            items = list(_exploded(row, named, where))
            for flat, item in items:
                if gap := _gap(flat, names, needed):
                    found.leave_out(gap, part, where, place_in(where, path, len(parts) > 1))
                else:
                    found.add(_example(flat, item, named, where), part, where)
            if not items:
                found.left_out["an empty list"] += 1
        if len(found) == before and not found.again:
            found.gaps.check(found.n_rows, names)
            which = "no row with a label" if found.n_rows > before else "no rows"
            raise DataError(f"{path}: the table has a header but {which}.")
        found.again = False
    found.gaps.check(found.n_rows, names)
    examples = found.frame()
    splits = splits or named.splits
    if splits:
        _check_roles(examples, splits, source)
    further = [name for name in ("group", "value") if name in names]
    passes = [name for name in named.labelled if name != "label"]
    return Records(
        examples[["id", *inputs, "label", *further, *splits]],
        "group" if "group" in names else "id",
        examples[passes] if passes else None,
        splits=splits,
        notes=found.notes(),
        gaps=found.gaps.told(found.n_rows),
    )


@dataclass(frozen=True)
class _Columns:
    """Which of a table's columns is what.

    Parameters
    ----------
    cells : dict of str to list of str
        The table's columns for each of the examples'; each pass and split has a name of its own.
    labelled : tuple of str
        Those of the examples' columns that hold labels: the label and the passes.
    splits : tuple of str
        Those that hold splits: ``split``, or as the table calls them where there are several.
    blank : frozenset of str
        Those that may be empty.
    """

    cells: dict[str, list[str]]
    labelled: tuple[str, ...]
    splits: tuple[str, ...]
    blank: frozenset[str]

    @classmethod
    def parse(cls, columns: Section, inputs: tuple[str, ...], labels: LabelSet) -> _Columns:
        given = {name: columns.names(name) for name in TABLE_COLUMNS if columns.content.get(name) is not None}
        if "claim" in given and "claim" not in inputs:
            raise ConfigError(f"{columns.where('claim')} is given, but the inputs are [{', '.join(inputs)}].")
        for name, cells in given.items():
            if len(cells) > 1 and name not in SEVERAL:
                raise ConfigError(
                    f"{columns.where(name)} must name one column.", f"Only {_all_of(SEVERAL)} take several."
                )
        role: dict[str, str] = {}
        for name in (*inputs, "label"):
            other = role.setdefault(given[name][0], name)
            if other != name:
                raise ConfigError(f"{columns.where(name)} names '{given[name][0]}', which is the {other} already.")
        passes = {f"{PASS}{number}": [cell] for number, cell in enumerate(given.pop("passes", ()), start=1)}
        splits = {cell: [cell] for cell in given.get("split", ())}
        if len(splits) > 1:
            if taken := [cell for cell in splits if cell in TABLE_COLUMNS or cell in passes]:
                raise ConfigError(f"{columns.where('split')}: one of several splits cannot be called '{taken[0]}'.")
            del given["split"]
        elif splits:
            splits = {"split": given["split"]}
        labelled = ("label", *passes)
        blank = {*(splits if len(splits) > 1 else ()), *(labelled if "" in labels.mapping else ())}
        return cls(given | passes | splits, labelled, tuple(splits), frozenset(blank))


class _Examples:
    """The examples so far, column by column; where there are many, most are in a file already."""

    def __init__(self, labels: LabelSet, named: _Columns, splits: tuple[str, ...]) -> None:
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

    def add(self, example: dict[str, str], part: Part, where: str) -> None:
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
            self._add_again(example, part, where)
            return
        self._add(example, part, where)

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
        """Count a row that lacks what `gap` names; rows are numbered with it."""
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
        """Which ids stand several times in a fold, and with which labels."""
        if self._twice:
            labels = self._columns["label"]
            which = [
                f"{name} ({', '.join(labels[row] for row in (self._seen[name][0], *rows))})"
                for name, rows in self._twice.items()
            ]
            verb = "id stands" if len(which) == 1 else "ids stand"
            yield (
                f"{len(which):,} {verb} several times in a fold: {listed(which)}. Each row is an example of its own: "
                "all count in a test part, and the first of an input in training."
            )

    def _write(self) -> None:
        self._written = self._written or MappedFile()
        self._written.write(self._columns)
        self._characters = 0
        for values in self._columns.values():
            values.clear()

    def _add_again(self, example: dict[str, str], part: Part, where: str) -> None:
        """Give an example of another fold its role in this one; one that this fold has twice gets its own id."""
        name, split = example["id"], str(part.split)
        key = _key(name)
        row, first = self._seen[key]
        if not self._folds:
            spelt = "" if key == name else f" spelt otherwise ({name!r} counts as {key!r})"
            raise DataError(
                f"{where}: id '{name}' stands twice, first in {first}{spelt}.",
                "Correct it, or leave source.columns.id out: the rows are then numbered.",
            )
        known = [row, *self._twice.get(key, ())]
        free = [each for each in known if not self._columns[split][each]]
        for each in free:
            if self._difference(example, each, part) is None:
                self._columns[split][each] = part.role
                self.again = True
                return
        if free:
            raise DataError(
                f"{where}: the {self._difference(example, row, part)} of '{name}' is another than in {first}."
            )
        if any(self._columns[column][row] != example[column] for column in self._inputs):
            raise DataError(
                f"{where}: id '{name}' stands twice in {part.split}, first in {first}, with another input.",
                "Name more columns in source.columns.id, as a list: together they must tell the inputs apart.",
            )
        number = next(n for n in count(len(known) + 1) if _key(f"{name}#{n}") not in self._seen)
        self._twice.setdefault(key, []).append(len(self))
        self._add({**example, "id": f"{name}#{number}"}, part, where)

    def _difference(self, example: dict[str, str], row: int, part: Part) -> str | None:
        """The first column in which an example differs from a row; None where it is the same example."""
        names = (name for name in example if name not in ("id", part.split))
        return next((name for name in names if self._columns[name][row] != example[name]), None)


def _key(name: str) -> str:
    """The form in which ids are the same."""
    return name_key(name, fold_case=False)


def _all_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _parts(source: Section) -> list[Part]:
    path, folds = source.content["path"], source.texts_or_numbers("folds")
    has_labels = source.content.get("labels") is not None
    if not isinstance(path, Mapping):
        if folds:
            raise ConfigError(f"{source.where('folds')} is given, but source.path is no mapping of train and test.")
        labels = source.text("labels") if has_labels else None
        return [Part(name, labels=labels) for name in _one_or_more(source, "path", labels)]
    files = source.section("path", "such as {train: train.csv, test: test.csv}, or one file")
    files.check_keys((TRAIN, TEST), (DEV,))
    beside = source.section("labels", "such as {train: train.labels, test: test.labels}") if has_labels else None
    if beside is not None:
        beside.check_keys(tuple(files.content), ())
    named = {role: None if beside is None else beside.text(role) for role in ROLES if role in files.content}
    for role in files.content:
        if folds and any(FOLD not in name for name in files.names(role)):
            raise ConfigError(f"{files.where(role)} must have {FOLD} in it, which stands for the fold.")
    if not folds:
        return [
            Part(name, "split", role, labels)
            for role, labels in named.items()
            for name in _one_or_more(files, role, labels)
        ]
    return [
        Part(name.replace(FOLD, fold), f"fold-{fold}", role, labels and labels.replace(FOLD, fold))
        for fold in folds
        for role, labels in named.items()
        for name in _one_or_more(files, role, labels)
    ]


def _one_or_more(files: Section, key: str, labels: str | None) -> list[str]:
    """The file under a key, or the list of the pieces of a table."""
    names = files.names(key)
    if labels is not None and len(names) > 1:
        raise ConfigError(f"{files.where(key)} must be one file, since its labels are in another one.")
    return names


def _exploded(row: Mapping[str, Any], named: _Columns, where: str) -> Iterator[tuple[Mapping[str, Any], int | None]]:
    """A row as it is or, where its label is a list, a row for each place of its lists, with its number."""
    lists = {}
    if isinstance(row.get(named.cells["label"][0]), list):
        used = [column for cells in named.cells.values() for column in cells]
        lists = {column: row[column] for column in used if isinstance(row.get(column), list)}
    lengths = {len(items) for items in lists.values()}
    if len(lengths) > 1:
        counts = ", ".join(f"'{column}' has {len(items)}" for column, items in lists.items())
        raise DataError(f"{where}: lists of one row must be equally long, but {counts}.")
    if not lists:
        yield row, None
        return
    for item in range(*lengths):
        flat = {**row, **{column: items[item] for column, items in lists.items()}}
        yield flat, None if lists.keys() & set(named.cells.get("id", ())) else item


def _gap(row: Mapping[str, Any], names: Mapping[str, list[str]], needed: Sequence[str]) -> str | None:
    """What a row has a column for, but an empty cell in it, although every example needs it."""
    columns = ((name, names[name][0]) for name in needed)
    return next((name for name, column in columns if column in row and is_empty(row[column])), None)


def _example(row: Mapping[str, Any], item: int | None, named: _Columns, where: str) -> dict[str, str]:
    """An example of a row; `item` is its number where several of one row share their id."""
    example = {
        name: "/".join([_cell(row, column, name, named, where) for column in cells])
        for name, cells in named.cells.items()
    }
    if item is not None and "id" in example:
        example["id"] += f"/{item + 1}"
    return example


def _cell(row: Mapping[str, Any], column: str, name: str, named: _Columns, where: str) -> str:
    if column not in row:
        raise DataError(f"{where}: there is no column '{column}'.", nearest(column, row))
    value = row[column]
    if isinstance(value, Undecided):
        raise DataError(f"{where}: {value.message}", value.hint)
    if isinstance(value, float) and math.isnan(value):
        value = None
    if value is None and name not in named.blank:
        raise DataError(
            f"{where}: column '{column}' has no value.",
            f"Every example needs {'an' if name == 'id' else 'a'} {name}: give it one, or take the row out.",
        )
    if isinstance(value, bool) and name in named.labelled:
        value = str(value).lower()
    if isinstance(value, float) and abs(value) >= 2**53:
        raise DataError(
            f"{where}: column '{column}' holds {value!r}, a floating-point number whose last digits are lost.",
            "Write it as a whole number or as text.",
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not value and name in named.blank:
        return ""
    if not isinstance(value, str):
        raise DataError(f"{where}: column '{column}' must hold text, not {value!r}.")
    if not value.strip():
        raise DataError(
            f"{where}: column '{column}' is empty.", f"Every example needs {'an' if name == 'id' else 'a'} {name}."
        )
    check_characters(value, where, f"column '{column}'")
    if name == "id":
        check_name(value, where, name)
    return value


def _role(value: str, where: str) -> str:
    role = role_of(value)
    if role is None:
        raise DataError(
            f"{where}: '{value}' is no part of a split.",
            f"Write {_all_of(ROLES).replace(' and ', ' or ')} there, or leave the cell empty: its row is then left "
            "out. Without a published split leave the column out.",
        )
    return role


def _check_roles(examples: pd.DataFrame, splits: tuple[str, ...], source: Section) -> None:
    for column in splits:
        missing = [role for role in (TRAIN, TEST) if not (examples[column] == role).any()]
        if missing:
            raise DataError(
                f"{source.where('columns.split')}: no example is in '{missing[0]}'.",
                f"A published split needs {TRAIN} and {TEST}; without it leave the column out.",
            )
