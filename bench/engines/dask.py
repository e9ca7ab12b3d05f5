"""The engine of a Dask cluster: each unit runs in a child process of a worker, as the local engine's do."""

from __future__ import annotations

import pickle
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from bench.engines.dask_cluster import ClusterPlace
from bench.engines.dask_link import Answered, Batch, Broken, Event, Gone, Joined, Left, Link
from bench.engines.dask_state import write_state
from bench.engines.dask_worker import Session, outcome_in
from bench.engines.engine import Engine, Failed, Lost, Outcome, Unit, UnreadableError, outcome_of, value_of
from bench.engines.plain import PlainError, decode
from bench.engines.state_folder import StateFolder

AHEAD = 0.15
"""Seconds of work that a slot has waiting, so that it is not idle while it is heard of."""

RECENT = 8
"""The latest units of a slot that tell how long its units take."""

NEW = 0.9
"""The part of a worker's time that a new one has left at least."""

MOST = 64
"""Units that a slot has waiting at most."""


@dataclass(frozen=True)
class _Waiting:
    number: int
    packed: bytes
    limit: float | None
    expected: float | None = None
    alone: bool = False
    """Whether it runs in a batch of its own, since it may have been what its worker was lost for."""


@dataclass
class _Slot:
    address: str
    number: int
    kept: deque[_Waiting] = field(default_factory=deque)
    sent: deque[tuple[Batch, tuple[_Waiting, ...]]] = field(default_factory=deque)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    span: float | None = None
    """Seconds, from its start, after which its worker ends by itself."""
    started: float = field(default_factory=time.monotonic)

    def has_time(self, expected: float | None) -> bool:
        """Whether a unit of so many seconds ends before its worker; one that no worker has time for needs a new one."""
        if self.span is None or expected is None:
            return True
        return self.started + self.span - time.monotonic() >= min(expected, NEW * self.span)

    @property
    def wants(self) -> int:
        """How many units it can take."""
        has = len(self.kept) + sum(len(units) for _, units in self.sent)
        longest = max(self.recent) if len(self.recent) == RECENT else AHEAD
        ahead = 0 if longest >= AHEAD else min(MOST, int(AHEAD / max(longest, 1e-3)))
        return max(0, 1 + ahead - has)


