"""What a worker process does: it settles in, and runs the units that it is sent."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import util
from typing import Any, NoReturn

from bench.engines.engine import Failed, UnreadableError, Value, error_in_words
from bench.support.process import own_this_process

_held: list[Any] = []
"""The state of this process's engine, once it is made: its one element."""


@dataclass(frozen=True)
class Reply:
    """What a worker sends back.

    Parameters
    ----------
    packed : bytes
        A pickled `Value` or `Failed`.
    told, traceback : str
        What was raised in words, and where, for the case that the other end cannot unpickle it.
    ready : bool
        Whether the worker has the engine's state.
    """

    packed: bytes
    told: str
    traceback: str
    ready: bool


def settle(environment: Mapping[str, str], apart: bool) -> None:
    """Make a new process ready for units, whatever they print and however its parent ends.

    Parameters
    ----------
    environment : mapping of str to str
        The environment variables; a process that is forked from a server has those of the server's start.
    apart : bool
        Whether to drop all that is printed, and to leave the session of the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    own_this_process()
    if apart:
        if hasattr(os, "setsid"):
            os.setsid()
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    sys.stdout, sys.stderr = _Unfailing(sys.stdout), _Unfailing(sys.stderr)
    _be_killed_with_the_parent()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def perform(packed: bytes, state: bytes | None) -> Reply:
    """Run a unit.

    Parameters
    ----------
    packed : bytes
        The pickled function and its arguments.
    state : bytes or None
        The pickled function that creates the engine's state, with its arguments, if this process may not have it yet.
    """
    try:
        if state is not None and not _held:
            make, given = pickle.loads(state)
            _held.append(make(*given))
        function, args = pickle.loads(packed)
        value = function(*_held, *args)
    except Exception as error:
        return _failed(error)
    except BaseException as end:
        leave(_status_of(end))
    try:
        return Reply(pickle.dumps(Value(value)), "the returned value does not unpickle", "", ready=bool(_held))
    except Exception as error:
        return _failed(UnreadableError(f"{type(value).__name__} does not pickle: {error}"))


def _failed(error: Exception) -> Reply:
    where = traceback.format_exc()
    told = error_in_words(error)
    try:
        packed = pickle.dumps(Failed(error, where))
        pickle.loads(packed)
    except Exception:
        packed = pickle.dumps(Failed(UnreadableError(told), where))
    return Reply(packed, told, where, ready=bool(_held))


def leave(status: int = 0) -> NoReturn:
    """End the process as one that has no work left, but without waiting for threads that a unit has left running."""
    sys.stdout.flush()
    sys.stderr.flush()
    util._exit_function()  # type: ignore[attr-defined]
    os._exit(status)


def _status_of(end: BaseException) -> int:
    """The exit status of a process in which nothing catches this exception."""
    code = end.code if isinstance(end, SystemExit) else 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        return 1
    return code or 0


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _be_killed_with_the_parent() -> None:
    """Have the system end this process with its parent, also while a library in C lets no other thread run.

    A pipe reveals the parent's end, and the system sends a signal for input on it. `_end_with_the_parent` does
    the same where it cannot.
    """
    parent = multiprocessing.parent_process()
    if parent is None or not hasattr(fcntl, "F_SETSIG"):
        return
    pipe = parent.sentinel
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


class _Unfailing:
    """A stream that drops what cannot be written, so that a model which prints does not fail for it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
