"""Reading new text, row by row: tables with a header, JSON, Parquet, or plain lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.data.encodings import UTF_8, detect_encoding
from bench.data.files import BYTE_ORDER_MARK, check_characters, check_file, decode_lines, open_lines
from bench.data.json_reading import parse_json_lines, text_field
from bench.data.messages import place
from bench.data.sources.archive import unpacked
from bench.data.sources.cells import Row, Rows
from bench.data.sources.dialects import DELIMITED
from bench.data.sources.formats import SUFFIXES, TEXTS, WRITTEN, Form, parse_delimited
from bench.data.sources.gaps import is_empty
from bench.data.sources.layout import LOOKED_AT, Asked, Layout, detect_layout
from bench.data.sources.parquet import number_columns
from bench.data.title import check_title
from bench.errors import HIDDEN, ConfigError, DataError, nearest
from bench.prediction.hints import input_options, of_input, told_of_input, without_header
from bench.prediction.sniffing import LINES, sniff
from bench.support.json_writing import plain_text

if TYPE_CHECKING:
    import pandas as pd
"""A row's place, and its values by column."""

PREDICTED = "predicted_"
"""The prefix of an answer column's name if the input already has that name."""

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
    LINES: "plain lines, one text each",
}
"""The names of formats in messages."""


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
        If a column is given for an input that the model does not read, or one column for two inputs.

    Examples
    --------
    >>> named_columns(["claim", "text"], {"text": "headline", "claim": None})
    {'claim': 'claim', 'text': 'headline'}
    """
    for name, column in given.items():
        if column is not None and name not in inputs:
            raise ConfigError(f"--{name} {column}: the model does not read a {name}, only {' and '.join(inputs)}.")
    columns = {name: given.get(name) or name for name in inputs}
    if len(set(columns.values())) < len(columns):
        raise ConfigError(f"The column '{columns[inputs[0]]}' cannot be both {' and '.join(inputs)}.")
    return columns


def remembered_columns(of_task: Mapping[str, str], given: Mapping[str, str | None]) -> dict[str, str]:
    """What the model's own task calls the inputs for which no column was given."""
    return {name: column for name, column in of_task.items() if given.get(name) is None}


