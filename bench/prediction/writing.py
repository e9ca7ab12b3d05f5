"""Writing labelled rows as CSV or JSON Lines, row by row."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench.data.own_files import check_replaced
from bench.errors import ConfigError, DataError, nearest
from bench.support.json_writing import json_text, plain_text
from bench.support.places import replacing


def answer_format(given: str | None, output: Path | None, kind: str) -> str:
    """Choose the format of the answers: the given one, else the output's suffix, else that of the input.

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
        If the output's suffix is unknown and no format is given, or if it contradicts the format.
    """
    if output is None:
        return given or ("jsonl" if kind in ("json", "jsonl") else "csv")
    name = output.suffix.lower().removeprefix(".")
    if name not in FORMATS and given is None:
        raise ConfigError(
            f"--output {output}: write answers to a .csv or .jsonl file, not '{output.suffix}'.",
            "Set the format with --format csv or --format jsonl.",
        )
    if name in FORMATS and given not in (None, name):
        raise ConfigError(
            f"--output {output}: its suffix means {name}, but --format is {given}.",
            "Remove --format, or rename the file.",
        )
    return given or name


def csv_lines(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Write rows as CSV with a header; lists and objects become JSON, and dates are written as ISO 8601 does.

    Raises
    ------
    bench.errors.DataError
        If a row has a column that the first one has not.
    """
    buffer = io.StringIO()
    # Both characters of the line end are then quoted within cells, even if only one occurs.
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
                f"text {number}: its column '{unknown[0]}' is not in the first one, so CSV cannot store it. "
                f"{nearest(unknown[0], header)}",
                "Write JSON Lines: --format jsonl",
            )
        yield line(_cell(row.get(name)) for name in header)


def with_numbers(
    rows: Iterable[Mapping[str, object]], numbers: Mapping[str, Callable[[str], float]]
) -> Iterator[Mapping[str, object]]:
    """Rows with numbers instead of their text in some columns, where JSON has a form for them.

    Parameters
    ----------
    rows : iterable of mapping
        The rows.
    numbers : mapping of str to callable
        Each such column, with what makes a number of a text.

    Examples
    --------
    >>> list(with_numbers([{"n": "7", "x": "inf", "id": "007"}], {"n": int, "x": float}))
    [{'n': 7, 'x': 'inf', 'id': '007'}]
    """
    for row in rows:
        read = {name: number(str(row[name])) for name, number in numbers.items() if row[name] is not None}
        yield {**row, **{name: value for name, value in read.items() if math.isfinite(value)}}


def json_lines(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Write rows as JSON objects, a line each."""
    for row in rows:
        yield _json(row) + "\n"


FORMATS: dict[str, Callable[[Iterable[Mapping[str, object]]], Iterator[str]]] = {"csv": csv_lines, "jsonl": json_lines}


def check_output(output: Path, force: bool = False, read: Iterable[Path] = ()) -> None:
    """Raise a ConfigError if an output file cannot be written, or is there and must not be replaced.

    Parameters
    ----------
    output : pathlib.Path
        The file.
    force : bool
        Whether it may replace another.
    read : iterable of pathlib.Path
        Files that it never replaces, in addition to those of tasks.
    """
    if output.is_dir():
        raise ConfigError(f"--output {output}: this is a folder.", "Name a file in it.")
    folder = Path(os.path.realpath(output)).parent
    if not folder.is_dir():
        raise ConfigError(f"--output {output}: the folder {folder} does not exist.", "Create it, or name another file.")
    check_replaced(output, f"--output {output}", force, read)


def write_answers(lines: Iterable[str], output: Path) -> None:
    """Write lines to a file, which appears whole or not at all.

    What is there and no regular file, such as ``/dev/null`` or a pipe, is written to as it is.

    Raises
    ------
    bench.errors.UserError
        If the target cannot be written.
    """
    as_it_is = output.exists() and not output.is_file()
    with nullcontext(output) if as_it_is else replacing(output) as path, path.open("wb") as file:
        file.writelines(line.encode() for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return _json(value) if isinstance(value, list | tuple | Mapping | bool | int | float) else plain_text(value)


def _json(value: Any) -> str:
    """Write a value as JSON; one that JSON has no form for, such as a date of Parquet, as text."""
    return json_text(value, any_kind=True)
