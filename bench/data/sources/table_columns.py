"""The columns of a table that a task's file names, and the examples that rows have in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data.dates import DATE
from bench.data.drawn import PROBABILITY, STRATUM
from bench.data.messages import check_name, not_text
from bench.data.section import Section
from bench.data.sources.cells import Undecided
from bench.data.sources.column_errors import check_cell, date_of_cell, unknown_column, wrong_cell
from bench.data.sources.gaps import is_empty
from bench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from bench.data.labels import LabelSet


TABLE_COLUMNS = (
    *("id", "text", "claim", "label", "group", "value", "date", "split", "passes"),
    *("stratum", "probability"),
)
"""The columns that a table can give a task."""

DRAWN = (STRATUM, PROBABILITY)
"""Those that say how an example was drawn; they are empty for one that was not drawn at a known rate."""

SEVERAL = ("id", "split", "passes")
"""Those that can be several columns of the table."""

PASS = "pass-"
"""The prefix of annotation passes' names, before their number."""


@dataclass(frozen=True)
class ColumnRoles:
    """The roles of a table's columns.

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
    day_first : bool or None
        How dates with the year last are read.
    """

    cells: dict[str, list[str]]
    labelled: tuple[str, ...]
    splits: tuple[str, ...]
    blank: frozenset[str]
    day_first: bool | None = None

    @classmethod
    def parse(
        cls, columns: Section, inputs: tuple[str, ...], labels: LabelSet, day_first: bool | None = None
    ) -> ColumnRoles:
        """Check the section ``source.columns`` of a task's file.

        Raises
        ------
        bench.errors.ConfigError
            If a name is missing or not allowed.
        """
        given = {name: columns.names(name) for name in TABLE_COLUMNS if columns.content.get(name) is not None}
        if "claim" in given and "claim" not in inputs:
            raise ConfigError(f"{columns.where('claim')} is set, but the inputs are [{', '.join(inputs)}].")
        for name, cells in given.items():
            if len(cells) > 1 and name not in SEVERAL:
                raise ConfigError(
                    f"{columns.where(name)} must name one column.", f"Only {all_of(SEVERAL)} can have several."
                )
        role: dict[str, str] = {}
        for name in (*inputs, "label"):
            other = role.setdefault(given[name][0], name)
            if other != name:
                raise ConfigError(f"{columns.where(name)} names '{given[name][0]}', which is already the {other}.")
        passes = {f"{PASS}{number}": [cell] for number, cell in enumerate(given.pop("passes", ()), start=1)}
        splits = {cell: [cell] for cell in given.get("split", ())}
        if len(splits) > 1:
            if taken := [cell for cell in splits if cell in TABLE_COLUMNS or cell in passes]:
                raise ConfigError(f"{columns.where('split')}: none of several splits can be named '{taken[0]}'.")
            del given["split"]
        elif splits:
            splits = {"split": given["split"]}
        labelled = ("label", *passes)
        blank = {DATE, *DRAWN, *(splits if len(splits) > 1 else ()), *(labelled if "" in labels.mapping else ())}
        return cls(given | passes | splits, labelled, tuple(splits), frozenset(blank), day_first)


def all_of(names: Sequence[str]) -> str:
    """Join names by commas and an "and"."""
    return f"{', '.join(names[:-1])} and {names[-1]}"


def exploded(
    row: Mapping[str, object], named: ColumnRoles, where: str
) -> Iterator[tuple[Mapping[str, object], int | None]]:
    """The row unchanged or, if its label is a list, a numbered row for each item of its lists."""
    lists: dict[str, list[object]] = {}
    if isinstance(row.get(named.cells["label"][0]), list):
        used = [column for cells in named.cells.values() for column in cells]
        lists = {column: cells for column in used if isinstance(cells := row.get(column), list)}
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


def gap_of(row: Mapping[str, object], names: Mapping[str, list[str]], needed: Sequence[str]) -> str | None:
    """The first required field of which a row has an empty cell."""
    columns = ((name, names[name][0]) for name in needed)
    return next((name for name, column in columns if column in row and is_empty(row[column])), None)


def example_of(row: Mapping[str, object], item: int | None, named: ColumnRoles, where: str) -> dict[str, str]:
    """An example of a row; `item` is its number if several of one row share an id."""
    example = {
        name: "/".join([_cell(row, column, name, named, where) for column in cells])
        for name, cells in named.cells.items()
    }
    if item is not None and "id" in example:
        example["id"] += f"/{item + 1}"
    return example


def _cell(row: Mapping[str, object], column: str, name: str, named: ColumnRoles, where: str) -> str:
    if column not in row:
        raise unknown_column(column, row, where)
    value = row[column]
    if isinstance(value, Undecided):
        raise DataError(f"{where}: {value.message}", value.hint)
    if name == DATE:
        return date_of_cell(value, column, where, named.day_first)
    if isinstance(value, float) and math.isnan(value):
        value = None
    if value is None and name not in named.blank:
        needed = f"Every example needs {'an' if name == 'id' else 'a'} {name}. Add it, or remove the row."
        raise wrong_cell("has no value.", column, where, needed)
    if isinstance(value, bool) and name in named.labelled:
        value = str(value).lower()
    if isinstance(value, float) and abs(value) >= 2**53:
        problem = f"has {value!r}, a floating-point number that has lost its last digits."
        raise wrong_cell(problem, column, where, "Write it as a whole number or as text.")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not value and name in named.blank:
        return ""
    if not isinstance(value, str):
        problem, hint = not_text(value)
        raise wrong_cell(problem, column, where, hint)
    if not value.strip():
        raise wrong_cell("is empty.", column, where, f"Every example needs {'an' if name == 'id' else 'a'} {name}.")
    check_cell(value, column, where)
    if name == "id":
        check_name(value, where, name)
    return value
