"""The other columns of a source: they are no part of its examples, but examples can be sliced by them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.data.sources.cells import LeftOut, Undecided
from bench.data.sources.gaps import is_empty


@dataclass
class Further:
    """A column of a source, by example; it is filled while the source is read.

    Parameters
    ----------
    column : str
        The column's name in the source.
    names : dict of str to None
        The source's columns, without those of inputs, labels, ids and splits.
    values : dict of str to str
        The column's value by the example's id; empty where it is missing or no text. Empty if the source has no such
        column.
    """

    column: str
    names: dict[str, None] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def add(self, example: str, row: Mapping[str, Any], used: Collection[str], item: int | None = None) -> None:
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
        if self.column in row and self.column in self.names:
            self.values.setdefault(example, written(row[self.column], item))


def written(value: Any, item: int | None = None) -> str:
    r"""Return a cell as text, on one line; an empty string for a cell without a value.

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
    text = " ".join(str(value).encode("utf-8", "ignore").decode("utf-8").split())
    return "" if is_empty(text) else text
