"""Small files that stand for large tables."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

LONG = "ن" * 200_000


def by_dictionary(times: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(times, dtype="int32")), pa.array([LONG]))


def write_repeated(path: Path) -> None:
    table = pa.table({"text": by_dictionary(30_000), "label": ["a", "b"] * 15_000})
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=2**30)


def write_nested(path: Path) -> None:
    lists = pa.ListArray.from_arrays(pa.array([0, 10_000, 20_000], pa.int32()), by_dictionary(20_000))
    pq.write_table(pa.table({"text": lists, "label": ["a", "b"]}), path, dictionary_pagesize_limit=2**30)


def write_mixed(path: Path) -> None:
    """A dictionary that is given up for plain texts within a row group, as where another one follows it."""
    others = pa.array([f"{LONG}{number}" for number in range(20)]).dictionary_encode()
    texts = pa.chunked_array([by_dictionary(30_000), others])
    pq.write_table(pa.table({"text": texts}), path, compression="zstd", dictionary_pagesize_limit=2**30)


def write_fixed(path: Path) -> None:
    kind = pa.binary(2**18)
    values = pa.DictionaryArray.from_arrays(pa.array(np.zeros(3_000, dtype="int32")), pa.array([b"x" * 2**18], kind))
    pq.write_table(pa.table({"text": values.cast(kind)}), path, compression="zstd", dictionary_pagesize_limit=2**30)


def write_prefixes(path: Path) -> None:
    texts = [LONG + str(number) for number in range(1_000)]
    pq.write_table(
        pa.table({"text": texts}),
        path,
        use_dictionary=False,
        compression="zstd",
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
    )


def write_plain(path: Path) -> None:
    texts = [LONG + str(number) for number in range(1_000)]
    pq.write_table(pa.table({"text": texts}), path, compression="zstd", use_dictionary=False)


def write_many_rows(path: Path) -> None:
    table = pa.table({"text": pa.nulls(20_000_000, pa.string()), "label": pa.nulls(20_000_000, pa.string())})
    pq.write_table(table, path)


def workbook(path: Path, change: Callable[[str], str] = str, **parts: bytes) -> None:
    """A workbook with a header and two rows, whose sheet's XML is changed, and more parts added."""
    book = openpyxl.Workbook()
    for row in (("text", "label"), ("نفى", "a"), ("أكد", "b")):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                content = change(content.decode()).encode()
            new.writestr(entry.filename, content)
        for name, more in parts.items():
            new.writestr(name, more)
