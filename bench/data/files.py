"""Read text files with errors that name the file and the line."""

from __future__ import annotations

import codecs
import re
import stat
from collections import Counter
from difflib import get_close_matches
from functools import lru_cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, TextIO

from bench.data.encodings import UTF_8, likely_encoding, utf_16_order
from bench.data.messages import place
from bench.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"

BY_OPTION = "A table can also be read as it is: use --encoding {}, or source.encoding in the task's file."

OTHER_ENCODING = "Give its encoding with --encoding, or save it as UTF-8."

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
"""The start of a Git LFS pointer, whose content was not fetched."""

KINDS = {
    b"PK\x03\x04": "a ZIP archive (.xlsx files are ZIP archives too)",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF file",
}
"""The first bytes of files of other kinds."""

UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
"""The byte order marks of UTF-32. The first begins like that of UTF-16."""

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16."""

_BLOCK = 2**20
"""The bytes of a file to scan at once."""


_HALF_PAIR = re.compile("[\ud800-\udfff]")


def read_text(path: Path, encoding: str = UTF_8) -> str:
    """Read a text file, keeping its line ends.

    Raises
    ------
    bench.errors.DataError
        If the file is missing, unreadable, empty, in another encoding, or of another kind.
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
        The lines, from the first one.
    path : pathlib.Path
        The file, for errors.

    Raises
    ------
    bench.errors.DataError
        If a line is not UTF-8 or contains NUL, or the file is of another kind or a Git LFS pointer.
    """
    lines, told = iter(lines), False
    for number, line in enumerate(lines, start=1):
        if number == 1:
            check_fetched(line, path)
        kind = next((kind for begin, kind in KINDS.items() if line.startswith(begin)), None) if number == 1 else None
        if kind is not None:
            raise DataError(f"{path}: this is {kind}, not text.", "Unpack it, or save it as text.")
        is_utf_16 = number == 1 and line.startswith(UTF_16)
        if number == 1 and line.startswith(UTF_32):
            raise DataError(
                f"{path}: this is UTF-32.",
                f"Save it as UTF-8: iconv -f UTF-32 -t UTF-8 FILE\n{BY_OPTION.format('utf-32')}",
            )
        if b"\0" in line and not is_utf_16:
            raise DataError(
                f"{place(path, number)}: byte {line.index(0) + 1} of the line is NUL, which is not text.",
                _nul_hint(line, number),
            )
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            rest = b"".join(lines) if path.is_file() else b""
            raise _not_utf_8(place(path, number), error, line + rest, is_utf_16, told) from error
        told = told or not text.isascii()
        yield text


def _nul_hint(line: bytes, number: int) -> str:
    """What to do about the first line with NUL: in UTF-16, one byte of each Latin letter and line end is NUL."""
    likely = "utf-16-le" if number > 1 and line.startswith(b"\0") else None
    if number == 1:
        likely = utf_16_order(line)
    if likely is None:
        return "Remove such bytes from the file."
    name = likely.upper().replace("16-", "16")
    return f"Save it as UTF-8; it may be UTF-16: iconv -f {name} -t UTF-8 FILE\n{BY_OPTION.format(likely)}"


def _not_utf_8(where: str, error: UnicodeDecodeError, rest: bytes, is_utf_16: bool, told: bool) -> DataError:
    """Make the error for a line that is not UTF-8. `told` says whether earlier lines have non-ASCII UTF-8."""
    line, at = error.object, error.start
    byte = f"byte {at + 1} of the line (0x{line[at]:02x})"
    if not told and line[:at].isascii():
        likely = "utf-16" if is_utf_16 else likely_encoding(rest)
        if likely is None:
            hint = f"Save it as UTF-8 in the program that wrote it.\n{BY_OPTION.format('NAME')}"
        else:
            called = likely.title() if likely.startswith("win") else likely.upper()
            command = "" if likely in ("cp720", "mac-arabic") else f": iconv -f {likely.upper()} -t UTF-8 FILE"
            hint = f"Save it as UTF-8. It is most likely {called}{command}\n{BY_OPTION.format(likely)}"
        return DataError(f"{where}: {byte} is not UTF-8.", hint)
    if error.reason == "unexpected end of data" and error.end == len(line) == len(rest):
        return DataError(
            f"{where}: the file ends in the middle of a UTF-8 character.",
            "The file is truncated. Get the whole file again, or remove its last line.",
        )
    likely = likely_encoding(rest)
    other = "" if likely is None else f" What follows is most likely {likely.upper()}."
    return DataError(
        f"{where}: {byte} is not UTF-8, but the text before it is.",
        f"The file mixes two encodings, or bytes were lost.{other} Save each part as UTF-8, then join the parts.",
    )


def open_text(path: Path, newline: str, encoding: str = UTF_8) -> TextIO:
    """Open a text file for reading line by line, so that it need not fit into memory.

    A byte order mark is skipped.

    The whole file is checked first, so that everything `read_text` rejects is rejected here.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    newline : str
        As for `open`. Line ends are kept.
    encoding : str
        Python's name of the encoding.

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
        read_text(path)  # reports what is wrong, and where
    return path.open(encoding="utf-8-sig", newline=newline)


