"""The files that tasks are made of, which no command replaces by its output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from bench.data.definition import read_definition
from bench.discovery import task_files
from bench.errors import BenchError
from bench.support.places import refuse_existing, refuse_read


def check_replaced(target: Path, name: str, force: bool, read: Iterable[Path] = ()) -> None:
    """Do not replace a file of a task, or one that the command reads, and another one only if the user allows it.

    Parameters
    ----------
    target : pathlib.Path
        The place.
    name : str
        How the user named it.
    force : bool
        Whether another file may be replaced.
    read : iterable of pathlib.Path
        What the command reads.

    Raises
    ------
    bench.errors.ConfigError
        If there is a file that stays.
    """
    if target.exists():
        refuse_read(target, name, [*read, *own_files()])
    if not force:
        refuse_existing(target, name)


def own_files() -> Iterator[Path]:
    """The files in the folder of each task, and what the source of each of its versions names."""
    for path in map(Path.resolve, task_files().values()):
        yield from (each for each in path.parent.iterdir() if each.is_file())
        for version in path.parent.glob("*.yaml"):
            with suppress(BenchError):
                named = (path.parent / text for text in _texts(read_definition(version).get("source")))
                yield from (each for each in named if not path.is_relative_to(os.path.normpath(each)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
