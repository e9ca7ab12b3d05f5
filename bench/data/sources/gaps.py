"""Rows without a text, claim, label or part of a split. They are left out, counted and listed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.data.sources.column_errors import wrong_cell
from bench.errors import DataError

MOST = 0.5
"""The share of empty cells at which a column is probably the wrong one."""

SHOWN = 20
"""Places that a note lists."""

GAP_OF_CELLS = "cells"
"""The gap of a row with shifted cells."""

_LACKS = {"label": "no label", "split": "no part in the published split", GAP_OF_CELLS: "shifted cells"}
"""Descriptions of gaps that are not an empty text."""

_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


class Gaps:
    """The rows that were left out because of an empty cell, by field."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._places: dict[str, list[str]] = {}
        self._first: dict[str, str] = {}

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, name: str, where: str, place: str) -> None:
        """Count a row that lacks the field `name`; `place` is the short form of `where`."""
        self._counts[name] += 1
        self._first.setdefault(name, where)
        places = self._places.setdefault(name, [])
        if len(places) < SHOWN:
            places.append(place)

    def told(self, n_rows: int) -> tuple[str, ...]:
        """How many of all rows have a gap and where, a sentence for each kind."""
        return self._sentences(n_rows, "", "")

    def notes(self, n_rows: int) -> tuple[str, ...]:
        """The same, and that they are left out."""
        return self._sentences(n_rows, " and is left out", " and are left out")

    def _sentences(self, n_rows: int, of_one: str, of_several: str) -> tuple[str, ...]:
        told = []
        for name, count in self._counts.items():
            what = _LACKS.get(name, f"an empty {name}")
            then = f"has {what}{of_one}" if count == 1 else f"have {what}{of_several}"
            more = f" and {count - SHOWN:,} more" if count > SHOWN else ""
            told.append(f"{count:,} of {n_rows:,} rows {then}: {', '.join(self._places[name])}{more}.")
        return tuple(told)

    def check(self, n_rows: int, columns: Mapping[str, Sequence[str]]) -> None:
        """Reject a column that is empty in most rows.

        Raises
        ------
        bench.errors.DataError
            If it is, with the column and the first such row.
        """
        for name, count in self._counts.items():
            if count >= MOST * n_rows and name == GAP_OF_CELLS:
                raise DataError(
                    f"{self._first[name]}: the cells are shifted, as in {count:,} of all {n_rows:,} rows.",
                    "This is too many for typing errors. Check the table's format and its labels.",
                )
            if count >= MOST * n_rows:
                column, counted_rows = columns[name][0], "1 row" if n_rows == 1 else f"{n_rows:,} rows"
                hint = f"Every example needs a {name}. Name its column in source.columns.{name}, or remove these rows."
                if name == "label":
                    hint += " If an empty cell means a label, write that label into it."
                problem = f"is empty, as in {count:,} of all {counted_rows}."
                raise wrong_cell(problem, column, self._first[name], hint)


def is_empty(value: Any) -> bool:
    r"""Whether a cell has no visible character.

    Examples
    --------
    >>> is_empty(" \u200b"), is_empty(None), is_empty(0), is_empty("0")
    (True, True, False, False)
    """
    return value is None or (isinstance(value, str) and not _UNSEEN.sub("", value).strip())


def place_in(where: str, path: str, several: bool) -> str:
    """Name a row's place in a note: without the file if there is only one.

    Examples
    --------
    >>> place_in("data/a.csv, line 3", "data/a.csv", False), place_in("data/a.csv, line 3", "data/a.csv", True)
    ('line 3', 'a.csv, line 3')
    """
    line = where.removeprefix(f"{path}, ")
    return f"{Path(path).name}, {line}" if several else line
