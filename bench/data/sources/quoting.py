"""Detect the delimiter and quoting of a table from all its lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from bench.data.sources.delimited import RowError, Swallowed, table_rows
from bench.data.sources.dialects import DELIMITED, EXCEL_LINE, NAMES, NONE, Dialect

MARKS = {
    "double": r'(?:^|{delimiter})"',
    "single": r"(?:^|{delimiter})'",
    "backslash": r'(?<!\\)\\"(?!{delimiter}|\s*$)',
    "doubled": r'""',
}
"""The text that each kind of quoting requires in a file. If marks are doubled, backslashes do not escape them."""

MARKS_REMARK = (
    "Quotation marks are read as part of the texts, even at the start of a cell. As quoting, they would not "
    "give complete rows, or would be unnecessary. --quote double reads them as quoting."
)

LINES_REMARK = (
    "Quoted texts span several lines. By their numbers of cells, these could be {:,} more rows, but not by their "
    "content. --quote none reads them as rows."
)

BACKSLASHES_REMARK = (
    "Backslashes before quotation marks are read as part of the texts. --quote backslash reads each such pair as a "
    "quotation mark."
)

SPACES_REMARK = (
    "Some quotation marks follow a space after the delimiter, so the space and the marks are read as part of the cell. "
    "If they are quoting, remove the spaces after the delimiters."
)

Lines = Callable[[], AbstractContextManager[Iterable[str]]]
"""Yields a table's lines from the start."""


def decide_dialect(
    lines: Lines, usual: Dialect, columns: Sequence[str] = (), quote: str | None = None
) -> tuple[Dialect, str]:
    """Find the dialect in which every row has the header's number of cells, and no text swallows rows.

    If the same lines are more complete rows without quoting than with it, they are read without.

    Parameters
    ----------
    lines : callable
        Yields the table's lines from the start.
    usual : Dialect
        The default dialect.
    columns : sequence of str
        The names of the columns of a table without a header.
    quote : str, optional
        The quoting, if the user specifies it.

    Returns
    -------
    (Dialect, str)
        The dialect, and a note on a doubtful reading or an empty string.
    """
    delimiters = _delimiters(lines, usual)
    if quote is not None:
        readings = [_read(lines, Dialect(delimiter, quote), columns, trusted=True) for delimiter in delimiters]
    else:
        readings = [_told(_decided(lines, each, marks := _marks(lines, each), columns), marks) for each in delimiters]
    whole = [reading for reading in readings if reading.fault is None and reading.width > 1]
    if whole:
        best = max(whole, key=lambda reading: (reading.width, reading.dialect.delimiter == usual.delimiter))
    else:
        best = max(readings, key=lambda reading: (reading.width, reading.dialect.delimiter == usual.delimiter))
    return best.dialect, best.remark


@dataclass(frozen=True)
class _Reading:
    """A table read in a dialect: its columns, its rows, the line at which it breaks, and what to say of it.

    In some rows of several lines, each line could also be a row, judging by other rows; `doubtful` counts them. Cells
    are `spaced` if some are a space and a text in quotation marks.
    """

    dialect: Dialect
    width: int
    n_rows: int
    fault: int | None
    doubtful: int = 0
    remark: str = ""
    spaced: bool = False


def _told(reading: _Reading, marks: set[str]) -> _Reading:
    """The reading, with a note on marks that may be quoting but are read as text."""
    if reading.remark:
        return reading
    if reading.spaced:
        return replace(reading, remark=SPACES_REMARK)
    if "backslash" in marks and reading.dialect.quote != "backslash":
        return replace(reading, remark=BACKSLASHES_REMARK)
    return reading


def _marks(lines: Lines, delimiter: str) -> set[str]:
    """The kinds of quoting that the marks in a table allow."""
    marks = {name: re.compile(mark.format(delimiter=re.escape(delimiter))) for name, mark in MARKS.items()}
    found: set[str] = set()
    with lines() as opened:
        for line in opened:
            if '"' not in line and "'" not in line:
                continue
            found |= {name for name, mark in marks.items() if name not in found and mark.search(line)}
            if len(found) == len(MARKS):
                break
    return found - {"backslash"} if "doubled" in found else found


def _delimiters(lines: Lines, usual: Dialect) -> list[str]:
    """The delimiters in a table's header, or the one that its first line declares."""
    with lines() as opened:
        filled = (line for line in opened if line.strip())
        header = next(filled, "")
        if mark := EXCEL_LINE.fullmatch(header):
            return [mark[1]] if mark[1] in NAMES else [usual.delimiter]
        while header.startswith("#") and not any(delimiter in header for delimiter in NAMES):
            header = next(filled, "")
    known = [usual.delimiter, *(delimiter for delimiter in NAMES if delimiter != usual.delimiter)]
    return [delimiter for delimiter in known if delimiter in header] or [usual.delimiter]


