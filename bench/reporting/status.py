"""What a command is doing, on standard error: one moving line in a terminal, plain lines in a file or a pipe."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO, TypeVar

from bench.errors import printable
from bench.reporting.output import say

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable
    from rich.live import Live

T = TypeVar("T")

FIRST = 1.0
"""Seconds of silence after which the first plain line says what is being done."""

NEXT = 5.0
"""Seconds of silence after which another one says that something else is."""

EVERY = 30.0
"""Seconds of silence after which another one says that the same still is."""

_SHOWN_AFTER = 2.0
_SPINNER = "|/-\\"


class Status:
    """What a command is doing now.

    In a terminal it is a line that moves and goes away at the end. Elsewhere, as in a log file, what takes longer than
    `FIRST` is reported in a plain line, and again after every `EVERY` seconds without another line. A short command
    prints nothing there. A line that cannot be written is given up: it must not stop the work.

    Parameters
    ----------
    what : str
        What is done first.
    stream : file, optional
        Where it is reported; standard error by default.

    Attributes
    ----------
    what : str
        What is done now.

    Examples
    --------
    >>> with Status("reading labels.csv") as status:
    ...     status.doing("building the task")
    """

    def __init__(self, what: str = "starting", stream: TextIO | None = None) -> None:
        self.what = what
        self._stream = sys.stderr if stream is None else stream
        self._live: Live | None = None
        self._heart: threading.Thread | None = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._since = self._spoken = time.monotonic()
        self._silence = FIRST

    def __enter__(self) -> Self:
        self._ended.clear()
        self._since = self._spoken = time.monotonic()
        if is_terminal(self._stream):
            with suppress(OSError, ValueError):
                self._live = self._started()
        elif self._stream is not None:
            self._heart = threading.Thread(target=self._beat, name="status", daemon=True)
            self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Take the moving line away, and tell nothing more."""
        self._ended.set()
        if self._live is not None:
            with suppress(OSError, ValueError):
                self._live.stop()
            self._live = None
        if self._heart is not None:
            self._heart.join()
            self._heart = None

    def doing(self, what: str) -> None:
        """Do something else from now on."""
        with self._lock:
            self.what, self._since = what, time.monotonic()
            self._silence = min(self._silence, NEXT)

    def say(self, line: str) -> None:
        """Print a line that stays, made printable."""
        with self._lock:
            self._print(line)

    def line(self, seconds: float) -> str:
        """What is done, and for how long, where that has been a while."""
        return f"{self.what} ({in_brief(seconds)})" if seconds >= _SHOWN_AFTER else self.what

    def render(self, width: int) -> ConsoleRenderable:
        """The moving line in so many columns."""
        from rich.text import Text

        now = time.monotonic()
        spinner = _SPINNER[int(now * 8) % len(_SPINNER)]
        return Text(f"{spinner} {printable(self.line(now - self._since))}", no_wrap=True, overflow="ellipsis")

    def tell_if_due(self, now: float) -> None:
        """Print what is done, where nothing has been printed for too long."""
        with self._lock:
            if now - self._spoken >= self._silence:
                self._print(self.line(now - self._since))

    def _print(self, line: str) -> None:
        from rich.text import Text

        self._spoken, self._silence = time.monotonic(), EVERY
        line = printable(line)
        with suppress(OSError, ValueError):
            if self._live is not None:
                self._live.console.print(Text(line))
            elif self._stream is not None:
                say(line, file=self._stream)

    def _beat(self) -> None:
        while not self._ended.wait(FIRST / 4):
            self.tell_if_due(time.monotonic())

    def _started(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=self._stream, force_terminal=True)
        live = Live(
            console=console,
            get_renderable=lambda: self.render(console.width),
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
        )
        live.start(refresh=True)
        return live


def told_before(items: Iterable[T], told: Iterable[str]) -> Iterator[T]:
    """Say of each item, while it is made, what is done; while it is used, nothing is said."""
    items, told = iter(items), iter(told)
    while True:
        with Status(next(told, "ending")):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


def is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal on which a line can move."""
    with suppress(OSError, ValueError, AttributeError):
        return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"
    return False


def in_brief(seconds: float) -> str:
    """A time that goes on.

    Examples
    --------
    >>> in_brief(7.9), in_brief(75), in_brief(3700)
    ('7 s', '1:15 min', '1:01 h')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole // 60 % 60:02d} h"
