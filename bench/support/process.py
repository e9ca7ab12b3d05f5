"""Our own processes: those of the command and its workers, but not a program that imports bench."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""The environment variables by which libraries do not call home, do not print, and take one core."""

_own = False


def own_this_process() -> None:
    """Set this process up as one of our own."""
    global _own
    os.environ.update(ENVIRONMENT)
    _own = True


def is_own() -> bool:
    """Whether this process is our own, so that we may change its settings."""
    return _own


@contextmanager
def setting(read: Callable[[], T], write: Callable[[T], object], value: T) -> Iterator[None]:
    """Give a setting of a library another value for the block.

    Parameters
    ----------
    read, write : callable
        What gives the setting, and what takes it.
    value : object
        What it is meanwhile.

    Examples
    --------
    >>> import csv
    >>> before = csv.field_size_limit()
    >>> with setting(csv.field_size_limit, csv.field_size_limit, 2**31 - 1):
    ...     csv.field_size_limit()
    2147483647
    >>> csv.field_size_limit() == before
    True
    """
    before = read()
    write(value)
    try:
        yield
    finally:
        write(before)
