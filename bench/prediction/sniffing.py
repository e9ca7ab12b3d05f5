"""What lines of new text are: JSON Lines, a table with a header, or plain lines with a text each."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from pathlib import Path

from bench.data.column_names import is_known
from bench.data.messages import place
from bench.data.sources.delimited import RowError, table_rows
from bench.data.sources.dialects import DELIMITED, NONE, Dialect
from bench.data.sources.quoting import decide_dialect
from bench.errors import DataError, nearest
from bench.support.delimiters import CsvReader

LINES = "lines"
"""The name of plain lines, in addition to the formats of tables."""

LONGEST_NAME = 3
"""Words that the name of a column has at most."""

LONGEST_SHOWN = 30
"""Characters that an error shows of a cell."""

_WITHIN_NUMBER = re.compile(r"(?<=\d)[,;](?=\d)")
_WHOLE_JSON = re.compile(r"\s*(\[\s*(\{.*)?|\{\s*)$", re.DOTALL)
_JSON_OBJECT = re.compile(r'\s*\{\s*("|\})')


def sniff(lines: Sequence[str], columns: Collection[str], only_tables: bool, path: Path) -> str:
    """Say what lines are.

    JSON Lines begin with an object; a table begins with a header that names the columns. Other lines are a text each,
    unless they look like a table: a delimiter that occurs equally often in each and never before a space, or a
    header of short names, one of them usual.

    Parameters
    ----------
    lines : sequence of str
        The first lines, with their ends.
    columns : collection of str
        The columns that are read.
    only_tables : bool
        Whether plain lines cannot be meant.
    path : pathlib.Path
        Named in errors.

    Returns
    -------
    str
        ``jsonl``, a format of `bench.data.sources.dialects.DELIMITED`, or `LINES`.

    Raises
    ------
    bench.errors.DataError
        If they are JSON that is not written a line an object, or look like a table without the columns.

    Examples
    --------
    >>> new = Path("new.txt")
    >>> sniff(["id;text", "1;نفى"], ["text"], False, new)
    'semicolon-csv'
    >>> sniff(["قال, أمس, ذلك", "نفى, اليوم, ذلك"], ["text"], False, new)
    'lines'
    """
    filled = [line for line in lines if line.strip()]
    if not filled:
        return LINES
    if _JSON_OBJECT.match(filled[0]):
        return "jsonl"
    if _WHOLE_JSON.match(filled[0]):
        raise DataError(
            f"{path}: it looks like JSON, but not with one object on each line.",
            "Write one object on each line, or use a .json file with an array: --input FILE.json",
        )
    header = {name: _cells(filled[0], dialect) for name, dialect in DELIMITED.items()}
    named = next((name for name, cells in header.items() if set(columns) <= set(cells)), None)
    if named is not None:
        return _quoted(named, filled)
    looks = next(
        (name for name, dialect in DELIMITED.items() if _has_header(header[name]) or _is_even(filled, dialect)),
        None,
    )
    if looks is None and not only_tables:
        return LINES
    cells = header[looks or ("tsv" if "\t" in filled[0] else "csv")]
    missing = next(column for column in columns if column not in cells)
    shown = [cell[:LONGEST_SHOWN] for cell in cells]
    raise DataError(
        f"{place(path, lines.index(filled[0]) + 1)}: {'the' if only_tables else 'this looks like a table, but its'} "
        f"first row has no column '{missing}': {', '.join(shown)}.",
        f"{nearest(missing, shown)} "
        + (
            "Plain lines have one text each. This model needs a table with its columns, or with columns set by options."
            if only_tables
            else "Choose another with --text COLUMN. If these are plain lines, write them as JSON Lines."
        ),
    )


def _cells(line: str, dialect: Dialect) -> list[str]:
    if dialect.quote == NONE:
        return line.rstrip("\r\n").split(dialect.delimiter)
    try:
        return next(CsvReader([line.rstrip("\r\n")], delimiter=dialect.delimiter), [])
    except csv.Error:  # a text longer than any cell
        return []


def _has_header(cells: Sequence[str]) -> bool:
    """Whether cells are short names, one of them usual; an Arabic word by itself may well be a text."""
    short = all(cell == cell.strip() and 0 < len(cell.split()) <= LONGEST_NAME for cell in cells)
    usual = any(map(is_known, cells))
    return short and usual and (len(cells) > 1 or cells[0].isascii())


def _is_even(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether each line has equally many delimiters, none as in prose: before a space or in a number."""
    cells = _cells(lines[0], dialect)
    if len(lines) < 2 or len(cells) < 2:
        return False
    try:
        deque(table_rows(lines, dialect, columns=cells), maxlen=0)
    except RowError:
        return False
    written = (_WITHIN_NUMBER.sub("", line) for line in lines)
    mark = dialect.delimiter
    return mark == "\t" or all(mark in line and f"{mark} " not in line for line in written)


def _quoted(name: str, lines: Sequence[str]) -> str:
    """Read tab-separated lines as quoted if all of them become rows that way."""
    if name != "tsv":
        return name
    dialect, _ = decide_dialect(lambda: nullcontext(lines), DELIMITED[name])
    return next((known for known, each in DELIMITED.items() if each == dialect), name)