def _decided(lines: Lines, delimiter: str, marks: set[str], columns: Sequence[str]) -> _Reading:
    """The reading with a delimiter that is valid, or that gets furthest."""
    readings: dict[str, _Reading] = {}

    def read(quote: str) -> _Reading:
        readings[quote] = _read(lines, Dialect(delimiter, quote), columns)
        return readings[quote]

    plain = NONE if delimiter == "\t" else "double"
    usual = read(plain)
    if not marks & {"double", "single"} and usual.fault is None:
        return usual
    bare = readings.get(NONE) or read(NONE)
    for quote in ("double", "backslash", "single"):
        mark = "single" if quote == "single" else "double"
        if mark not in marks:
            continue
        quoted = readings.get(quote) or read(quote)
        if quoted.fault is not None:
            continue
        if bare.fault is not None or bare.width == 1:
            return _escaped(read, quoted) if marks >= {"double", "backslash"} and quote == "double" else quoted
        if quoted.n_rows < bare.n_rows and not quoted.doubtful:
            return replace(quoted, remark=LINES_REMARK.format(bare.n_rows - quoted.n_rows))
        if quoted.n_rows < bare.n_rows:
            return replace(bare, remark=_rows_remark(bare, quoted))
        if quote == plain or _is_quoted(lines, delimiter, "'" if quote == "single" else '"', wholly=quote == "single"):
            return quoted
    if bare.fault is None and "double" in marks:
        return replace(bare, remark=MARKS_REMARK)
    for reading in (usual, bare):
        if reading.fault is None:
            return reading
    return max(readings.values(), key=lambda reading: reading.fault or 0) if plain == NONE else usual


def _escaped(read: Callable[[str], _Reading], quoted: _Reading) -> _Reading:
    """The reading with backslashes before quotation marks if it has the same rows; otherwise the other one."""
    escaped = read("backslash")
    return escaped if escaped.fault is None and escaped.n_rows == quoted.n_rows else quoted


def _rows_remark(bare: _Reading, quoted: _Reading) -> str:
    name = next(name for name, known in DELIMITED.items() if known.delimiter == quoted.dialect.delimiter)
    name = "quoted-tsv" if name == "tsv" else name
    return (
        f"Quotation marks are read as part of the texts. So each line is a row of {bare.width} cells, {bare.n_rows:,} "
        f"in all. As quoting, they would give {quoted.n_rows:,} rows: --format {name} --quote "
        f"{quoted.dialect.quote} reads them so."
    )


def _read(lines: Lines, dialect: Dialect, columns: Sequence[str], trusted: bool = False) -> _Reading:
    width = n_rows = 0
    fault, spaced = None, False
    watch = None if trusted else Swallowed(dialect.delimiter)
    with lines() as opened:
        try:
            for row in table_rows(opened, dialect, columns, watch):
                width, n_rows = len(row.names), n_rows + 1
                spaced = spaced or any(cell.startswith(' "') and cell.endswith('"') for cell in row.cells[1:])
        except RowError as error:
            fault = error.line
    doubtful = 0 if watch is None else watch.doubtful
    return _Reading(dialect, width or _header_width(lines, dialect), n_rows, fault, doubtful, spaced=spaced)


def _header_width(lines: Lines, dialect: Dialect) -> int:
    """The number of cells of the first non-empty line."""
    with lines() as opened:
        first = next((line for line in opened if line.strip()), None)
    return 0 if first is None else first.count(dialect.delimiter) + 1


def _is_quoted(lines: Lines, delimiter: str, mark: str, wholly: bool = False) -> bool:
    """Whether quotation marks around whole cells are quoting, in a table whose lines are rows either way.

    Programs quote whole columns, or the cells that need it because they contain a mark. Numbers need not be
    quoted anywhere.

    Parameters
    ----------
    lines : callable
        Yields the table's lines from the start.
    delimiter, mark : str
        The delimiter and quotation mark.
    wholly : bool
        Whether a column must be quoted as a whole.
    """
    needless: set[int] = set()
    open_cells: set[int] = set()
    quoted = False
    with lines() as opened:
        filled = (line for line in opened if line.strip() and not EXCEL_LINE.fullmatch(line))
        rows = (line.rstrip("\r\n").split(delimiter) for line in filled)
        next(rows, None)
        for row in rows:
            for column, cell in enumerate(row):
                if len(cell) > 1 and cell[0] == cell[-1] == mark:
                    quoted = True
                    if wholly or not {mark, "\r"} & set(cell[1:-1]):
                        needless.add(column)
                elif cell and not cell.isdigit():
                    open_cells.add(column)
    return quoted and not needless & open_cells
