"""Ctrl-C and SIGTERM, at any moment of a command: raised where they end it, not where they are lost or disguised."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

WAIT = 0.002
"""Seconds after which it is looked again whether an import has ended."""

LONGEST = 5.0
"""Seconds of an import that are waited for."""

IMPORTING = "<frozen importlib._bootstrap>"
"""The file of the code that imports, as frames name it."""


class Interrupts:
    """Have Ctrl-C and SIGTERM raise `KeyboardInterrupt` in a command; before and after it they end the process at once.

    Raised in the middle of an import, it would come out of many a library as another error, or not at all; so it waits
    for the import's end. Where Python itself drops it, as in a callback of its own, it is raised again. A command that
    was started to ignore Ctrl-C, as in the background of a script, goes on doing so.

    Attributes
    ----------
    raised : bool
        Whether it was raised.
    """

    def __init__(self) -> None:
        self.raised = False
        self._since: float | None = None
        self._dropped = sys.unraisablehook
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._stop)
        # What a batch system or a container sends to stop a process.
        signal.signal(signal.SIGTERM, self._stop)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._stop)
        sys.unraisablehook = self._raise_again
        # The first that is registered is called last; after it nothing is left that could take long.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)

    def call(self, command: Callable[[], object]) -> None:
        """Call the command.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C or SIGTERM ended it.
        """
        command()

    def drop_waiting(self) -> bool:
        """Let none come later. Returns whether one waited: it came too late for the command."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        return self._since is not None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not _runs(self.call.__code__, frame):
            # Nothing would catch what is raised here.
            os.write(2, b"Stopped.\n")
            os._exit(130)
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if _imports(frame) and now - self._since < LONGEST and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, WAIT)
            return
        self._since, self.raised = None, True
        raise KeyboardInterrupt

    def _raise_again(self, dropped: Any) -> None:
        if isinstance(dropped.exc_value, KeyboardInterrupt) and hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, WAIT)
        else:
            self._dropped(dropped)


def _imports(frame: FrameType | None) -> bool:
    return any(code.co_filename == IMPORTING for code in _codes(frame))


def _runs(code: CodeType, frame: FrameType | None) -> bool:
    return any(each is code for each in _codes(frame))


def _codes(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back
