"""Files without columns: lines with fastText's labels, lines beside lines of labels, a folder for each class."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bench.data.encodings import UTF_8
from bench.data.files import BYTE_ORDER_MARK, check_file, open_text, read_text
from bench.data.messages import place
from bench.data.sources.cells import Undecided
from bench.errors import DataError

Row = tuple[str, Mapping[str, Any]]

FASTTEXT = "__label__"
"""What a label of fastText begins with."""

_LABEL = re.compile(rf"(?<!\S){FASTTEXT}(\S+)\s*")

HIDDEN_FILES = (".", "__MACOSX", "Thumbs.db", "desktop.ini")
"""What the names of files begin with that systems leave in folders."""


def fasttext(path: Path, encoding: str = UTF_8) -> Iterator[Row]:
    """Read lines of ``__label__NAME text``.

    Raises
    ------
    bench.errors.DataError
        If a line has no label.
    """
    with open_text(path, newline="\n", encoding=encoding) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            labels = _LABEL.findall(line)
            if not labels:
                raise DataError(
                    f"{place(path, number)}: no word of the line begins with {FASTTEXT}.",
                    f"Each line of fastText's form has a label: {FASTTEXT}sport and then the text.",
                )
            hint = "A task has one label for each text. Leave one in the line."
            several = Undecided(f"it has {len(labels)} labels: {', '.join(labels)}.", hint)
            text = _LABEL.sub("", line).strip()
            yield place(path, number), {"text": text, "label": labels[0] if len(labels) == 1 else several}


def beside(path: Path, labels: Path, encoding: str = UTF_8) -> Iterator[Row]:
    """Read a text a line, and its label from the line of the same number of another file.

    Raises
    ------
    bench.errors.DataError
        If the files have not as many lines.
    """
    with (
        open_text(path, newline="\n", encoding=encoding) as texts,
        open_text(labels, newline="\n", encoding=encoding) as names,
    ):
        number = 0
        for number, (text, label) in enumerate(zip_longest(_lines(texts), _lines(names)), start=1):
            if text is None or label is None:
                more, fewer = (path, labels) if label is None else (labels, path)
                raise DataError(
                    f"{more}: it has more lines than {fewer}, which has {number - 1:,}.",
                    "Each text has its label in the line of the same number.",
                )
            yield place(path, number), {"text": text, "label": label.strip()}


def _lines(lines: Iterator[str]) -> Iterator[str]:
    """Lines without their ends; blank ones at the end of the file are none."""
    waiting = 0
    for line in lines:
        text = line.rstrip("\r\n")
        if not text.strip():
            waiting += 1
            continue
        yield from [""] * waiting
        waiting = 0
        yield text


def class_folders(path: Path, encoding: str = UTF_8) -> Iterator[Row]:
    """Read the files of a folder of folders, each called as the class of its texts; parts of a split stand above them.

    Raises
    ------
    bench.errors.DataError
        If a file cannot be read.
    """
    if not path.is_dir():
        check_file(path)
        raise DataError(f"{path}: it is a file, not a folder with a folder for each class.")
    for file in class_files(path):
        *above, label, _ = file.relative_to(path).parts
        filled = bool(file.read_bytes().strip())
        text = read_text(file, encoding).removeprefix(BYTE_ORDER_MARK).strip("\r\n") if filled else ""
        row: dict[str, Any] = {"id": file.relative_to(path).as_posix(), "text": text, "label": label}
        yield str(file), row | ({"split": above[0]} if above else {})


def class_files(path: Path) -> list[Path]:
    """The files of such a folder, in the order of their names: each one or two folders below it."""
    found = [*path.glob("*/*"), *path.glob("*/*/*")]
    return sorted(file for file in found if file.is_file() and not is_hidden(file.relative_to(path)))


def is_hidden(path: Path) -> bool:
    """Whether a file or a folder above it is one that systems leave behind."""
    return any(part.startswith(HIDDEN_FILES) for part in path.parts)
