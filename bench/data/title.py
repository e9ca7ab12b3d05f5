"""Find rows that are not data: a title above a table's header, or descriptions below it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from bench.data.column_names import fit, is_known
from bench.data.files import open_text
from bench.data.messages import place
from bench.data.sources.archive import unpacked
from bench.data.sources.dialects import DELIMITED, EXCEL_LINE, NAMES
from bench.data.sources.formats import SUFFIXES, TEXTS, line_end
from bench.data.sources.sheet import check_cells, sheet_head
from bench.errors import DataError
from bench.support.delimiters import CsvReader

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.sources.formats import Form

FIRST = 20
"""The number of lines to examine."""

LONGEST_NAME = 4
"""The most words in a column's name."""

LONGEST_CELL = 500
"""The most characters in a column's name."""

ROLES = ("text", "label", "claim", "id", "other")
"""The roles that a header's name can reveal."""

_KINDS = """
    string str text varchar char character category categorical class label factor int integer float double number
    numeric bool boolean date datetime object id nominal ordinal
"""
KINDS_OF_VALUES = frozenset(_KINDS.split())
"""Words in a row that describes columns. A row of only such words is not an example."""

QUALTRICS = '{"ImportId"'
"""The start of the cells in a survey's third line."""

KINDS_OF_ANSWERS = frozenset(("response", "open-ended response"))
"""The cells in a survey's second line, below its questions."""

_RULE = re.compile(r"[-=:+_]{3,}")
"""The cells of a rule between a header and its table."""

Numbered = tuple[int, list[str]]
"""A row's number, and its cells."""


def check_title(path: Path, form: Form) -> None:
    """Raise a DataError if there is a title above a table's header, or a row below it that describes columns.

    A title is a row of one cell that is not a usual column name, above a row of names.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    form : Form
        How the file is written. If the user names the columns, there is no header.
    """
    if form.header or form.format not in (*DELIMITED, "xlsx"):
        return
    with unpacked(path, (*SUFFIXES, *TEXTS)) as (file, _):
        for rows in _heads(file, form):
            unit = "row" if form.format == "xlsx" else "line"
            _check(rows, file, unit)


def _heads(path: Path, form: Form) -> Iterator[list[Numbered]]:
    """The first non-empty rows, by possible delimiter."""
    if form.format == "xlsx":
        check_cells(path, form.sheet, FIRST)
        yield sheet_head(path, form.sheet, FIRST)
        return
    with open_text(path, newline=line_end(path, form.encoding), encoding=form.encoding) as opened:
        lines = list(islice(opened, FIRST))
    usual = form.dialect.delimiter
    head = list(_rows(lines, usual))
    yield head
    if head and len([cell for cell in head[0][1] if cell.strip()]) > 1:
        return
    for delimiter in (mark for mark in NAMES if mark != usual):
        yield list(_rows(lines, delimiter))


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[Numbered]:
    reader = CsvReader(lines, delimiter=delimiter)
    number = 1
    for cells in reader:
        is_about = not number - 1 and EXCEL_LINE.fullmatch(delimiter.join(cells))
        comment = len(cells) == 1 and cells[0].startswith("#")
        if any(cell.strip() for cell in cells) and not is_about and not comment:
            yield number, cells
        number = reader.line_num + 1


def _check(rows: Sequence[Numbered], path: Path, unit: str) -> None:
    filled = [(number, [cell.strip() for cell in cells if cell.strip()]) for number, cells in rows]
    above = 0
    while above < len(filled) and _is_about(filled[above][1]):
        above += 1
    if 0 < above < len(filled) and is_header(filled[above][1]):
        number, header = filled[0][0], filled[above][0]
        raise DataError(
            f"{_place(path, number, unit)}: this is a title. The header is in {unit} {header}.",
            f"Remove the {unit}s above {unit} {header}.",
        )
    if len(filled) > 1 and _names_again(filled):
        number, below = filled[0][0], filled[1][0]
        if len(filled[0][1]) < len(filled[1][1]):
            raise DataError(
                f"{_place(path, number, unit)}: this is a header above the header in {unit} {below}.",
                f"Remove {unit} {number}.",
            )
        named = is_header(filled[0][1])
        what = "repeats the column names" if named else f"has the column names, and {unit} {number} their codes"
        raise DataError(
            f"{_place(path, below, unit)}: this {what}. It is not an example.",
            f"Remove {unit} {below if named else number}.",
        )
    for before, (number, cells) in enumerate(filled[1:3], start=1):
        if all(_RULE.fullmatch(cell) for cell in cells):
            raise DataError(
                f"{_place(path, number, unit)}: this is a line under the header, not an example.",
                f"Remove {unit} {number}.",
            )
        values = [cell.casefold() for cell in cells]
        survey = all(cell.startswith(QUALTRICS) for cell in cells)
        kinds = before == 1 and len(values) > 1 and set(values) <= KINDS_OF_VALUES
        answers = before == 1 and set(values) <= KINDS_OF_ANSWERS
        if survey or answers or (kinds and is_header(filled[0][1])):
            others = f"{unit}s {filled[1][0]} and {number}" if before > 1 else f"{unit} {number}"
            raise DataError(
                f"{_place(path, number, unit)}: this describes the columns. It is not an example.", f"Remove {others}."
            )


def _names_again(filled: Sequence[Numbered]) -> bool:
    """Whether the second row is also a header: none of its cells occur in later rows."""
    first, second = filled[0][1], filled[1][1]
    others = {cell for _, cells in filled[2:] for cell in cells}
    return len(first) <= len(second) and is_header(second) and not others & set(second)


def _is_about(cells: Sequence[str]) -> bool:
    """Whether a row may be a title: one cell that is not a usual column name, or a comment."""
    return cells[0].startswith("#") or (len(cells) == 1 and not is_known(cells[0]))


def is_header(cells: Sequence[str]) -> bool:
    """Whether cells are short names: one of them usual, and another that reveals a role."""
    if any(len(cell) > LONGEST_CELL or len(cell.split()) > LONGEST_NAME for cell in cells):
        return False
    told = [cell for cell in cells if is_known(cell) or any(fit(cell, role) is not None for role in ROLES)]
    return len(told) > 1 and len(set(cells)) == len(cells) and any(map(is_known, cells))


def _place(path: Path, number: int, unit: str) -> str:
    return place(path, number) if unit == "line" else f"{path}, row {number}"
