"""The file formats of tables."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from bench.data.files import (
    LFS_POINTER,
    check_fetched,
    check_file,
    iter_json_lines,
    open_text,
    read_json_array,
)
from bench.data.messages import place
from bench.data.sources.annotation_tools import doccano, label_studio, label_studio_min, prodigy
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
        if not isinstance(given, str) or given not in FORMATS:
            raise ConfigError(f"{where}: there is no format {given!r}.", nearest(str(given), FORMATS))
        return given
    suffix = PurePath(name).suffix
    if suffix not in SUFFIXES:
        raise DataError(
            f"{name}: a table is a {', '.join(list(SUFFIXES)[:-1])} or {list(SUFFIXES)[-1]} file, not '{suffix}'.",
            "Unpack it." if suffix in ARCHIVES else f"Name what it is in {where}.",
        )
    return SUFFIXES[suffix]


def _delimited_rows(path: Path, delimiter: str, quoting: Literal[0, 3]) -> Rows:
    with open_text(path, newline="") as lines:
        yield from parse_delimited(lines, path, delimiter, quoting)


def parse_delimited(lines: Iterable[str], path: Path, delimiter: str, quoting: Literal[0, 3]) -> Rows:
    """Parse lines of a table with a header; blank ones are passed over.

    Parameters
    ----------
    lines : iterable of str
        The lines with their ends, without a byte order mark; they are taken one by one.
    path : pathlib.Path
        Named in errors.
    delimiter : str
        What stands between cells.
    quoting : {csv.QUOTE_MINIMAL, csv.QUOTE_NONE}
        Whether quotation marks mean anything.

    Raises
    ------
    bench.errors.DataError
        If a row is no row, or not as long as the header, or the header has a column twice.
    """
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    header: list[str] = []
    while True:
        where = place(path, reader.line_num + 1)
        try:
            row = next(reader, None)
        except csv.Error as error:
            hint = "A text with a quotation mark is quoted, and its marks doubled."
            if "field limit" in str(error):
                hint = "Most likely a quotation mark before it is not closed; texts as long as that go into JSON Lines."
            raise DataError(f"{where}: not valid CSV: {error}.", hint) from error
        if row is None:
            return
        if not row or (not header and not "".join(row).strip()):
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


def _parquet(path: Path) -> Rows:
    """Yield the rows of a Parquet file, batch by batch, with numbers as text that keeps every digit."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_file(path)
    row = 0
    try:
        with path.open("rb") as content:
            check_fetched(content.read(len(LFS_POINTER)), path)
        with pq.ParquetFile(path) as file:
            twice = next((name for name in file.schema_arrow.names if file.schema_arrow.names.count(name) > 1), None)
            if twice is not None:
                raise DataError(f"{path}: the column '{twice}' stands twice.")
            for batch in file.iter_batches():
                columns = [_as_text(column) if _is_number(column.type) else column for column in batch.columns]
                cells = (column.to_pylist() for column in columns)
                for values in zip(*cells, strict=True):
                    row += 1
                    yield f"{path}, row {row}", dict(zip(batch.schema.names, values, strict=True))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}") from error


def _as_text(column: Any) -> Any:
    """Numbers as text; one that is none (NaN) is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.cast(column, pa.string())
    return pc.if_else(pc.is_nan(column), None, text) if pa.types.is_floating(column.type) else text


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


DELIMITED: dict[str, tuple[str, Literal[0, 3]]] = {
    "csv": (",", csv.QUOTE_MINIMAL),
    "tsv": ("\t", csv.QUOTE_NONE),
    "quoted-tsv": ("\t", csv.QUOTE_MINIMAL),
    "semicolon-csv": (";", csv.QUOTE_MINIMAL),
}
"""The formats with a delimiter: what it is, and whether quotation marks mean anything."""

FORMATS: dict[str, Callable[[Path], Rows]] = {
    **{
        name: partial(_delimited_rows, delimiter=delimiter, quoting=quoting)
        for name, (delimiter, quoting) in DELIMITED.items()
    },
    "jsonl": iter_json_lines,
    "json": read_json_array,
    "parquet": _parquet,
    "label-studio": label_studio,
    "label-studio-min": label_studio_min,
    "doccano": doccano,
    "prodigy": prodigy,
}
"""What reads each format: separated by commas, by tabs without and with quotation marks, by semicolons; a JSON object
a line, a JSON array of objects; Parquet; exports of annotation tools."""

SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".json": "json", ".parquet": "parquet"}
"""The format that a file's suffix stands for."""

ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst")
"""Suffixes of files that hold others; none is unpacked."""
