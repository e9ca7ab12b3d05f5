"""Rows of new text that have no text, or no claim: counted and named, and never given to a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bench.data.sources.gaps import Gaps, is_empty, place_in
from bench.errors import DataError

if TYPE_CHECKING:
    from bench.data.sources.cells import Row
    from bench.prediction.reading import NewText


class Blanks:
    """The rows without a text so far, and how many rows were read.

    Parameters
    ----------
    title : str
        What the new text is called, as in the places of its rows.
    columns : mapping of str to str
        The rows' column for each input of the model.
    """

    def __init__(self, title: str, columns: Mapping[str, str]) -> None:
        self._title, self._columns = title, columns
        self._gaps = Gaps()
        self.n_rows = 0

    def __len__(self) -> int:
        return len(self._gaps)

    def lack(self, where: str, values: Mapping[str, object]) -> bool:
        """Whether a row lacks an input. It is counted."""
        self.n_rows += 1
        lacking = next((name for name, column in self._columns.items() if is_empty(values[column])), None)
        if lacking is not None:
            self._gaps.add(lacking, where, place_in(where, self._title, False))
        return lacking is not None

    def filled(self, new: NewText) -> Iterator[Row]:
        """The rows with a text.

        Raises
        ------
        bench.errors.DataError
            After the last row, if none has a text.
        """
        for where, values in new.rows:
            if not self.lack(where, values):
                yield where, values
        if len(self) == self.n_rows:
            columns = " and ".join(f"'{column}'" for column in self._columns.values())
            raise DataError(
                f"{self._title}: {columns} is empty in all {self.n_rows:,} rows, so there is no text.",
                "Choose another column with --text COLUMN.",
            )

    def told(self) -> str:
        """How many rows have no text and which, in sentences; empty if all have one."""
        return " ".join(self._gaps.told(self.n_rows))

    def left_out(self) -> tuple[str, ...]:
        """The same, and that they are left out."""
        return self._gaps.notes(self.n_rows)
