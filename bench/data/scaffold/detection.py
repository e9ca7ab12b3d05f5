"""What a user's data are: the kind of source and the format, by name and by content."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from bench.data.files import BYTE_ORDER_MARK, UNWRITABLE, check_file, iter_json_lines, read_json_array, read_text
from bench.data.messages import place
from bench.data.sources.annotation_tools import PRODIGY_ANSWERS
from bench.data.sources.formats import DELIMITED, FORMATS, SUFFIXES, Rows
from bench.data.sources.hub import hub_revision, load_split, rows_of_split, split_names
from bench.data.sources.layout import LOOKED_AT, detect_layout, header_widths, read_head
from bench.data.sources.table import ROLE_NAMES
from bench.data.task import ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError

Row = tuple[str, dict[str, Any]]
"""An object of JSON with its place."""

HUB = re.compile(r"(?P<dataset>[\w.-]+/[\w.-]+)(:(?P<config>[\w.-]+))?(@(?P<revision>[\w./-]+))?", re.ASCII)
"""A data set of the Hub, as in ``owner/name``, ``owner/name:config`` or ``owner/name@revision``."""

LONGEST_SHOWN = 60
"""Characters of a header that an error shows."""

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""What an address begins with."""


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
    if layout in DELIMITED:
        _check_columns(path)
    if layout not in ("json", "jsonl"):
        return layout
    rows = iter(read_json_array(path)) if layout == "json" else _several(iter_json_lines(path), path)
    return _tool([row for _, row in islice(rows, LOOKED_AT)]) or layout


def _check_columns(path: Path) -> None:
    """Raise a DataError if no delimiter splits a table's header, as one of a text and its label is split."""
    head = read_head(path)
    if max(header_widths(head).values(), default=2) < 2:
        header = head.lstrip("\r\n").splitlines()[0]
        shown = header if len(header) <= LONGEST_SHOWN else header[: LONGEST_SHOWN - 1] + "…"
        raise DataError(
            f"{place(path, 1)}: no comma, semicolon or tab splits the header '{shown}' into columns.",
            "A table has a header that names its columns, such as text,label, and below it a row an example.",
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
