"""Detect a file's format from its suffix and its whole content."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from bench.data.encodings import UTF_8, detect_encoding
from bench.data.files import BYTE_ORDER_MARK, open_text, read_text
from bench.data.json_reading import iter_json_lines, parse_json
from bench.data.messages import free_name
from bench.data.sources.archive import ARCHIVES, OTHER_ARCHIVES, unpacked, unread_in
from bench.data.sources.dialects import DELIMITED, Dialect
from bench.data.sources.formats import SUFFIXES, TEXTS, Form, line_end
from bench.data.sources.json_objects import is_table
from bench.data.sources.plain import FASTTEXT
from bench.data.sources.quoting import decide_dialect
from bench.errors import DataError

LOOKED_AT = 50
"""The rows that determine a format if not all can be read first."""

HEAD = 2**16
"""The characters at the start of a file that determine its kind."""

PAGE = re.compile(r"\s*(<!doctype html|<html)\b", re.IGNORECASE)
"""The start of an HTML page."""

OBJECT = re.compile(r'\s*(\[\s*)?\{\s*"')
"""The start of JSON objects, in an array or not."""

UNREAD = (".sql", ".pdf", ".doc", ".docx", ".rtf", ".arff", ".rds", ".rdata", ".conll", ".conllu", ".ann", ".bio")
"""Suffixes of files that neither bench nor pandas reads."""

BY_PANDAS = {
    ".sav": "pandas.read_spss('{path}')",
    ".dta": "pandas.read_stata('{path}')",
    ".sas7bdat": "pandas.read_sas('{path}')",
    ".feather": "pandas.read_feather('{path}')",
    ".orc": "pandas.read_orc('{path}')",
    ".arrow": "__import__('pyarrow.ipc').ipc.open_stream('{path}').read_pandas()",
    ".html": "pandas.read_html('{path}')[0]",
    ".htm": "pandas.read_html('{path}')[0]",
    ".xml": "pandas.read_xml('{path}')",
    ".yaml": "pandas.DataFrame(__import__('yaml').safe_load(open('{path}', encoding='utf-8')))",
    ".yml": "pandas.DataFrame(__import__('yaml').safe_load(open('{path}', encoding='utf-8')))",
    ".md": r"pandas.read_table('{path}', sep=r'\s*\|\s*', engine='python', skiprows=[1]).dropna(axis=1, how='all')",
    ".pkl": "pandas.read_pickle('{path}')",
    ".pickle": "pandas.read_pickle('{path}')",
}
"""The pandas code that reads files of other suffixes."""

PACKAGES = {".sav": "pyreadstat", ".html": "lxml", ".htm": "lxml", ".xml": "lxml"}
"""The packages that pandas needs for some of them."""

FASTTEXT_SUFFIXES = (".train", ".valid", ".test", ".ft")
"""Suffixes that files of fastText's form have beside ``.txt``."""

SHEETS = (".xls", ".ods", ".xlsm", ".xlsb", ".numbers")
"""Suffixes of workbooks that are not read."""

DATABASES = (".db", ".sqlite", ".sqlite3")
"""Suffixes of databases."""

BINARY = (
    *SHEETS,
    *DATABASES,
    ".7z",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".bin",
    ".npy",
    ".npz",
    ".pt",
    ".h5",
    ".exe",
    ".zst",
)
"""Other suffixes of files that are not text."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")

ORDER = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".txt": "tsv", ".psv": "pipe-csv"}
"""The default format of a table with a delimiter, by suffix."""

NAMED_SUFFIXES = {*UNREAD, *BY_PANDAS, *BINARY, *ARCHIVES, *OTHER_ARCHIVES}
"""Suffixes of files that are not text tables."""


@dataclass(frozen=True)
class Asked:
    """What the user specifies about a file's format; None or empty if nothing."""

    format: str | None = None
    quote: str | None = None
    encoding: str | None = None
    columns: tuple[str, ...] = ()
    sheet: str | None = None
    allow_shifted: bool = False


