"""Excel workbooks."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from bench.data.files import check_file
from bench.data.messages import listed
from bench.data.sources.bounds import most_of, too_large
from bench.data.sources.cells import Row
from bench.data.sources.delimited import RowError, columns_of
from bench.errors import DataError, first_line, nearest

FREE = 2**25
"""The unpacked size in bytes that is always allowed."""

MOST_ROWS = 2**20
"""The most rows of an Excel sheet."""

_ESCAPED = re.compile("_x((?!d[89a-f])[0-9a-f]{4})_", re.IGNORECASE)
"""How Excel writes characters that XML has no place for, such as ``_x000D_`` for a carriage return."""

_MERGED = b"mergeCell"
"""The name of a sheet's elements for merged cells."""

_BLOCK = 2**20

FREE_CELLS = 2**24
"""The number of cells that is always allowed, including gaps."""


def read_sheet(path: Path, sheet: str | None = None, columns: Sequence[str] = ()) -> Iterator[Row]:
    """Read the rows of a workbook's sheet, with every value as text, one by one.

    Rows without a value are skipped. A formula counts by its stored value.

    Parameters
    ----------
    path : pathlib.Path
        An ``.xlsx`` file.
    sheet : str, optional
        The sheet's name; needed if several are not empty.
    columns : sequence of str
        The names of the columns of a sheet without a header.

    Raises
    ------
    bench.errors.DataError
        If it is not a workbook, has no such sheet or several with values, or repeats a column's name.
    """
    with _opened(path) as book:
        chosen = _chosen(book, sheet, path)
        names = list(columns)
        for number, cells in _filled(chosen, path):
            where = f"{path}, row {number}"
            try:
                if not names:
                    names = columns_of(cells, number)
                    continue
            except RowError as fault:
                raise DataError(f"{where}: {fault.message}", fault.hint) from fault
            if any(cells[len(names) :]) or (columns and len(cells) < len(names)):
                raise DataError(
                    f"{where}: {len(cells)} cells, but there are {len(names)} columns.",
                    "Give each column a name in the first row.",
                )
            yield where, dict(zip(names, cells + [""] * (len(names) - len(cells)), strict=False))


def sheet_head(path: Path, sheet: str | None, number: int) -> list[tuple[int, list[str]]]:
    """Return the first rows of a sheet that are not empty, with their numbers; see `read_sheet`."""
    with _opened(path) as book:
        return list(islice(_filled(_chosen(book, sheet, path), path), number))


def check_cells(path: Path, sheet: str | None, number: int) -> None:
    """Raise a DataError if cells look filled but are empty: formulas of a sheet's first rows, and merged cells.

    A merged range keeps its value in its first cell, and a formula that no program has computed has no value.

    Parameters
    ----------
    path : pathlib.Path
        The workbook.
    sheet : str or None
        See `read_sheet`.
    number : int
        The rows to examine.
    """
    with _opened(path) as book:
        chosen = _chosen(book, sheet, path)
        head = list(islice(_filled(chosen, path), number))
        merged = [cells for cells, first, last in _merged(chosen, path) if head[0][0] < first < last]
    _check_formulas(path, sheet, number, head)
    if merged:
        raise DataError(
            f"{path}: the cells {merged[0]} are merged, so only the first one has a value.",
            "Unmerge them, and write the value into each row.",
        )


def _check_formulas(path: Path, sheet: str | None, number: int, head: Sequence[tuple[int, list[str]]]) -> None:
    """Raise a DataError if a formula in a sheet's first rows has no value."""
    width = max((len(cells) for _, cells in head), default=0)
    if all(len(cells) == width and all(cells) for _, cells in head):
        return
    with _opened(path, data_only=False) as book:
        written = list(islice(_filled(_chosen(book, sheet, path), path), number))
    values = dict(head)
    for row, cells in written:
        given = values.get(row, [])
        for column, cell in enumerate(cells):
            if cell.startswith("=") and not "".join(given[column : column + 1]):
                raise DataError(
                    f"{path}, row {row}: the value of the formula '{cell}' is not stored in the file.",
                    "Open it in Excel or LibreOffice and save it, which computes its formulas.",
                )


