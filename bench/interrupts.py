"""Handle Ctrl-C and SIGTERM at any moment of a command, so that they are neither lost nor disguised."""

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
"""The interval in seconds for checking whether an import has ended."""

LONGEST = 5.0
"""The most seconds to wait for an import."""

IMPORTING = "<frozen importlib._bootstrap>"
"""The file of the code that imports, as frames name it."""


class Interrupts:
    """Make Ctrl-C and SIGTERM raise `KeyboardInterrupt` in a command. Outside it, they end the process at once.

    If raised during an import, many libraries turn it into another error or ignore it. So it waits
    for the end of the import. If Python drops it, as in a callback, it is raised again. A command that
    was started to ignore Ctrl-C, as in the background of a script, still ignores it.

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
        # Batch systems and containers send SIGTERM to stop a process.
        signal.signal(signal.SIGTERM, self._stop)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._stop)
        sys.unraisablehook = self._raise_again
        # The first registered function is called last. Nothing slow can follow it.
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
        """Ignore later signals. Return whether one is pending that came too late for the command."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        return self._since is not None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not _runs(self.call.__code__, frame):
            # Nothing would catch an exception here.
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
