"""Records: frozen dataclasses that are written as JSON, and checked whole when they are read.

Pydantic does both. It checks what users write too, reads and writes the dataclasses of the standard library as they
are, and names the place of what is wrong.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from bench.errors import one_line

Record = TypeVar("Record")


def _says_nothing(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | tuple | Mapping) and not value)


LEFT_OUT = Field(exclude_if=_says_nothing)
"""Marks a field that is written only if it has a value."""

Number = Annotated[float, Field(allow_inf_nan=False)]
"""A number of a stored file, which JSON has a form for."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""A count, within the range of integers that every JSON reader supports."""


def _moment(text: str) -> str:
    if text:
        datetime.datetime.fromisoformat(text)
    return text


def _folder_name(text: str) -> str:
    if text in ("", ".", "..") or {"/", "\\", "\0"} & set(text):
        raise ValueError("it is not a valid folder name")
    return text


_EXPECTED = {
    "dataclass_type": "expected a mapping of names to values",
    "dict_type": "expected a mapping of names to values",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
    "string_type": "expected text",
    "float_type": "expected a number",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
}
"""Messages for values of another type."""

Moment = Annotated[str, AfterValidator(_moment)]
"""A date and time as ISO 8601 writes it, or nothing."""

FolderName = Annotated[str, AfterValidator(_folder_name)]
"""The name of one folder, which cannot lead out of the folder above."""


def plain(record: object) -> Any:
    """A record as plain data: mappings, sequences, text, numbers, and None."""
    return _adapter(type(record)).dump_python(record, by_alias=True, warnings=False)


def from_json(kind: type[Record], content: bytes) -> Record:
    """Read a record from a JSON document; keys that it does not have are passed over.

    Raises
    ------
    ValueError
        If the document is not JSON, or not such a record; the message gives the place and reason, in a few words.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Point:
    ...     x: float
    >>> from_json(Point, b'{"x": 1, "y": 2}')
    Point(x=1.0)
    >>> from_json(Point, b'{"x": "1"}')
    Traceback (most recent call last):
      ...
    ValueError: 'x': expected a number
    """
    reader: TypeAdapter[Record] = _adapter(kind)
    try:
        return reader.validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ").removeprefix("Invalid JSON: ")
        said = one_line(said if said[1:2].isupper() else said[:1].lower() + said[1:], 200)
        if first["type"] == "json_invalid":
            raise ValueError(f"not readable as JSON: {said}") from None
        place = ".".join(map(str, first["loc"]))
        said = _EXPECTED.get(first["type"], said)
        if first["type"] == "missing":
            raise ValueError(f"'{place}' is missing") from None
        raise ValueError(f"'{place}': {said}" if place else said) from None


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """What reads and writes a kind of record; making one takes longer than to use it."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
