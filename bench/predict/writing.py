"""Writing labelled rows as CSV or JSON Lines, row by row."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from bench.errors import ConfigError, DataError, nearest


def answer_format(given: str | None, output: Path | None, kind: str) -> str:
    """Choose the format of the answers: the one that is given, else the output's suffix, else that of the input.

    Parameters
    ----------
    given : str or None
        One of `FORMATS`.
    output : pathlib.Path or None
        The file that is written, None for standard output.
    kind : str
        What the input is written as.

    Raises
    ------
    bench.errors.ConfigError
        If the output's suffix is of neither format and none is given, or of the other one.
    """
    if output is None:
        return given or ("jsonl" if kind in ("json", "jsonl") else "csv")
    name = output.suffix.lower().removeprefix(".")
    if name not in FORMATS and given is None:
        raise ConfigError(
            f"--output {output}: answers are written as a .csv or .jsonl file, not '{output.suffix}'.",
            "Name the format by --format csv or --format jsonl.",
        )
    if name in FORMATS and given not in (None, name):
        raise ConfigError(
            f"--output {output}: its suffix means {name}, and --format says {given}.",
            "Leave --format out, or name the file otherwise.",
        )
    return given or name


def csv_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write rows as CSV with a header; what is neither text nor a number stands there as JSON.

    Raises
    ------
    bench.errors.DataError
        If a row has a column that the first one has not.
    """
    buffer = io.StringIO()
    # Both characters of the line end are then quoted within cells, also where only one of them stands there.
    writer = csv.writer(buffer, lineterminator="\r\n")
    header: list[str] = []

    def line(cells: Iterable[str]) -> str:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(cells)
        return buffer.getvalue().removesuffix("\r\n") + "\n"

    for number, row in enumerate(rows, start=1):
        if not header:
            header = list(row)
            yield line(header)
        unknown = [name for name in row if name not in header]
        if unknown:
            raise DataError(
                f"text {number}: its column '{unknown[0]}' is not in the first one, so CSV has no place for it. "
                f"{nearest(unknown[0], header)}",
                "Write JSON Lines: --format jsonl",
            )
        yield line(_cell(row.get(name)) for name in header)


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write rows as JSON objects, a line each."""
    for row in rows:
        yield _json(row) + "\n"


FORMATS: dict[str, Callable[[Iterable[Mapping[str, Any]]], Iterator[str]]] = {"csv": csv_lines, "jsonl": json_lines}


@contextmanager
def written_beside(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside its place; it is renamed where all goes well, and removed where not.

    What is there and no regular file, such as ``/dev/null`` or a pipe, is written to as it is.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    """Write a value as JSON; one that JSON has no form for, such as a date of Parquet, as text."""
    return json.dumps(value, ensure_ascii=False, default=str)
