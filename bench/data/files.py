"""Reading text so that every error names the file and the line."""

from __future__ import annotations

import codecs
import re
import stat
from collections import Counter
from difflib import get_close_matches
from functools import lru_cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, TextIO

from bench.data.encodings import UTF_8, likely_encoding
from bench.data.messages import place
from bench.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"

BY_OPTION = "A file of rows can also be read as it is: --encoding {}, or source.encoding in a task's file."

OTHER_ENCODING = "Name the encoding that it is written in by --encoding, or save it as UTF-8."

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""What a file of Git LFS begins with as long as its content was not fetched."""

KINDS = {
    b"PK\x03\x04": "a ZIP archive, as .xlsx sheets are too",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF file",
}
"""What files of other kinds begin with."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16."""

_BLOCK = 2**20
"""Bytes of a file that are looked through at once."""


_HALF_PAIR = re.compile("[\ud800-\udfff]")


def read_text(path: Path, encoding: str = UTF_8) -> str:
    """Read a file of text with its line ends as they are.

    Raises
    ------
    bench.errors.DataError
        If there is no such file, it cannot be read, is empty, is not in this encoding, or is of another kind.
    """
    if encoding != UTF_8:
        with open_text(path, newline="", encoding=encoding) as lines:
            return lines.read()
    check_file(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    if not content.removeprefix(BYTE_ORDER_MARK.encode()).strip():
        raise DataError(f"{path}: the file is empty.")
    return "".join(decode_lines(BytesIO(content), path))


def decode_lines(lines: Iterable[bytes], path: Path) -> Iterator[str]:
    """Decode the lines of a file or a stream, one by one.

    Parameters
    ----------
    lines : iterable of bytes
        From the first one on.
    path : pathlib.Path
        Named in errors.

    Raises
    ------
    bench.errors.DataError
        If a line is not UTF-8 or holds NUL, or the first one begins a file of another kind or a pointer of Git LFS.
    """
    lines, told = iter(lines), False
    for number, line in enumerate(lines, start=1):
        if number == 1:
            check_fetched(line, path)
        kind = next((kind for begin, kind in KINDS.items() if line.startswith(begin)), None) if number == 1 else None
        if kind is not None:
            raise DataError(f"{path}: it is {kind}, not text.", "Unpack or save it as text first.")
        is_utf_16 = number == 1 and line.startswith(UTF_16)
        if b"\0" in line and not is_utf_16:
            raise DataError(
                f"{place(path, number)}: byte {line.index(0) + 1} of the line is NUL, which no text has.",
                f"Save it as UTF-8; it may be UTF-16: iconv -f UTF-16LE -t UTF-8 FILE\n{BY_OPTION.format('NAME')}",
            )
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            rest = b"".join(lines) if path.is_file() else b""
            raise _not_utf_8(place(path, number), error, line + rest, is_utf_16, told) from error
        told = told or not text.isascii()
        yield text


def _not_utf_8(where: str, error: UnicodeDecodeError, rest: bytes, is_utf_16: bool, told: bool) -> DataError:
    """Make the error for a line that is not UTF-8; `told` is whether lines before it are and not ASCII alone."""
    line, at = error.object, error.start
    byte = f"byte {at + 1} of the line (0x{line[at]:02x})"
    if not told and line[:at].isascii():
        likely = "utf-16" if is_utf_16 else likely_encoding(rest)
        if likely is None:
            hint = f"Save it as UTF-8 by the program that wrote it.\n{BY_OPTION.format('NAME')}"
        else:
            called = likely.title() if likely.startswith("win") else likely.upper()
            command = "" if likely == "cp720" else f": iconv -f {likely.upper()} -t UTF-8 FILE"
            hint = f"Save it as UTF-8; it is most likely {called}{command}\n{BY_OPTION.format(likely)}"
        return DataError(f"{where}: {byte} is not UTF-8.", hint)
    if error.reason == "unexpected end of data" and error.end == len(line) == len(rest):
        return DataError(
            f"{where}: the file ends within a character; before it, it is UTF-8.",
            "It was cut off. Get the whole file anew, or take its last line out.",
        )
    likely = likely_encoding(rest)
    other = "" if likely is None else f" What follows is most likely {likely.upper()}."
    return DataError(
        f"{where}: {byte} is not UTF-8, as what stands before it is.",
        f"Files of two encodings were put together, or bytes were lost.{other} Save each part as UTF-8, and put them "
        "together then.",
    )


def open_text(path: Path, newline: str, encoding: str = UTF_8) -> TextIO:
    """Open a file of text to be read line by line, so that it need not fit into memory.

    A byte order mark is passed over.

    The whole file is looked through first, so that all that `read_text` refuses is refused here.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    newline : str
        What ends a line, as for `open`; line ends stay as they are.
    encoding : str
        As Python calls it.

    Raises
    ------
    bench.errors.DataError
        As `read_text`.
    """
    check_file(path)
    state = path.stat()
    if encoding != UTF_8:
        _check_decodes(path, encoding, state.st_ino, state.st_size, state.st_mtime_ns)
        return path.open(encoding=encoding, newline=newline)
    if not _is_text(path, state.st_ino, state.st_size, state.st_mtime_ns):
        read_text(path)  # says what is wrong, and where
    return path.open(encoding="utf-8-sig", newline=newline)


@lru_cache(maxsize=8)
def _is_text(path: Path, number: int, size: int, changed: int) -> bool:
    """Whether a file can be read and is UTF-8 without NUL, not blank, and not of another kind.

    Told once for what the system says of the file: its number, its size and when it was changed.
    """
    decoder, blank, start = codecs.getincrementaldecoder("utf-8")(), True, True
    try:
        with path.open("rb") as file:
            for block in iter(partial(file.read, _BLOCK), b""):
                if b"\0" in block or (start and block.startswith((*KINDS, LFS_POINTER))):
                    return False
                decoder.decode(block)
                begin = BYTE_ORDER_MARK.encode() if start else b""
                blank, start = blank and not block.removeprefix(begin).strip(), False
        decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        return False
    return not blank


@lru_cache(maxsize=8)
def _check_decodes(path: Path, encoding: str, number: int, size: int, changed: int) -> None:
    """Raise a DataError unless all of a file is text in an encoding; told once, as `_is_text` is."""
    line, blank = 1, True
    try:
        with path.open(encoding=encoding, newline="\n") as file:
            for line, text in enumerate(file, start=1):
                blank = blank and not text.strip()
                if "\0" in text:
                    raise DataError(f"{place(path, line)}: it holds NUL, which no text has.", OTHER_ENCODING)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        why = getattr(error, "reason", error)
        raise DataError(
            f"{place(path, line)}: it is not {encoding.upper()} to its end: {why}.", OTHER_ENCODING
        ) from error
    if blank:
        raise DataError(f"{path}: the file is empty.")


def check_file(path: Path) -> None:
    """Raise a DataError unless there is a file, which can be read again and again as a pipe cannot."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path}: no file can have such a name.") from error
    if stat.S_ISDIR(mode):
        raise DataError(f"{path}: cannot be read: Is a directory.")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path}: cannot be read: it is a pipe or a device.", "Write its content to a file first.")


def check_fetched(content: bytes, path: Path) -> None:
    """Raise a DataError if the first bytes of a file are those of a pointer that Git LFS left in its place."""
    if content.startswith(LFS_POINTER):
        raise DataError(f"{path}: it is a pointer of Git LFS, not the file that it stands for.", "Run git lfs pull.")


class MissingFileError(DataError):
    """There is no such file."""


def missing(path: Path) -> MissingFileError:
    """Make the error for a file that is not there."""
    folder = path.parent
    if path.is_symlink():
        return MissingFileError(f"{path}: it is a link to {path.readlink()}, which is not there.")
    if not folder.is_dir():
        return MissingFileError(f"{path}: there is no such file.", f"There is no folder {folder}.")
    names = [p.name for p in folder.iterdir()]
    choices = get_close_matches(path.name, names) or [name for name in names if name.endswith(path.suffix)]
    hint = nearest(path.name, choices) if choices else f"No file of that folder ends in {path.suffix}."
    return MissingFileError(f"{path}: there is no such file.", hint)


def check_characters(text: str, where: str, what: str) -> None:
    """Raise a DataError if a text holds half a surrogate pair, which UTF-8 cannot write."""
    if not text.isascii() and _HALF_PAIR.search(text):
        raise DataError(f"{where}: {what} holds half a surrogate pair, which is no character.")


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that stands in a list twice, None where all differ.

    Examples
    --------
    >>> first_repeated(["text", "label", "other", "label", "text"])
    'text'
    """
    counts = Counter(names)
    return next((name for name, count in counts.items() if count > 1), None)
