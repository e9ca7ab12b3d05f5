"""Responses on disk: a request is made once on this machine, whoever asks.

The file holds the language model's whole responses, and nothing else: of a request it keeps only a SHA-256. No key is
part of a request's body, so none is there either.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UserError, describe_os_error
from bench.support.cache import cache_folder
from bench.support.places import REFUSED

_ASKED = 500
"""Keys in one query; SQLite's own limit is no less than 999."""


def request_key(url: str, body: Mapping[str, Any]) -> bytes:
    """Identify a request by all that decides its answer: the SHA-256 of its address and its whole body."""
    canonical = json.dumps({"url": url, "body": body}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


class ResponseCache:
    """Responses by the key of their request, safe with several threads and processes.

    Parameters
    ----------
    folder : pathlib.Path or None
        Where they lie; None is ``llm`` in `bench.support.cache.cache_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = cache_folder() / "llm" if folder is None else folder

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder / "responses.sqlite"

    def read(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """The stored responses among `keys`, each with its key, one by one.

        Raises
        ------
        bench.errors.BenchError
            If the database cannot be read.
        """
        if not self.path.exists():
            return
        with self._database() as connection:
            for start in range(0, len(keys), _ASKED):
                asked = keys[start : start + _ASKED]
                marks = ",".join("?" * len(asked))
                rows = connection.execute(f"SELECT request, response FROM responses WHERE request IN ({marks})", asked)
                yield from ((key, json.loads(response)) for key, response in rows)

    def write(self, key: bytes, response: Mapping[str, Any]) -> None:
        """Store a response, unless there is one for the key.

        Raises
        ------
        bench.errors.BenchError
            If the database cannot be written.
        """
        with self._database() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO responses VALUES (?, ?)", (key, json.dumps(response, ensure_ascii=True))
            )

    @contextmanager
    def claimed(self, key: bytes) -> Iterator[None]:
        """Hold a request while it is made, so that nobody else on this machine makes it at the same time."""
        from filelock import FileLock

        # A few files for all keys: who waits for another request in the same one waits in vain, but seldom.
        lock = FileLock(self.folder / "locks" / f"{key[:1].hex()}.lock")
        with self._explained():
            (self.folder / "locks").mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self.folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=60)) as connection, connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS responses (request BLOB PRIMARY KEY, response TEXT) WITHOUT ROWID"
                )
                yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        hint = "Set BENCH_CACHE to another folder, or move the file away: its requests are then made, and paid, again."
        try:
            yield
        except (sqlite3.Error, json.JSONDecodeError) as error:
            raise BenchError(f"{self.path}: the cache of responses cannot be used: {error}. {hint}") from error
        except OSError as error:
            kind = UserError if error.errno in REFUSED else BenchError
            raise kind(f"{describe_os_error(error)} It was needed for the cache of responses. {hint}") from error
