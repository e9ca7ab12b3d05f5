"""Files without columns: lines with fastText's labels, lines with a file of labels, a folder for each class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from bench.data.encodings import UTF_8
from bench.data.files import BYTE_ORDER_MARK, check_file, open_lines, read_text
from bench.data.messages import place
from bench.data.sources.cells import Row, Undecided
from bench.errors import DataError

FASTTEXT = "__label__"
"""The prefix of fastText's labels."""

_LABEL = re.compile(rf"(?<!\S){FASTTEXT}(\S+)\s*")

HIDDEN_FILES = (".", "__MACOSX", "Thumbs.db", "desktop.ini")
"""The prefixes of files that operating systems leave in folders."""


DEEPEST = 3
"""The parts of a text's path below a folder for each class: the part of a split, the class and the file."""


def fasttext(path: Path, encoding: str = UTF_8) -> Iterator[Row]:
    """Read lines of ``__label__NAME text``.

    Raises
    ------
    bench.errors.DataError
        If a line has no label.
    """
    with open_lines(path, encoding) as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            labels = _LABEL.findall(line)
            if not labels:
                raise DataError(
                    f"{place(path, number)}: no word of the line starts with {FASTTEXT}.",
                    f"Start each line with its label: {FASTTEXT}sport, then the text.",
                )
            hint = "A task has one label for each text. Keep one of them."
            several = Undecided(f"it has {len(labels)} labels: {', '.join(labels)}.", hint)
            text = _LABEL.sub("", line).strip()
            yield place(path, number), {"text": text, "label": labels[0] if len(labels) == 1 else several}


def paired_lines(path: Path, labels: Path, encoding: str = UTF_8) -> Iterator[Row]:
    """Read one text from each line, and its label from the same line of another file.

    Raises
    ------
    bench.errors.DataError
        If the files have different numbers of lines.
    """
    with (
        open_lines(path, encoding) as texts,
        open_lines(labels, encoding) as names,
    ):
        number = 0
        for number, (text, label) in enumerate(zip_longest(_lines(texts), _lines(names)), start=1):
            if text is None or label is None:
                more, fewer = (path, labels) if label is None else (labels, path)
                raise DataError(
                    f"{more}: it has more lines than {fewer}, which has {number - 1:,}.",
                    "Each text needs its label on the same line of the other file.",
                )
            yield place(path, number), {"text": text, "label": label.strip()}


def _lines(lines: Iterator[str]) -> Iterator[str]:
    """Lines without their ends, and without blank lines at the end of the file."""
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
    """Read a folder with a folder for each class, below folders for the parts of a split, if any.

    Raises
    ------
    bench.errors.DataError
        If a file cannot be read.
    """
    if not path.is_dir():
        check_file(path)
        raise DataError(f"{path}: this is a file, not a folder with a folder for each class.")
    for file in class_files(path):
        *above, label, _ = file.relative_to(path).parts
        filled = bool(file.read_bytes().strip())
        text = read_text(file, encoding).removeprefix(BYTE_ORDER_MARK).strip("\r\n") if filled else ""
        row: dict[str, object] = {"id": file.relative_to(path).as_posix(), "text": text, "label": label}
        yield str(file), row | ({"split": above[0]} if above else {})


def class_files(path: Path) -> list[Path]:
    """The files of such a folder, in the order of their names: all one folder below it, or all two.

    Raises
    ------
    bench.errors.DataError
        If files are at several depths or deeper, or what is there cannot be read as a file.
    """
    found = [*path.glob("*/*"), *path.glob("*/*/*"), *path.glob("*/*/*/**/*")]
    files = sorted(file for file in found if not file.is_dir() and not is_hidden(file.relative_to(path)))
    for file in files:
        check_file(file)
    by_depth = {len(file.relative_to(path).parts): file for file in reversed(files)}
    if deepest := max(by_depth, default=0):
        first = by_depth[min(by_depth)]
        if len(by_depth) > 1 or deepest > DEEPEST:
            other = "" if len(by_depth) == 1 else f", but {first} is not as deep"
            raise DataError(
                f"{by_depth[deepest]}: it is {deepest - 1} folders below {path}{other}.",
                "Each text is a file CLASS/FILE, or with a published split train/CLASS/FILE and test/CLASS/FILE. "
                "Move or remove files that are elsewhere.",
            )
    return files


def is_hidden(path: Path) -> bool:
    """Whether a file, or a folder above it, is left over from an operating system."""
    return any(part.startswith(HIDDEN_FILES) for part in path.parts)
