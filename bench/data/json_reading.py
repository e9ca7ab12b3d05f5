"""Parse JSON with errors that name the file and the line."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from bench.data.encodings import UTF_8
from bench.data.files import BYTE_ORDER_MARK, check_characters, first_repeated, open_lines, read_text
from bench.data.messages import check_name, free_name, not_text, place
from bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


MOST_BRACKETS = 2**20
"""The number of JSON arrays and objects above which each needs `FEWEST` characters. An empty array takes two
characters, but 56 bytes in memory."""

FEWEST = 5


def read_json_lines(path: Path) -> list[tuple[str, dict[str, object]]]:
    """Read a file with one JSON object a line; blank lines are skipped.

    Returns
    -------
    list of (str, dict)
        Each object with its place, as `place` names it.

    Raises
    ------
    bench.errors.DataError
        If the file cannot be read, or a line is not a JSON object or has a repeated key.
    """
    return list(iter_json_lines(path))


def iter_json_lines(path: Path, encoding: str = UTF_8) -> Iterator[tuple[str, dict[str, object]]]:
    """Read a file as `read_json_lines` does, one object at a time."""
    with open_lines(path, encoding) as lines:
        yield from parse_json_lines((line.removesuffix("\n") for line in lines), path)


def parse_json_lines(lines: Iterable[str], path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Parse lines of one JSON object each, as `read_json_lines` does, one at a time."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = place(path, number)
        _check_brackets(line, where)
        try:
            content = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: {_not_json(error)}", "Write one JSON object on each line.") from error
        if not isinstance(content, dict):
            raise _no_object(where, content, path)
        yield where, content


def _no_object(where: str, content: object, path: Path) -> DataError:
    hint = 'Write each row as an object with named cells, such as {"text": "…", "label": "…"}.'
    if isinstance(content, list):
        written = free_name("rows.csv")
        table = f"pandas.DataFrame(json.load(open('{path}', encoding='utf-8')), columns=['text', 'label'])"
        hint += f"\nTo convert [text, label] lists: python -c \"import json, pandas; {table}.to_csv('{written}')\""
    return DataError(f"{where}: expected a JSON object, not {type(content).__name__}.", hint)


def read_json_array(path: Path, encoding: str = UTF_8) -> list[tuple[str, dict[str, object]]]:
    """Read a file with one JSON array of objects.

    Returns
    -------
    list of (str, dict)
        Each object with the place of its first line, as `place` names it, and its ``id`` or number if several are
        on that line.

    Raises
    ------
    bench.errors.DataError
        If the file cannot be read, or is not an array of JSON objects, or an object has a repeated key.
    """
    return parse_json_array(read_text(path, encoding).removeprefix(BYTE_ORDER_MARK), path)


def parse_json_array(text: str, path: Path) -> list[tuple[str, dict[str, object]]]:
    """Parse the text of a file as `read_json_array` does."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)
    objects: list[tuple[str, dict[str, object]]] = []
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
        raise _no_array(path, text, rest, "unexpected text after the array")
    on_line = Counter(where for where, _ in objects)
    return [
        (where if on_line[where] == 1 else f"{where}, {_called(content, number)}", content)
        for number, (where, content) in enumerate(objects, start=1)
    ]


def _called(content: dict[str, object], number: int) -> str:
    name = content.get("id")
    return f"id {name}" if isinstance(name, str | int) else f"object {number}"


def parse_json(text: str, path: Path) -> Any:
    """Parse a text that is one JSON value, as strictly as the lines of `parse_json_lines`.

    Raises
    ------
    bench.errors.DataError
        If it is not JSON, or an object has a repeated key.
    """
    _check_brackets(text, str(path))
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        where = place(path, error.lineno) if isinstance(error, json.JSONDecodeError) else str(path)
        raise DataError(f"{where}: {_not_json(error)}", "Write one JSON array of objects.") from error


def text_field(content: dict[str, object], key: str, where: str) -> str:
    """Return the text under a key of a JSON object.

    Raises
    ------
    bench.errors.DataError
        If the key is missing, or its value is not text, is blank, or contains half a surrogate pair.
    """
    if key not in content:
        raise DataError(f"{where}: '{key}' is missing.", f"Its keys are: {', '.join(content)}.")
    value = content[key]
    if not isinstance(value, str):
        problem, hint = not_text(value)
        raise DataError(f"{where}: '{key}' {problem}", hint)
    if not value.strip():
        raise DataError(f"{where}: '{key}' is empty.", "Every text and name needs at least one character.")
    check_characters(value, where, f"'{key}'")
    return value


def name_field(content: dict[str, object], key: str, where: str) -> str:
    """Return the name under a key of a JSON object, as `text_field` does, without hidden characters.

    Raises
    ------
    bench.errors.DataError
        As `text_field` and `bench.data.messages.check_name`.
    """
    name = text_field(content, key, where)
    check_name(name, where, key)
    return name


def _not_json(error: ValueError | RecursionError) -> str:
    """Describe what is wrong, to follow the place."""
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} at column {error.colno}."
    return f"not valid JSON: {error}."


def _check_brackets(text: str, where: str) -> None:
    """Raise a DataError if JSON has so many brackets that it would take far more memory than its length."""
    brackets = text.count("[") + text.count("{")
    if brackets > MOST_BRACKETS and brackets * FEWEST > len(text):
        raise DataError(
            f"{where}: {brackets:,} brackets in {len(text):,} characters. This is not a table.",
            'Write each row as an object with named cells, such as {"text": "…", "label": "…"}.',
        )


def _no_array(path: Path, text: str, at: int, reason: str) -> DataError:
    where = place(path, text.count("\n", 0, at) + 1)
    return DataError(f"{where}: not valid JSON: {reason}.", "Write one JSON array of objects.")


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON; use null for unknown values")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError(f"the key '{first_repeated(name for name, _ in pairs)}' is repeated")
    return content