@dataclass(frozen=True)
class Layout:
    """A file's format, and notes on doubtful readings.

    Parameters
    ----------
    form : Form
        The format to read it in.
    remarks : tuple of str
        Notes on doubtful readings, a sentence each.
    """

    form: Form
    remarks: tuple[str, ...] = ()


def detect_layout(path: Path, asked: Asked | None = None) -> Layout:
    """Detect a file's format. An annotation tool's export counts as JSON here.

    Raises
    ------
    bench.errors.DataError
        If no format fits.
    """
    asked = asked or Asked()
    with unpacked(path, (*SUFFIXES, *TEXTS)) as (file, _):
        said = asked.format is not None or asked.quote is not None
        form = Form(
            asked.format or "",
            asked.quote,
            _encoding(file, asked),
            asked.columns,
            asked.sheet,
            trusted=said,
            allow_shifted=asked.allow_shifted,
        )
        layout = Layout(form) if asked.format is not None else _detect(file, form)
        return replace(layout, remarks=(*layout.remarks, *unread_in(path, (*SUFFIXES, *TEXTS))))


def _encoding(path: Path, asked: Asked) -> str:
    if asked.encoding is not None:
        return asked.encoding
    binary = path.suffix.lower() in (".parquet", ".xlsx")
    return UTF_8 if binary or not path.is_file() else detect_encoding([path])


def _detect(path: Path, form: Form) -> Layout:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".xlsx"):
        return Layout(replace(form, format=SUFFIXES[suffix]))
    if suffix in (*ORDER, *FASTTEXT_SUFFIXES):
        head = read_head(path, form.encoding)
        if head.lstrip().startswith(FASTTEXT):
            return Layout(replace(form, format="fasttext"))
        _check_delimited(head, path)
        if suffix in ORDER:
            return _delimited(path, replace(form, format=ORDER[suffix]), head)
    if suffix in (".json", ".jsonl", ".ndjson"):
        head = read_head(path, form.encoding)
        _check_page(head, path)
        return Layout(replace(form, format=_json_layout(path, head, form.encoding)))
    if suffix not in NAMED_SUFFIXES and (found := _by_content(path, form)) is not None:
        return found
    raise unknown_format(path)


def _by_content(path: Path, form: Form) -> Layout | None:
    """The format of a table with an unknown suffix; None if it is not a table."""
    with suppress(DataError):
        head = read_head(path, form.encoding)
        if not head.isprintable() and _CONTROL.search(head):
            return None
        if head.lstrip().startswith(FASTTEXT):
            return Layout(replace(form, format="fasttext"))
        if OBJECT.match(head):
            return Layout(replace(form, format=_json_layout(path, head, form.encoding)))
        layout = _delimited(path, replace(form, format="csv"), head)
        if any(True for _ in islice(layout.form.rows(path), 1)) and len(next(iter(layout.form.rows(path)))[1]) > 1:
            return layout
    return None


def _json_layout(path: Path, head: str, encoding: str) -> str:
    """Decide whether a file is JSON Lines or one JSON value with a table in it."""
    if head.lstrip().startswith("["):
        return "json"
    try:
        first = [row for _, row in islice(iter_json_lines(path, encoding), 2)]
    except DataError:
        content = _object(path, encoding)
        if content is None:
            raise
        first, one = [content], True
    else:
        one = len(first) == 1 and any(_is_list_of_objects(value) for value in first[0].values())
    if len(first) == 1 and is_table(first[0]):
        return "json"
    if one:
        raise DataError(
            f"{path}: it contains one JSON object, not one for each example.",
            "Write an array of objects, or one object on each line.",
        )
    return "jsonl"


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _object(path: Path, encoding: str) -> dict[str, object] | None:
    """The only object in a file."""
    try:
        content = parse_json(read_text(path, encoding).removeprefix(BYTE_ORDER_MARK), path)
    except DataError:
        return None
    return content if isinstance(content, dict) else None


