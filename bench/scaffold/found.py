"""The detected form of a user's data."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.messages import listed
from bench.data.sources.cells import Rows
from bench.data.sources.formats import format_of


@dataclass(frozen=True)
class Found:
    """A user's data.

    Parameters
    ----------
    name : str
        The user's name for them, used in messages.
    what : str
        A description in a few words.
    source : dict of str to object
        The ``source`` section of a task's file that reads them, without its columns; its paths are relative to the
        folder of `file`.
    rows : callable
        Yields their rows, each with its place.
    file : pathlib.Path or None
        The file with the labels, or the first of several, or a folder; None for the Hub.
    files : tuple of pathlib.Path
        All files whose content is the data.
    remarks : tuple of str
        Notes on doubtful readings, a sentence each.
    """

    name: str
    what: str
    source: dict[str, object]
    rows: Callable[[], Rows]
    file: Path | None = None
    files: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Their name in the task's description: file names without folders."""
        if self.file is None:
            return self.name
        if self.file.is_dir() or "path" not in self.source:
            return self.file.name
        return listed([Path(name).name for name in file_names(self.source["path"])], 6)

    @property
    def origin(self) -> Path:
        """What errors name, and what the paths of `source` are relative to, before there is a ``task.yaml``."""
        return Path(self.name) if self.file is None else self.file

    @property
    def format(self) -> str | None:
        """The format of the files; None for the Hub."""
        return None if self.file is None else format_of(self.file.name, self.source.get("format"), "")

    @property
    def has_parts(self) -> bool:
        """Whether there is a file for each part of a published split."""
        return isinstance(self.source.get("path"), Mapping)

    @property
    def has_split(self) -> bool:
        """Whether the source itself says which part of a published split an example is in."""
        return self.has_parts or isinstance(self.source.get("split"), Mapping)

    def source_in(self, folder: Path) -> dict[str, object]:
        """The section for a task's file in a folder."""
        if self.file is None:
            return self.source
        start = self.file.parent

        def moved(path: Any) -> Any:
            if isinstance(path, Mapping):
                return {role: moved(each) for role, each in path.items()}
            if isinstance(path, list):
                return [moved(each) for each in path]
            return Path(os.path.relpath(start / path, folder)).as_posix()

        paths: dict[str, object] = {
            key: moved(self.source[key]) for key in ("path", "documents", "labels") if key in self.source
        }
        return {**self.source, **paths}


def file_names(named: Any) -> list[str]:
    """The files that a key of a source names: one, a list, or a mapping of such."""
    if isinstance(named, Mapping):
        return [name for each in named.values() for name in file_names(each)]
    return list(named) if isinstance(named, list) else [named]
