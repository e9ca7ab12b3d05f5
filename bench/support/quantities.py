"""Times and amounts of memory as people and Slurm write them."""

from __future__ import annotations

import math
import re

UNLIMITED = ("UNLIMITED", "INFINITE")
"""Slurm's words for a time without an end."""

_TIME = re.compile(
    r"(?:(?P<days>[0-9]{1,9})-)?(?P<first>[0-9]{1,9})(?::(?P<second>[0-9]{1,9}))?(?::(?P<third>[0-9]{1,9}))?"
)
_AMOUNT = re.compile(
    r"(?P<number>[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(?P<prefix>[kmgtp])(?P<binary>i?)(?P<byte>b?)", re.IGNORECASE
)


def walltime_seconds(text: str) -> float:
    """The seconds of a time as Slurm writes it, infinite where it has no end.

    Raises
    ------
    ValueError
        If it is not such a time.

    Examples
    --------
    >>> [walltime_seconds(text) for text in ("30", "1:30", "02:00:00", "1-12", "1-0:30", "UNLIMITED")]
    [1800.0, 90.0, 7200.0, 129600.0, 88200.0, inf]
    """
    if text.strip().upper() in UNLIMITED:
        return math.inf
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a Slurm time")
    parts = [int(part) for part in match.group("first", "second", "third") if part is not None]
    if match["days"] is not None:
        hours, minutes, seconds = (*parts, 0, 0)[:3]
    elif len(parts) == 3:
        hours, minutes, seconds = parts
    else:
        hours, (minutes, seconds) = 0, (*parts, 0)[:2]
    return float(int(match["days"] or 0) * 86400 + hours * 3600 + minutes * 60 + seconds)


def walltime_text(seconds: float) -> str:
    """A time as Slurm reads it.

    Examples
    --------
    >>> walltime_text(90061), walltime_text(math.inf)
    ('1-01:01:01', 'UNLIMITED')
    """
    if math.isinf(seconds):
        return UNLIMITED[0]
    minutes, left = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02}:{minutes:02}:{left:02}"


def memory_bytes(text: str) -> int:
    """The bytes of an amount of memory: ``GB`` is 10^9, ``GiB`` is 2^30, and so is ``G``, as Slurm writes it.

    Raises
    ------
    ValueError
        If it is not an amount with a unit.

    Examples
    --------
    >>> memory_bytes("8 GB"), memory_bytes("8GiB"), memory_bytes("8G"), memory_bytes("1.5 mb")
    (8000000000, 8589934592, 8589934592, 1500000)
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an amount of memory")
    base = 1000 if match["byte"] and not match["binary"] else 1024
    return math.ceil(float(match["number"]) * base ** ("kmgtp".index(match["prefix"].lower()) + 1))
