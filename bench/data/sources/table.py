"""Tables with an example a row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.data.files import check_characters
from bench.data.mapped import LARGE, MappedFile
from bench.data.messages import check_name
from bench.data.sources.cells import LeftOut, Undecided
from bench.data.sources.formats import FORMATS, Rows, format_of
from bench.data.sources.records import Records
from bench.data.sources.section import Section
from bench.data.task import DEV, ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError, nearest
from bench.text.identity import name_key

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet

TABLE_COLUMNS = ("id", "text", "claim", "label", "group", "split", "passes")
"""The columns that a table can give a task."""

SEVERAL = ("id", "split", "passes")
"""Those of them that can be several columns of the table."""

PASS = "pass-"
"""What the names of annotation passes begin with; their number follows."""

ROLE_NAMES = {name: name for name in ROLES} | {
    "training": TRAIN,
    "development": DEV,
    "validation": DEV,
    "valid": DEV,
    "val": DEV,
    "testing": TEST,
}
"""What a table may call its parts."""

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
    """

    path: str
    split: str | None = None
    role: str = ""


def from_table(source: Section, inputs: tuple[str, ...], labels: LabelSet, mirror: Path | None) -> Records:
    """Read a table's rows, each with the columns that the task's file names.

    A row of JSON Lines whose label is a list gives an example for each label, with the items that stand at the same
    place of its other lists.
    """
    source.check_keys(("kind", "path", "columns"), ("format", "folds", "download"))

    def rows_of(part: Part) -> tuple[str, Rows]:
        path = source.file(part.path, mirror)
        return str(path), FORMATS[format_of(part.path, source.content.get("format"), source.where("format"))](path)

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
    found = _Examples(labels, named, splits)
    for part in parts:
        path, rows = rows_of(part)
        before = len(found)
        for where, row in rows:
            if isinstance(cell := row.get(names["label"][0]), LeftOut):
                found.left_out[cell.reason] += 1
                continue
            for example in _exploded(row, named, where):
                found.add(example, part, where)
        if len(found) == before and not found.again:
            which = "no rows" if not found.left_out else "no row with a label"
            raise DataError(f"{path}: the table has a header but {which}.")
        found.again = False
    examples = found.frame()
    splits = splits or named.splits
    if splits:
        _check_roles(examples, splits, source)
    further = ["group"] if "group" in names else []
    passes = [name for name in named.labelled if name != "label"]
    return Records(
        examples[["id", *inputs, "label", *further, *splits]],
        "group" if "group" in names else "id",
        examples[passes] if passes else None,
        splits=splits,
        notes=found.notes(),
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
        self._labels, self._named, self._folds = labels, "id" in named.cells, len(splits) > 1
        self._labelled, self._own_splits, self._splits = named.labelled, named.splits, splits
        self._seen: dict[str, tuple[int, str]] = {}
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
            number = self._counts[part.role] = self._counts.get(part.role, 0) + 1
            example["id"] = f"{part.role}-{number}" if part.role else str(number)
        elif (key := name_key(example["id"], fold_case=False)) in self._seen:
            self._add_again(example, part, where, *self._seen[key])
            return
        else:
            self._seen[key] = len(self), where
        for name, values in self._columns.items():
            values.append("" if name in self._splits and name != part.split else example[name])
        self._count += 1
        self._characters += sum(map(len, example.values()))
        if self._characters > LARGE // 4 and not self._folds:  # folds can still change an example
            self._write()

    def frame(self) -> pd.DataFrame:
        """All examples."""
        if self._written is None:
            return pd.DataFrame(self._columns)
        self._write()
        return self._written.frame()

    def notes(self) -> tuple[str, ...]:
        """What was left out, as a sentence."""
        count = self.left_out.total()
        if not count:
            return ()
        why = ", ".join(f"{reason} ({number:,})" for reason, number in self.left_out.most_common())
        verb = "is" if count == 1 else "are"
        return (f"{count:,} of {count + len(self):,} rows {verb} left out: {why}.",)

    def _write(self) -> None:
        self._written = self._written or MappedFile()
        self._written.write(self._columns)
        self._characters = 0
        for values in self._columns.values():
            values.clear()

    def _add_again(self, example: dict[str, str], part: Part, where: str, row: int, first: str) -> None:
        """Give an example that another fold has too its role in this one."""
        if not self._folds or self._columns[str(part.split)][row]:
            key = name_key(example["id"], fold_case=False)
            spelt = "" if key == example["id"] else f" spelt otherwise ({example['id']!r} counts as {key!r})"
            raise DataError(
                f"{where}: id '{example['id']}' stands twice, first in {first}{spelt}.",
                "Correct it, or leave source.columns.id out: the rows are then numbered.",
            )
        for name, value in example.items():
            if name != part.split and self._columns[name][row] != value:
                raise DataError(f"{where}: the {name} of '{example['id']}' is another than in {first}.")
        self._columns[str(part.split)][row] = part.role
        self.again = True


def _all_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _parts(source: Section) -> list[Part]:
    path, folds = source.content["path"], source.texts_or_numbers("folds")
    if isinstance(path, str):
        if folds:
            raise ConfigError(f"{source.where('folds')} is given, but source.path is no mapping of train and test.")
        return [Part(source.text("path"))]
    files = source.section("path", "such as {train: train.csv, test: test.csv}, or one file")
    files.check_keys((TRAIN, TEST), (DEV,))
    for role in files.content:
        if folds and FOLD not in files.text(role):
            raise ConfigError(f"{files.where(role)} must have {FOLD} in it, which stands for the fold.")
    if not folds:
        return [Part(files.text(role), "split", role) for role in ROLES if role in files.content]
    return [
        Part(files.text(role).replace(FOLD, fold), f"fold-{fold}", role)
        for fold in folds
        for role in ROLES
        if role in files.content
    ]


def _exploded(row: Mapping[str, Any], named: _Columns, where: str) -> Iterator[dict[str, str]]:
    """An example of a row, or where its label is a list, of each place of its lists."""
    lists = {}
    if isinstance(row.get(named.cells["label"][0]), list):
        used = [column for cells in named.cells.values() for column in cells]
        lists = {column: row[column] for column in used if isinstance(row.get(column), list)}
    lengths = {len(items) for items in lists.values()}
    if len(lengths) > 1:
        counts = ", ".join(f"'{column}' has {len(items)}" for column, items in lists.items())
        raise DataError(f"{where}: lists of one row must be equally long, but {counts}.")
    for item in range(*lengths) if lists else [None]:
        flat = row if item is None else {**row, **{column: items[item] for column, items in lists.items()}}
        example = {
            name: "/".join([_cell(flat, column, name, named, where) for column in cells])
            for name, cells in named.cells.items()
        }
        if item is not None and "id" in example and not lists.keys() & set(named.cells["id"]):
            example["id"] += f"/{item + 1}"
        yield example


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
    role = ROLE_NAMES.get(value.strip().casefold())
    if role is None:
        raise DataError(f"{where}: '{value}' is no part of a split.", nearest(value, ROLE_NAMES))
    return role


def _check_roles(examples: pd.DataFrame, splits: tuple[str, ...], source: Section) -> None:
    for column in splits:
        missing = [role for role in (TRAIN, TEST) if not (examples[column] == role).any()]
        if missing:
            raise DataError(
                f"{source.where('columns.split')}: no example is in '{missing[0]}'.",
                f"A published split needs {TRAIN} and {TEST}; without it leave the column out.",
            )
