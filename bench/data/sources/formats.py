"""The file formats of tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from bench.data.files import BYTE_ORDER_MARK, read_json_lines, read_text
from bench.data.messages import place
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from pathlib import Path

Rows = Iterable[tuple[str, Mapping[str, Any]]]
"""Rows of a table, each with its place."""


def format_of(name: str, given: object, where: str) -> str:
    """Choose a file's format: the one that is given, else by the suffix of its name.

    Parameters
    ----------
    name : str
        The file's name.
    given : object
        What the task's file says, None where it says nothing.
    where : str
        The key that it says so in, for errors.

    Raises
    ------
    bench.errors.UserError
        If there is no such format.
    """
    if given is not None:
        if given not in FORMATS:
            raise ConfigError(f"{where}: there is no format {given!r}.", nearest(str(given), FORMATS))
        return str(given)
    suffix = PurePath(name).suffix
    if suffix not in SUFFIXES:
        raise DataError(
            f"{name}: a table is a {', '.join(list(SUFFIXES)[:-1])} or {list(SUFFIXES)[-1]} file, not '{suffix}'.",
            "Name what it is in source.format.",
        )
    return SUFFIXES[suffix]


def _csv(path: Path) -> Rows:
    return _delimited_rows(path, ",", csv.QUOTE_MINIMAL)


def _tsv(path: Path) -> Rows:
    return _delimited_rows(path, "\t", csv.QUOTE_NONE)


def _quoted_tsv(path: Path) -> Rows:
    return _delimited_rows(path, "\t", csv.QUOTE_MINIMAL)


def _delimited_rows(path: Path, delimiter: str, quoting: Literal[0, 3]) -> Rows:
    lines = io.StringIO(read_text(path).removeprefix(BYTE_ORDER_MARK), newline="")
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    header: list[str] = []
    while True:
        where = place(path, reader.line_num + 1)
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(
                f"{where}: not valid CSV: {error}.", "A text with a quotation mark is quoted, and its marks doubled."
            ) from error
        if row is None:
            return
        if not row:
            continue
        if not header:
            header = row
            if len(set(header)) < len(header):
                twice = next(name for name in header if header.count(name) > 1)
                raise DataError(f"{where}: the column '{twice}' stands twice.")
            continue
        if len(row) != len(header):
            raise DataError(
                f"{where}: {len(row)} cells, but the header has {len(header)}.",
                "Quote a text that holds the delimiter or a line end.",
            )
        yield where, dict(zip(header, row, strict=True))


FORMATS: dict[str, Callable[[Path], Rows]] = {
    "csv": _csv,
    "tsv": _tsv,
    "quoted-tsv": _quoted_tsv,
    "jsonl": read_json_lines,
}
"""What reads each format: comma-separated, tab-separated without and with quotation marks, a JSON object a line."""

SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl"}
"""The format that a file's suffix stands for."""
