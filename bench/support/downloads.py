"""How much a command downloads of one thing at most: a file, an encoder, or a data set of the Hub."""

from __future__ import annotations

import os

from bench.errors import ConfigError
from bench.support.quantities import memory_bytes

LARGEST_VARIABLE = "BENCH_LARGEST_DOWNLOAD"
"""The environment variable that names another bound, such as ``20GiB``."""

LARGEST = 2**33
"""The most bytes, unless the variable says otherwise. A server may send without end."""


def most_to_download() -> int:
    """The most bytes that one download may have.

    Raises
    ------
    bench.errors.ConfigError
        If the variable is not an amount.
    """
    named = os.environ.get(LARGEST_VARIABLE)
    if not named:
        return LARGEST
    try:
        return memory_bytes(named)
    except ValueError:
        raise ConfigError(
            f"{LARGEST_VARIABLE}={named}: it is not an amount with a unit.", f"Write {LARGEST_VARIABLE}=20GiB"
        ) from None


def too_large(what: str, size: int | None = None) -> tuple[str, str]:
    """Say that a download is too large, and how to allow it: the message and the hint of an error.

    Parameters
    ----------
    what : str
        The name of what would be downloaded.
    size : int, optional
        Its bytes, if they are known beforehand.

    Examples
    --------
    >>> too_large("owner/name", 2**34)[0]
    'owner/name: it has 17,179,869,184 bytes; at most 8,589,934,592 are downloaded.'
    >>> too_large("owner/name", 2**34)[1]
    'If you trust it, set BENCH_LARGEST_DOWNLOAD=17GiB'
    """
    most = most_to_download()
    if size is None:
        return f"{what}: it has more than {most:,} bytes, and no more are downloaded.", _allow(2 * most)
    return f"{what}: it has {size:,} bytes; at most {most:,} are downloaded.", _allow(size)


def _allow(size: int) -> str:
    return f"If you trust it, set {LARGEST_VARIABLE}={size // 2**30 + 1}GiB"
