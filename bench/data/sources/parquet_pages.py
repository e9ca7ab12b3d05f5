"""Read a Parquet file's footer and page headers, without decoding pages.

No library exposes the headers, and Arrow crashes on some damaged footers. Both are structs of Thrift's
compact protocol: fields with a kind and a distance from the number of the last one, and whole numbers with seven bits a
byte.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

TEXT = 6
"""The type of columns of text, and of other values of any length."""

BYTES = 7
"""The type of columns of values of one length, which may be long."""

DICTIONARY = 2
"""The kind of a page with a dictionary."""

BY_DICTIONARY = (2, 8)
"""The encodings of pages whose values are places in a dictionary."""

BY_PREFIX = 7
"""The encoding of pages whose values share a prefix with the previous one."""

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_MAGIC = b"PAR1"
_HEADER = 2**16
"""The bytes to read for a header. Its statistics may be as long as two values."""

_DEEPEST = 12
"""The deepest nesting of structs and lists."""


@dataclass(frozen=True)
class Chunk:
    """A column in a row group: its type, path and number of values, its bytes decompressed, and where it lies."""

    type: int
    path: str
    n_values: int
    size: int
    start: int
    end: int


@dataclass(frozen=True)
class Page:
    """A page: its kind, its bytes when decompressed, its number of values, and their encoding."""

    kind: int
    size: int
    n_values: int
    encoding: int


class BrokenFileError(ValueError):
    """The file's footer, or a page's header, is invalid."""


def chunks(file: BinaryIO) -> list[Chunk]:
    """Read the columns of all row groups from a file's footer.

    Raises
    ------
    BrokenFileError
        If it cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 8, 0))
    end = file.read(8)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != _MAGIC or length > size - 12:
        raise BrokenFileError("it has no Parquet footer")
    file.seek(size - 8 - length)
    try:
        fields, _ = _struct(file.read(length), 0, 0)
        return [
            _chunk(column[3])
            for group in fields.get(4, ())
            for column in group[1]
            if column[3].get(7, 0) or column[3][5]
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise BrokenFileError("its footer lacks required fields of columns") from error


def _chunk(about: dict[int, Any]) -> Chunk:
    path = ".".join(name.decode(errors="replace") for name in about[3])
    start = min(filter(None, (about[9], about.get(11))), default=0)
    numbers = (about[1], about[5], about[6], start, about[7])
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise BrokenFileError("its footer lacks required fields of columns")
    return Chunk(about[1], path, about[5], about[6], start, start + about[7])


def pages(file: BinaryIO, chunk: Chunk) -> Iterator[Page]:
    """Iterate over the pages of a column in a row group.

    Raises
    ------
    BrokenFileError
        If a header cannot be read.
    """
    at, left = chunk.start, chunk.n_values
    while left > 0 and at < chunk.end:
        fields, length = _header(file, at)
        about = fields.get(5) or fields.get(7) or fields.get(8) or {}
        told = [*(fields.get(number) for number in (1, 2, 3)), about.get(1, 0), about.get(4 if 8 in fields else 2, 0)]
        numbers = [number for number in told if isinstance(number, int) and number >= 0]
        if len(numbers) < len(told):
            raise BrokenFileError("a page header lacks required fields")
        kind, unpacked, packed, n_values, encoding = numbers
        yield Page(kind, unpacked, n_values, encoding)
        left -= 0 if kind == DICTIONARY else n_values
        at += length + packed


def _header(file: BinaryIO, at: int) -> tuple[dict[int, Any], int]:
    for size in (_HEADER, 2**8 * _HEADER):
        file.seek(at)
        try:
            return _struct(file.read(size), 0, 0)
        except IndexError:  # it continues beyond the bytes read
            continue
    raise BrokenFileError("a page header does not end")


def _struct(data: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """Read the fields of a struct, by number, and where it ends."""
    if depth > _DEEPEST:
        raise BrokenFileError("structs within structs")
    fields: dict[int, Any] = {}
    number = 0
    while (begin := data[at]) != 0:
        at += 1
        if begin >> 4:
            number += begin >> 4
        else:
            number, at = _signed(data, at)
        fields[number], at = _value(data, at, begin & 15, depth)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind == _BYTE:
        return data[at], at + 1
    if kind in (_I16, _I32, _I64):
        return _signed(data, at)
    if kind == _DOUBLE:
        return None, at + 8
    if kind == _BINARY:
        length, at = _whole(data, at)
        return data[at : at + length], at + length
    if kind in (_LIST, _SET):
        return _list(data, at, depth + 1)
    if kind == _STRUCT:
        return _struct(data, at, depth + 1)
    raise BrokenFileError("a field of an unknown kind")


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    if depth > _DEEPEST:
        raise BrokenFileError("lists within lists")
    length, kind, at = data[at] >> 4, data[at] & 15, at + 1
    if length == 15:
        length, at = _whole(data, at)
    if length > len(data):
        raise BrokenFileError("a list that is longer than its file")
    items = []
    for _ in range(length):
        item, at = (data[at] == _TRUE, at + 1) if kind in (_TRUE, _FALSE) else _value(data, at, kind, depth)
        items.append(item)
    return items, at


def _whole(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if not byte & 128:
            return value, at
        shift += 7
        if shift > 63:
            raise BrokenFileError("an endless number")


def _signed(data: bytes, at: int) -> tuple[int, int]:
    value, at = _whole(data, at)
    return (value >> 1) ^ -(value & 1), at
