"""What a user's data are: the kind of source and the format, by name and by content."""

from __future__ import annotations

import codecs
import csv
import json
import mmap
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from bench.data.files import (
    BYTE_ORDER_MARK,
    UNWRITABLE,
    check_file,
    iter_json_lines,
    open_text,
    read_json_array,
    read_text,
)
from bench.data.messages import place
from bench.data.sources.annotation_tools import PRODIGY_ANSWERS
from bench.data.sources.formats import ARCHIVES, FORMATS, SUFFIXES, Rows
from bench.data.sources.hub import hub_revision, load_split, rows_of_split, split_names
from bench.data.sources.table import ROLE_NAMES
from bench.data.task import ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError

Row = tuple[str, dict[str, Any]]
"""An object of JSON with its place."""

HUB = re.compile(r"(?P<dataset>[\w.-]+/[\w.-]+)(:(?P<config>[\w.-]+))?(@(?P<revision>[\w./-]+))?", re.ASCII)
"""A data set of the Hub, as in ``owner/name``, ``owner/name:config`` or ``owner/name@revision``."""

DELIMITED: tuple[tuple[str, str, Literal[0, 3]], ...] = (
    ("csv", ",", csv.QUOTE_MINIMAL),
    ("tsv", "\t", csv.QUOTE_NONE),
    ("quoted-tsv", "\t", csv.QUOTE_MINIMAL),
    ("semicolon-csv", ";", csv.QUOTE_MINIMAL),
)
"""The formats with a delimiter, and how each is split."""

QUOTED_CELL = re.compile(rb'(^|\t)"[^\t]*"(\t|\r?$)', re.MULTILINE)
"""A cell between tabs that is in quotation marks."""

LOOKED_AT = 50
"""Rows that decide on a format."""

HEAD = 2**16
"""Characters of a file's beginning that are looked at for its kind."""

LONGEST_SHOWN = 60
"""Characters of a header that an error shows."""

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""What an address begins with."""

PAGE = re.compile(r"\s*(<!doctype html|<html)\b", re.IGNORECASE)
"""What an HTML page begins with."""

OBJECT = re.compile(r'\s*(\[\s*)?\{\s*"')
"""What JSON objects begin with, in an array or not."""

EXCEL_LINE = re.compile(r"sep=.\r?\n", re.IGNORECASE)
"""The line by which Excel is told a table's delimiter."""


@dataclass(frozen=True)
class Found:
    """A user's data.

    Parameters
    ----------
    name : str
        As the user named them, which messages call them.
    what : str
        What they are, in a few words.
    source : dict of str to object
        The ``source`` section of a task's file that reads them, without its columns; its paths are relative to the
        folder of `file`.
    rows : callable
        Gives their rows, each with its place.
    file : pathlib.Path or None
        The file with the labels; None for the Hub.
    """

    name: str
    what: str
    source: dict[str, Any]
    rows: Callable[[], Rows]
    file: Path | None = None

    @property
    def title(self) -> str:
        """What the task's description calls them: the name without its folders."""
        return self.name if self.file is None else self.file.name

    @property
    def origin(self) -> Path:
        """What errors name, and what the paths of `source` are relative to, before there is a ``task.yaml``."""
        return Path(self.name) if self.file is None else self.file

    def source_in(self, folder: Path) -> dict[str, Any]:
        """The section for a task's file in a folder."""
        paths: dict[str, Any] = {
            key: Path(os.path.relpath(self.file.parent / self.source[key], folder)).as_posix()
            for key in ("path", "documents", "labels")
            if self.file is not None and key in self.source
        }
        return {**self.source, **paths}

    @property
    def has_split(self) -> bool:
        """Whether the source itself says which part of a published split an example is in."""
        return isinstance(self.source.get("split"), Mapping)


