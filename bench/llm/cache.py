"""Responses on disk: each request is made once on this machine.

The file has the language model's complete responses, but only the SHA-256 of each request. No key is
part of a request's body, so none is there either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bench.llm.completion import Completion
from bench.support.cache import cache_folder
from bench.support.kept import Kept

HINT = "Set BENCH_CACHE to another folder, or move the file. Its requests are then made, and paid for, again."


def request_key(url: str, body: Mapping[str, object]) -> bytes:
    """Identify a request by all that decides its answer: the SHA-256 of its address and its whole body."""
    canonical = json.dumps({"url": url, "body": body}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


class ResponseCache:
    """Responses by the key of their request, safe with several threads and processes.

    Parameters
    ----------
    folder : pathlib.Path or None
        Their folder; None is ``llm`` in `bench.support.cache.cache_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = cache_folder() / "llm" if folder is None else folder
        path = self._folder / "responses.sqlite"
        self._kept = Kept(path, table="responses", key="request", value="response", kind="TEXT", hint=HINT)

    def read(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, Completion]]:
        """The stored responses among `keys`, each with its key, one by one.

        Raises
        ------
        bench.errors.BenchError
            If the database cannot be read.
        """
        for key, response in self._kept.read(keys):
            try:
                yield key, json.loads(response)
            except ValueError as error:
                raise self._kept.unusable(error) from error

    def write(self, key: bytes, response: Completion) -> None:
        """Store a response, unless there is one for the key.

        Raises
        ------
        bench.errors.BenchError
            If the database cannot be written.
        """
        self._kept.write({key: json.dumps(response, ensure_ascii=True)})

    def claimed(self, key: bytes) -> AbstractContextManager[None]:
        """Lock a request while it is made, so that no other process on this machine makes it at the same time."""
        # A few files for all keys: waiting for a different request with the same file is unnecessary but rare.
        return self._kept.locked(self._folder / "locks" / f"{key[:1].hex()}.lock")
