"""Lines that are no rows of their table."""

from __future__ import annotations


class RowError(Exception):
    """A line that is no row of its table.

    Parameters
    ----------
    line : int
        Its number; 0 where the fault is not of one line.
    message : str
        What is wrong with it.
    hint : str
        What to do about it.
    """

    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


class WidthError(RowError):
    """A row that has more or fewer cells than its table has columns."""