class DaskEngine(Engine):
    """Runs units on the workers of a Dask cluster; see `bench.engines.engine.Engine`.

    Workers may join and leave at any time. The unit that a worker ran when it was lost ends as `Lost`.

    Parameters
    ----------
    place : ClusterPlace
        Where the cluster is.
    device : {"auto", "cpu", "cuda"}
        What torch computes on; ``cpu`` hides GPUs from the processes.
    state : Unit, optional
        What each process makes once and gives to each of its units as the first argument.
    facts : Unit, optional
        What tells how a machine differs from another, as a mapping of texts: a worker for which it returns another
        one than here is given no unit.
    scratch : pathlib.Path, optional
        Where the state is written; workers that see the same folder read it there.
    note : callable, optional
        Is called with sentences for the user, possibly in another thread.

    Raises
    ------
    bench.errors.UserError
        If the scheduler cannot be reached, or is not to be reached so, or a worker differs from this machine.
    """

    def __init__(
        self,
        place: ClusterPlace,
        device: str = "auto",
        state: Unit | None = None,
        facts: Unit | None = None,
        scratch: Path | None = None,
        note: Callable[[str], object] = lambda told: None,
    ) -> None:
        self._folder = StateFolder(scratch)
        try:
            files = () if state is None else tuple(write_state(state, self._folder.path / "state"))
            session = Session(uuid.uuid4().hex, device, place.libraries, files, facts)
            here: Mapping[str, str] = {} if facts is None else _facts(facts, device)
            self._events: SimpleQueue[Event] = SimpleQueue()
            place = replace(place, working=self._folder.path / "workers")
            self._link = Link(place, session, here, self._events.put, note)
        except BaseException:
            self._folder.remove()
            raise
        self._submitted = self._batches = 0
        self._waiting: deque[_Waiting] = deque()
        self._slots: dict[str, _Slot] = {}
        self._running: dict[int, _Slot | None] = {}
        self._batch_slots: dict[int, _Slot] = {}
        self._ended: deque[tuple[int, Outcome[Any]]] = deque()
        try:
            self._link.start()
        except BaseException:
            self.close()
            raise
        if self._link.dashboard is not None:
            note(f"Dask's dashboard: {self._link.dashboard}")

    @property
    def at_once(self) -> int:
        """How many units run at the same time, with the workers that there are now."""
        self._hear()
        return len(self._slots)

    def wanting(self) -> Sequence[str]:
        """The slots of workers that have no work or will soon have none; see `bench.engines.engine.Engine.wanting`."""
        self._hear()
        wants = {name: slot.wants for name, slot in self._slots.items()}
        # Those without work come first, and each once before any comes twice.
        order = sorted(wants, key=lambda name: -wants[name])
        return [name for turn in range(max(wants.values(), default=0)) for name in order if wants[name] > turn]

    def has_time(self, worker: str, expected: float | None) -> bool:
        """Whether a slot's worker does not end before a unit would; see `bench.engines.engine.Engine.has_time`."""
        return worker in self._slots and self._slots[worker].has_time(expected)

    def submit(self, unit: Unit, worker: str | None = None) -> int:
        """Take a unit, and send it where a worker is free; see `bench.engines.engine.Engine.submit`."""
        packed = pickle.dumps((unit.function, unit.args))
        self._submitted += 1
        waiting = _Waiting(self._submitted, packed, unit.limit, unit.expected)
        self._running[waiting.number] = None
        slot = None if worker is None else self._slots.get(worker)
        if slot is None:
            self._waiting.append(waiting)
        else:
            self._keep(slot, waiting)
        self._send(at_rest=True)
        return waiting.number

    def outcomes(self, within: float | None = None) -> Iterator[tuple[int, Outcome[Any]]]:
        """How units ended, as they end; see `bench.engines.engine.Engine.outcomes`."""
        deadline = None if within is None else time.monotonic() + within
        while True:
            self._hear()
            while self._ended:
                self._send()
                yield self._ended.popleft()
                self._hear()
            if not self._running:
                return
            self._send()
            patience = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                self._take(self._events.get(timeout=patience))
            except Empty:
                return

    def cancel(self, number: int) -> None:
        """Drop a unit, or have its process killed; see `bench.engines.engine.Engine.cancel`."""
        self._ended = deque(ended for ended in self._ended if ended[0] != number)
        if number not in self._running:
            return
        slot = self._running.pop(number)
        self._waiting = _without(self._waiting, number)
        if slot is None:
            return
        slot.kept = _without(slot.kept, number)
        for batch, units in list(slot.sent):
            if any(unit.number == number for unit in units):
                slot.sent.remove((batch, units))
                del self._batch_slots[batch.number]
                self._link.drop(batch.number)
                self._put_back(_without(deque(units), number))

    def close(self) -> None:
        """Stop all that runs, drop what waits, and leave the cluster."""
        self._waiting.clear()
        self._running.clear()
        self._ended.clear()
        self._slots.clear()
        self._batch_slots.clear()
        self._link.close()
        self._folder.remove()

    def _keep(self, slot: _Slot, unit: _Waiting) -> None:
        slot.kept.append(unit)
        self._running[unit.number] = slot

    def _put_back(self, units: Sequence[_Waiting] | deque[_Waiting]) -> None:
        """Have units wait again, before all others."""
        for unit in reversed(units):
            if unit.number in self._running:
                self._running[unit.number] = None
                self._waiting.appendleft(unit)

    def _send(self, at_rest: bool = False) -> None:
        """Send units to the slots that want some: all at once, as far as they are at rest or this is no new unit."""
        for name in self.wanting() if self._waiting else ():
            slot = self._slots[name]
            unit = next((unit for unit in self._waiting if slot.has_time(unit.expected)), None)
            if unit is not None:
                self._waiting.remove(unit)
                self._keep(slot, unit)
        for slot in self._slots.values():
            while slot.kept and (not slot.sent or (len(slot.sent) < 2 and not at_rest)):
                units = [slot.kept.popleft()]
                while slot.kept and not units[0].alone and not slot.kept[0].alone:
                    units.append(slot.kept.popleft())
                self._batches += 1
                packed = tuple((unit.packed, unit.limit) for unit in units)
                batch = Batch(self._batches, slot.address, slot.number, packed)
                slot.sent.append((batch, tuple(units)))
                self._batch_slots[batch.number] = slot
                self._link.send(batch)

    def _hear(self) -> None:
        """Take what has come."""
        while True:
            try:
                self._take(self._events.get_nowait())
            except Empty:
                return

    def _take(self, event: Event) -> None:
        match event:
            case Joined(address, slots, left):
                for number in range(slots):
                    self._slots[f"{address}#{number}"] = _Slot(address, number, span=left)
            case Left(address):
                for name in [name for name, slot in self._slots.items() if slot.address == address]:
                    self._lose(self._slots.pop(name))
            case Answered(number, reply):
                self._answered(number, reply)
            case Broken(number, told):
                for unit in self._units(number):
                    self._end(unit, Failed(UnreadableError(told), ""))
            case Gone(error):
                self._events.put(event)
                raise error

    def _units(self, number: int) -> tuple[_Waiting, ...]:
        """The units of a batch that has ended."""
        slot = self._batch_slots.pop(number, None)
        if slot is None:  # It was cancelled, or its worker was lost.
            return ()
        found = next(sent for sent in slot.sent if sent[0].number == number)
        slot.sent.remove(found)
        return found[1]

    def _answered(self, number: int, reply: bytes | None) -> None:
        slot = self._batch_slots.get(number)
        if slot is None:
            return
        if reply is None:
            # What comes after it was not begun, and its worker will be said to have left.
            first = slot.sent[0][0].number == number
            self._interrupted(self._units(number), slot if first else None)
            return
        units = self._units(number)
        try:
            ended = [(outcome_in(packed), float(seconds)) for packed, seconds in decode(reply)]
        except (PlainError, TypeError, ValueError) as error:
            ended = [(Failed(UnreadableError(f"what the worker sent cannot be read: {error}"), ""), 0.0)] * len(units)
        for unit, (outcome, seconds) in zip(units, ended, strict=True):
            slot.recent.append(seconds)
            self._end(unit, outcome)

    def _end(self, unit: _Waiting, outcome: Outcome[Any]) -> None:
        if self._running.pop(unit.number, False) is not False:
            self._ended.append((unit.number, outcome))

    def _lose(self, slot: _Slot) -> None:
        """Give the units of a slot that is gone to others, but for the one that may have run."""
        self._put_back(slot.kept)
        for place, (batch, units) in reversed(list(enumerate(slot.sent))):
            del self._batch_slots[batch.number]
            self._interrupted(units, slot if place == 0 else None)
        slot.sent.clear()

    def _interrupted(self, units: Sequence[_Waiting], slot: _Slot | None) -> None:
        """Take units back whose worker is gone.

        Parameters
        ----------
        units : sequence of _Waiting
            A batch.
        slot : _Slot or None
            The slot that may have run one of them; None if none was begun.
        """
        if slot is None:
            self._put_back(units)
        elif len(units) == 1:
            self._end(units[0], Lost(slot.address))
        else:
            self._put_back([replace(unit, alone=True) for unit in units])


def _without(units: deque[_Waiting], number: int) -> deque[_Waiting]:
    return deque(unit for unit in units if unit.number != number)


def _facts(facts: Unit, device: str) -> Mapping[str, str]:
    from bench.engines.local import LocalEngine

    with LocalEngine(1, device) as engine:
        told: Mapping[str, str] = value_of(outcome_of(engine, facts))
    return told
