"""Tables with a delimiter: what their dialects are, and how their lines become rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from bench.data.files import BYTE_ORDER_MARK
from bench.data.json_files import first_repeated
from bench.data.sources.row_errors import RowError, WidthError
from bench.data.sources.swallowed import Swallowed
from bench.support.delimiters import CsvReader
from bench.text.identity import name_key

NONE = "none"
"""What the quoting of a table is called in which quotation marks are part of the texts."""

QUOTES: dict[str, dict[str, Any]] = {
    "double": {"quotechar": '"'},
    "single": {"quotechar": "'"},
    "backslash": {"quotechar": '"', "escapechar": "\\"},
}
"""How cells are quoted, with what `csv.reader` calls it: in double marks that are doubled within, in single ones, or in
double ones that have a backslash before them within."""

QUOTINGS = (*QUOTES, NONE)

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""The delimiters, as messages call them."""

EXCEL_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""The line by which Excel is told a table's delimiter."""

UNNAMED = "unnamed-{}"
"""What a column without a name is called, with its number."""


@dataclass(frozen=True)
class Dialect:
    """How the cells of a table are kept apart.

    Parameters
    ----------
    delimiter : str
        What stands between cells.
    quote : str
        One of `QUOTINGS`.
    """

    delimiter: str
    quote: str = "double"


HEADER_AGAIN = "the header stands here again."

HEADER_AGAIN_HINT = (
    "Two files were put together: take this line out, if the columns below it stand in the order of the first header."
)

DELIMITED = {
    "csv": Dialect(","),
    "tsv": Dialect("\t", NONE),
    "quoted-tsv": Dialect("\t"),
    "semicolon-csv": Dialect(";"),
    "pipe-csv": Dialect("|"),
}
"""The formats with a delimiter."""


@dataclass(frozen=True)
class TableRow:
    """A row of a table: the number of its first line and of its lines, the columns' names, and its cells.

    A row without cells has another number of them than there are columns.
    """

    line: int
    n_lines: int
    names: Sequence[str]
    cells: Sequence[str]


class Header:
    r"""Finds a table's header among its rows, as it stands where two files were put together.

    Letter case, spaces, hidden characters and the order of the columns make no difference.

    Parameters
    ----------
    names : sequence of str
        The columns' names.

    Examples
    --------
    >>> header = Header(["text", "label"])
    >>> header.is_in(["\ufeffText", "Label "]), header.is_in(["label", "text"]), header.is_in(["text", "news"])
    (True, True, False)
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._keys = sorted(name_key(name) for name in names)
        self._longest = max(map(len, names), default=0) + 8
        self._is_told = bool(set(self._keys) - {""})

    def is_in(self, cells: Sequence[object]) -> bool:
        """Whether a row's cells are the header."""
        if not self._is_told or len(cells) != len(self._keys):
            return False
        texts = [cell for cell in cells if isinstance(cell, str) and len(cell) <= self._longest]
        return len(texts) == len(cells) and sorted(map(name_key, texts)) == self._keys


def table_rows(
    lines: Iterable[str],
    dialect: Dialect,
    columns: Sequence[str] = (),
    watch: Swallowed | None = None,
    allow_shifted: bool = False,
) -> Iterator[TableRow]:
    r"""Read the lines of a table.

    Byte order marks before lines, blank lines, rows of nothing but empty cells, lines with a ``#`` and no delimiter
    before the header, and Excel's ``sep=;`` are passed over. Delimiters that end every row make no column, and a column
    of row numbers that the header does not name is `UNNAMED`, as is one with an empty name.

    Parameters
    ----------
    lines : iterable of str
        The lines with their ends, without a byte order mark; they are taken one by one.
    dialect : Dialect
        How cells are kept apart.
    columns : sequence of str
        The names of the columns of a table without a header; none where the first line names them.
    watch : Swallowed, optional
        Looks for texts that have taken in rows; None where somebody says that the table is quoted so.
    allow_shifted : bool
        Whether a row may be longer or shorter than the header; it then comes without cells.

    Raises
    ------
    RowError
        If a line is no row, or not as long as the header, the header has a name twice, or a quoted text takes in what
        look like rows.

    Examples
    --------
    >>> [row.cells for row in table_rows(["text;label\n", '"نفى; أكد";no\n'], Dialect(";"))]
    [['نفى; أكد', 'no']]
    """
    lines = (line.removeprefix(BYTE_ORDER_MARK) for line in lines)
    rows = _filled(_split(lines, dialect, not columns), dialect.delimiter, header=not columns)
    if columns:
        names = list(columns)
        head: list[str] = []
    else:
        first = next(rows, None)
        if first is None:
            return
        head = first[1]
        names = columns_of(head, first[0])
    again = Header(head)
    start = [row for row in (next(rows, None), next(rows, None)) if row is not None]
    if start and len(start[0][1]) != len(names):
        names, expected = _widened(names, head, [cells for _, cells, _ in start])
    else:
        expected = len(names)
    for line, cells, taken in chain(start, rows):
        if len(cells) != expected or any(cells[len(names) :]):
            if allow_shifted:
                yield TableRow(line, len(taken), names, ())
                continue
            raise _wrong_width(line, cells, taken, len(names), dialect, bool(columns))
        if again.is_in(cells):
            called = ",".join(f"name-{number}" for number in range(1, len(names) + 1))
            no_header = f"If the first line is a row and no header, name the columns, such as --columns {called}."
            raise RowError(line, HEADER_AGAIN, f"{HEADER_AGAIN_HINT}\n{no_header}")
        cells = cells[: len(names)] + [""] * (len(names) - len(cells))
        if watch is not None:
            watch.see(line, cells, taken)
        yield TableRow(line, len(taken), names, cells)
    if watch is not None:
        watch.check()


