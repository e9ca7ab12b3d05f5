"""Reading text and JSON lines so that every error names the file and the line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.data.messages import place
from bench.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

BYTE_ORDER_MARK = "\ufeff"


def read_text(path: Path) -> str:
    """Read a UTF-8 file with its line ends as they are.

    Raises
    ------
    bench.errors.DataError
        If there is no such file, it cannot be read, is empty, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    if not content.strip():
        raise DataError(f"{path}: the file is empty.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{place(path, line)}: byte {error.start} (0x{content[error.start]:02x}) is not UTF-8.",
            "Save the file as UTF-8; Arabic text is often Windows-1256: iconv -f WINDOWS-1256 -t UTF-8 FILE.",
        ) from error


def missing(path: Path) -> DataError:
    """Make the error for a file that is not there."""
    folder = path.parent
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    hint = nearest(path.name, names) if names else f"There is no folder {folder}."
    return DataError(f"{path}: there is no such file.", hint)


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
    return list(parse_json_lines(read_text(path).removeprefix(BYTE_ORDER_MARK).split("\n"), path))


def parse_json_lines(lines: Iterable[str], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Parse lines that hold a JSON object each, as `read_json_lines` does, taking them one by one."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = place(path, number)
        try:
            content = json.loads(line, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: not valid JSON: {error}.", "Write one JSON object a line.") from error
        if not isinstance(content, dict):
            raise DataError(f"{where}: expected a JSON object, not {type(content).__name__}.")
        yield where, content


def read_json_array(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Read a file with one JSON array of objects.

    Returns
    -------
    list of (str, dict)
        Each object with the place of its first line, as `place` names it.

    Raises
    ------
    bench.errors.DataError
        If the file cannot be read, or is not an array of JSON objects, or an object has a key twice.
    """
    text = read_text(path).removeprefix(BYTE_ORDER_MARK)
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    objects: list[tuple[str, dict[str, Any]]] = []
    at, line, counted = _after_space(text, 0), 1, 0
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
            raise DataError(f"{where}: not valid JSON: {error}.", "Write one JSON array of objects.") from error
        if not isinstance(content, dict):
            raise DataError(f"{where}: expected a JSON object, not {type(content).__name__}.")
        objects.append((where, content))
        at = _after_space(text, at)
    rest = _after_space(text, at + 1)
    if rest < len(text):
        raise _no_array(path, text, rest, "something stands after the array")
    return objects


def text_field(content: dict[str, Any], key: str, where: str) -> str:
    """Return the text under a key of a JSON object.

    Raises
    ------
    bench.errors.DataError
        If the key is missing, or its value is not text or is blank.
    """
    if key not in content:
        raise DataError(f"{where}: '{key}' is missing.", f"Its keys are: {', '.join(content)}.")
    value = content[key]
    if not isinstance(value, str):
        raise DataError(f"{where}: '{key}' must be text, not {value!r}.")
    if not value.strip():
        raise DataError(f"{where}: '{key}' is empty.", "Every text and name needs at least one character.")
    return value


def _no_array(path: Path, text: str, at: int, reason: str) -> DataError:
    where = place(path, text.count("\n", 0, at) + 1)
    return DataError(f"{where}: not valid JSON: {reason}.", "Write one JSON array of objects.")


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key '{next(n for n in names if names.count(n) > 1)}' stands twice")
    return content