def find_data(data: str) -> Found:
    """Say what a file, a folder or a name of the Hub holds.

    Parameters
    ----------
    data : str
        As the user gave it.

    Raises
    ------
    bench.errors.UserError
        If there are no such data, or nothing here reads them.
    """
    if not data.strip():
        raise ConfigError("--data is empty.", "Name a file, a folder of documents, or owner/name of the Hub.")
    if ADDRESS.match(data):
        raise DataError(
            f"{data}: an address is not read.",
            "Download the file first, and name it in the address's place; of a data set of the Hub give owner/name.",
        )
    if UNWRITABLE.search(data):
        raise DataError(f"{data}: the path is not UTF-8.", "Rename the file or folder.")
    try:
        path = Path(data).expanduser()
        is_folder = path.is_dir()
    except (OSError, RuntimeError) as error:
        reason = str(getattr(error, "strerror", error)).rstrip(".")
        raise DataError(f"{data}: cannot be read: {reason}.") from error
    if is_folder:
        return _standoff(path)
    named = None if path.suffix in SUFFIXES or os.path.lexists(path) else HUB.fullmatch(data)
    if named is not None and not path.parent.is_dir():
        return _hub(named["dataset"], named["config"], named["revision"])
    check_file(path)
    format_name = detect_format(path)
    source = {"kind": "table", "path": path.name}
    if SUFFIXES.get(path.suffix) != format_name:
        source["format"] = format_name
    return Found(str(path), f"a file of format {format_name}", source, lambda: FORMATS[format_name](path), path)


def detect_format(path: Path) -> str:
    """Name the format of a file of rows, as `detect_layout` does, or the annotation tool that wrote it."""
    layout = detect_layout(path)
    if layout not in ("json", "jsonl"):
        return layout
    rows = iter(read_json_array(path)) if layout == "json" else _several(iter_json_lines(path), path)
    return _tool([row for _, row in islice(rows, LOOKED_AT)]) or layout


def detect_layout(path: Path) -> str:
    """Say how the rows of a file are written, whoever wrote them.

    Returns
    -------
    str
        One of `bench.data.sources.formats.FORMATS`, but none of an annotation tool.

    Raises
    ------
    bench.errors.DataError
        If nothing here reads it.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return "parquet"
    if suffix in (".csv", ".tsv", ".tab", ".txt"):
        head = _head(path)
        _check_delimited(head, path)
        return _delimited(path) or _by_header(head, path)
    if suffix in (".json", ".jsonl", ".ndjson"):
        head = _head(path)
        _check_page(head, path)
        return "json" if head.lstrip().startswith("[") else "jsonl"
    known = ", ".join(SUFFIXES)
    hint = f"Unpack it. Files are told by {known}." if suffix in ARCHIVES else f"Files are told by {known}."
    hint = "Save the sheet as CSV in UTF-8." if suffix in (".xlsx", ".xls", ".ods") else hint
    problem = f"no format is known for '{path.suffix}'" if suffix else "its name has no suffix that tells its format"
    raise DataError(f"{path}: {problem}.", hint)


def _head(path: Path) -> str:
    """A file's beginning, from the first line that is not blank."""
    with open_text(path, newline="") as lines:
        return next((line for line in lines if line.strip()), "") + lines.read(HEAD)


def _check_page(head: str, path: Path) -> None:
    """Raise a DataError if what a file begins with is an HTML page."""
    if PAGE.match(head):
        raise DataError(f"{path}: it is an HTML page, not a table.", "Download the data themselves, not the page.")


def _check_delimited(head: str, path: Path) -> None:
    """Raise a DataError if a file begins as no table with a delimiter does: as JSON, or with Excel's line."""
    _check_page(head, path)
    if OBJECT.match(head):
        suffix = ".json" if head.lstrip().startswith("[") else ".jsonl"
        raise DataError(f"{path}: it is JSON, not a table with a delimiter.", f"Let its name end in {suffix}.")
    if mark := EXCEL_LINE.match(head):
        raise DataError(
            f"{place(path, 1)}: '{mark[0].strip()}' is a line for Excel alone.",
            "Take it out: the first line of a table is its header.",
        )


def _several(rows: Iterator[Row], path: Path) -> Iterator[Row]:
    """The objects of lines; a DataError if all is one object, over several lines or with the rows under a key."""
    try:
        first = next(rows, None)
    except DataError:
        if _is_object(read_text(path)):
            raise _one_object(path, "Write an array of objects, or an object a line.") from None
        raise
    if first is None:
        return
    second = next(rows, None)
    lists = [key for key, value in first[1].items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if second is None and lists:
        raise _one_object(path, f"Write the list under '{lists[0]}' alone.")
    yield first
    if second is not None:
        yield second
    yield from rows


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text.removeprefix(BYTE_ORDER_MARK)), dict)
    except (ValueError, RecursionError):
        return False


def _one_object(path: Path, hint: str) -> DataError:
    return DataError(f"{path}: it holds one JSON object, not one for each example.", hint)