@dataclass(frozen=True)
class NewText:
    """New text.

    Parameters
    ----------
    form : Form
        How it is written; its format is one of `WORDS`.
    rows : iterator of (str, mapping)
        Each row's place, for errors, and its values by column; a text may be empty. Rows are read on demand.
    columns : mapping of str to str
        The rows' column for each input of the model.
    answers : mapping of str to str
        The names of the answer columns, which replace none of the rows' columns.
    remarks : tuple of str
        Notes on doubtful readings and on the columns, a sentence each.
    numbers : mapping of str to callable
        The columns of numbers that are no inputs and that rows have as text, with what makes a number of it.
    """

    form: Form
    rows: Iterator[Row]
    columns: Mapping[str, str]
    answers: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    numbers: Mapping[str, Callable[[str], float]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The format."""
        return self.form.format

    def describe(self) -> str:
        """Describe the detected format."""
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
    """Read a file as ``bench new task`` does, but read a ``.txt`` file that is not a table as plain lines.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    columns, added, remembered
        As `read_stream` takes them.
    asked : Asked, optional
        The format that the user specifies.

    Raises
    ------
    bench.errors.DataError
        If the file is missing or no format fits, or as in `read_stream`.
    """
    asked = asked or Asked()
    check_file(path)
    remembered = remembered or {}
    if path.suffix.lower() == ".txt" and asked.format is None and not asked.columns:
        encoding = asked.encoding or detect_encoding([path])
        with open_lines(path, encoding) as lines:
            kind = _kind(list(islice(lines, LOOKED_AT)), path, columns, remembered)
        if kind not in DELIMITED:
            return _read_lines(_file_lines(path, encoding), path, columns, added, remembered, encoding)
    with input_options():
        layout = detect_layout(path, asked)
        remarks = tuple(map(of_input, layout.remarks))
        new = read_laid_out(path, replace(layout, remarks=remarks), columns, added, remembered)
    return replace(new, rows=told_of_input(new.rows))


def read_laid_out(
    path: Path,
    layout: Layout,
    columns: Mapping[str, str],
    added: Sequence[str] = (),
    remembered: Mapping[str, str] | None = None,
) -> NewText:
    """Read a file whose layout is known; see `read_texts_file`."""
    check_title(path, layout.form)
    new = _new_text(layout.form, layout.form.rows(path), path, columns, added, remembered or {}, layout.remarks)
    if layout.form.format != "parquet":
        return new
    with unpacked(path, (*SUFFIXES, *TEXTS)) as (file, _):
        numbers = number_columns(file)
    return replace(new, numbers={name: numbers[name] for name in numbers if name not in new.columns.values()})


def read_frame(frame: pd.DataFrame, columns: Mapping[str, str], remembered: Mapping[str, str] | None = None) -> NewText:
    """Read the rows of a data frame, missing values as empty.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_texts, n_columns)
        The texts with whatever else is known of them.
    columns, remembered
        As `read_stream` takes them.

    Raises
    ------
    bench.errors.DataError
        As in `read_stream`.
    """
    names = [str(name) for name in frame.columns]
    columns_as_text = [_as_text(frame.iloc[:, place]) for place in range(len(names))]
    rows = (
        (f"archive, row {number}", dict(zip(names, values, strict=True)))
        for number, values in enumerate(zip(*columns_as_text, strict=True), start=1)
    )
    return _new_text(Form("csv"), rows, Path("archive"), columns, (), remembered or {})


def _as_text(column: pd.Series[Any]) -> list[str]:
    """The values of a column as text, missing ones as empty."""
    present = column.dropna()
    if present.dtype.kind == "f" and ((present % 1 == 0) & (present.abs() < 2**53)).all():
        # Whole numbers beside missing ones are floats in a frame.
        column = column.astype("Int64")
    return [plain_text(value) for value in column.astype(object).where(column.notna(), "")]


def read_texts(
    archive: Path | pd.DataFrame,
    columns: Mapping[str, str],
    remembered: Mapping[str, str] | None = None,
    asked: Asked | None = None,
) -> NewText:
    """Read the texts of an archive, a file or a data frame, with whatever else is known of them.

    Parameters
    ----------
    archive : pathlib.Path or pandas.DataFrame
        The archive.
    columns, remembered
        As `read_stream` takes them.
    asked : Asked, optional
        The format of the file that the user specifies.

    Raises
    ------
    bench.errors.DataError
        As in `read_texts_file`.
    """
    if isinstance(archive, Path):
        return read_texts_file(archive, columns, (), remembered, asked)
    return read_frame(archive, columns, remembered)


def archive_title(archive: Path | pd.DataFrame) -> str:
    """What an archive is called in messages."""
    return str(archive) if isinstance(archive, Path) else "archive"


def read_stream(
    lines: Iterable[bytes],
    columns: Mapping[str, str],
    added: Sequence[str],
    remembered: Mapping[str, str] | None = None,
) -> NewText:
    """Read standard input.

    `bench.prediction.sniffing.sniff` detects the format of its first lines. Plain lines do not work if several columns
    are read, or one that has another name than the input of the model.

    Parameters
    ----------
    lines : iterable of bytes
        UTF-8.
    columns : mapping of str to str
        The column of each input of the model.
    added : sequence of str
        Columns that the answers add; renamed with `PREDICTED` if the input has them.
    remembered : mapping of str to str, optional
        What the model's own task calls inputs in its data; these columns come before those of `columns`.

    Raises
    ------
    bench.errors.DataError
        While the rows are read: if a line is not UTF-8 or no row of its table, or a column is missing.
    """
    return _read_lines(
        decode_lines(_with_feeds(lines), STANDARD_INPUT), STANDARD_INPUT, columns, added, remembered or {}
    )


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
    """Determine the input columns and the names of the answer columns from the first row."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise DataError(f"{path}: it contains no text.")
    names = first[1].keys()
    taken = {name: remembered[name] if remembered.get(name) in names else column for name, column in columns.items()}
    if len(set(taken.values())) < len(taken):
        taken = dict(columns)
    bare = {HIDDEN.sub("", each).strip(): each for each in names if each is not None}
    named = {name: column if column in names else bare.get(column, column) for name, column in taken.items()}
    notes = [f"The {name} is read from '{taken[name]}', its name in the task's own data." for name in taken]
    notes = [note for note, name in zip(notes, taken, strict=True) if taken[name] != columns[name]]
    notes += [
        f"The {name} is read from {each!r}, whose name has hidden characters or spaces around it."
        for name, each in named.items()
        if each != taken[name]
    ]
    there = [name for name in added if name in names]
    answers = {name: f"{PREDICTED}{name}" if there else name for name in added}
    if there:
        notes.append(f"The column '{there[0]}' is kept. The answers are in {', '.join(answers.values())}.")
    rows = _checked(chain([first], rows), form.format, named, list(answers.values()), remembered)
    return NewText(form, rows, named, answers, (*remarks, *notes))


def _checked(
    rows: Rows, kind: str, columns: Mapping[str, str], added: Sequence[str], remembered: Mapping[str, str]
) -> Iterator[Row]:
    for where, values in rows:
        for name, column in columns.items():
            if column not in values:
                option = "" if column != name else f" Choose another with --{name} COLUMN."
                also = remembered.get(name, column)
                nor = "" if also == column else f" or '{also}', its name in the task's own data"
                hint = nearest(column, values) + option + without_header(kind, column, values)
                raise DataError(f"{where}: there is no column '{column}'{nor}.", hint)
            if not is_empty(values[column]):
                text_field(dict(values), column, where)
        for column in added:
            if column in values:
                raise DataError(
                    f"{where}: the column '{column}' already exists, and the answer would replace it.",
                    "Rename it in the file.",
                )
        if kind in ("json", "jsonl"):
            check_characters(json.dumps(values, ensure_ascii=False), where, "it")
        yield where, values


def _plain(lines: Iterable[str], path: Path, column: str) -> Iterator[Row]:
    """A text on each line; blank lines at the end are none."""
    waiting: list[Row] = []
    for number, line in enumerate(lines, start=1):
        waiting.append((place(path, number), {column: line.rstrip("\r\n")}))
        if line.strip():
            yield from waiting
            waiting.clear()


def _with_feeds(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines of a stream; one without any line feed is split at its carriage returns, as `open_lines` does."""
    for number, line in enumerate(lines):
        if number or line.endswith(b"\n"):
            yield line
        else:
            yield from line.splitlines(keepends=True)


def _file_lines(path: Path, encoding: str) -> Iterator[str]:
    with open_lines(path, encoding) as lines:
        yield from lines