def open_lines(path: Path, encoding: str = UTF_8) -> TextIO:
    """Open a text file whose lines have a meaning each, as `open_text` does.

    A carriage return ends a line only in a file without line feeds, as from an old Mac. Elsewhere it is text.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    encoding : str
        Python's name of the encoding.

    Raises
    ------
    bench.errors.DataError
        As `read_text`.
    """
    with open_text(path, newline="\n", encoding=encoding) as lines:
        feeds = lines.readline().endswith("\n")
    return open_text(path, newline="\n" if feeds else "", encoding=encoding)


@lru_cache(maxsize=8)
def _is_text(path: Path, number: int, size: int, changed: int) -> bool:
    """Whether a file is readable UTF-8 text without NUL, not blank and not of another kind.

    Cached by the file's inode, size and modification time.
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
    """Raise a DataError unless all of a file is text in an encoding; cached as in `_is_text`."""
    line, blank = 1, True
    try:
        with path.open(encoding=encoding, newline="\n") as file:
            for line, text in enumerate(file, start=1):
                blank = blank and not text.strip()
                if "\0" in text:
                    raise DataError(f"{place(path, line)}: it contains NUL, which is not text.", OTHER_ENCODING)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        why = getattr(error, "reason", error)
        raise DataError(f"{place(path, line)}: it is not all {encoding.upper()}: {why}.", OTHER_ENCODING) from error
    if blank:
        raise DataError(f"{path}: the file is empty.")


def check_file(path: Path) -> None:
    """Raise a DataError unless the path is a regular file, which can be read repeatedly, unlike a pipe."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise DataError(f"{path}: this is not a valid file name.") from error
    if stat.S_ISDIR(mode):
        raise DataError(f"{path}: cannot be read: Is a directory.", "Name a file in it.")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path}: cannot be read: it is a pipe or a device.", "Write its content to a file first.")


def check_fetched(content: bytes, path: Path) -> None:
    """Raise a DataError if a file starts like a Git LFS pointer."""
    if content.startswith(LFS_POINTER):
        raise DataError(f"{path}: this is a Git LFS pointer, not the file itself.", "Run git lfs pull.")


class MissingFileError(DataError):
    """The file does not exist."""


def missing(path: Path) -> MissingFileError:
    """Make the error for a missing file."""
    folder = path.parent
    if path.is_symlink():
        return MissingFileError(f"{path}: it is a link to {path.readlink()}, which does not exist.")
    if not folder.is_dir():
        return MissingFileError(f"{path}: the file does not exist.", f"The folder {folder} does not exist.")
    names = [p.name for p in folder.iterdir()]
    choices = get_close_matches(path.name, names) or [name for name in names if name.endswith(path.suffix)]
    hint = nearest(path.name, choices) if choices else f"No file in that folder ends in {path.suffix}."
    return MissingFileError(f"{path}: the file does not exist.", hint)


def check_characters(text: str, where: str, what: str) -> None:
    """Raise a DataError if a text contains half a surrogate pair, which UTF-8 cannot encode."""
    if not text.isascii() and _HALF_PAIR.search(text):
        raise DataError(f"{where}: {what} contains half a surrogate pair, which is not a character.")


def first_repeated(names: Iterable[str]) -> str | None:
    """The first repeated name in a list; None if all differ.

    Examples
    --------
    >>> first_repeated(["text", "label", "other", "label", "text"])
    'text'
    """
    counts = Counter(names)
    return next((name for name, count in counts.items() if count > 1), None)
