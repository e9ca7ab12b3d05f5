"""Rows that an unclosed quotation mark has made part of another one's cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.data.sources.row_errors import RowError

MANY = 20
"""Rows from which a value that none of them has speaks against a row."""


FEW = 50
"""Different values up to which a column's values tell a row from a text."""


class Swallowed:
    """Finds quoted texts that have taken in rows, since a quotation mark was never closed.

    All lines of such a row are as wide as rows, and most of their other cells hold what these columns hold in other
    rows: one of a few values, or a number.

    Parameters
    ----------
    delimiter : str
        What stands between cells.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._values: dict[int, set[str]] = {}
        self._numeric: set[int] = set()
        self._n_rows = 0
        self._rows: list[tuple[int, int, list[list[str]]]] = []
        self.doubtful = 0

    def see(self, line: int, cells: Sequence[str], taken: Sequence[str]) -> None:
        """Take in a row with its lines."""
        width = len(cells)
        if len(taken) > 1 and width > 1 and len(self._rows) < FEW:
            parts = [each.rstrip("\r\n").split(self._delimiter) for each in taken if each.strip("\r\n")]
            if all(len(part) == width for part in parts):
                text = next(column for column, cell in enumerate(cells) if "\n" in cell or "\r" in cell)
                self._rows.append((line, text, parts))
                return
        if not self._n_rows:
            self._values, self._numeric = {column: set() for column in range(width)}, set(range(width))
        self._n_rows += 1
        for column, values in list(self._values.items()):
            values.add(cells[column])
            if len(values) > FEW:
                del self._values[column]
        self._numeric -= {column for column in self._numeric if not cells[column].isdigit()}

    def check(self) -> None:
        """Count the rows of which nothing tells whether they have taken in others, in `doubtful`.

        Raises
        ------
        RowError
            If one has.
        """
        for line, text, parts in self._rows:
            others = [(column, cell) for column, cell in _others(parts, text) if self._tells(column)]
            told = [self._has(column, cell) for column, cell in others]
            self.doubtful += not any(self._is_closed(column) for column, _ in others)
            if told and sum(told) >= len(told) / 2:
                raise RowError(
                    line,
                    f"a text in quotation marks takes in what look like {len(parts)} rows.",
                    "Most likely a mark is not closed. Mend it, or say by --format and --quote that this is one text.",
                )

    def _tells(self, column: int) -> bool:
        """Whether a column has few values, or numbers alone."""
        return bool(self._values.get(column)) or column in self._numeric

    def _is_closed(self, column: int) -> bool:
        """Whether a column has so few values in so many rows that another one is not expected."""
        return self._n_rows >= MANY and (column in self._numeric or len(self._values[column]) <= self._n_rows / 5)

    def _has(self, column: int, cell: str) -> bool:
        if column in self._numeric:
            return cell.isdigit()
        return bool({cell, cell.strip("\"'")} & self._values.get(column, set()))


def _others(parts: Sequence[Sequence[str]], text: int) -> Iterator[tuple[int, str]]:
    """The cells of a row's lines, with their columns, that would be other cells than its text if each were a row."""
    for number, part in enumerate(parts):
        for column, cell in enumerate(part):
            own = (column < text and number == 0) or (column > text and number == len(parts) - 1)
            if column != text and not own:
                yield column, cell
