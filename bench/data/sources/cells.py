"""What may stand in a table's cell in a label's place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LeftOut:
    """There is no label, and the row is left out: nobody gave one yet, or the annotator refused the text.

    Parameters
    ----------
    reason : str
        Why, in a word or two; the task's notes count the rows by it.
    """

    reason: str


SHIFTED = LeftOut("shifted cells")
"""Stands in each cell of a row that has another number of cells than its table has columns, where such are left out."""


@dataclass(frozen=True)
class Undecided:
    """There are labels, but not one: an error once the column is read as the label.

    Parameters
    ----------
    message : str
        What is there, to follow the row's place.
    hint : str
        What to do about it.
    """

    message: str
    hint: str
