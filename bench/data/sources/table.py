"""Tables with an example a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.data.published import PublishedFiles
from bench.data.sources.formats import FORMATS, format_of
from bench.data.sources.records import Records
from bench.data.sources.section import Section
from bench.data.task import DEV, ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet

TABLE_COLUMNS = ("id", "text", "claim", "label", "group", "split")
"""The columns that a table can give a task."""

ROLE_NAMES = {name: name for name in ROLES} | {
    "training": TRAIN,
    "development": DEV,
    "validation": DEV,
    "valid": DEV,
    "val": DEV,
    "testing": TEST,
}
"""What a table may call its parts."""

DOWNLOAD = "with from (an address) and sha256 (of each file)"
"""What the section on published files looks like."""

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
    columns = source.section("columns", "such as {text: body, label: class}")
    columns.check_keys((*inputs, "label"), tuple(set(TABLE_COLUMNS) - {*inputs, "label"}))
    names = {name: columns.names(name) for name in TABLE_COLUMNS if columns.content.get(name) is not None}
    if "claim" in names and "claim" not in inputs:
        raise ConfigError(f"{columns.where('claim')} is given, but the inputs are [{', '.join(inputs)}].")
    for name, cells in names.items():
        if len(cells) > 1 and name != "id":
            raise ConfigError(f"{columns.where(name)} must name one column.", "Only id takes several.")
    parts = _parts(source)
    splits = tuple(dict.fromkeys(part.split for part in parts if part.split is not None))
    if splits and "split" in names:
        raise ConfigError(f"{columns.where('split')} is given, but source.path has a file for each part already.")
    if len(splits) > 1 and "id" not in names:
        raise ConfigError(
            f"{columns.where('id')} is missing.", "It tells which examples of published folds are the same."
        )
    found = _Examples(labels, names, splits)
    for part in parts:
        path, format_name = _file(source, part.path, mirror)
        before = len(found.rows)
        for where, row in FORMATS[format_name](path):
            for example in _exploded(row, names, labels, where):
                found.add(example, part, where)
        if len(found.rows) == before and not found.again:
            raise DataError(f"{path}: the table has a header but no rows.")
        found.again = False
    examples = pd.DataFrame(found.rows)
    further = ["group"] if "group" in names else []
    splits = splits or (("split",) if "split" in names else ())
    if splits:
        examples[list(splits)] = examples.reindex(columns=list(splits)).fillna("")
        _check_roles(examples, splits, source)
    group = "group" if "group" in names else "id"
    return Records(examples[["id", *inputs, "label", *further, *splits]], group, splits=splits)


class _Examples:
    """The examples so far, by id."""

    def __init__(self, labels: LabelSet, names: Mapping[str, Any], splits: tuple[str, ...]) -> None:
        self.rows: list[dict[str, str]] = []
        self.again = False
        self._labels, self._named, self._folds = labels, "id" in names, len(splits) > 1
        self._seen: dict[str, tuple[int, str]] = {}
        self._counts: dict[str, int] = {}

    def add(self, example: dict[str, str], part: Part, where: str) -> None:
        example["label"] = self._labels.read(example["label"], where)
        if "split" in example:
            example["split"] = _role(example["split"], where)
        if part.split is not None:
            example[part.split] = part.role
        if not self._named:
            number = self._counts[part.role] = self._counts.get(part.role, 0) + 1
            example["id"] = f"{part.role}-{number}" if part.role else str(number)
        elif example["id"] in self._seen:
            self._add_again(example, part, where)
            return
        self._seen[example["id"]] = len(self.rows), where
        self.rows.append(example)

    def _add_again(self, example: dict[str, str], part: Part, where: str) -> None:
        """Give an example that another fold has too its role in this one."""
        row, first = self._seen[example["id"]]
        known = self.rows[row]
        if not self._folds or part.split in known:
            raise DataError(
                f"{where}: id '{example['id']}' stands twice, first in {first}.",
                "Correct it, or leave source.columns.id out: the rows are then numbered.",
            )
        for name, value in example.items():
            if name != part.split and known[name] != value:
                raise DataError(f"{where}: the {name} of '{example['id']}' is another than in {first}.")
        known[str(part.split)] = part.role
        self.again = True


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


def _file(source: Section, name: str, mirror: Path | None) -> tuple[Path, str]:
    """A file's place on this machine, and its format."""
    format_name = format_of(name, source.content.get("format"), source.where("format"))
    if source.content.get("download") is None:
        return source.path(name), format_name
    published = PublishedFiles.parse(source.section("download", DOWNLOAD))
    return published.bring(name, mirror), format_name


def _exploded(
    row: Mapping[str, Any], names: Mapping[str, list[str]], labels: LabelSet, where: str
) -> Iterator[dict[str, str]]:
    """An example of a row, or where its label is a list, of each place of its lists."""
    lists = {}
    if isinstance(row.get(names["label"][0]), list):
        lists = {
            column: row[column] for cells in names.values() for column in cells if isinstance(row.get(column), list)
        }
    lengths = {len(items) for items in lists.values()}
    if len(lengths) > 1:
        counts = ", ".join(f"'{column}' has {len(items)}" for column, items in lists.items())
        raise DataError(f"{where}: lists of one row must be equally long, but {counts}.")
    for item in range(*lengths) if lists else [None]:
        flat = row if item is None else {**row, **{column: items[item] for column, items in lists.items()}}
        given = {name: [_cell(flat, column, name, labels, where) for column in cells] for name, cells in names.items()}
        example = {name: "/".join(cells) for name, cells in given.items()}
        if item is not None and "id" in example and not lists.keys() & set(names["id"]):
            example["id"] += f"/{item + 1}"
        yield example


def _cell(row: Mapping[str, Any], column: str, name: str, labels: LabelSet, where: str) -> str:
    if column not in row:
        raise DataError(f"{where}: there is no column '{column}'.", nearest(column, row))
    value = row[column]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not value and name == "label" and "" in labels.mapping:
        return ""
    if not isinstance(value, str):
        raise DataError(f"{where}: column '{column}' must hold text, not {value!r}.")
    if not value.strip():
        raise DataError(f"{where}: column '{column}' is empty.", "Every example needs a text and a label.")
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
