"""The files that a task is made of, which no command replaces by its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.data.definition import read_definition


def files_of(path: Path) -> list[Path]:
    """The files in the folder of a task's file, and those that its source names.

    Parameters
    ----------
    path : pathlib.Path
        The task's file.
    """
    named = (path.parent / text for text in _texts(read_definition(path).get("source")))
    return [*path.parent.iterdir(), *(each for each in named if each.is_file())]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
