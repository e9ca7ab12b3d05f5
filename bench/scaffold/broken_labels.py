"""Detect labels that reveal broken rows, or several labels in one cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from bench.checks.labels import joined_names
from bench.data.messages import listed, shortened
from bench.errors import DataError
from bench.scaffold.found import Found
from bench.scaffold.request import TaskRequest

SINGLE = 0.5
"""The least share of labels that occur once for rows to count as broken, if the others are common."""

MANY_JOINED = 0.05
"""The share of rows with several labels in a cell at which this is not a typing error."""

MANY = 5
"""The least mean number of rows of the other labels."""


def check_several(request: TaskRequest, found: Found, column: str, counts: Counter[str]) -> None:
    """Raise a DataError if many rows have several labels in one cell; the checks warn about a few.

    Raises
    ------
    bench.errors.DataError
        With the commands that accept such rows.
    """
    several, lists = joined_names(list(counts))
    n_rows = sum(counts[label] for label in (*several, *lists))
    if n_rows < MANY_JOINED * counts.total():
        return
    shown = listed([f"'{shortened(label, 24)}'" for label in (*several, *lists)], 3)
    what, brackets = "several labels", ""
    if not several:
        what, brackets = "a list written as text", "If each list has one label, remove the signs around it. "
    raise DataError(
        f"{found.name}: {n_rows:,} of {counts.total():,} rows have {what} in the column '{column}': {shown}.",
        f"{brackets}A task has one label for each text. Write one label into each row. Or, for a task about one label, "
        "add a column with yes or no, and name it with --label.\n"
        f"To treat each cell as one label:\n  {request.command(None, 'allow-several')}",
    )


def shifted_labels(counts: Counter[str]) -> set[str]:
    """The labels of probably broken rows: most labels occur once, the others often."""
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
        f"{found.name}: of {len(counts)} labels in the column '{column}', {len(places)} occur in one row each: "
        f"{listed(places, 10)}.",
        "An unquoted text with a comma shifts the cells after it. Correct these rows, or name another column "
        f"with --label COLUMN.\n{leave_out(request)}",
    )


def leave_out(request: TaskRequest) -> str:
    """The command that leaves out such rows."""
    return f"To leave such rows out, counted and listed:\n  {request.command(None, 'allow-shifted')}"
