"""The file formats of tables, and how one file is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bench.data.encodings import UTF_8, check_encoding
from bench.data.files import open_text
from bench.data.json_reading import iter_json_lines
from bench.data.messages import place
from bench.data.sources.annotation_tools import doccano, label_studio, label_studio_min, prodigy
from bench.data.sources.archive import ARCHIVES, OTHER_ARCHIVES, unpacked
from bench.data.sources.cells import SHIFTED, Row, Rows
from bench.data.sources.delimited import (
    HEADER_AGAIN,
    HEADER_AGAIN_HINT,
    Header,
    RowError,
    Swallowed,
    WidthError,
    table_rows,
)
from bench.data.sources.dialects import DELIMITED, NONE, QUOTINGS, Dialect
from bench.data.sources.json_objects import read_json_rows
from bench.data.sources.parquet import parquet_rows
from bench.data.sources.plain import class_folders, fasttext, paired_lines
from bench.data.sources.saved import saved_rows
from bench.data.sources.sheet import read_sheet
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.section import Section

FORM_KEYS = ("format", "quote", "encoding", "header", "sheet", "labels", "allow_shifted")
"""The keys of a source that describe the format of its files."""

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
"""The format of each file suffix."""

TEXTS = (".txt", ".tab", ".ndjson")
"""Other suffixes of possible tables. Their content determines the format."""


@dataclass(frozen=True)
class Form:
    """How a file of rows is written.

    Parameters
    ----------
    format : str
        One of `FORMATS`.
    quote : str or None
        The quoting of a table with a delimiter, one of `bench.data.sources.dialects.QUOTINGS`; None for the format's.
    encoding : str
        Python's name of the encoding.
    header : tuple of str
        The names of the columns if the first line does not have them; otherwise empty.
    sheet : str or None
        The sheet of a workbook; None for the only one.
    labels : pathlib.Path or None
        The file with the labels of a file of texts.
    trusted : bool
        Whether the user, not the suffix, determines the quoting.
    allow_shifted : bool
        Whether rows with too many or too few cells become `SHIFTED` instead of an error.
    """

    format: str
    quote: str | None = None
    encoding: str = UTF_8
    header: tuple[str, ...] = ()
    sheet: str | None = None
    labels: Path | None = None
    trusted: bool = False
    allow_shifted: bool = False

    @property
    def dialect(self) -> Dialect:
        """How the cells of a table with a delimiter are kept apart."""
        usual = DELIMITED[self.format]
        return usual if self.quote is None else replace(usual, quote=self.quote)

    def rows(self, path: Path) -> Iterator[Row]:
        """Read a file's rows, each with its place.

        Raises
        ------
        bench.errors.DataError
            If the file is not in this format.
        """
        with unpacked(path, (*SUFFIXES, *TEXTS)) as (file, shown):
            header = None
            for where, row in FORMATS[self.format](file, self):
                place_of_row = where if file is path else where.replace(str(file), shown)
                if self.format not in DELIMITED and not self.header:
                    header = header or Header(list(row))
                    if header.is_in(list(row.values())):
                        raise DataError(f"{place_of_row}: {HEADER_AGAIN}", HEADER_AGAIN_HINT)
                yield place_of_row, row

    def settings(self, name: str) -> dict[str, object]:
        """Describe the format by keys of a source, without those that follow from the file's suffix."""
        usual = SUFFIXES.get(_suffix(name)) == self.format and not self.trusted
        given: dict[str, object] = {} if usual else {"format": self.format}
        if self.format in DELIMITED and self.dialect != DELIMITED[self.format]:
            given["quote"] = self.quote
        if self.encoding != UTF_8:
            given["encoding"] = self.encoding
        if self.header:
            given["header"] = list(self.header)
        if self.sheet is not None:
            given["sheet"] = self.sheet
        if self.allow_shifted:
            given["allow_shifted"] = True
        return given

    def describe(self) -> str:
        """Describe a file's format, to follow a comma.

        Examples
        --------
        >>> Form("csv", quote="single", encoding="windows-1256").describe()
        'a file of format csv with single quotation marks, in WINDOWS-1256'
        """
        quoting = ""
        if self.format in DELIMITED and self.dialect != DELIMITED[self.format]:
            quoting = WRITTEN[self.dialect.quote]
        header = " without a header" if self.header else ""
        return f"a file of format {self.format}{header}{quoting}{self.encoded}"

    @property
    def encoded(self) -> str:
        """The encoding, where it is not UTF-8, after a comma."""
        return "" if self.encoding == UTF_8 else f", in {self.encoding.upper()}"


WRITTEN = {
    "double": " with quotation marks",
    "single": " with single quotation marks",
    "backslash": " with backslashes before quotation marks",
    NONE: " whose quotation marks are part of the texts",
}
"""What each quoting is, to follow the name of a format."""


