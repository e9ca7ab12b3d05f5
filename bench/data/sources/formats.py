"""The file formats of tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bench.data.files import BYTE_ORDER_MARK, read_json_lines, read_text
from bench.data.messages import place
from bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def table_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield a table's rows with their places, read by the file's suffix."""
    if path.suffix == ".jsonl":
        yield from read_json_lines(path)
    elif path.suffix in (".csv", ".tsv"):
        yield from _delimited_rows(path)
    else:
        raise DataError(f"{path}: a table is a .csv, .tsv or .jsonl file, not '{path.suffix}'.")


def _delimited_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    lines = io.StringIO(read_text(path).removeprefix(BYTE_ORDER_MARK), newline="")
    tabbed = path.suffix == ".tsv"
    reader = csv.reader(
        lines,
        delimiter="\t" if tabbed else ",",
        quoting=csv.QUOTE_NONE if tabbed else csv.QUOTE_MINIMAL,
        strict=True,
    )
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
