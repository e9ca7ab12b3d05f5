"""Whether the first line of a table names its columns."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from bench.data.column_names import fit, is_known, plain_name
from bench.data.messages import listed
from bench.data.sources.delimited import UNNAMED
from bench.data.sources.dialects import DELIMITED
from bench.data.title import LONGEST_NAME, ROLES
from bench.errors import DataError
from bench.scaffold.found import Found
from bench.scaffold.request import Given

WORDS_OF_A_TEXT = 8
"""The number of words at which a column's name is probably a text."""

OFTEN = 0.05
"""The share of rows at which a usual column name counts as a value instead."""

TOTALS = frozenset(map(plain_name, ("total", "grand total", "sum", "count", "المجموع", "المجموع الكلي", "الإجمالي")))
"""The names of a total in a table's last row."""

LOOKED_AT = 1000
"""The rows to examine for text and label in a table without a header."""


def check_header(found: Found, given: Given) -> None:
    """Raise a DataError if the first line of a table looks like a row, and the user does not name the columns.

    A line looks like a row if one of its cells occurs again in its column, is a number like the rest of the column, or
    is a long text. If one of the cells is a usual column name, only a cell that often occurs in its own column counts.

    Parameters
    ----------
    found : Found
        The user's data.
    given : Given
        The columns that the user names.

    Raises
    ------
    bench.errors.DataError
        With the suspicious cell, and the command that names the columns.
    """
    if found.file is None or "header" in found.source or not _may_lack_header(found):
        return
    named = {*given.columns().values()}
    first = next(iter(found.rows()), None)
    names = [] if first is None else list(first[1])
    if named & set(names) or names == [str(number) for number in range(len(names))]:
        return
    if any(map(is_known, names)):
        _check_known(found, names)
        return
    if long := next((name for name in names if len(name.split()) >= WORDS_OF_A_TEXT), None):
        raise _no_header(found, names, f"it has a text of {len(long.split())} words")
    numeric = {name for name in names if _is_number(name)}
    for where, row in found.rows():
        # By their places, since each file of a split that has no header has another first line.
        cells = dict(zip(names, row.values(), strict=False))
        for name, cell in cells.items():
            if cell == name:
                raise _no_header(found, names, f"'{name}' occurs again in its column, in {where}")
        numeric -= {name for name in numeric if not _is_number(str(cells.get(name, "")))}
    if numeric:
        raise _no_header(found, names, f"'{min(numeric)}' is a number, like all cells below it")


def check_one_table(found: Found) -> None:
    """Raise a DataError if another table follows after a blank line, or the last row counts the others.

    Another table's first row has only names of columns that occur in no other row.
    """
    if not _may_lack_header(found):
        return
    heads: dict[str, list[str]] = {}
    last = n_rows = 0
    where = ""
    row: Mapping[str, object] = {}
    for where, row in found.rows():
        n_rows += 1
        number = int(tail) if (tail := where.rpartition(" ")[2]).isdecimal() else last + 1
        if number > last + 1 > 1 and _is_head(cells := [str(cell).strip() for cell in row.values()]):
            heads[where] = cells
        last = number
    if _is_total([str(cell).strip() for cell in row.values()], n_rows - 1):
        raise DataError(f"{where}: this row counts the rows above it. It is not an example.", "Remove it.")
    if not heads:
        return
    for where, row in found.rows():
        for head, cells in list(heads.items()):
            if head != where and any(cell and cell == other for cell, other in zip(cells, row.values(), strict=False)):
                del heads[head]
    if heads:
        raise DataError(
            f"{next(iter(heads))}: another table seems to start here, with {listed(next(iter(heads.values())))}.",
            "Move it to a separate file or sheet. Its rows are not examples.",
        )


def _is_total(cells: Sequence[str], n_rows: int) -> bool:
    """Whether one cell says that a row has a total, and another is the number of rows."""
    counts = [cell for cell in cells if cell.isdecimal() and int(cell) == n_rows]
    return bool(counts) and any(plain_name(cell) in TOTALS for cell in cells)


def _is_head(cells: Sequence[str]) -> bool:
    """Whether cells are short names, one of which reveals a role."""
    filled = [cell for cell in cells if cell]
    short = all(len(cell.split()) <= LONGEST_NAME and not _is_number(cell) for cell in filled)
    return len(filled) > 1 and short and any(fit(cell, role) is not None for cell in filled for role in ROLES)


def _check_known(found: Found, names: Sequence[str]) -> None:
    """Raise a DataError if a usual name, such as news, is a label: if it often occurs in its own column."""
    again: Counter[str] = Counter()
    n_rows = 0
    for _, row in islice(found.rows(), LOOKED_AT):
        n_rows += 1
        again.update(name for name, cell in row.items() if cell == name)
    for name, times in again.items():
        if times > max(OFTEN * n_rows, 1):
            raise _no_header(found, names, f"'{name}' occurs {times} more times in its column")


def _may_lack_header(found: Found) -> bool:
    return found.source["kind"] == "table" and found.format in (*DELIMITED, "xlsx")


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").replace(".", "", 1).isdecimal()


def _no_header(found: Found, names: Sequence[str], why: str) -> DataError:
    columns = ",".join(_suggested(found, names))
    first = shlex.quote(names[0])
    return DataError(
        f"{found.name}: the first line is not a header: {why}.",
        f"To read all lines as rows, name the columns: --columns {columns}\n"
        f"If it is a header, choose the columns: --text {first} --label …",
    )


def _suggested(found: Found, names: Sequence[str]) -> list[str]:
    """Names for the columns: the longest cells are the text, and the fewest values the label, if there are several."""
    rows = [[str(cell) for cell in row.values()] for _, row in islice(found.rows(), LOOKED_AT)]
    columns = list(zip(names, *(row for row in rows if len(row) == len(names)), strict=True))
    text = max(range(len(names)), key=lambda number: sum(map(len, columns[number])))
    blank = {UNNAMED.format(number) for number in range(1, len(names) + 1)} | {""}
    others = [number for number in range(len(names)) if number != text and len({*columns[number]} - blank) > 1]
    label = min(others, key=lambda number: len(set(columns[number])), default=text)
    called = {text: "text", label: "label"}
    return [called.get(number, f"column-{number + 1}") for number in range(len(names))]
