"""Labels that show that rows are broken, or that a cell has several of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import TYPE_CHECKING

from bench.checks.labels import joined_names
from bench.data.messages import listed, shortened
from bench.errors import DataError
from bench.scaffold.found import Found
from bench.scaffold.request import TaskRequest

if TYPE_CHECKING:
    pass


SINGLE = 0.5
"""The share of labels that stand in one row each from which rows are taken for broken, where the others are common."""

MANY_JOINED = 0.05
"""The share of rows with several labels in one cell from which that is no slip."""

MANY = 5
"""The rows that each of the other labels has then, on average."""


def check_several(request: TaskRequest, found: Found, column: str, counts: Counter[str]) -> None:
    """Raise a DataError if many rows have several labels in one cell; a few are left to the checks, which warn.

    Raises
    ------
    bench.errors.DataError
        With the commands that make a task of such rows.
    """
    several, lists = joined_names(list(counts))
    n_rows = sum(counts[label] for label in (*several, *lists))
    if n_rows < MANY_JOINED * counts.total():
        return
    shown = listed([f"'{shortened(label, 24)}'" for label in (*several, *lists)], 3)
    raise DataError(
        f"{found.name}: {n_rows:,} of {counts.total():,} rows have several labels in the column '{column}': {shown}.",
        "A task has one label for each text. Which is meant? Write one into each row; or, to ask for one of them, "
        "make a column that says yes or no of it and name that by --label.\n"
        f"To take all that stands in a cell as one label:\n  {request.command(None, 'allow-several')}",
    )


def shifted_labels(counts: Counter[str]) -> set[str]:
    """The labels of rows that are not as they should be: most stand in one row each, beside others in many."""
    single = {label for label, count in counts.items() if count == 1}
    others = len(counts) - len(single)
    few = len(single) < 3 or len(single) < SINGLE * len(counts)
    return set() if few or not others or counts.total() - len(single) < MANY * others else single


def shifted_rows(
    request: TaskRequest, found: Found, column: str, counts: Counter[str], shifted: Container[str]
) -> DataError:
    """Make the error about rows whose cells are shifted, with their places."""
    places = [
        f"{where.removeprefix(f'{found.origin}, ')} ('{shortened(label, 24)}')"
        for where, row in found.rows()
        if (label := " ".join(str(row.get(column)).split())) in shifted
    ]
    return DataError(
        f"{found.name}: of {len(counts)} labels in the column '{column}', {len(places)} stand in one row each: "
        f"{listed(places, 10)}.",
        "A comma in a text that is not quoted shifts the cells behind it. Correct these rows, or name another column "
        f"with --label COLUMN.\n{leave_out(request)}",
    )


def leave_out(request: TaskRequest) -> str:
    """Say by which command such rows are left out."""
    return f"To leave such rows out, counted and listed:\n  {request.command(None, 'allow-shifted')}"
