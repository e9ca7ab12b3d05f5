"""Read Parquet files in batches of limited size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from bench.data.files import LFS_POINTER, check_fetched, check_file, first_repeated
from bench.data.messages import free_name
from bench.data.sources.bounds import most_of, too_large
from bench.data.sources.cells import Row
from bench.data.sources.classes import class_names, named_class
from bench.data.sources.parquet_pages import BY_DICTIONARY, BY_PREFIX, BYTES, DICTIONARY, TEXT, Chunk, chunks, pages
from bench.errors import DataError, first_line

FREE = 2**28
"""The unpacked size in bytes that is always allowed; a cell counts as `CELL` plus its text."""

CELL = 16
"""The bytes that a cell counts in addition to its text."""

BATCH = 2**25
"""The bytes to read at once, as far as the file reveals sizes."""

MOST_ROWS = 2**16
"""The rows to read at once."""

REWRITE = (
    "python -c \"import pandas; pandas.read_parquet('FILE.parquet').to_parquet('{written}', compression=None, "
    'use_dictionary=False)"'
)
"""The command that rewrites a trusted file without compression."""


def parquet_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file, each with its place, with numbers as text with every digit.

    Raises
    ------
    bench.errors.DataError
        If it is not a Parquet file, or unpacks to more than the limit.
    """
    import pyarrow.parquet as pq

    check_file(path)
    state = path.stat()
    row = 0
    try:
        with path.open("rb") as content:
            check_fetched(content.read(len(LFS_POINTER)), path)
        reading = _reading(path, state.st_ino, state.st_size, state.st_mtime_ns)
        with pq.ParquetFile(path, read_dictionary=reading.encoded) as file:
            schema = file.schema_arrow
            classes = class_names(schema.metadata)
            for batch in file.iter_batches(reading.n_rows):
                for piece in _pieces(batch):
                    cells = (
                        _cells(column, classes.get(name)) for name, column in zip(schema.names, piece, strict=True)
                    )
                    for values in zip(*cells, strict=True):
                        row += 1
                        yield f"{path}, row {row}", dict(zip(schema.names, values, strict=True))
    except DataError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def number_columns(path: Path) -> dict[str, Callable[[str], float]]:
    """The columns of numbers of a Parquet file, which `parquet_rows` yields as text, each with its type.

    Decimals have more digits than a type of Python keeps, so they stay text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    classes = class_names(schema.metadata)
    found: dict[str, Callable[[str], float]] = {}
    for column in schema:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if column.name not in classes and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            found[column.name] = int if pa.types.is_integer(kind) else float
    return found


def check_expansion(path: Path) -> None:
    """Refuse a Parquet file that unpacks to more than the limit, or is damaged.

    Raises
    ------
    bench.errors.DataError
        If it does, or is no Parquet file.
    """
    state = path.stat()
    try:
        _reading(path, state.st_ino, state.st_size, state.st_mtime_ns)
    except DataError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    """Make the error for a damaged file, for which Arrow and Python raise many kinds of errors."""
    return DataError(f"{path}: not a readable Parquet file: {first_line(error)}")


@dataclass(frozen=True)
class _Reading:
    """How to read a file: the columns to keep dictionary-encoded, and the rows to read at once."""

    encoded: tuple[str, ...]
    n_rows: int


@dataclass(frozen=True)
class _Column:
    """A column: its bytes in the file, decompressed, those of dictionaries, and the longest that a value can be.

    With a dictionary or shared prefixes, a text is stored once and used many times.
    """

    path: str
    type: int
    size: int
    dictionary: int
    longest: int

    @property
    def is_repeated(self) -> bool:
        """Whether its unpacked size may exceed its bytes, and what its cells count anyway."""
        return self.type in (TEXT, BYTES) and self.longest > CELL

    @property
    def is_encoded(self) -> bool:
        """Whether nearly all of it is dictionary-encoded; Arrow needs much memory to encode other texts."""
        return self.type == TEXT and self.dictionary > 0 and self.size < 2 * self.dictionary

    @property
    def stays_encoded(self) -> bool:
        """Whether its rows are read so. Arrow cannot join lists of several row groups."""
        return self.is_encoded and "." not in self.path


@lru_cache(maxsize=8)
def _reading(path: Path, number: int, size: int, changed: int) -> _Reading:
    """Decide how to read a file; cached until it changes.

    Raises
    ------
    bench.errors.DataError
        If a column is repeated, or the file unpacks to too much.
    """
    import pyarrow.parquet as pq

    most = most_of(path, FREE)
    command = REWRITE.format(written=free_name("plain.parquet"))
    refused = too_large(path, most, f"If you trust it, rewrite it, and use the new file:\n{command}")
    with path.open("rb") as content:
        columns = chunks(content)
        written = sum(chunk.size for chunk in columns)
        cells = CELL * sum(chunk.n_values for chunk in columns)
        if max(written, cells) > most:
            raise refused
        of_columns: dict[str, list[Chunk]] = {}
        for chunk in columns:
            of_columns.setdefault(chunk.path, []).append(chunk)
        known = [_column(content, parts, most, refused) for parts in of_columns.values()]
        if sum(column.size for column in known) > most:
            raise refused
    with pq.ParquetFile(path) as file:
        if (twice := first_repeated(file.schema_arrow.names)) is not None:
            raise DataError(f"{path}: the column '{twice}' is repeated.")
        n_rows = file.metadata.num_rows
        if CELL * n_rows > most:
            raise refused
    row = written // max(n_rows, 1) + 1
    total = cells
    with pq.ParquetFile(path, read_dictionary=[column.path for column in known if column.is_encoded]) as file:
        for column in known:
            if not column.is_repeated:
                continue
            # Encoded texts take no more memory than they do in the file.
            at_once = MOST_ROWS if column.is_encoded else min(MOST_ROWS, 2 * BATCH // column.longest + 1)
            longest = 0
            one_by_one = column.is_encoded and not column.stays_encoded
            for groups in [[each] for each in range(file.num_row_groups)] if one_by_one else [None]:
                for batch in file.iter_batches(at_once, groups, [column.path]):
                    size = sum(map(_size, batch.columns))
                    total, longest = total + size, max(longest, size // max(batch.num_rows, 1))
                    if total > most:
                        raise refused
            row += 0 if column.stays_encoded else longest
    encoded = tuple(column.path for column in known if column.stays_encoded)
    return _Reading(encoded, max(min(MOST_ROWS, BATCH // row), 1))


def _column(file: BinaryIO, parts: Sequence[Chunk], most: int, refused: DataError) -> _Column:
    """Properties of a column's pages."""
    size = dictionary = longest = 0
    for chunk in parts:
        own = 0
        for page in pages(file, chunk):
            size += page.size
            if size > most:
                raise refused
            if page.kind == DICTIONARY:
                dictionary, own = dictionary + page.size, page.size
            elif page.encoding == BY_PREFIX:
                longest = max(longest, page.size)
            elif page.encoding in BY_DICTIONARY:
                longest = max(longest, own)
    return _Column(parts[0].path, parts[0].type, size, dictionary, longest)


