"""Running cells in worker processes: one that hangs or dies takes only its own cell with it."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeVar

from bench.engines.worker import PRELOADED, answer, work
from bench.errors import BenchError
from bench.results.cell import CellResult, Fold

if TYPE_CHECKING:
    from bench.evaluation.evaluation import Evaluation


T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that processes have to end once their work is done."""

Doing = Callable[[str], None]
"""Is told what is being done, in a few words."""


def unobserved(what: str) -> None:
    """Tell nobody what is being done."""


class DiedError(BenchError):
    """A process ended before it gave an answer."""


class HungError(BenchError):
    """A process took too long to answer, and was killed."""


@dataclass(frozen=True)
class Cell:
    """A cell to be run.

    Parameters
    ----------
    evaluation : int
        The number of its `Evaluation`.
    fold : int or "final"
        Its outer fold.
    """

    evaluation: int
    fold: Fold


@dataclass(eq=False)
class _Worker:
    process: Any
    connection: Connection
    cell: Cell
    started: float


def warm_up() -> None:
    """Start importing scikit-learn for the workers, in a process beside this one.

    Worker processes are forked from one that has the libraries loaded. BLAS and OpenMP
    are held to one thread each, so that sums are taken in the same order on any machine and
    workers do not fight for cores.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    context = _context()
    if context.get_start_method() == "forkserver":
        from multiprocessing import forkserver

        from bench.engines.sockets import use_own_folder

        use_own_folder()
        context.set_forkserver_preload(list(PRELOADED))
        with _undisturbed():
            forkserver.ensure_running()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep Ctrl-C, and modules in the current folder, from the server of the workers while it imports libraries.

    It inherits what is held back here. This process gets the signal at the end.
    """
    from multiprocessing import resource_tracker

    safe = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    # The server starts the tracker where there is none yet, which would let signals through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if safe is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = safe
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def execute(
    evaluations: Sequence[Evaluation],
    cells: Sequence[Cell],
    workers: int,
    cell_timeout: float | None,
    device: str = "auto",
) -> Generator[tuple[Cell, CellResult]]:
    """Run cells in worker processes.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        What the cells refer to.
    cells : sequence of Cell
        The cells; their order does not change any result.
    workers : int
        Processes.
    cell_timeout : float or None
        Seconds after which a cell's process is killed.
    device : {"auto", "cpu", "cuda"}
        What torch computes on; ``cpu`` hides GPUs from the processes.

    Yields
    ------
    tuple of Cell and CellResult
        As they finish. A cell whose process hung or died is a failed one.
    """
    waiting = list(cells)
    wanted = min(workers, len(waiting))
    _give_back()
    running: dict[Connection, _Worker] = {}
    idle: list[tuple[Any, Connection]] = []
    try:
        while waiting or running:
            while waiting and len(running) < wanted:
                process, connection = idle.pop() if idle else _start(evaluations, device)
                cell = waiting.pop(0)
                running[connection] = _Worker(process, connection, cell, time.monotonic())
                with suppress(BrokenPipeError):
                    connection.send((cell.evaluation, cell.fold))
            for worker in _next_ready(running, cell_timeout):
                del running[worker.connection]
                result, alive = _collect(worker, cell_timeout)
                if alive:
                    idle.append((worker.process, worker.connection))
                yield worker.cell, result
    finally:
        for worker in running.values():
            worker.process.kill()
        everyone = [*idle, *((w.process, w.connection) for w in running.values())]
        for _, connection in everyone:
            connection.close()
        _end([process for process, _ in everyone])


def call(
    function: Callable[..., T],
    *args: Any,
    device: str = "auto",
    doing: Doing | None = None,
    limit: float | None = None,
) -> T:
    """Call a function in a process like the workers', which has the libraries loaded already.

    Parameters
    ----------
    function : callable
        A function of a module's top level.
    *args : object
        Its arguments, which can be pickled.
    device : {"auto", "cpu", "cuda"}
        What torch computes on; ``cpu`` hides GPUs from the process.
    doing : callable, optional
        Is told what the function says that it does: its last argument is then a callable that takes a few words.
    limit : float, optional
        Seconds that the function may be silent.

    Raises
    ------
    HungError
        If it was silent for longer.
    DiedError
        If the process died.
    Exception
        What the function raised.
    """
    warm_up()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = _context().Process(
        target=answer, args=(theirs, function, args, _environment(device), doing is not None), daemon=True
    )
    process.start()
    theirs.close()
    try:
        returned, value = _received(ours, limit)
        while returned is None and doing is not None:
            doing(value)
            returned, value = _received(ours, limit)
    except EOFError:
        process.join()
        raise DiedError(f"with exit status {process.exitcode}") from None
    except (KeyboardInterrupt, HungError):
        process.kill()
        process.join()
        raise
    _end([process])
    if not returned:
        raise value
    return value


def _received(connection: Connection, limit: float | None) -> tuple[bool | None, Any]:
    if not connection.poll(limit):
        raise HungError(f"it took longer than {limit:g} s and was stopped")
    answer: tuple[bool | None, Any] = connection.recv()
    return answer


def _end(processes: Sequence[Any]) -> None:
    """Wait for processes that have nothing left to do, but not for threads that a model has left running in them."""
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _give_back() -> None:
    """Give the system the memory that Arrow keeps for later, so that the workers can take it."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()


def _context() -> Any:
    known = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")


def _environment(device: str) -> dict[str, str]:
    """The environment of the process, without GPUs where the CPU is asked for."""
    return {**os.environ, **({"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {})}


def _start(evaluations: Sequence[Evaluation], device: str) -> tuple[Any, Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = _context().Process(target=work, args=(evaluations, theirs, _environment(device)), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _next_ready(running: dict[Connection, _Worker], cell_timeout: float | None) -> list[_Worker]:
    """Wait until a worker has answered, died or run out of time."""
    patience = None
    if cell_timeout is not None:
        patience = max(0.0, min(w.started for w in running.values()) + cell_timeout - time.monotonic())
    ready = multiprocessing.connection.wait(list(running), patience)
    if ready:
        return [running[connection] for connection in ready]  # type: ignore[index]
    now = time.monotonic()
    return [w for w in running.values() if cell_timeout is not None and now - w.started >= cell_timeout]


def _collect(worker: _Worker, cell_timeout: float | None) -> tuple[CellResult, bool]:
    if worker.connection.poll():
        try:
            return worker.connection.recv(), True
        except (EOFError, ConnectionResetError):
            worker.process.join()
            code = worker.process.exitcode
            cause = f"was killed by signal {-code} (out of memory?)" if code < 0 else f"ended with exit status {code}"
            reason = f"The process of this fold {cause} before it gave a result."
    else:
        reason = f"The fold was stopped after {cell_timeout:g} s: raise execution.cell_timeout or search less."
        worker.process.kill()
        worker.process.join()
    worker.connection.close()
    return CellResult(fold=worker.cell.fold, status="failed", error=reason), False
