"""How messages about data name places and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def place(path: Path, line: int) -> str:
    """Name a line of a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> place(Path("labels.csv"), 3)
    'labels.csv, line 3'
    """
    return f"{path}, line {line}"


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Join names, the first `limit` of them.

    Examples
    --------
    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
