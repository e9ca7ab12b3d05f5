"""Tables with one example in each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from bench.data.dates import DAY_FIRST
from bench.data.published import find_file
from bench.data.section import Section
from bench.data.sources.cells import SHIFTED, LeftOut, Rows
from bench.data.sources.examples import Examples, Part
from bench.data.sources.formats import FORM_KEYS, form_of
from bench.data.sources.further import Further
from bench.data.sources.gaps import GAP_OF_CELLS, place_in
from bench.data.sources.records import Records
from bench.data.sources.table_columns import DRAWN, TABLE_COLUMNS, ColumnRoles, example_of, exploded, gap_of
from bench.data.task import DEV, ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet


FOLD = "{fold}"
"""The placeholder in a file's name for the number of a published fold."""


def from_table(
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    mirror: Path | None,
    further: Further | None = None,
) -> Records:
    """Read a table's rows, each with the columns that the task's file names.

    A row of JSON Lines whose label is a list gives an example for each label, with the items at the same
    place of its other lists.
    """
    source.check_keys(("kind", "path", "columns"), (*FORM_KEYS, "folds", DAY_FIRST, "download"))

    def rows_of(part: Part) -> tuple[str, Rows]:
        path = find_file(source, part.path, mirror)
        labels_file = None if part.labels is None else find_file(source, part.labels, mirror)
        return str(path), form_of(source, part.path, labels_file).rows(path)

    return read_parts(source, inputs, labels, _parts(source), rows_of, further)


def read_parts(
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    parts: Sequence[Part],
    rows_of: Callable[[Part], tuple[str, Rows]],
    further: Further | None = None,
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
        The parts to read, in order.
    rows_of : callable
        Returns a part's name, for errors, and its rows.
    further : Further, optional
        Receives another column.

    Raises
    ------
    bench.errors.UserError
        If the section is malformed, or a row is invalid.
    """
    columns = source.section("columns", "such as {text: body, label: class}")
    columns.check_keys((*inputs, "label"), tuple(set(TABLE_COLUMNS) - {*inputs, "label"}))
    named = ColumnRoles.parse(columns, inputs, labels, source.choice(DAY_FIRST))
    names = named.cells
    splits = tuple(dict.fromkeys(part.split for part in parts if part.split is not None))
    if splits and columns.content.get("split") is not None:
        raise ConfigError(f"{columns.where('split')} is set, but source.path already has a file for each part.")
    if len(splits) > 1 and "id" not in names:
        raise ConfigError(
            f"{columns.where('id')} is missing.", "It identifies the same example in several published folds."
        )
    known = None if not source.flag("allow_shifted") else labels.known
    used = {cell for name in ("id", *inputs, *named.labelled, *named.splits) for cell in names.get(name, ())}
    needed = [name for name in (*inputs, "label", *named.splits) if name not in named.blank]
    found = Examples(labels, named, splits)
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
            items = list(exploded(row, named, where))
            several = isinstance(row.get(names["label"][0]), list)
            for number, (flat, item) in enumerate(items):
                if gap := gap_of(flat, names, needed):
                    found.leave_out(gap, part, where, place_in(where, path, len(parts) > 1))
                else:
                    name = found.add(example_of(flat, item, named, where), part, where)
                    if further is not None:
                        further.add(name, row, used, number if several else None)
            if not items:
                found.left_out["an empty list"] += 1
        if len(found) == before and not found.again:
            found.gaps.check(found.n_rows, names)
            raise _without_examples(path, found.n_rows > before, names["label"][0])
        found.again = False
    found.gaps.check(found.n_rows, names)
    examples = found.frame()
    splits = splits or named.splits
    if splits:
        _check_roles(examples, splits, source)
    others = [name for name in ("group", "value", "date", *DRAWN) if name in names]
    passes = [name for name in named.labelled if name != "label"]
    return Records(
        examples[["id", *inputs, "label", *others, *splits]],
        "group" if "group" in names else "id",
        examples[passes] if passes else None,
        splits=splits,
        notes=found.notes(),
        gaps=found.gaps.told(found.n_rows),
    )


def _parts(source: Section) -> list[Part]:
    path, folds = source.content["path"], source.texts_or_numbers("folds")
    has_labels = source.content.get("labels") is not None
    if not isinstance(path, Mapping):
        if folds:
            raise ConfigError(f"{source.where('folds')} is set, but source.path is not a mapping of train and test.")
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
            raise ConfigError(f"{files.where(role)} must contain {FOLD}, the placeholder for the fold.")
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
        raise ConfigError(f"{files.where(key)} must be one file because its labels are in another one.")
    return names


def _without_examples(path: str, has_rows: bool, label: str) -> DataError:
    """Make the error for a table of which no row is an example."""
    if not has_rows:
        return DataError(f"{path}: the table has a header but no rows.")
    return DataError(
        f"{path}: the table has a header but no row with a label in the column '{label}'.",
        "Name another column of labels in source.columns.label, or with bench new task --label COLUMN.",
    )


def _check_roles(examples: pd.DataFrame, splits: tuple[str, ...], source: Section) -> None:
    for column in splits:
        missing = [role for role in (TRAIN, TEST) if not (examples[column] == role).any()]
        if missing:
            raise DataError(
                f"{source.where('columns.split')}: no example is in '{missing[0]}'.",
                f"A published split needs {TRAIN} and {TEST}. Without one, remove the column.",
            )
