"""Tables with an example a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.data.sources.formats import table_rows
from bench.data.sources.records import Records
from bench.data.sources.section import Section
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from bench.data.labels import LabelSet

TABLE_COLUMNS = ("id", "text", "claim", "label", "group")
"""The columns that a table can give a task."""


def from_table(source: Section, inputs: tuple[str, ...], labels: LabelSet) -> Records:
    """Read a table's rows, each with the columns that the task's file names."""
    source.check_keys(("kind", "path", "columns"), ())
    if not isinstance(source.content["columns"], Mapping):
        raise ConfigError(f"{source.where('columns')} must be a mapping, such as {{text: body, label: class}}.")
    columns = Section(source.content["columns"], "source.columns", source.origin)
    columns.check_keys((*inputs, "label"), tuple(set(TABLE_COLUMNS) - {*inputs, "label"}))
    names = {name: columns.text(name) for name in TABLE_COLUMNS if columns.content.get(name) is not None}
    if "claim" in names and "claim" not in inputs:
        raise ConfigError(f"{columns.where('claim')} is given, but the inputs are [{', '.join(inputs)}].")
    path = source.path(source.text("path"))
    rows: list[dict[str, str]] = []
    places: list[str] = []
    seen: dict[str, str] = {}
    for where, row in table_rows(path):
        example = {name: _cell(row, column, where) for name, column in names.items()}
        example["label"] = labels.read(example["label"], where)
        if "id" in names:
            if example["id"] in seen:
                raise DataError(
                    f"{where}: id '{example['id']}' stands twice, first in {seen[example['id']]}.",
                    "Correct it, or leave source.columns.id out: the rows are then numbered.",
                )
            seen[example["id"]] = where
        rows.append(example)
        places.append(where)
    if not rows:
        raise DataError(f"{path}: the table has a header but no rows.")
    examples = pd.DataFrame(rows)
    if "id" not in names:
        width = len(str(len(rows)))
        examples["id"] = [f"{number:0{width}d}" for number in range(1, len(rows) + 1)]
    further = ["group"] if "group" in names else []
    return Records(examples[["id", *inputs, "label", *further]], None, *(further or ["id"]))


def _cell(row: Mapping[str, Any], column: str, where: str) -> str:
    if column not in row:
        raise DataError(f"{where}: there is no column '{column}'.", nearest(column, row))
    value = row[column]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise DataError(f"{where}: column '{column}' must hold text, not {value!r}.")
    if not value.strip():
        raise DataError(f"{where}: column '{column}' is empty.", "Every example needs a text and a label.")
    return value