def form_of(source: Section, name: str, labels: Path | None = None) -> Form:
    """Get the format of a source's file: from the source, else from the suffix.

    Parameters
    ----------
    source : Section
        The section of the task's file.
    name : str
        The file's name.
    labels : pathlib.Path, optional
        The file with the labels of a file of texts.

    Raises
    ------
    bench.errors.UserError
        If the format, quoting or encoding is unknown.
    """
    given = source.content
    quote, sheet = (source.text(key) if given.get(key) is not None else None for key in ("quote", "sheet"))
    if quote is not None and quote not in QUOTINGS:
        raise ConfigError(f"{source.where('quote')}: unknown quoting '{quote}'.", nearest(quote, QUOTINGS))
    encoding = UTF_8
    if given.get("encoding") is not None:
        encoding = check_encoding(source.text("encoding"), source.where("encoding"))
    return Form(
        format_of(name, given.get("format"), source.where("format")),
        quote,
        encoding,
        tuple(source.texts("header")),
        sheet,
        labels,
        trusted=given.get("format") is not None,
        allow_shifted=source.flag("allow_shifted"),
    )


def format_of(name: str, given: object, where: str) -> str:
    """Choose a file's format: the given one, else by suffix.

    Parameters
    ----------
    name : str
        The file's name.
    given : object
        The format in the task's file; None if it has none.
    where : str
        The key of that format, for errors.

    Raises
    ------
    bench.errors.UserError
        If the format is unknown.
    """
    if given is not None:
        if not isinstance(given, str) or given not in FORMATS:
            raise ConfigError(f"{where}: unknown format {given!r}.", nearest(str(given), FORMATS))
        return given
    suffix = _suffix(name)
    if suffix not in SUFFIXES:
        raise DataError(
            f"{name}: a table is a {', '.join(list(SUFFIXES)[:-1])} or {list(SUFFIXES)[-1]} file, not '{suffix}'.",
            "Unpack it." if suffix in (*ARCHIVES, *OTHER_ARCHIVES) else f"Give its format in {where}.",
        )
    return SUFFIXES[suffix]


def _suffix(name: str) -> str:
    """A file's suffix; for a compressed file, the suffix before that of the compression."""
    path = PurePath(name)
    return path.with_suffix("").suffix if path.suffix in ARCHIVES and path.with_suffix("").suffix else path.suffix


def delimited_rows(path: Path, form: Form) -> Rows:
    """Read a table with a delimiter."""
    dialect = form.dialect
    with open_text(path, newline=line_end(path, form.encoding), encoding=form.encoding) as lines:
        yield from parse_delimited(lines, path, dialect, form.header, form.trusted, form.allow_shifted)


def line_end(path: Path, encoding: str) -> str:
    r"""The line ends, as for `open`. ``\r`` ends lines only in files whose first line ends so; elsewhere it is text."""
    with open_text(path, newline="", encoding=encoding) as lines:
        first = next((line for line in lines if line.strip()), "")
    return "" if first.endswith("\r") else "\n"


class ShiftedRowError(DataError):
    """A row has too many or too few cells."""


def parse_delimited(
    lines: Iterable[str],
    path: Path,
    dialect: Dialect,
    columns: Sequence[str] = (),
    trusted: bool = False,
    allow_shifted: bool = False,
) -> Rows:
    """Parse lines of a table, as `bench.data.sources.delimited.table_rows` does.

    Raises
    ------
    bench.errors.DataError
        If a line is not a valid row.
    """
    watch = None if trusted else Swallowed(dialect.delimiter)
    try:
        for row in table_rows(lines, dialect, columns, watch, allow_shifted):
            cells: Sequence[Any] = row.cells or [SHIFTED] * len(row.names)
            yield place(path, row.line), dict(zip(row.names, cells, strict=True))
    except RowError as fault:
        kind = ShiftedRowError if isinstance(fault, WidthError) else DataError
        raise kind(f"{place(path, fault.line)}: {fault.message}", fault.hint) from fault


def _beside(path: Path, form: Form) -> Rows:
    if form.labels is None:
        raise ConfigError(f"{path}: the format 'lines' needs a file of labels.", "Set source.labels to it.")
    return paired_lines(path, form.labels, form.encoding)


FORMATS: dict[str, Callable[[Path, Form], Rows]] = {
    **dict.fromkeys(DELIMITED, delimited_rows),
    "jsonl": lambda path, form: iter_json_lines(path, form.encoding),
    "json": lambda path, form: read_json_rows(path, form.encoding),
    "parquet": lambda path, form: parquet_rows(path),
    "xlsx": lambda path, form: read_sheet(path, form.sheet, form.header),
    "fasttext": lambda path, form: fasttext(path, form.encoding),
    "lines": _beside,
    "class-folders": lambda path, form: class_folders(path, form.encoding),
    "dataset": lambda path, form: saved_rows(path),
    "label-studio": lambda path, form: label_studio(path),
    "label-studio-min": lambda path, form: label_studio_min(path),
    "doccano": lambda path, form: doccano(path),
    "prodigy": lambda path, form: prodigy(path),
}
"""The reader of each format: separated by commas, by tabs without and with quoting, by semicolons and by bars; a
JSON object a line, JSON of one value; Parquet; Excel's workbooks; fastText's lines; lines beside lines of labels; a
folder for each class; a folder that `datasets` saved; exports of annotation tools."""
