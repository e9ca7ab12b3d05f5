"""Errors about a column of a table, which carry its name."""

from __future__ import annotations

from collections.abc import Iterable

from bench.data.dates import read_date
from bench.data.files import check_characters
from bench.errors import DataError, nearest


class ColumnError(DataError):
    """A cell, or most cells, of a column cannot be read.

    Parameters
    ----------
    message, hint
        As for `bench.errors.BenchError`.
    column : str
        The column.
    """

    def __init__(self, message: str, hint: str | None = None, column: str = "") -> None:
        super().__init__(message, hint)
        self.column = column

    def __reduce__(self) -> tuple[type[ColumnError], tuple[str | None, ...]]:
        return type(self), (self.message, self.hint, self.column)


class UnknownColumnError(ColumnError):
    """A row has no such column."""


def unknown_column(column: str, columns: Iterable[str], where: str) -> UnknownColumnError:
    """Make the error for a row at a place, which has other columns."""
    return UnknownColumnError(f"{where}: unknown column '{column}'.", nearest(column, columns), column)


def wrong_cell(problem: str, column: str, where: str, hint: str | None = None) -> ColumnError:
    """Make the error for a cell, or a column with it as the first such cell; the problem follows the column's name."""
    return ColumnError(f"{where}: column '{column}' {problem}", hint, column)


def date_of_cell(value: object, column: str, where: str, day_first: bool | None) -> str:
    """Read the date of a cell, as `bench.data.dates.read_date` does.

    Raises
    ------
    ColumnError
        If it is not a date, or can be read as two.
    """
    try:
        return read_date(value, f"{where}, column '{column}'", day_first)
    except DataError as error:
        raise ColumnError(error.message, error.hint, column) from error


def check_cell(text: str, column: str, where: str) -> None:
    """Raise a ColumnError if a cell contains half a surrogate pair; see `bench.data.files.check_characters`."""
    try:
        check_characters(text, where, f"column '{column}'")
    except DataError as error:
        raise ColumnError(error.message, error.hint, column) from error