def _split(lines: Iterable[str], dialect: Dialect, header: bool) -> Iterator[tuple[int, list[str], Sequence[str]]]:
    """Rows, each with the number of its first line and all its lines.

    Where each delimiter of the header has a space behind it, that space is no part of the cells.
    """
    delimiter, rest = dialect.delimiter, iter(lines)
    head = list(_head(rest, delimiter)) if header else []
    lines = chain(head, rest)
    spaced = bool(head) and 0 < head[-1].count(delimiter) == head[-1].count(f"{delimiter} ")
    if dialect.quote == NONE:
        for number, line in enumerate(lines, start=1):
            cells = line.rstrip("\r\n").split(delimiter)
            yield number, [cell.removeprefix(" ") for cell in cells] if spaced else cells, (line,)
        return
    taken: list[str] = []

    def each() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    settings = {"delimiter": delimiter, "skipinitialspace": spaced, **QUOTES[dialect.quote]}
    reader = CsvReader(each(), strict=True, **settings)
    while True:
        number = reader.line_num + 1
        taken.clear()
        try:
            row = next(reader, None)
        except csv.Error as error:
            hint = "A text with a quotation mark is quoted, and its marks doubled."
            raise RowError(number, f"not valid CSV: {error}.", hint) from error
        if row is None:
            return
        yield number, row, tuple(taken)


def _head(lines: Iterator[str], delimiter: str) -> Iterator[str]:
    """The lines up to the header."""
    for line in lines:
        yield line
        if line.strip() and not EXCEL_LINE.fullmatch(line) and (delimiter in line or not line.startswith("#")):
            return


def _filled(
    rows: Iterator[tuple[int, list[str], Sequence[str]]], delimiter: str, header: bool
) -> Iterator[tuple[int, list[str], Sequence[str]]]:
    """Rows that hold anything, from the header on."""
    for number, cells, taken in rows:
        if number == 1 and EXCEL_LINE.fullmatch(delimiter.join(cells)):
            continue
        if not "".join(taken).replace(delimiter, "").strip():
            continue
        if header and len(cells) == 1 and cells[0].startswith("#"):
            continue
        header = False
        yield number, cells, taken


def columns_of(head: Sequence[str], line: int) -> list[str]:
    """Name the columns of a header; one without a name is `UNNAMED`.

    Raises
    ------
    RowError
        If a name stands twice.
    """
    names = [name if name.strip() else UNNAMED.format(number) for number, name in enumerate(head, start=1)]
    if (twice := first_repeated(names)) is not None:
        called = ",".join(f"name-{number}" for number in range(1, len(names) + 1))
        raise RowError(
            line,
            f"the column '{twice}' stands twice.",
            "Rename one of the two in the file. If the first line is a row and no header, name the columns, such as "
            f"--columns {called}.",
        )
    return names


def _widened(names: list[str], head: Sequence[str], start: Sequence[list[str]]) -> tuple[list[str], int]:
    """The columns' names and the cells of a row, where the first rows have more or fewer cells than the header."""
    width, first = len(names), len(start[0])
    if any(len(cells) != first for cells in start):
        return names, width
    named = max((number for number, name in enumerate(head, start=1) if name.strip()), default=width)
    if named <= first < width or (first > width and not any(start[0][width:])):
        return names, first
    numbers = [cells[0] for cells in start]
    if head and first == width + 1 and numbers in (["0", "1"], ["1", "2"]):
        return [UNNAMED.format(0), *names], first
    return names, width


def _wrong_width(
    line: int, cells: Sequence[str], taken: Sequence[str], width: int, dialect: Dialect, named: bool
) -> WidthError:
    other = next((mark for mark in NAMES if mark != dialect.delimiter and taken[0].count(mark) + 1 == width), None)
    if other is not None and len(cells) == 1:
        hint = f"The header is split by {NAMES[dialect.delimiter]}, this line by {NAMES[other]}: make them the same."
    elif dialect.quote == NONE:
        hint = "A text that holds the delimiter or a line end must be in quotation marks, and be read so: see --format."
    else:
        hint = "Quote a text that holds the delimiter or a line end."
    if other is None and len(cells) == 1 < width:
        hint += "\nIf it is no row, but says something of the table, such as a total or a source, take the line out."
    count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    return WidthError(line, f"{count}, but {'--columns names' if named else 'the header has'} {width}.", hint)
