"""A summary of a user's data, by column."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from bench.data.column_names import whole
from bench.data.dates import AmbiguousDateError, DayOrder, read_date
from bench.data.messages import check_name
from bench.data.sources.annotation_tools import annotated
from bench.data.sources.cells import SHIFTED, LeftOut, Rows
from bench.errors import DataError
from bench.scaffold.profile import Profile
from bench.schema.dialect import UNWRITABLE
from bench.text.identity import name_key

SHOWN_VALUES = 3
"""The most example values of a column in an error."""

SHOWN_COLUMNS = 15
"""The most columns in an error."""

SHOWN_PLACES = 5
"""The most rows in an error."""

NEARLY_EMPTY = 0.1
"""The share of rows with a group below which a column with the name of one is something else."""


@dataclass
class _GroupCells:
    """The cells of a column with the name of a group."""

    n_named: int = 0
    names: set[str] = field(default_factory=set)
    nameless: list[str] = field(default_factory=list)

    def add(self, value: object, where: str) -> str:
        """Look at one more cell; return why it names no group, empty if it does."""
        reason = _no_name(value)
        if not reason:
            self.n_named += 1
            self.names.add(str(value))
        elif len(self.nameless) < SHOWN_PLACES:
            self.nameless.append(where)
        return reason

    def gaps(self, n_rows: int) -> str:
        """The rows without a group, if other rows share one; empty if no rows do, or too few have one."""
        n_lacking = n_rows - self.n_named
        if not n_lacking or len(self.names) == self.n_named or self.n_named < NEARLY_EMPTY * n_rows:
            return ""
        more = [f"and {n_lacking - len(self.nameless):,} more"] if n_lacking > len(self.nameless) > 0 else []
        places = "; ".join((*self.nameless, *more))
        has = "has" if n_lacking == 1 else "have"
        return f"{n_lacking:,} of {n_rows:,} rows {has} no group{': ' if places else ''}{places}."


@dataclass
class ColumnSummary:
    """A summary of a user's data, by column.

    Parameters
    ----------
    n_rows : int
        The number of rows.
    columns : dict of str to list of str
        A few distinct texts or numbers from each column.
    passes : dict of str to int
        How many rows have a label in the column of one annotator.
    unlabelled : dict of str to int
        How many rows have no label in that column.
    unusable : dict of str to str
        Why a column with the name of a group or id is neither, with the first row that shows it.
    group_gaps : dict of str to str
        The rows without a group, a sentence for each unusable column of which other rows share one.
    profiles : dict of str to Profile
        The profile of each column.
    no_dates : dict of str to str
        Why a column with the name of a date holds none, with the first row that shows it.
    orders : defaultdict of str to DayOrder
        Whether the dates of each column have the day or the month first.
    """

    n_rows: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)
    passes: dict[str, int] = field(default_factory=dict)
    unlabelled: dict[str, int] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    group_gaps: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    no_dates: dict[str, str] = field(default_factory=dict)
    orders: defaultdict[str, DayOrder] = field(default_factory=lambda: defaultdict(DayOrder))


def summarise_columns(rows: Rows) -> ColumnSummary:
    """Read all rows once."""
    found = ColumnSummary()
    labelled = n_shifted = 0
    ids: dict[str, set[str]] = {}
    groups: dict[str, _GroupCells] = {}
    for where, row in rows:
        found.n_rows += 1
        if SHIFTED in row.values():
            n_shifted += 1
            continue
        left_out = any(isinstance(value, LeftOut) for value in row.values())
        labelled += not left_out
        for column, value in row.items():
            if annotated(column, row) is not None:
                found.passes[column] = found.passes.get(column, 0) + 1
                continue
            values = found.columns.setdefault(column, [])
            if len(values) < SHOWN_VALUES and isinstance(value, str | int | float | list | dict):
                text = str(value)
                if text and text not in values:
                    values.append(text)
            if isinstance(value, LeftOut):
                found.unlabelled[column] = found.unlabelled.get(column, 0) + 1
            found.profiles.setdefault(column, Profile()).add(value)
            found.orders[column].add(value, where)
            if says(column, "date") and column not in found.no_dates and (problem := _no_date(value, where)):
                found.no_dates[column] = problem
            reason = ""
            if says(column, "id") and column not in found.unusable:
                reason = _no_name(value, ids.setdefault(column, set()))
            elif says(column, "group") and not left_out:
                reason = groups.setdefault(column, _GroupCells()).add(value, where)
            if reason:
                found.unusable.setdefault(column, f"in {where} it {reason}")
    lacking = [column for column, seen in ids.items() if len(seen) < found.n_rows - n_shifted]
    lacking += [column for column, cells in groups.items() if cells.n_named < labelled]
    for column in lacking:
        found.unusable.setdefault(column, "some rows do not have it")
    found.group_gaps = {column: gaps for column, cells in groups.items() if (gaps := cells.gaps(labelled))}
    return found


def _no_date(value: object, where: str) -> str:
    """Why a cell is not a date; empty if it is one."""
    try:
        return "" if read_date(value, where) else f"{where}: it is empty"
    except AmbiguousDateError:  # The whole column may say it.
        return ""
    except DataError as error:
        return error.message


def _no_name(value: object, ids: set[str] | None = None) -> str:
    """Why a cell is not a group, or not an id if `ids` has the earlier ones; empty if it is valid."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return "is empty"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "has no text"
    if isinstance(value, float) and abs(value) >= 2**53:
        return "has a number that has lost its last digits"
    text = str(value)
    if ids is None:
        return "has a hidden character" if UNWRITABLE.search(text) else ""
    try:
        check_name(text, "", "id")
    except DataError:
        return "has a hidden character"
    key = name_key(text, fold_case=False)
    if key in ids:
        return f"has '{text}', which is repeated"
    ids.add(key)
    return ""


def describe_columns(found: ColumnSummary) -> str:
    """List columns with a few of their values, one on each line."""
    lines = []
    for column, values in list(found.columns.items())[:SHOWN_COLUMNS]:
        shown = ", ".join(repr(value if len(value) <= 24 else value[:23] + "…") for value in values)
        lines.append(f"  {column}: {shown}" if shown else f"  {column}")
    if len(found.columns) > SHOWN_COLUMNS:
        lines.append(f"  and {len(found.columns) - SHOWN_COLUMNS} more")
    return "Its columns, with some of their values:\n" + "\n".join(lines)


def says(column: str, key: str) -> bool:
    """Whether a whole name identifies a column's role."""
    return whole(column, key) is not None
