"""Excel workbooks."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from bench.data.files import check_file
from bench.data.messages import listed
from bench.data.sources.delimited import RowError, columns_of
from bench.errors import DataError, nearest

Row = tuple[str, Mapping[str, Any]]


def read_sheet(path: Path, sheet: str | None = None, columns: Sequence[str] = ()) -> Iterator[Row]:
    """Read the rows of a workbook's sheet, with every value as text, one by one.

    Rows without a value are passed over. Of a formula the value counts that was stored with it.

    Parameters
    ----------
    path : pathlib.Path
        An ``.xlsx`` file.
    sheet : str, optional
        The sheet's name; needed where several hold anything.
    columns : sequence of str
        The names of the columns of a sheet without a header.

    Raises
    ------
    bench.errors.DataError
        If it is no workbook, has no such sheet, or several with values, or a column's name stands twice.
    """
    with _opened(path) as book:
        chosen = _chosen(book, sheet, path)
        names = list(columns)
        for number, cells in _filled(chosen):
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
    """Return the first rows of a sheet that hold anything, with their numbers; see `read_sheet`."""
    with _opened(path) as book:
        return list(islice(_filled(_chosen(book, sheet, path)), number))


def check_cells(path: Path, sheet: str | None, number: int) -> None:
    """Raise a DataError if cells of a sheet's first rows look filled but hold nothing: merged ones, and formulas.

    A merged range keeps its value in its first cell, and a formula that no program has computed has no value.

    Parameters
    ----------
    path : pathlib.Path
        The workbook.
    sheet : str or None
        See `read_sheet`.
    number : int
        The rows that are looked at.
    """
    head = sheet_head(path, sheet, number)
    width = max((len(cells) for _, cells in head), default=0)
    if all(len(cells) == width and all(cells) for _, cells in head):
        return
    with _opened(path, data_only=False) as book:
        written = list(islice(_filled(_chosen(book, sheet, path)), number))
    values = dict(head)
    for row, cells in written:
        given = values.get(row, [])
        for column, cell in enumerate(cells):
            if cell.startswith("=") and not "".join(given[column : column + 1]):
                raise DataError(
                    f"{path}, row {row}: the value of the formula '{cell}' is not stored in the file.",
                    "Open it in Excel or LibreOffice and save it, which computes its formulas.",
                )
    with _opened(path, read_only=False) as book:
        merged = [
            each for each in _chosen(book, sheet, path).merged_cells.ranges if head[0][0] < each.min_row < each.max_row
        ]
    if merged:
        raise DataError(
            f"{path}: the cells {merged[0].coord} are merged, so that only the first of them holds a value.",
            "Unmerge them, and write the value into each row.",
        )


@contextmanager
def _opened(path: Path, read_only: bool = True, data_only: bool = True) -> Iterator[Any]:
    """A workbook, for as long as it is read."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    check_file(path)
    try:
        book = openpyxl.load_workbook(path, read_only=read_only, data_only=data_only)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{path}: it is no readable .xlsx workbook: {error}.", "Save it anew as .xlsx or CSV."
        ) from error
    try:
        yield book
    finally:
        book.close()


def _chosen(book: Any, name: str | None, path: Path) -> Any:
    if name is not None:
        if name not in book.sheetnames:
            raise DataError(f"{path}: it has no sheet '{name}'.", nearest(name, book.sheetnames))
        return book[name]
    filled = [sheet for sheet in book.worksheets if next(_filled(sheet), None) is not None]
    if not filled:
        raise DataError(f"{path}: the workbook is empty.")
    if len(filled) > 1:
        names = [sheet.title for sheet in filled]
        raise DataError(
            f"{path}: {len(filled)} sheets hold something: {listed(names)}.", f"Name one: --sheet {names[0]}"
        )
    return filled[0]


def _filled(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with any value, as text, with their numbers; empty cells at the end are none."""
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
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
    return str(value)
