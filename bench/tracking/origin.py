"""Which results folder a tracked run is of: several folders may log to one store of MLflow."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError
from bench.results.files import is_stored, read_bytes, write_atomically
from bench.tracking.uri import sqlite_path

NAMED, PLACED = "bench.results_id", "bench.results"
"""The tags with the name that a results folder was given, and with its path."""

ID = ".mlflow-id"
"""The file in a results folder with the name that it was given, which folders on other machines do not have."""


@dataclass(frozen=True)
class Origin:
    """A results folder as a store of MLflow knows it.

    Parameters
    ----------
    name : str
        The name that it was given; empty for a folder that can only be read.
    path : str
        Where it lies.
    beside : bool
        Whether the store is the one beside these results, which moves and is copied with them.
    """

    name: str
    path: str
    beside: bool

    @property
    def tags(self) -> dict[str, str]:
        """The tags of all that is logged of the folder."""
        return {NAMED: self.name, PLACED: self.path}

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether what bears these tags was logged of this folder. Without tags, only the store beside it tells so.

        Examples
        --------
        >>> mine = Origin("a1", "/data/results", beside=False)
        >>> mine.owns(mine.tags), mine.owns({}), mine.owns({"bench.results_id": "a1", "bench.results": "/copy/results"})
        (True, False, False)
        """
        if self.beside:
            return tags.get(NAMED, self.name) == self.name
        return (tags.get(NAMED), tags.get(PLACED)) == (self.name, self.path)


def origin_of(results: Path, uri: str) -> Origin:
    """A results folder as the store with this URI knows it; it is given a name where it has none.

    Parameters
    ----------
    results : pathlib.Path
        The results folder.
    uri : str
        The tracking URI.
    """
    place = results.resolve()
    return Origin(_name(place), str(place), sqlite_path(uri) == place / "mlflow.db")


def _name(results: Path) -> str:
    from filelock import FileLock

    path = results / ID
    # A folder that can only be read gets no name.
    with suppress(OSError, UserError):
        if not is_stored(path):
            with FileLock(results / ".datasets.lock"):
                if not is_stored(path):
                    write_atomically(path, secrets.token_hex(8))
        return read_bytes(path).decode(errors="replace")
    return ""
