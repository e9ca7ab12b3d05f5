"""The engine of this machine: worker processes in Pebble's pools."""

from __future__ import annotations

import math
import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from concurrent.futures import TimeoutError as LimitReached
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from pebble import ProcessExpired, ProcessPool

from bench.engines.engine import Died, Engine, Failed, Outcome, TimedOut, Unit, UnreadableError
from bench.engines.gpus import gpus, seen_by
from bench.engines.processes import ENDED, ONE_THREAD, Process, Start
from bench.engines.worker import Reply, leave, perform, settle

PATIENCE = 2.0
"""Seconds that workers without work have to end."""

LOOK = 1.0
"""Seconds after which to look for units that nobody will answer for, and for how long their worker has to be gone."""

STARTS = 3
"""How often the start of a worker is tried where the server of workers was killed."""


@dataclass(frozen=True)
class _Waiting:
    number: int
    packed: bytes
    limit: float | None


class LocalEngine(Engine):
    """Runs units in worker processes of this machine; see `bench.engines.engine.Engine`.

    A process that hangs is killed at its unit's limit, and one that died is replaced. Workers have one thread for
    linear algebra each, ignore Ctrl-C, and end with this process.

    Parameters
    ----------
    at_once : int
        Worker processes; they are started as units come.
    device : {"auto", "cpu", "cuda"}
        What torch computes on; ``cpu`` hides GPUs from the processes.
    state : Unit, optional
        What each process makes once and gives to each of its units as the first argument; it has no limit of its own.
    among : sequence of str, optional
        The GPUs of which each process sees one, in turn; those of this machine unless they are given.
    fresh : bool
        Whether each process is a separate Python that may start processes itself, and that drops printed output,
        rather than a fork of the server with libraries (`bench.engines.processes.start_server`).

    Examples
    --------
    >>> import math
    >>> with LocalEngine(fresh=True) as engine:
    ...     number = engine.submit(Unit(math.factorial, (5,)))
    ...     dict(engine.outcomes())[number]
    Value(value=120)
    """

    def __init__(
        self,
        at_once: int = 1,
        device: str = "auto",
        state: Unit | None = None,
        fresh: bool = False,
        among: Sequence[str] | None = None,
    ) -> None:
        self._at_once, self._device, self._fresh = at_once, device, fresh
        self._gpus = gpus() if among is None else tuple(among)
        self._state = None if state is None else pickle.dumps((state.function, state.args))
        self._submitted = 0
        self._waiting: deque[_Waiting] = deque()
        self._running: dict[int, tuple[_Waiting, str]] = {}
        self._workers: dict[str, _Worker] = {}
        self._free = [str(number) for number in reversed(range(at_once))]
        self._ended: SimpleQueue[tuple[int, Future[Reply]]] = SimpleQueue()

    @property
    def at_once(self) -> int:
        """How many units run at the same time."""
        return self._at_once

    def wanting(self) -> Sequence[str]:
        """The workers without work; see `bench.engines.engine.Engine.wanting`."""
        return tuple(reversed(self._free))

    def has_time(self, worker: str, expected: float | None) -> bool:
        """Workers end with the engine, so that each has time for any unit."""
        return True

    def submit(self, unit: Unit, worker: str | None = None) -> int:
        """Take a unit, and start it where a worker is free; see `bench.engines.engine.Engine.submit`."""
        self._submitted += 1
        waiting = _Waiting(self._submitted, pickle.dumps((unit.function, unit.args)), unit.limit)
        if worker is None:
            self._waiting.append(waiting)
            self._start_waiting()
        else:
            self._free.remove(worker)
            self._start(waiting, worker)
        return self._submitted

    def outcomes(self, within: float | None = None) -> Iterator[tuple[int, Outcome[Any]]]:
        """How units ended, as they end; see `bench.engines.engine.Engine.outcomes`."""
        deadline = None if within is None else time.monotonic() + within
        while self._running:
            try:
                number, future = self._next(deadline)
            except Empty:
                return
            if number not in self._running:  # It was cancelled.
                continue
            unit, name = self._running.pop(number)
            worker = self._workers[name]
            outcome = worker.outcome(future, unit.limit)
            if not worker.sound:
                self._workers.pop(name).stop(0)
            self._free.append(name)
            self._start_waiting()
            yield number, outcome

    def _next(self, deadline: float | None) -> tuple[int, Future[Reply]]:
        """The next unit that ended; raises Empty where none does by then."""
        while True:
            left = math.inf if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                return self._ended.get(timeout=min(LOOK, left))
            except Empty:
                for _, name in self._running.values():
                    self._workers[name].answer_if_gone()
                if left <= LOOK:
                    raise

    def cancel(self, number: int) -> None:
        """Drop a unit, or kill its process; see `bench.engines.engine.Engine.cancel`."""
        self._waiting = deque(unit for unit in self._waiting if unit.number != number)
        if number in self._running:
            _, name = self._running.pop(number)
            self._workers.pop(name).stop(0)
            self._free.append(name)
            self._start_waiting()

    def close(self) -> None:
        """Kill what runs, and end the workers."""
        deadline = time.monotonic() + PATIENCE
        busy = {name for _, name in self._running.values()}
        self._waiting.clear()
        self._running.clear()
        idle = [worker for name, worker in self._workers.items() if name not in busy]
        for worker in idle:
            worker.dismiss()
        for name in busy:
            self._workers[name].stop(0)
        for worker in idle:
            worker.stop(max(0.0, deadline - time.monotonic()))
        self._workers.clear()
        self._free += busy

    def _start_waiting(self) -> None:
        while self._waiting and self._free:
            self._start(self._waiting.popleft(), self._free.pop())

    def _start(self, unit: _Waiting, name: str) -> None:
        self._running[unit.number] = unit, name
        future = self._worker(name).start(unit, self._state)
        future.add_done_callback(partial(self._put, unit.number))

    def _put(self, number: int, future: Future[Reply]) -> None:
        self._ended.put((number, future))

    def _worker(self, name: str) -> _Worker:
        worker = self._workers.get(name)
        if worker is not None and not worker.alive:
            self._workers.pop(name).stop(0)
            worker = None
        if worker is None:
            worker = self._workers[name] = _Worker(self._environment(int(name)), self._fresh)
        return worker

    def _environment(self, worker: int) -> dict[str, str]:
        return {**os.environ, **ONE_THREAD, **seen_by(worker, self._device, self._gpus)}


