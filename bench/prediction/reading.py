"""Reading new text, row by row: tables with a header, JSON, Parquet, or plain lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bench.data.encodings import UTF_8, detect_encoding
from bench.data.files import BYTE_ORDER_MARK, check_characters, check_file, decode_lines, open_text
from bench.data.json_text import parse_json_lines, text_field
from bench.data.messages import place
from bench.data.sources.dialects import DELIMITED
from bench.data.sources.formats import WRITTEN, Form, Rows, parse_delimited
from bench.data.sources.layout import LOOKED_AT, Asked, detect_layout
from bench.data.title import check_title
from bench.errors import ConfigError, DataError, nearest
from bench.prediction.sniffing import LINES, sniff

Row = tuple[str, Mapping[str, Any]]
"""A row's place, and its values by column."""

PREDICTED = "predicted_"
"""Before the names of the answers' columns where the text has one of that name already."""

STANDARD_INPUT = Path("standard input")
"""How messages name it."""

WORDS = {
    "csv": "CSV",
    "semicolon-csv": "CSV with semicolons",
    "pipe-csv": "CSV with bars",
    "tsv": "TSV",
    "quoted-tsv": "TSV with quotation marks",
    "jsonl": "JSON Lines",
    "json": "JSON",
    "parquet": "Parquet",
    "xlsx": "an Excel sheet",
    "fasttext": "lines of fastText",
    LINES: "plain lines, a text each",
}
"""How the formats are told."""


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
    form : Form
        How it is written; its format is one of `WORDS`.
    rows : iterator of (str, mapping)
        Each row's place, as errors name it, and its values by column; they are read as they are asked for.
    columns : mapping of str to str
        The rows' column for each input of the model.
    answers : mapping of str to str
        What the answers' columns are called, so that they replace none of the rows'.
    remarks : tuple of str
        What may have been meant otherwise, and what the user should know of the columns, a sentence each.
    """

    form: Form
    rows: Iterator[Row]
    columns: Mapping[str, str]
    answers: Mapping[str, str]
    remarks: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The format."""
        return self.form.format

    def describe(self) -> str:
        """Say what it was read as."""
        quoting = ""
        if self.kind in DELIMITED and self.form.dialect != DELIMITED[self.kind]:
            quoting = WRITTEN[self.form.dialect.quote]
        return f"{WORDS[self.kind]}{quoting}{self.form.encoded}"


def read_texts_file(
    path: Path,
    columns: Mapping[str, str],
    added: Sequence[str],
    remembered: Mapping[str, str] | None = None,
    asked: Asked | None = None,
) -> NewText:
    """Read a file as ``bench new task`` does, but a ``.txt`` file that is no table as plain lines.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    columns, added, remembered
        As `read_stream` takes them.
    asked : Asked, optional
        What the user says of how the file is written.

    Raises
    ------
    bench.errors.DataError
        If there is no such file or nothing here reads it, or as in `read_stream`.
    """
    asked = asked or Asked()
    check_file(path)
    remembered = remembered or {}
    if path.suffix.lower() == ".txt" and asked.format is None and not asked.columns:
        encoding = asked.encoding or detect_encoding([path])
        with open_text(path, newline="\n", encoding=encoding) as lines:
            kind = _kind(list(islice(lines, LOOKED_AT)), path, columns, remembered)
        if kind not in DELIMITED:
            return _read_lines(_file_lines(path, encoding), path, columns, added, remembered, encoding)
    layout = detect_layout(path, asked)
    check_title(path, layout.form)
    return _new_text(layout.form, layout.form.rows(path), path, columns, added, remembered, layout.remarks)


def read_stream(
    lines: Iterable[bytes],
    columns: Mapping[str, str],
    added: Sequence[str],
    remembered: Mapping[str, str] | None = None,
) -> NewText:
    """Read standard input.

    What its first lines are is told by `bench.prediction.sniffing.sniff`. Plain lines would not do where several columns
    are read, or one that is called otherwise than the input of the model.

    Parameters
    ----------
    lines : iterable of bytes
        UTF-8.
    columns : mapping of str to str
        The column of each input of the model.
    added : sequence of str
        Columns that the answers add; where the text has one of them, they are called `PREDICTED` and so on.
    remembered : mapping of str to str, optional
        What the model's own task calls inputs in its data; these columns come before those of `columns`.

    Raises
    ------
    bench.errors.DataError
        While the rows are read: if a line is not UTF-8 or no row of its table, a column is missing, or a text is empty.
    """
    return _read_lines(decode_lines(lines, STANDARD_INPUT), STANDARD_INPUT, columns, added, remembered or {})


