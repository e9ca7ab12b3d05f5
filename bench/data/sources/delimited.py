"""Tables with a delimiter: how their lines become rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from bench.data.files import BYTE_ORDER_MARK, first_repeated
from bench.data.sources.dialects import EXCEL_LINE, NAMES, NONE, QUOTES, Dialect
from bench.support.delimiters import CsvReader
from bench.text.identity import name_key

UNNAMED = "unnamed-{}"
"""The name of a column without one, with its number."""

FEW = 50
"""The most distinct values of a column that helps tell a row from a text."""


MANY = 20
"""The least number of rows at which a new value counts as evidence against a row."""


HEADER_AGAIN = "the header is repeated here."

HEADER_AGAIN_HINT = (
    "Two files were joined. Remove this line if the columns below it are in the order of the first header."
)


class RowError(Exception):
    """A line that is not a valid row of its table.

    Parameters
    ----------
    line : int
        Its number; 0 if the error does not belong to one line.
    message : str
        What is wrong with it.
    hint : str
        What to do about it.
    """

    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


class WidthError(RowError):
    """A row with too many or too few cells."""


@dataclass(frozen=True)
class TableRow:
    """A row of a table: the number of its first line and of its lines, the columns' names, and its cells.

    The cells are empty if their number differs from that of the columns.
    """

    line: int
    n_lines: int
    names: Sequence[str]
    cells: Sequence[str]


class Header:
    r"""Find a table's header among its rows, where two files were joined.

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

    Skipped are byte order marks before lines, blank lines, rows of empty cells, lines before the header with ``#``
    and no delimiter, and Excel's ``sep=;``. Delimiters at the end of every row do not make a column. A column of row
    numbers without a header, or with an empty name, is called `UNNAMED`.

    Parameters
    ----------
    lines : iterable of str
        The lines with their ends, without a byte order mark; they are taken one by one.
    dialect : Dialect
        The delimiter and quoting.
    columns : sequence of str
        The names of the columns of a table without a header; empty if the first line has them.
    watch : Swallowed, optional
        Detects texts that have swallowed rows; None if the user has specified the quoting.
    allow_shifted : bool
        Whether to allow rows longer or shorter than the header. They are returned without cells.

    Raises
    ------
    RowError
        If a line is not a row or not as long as the header, the header repeats a name, or a quoted text swallows what
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
            no_header = f"If the first line is a row, not a header, name the columns, for example --columns {called}."
            raise RowError(line, HEADER_AGAIN, f"{HEADER_AGAIN_HINT}\n{no_header}")
        cells = cells[: len(names)] + [""] * (len(names) - len(cells))
        if watch is not None:
            watch.see(line, cells, taken)
        yield TableRow(line, len(taken), names, cells)
    if watch is not None:
        watch.check()


def _split(lines: Iterable[str], dialect: Dialect, header: bool) -> Iterator[tuple[int, list[str], Sequence[str]]]:
    """Rows, each with the number of its first line and all its lines.

    If a space follows each delimiter of the header, such spaces are not part of the cells.
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
            hint = "Quote a text that contains a quotation mark, and double the mark."
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
    """Non-empty rows, from the header on."""
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
        If a name is repeated.
    """
    names = [name if name.strip() else UNNAMED.format(number) for number, name in enumerate(head, start=1)]
    if (twice := first_repeated(names)) is not None:
        called = ",".join(f"name-{number}" for number in range(1, len(names) + 1))
        raise RowError(
            line,
            f"the column '{twice}' is repeated.",
            "Rename one of the two in the file. If the first line is a row, not a header, name the columns, such as "
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
        hint = f"The header is split by {NAMES[dialect.delimiter]}, this line by {NAMES[other]}. Use one of them."
    elif dialect.quote == NONE:
        hint = "Put a text with the delimiter or a line end in quotation marks, and read it as quoted: see --format."
    else:
        hint = "Quote a text that contains the delimiter or a line end."
    if other is None and len(cells) == 1 < width:
        hint += "\nIf this line is not a row, but a total, a source or similar, remove it."
    count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    return WidthError(line, f"{count}, but {'--columns names' if named else 'the header has'} {width}.", hint)


class Swallowed:
    """Find quoted texts that have swallowed rows because a quotation mark was not closed.

    All lines of such a row are as wide as rows, and most of their other cells hold what these columns hold in other
    rows: one of a few values, or a number.

    Parameters
    ----------
    delimiter : str
        The delimiter.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._values: dict[int, set[str]] = {}
        self._numeric: set[int] = set()
        self._n_rows = 0
        self._rows: list[tuple[int, int, list[list[str]]]] = []
        self.doubtful = 0

    def see(self, line: int, cells: Sequence[str], taken: Sequence[str]) -> None:
        """Take in a row with its lines."""
        width = len(cells)
        if len(taken) > 1 and width > 1 and len(self._rows) < FEW:
            parts = [each.rstrip("\r\n").split(self._delimiter) for each in taken if each.strip("\r\n")]
            if all(len(part) == width for part in parts):
                text = next(column for column, cell in enumerate(cells) if taken[0][-1] in cell)
                self._rows.append((line, text, parts))
                return
        if not self._n_rows:
            self._values, self._numeric = {column: set() for column in range(width)}, set(range(width))
        self._n_rows += 1
        for column, values in list(self._values.items()):
            values.add(cells[column])
            if len(values) > FEW:
                del self._values[column]
        self._numeric -= {column for column in self._numeric if not cells[column].isdigit()}

    def check(self) -> None:
        """Count, in `doubtful`, the rows that may or may not have swallowed others.

        Raises
        ------
        RowError
            If one has.
        """
        for line, text, parts in self._rows:
            others = [(column, cell) for column, cell in _others(parts, text) if self._tells(column)]
            told = [self._has(column, cell) for column, cell in others]
            self.doubtful += not any(self._is_closed(column) for column, _ in others)
            if told and sum(told) >= len(told) / 2:
                raise RowError(
                    line,
                    f"a quoted text spans what look like {len(parts)} rows.",
                    "A quotation mark is probably not closed. Fix it, or set the quoting with --format and --quote.",
                )

    def _tells(self, column: int) -> bool:
        """Whether a column has few values, or only numbers."""
        return bool(self._values.get(column)) or column in self._numeric

    def _is_closed(self, column: int) -> bool:
        """Whether a column has so few values in so many rows that another one is not expected."""
        return self._n_rows >= MANY and (column in self._numeric or len(self._values[column]) <= self._n_rows / 5)

    def _has(self, column: int, cell: str) -> bool:
        if column in self._numeric:
            return cell.isdigit()
        return bool({cell, cell.strip("\"'")} & self._values.get(column, set()))


def _others(parts: Sequence[Sequence[str]], text: int) -> Iterator[tuple[int, str]]:
    """The cells of a row's lines, with their columns, that would be other cells than its text if each were a row."""
    for number, part in enumerate(parts):
        for column, cell in enumerate(part):
            own = (column < text and number == 0) or (column > text and number == len(parts) - 1)
            if column != text and not own:
                yield column, cell
