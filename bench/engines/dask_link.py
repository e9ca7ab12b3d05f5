"""The way to Dask's workers, in a thread of its own: it admits them, sends batches of units, and tells what comes."""

from __future__ import annotations

import asyncio
import pickle
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.engines.dask_cluster import ClusterPlace, connected, quiet
from bench.engines.dask_state import PIECE
from bench.engines.dask_worker import STRANGER, Opened, Session, has_whole, open_session, run_units, take_piece
from bench.engines.plain import PlainError, decode
from bench.engines.slurm import load
from bench.errors import BenchError, UserError

if TYPE_CHECKING:
    from distributed import Client

POLL = 0.5
"""Seconds after which it is looked again which workers there are."""

START = 60.0
"""Seconds in which the first workers have to answer."""

SILENT = 15.0
"""Seconds in which the scheduler has to say which workers there are."""

ENDING = 5.0
"""Seconds that ending the connection may take."""


@dataclass(frozen=True)
class Batch:
    """Units that a slot runs one after another."""

    number: int
    address: str
    slot: int
    units: tuple[tuple[bytes, float | None], ...]


@dataclass(frozen=True)
class Joined:
    """A worker that can be given units from now on."""

    address: str
    slots: int
    left: float | None = None
    """Seconds after which it ends by itself."""


@dataclass(frozen=True)
class Left:
    """A worker is gone, or takes no units any more."""

    address: str


@dataclass(frozen=True)
class Answered:
    """The reply to a batch; None where it has none since its worker is gone or has been replaced."""

    number: int
    reply: bytes | None


@dataclass(frozen=True)
class Broken:
    """The batch could not be run for another reason than its units or its worker's end."""

    number: int
    told: str


@dataclass(frozen=True)
class Gone:
    """Nothing more will come."""

    error: Exception


Event = Joined | Left | Answered | Broken | Gone


@dataclass
class _Worker:
    opening: Any
    """What the worker holds for the session, which ends with it."""
    token: str = ""
    admitted: bool = False


