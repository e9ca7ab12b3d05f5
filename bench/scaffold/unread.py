"""What stands in a folder of data and is not read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from bench.data.messages import listed
from bench.data.sources.formats import SUFFIXES, TEXTS
from bench.data.sources.plain import is_hidden

OF_APPLE = "._"
"""How the files begin that macOS leaves beside others on foreign disks."""


def unread(folder: Path, read: Collection[Path]) -> tuple[str, ...]:
    """Name what a folder holds beside the files that are read, in a sentence; nothing if all is read.

    What operating systems and editors leave in folders is not named. A hidden text or table is.
    """
    kept = {*read, *(parent for path in read for parent in path.parents)}
    names = [path.relative_to(folder).as_posix() + "/" * path.is_dir() for path in _others(folder, kept)]
    return (f"These files of the folder are not read: {listed(names)}.",) if names else ()


def _others(folder: Path, kept: Collection[Path]) -> Iterator[Path]:
    """What is not among the files that are read and the folders above them."""
    for path in sorted(folder.iterdir()):
        if path in kept:
            yield from _others(path, kept) if path.is_dir() else ()
        elif not is_hidden(Path(path.name)) or _has_data(path):
            yield path


def _has_data(path: Path) -> bool:
    """Whether a hidden file, or one in a hidden folder, is a text or a table by its suffix."""
    inside = path.iterdir() if path.is_dir() else [path]
    return any(
        each.suffix.lower() in (*SUFFIXES, *TEXTS) and not each.name.startswith(OF_APPLE) and not each.is_dir()
        for each in inside
    )
