"""Standard streams that are closed, broken, or of another encoding than UTF-8."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from io import TextIOWrapper

BROKEN = frozenset({errno.EPIPE, errno.EBADF})
"""What writing to a stream answers whose reader has gone, or that was never open."""


def prepare_streams() -> None:
    """Let nothing else take the place of a closed stream, and no character stop what is printed.

    A file that is opened takes the lowest number that is free. Where standard output was closed, what is printed, by
    a library in C too, would go into that file. So closed streams are opened on nothing: writing to standard output
    still fails, and messages, which have nowhere to go, are dropped.
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
    """Say that the user stopped a command, on a line of its own where the terminal shows ``^C``."""
    from bench.reporting.output import say

    with contextlib.suppress(OSError, ValueError):
        say(("\n" if sys.stderr.isatty() else "") + message, err=True)


def abandon_output() -> None:
    """Drop what is left to be printed, so that the end of the process does not try to print it again."""
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
