"""How the rows of a file are written: told by its suffix and by what it holds."""

from __future__ import annotations

import codecs
import csv
import mmap
import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Literal

from bench.data.files import open_text
from bench.data.messages import place
from bench.data.sources.formats import ARCHIVES, DELIMITED, SUFFIXES
from bench.errors import DataError

QUOTED_CELL = re.compile(rb'(^|\t)"[^\t]*"(\t|\r?$)', re.MULTILINE)
"""A cell between tabs that is in quotation marks."""

LOOKED_AT = 50
"""Rows that decide on a format."""

HEAD = 2**16
"""Characters of a file's beginning that are looked at for its kind."""

PAGE = re.compile(r"\s*(<!doctype html|<html)\b", re.IGNORECASE)
"""What an HTML page begins with."""

OBJECT = re.compile(r'\s*(\[\s*)?\{\s*"')
"""What JSON objects begin with, in an array or not."""

EXCEL_LINE = re.compile(r"sep=.\r?\n", re.IGNORECASE)
"""The line by which Excel is told a table's delimiter."""


def detect_layout(path: Path) -> str:
    """Say how the rows of a file are written, whoever wrote them.

    Returns
    -------
    str
        One of `bench.data.sources.formats.FORMATS`, but none of an annotation tool.

    Raises
    ------
    bench.errors.DataError
        If nothing here reads it.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return "parquet"
    if suffix in (".csv", ".tsv", ".tab", ".txt"):
        head = read_head(path)
        _check_delimited(head, path)
        return _delimited(path) or _by_header(head, "csv" if suffix == ".csv" else "tsv")
    if suffix in (".json", ".jsonl", ".ndjson"):
        head = read_head(path)
        _check_page(head, path)
        return "json" if head.lstrip().startswith("[") else "jsonl"
    known = ", ".join(SUFFIXES)
    hint = f"Unpack it. Files are told by {known}." if suffix in ARCHIVES else f"Files are told by {known}."
    hint = "Save the sheet as CSV in UTF-8." if suffix in (".xlsx", ".xls", ".ods") else hint
    problem = f"no format is known for '{path.suffix}'" if suffix else "its name has no suffix that tells its format"
    raise DataError(f"{path}: {problem}.", hint)


def read_head(path: Path) -> str:
    """A file's beginning, from the first line that is not blank."""
    with open_text(path, newline="") as lines:
        return next((line for line in lines if line.strip()), "") + lines.read(HEAD)


def _check_page(head: str, path: Path) -> None:
    """Raise a DataError if what a file begins with is an HTML page."""
    if PAGE.match(head):
        raise DataError(f"{path}: it is an HTML page, not a table.", "Download the data themselves, not the page.")


def _check_delimited(head: str, path: Path) -> None:
    """Raise a DataError if a file begins as no table with a delimiter does: as JSON, or with Excel's line."""
    _check_page(head, path)
    if OBJECT.match(head):
        suffix = ".json" if head.lstrip().startswith("[") else ".jsonl"
        raise DataError(f"{path}: it is JSON, not a table with a delimiter.", f"Let its name end in {suffix}.")
    if mark := EXCEL_LINE.match(head):
        raise DataError(
            f"{place(path, 1)}: '{mark[0].strip()}' is a line for Excel alone.",
            "Take it out: the first line of a table is its header.",
        )


def _delimited(path: Path) -> str | None:
    """The delimiter and quoting that give the most columns, the same number in each of the first rows."""
    best, most = None, 1
    for name, (delimiter, quoting) in DELIMITED.items():
        with open_text(path, newline="") as lines:
            width = common_width(lines, delimiter, quoting)
        if width > most and (quoting != csv.QUOTE_NONE or not _has_quoted_cell(path)):
            best, most = name, width
    return best


def common_width(lines: Iterable[str], delimiter: str, quoting: Literal[0, 3]) -> int:
    """The number of cells that each of the first rows has; 0 where they differ, or are no rows."""
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    try:
        widths = {len(row) for row in islice((row for row in reader if row), LOOKED_AT)}
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0


def _has_quoted_cell(path: Path) -> bool:
    """Whether a cell of a file with tabs is in quotation marks, line ends in it included."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = len(codecs.BOM_UTF8) if content[:3] == codecs.BOM_UTF8 else 0
        with memoryview(content) as view, view[start:] as cells:
            return QUOTED_CELL.search(cells) is not None


def _by_header(head: str, default: str) -> str:
    """The delimiter that gives a header the most columns, where the rows do not agree on one."""
    widths = header_widths(head)
    return max(widths, key=lambda name: (widths[name], name == default), default=default)


def header_widths(head: str) -> dict[str, int]:
    """Into how many columns each delimiter splits the first line of a table; nothing where its quoting is broken."""
    header = head.lstrip("\r\n").splitlines()[:1]
    try:
        return {
            name: len(next(csv.reader(header, delimiter=delimiter, quoting=quoting, strict=True)))
            for name, (delimiter, quoting) in DELIMITED.items()
        }
    except csv.Error:
        return {}
