"""What runs in a worker of Dask: it keeps a local engine a slot, and runs units in their processes.

Nothing here raises: what goes wrong with a unit is its outcome, in plain data.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engines.dask_state import SharedFile, make_state, place_for, write_piece
from bench.engines.engine import Died, Failed, Outcome, TimedOut, Unit, UnreadableError, Value, outcome_of
from bench.engines.gpus import gpus
from bench.engines.local import LocalEngine
from bench.engines.plain import PlainError, decode, encode, encode_error, error_of
from bench.engines.processes import start_server

LOOK = 0.2
"""Seconds after which it is looked again whether a unit is still wanted."""

JOB_END = "SLURM_JOB_END_TIME"
"""The variable in which newer releases of Slurm tell a job when it ends, in seconds since 1970."""

STRANGER = b""
"""The reply of a worker that does not know the session, or that was told to stop."""


@dataclass(frozen=True)
class Session:
    """What a client asks of each worker.

    Parameters
    ----------
    name : str
        Its own name.
    device : {"auto", "cpu", "cuda"}
        What torch computes on.
    libraries : tuple of str
        The modules that processes have loaded.
    files : tuple of SharedFile
        The state's files; none for an engine without a state.
    facts : Unit or None
        What tells how this machine differs from others: it returns a mapping of texts.
    """

    name: str
    device: str
    libraries: tuple[str, ...]
    files: tuple[SharedFile, ...]
    facts: Unit | None


@dataclass(frozen=True)
class Opened:
    """A worker's answer to a session.

    Parameters
    ----------
    token : str
        Known to this process alone.
    slots : int
        Units that it runs at the same time.
    facts : mapping of str to str
        What tells how its machine differs from others.
    missing : tuple of int
        The places of the files that it has to be sent.
    left : float or None
        Seconds after which it ends by itself, as in a job of a batch system.
    """

    token: str
    slots: int
    facts: dict[str, str]
    missing: tuple[int, ...]
    left: float | None = None


class _Held:
    """A session in this process."""

    def __init__(self, session: Session, wanted: Callable[[], bool]) -> None:
        self.session = session
        self.token = uuid.uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="bench-session-", dir=_local_directory()))
        self.paths = [Path(file.path) for file in session.files]
        self.ended = threading.Event()
        self._wanted = wanted
        self._gpus_allowed = _gpus_allowed()
        self._slots: dict[int, tuple[threading.Lock, LocalEngine]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()

    def missing(self) -> list[int]:
        """The places of the files that are not here."""
        found = [file.is_at(Path(file.path)) for file in self.session.files]
        for place, file in enumerate(self.session.files):
            if not found[place]:
                self.paths[place] = place_for(file, self.folder)
        return [place for place, here in enumerate(found) if not here]

    @contextmanager
    def slot(self, number: int, busy: Callable[[], object]) -> Iterator[LocalEngine]:
        """The engine of a slot, which runs one unit at a time."""
        with self._lock:
            if number not in self._slots:
                self._slots[number] = threading.Lock(), self._engine(number)
            lock, engine = self._slots[number]
        if not lock.acquire(blocking=False):
            busy()
            lock.acquire()
        try:
            yield engine
        finally:
            lock.release()

    def _engine(self, slot: int) -> LocalEngine:
        """The engine of a slot, whose process sees one of the worker's GPUs."""
        device = "cpu" if self._gpus_allowed == 0 else self.session.device
        among = gpus()[: self._gpus_allowed]
        return LocalEngine(1, device, self._state(), among=among and [among[slot % len(among)]])

    def _state(self) -> Unit | None:
        return Unit(make_state, ([str(path) for path in self.paths],)) if self.paths else None

    def _watch(self) -> None:
        """End the session where the client has gone."""
        while self._wanted():
            time.sleep(LOOK)
        self.ended.set()
        _sessions.pop(self.session.name, None)
        with self._lock:
            for lock, engine in self._slots.values():
                with lock:
                    engine.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_sessions: dict[str, _Held] = {}


def open_session(packed: bytes) -> bytes:
    """Begin a session in this worker, which lasts as long as the client wants what this returns.

    Parameters
    ----------
    packed : bytes
        A pickled `Session`.

    Returns
    -------
    bytes
        The fields of an `Opened`, or a text that says what is wrong, as plain data.
    """
    try:
        session: Session = pickle.loads(packed)
        start_server(session.libraries)
        held = _Held(session, _is_wanted())
        _sessions[session.name] = held
        missing = held.missing()
        facts = {} if session.facts is None else _facts(session)
    except Exception as error:
        return encode(f"{type(error).__name__}: {error}")
    return encode(
        {"token": held.token, "slots": _threads(), "facts": facts, "missing": missing, "left": _seconds_left()}
    )


def _facts(session: Session) -> dict[str, str]:
    with LocalEngine(1, session.device) as engine:
        assert session.facts is not None
        outcome = outcome_of(engine, session.facts)
    match outcome:
        case Value(facts):
            return dict(facts)
        case _:
            raise RuntimeError(f"its libraries cannot be looked at: {outcome.told}")


async def take_piece(name: str, place: int, start: int, data: bytes) -> None:
    """Take a piece of a file of the state."""
    held = _sessions[name]
    await asyncio.to_thread(write_piece, held.paths[place], start, data)


