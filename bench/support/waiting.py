"""Seconds that a process waits for another one, which do not count as its own work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_waited = 0.0


@contextmanager
def waiting() -> Iterator[None]:
    """Count the block as waiting."""
    global _waited
    start = time.perf_counter()
    try:
        yield
    finally:
        _waited += time.perf_counter() - start


def waited_seconds() -> float:
    """Return how long this process has waited since it began."""
    return _waited
