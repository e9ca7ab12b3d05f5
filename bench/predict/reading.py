"""Reading new text, row by row: tables with a header, JSON Lines, or plain lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from bench.data.files import BYTE_ORDER_MARK, UTF_16, check_file, parse_json_lines, text_field
from bench.data.messages import place
from bench.data.sources.formats import parse_delimited
from bench.errors import ConfigError, DataError, nearest

Row = tuple[str, Mapping[str, Any]]
"""A row's place, and its values by column."""

Kind = Literal["csv", "tsv", "jsonl", "lines"]

SUFFIXES: dict[str, Kind] = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".txt": "lines"}
"""What a file's suffix says that it is."""

STANDARD_INPUT = Path("standard input")
"""How messages name it."""

READERS: dict[Kind, Callable[[Iterable[str], Path], Iterable[Row]]] = {
    "csv": lambda lines, path: parse_delimited(lines, path, ",", csv.QUOTE_MINIMAL),
    "tsv": lambda lines, path: parse_delimited(lines, path, "\t", csv.QUOTE_NONE),
    "jsonl": parse_json_lines,
}


def named_columns(inputs: Sequence[str], given: Mapping[str, str | None]) -> dict[str, str]:
    """Say which column of the new text is which input of the model.

    Parameters
    ----------
    inputs : sequence of str
        The model's input columns.
    given : mapping of str to str or None
        The columns that were named by option; None takes the input's own name.

    Raises
    ------
    bench.errors.ConfigError
        If a column is named for what the model does not read, or one for two inputs.

    Examples
    --------
    >>> named_columns(["claim", "text"], {"text": "headline", "claim": None})
    {'claim': 'claim', 'text': 'headline'}
    """
    for name, column in given.items():
        if column is not None and name not in inputs:
            raise ConfigError(f"--{name} {column}: the model reads no {name}, only {' and '.join(inputs)}.")
    columns = {name: given.get(name) or name for name in inputs}
    if len(set(columns.values())) < len(columns):
        raise ConfigError(f"The column '{columns[inputs[0]]}' cannot be both {' and '.join(inputs)}.")
    return columns


@dataclass(frozen=True)
class NewText:
    """New text.

    Parameters
    ----------
    kind : {"csv", "tsv", "jsonl", "lines"}
        What it is written as.
    rows : iterator of (str, mapping)
        Each row's place, as errors name it, and its values by column; they are read as they are asked for.
    """

    kind: Kind
    rows: Iterator[Row]


def read_file(path: Path, columns: Mapping[str, str], added: Sequence[str]) -> NewText:
    """Read a file by what its suffix says that it is; the rest is as in `read_stream`."""
    kind = SUFFIXES.get(path.suffix)
    if kind is None:
        raise ConfigError(
            f"--input {path}: new text is a {', '.join(SUFFIXES)} file, not '{path.suffix}'.",
            "Rename it, or give it on standard input: --input - < FILE",
        )
    if kind == "lines" and len(columns) > 1:
        raise ConfigError(
            f"--input {path}: plain lines hold one text each, and the model reads {' and '.join(columns)}.",
            "Write a .csv, .tsv or .jsonl file with these columns.",
        )
    return NewText(kind, _rows(_decoded(_bytes(path), path), path, kind, columns, added))


def read_stream(lines: Iterable[bytes], columns: Mapping[str, str], added: Sequence[str]) -> NewText:
    """Read standard input.

    It holds JSON Lines where the first line is a JSON object; a table, comma- or tab-separated, where the first line
    is a header that names the columns, or where plain lines would not do; else plain lines, a text each.

    Parameters
    ----------
    lines : iterable of bytes
        UTF-8.
    columns : mapping of str to str
        The column of each input of the model.
    added : sequence of str
        Columns that the answers add, which the text must not have.

    Raises
    ------
    bench.errors.DataError
        While the rows are read: if a line is not UTF-8 or no row of its table, a column is missing, or a text is empty.
    """
    decoded = _decoded(lines, STANDARD_INPUT)
    first = next(decoded, None)
    kind = _kind(first or "", columns)
    whole = decoded if first is None else chain([first], decoded)
    return NewText(kind, _rows(whole, STANDARD_INPUT, kind, columns, added))


def _rows(
    lines: Iterable[str], path: Path, kind: Kind, columns: Mapping[str, str], added: Sequence[str]
) -> Iterator[Row]:
    rows = _plain(lines, path, next(iter(columns.values()))) if kind == "lines" else READERS[kind](lines, path)
    empty = True
    for where, values in rows:
        empty = False
        for name, column in columns.items():
            if column not in values:
                option = "" if column != name else f" --{name} COLUMN names another."
                raise DataError(f"{where}: there is no column '{column}'.", nearest(column, values) + option)
            text_field(dict(values), column, where)
        for column in added:
            if column in values:
                raise DataError(
                    f"{where}: there is a column '{column}' already, which the answer would replace.",
                    "Rename it in the file.",
                )
        if kind == "jsonl":
            _check_characters(values, where)
        yield where, values
    if empty:
        raise DataError(f"{path}: there is no text in it.")


def _check_characters(values: Mapping[str, Any], where: str) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{where}: it holds half a character (a lone surrogate such as \\ud83d).", "Write the character whole."
        ) from None


def _plain(lines: Iterable[str], path: Path, column: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        yield place(path, number), {column: line.rstrip("\r\n")}


def _bytes(path: Path) -> Iterator[bytes]:
    check_file(path)
    try:
        with path.open("rb") as lines:
            yield from lines
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error


def _decoded(lines: Iterable[bytes], path: Path) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if b"\0" in line and not (number == 1 and line.startswith(UTF_16)):
            raise DataError(
                f"{place(path, number)}: byte {line.index(0) + 1} of the line is NUL, which no text has.",
                "The file may be UTF-16: iconv -f UTF-16LE -t UTF-8 FILE",
            )
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            encoding = "UTF-16" if number == 1 and line.startswith(UTF_16) else "WINDOWS-1256"
            raise DataError(
                f"{place(path, number)}: byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8.",
                f"Convert it, here perhaps by: iconv -f {encoding} -t UTF-8 FILE",
            ) from error
        yield text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def _kind(first: str, columns: Mapping[str, str]) -> Kind:
    if _is_object(first):
        return "jsonl"
    kinds: dict[Kind, str] = {"csv": ",", "tsv": "\t"}
    for kind, delimiter in kinds.items():
        if set(columns.values()) <= set(next(csv.reader([first], delimiter=delimiter), [])):
            return kind
    if len(columns) == 1 and all(name == column for name, column in columns.items()):
        return "lines"
    return "tsv" if "\t" in first else "csv"


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
