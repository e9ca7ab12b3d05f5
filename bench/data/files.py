"""Reading text and JSON lines so that every error names the file and the line."""

from __future__ import annotations

import codecs
import json
import re
import stat
from collections import Counter
from difflib import get_close_matches
from functools import lru_cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, TextIO

from bench.data.encodings import UTF_8, likely_encoding
from bench.data.messages import check_name, place
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

MOST_BRACKETS = 2**20
"""Arrays and objects of a text of JSON beyond which each needs `FEWEST` characters: an empty array takes two
characters, and 56 bytes in memory."""

FEWEST = 5

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


def read_json_lines(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Read a file with one JSON object a line; blank lines are passed over.

    Returns
    -------
    list of (str, dict)
        Each object with its place, as `place` names it.

    Raises
    ------
    bench.errors.DataError
        If the file cannot be read, or a line is not a JSON object or has a key twice.
    """
    return list(iter_json_lines(path))


def iter_json_lines(path: Path, encoding: str = UTF_8) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a file as `read_json_lines` does, one object at a time."""
    with open_text(path, newline="\n", encoding=encoding) as lines:
        yield from parse_json_lines((line.removesuffix("\n") for line in lines), path)


def parse_json_lines(lines: Iterable[str], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Parse lines that hold a JSON object each, as `read_json_lines` does, taking them one by one."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = place(path, number)
        _check_brackets(line, where)
        try:
            content = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: {_not_json(error)}", "Write one JSON object a line.") from error
        if not isinstance(content, dict):
            raise _no_object(where, content, path)
        yield where, content


def _no_object(where: str, content: object, path: Path) -> DataError:
    hint = 'Each row is an object that names its cells, such as {"text": "…", "label": "…"}.'
    if isinstance(content, list):
        table = f"pandas.DataFrame(json.load(open('{path}', encoding='utf-8')), columns=['text', 'label'])"
        hint += f"\nOf lists of a text and its label: python -c \"import json, pandas; {table}.to_csv('rows.csv')\""
    return DataError(f"{where}: expected a JSON object, not {type(content).__name__}.", hint)


def read_json_array(path: Path, encoding: str = UTF_8) -> list[tuple[str, dict[str, Any]]]:
    """Read a file with one JSON array of objects.

    Returns
    -------
    list of (str, dict)
        Each object with the place of its first line, as `place` names it, and its ``id`` or number where several stand
        on that line.

    Raises
    ------
    bench.errors.DataError
        If the file cannot be read, or is not an array of JSON objects, or an object has a key twice.
    """
    return parse_json_array(read_text(path, encoding).removeprefix(BYTE_ORDER_MARK), path)


def parse_json_array(text: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Parse the text of a file as `read_json_array` does."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)
    objects: list[tuple[str, dict[str, Any]]] = []
    at, line, counted = _after_space(text, 0), 1, 0
    _check_brackets(text, str(path))
    if not text.startswith("[", at):
        raise _no_array(path, text, at, "expected [")
    at = _after_space(text, at + 1)
    while not text.startswith("]", at):
        if objects:
            if not text.startswith(",", at):
                raise _no_array(path, text, at, "expected , or ]")
            at = _after_space(text, at + 1)
        line, counted = line + text.count("\n", counted, at), at
        where = place(path, line)
        try:
            content, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            if isinstance(error, json.JSONDecodeError):
                where = place(path, error.lineno)
            raise DataError(f"{where}: {_not_json(error)}", "Write one JSON array of objects.") from error
        if not isinstance(content, dict):
            raise _no_object(where, content, path)
        objects.append((where, content))
        at = _after_space(text, at)
    rest = _after_space(text, at + 1)
    if rest < len(text):
        raise _no_array(path, text, rest, "something stands after the array")
    on_line = Counter(where for where, _ in objects)
    return [
        (where if on_line[where] == 1 else f"{where}, {_called(content, number)}", content)
        for number, (where, content) in enumerate(objects, start=1)
    ]


def _called(content: dict[str, Any], number: int) -> str:
    name = content.get("id")
    return f"id {name}" if isinstance(name, str | int) else f"object {number}"


def parse_json(text: str, path: Path) -> Any:
    """Parse a text that is one JSON value, as strictly as the lines of `parse_json_lines`.

    Raises
    ------
    bench.errors.DataError
        If it is none, or an object has a key twice.
    """
    _check_brackets(text, str(path))
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        where = place(path, error.lineno) if isinstance(error, json.JSONDecodeError) else str(path)
        raise DataError(f"{where}: {_not_json(error)}", "Write one JSON array of objects.") from error


def text_field(content: dict[str, Any], key: str, where: str) -> str:
    """Return the text under a key of a JSON object.

    Raises
    ------
    bench.errors.DataError
        If the key is missing, or its value is not text, is blank, or holds half a surrogate pair.
    """
    if key not in content:
        raise DataError(f"{where}: '{key}' is missing.", f"Its keys are: {', '.join(content)}.")
    value = content[key]
    if not isinstance(value, str):
        raise DataError(f"{where}: '{key}' must be text, not {value!r}.")
    if not value.strip():
        raise DataError(f"{where}: '{key}' is empty.", "Every text and name needs at least one character.")
    check_characters(value, where, f"'{key}'")
    return value


def name_field(content: dict[str, Any], key: str, where: str) -> str:
    """Return the name under a key of a JSON object, as `text_field` does, without hidden characters.

    Raises
    ------
    bench.errors.DataError
        As `text_field` and `bench.data.messages.check_name`.
    """
    name = text_field(content, key, where)
    check_name(name, where, key)
    return name


def check_characters(text: str, where: str, what: str) -> None:
    """Raise a DataError if a text holds half a surrogate pair, which UTF-8 cannot write."""
    if not text.isascii() and _HALF_PAIR.search(text):
        raise DataError(f"{where}: {what} holds half a surrogate pair, which is no character.")


def _not_json(error: ValueError | RecursionError) -> str:
    """What is wrong, to follow the place of the line."""
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} at column {error.colno}."
    return f"not valid JSON: {error}."


def _check_brackets(text: str, where: str) -> None:
    """Raise a DataError if a text of JSON is so full of brackets that it would take far more memory than it is long."""
    brackets = text.count("[") + text.count("{")
    if brackets > MOST_BRACKETS and brackets * FEWEST > len(text):
        raise DataError(
            f"{where}: {brackets:,} brackets in {len(text):,} characters, as no table has.",
            'Each row is an object that names its cells, such as {"text": "…", "label": "…"}.',
        )


def _no_array(path: Path, text: str, at: int, reason: str) -> DataError:
    where = place(path, text.count("\n", 0, at) + 1)
    return DataError(f"{where}: not valid JSON: {reason}.", "Write one JSON array of objects.")


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON; what is not known is null")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(f"the key '{first_repeated(name for name, _ in pairs)}' stands twice")
    return content


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that stands in a list twice, None where all differ.

    Examples
    --------
    >>> first_repeated(["text", "label", "other", "label", "text"])
    'text'
    """
    counts = Counter(names)
    return next((name for name, count in counts.items() if count > 1), None)
