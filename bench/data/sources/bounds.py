"""Limits on the unpacked size of files: a few kilobytes can unpack to more than any disk has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

MOST_TIMES = 100
"""How many times larger than itself a packed file may be; packed text is 3 to 30 times larger."""

FREE = 2**26
"""The unpacked size in bytes that is always allowed."""


def most_of(path: Path, free: int = FREE) -> int:
    """The most bytes, or cells, that a packed file may unpack to: `MOST_TIMES` its size, but at least `free`."""
    return max(path.stat().st_size * MOST_TIMES, free)


def too_large(path: Path, most: int, hint: str, unit: str = "bytes") -> DataError:
    """Make the error for a file that unpacks to more than the limit."""
    return DataError(
        f"{path}: its {path.stat().st_size:,} bytes unpack to more than {most:,} {unit}, far more than text does.", hint
    )