def unknown_format(path: Path) -> DataError:
    """Make the error for a file that is read in no format, with what to do."""
    suffix = path.suffix.lower()
    known = ", ".join((*SUFFIXES, ".txt"))
    hint = f"Known suffixes are {known}. If it is one of these formats, give it, for example --format tsv."
    if suffix in (*UNREAD, *BY_PANDAS):
        hint = "Write its texts and labels into a .csv file in UTF-8 with a header, or into JSON Lines."
    if suffix in BY_PANDAS:
        written = free_name(f"{path.stem}.parquet")
        read = BY_PANDAS[suffix].format(path=path)
        package = f" with the package {PACKAGES[suffix]}" if suffix in PACKAGES else ""
        hint += (
            f" If it is a table, pandas can read it{package}:\n"
            f"python -c \"import pandas; {read}.to_parquet('{written}')\"\nThen use {written}."
        )
    if suffix in (".pkl", ".pickle"):
        hint = f"A pickle can run code, so do this only if you trust the file. {hint}"
    if suffix in SHEETS:
        hint = "Save the sheet as .xlsx, or as CSV in UTF-8."
    if suffix in DATABASES:
        written = free_name(f"{path.stem}.parquet")
        read = f"pandas.read_sql('select * from TABLE', sqlite3.connect('{path}'))"
        hint = (
            "If it is a database of SQLite, write its table, here called TABLE, into a file:\n"
            f"python -c \"import pandas, sqlite3; {read}.to_parquet('{written}')\"\nThen use {written}."
        )
    if suffix in (*ARCHIVES, *OTHER_ARCHIVES):
        hint = f"Unpack it. Known suffixes are {known}."
    problem = f"no format is known for '{path.suffix}'" if suffix else "its name has no suffix that tells its format"
    return DataError(f"{path}: {problem}.", hint)


def read_head(path: Path, encoding: str = UTF_8) -> str:
    """A file's beginning, from the first line that is not blank."""
    with open_text(path, newline="", encoding=encoding) as lines:
        return next((line for line in lines if line.strip()), "") + lines.read(HEAD)


def _check_page(head: str, path: Path) -> None:
    """Raise a DataError if a file starts like an HTML page."""
    if PAGE.match(head):
        raise DataError(f"{path}: this is an HTML page, not a table.", "Download the data, not the page.")


def _check_delimited(head: str, path: Path) -> None:
    """Raise a DataError if a file starts like JSON or an HTML page, not like a table."""
    _check_page(head, path)
    if head.startswith("#FORMAT=WebAnno"):
        raise DataError(
            f"{path}: this is an INCEpTION TSV, which labels words and spans, not whole texts.",
            "Export a layer of whole documents or sentences, and write its texts and labels into a .csv file.",
        )
    if OBJECT.match(head):
        suffix, name = (".json", "json") if head.lstrip().startswith("[") else (".jsonl", "jsonl")
        raise DataError(
            f"{path}: this is JSON, not a table with a delimiter.",
            f"Rename it to end in {suffix}, or add --format {name}.",
        )


def _delimited(path: Path, form: Form, head: str) -> Layout:
    """Detect the delimiter and quoting of a table from all its lines."""

    def lines() -> AbstractContextManager[Iterable[str]]:
        return open_text(path, newline=line_end(path, form.encoding), encoding=form.encoding)

    dialect, remark = decide_dialect(lines, DELIMITED[form.format], form.header, form.quote)
    return Layout(_with_dialect(form, dialect), (remark,) if remark else ())


def _with_dialect(form: Form, dialect: Dialect) -> Form:
    form = replace(form, quote=None)
    name = next((name for name, known in DELIMITED.items() if known == dialect), None)
    if name is not None:
        return replace(form, format=name)
    name = next(name for name, known in DELIMITED.items() if known.delimiter == dialect.delimiter)
    return replace(form, format=name, quote=dialect.quote)