async def has_whole(name: str, place: int) -> bool:
    """Whether a file that was sent in pieces is here whole."""
    held = _sessions[name]
    return await asyncio.to_thread(held.session.files[place].is_at, held.paths[place])


def run_units(name: str, token: str, slot: int, units: Sequence[tuple[bytes, float | None]]) -> bytes:
    """Run units one after another in a slot's process.

    Parameters
    ----------
    name, token : str
        The session, and this process's own word of it: a worker that takes the place of one that was lost runs none
        of its units.
    slot : int
        The number of the slot.
    units : sequence of (bytes, float or None)
        Pickled functions with their arguments, and their limits in seconds.

    Returns
    -------
    bytes
        The outcome of each with its seconds, as plain data; `STRANGER` where they are not wanted any more.
    """
    held = _sessions.get(name)
    if held is None or held.token != token:
        return STRANGER
    is_wanted = _is_wanted()

    def wanted() -> bool:
        return not held.ended.is_set() and is_wanted()

    with held.slot(slot, _give_thread_back) as engine:
        ended = _run_together(engine, units, wanted)
    return STRANGER if ended is None else encode(ended)


def _run_together(
    engine: LocalEngine, units: Sequence[tuple[bytes, float | None]], wanted: Callable[[], bool]
) -> list[list[Any]] | None:
    """Run units in one go; if their process ends or is stopped, each by itself, so that it is known for which one.

    Returns
    -------
    list of [bytes, float] or None
        The outcome of each with its seconds; None if they are not wanted any more.
    """
    if not wanted():
        return None
    shortest = min((limit for _, limit in units if limit is not None), default=None)
    started = time.monotonic()
    number = engine.submit(Unit(run_packed, ([packed for packed, _ in units],), shortest))
    while not (outcomes := list(engine.outcomes(LOOK))):
        if not wanted():
            engine.cancel(number)
            return None
    match outcomes[0][1]:
        case Value(ended):
            return list(ended)
        case outcome if len(units) == 1:
            return [[_plain(outcome), time.monotonic() - started]]
    ended = []
    for unit in units:
        if (its := _run_together(engine, [unit], wanted)) is None:
            return None
        ended += its
    return ended


def run_packed(*given: Any) -> list[list[Any]]:
    """Run units one after another in a process of this machine.

    Parameters
    ----------
    *given : object
        The engine's state where it has one, and a list of pickled functions with their arguments.

    Returns
    -------
    list of [bytes, float]
        The outcome of each as plain data, and its seconds.
    """
    *held, units = given
    ended = []
    for packed in units:
        started = time.monotonic()
        ended.append([_outcome(held, packed), time.monotonic() - started])
    return ended


def _outcome(held: Sequence[Any], packed: bytes) -> bytes:
    import traceback

    try:
        function, args = pickle.loads(packed)
        value = function(*held, *args)
        return encode(["value", value])
    except PlainError as error:
        return encode(["failed", encode_error(UnreadableError(str(error))), ""])
    except Exception as error:
        return encode(["failed", encode_error(error), traceback.format_exc()])


def _plain(outcome: Outcome[Any]) -> bytes:
    match outcome:
        case Died(status):
            return encode(["died", status])
        case TimedOut(limit):
            return encode(["timed out", limit])
        case Failed(error, traceback):
            return encode(["failed", encode_error(error), traceback])
    raise TypeError(outcome)


def outcome_in(packed: bytes) -> Outcome[Any]:
    """The outcome that a worker has sent."""
    try:
        match decode(packed):
            case ["value", value]:
                return Value(value)
            case ["died", int(status)]:
                return Died(status)
            case ["timed out", float(limit)]:
                return TimedOut(limit)
            case ["failed", [_, _, _, str(told)] as given, str(traceback)]:
                return Failed(error_of(given) or UnreadableError(told), traceback)
            case _:
                raise PlainError("it is no outcome")
    except PlainError as error:
        return Failed(UnreadableError(f"what the worker sent cannot be read: {error}"), "")


def _is_wanted() -> Callable[[], bool]:
    """Tells whether the task that calls this is still wanted by its client, or what it returned is."""
    from distributed import get_worker
    from distributed.core import Status

    worker = get_worker()
    key = worker.get_current_task()
    ends = (Status.closing, Status.closed, Status.failed, Status.stopped, Status.stopping)

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state not in ("cancelled", "released") and worker.status not in ends

    return wanted


def _threads() -> int:
    from distributed import get_worker

    return int(get_worker().state.nthreads)


def _seconds_left() -> float | None:
    """The seconds after which this worker, or its job, ends."""
    import psutil
    from distributed import get_worker

    ends = []
    if (lifetime := get_worker().lifetime) is not None:
        ends.append(psutil.Process().create_time() + lifetime)
    if JOB_END in os.environ:
        ends.append(float(os.environ[JOB_END]))
    return max(0.0, min(ends) - time.time()) if ends else None


def _local_directory() -> str:
    """The folder of this worker, which goes with it; that of a killed one goes as the next one starts beside it."""
    from distributed import get_worker

    return str(get_worker().local_directory)


def _gpus_allowed() -> int | None:
    """How many GPUs this worker may use by its resource ``GPU``; None where it has no such resource."""
    from distributed import get_worker

    allowed = get_worker().state.total_resources.get("GPU")
    return None if allowed is None else int(allowed)


def _give_thread_back() -> None:
    """Let the worker run another task in the place of this one, which waits."""
    from distributed import secede

    secede()
