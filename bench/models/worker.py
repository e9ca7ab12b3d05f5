"""A fresh Python process that runs functions one at a time and can be stopped."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

P = ParamSpec("P")
R = TypeVar("R")


class Worker:
    """A Python process of its own, with this process's import path and nothing else of it.

    What it prints is dropped. A function that hangs or takes the process down with it does
    no harm here: the process is killed, and a new one is started for the next call.

    Parameters
    ----------
    limit : float
        Seconds that one call may take, the process's start included.

    Examples
    --------
    >>> import math
    >>> with Worker(limit=60) as worker:
    ...     worker.call(math.factorial, 5)
    120
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function in the process.

        Parameters
        ----------
        function : callable
            An importable function; it, its arguments and what it returns must pickle.
        *args, **kwargs
            Its arguments.

        Returns
        -------
        object
            What the function returns.

        Raises
        ------
        TimeoutError
            If it took longer than the limit.
        ChildProcessError
            If the process ended before the function did.
        Exception
            What the function raised.
        """
        request = pickle.dumps((function, args, kwargs))
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(self.limit, stop)
        timer.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            succeeded, outcome = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
            self._stop()
            if overdue.is_set():
                raise TimeoutError(f"it took longer than {self.limit:g} s and was stopped") from None
            raise ChildProcessError(f"its process ended with status {process.returncode}") from None
        except BaseException:
            self._stop()
            raise
        finally:
            timer.cancel()
        if not succeeded:
            raise outcome
        return outcome

    def _start(self) -> subprocess.Popen[bytes]:
        serve = f"import sys; sys.path[:] = {sys.path!r}; from bench.models.worker import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", serve],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def serve() -> None:
    """Answer calls on standard input until it ends: the other end of `Worker`."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    while True:
        try:
            function, args, kwargs = pickle.load(requests)
        except EOFError:
            return
        except Exception as error:
            reply = _packed(False, error)
        else:
            try:
                reply = _packed(True, function(*args, **kwargs))
            except Exception as error:
                reply = _packed(False, error)
        replies.write(reply)
        replies.flush()


def _packed(succeeded: bool, outcome: object) -> bytes:
    try:
        return pickle.dumps((succeeded, outcome))
    except Exception as error:
        return pickle.dumps((False, RuntimeError(f"{outcome!r} does not pickle: {error}")))
