"""The other columns of a source: they are no part of its examples, but examples can be sliced by them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.data.sources.cells import LeftOut, Undecided
from bench.data.sources.gaps import is_empty
from bench.support.json_writing import plain_text


@dataclass
class Further:
    """A column of a source, or all, by example; they are filled while the source is read.

    Parameters
    ----------
    column : str or None
        The column's name in the source; None for all.
    whole : bool
        Whether texts keep their line breaks and spaces.
    names : dict of str to None
        The source's columns, without those of inputs, labels, ids and splits.
    by_column : dict of str to dict of str to str
        The columns' values by the example's id; empty where one is missing or no text.
    """

    column: str | None
    whole: bool = False
    names: dict[str, None] = field(default_factory=dict)
    by_column: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """The column's value by the example's id; empty if the source has no such column."""
        return {} if self.column is None else self.by_column.get(self.column, {})

    def add(self, example: str, row: Mapping[str, object], used: Collection[str], item: int | None = None) -> None:
        """Add a row of the source, which gives an example.

        Parameters
        ----------
        example : str
            The example's id. If it has been added, its first row counts.
        row : mapping of str to object
            The row.
        used : collection of str
            The columns that are not offered.
        item : int, optional
            The example's number, if the row's lists give an example for each item.
        """
        self.names.update(dict.fromkeys(name for name in row if isinstance(name, str) and name not in used))
        for name in self.names if self.column is None else (self.column,):
            if name in row and name in self.names:
                self.by_column.setdefault(name, {}).setdefault(example, written(row[name], item, self.whole))


def written(value: Any, item: int | None = None, whole: bool = False) -> str:
    r"""Return a cell as text, on one line unless it is wanted whole; an empty string for a cell without a value.

    Examples
    --------
    >>> written(2019.0), written(True), written(float("nan")), written(" \u200b"), written(["a", "b"], 1)
    ('2019', 'true', '', '', 'b')
    """
    if isinstance(value, list) and item is not None and item < len(value):
        value = value[item]
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if value is None or isinstance(value, LeftOut | Undecided) or value != value:
        return ""
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = plain_text(value).encode("utf-8", "ignore").decode("utf-8")
    return "" if is_empty(text) else text if whole else " ".join(text.split())
