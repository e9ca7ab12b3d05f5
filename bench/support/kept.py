"""Values on disk by their key, in one SQLite file: made once on this machine, whoever asks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UserError, describe_os_error
from bench.support.places import REFUSED

_ASKED = 500
"""Keys in one query; SQLite's own limit is no less than 999."""


@dataclass(frozen=True)
class Kept:
    """A cache that several threads and processes share; the first value that is stored for a key stays.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    table, key, value : str
        What its table and columns are called.
    kind : str
        The type of the values, as SQLite has it.
    hint : str
        What to do where the file cannot be used.
    """

    path: Path
    table: str
    key: str
    value: str
    kind: str
    hint: str

    def read(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, Any]]:
        """The stored values among `keys`, each with its key, one by one.

        Raises
        ------
        bench.errors.BenchError
            If the file cannot be read.
        """
        if not self.path.exists():
            return
        with self._database() as connection:
            for start in range(0, len(keys), _ASKED):
                asked = keys[start : start + _ASKED]
                marks = ",".join("?" * len(asked))
                query = f"SELECT {self.key}, {self.value} FROM {self.table} WHERE {self.key} IN ({marks})"
                yield from connection.execute(query, asked)

    def write(self, values: Mapping[bytes, Any]) -> None:
        """Store values, but for those of keys that have one.

        Raises
        ------
        bench.errors.BenchError
            If the file cannot be written.
        """
        with self._database() as connection:
            connection.executemany(f"INSERT OR IGNORE INTO {self.table} VALUES (?, ?)", list(values.items()))

    @contextmanager
    def locked(self, lock: Path) -> Iterator[None]:
        """Hold the file `lock`, so that nobody else on this machine makes the same values meanwhile."""
        from filelock import FileLock

        held = FileLock(lock)
        with self._explained():
            lock.parent.mkdir(parents=True, exist_ok=True)
            held.acquire()
        try:
            yield
        finally:
            held.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self.unusable(error) from error
        except OSError as error:
            kind = UserError if error.errno in REFUSED else BenchError
            told = f"{describe_os_error(error)} The cache of {self.table} needs it."
            raise kind(told, self.hint) from error

    def unusable(self, reason: object) -> BenchError:
        """The error for a file that has other content, or cannot be used."""
        return BenchError(f"{self.path}: the cache of {self.table} cannot be used: {reason}.", self.hint)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=60)) as connection, connection:
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {self.table} "
                    f"({self.key} BLOB PRIMARY KEY, {self.value} {self.kind}) WITHOUT ROWID"
                )
                yield connection