@contextmanager
def _opened(path: Path, data_only: bool = True) -> Iterator[Any]:
    """A workbook, for as long as it is read."""
    check_file(path)
    with _readable(path):
        with ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > (most := most_of(path, FREE)):
            raise too_large(path, most, "If you trust it, save its sheet as CSV in UTF-8.")
        book = _loaded(path, data_only)
    try:
        yield book
    finally:
        book.close()


def _loaded(path: Path, data_only: bool) -> Any:
    """A workbook whose texts are as in the file; openpyxl drops ``x005F_``, the escape of an underscore, from them."""
    from openpyxl.cell.text import Text
    from openpyxl.reader.excel import SHARED_STRINGS, ExcelReader
    from openpyxl.xml.functions import iterparse

    class Reader(ExcelReader):
        def read_strings(self) -> None:
            part = self.package.find(SHARED_STRINGS)
            if part is None:
                return
            with self.archive.open(part.PartName[1:]) as source:
                for _, node in iterparse(source):
                    if node.tag.rpartition("}")[2] == "si":
                        self.shared_strings.append(Text.from_tree(node).content)
                        node.clear()

    reader = Reader(path, read_only=True, data_only=data_only, keep_links=False)
    reader.read()
    return reader.wb


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn any error of the library into a message that the file is not a readable workbook."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        why = first_line(error).rstrip(".")
        raise DataError(f"{path}: not a readable .xlsx workbook: {why}.", "Save it again as .xlsx or CSV.") from error


def _has_merged(sheet: Any, path: Path) -> bool:
    """Whether a sheet has merged cells, by a search that is much faster than to parse it."""
    with _readable(path), sheet._get_source() as source:
        before = b""
        for block in iter(partial(source.read, _BLOCK), b""):
            if _MERGED in before + block:
                return True
            before = block[-len(_MERGED) :]
    return False


def _merged(sheet: Any, path: Path) -> Iterator[tuple[str, int, int]]:
    """The merged ranges of a sheet, each with its first and last row."""
    from xml.etree.ElementTree import iterparse

    from openpyxl.utils.cell import range_boundaries

    if not _has_merged(sheet, path):
        return
    with _readable(path), sheet._get_source() as source:
        for _, element in iterparse(source):
            kind = element.tag.rpartition("}")[2]
            if kind == "mergeCell":
                cells = str(element.get("ref"))
                _, first, _, last = range_boundaries(cells)
                yield cells, first, last
            elif kind == "row":
                element.clear()


def _chosen(book: Any, name: str | None, path: Path) -> Any:
    if name is not None:
        if name not in book.sheetnames:
            raise DataError(f"{path}: it has no sheet '{name}'.", nearest(name, book.sheetnames))
        return book[name]
    filled = [sheet for sheet in book.worksheets if next(_filled(sheet, path), None) is not None]
    if not filled:
        raise DataError(f"{path}: the workbook is empty.")
    if len(filled) > 1:
        names = [sheet.title for sheet in filled]
        raise DataError(f"{path}: {len(filled)} sheets have content: {listed(names)}.", f"Name one: --sheet {names[0]}")
    return filled[0]


def _filled(sheet: Any, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows with any value, as text, with their numbers; empty cells at the end are none."""
    # A sheet's stated size may be wrong: it could cut off rows, or add any number of empty cells.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(values_only=True)
    left = most = most_of(path, FREE_CELLS)
    for number in count(1):
        with _readable(path):
            values = next(rows, None)
        if values is None:
            return
        if number > MOST_ROWS:
            raise DataError(f"{path}: a row number is above {MOST_ROWS:,}, the limit of Excel.", "Save it again.")
        left -= len(values) + 1
        if left < 0:
            raise too_large(path, most, "If you trust it, save its sheet as CSV in UTF-8.", "cells")
        cells = [_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), str(value))
