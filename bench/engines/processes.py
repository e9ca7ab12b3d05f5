"""Start worker processes: forked from a server with loaded libraries, or each as a separate Python."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""The environment variables that limit linear algebra libraries to one thread when they load.

So sums are taken in the same order on any machine, and workers do not fight for cores.
"""

ENDED = 256
"""Replaces the exit status 0 for Pebble, which treats a process that ends with 0 as one without work."""

LOST = 255
"""The exit status that `multiprocessing` reports if a process's server was killed, even while it still runs."""

_libraries: list[str] = []
"""What the server of workers has loaded."""

_starting = threading.Lock()


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def start_server(libraries: Sequence[str]) -> None:
    """Start importing modules for workers in a server process, from which they are forked.

    Parameters
    ----------
    libraries : sequence of str
        The modules; none where those that were named before are meant. Nothing happens where the server runs already.
    """
    if not _forks():
        return
    from multiprocessing import forkserver

    from bench.engines.sockets import use_own_folder

    use_own_folder()
    _libraries[:] = libraries or _libraries
    preloaded = ["bench.engines.server", *_libraries, "bench.engines.local"]
    multiprocessing.get_context("forkserver").set_forkserver_preload(preloaded)
    with _undisturbed(), _apart():
        forkserver.ensure_running()


def share_server() -> None:
    """Have the server that this process was forked from fork its processes too, as long as it lives.

    Python means to do so, but starts another server, which loads all libraries again.
    """
    if not _forks():
        return
    from multiprocessing import forkserver

    server: Any = forkserver._forkserver
    start, parent = server.ensure_running, os.getppid()

    def ensure_running() -> None:
        if os.getppid() != parent:
            start()

    if getattr(server, "_forkserver_authkey", b"") is not None:  # Without the key that later Pythons ask for.
        server.ensure_running = forkserver.ensure_running = ensure_running


class Start:
    """What Pebble takes for a context of `multiprocessing`, for a pool of one worker.

    Parameters
    ----------
    fresh : bool
        Whether the process is a separate Python, which may start processes itself, instead of a fork of the server.
    daemon : bool, optional
        Whether it may start none; unless given, a fork may not.

    Attributes
    ----------
    process : Process or None
        The latest that was made.
    """

    def __init__(self, fresh: bool, daemon: bool | None = None) -> None:
        self._daemon = not fresh if daemon is None else daemon
        self._context: Any = multiprocessing.get_context("forkserver" if _forks() and not fresh else "spawn")
        self.process: Process | None = None
        if self.get_start_method() == "forkserver":
            start_server(())

    def Pipe(self, duplex: bool = True) -> Any:  # noqa: N802
        """Two ends of a pipe."""
        return self._context.Pipe(duplex)

    def RLock(self) -> Any:  # noqa: N802
        """Nothing that locks: the one worker shares its pipe with no other."""
        return _Unlocked()

    def get_start_method(self) -> str:
        """How `multiprocessing` calls the way in which processes start."""
        return str(self._context.get_start_method())

    def Process(self, **settings: Any) -> Process:  # noqa: N802
        """A process that is not started yet."""
        self.process = Process(self._context.Process(**settings, daemon=self._daemon))
        return self.process


class Process:
    """A worker's process, as Pebble sees it.

    Parameters
    ----------
    process : multiprocessing.process.BaseProcess
        The process itself.
    """

    def __init__(self, process: Any) -> None:
        self._process = process
        self._handle: int | None = None
        self.daemon = process.daemon
        """Is set by Pebble, to no effect."""

    @property
    def pid(self) -> int | None:
        """The number of the process."""
        pid: int | None = self._process.pid
        return pid

    @property
    def exitcode(self) -> int | None:
        """The exit status, `ENDED` for 0; None while the process runs."""
        code: int | None = self._process.exitcode
        if code == LOST and self._runs_on():
            return None
        return ENDED if code == 0 else code

    def start(self) -> None:
        """Start the process."""
        with _undisturbed(), _apart():
            self._process.start()

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.pid is not None and self.exitcode is None

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        if self.pid is None:
            return
        self._process.join(timeout)
        if self._handle is not None:
            select.select([self._handle], [], [], timeout)

    def terminate(self) -> None:
        """Stop it at once, also in the middle of what Python cannot interrupt."""
        if self.pid is None:
            return
        self._process.kill()
        if self._process.exitcode == LOST and self._runs_on():
            signal.pidfd_send_signal(cast("int", self._handle), signal.SIGKILL)

    def _runs_on(self) -> bool:
        """Whether it runs although the server that would report its end is gone; known on Linux only."""
        if self._handle is None and hasattr(os, "pidfd_open"):
            try:
                self._handle = os.pidfd_open(cast("int", self.pid))
            except OSError:
                return False
            weakref.finalize(self, os.close, self._handle)
        return self._handle is not None and not select.select([self._handle], [], [], 0)[0]


class _Unlocked:
    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        return True

    def release(self) -> None:
        pass


def _forks() -> bool:
    return "forkserver" in multiprocessing.get_all_start_methods()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep Ctrl-C, modules in the current folder and further threads from a process that is started.

    It inherits what is held back here, and this process gets the signal at the end. Python's own ways of starting
    processes take no environment, so it is this one's for that moment.
    """
    held = {"PYTHONSAFEPATH": "1", **ONE_THREAD}
    with _starting:
        before = {name: os.environ.get(name) for name in held}
        os.environ.update(held)
        try:
            with _interrupts_held_back():
                yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def _apart() -> Iterator[None]:
    """Keep Python from having a process that is started run this one's script, as it does for what that defines.

    Such a process prints no traceback if this one ends before sending it work.
    """
    from multiprocessing import spawn

    script, command_line = sys.modules["__main__"], spawn.get_command_line

    def quiet(**given: Any) -> list[str]:
        *start, program, last = command_line(**given)
        return [*start, f"import sys; sys.excepthook = lambda *raised: None; {program}", last]

    sys.modules["__main__"] = ModuleType("__main__")
    spawn.get_command_line = quiet
    try:
        yield
    finally:
        sys.modules["__main__"], spawn.get_command_line = script, command_line


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Starting a process starts the tracker where there is none yet, which would let signals through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
