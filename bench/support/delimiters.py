"""Reading CSV with cells of any length."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, Self

LONGEST_CELL = 2**31 - 1
"""Characters of a cell; the module csv by itself refuses an article of 131,073."""


class CsvReader:
    """A `csv.reader` without the limit on cells, which is the module's and stays as it is for others.

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
        self._reader = csv.reader(lines, **settings)

    @property
    def line_num(self) -> int:
        """Lines that were read."""
        return self._reader.line_num

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Any]:
        limit = csv.field_size_limit(LONGEST_CELL)
        try:
            return next(self._reader)
        finally:
            csv.field_size_limit(limit)