def _tool(rows: list[dict[str, Any]]) -> str | None:
    """The annotation tool whose export has such rows."""
    if not rows:
        return None
    first = rows[0]
    if isinstance(first.get("data"), dict) and ("annotations" in first or "completions" in first):
        return "label-studio"
    if "annotation_id" in first and "annotator" in first:
        return "label-studio-min"
    if all(row.get("answer") in PRODIGY_ANSWERS for row in rows):
        return "prodigy"
    texts = all(isinstance(row.get("text", row.get("data")), str) for row in rows)
    lists = any(isinstance(row.get(key), list) for row in rows for key in ("label", "labels", "cats"))
    return "doccano" if texts and (lists or any("entities" in row for row in rows)) else None


def _delimited(path: Path) -> str | None:
    """The delimiter and quoting that give the most columns, the same number in each of the first rows."""
    best, most = None, 1
    for name, delimiter, quoting in DELIMITED:
        with open_text(path, newline="") as lines:
            width = common_width(lines, delimiter, quoting)
        if width > most and (quoting != csv.QUOTE_NONE or not _has_quoted_cell(path)):
            best, most = name, width
    return best


def common_width(lines: Iterable[str], delimiter: str, quoting: Literal[0, 3]) -> int:
    """The number of cells that each of the first rows has; 0 where they differ, or are no rows."""
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    try:
        widths = {len(row) for row in islice((row for row in reader if row), LOOKED_AT)}
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0


def _has_quoted_cell(path: Path) -> bool:
    """Whether a cell of a file with tabs is in quotation marks, line ends in it included."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = len(codecs.BOM_UTF8) if content[:3] == codecs.BOM_UTF8 else 0
        with memoryview(content) as view, view[start:] as cells:
            return QUOTED_CELL.search(cells) is not None


def _by_header(head: str, path: Path) -> str:
    """The delimiter that gives a header the most columns, where the rows do not agree on one."""
    default = "csv" if path.suffix.lower() == ".csv" else "tsv"
    header = head.lstrip("\r\n").splitlines()[0]
    widths = {}
    for name, delimiter, quoting in DELIMITED:
        try:
            widths[name] = len(next(csv.reader([header], delimiter=delimiter, quoting=quoting, strict=True)))
        except csv.Error:
            return default
    best = max(widths, key=lambda name: (widths[name], name == default))
    if widths[best] <= 1:
        shown = header if len(header) <= LONGEST_SHOWN else header[: LONGEST_SHOWN - 1] + "…"
        raise DataError(
            f"{place(path, 1)}: no comma, semicolon or tab splits the header '{shown}' into columns.",
            "A table has a header that names its columns, such as text,label, and below it a row an example.",
        )
    return best


def _standoff(documents: Path) -> Found:
    tables = [path for path in sorted(documents.iterdir()) if path.suffix in SUFFIXES]
    if len(tables) != 1 or not any(documents.glob("*.txt")):
        there = ", ".join(path.name for path in tables) or "none"
        raise DataError(
            f"{documents}: a folder of documents holds .txt files and one file of labels; there is {there}.",
            "The file of labels has the columns document, start, end and label.",
        )
    path = tables[0]
    format_name = detect_format(path)
    source = {"kind": "standoff", "documents": ".", "labels": path.name}
    if SUFFIXES[path.suffix] != format_name:
        source["format"] = format_name
    return Found(str(path), "labels of spans of documents", source, lambda: FORMATS[format_name](path), path)


def _hub(dataset: str, config: str | None, revision: str | None) -> Found:
    commit = hub_revision(dataset, revision)
    names = split_names(dataset, config, commit)
    roles = {ROLE_NAMES[name]: name for name in names if name in ROLE_NAMES}
    if len(names) > 1 and not {TRAIN, TEST} <= roles.keys():
        names = [roles[TRAIN]] if TRAIN in roles else names
    split = {role: roles[role] for role in ROLES if role in roles} if {TRAIN, TEST} <= roles.keys() else names[0]
    source: dict[str, Any] = {"kind": "hub", "dataset": dataset}
    if config is not None:
        source["config"] = config
    source |= {"revision": commit, "split": split}
    read = list(split.values()) if isinstance(split, dict) else [split]

    def rows() -> Iterable[tuple[str, Mapping[str, Any]]]:
        for name in read:
            yield from rows_of_split(load_split(dataset, config, commit, name), f"{dataset}, {name}")

    return Found(dataset, f"a data set of the Hub, at {commit[:12]}", source, rows)