class _Worker:
    """A pool of one process.

    In a pool of several, one that is killed while it holds the locks or writes into the pipe that they share stops
    them all, and locks are files that stay where the whole command is killed.
    """

    def __init__(self, environment: Mapping[str, str], fresh: bool) -> None:
        self._environment, self._fresh = environment, fresh
        self._renew()
        self._ready = False
        self._future: Future[Reply] = Future()
        self._gone: float | None = None
        self.sound = False
        """Whether it has run its latest unit and can run another."""

    @property
    def alive(self) -> bool:
        return self._pool.active

    def start(self, unit: _Waiting, state: bytes | None) -> Future[Reply]:
        self.sound = False
        self._future = self._schedule(unit, state)
        return self._future

    def _schedule(self, unit: _Waiting, state: bytes | None) -> Future[Reply]:
        reason: BaseException
        for _ in range(STARTS):
            try:
                given = None if self._ready else state
                return self._pool.schedule(perform, args=(unit.packed, given), timeout=unit.limit)
            except (OSError, RuntimeError) as error:  # Such as that the system starts no more processes.
                reason = error.__cause__ or error
            if not isinstance(reason, EOFError | ConnectionError):
                break
            # The server of workers was killed; another one starts with the next worker.
            self._renew()
        failed: Future[Reply] = Future()
        failed.set_exception(reason)
        return failed

    def answer_if_gone(self) -> None:
        """End a unit that came in the instant in which its process did: Pebble takes it, and never answers."""
        if self._future.done() or self.alive:
            return
        self._gone = self._gone or time.monotonic()
        if time.monotonic() - self._gone >= LOOK:
            with suppress(InvalidStateError):
                self._future.set_exception(BrokenProcessPool())

    def _renew(self) -> None:
        self._start = Start(self._fresh)
        self._leaving: Process | None = None
        given = (self._environment, self._fresh)
        self._pool = ProcessPool(1, initializer=settle, initargs=given, context=self._start)

    def outcome(self, future: Future[Reply], limit: float | None) -> Outcome[Any]:
        match future.exception():
            case None:
                return self._read(future.result())
            case LimitReached() if limit is not None:
                return TimedOut(limit)
            case ProcessExpired(exitcode=status):
                return Died(0 if status == ENDED else status)
            case BrokenProcessPool():  # The process ended before Pebble had heard that it had begun.
                return Died(self._status())
            case error:
                return Failed(error if isinstance(error, Exception) else RuntimeError(repr(error)), "")

    def _read(self, reply: Reply) -> Outcome[Any]:
        self._ready, self.sound = reply.ready, True
        try:
            outcome: Outcome[Any] = pickle.loads(reply.packed)
        except Exception as error:
            told = reply.told if reply.traceback else f"{reply.told}: {type(error).__name__}: {error}"
            return Failed(UnreadableError(told), reply.traceback)
        return outcome

    def _status(self) -> int:
        process = self._start.process
        if process is None:
            return 1
        process.join(PATIENCE)
        status = process.exitcode or 1
        return 0 if status == ENDED else status

    def dismiss(self) -> None:
        """Let the process end by itself, if it has no work."""
        self._leaving = self._start.process
        with suppress(RuntimeError):  # It has ended.
            self._pool.schedule(leave)

    def stop(self, patience: float) -> None:
        """Stop the process, after some seconds at most in which it may end of itself."""
        if (leaving := self._leaving or self._start.process) is not None:
            leaving.join(patience)
        self._pool.stop()  # Before that, it would replace an ended process; it may have already.
        for process in {leaving, self._start.process}:
            if process is not None:
                process.terminate()
                process.join(PATIENCE)
        # Its threads look ten times a second whether they are to end, which nobody needs to wait for.
        threading.Thread(target=self._pool.join, daemon=True).start()