@dataclass
class Link:
    """The connection to a cluster.

    Parameters
    ----------
    place : ClusterPlace
        Where the cluster is.
    session : Session
        What each worker is asked for.
    here : mapping of str to str
        The facts of this machine that must be those of each worker's.
    tell : callable
        Is called with each event, in the link's own thread.
    note : callable
        Is called with each sentence for the user, in the link's own thread.
    """

    place: ClusterPlace
    session: Session
    here: Mapping[str, str]
    tell: Callable[[Event], object]
    note: Callable[[str], object]
    dashboard: str | None = None
    _workers: dict[str, _Worker] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _sent: dict[int, Any] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self) -> None:
        """Connect, and wait for the workers that are there."""
        if self.place.jobs is not None:
            load()  # Outside the thread, where no handler of signals can be set.
        self._ready: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="bench-dask", daemon=True)
        self._thread.start()
        self._ready.result()

    def send(self, batch: Batch) -> None:
        """Have a batch run."""
        self._loop.call_soon_threadsafe(self._spawn, batch)

    def drop(self, number: int) -> None:
        """Have a batch stopped."""
        self._loop.call_soon_threadsafe(self._drop, number)

    def close(self) -> None:
        """Stop all that runs, and leave the cluster."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # The loop has ended meanwhile.
                self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(ENDING)

    def _run(self) -> None:
        try:
            with quiet(), asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._main())
        except (Exception, asyncio.CancelledError) as error:
            self._fail(error if isinstance(error, Exception) else BenchError("The connection to Dask was cancelled."))

    def _fail(self, error: Exception) -> None:
        if self._ready.done():
            self.tell(Gone(error))
        else:
            self._ready.set_exception(error)

    async def _main(self) -> None:
        async with connected(self.place, self.note) as client:
            self.client: Client = client
            with suppress(KeyError):  # The scheduler has none.
                self.dashboard = client.dashboard_link or None
            await self._look(first=True)
            self._ready.set_result(None)
            while not self._end.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._end.wait(), POLL)
                if not self._end.is_set():
                    await self._look()
            for task in self._tasks:
                task.cancel()
            futures = [*self._sent.values(), *(worker.opening for worker in self._workers.values())]
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(client.cancel(futures, force=True), ENDING / 2)

    async def _look(self, first: bool = False) -> None:
        """See which workers there are."""
        scheduler: Any = self.client.scheduler
        try:
            told = await asyncio.wait_for(scheduler.identity(n_workers=-1), SILENT)
        except (OSError, TimeoutError) as error:
            why = str(error) or f"it has been silent for {SILENT:g} s"
            raise BenchError(
                f"The Dask scheduler at {scheduler.address} is gone: {why}",
                "Start it again; the same command goes on from what is stored.",
            ) from error
        there = {address for address, worker in told["workers"].items() if worker["status"] == "running"}
        for address in self._workers.keys() - there:
            self._lose(address)
        self._refused &= there
        new = [address for address in told["workers"] if address in there - self._workers.keys() - self._refused]
        admissions = {self._task(self._admit(address)): address for address in new}
        if first and admissions:
            done, _ = await asyncio.wait(admissions, timeout=START, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        for task, address in admissions.items():
            task.add_done_callback(partial(self._tell_of_admission, address))

    def _task(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _lose(self, address: str) -> None:
        worker = self._workers.pop(address)
        worker.opening.release()
        if worker.admitted:
            self.tell(Left(address))

    def _tell_of_admission(self, address: str, task: asyncio.Task[None]) -> None:
        """Give no work to a worker that could not be admitted, and say why."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        if address in self._workers:
            self._lose(address)
        self._refused.add(address)
        told = error.message if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        self.note(f"the worker {address} is given no work: {told}")

    async def _admit(self, address: str) -> None:
        """Open the session in a worker, compare its machine with this one, and send what it lacks of the state.

        Raises
        ------
        bench.errors.UserError
            If the worker's machine differs from this one.
        bench.errors.BenchError
            If the worker gives no answer, or does not get the state.
        """
        opening = self._submit(address, open_session, pickle.dumps(self.session))
        worker = self._workers[address] = _Worker(opening)
        try:
            opened = _opened(await opening)
        except asyncio.CancelledError:
            if not opening.cancelled():
                raise
            opened = None
        except Exception as error:
            opened = None if _is_lost(opening, error) else f"{type(error).__name__}: {error}"
        if self._workers.get(address) is not worker:  # It left meanwhile.
            return
        if opened is None:  # It is leaving; one that takes its place is admitted again.
            self._lose(address)
            return
        if isinstance(opened, str):
            raise BenchError(f"The worker {address} cannot be used: {opened}", "Look at what it printed.")
        if differing := _differing(self.here, opened.facts):
            raise UserError(
                f"The worker {address} would not give the same numbers as this machine:\n{differing}",
                "Install the same versions there, or start the workers elsewhere.",
            )
        for place in opened.missing:
            await self._send_file(address, place)
        worker.token, worker.admitted = opened.token, True
        self.tell(Joined(address, opened.slots, opened.left))

    async def _send_file(self, address: str, place: int) -> None:
        """Send a file in pieces, one at a time."""
        file = self.session.files[place]
        with Path(file.path).open("rb") as content:
            for start in range(0, file.size, PIECE):
                data = await asyncio.to_thread(content.read, PIECE)
                await self.client.run(take_piece, self.session.name, place, start, data, workers=[address])
        whole = await self.client.run(has_whole, self.session.name, place, workers=[address])
        if whole != {address: True}:
            raise BenchError(f"The worker {address} has got another file than was sent.", "Run the same command again.")

    def _submit(self, address: str, function: Callable[..., bytes], *args: Any) -> Any:
        return self.client.submit(
            function,
            *args,
            workers=[address],
            allow_other_workers=False,
            pure=False,
            retries=0,
            key=f"bench-{function.__name__.replace('_', '-')}-{uuid.uuid4().hex}",
        )

    def _spawn(self, batch: Batch) -> None:
        worker = self._workers.get(batch.address)
        if worker is None:
            self.tell(Answered(batch.number, None))
            return
        future = self._submit(batch.address, run_units, self.session.name, worker.token, batch.slot, batch.units)
        self._sent[batch.number] = future
        self._task(self._wait(batch, future))

    async def _wait(self, batch: Batch, future: Any) -> None:
        try:
            reply = await future
        except asyncio.CancelledError:
            if not future.cancelled():
                raise
            self._answer(batch.number, None, batch.address)
        except Exception as error:
            # Dropped ones are not known any more.
            if _is_lost(future, error):
                self._answer(batch.number, None, batch.address)
            elif self._sent.pop(batch.number, None) is not None:
                self.tell(Broken(batch.number, f"{type(error).__name__}: {error}"))
        else:
            self._answer(batch.number, None if reply == STRANGER else reply, batch.address)

    def _answer(self, number: int, reply: bytes | None, address: str) -> None:
        if (future := self._sent.pop(number, None)) is not None:
            future.release()
            if reply is None and address in self._workers:
                # It is told before anything else is sent there; one that has taken its place is admitted again.
                self._lose(address)
            self.tell(Answered(number, reply))

    def _drop(self, number: int) -> None:
        if (future := self._sent.pop(number, None)) is not None:
            self._task(self._cancel(future))

    async def _cancel(self, future: Any) -> None:
        with suppress(OSError):
            await self.client.cancel([future], force=True)


def _is_lost(future: Any, error: Exception) -> bool:
    """Whether a task has no reply since its worker or the way to it was lost, and not by what it was asked.

    Only a task in which something was raised is in error; one is cancelled as the connection to the scheduler is lost.
    """
    from distributed import KilledWorker

    return isinstance(error, KilledWorker) or future.status != "error"


def _opened(reply: bytes) -> Opened | str:
    try:
        given = decode(reply)
    except PlainError as error:
        return f"its answer cannot be read: {error}"
    return given if isinstance(given, str) else Opened(**given)


def _differing(here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """What differs, a line each."""
    names: Sequence[str] = [name for name in {**here, **there} if here.get(name) != there.get(name)]
    return "\n".join(f"  {name}: {there.get(name, 'none')} there, {here.get(name, 'none')} here" for name in names)
