"""Rows of a table, and values of a cell that are not a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Row = tuple[str, Mapping[str, object]]
"""A row's place, for errors, and its values by column."""

Rows = Iterable[Row]


@dataclass(frozen=True)
class LeftOut:
    """A missing label: nobody gave one yet, or the annotator rejected the text. The row is left out.

    Parameters
    ----------
    reason : str
        The reason, in a word or two. The task's notes count rows by reason.
    """

    reason: str


SHIFTED = LeftOut("shifted cells")
"""The value of each cell in a row with too many or too few cells, if such rows are left out."""


@dataclass(frozen=True)
class Undecided:
    """Several labels instead of one: an error once the column is read as the label.

    Parameters
    ----------
    message : str
        The problem, to follow the row's place.
    hint : str
        What to do about it.
    """

    message: str
    hint: str