def _kind(first: list[str], path: Path, columns: Mapping[str, str], remembered: Mapping[str, str]) -> str:
    """What the first lines are, by their format."""
    first[:1] = [line.removeprefix(BYTE_ORDER_MARK) for line in first[:1]]
    only_tables = len(columns) > 1 or any(name != column for name, column in columns.items())
    if remembered:
        with suppress(DataError):
            return sniff(first, {**columns, **remembered}.values(), True, path)
    return sniff(first, columns.values(), only_tables, path)


def _read_lines(
    lines: Iterator[str],
    path: Path,
    columns: Mapping[str, str],
    added: Sequence[str],
    remembered: Mapping[str, str],
    encoding: str = UTF_8,
) -> NewText:
    first = list(islice(lines, LOOKED_AT))
    form = Form(_kind(first, path, columns, remembered), encoding=encoding)
    rows = _parsed(chain(first, lines), path, form, columns)
    return _new_text(form, rows, path, columns, added, remembered)


def _parsed(lines: Iterable[str], path: Path, form: Form, columns: Mapping[str, str]) -> Rows:
    if form.format == LINES:
        return _plain(lines, path, next(iter(columns.values())))
    if form.format == "jsonl":
        return parse_json_lines(lines, path)
    return parse_delimited(lines, path, form.dialect)


def _new_text(
    form: Form,
    rows: Rows,
    path: Path,
    columns: Mapping[str, str],
    added: Sequence[str],
    remembered: Mapping[str, str],
    remarks: Sequence[str] = (),
) -> NewText:
    """Tell by the first row which columns are read, and what the answers are called."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise DataError(f"{path}: there is no text in it.")
    names = first[1].keys()
    taken = {name: remembered[name] if remembered.get(name) in names else column for name, column in columns.items()}
    if len(set(taken.values())) < len(taken):
        taken = dict(columns)
    notes = [f"The {name} is read from '{taken[name]}', as in the task's own data." for name in taken]
    notes = [note for note, name in zip(notes, taken, strict=True) if taken[name] != columns[name]]
    there = [name for name in added if name in names]
    answers = {name: f"{PREDICTED}{name}" if there else name for name in added}
    if there:
        notes.append(f"The column '{there[0]}' is kept; the answers are in {', '.join(answers.values())}.")
    rows = _checked(chain([first], rows), form.format, taken, list(answers.values()), remembered)
    return NewText(form, rows, taken, answers, (*remarks, *notes))


def _checked(
    rows: Rows, kind: str, columns: Mapping[str, str], added: Sequence[str], remembered: Mapping[str, str]
) -> Iterator[Row]:
    for where, values in rows:
        for name, column in columns.items():
            if column not in values:
                option = "" if column != name else f" --{name} COLUMN names another."
                also = remembered.get(name, column)
                nor = "" if also == column else f", and no '{also}', as the task's own data call it"
                raise DataError(f"{where}: there is no column '{column}'{nor}.", nearest(column, values) + option)
            text_field(dict(values), column, where)
        for column in added:
            if column in values:
                raise DataError(
                    f"{where}: there is a column '{column}' already, which the answer would replace.",
                    "Rename it in the file.",
                )
        if kind in ("json", "jsonl"):
            check_characters(json.dumps(values, ensure_ascii=False), where, "it")
        yield where, values


def _plain(lines: Iterable[str], path: Path, column: str) -> Iterator[Row]:
    """Blank lines are passed over, and counted."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield place(path, number), {column: line.rstrip("\r\n")}


def _file_lines(path: Path, encoding: str) -> Iterator[str]:
    with open_text(path, newline="\n", encoding=encoding) as lines:
        yield from lines
