"""How large what a file stands for may be: packed data of a few kilobytes can stand for more than any disk holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

MOST_TIMES = 100
"""How many times larger than itself a packed file may be; packed text is 3 to 30 times larger."""

FREE = 2**26
"""Bytes that any packed file may stand for."""


def most_of(path: Path, free: int = FREE) -> int:
    """The bytes, or cells, that a packed file may stand for: `MOST_TIMES` its bytes, or `free` where that is more."""
    return max(path.stat().st_size * MOST_TIMES, free)


def too_large(path: Path, most: int, hint: str, unit: str = "bytes") -> DataError:
    """Make the error for a file that stands for more than it may."""
    return DataError(
        f"{path}: its {path.stat().st_size:,} bytes stand for more than {most:,} {unit}, as no packed text does.", hint
    )