def _size(array: Any) -> int:
    """The bytes of an array with every value written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        texts = array.dictionary
        if not _is_text(texts.type):
            return CELL * len(array)
        lengths = pc.cast(pc.binary_length(texts), pa.int64())
        return CELL * len(array) + (pc.sum(pc.take(lengths, array.indices)).as_py() or 0)
    if _is_text(kind):
        return CELL * len(array) + (pc.sum(pc.cast(pc.binary_length(array), pa.int64())).as_py() or 0)
    if pa.types.is_struct(kind):
        return CELL * len(array) + sum(map(_size, array.flatten()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return CELL * len(array) + _size(array.flatten())
    if pa.types.is_map(kind):
        return CELL * len(array) + _size(array.keys) + _size(array.items)
    if pa.types.is_fixed_size_binary(kind):
        return (CELL + kind.byte_width) * len(array)
    return CELL * len(array)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(told(kind) for told in kinds)


def _pieces(batch: Any) -> Iterator[Any]:
    """Cut a batch so that a piece written out takes no more than `BATCH`, unless it is a single row."""
    if batch.num_rows > 1 and sum(map(_size, batch.columns)) > BATCH:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half))
        yield from _pieces(batch.slice(half))
    else:
        yield batch


def _cells(column: Any, names: list[str] | None) -> list[Any]:
    """The cells of a column: the names of its classes, or numbers as text; equal texts of a dictionary are one."""
    import pyarrow as pa

    if names is not None:
        return [named_class(code, names) for code in column.to_pylist()]
    if pa.types.is_dictionary(column.type):
        values = _cells(column.dictionary, None)
        return [None if code is None else values[code] for code in column.indices.to_pylist()]
    return list((_as_text(column) if _is_number(column.type) else column).to_pylist())


def _as_text(column: Any) -> Any:
    """Numbers as text; NaN is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.cast(column, pa.string())
    return pc.if_else(pc.is_nan(column), None, text) if pa.types.is_floating(column.type) else text


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
