"""Reading CSV with cells of any length and with any character."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, Self

LONGEST_CELL = 2**31 - 1
"""Characters of a cell; the module csv by itself refuses an article of 131,073."""


HELD = "\udc0d"
"""Half a surrogate pair, which no decoded text contains, in place of a carriage return within a line."""


class CsvReader:
    """A `csv.reader` that takes a carriage return within a line as text, and a cell of any length.

    The limit on cells is the module's, and stays as it is for others.

    Parameters
    ----------
    lines : iterable of str
        The lines with their ends.
    **settings
        Passed to `csv.reader`.

    Examples
    --------
    >>> [len(cell) for cell in next(CsvReader(["a" * 200_000 + ";b"], delimiter=";"))]
    [200000, 1]
    """

    def __init__(self, lines: Iterable[str], **settings: Any) -> None:
        self._reader = csv.reader(map(self._hold, lines), **settings)
        self._holds = False

    @property
    def line_num(self) -> int:
        """Lines that were read."""
        return self._reader.line_num

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Any]:
        limit = csv.field_size_limit(LONGEST_CELL)
        try:
            row = next(self._reader)
        finally:
            csv.field_size_limit(limit)
        if not self._holds:
            return row
        self._holds = False
        return [cell.replace(HELD, "\r") if isinstance(cell, str) else cell for cell in row]

    def _hold(self, line: str) -> str:
        """The line with `HELD` for each carriage return before its end, where `csv.reader` would end the row."""
        text = line.rstrip("\r\n")
        if "\r" not in text:
            return line
        self._holds = True
        return text.replace("\r", HELD) + line[len(text) :]
