"""Standard streams that are closed, broken, or of another encoding than UTF-8."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from io import TextIOWrapper

BROKEN = frozenset({errno.EPIPE, errno.EBADF})
"""Errors of writing to a stream whose reader has gone, or that was never open."""


def prepare_streams() -> None:
    """Protect closed streams from reuse, and output from characters that cannot be encoded.

    A newly opened file takes the lowest free descriptor. If standard output was closed, output, even from
    a C library, would go into that file. So closed streams are opened on the null device: writing to standard output
    still fails, and messages are dropped.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            _open_on_nothing(number, mode)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def tell_stopped(message: str) -> None:
    """Report that the user stopped a command, on a new line if the terminal shows ``^C``."""
    from bench.reporting.output import say

    with contextlib.suppress(OSError, ValueError):
        say(("\n" if sys.stderr.isatty() else "") + message, err=True)


def abandon_output() -> None:
    """Drop unprinted output, so that the process does not try to print it again when it ends."""
    with contextlib.suppress(OSError, ValueError):
        _open_on_nothing(sys.stdout.fileno(), os.O_WRONLY)
        sys.stdout.flush()


def _open_on_nothing(number: int, mode: int) -> None:
    opened = os.open(os.devnull, mode)
    if opened == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(opened, number)
        os.close(opened)
