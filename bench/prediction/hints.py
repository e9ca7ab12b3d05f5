"""What errors about new text say to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bench.data.column_names import is_known
from bench.data.sources.cells import Row, Rows
from bench.data.sources.dialects import DELIMITED
from bench.errors import DataError


def of_input(sentence: str) -> str:
    """A sentence with the option for the format of new text, since ``--format`` is that of the output."""
    return sentence.replace("--format", "--input-format")


@contextmanager
def input_options() -> Iterator[None]:
    """Name the option for the format of new text in errors."""
    try:
        yield
    except DataError as error:
        if error.hint is None or "--format" not in error.hint:
            raise
        raise DataError(error.message, of_input(error.hint)) from error


def told_of_input(rows: Rows) -> Iterator[Row]:
    """Rows whose errors name the option for the format of new text."""
    with input_options():
        yield from rows


def without_header(kind: str, column: str, row: Mapping[str, object]) -> str:
    r"""How to read a table whose first line seems to be a row; empty if it is a header.

    Examples
    --------
    >>> without_header("csv", "text", {"7": "8", "نفى الوزير": "أكد الخبر"})
    '\nIf the first line is a row, not a header: --columns column-1,text'
    >>> without_header("csv", "text", {"id": "8", "tweet": "أكد الخبر"})
    ''
    """
    if kind not in (*DELIMITED, "xlsx") or any(map(is_known, row)):
        return ""
    longest = max(row, key=len)
    names = [column if name == longest else f"column-{number}" for number, name in enumerate(row, start=1)]
    return f"\nIf the first line is a row, not a header: --columns {','.join(names)}"
