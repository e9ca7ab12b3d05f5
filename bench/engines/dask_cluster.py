"""Reaching a Dask cluster, or starting one on this machine."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distributed import Client, LocalCluster, Security
from distributed.deploy.spec import ProcessInterface

from bench.engines.dask_local_worker import WorkerSettings
from bench.engines.dask_scheduler import beside, close_workers, scheduler_settings
from bench.engines.dask_security import LOOPBACK, pems, secured, secured_by
from bench.engines.gpus import gpus, seen_by
from bench.engines.slurm import Jobs, slurm_cluster
from bench.errors import BenchError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence


CONNECTING = 20.0
"""Seconds in which a scheduler has to answer."""

AGAIN = 0.5
"""Seconds after which a worker of this machine that ended is started again."""

SLOWEST = 30.0
"""The most seconds after which it is started again, where it ends again and again before it has joined."""

PATIENCE = 1.0
"""Seconds that a worker of this machine has to end."""

FRUITLESS = 3
"""How often each worker of this machine has to end before it has joined until none is thought to start at all."""

KILLED = (-signal.SIGKILL, -signal.SIGTERM)
"""How a process ends that others have ended, which says nothing of the next one."""

STARTING = 300.0
"""Seconds in which one of them has to join."""

LOOK = 0.5
"""Seconds after which it is looked again which of them have joined."""

TAIL = 4000
"""Bytes of what a worker printed last that are kept."""

LAST = 8
"""Lines of it that a message shows."""


@dataclass(frozen=True)
class ClusterPlace:
    """Where the cluster is.

    Parameters
    ----------
    scheduler : str or None
        The scheduler's address; None for a cluster of this machine.
    certificates : pathlib.Path or None
        The folder that `bench.engines.dask_certificates.write_certificates` made.
    insecure : bool
        Whether to reach other machines without encryption.
    workers : int
        Processes of a cluster of this machine.
    libraries : tuple of str
        The modules that a cluster of this machine loads as it starts.
    jobs : Jobs or None
        The jobs of Slurm whose workers make the cluster; None for no such cluster.
    scratch : pathlib.Path or None
        The folder for the jobs' certificate and logs where they name none.
    working : pathlib.Path or None
        The folder where workers of this machine keep their files, which is removed after them; None is Dask's own.
    """

    scheduler: str | None = None
    certificates: Path | None = None
    insecure: bool = False
    workers: int = 1
    libraries: tuple[str, ...] = ()
    jobs: Jobs | None = None
    scratch: Path | None = None
    working: Path | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what Dask logs of lost connections, with tracebacks, from the user, who is told of them in words."""
    loggers = [logging.getLogger(f"distributed{part}") for part in ("", ".client", ".core", ".comm", ".batched")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@asynccontextmanager
async def connected(place: ClusterPlace, note: Callable[[str], object] = lambda told: None) -> AsyncIterator[Client]:
    """A client of the cluster; one of this machine or of Slurm's jobs is started, and ends with it."""
    if place.jobs is not None:
        security = Security.temporary() if place.certificates is None else secured_by(place.certificates)
        async with (
            slurm_cluster(place.jobs, place.scratch or Path(), security, note) as jobs,
            _client(jobs.scheduler_address, security) as client,
        ):
            yield client
        return
    if place.scheduler is None:
        async with (
            _local_cluster(place, note) as cluster,
            _client(cluster.scheduler_address, cluster.security) as client,
        ):
            yield client
        return
    address, security = secured(place.scheduler, place.certificates, place.insecure)
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(_client(address, security))
        except (OSError, ValueError, ImportError) as error:
            raise UserError(
                f"execution.scheduler={place.scheduler}: no Dask scheduler answers there: {error}",
                "Start one with `dask scheduler`, or leave the address out for a cluster of this machine.",
            ) from error
        yield client


@asynccontextmanager
async def _client(address: str, security: Security) -> AsyncIterator[Client]:
    client = await Client(
        address, security=security, asynchronous=True, set_as_default=False, timeout=CONNECTING, name="bench"
    )
    try:
        yield client
    finally:
        with suppress(TimeoutError):  # Which would hide why the block ended.
            await client.close(PATIENCE)


@asynccontextmanager
async def _local_cluster(place: ClusterPlace, note: Callable[[str], object]) -> AsyncIterator[LocalCluster]:
    """A cluster of this machine that nobody else can use: other users of it can reach loopback too."""
    security = Security.temporary()
    options = {
        "nthreads": 1,
        "libraries": place.libraries,
        "pems": pems(security),
        "working": place.working,
        "note": note,
    }
    with scheduler_settings(place.working):
        cluster = LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            processes=False,
            host=LOOPBACK,
            protocol="tls://",
            dashboard_address=f"{LOOPBACK}:0",
            security=security,
            worker_class=LocalWorker,
            memory_limit=0,
            asynchronous=True,
            silence_logs=50,
        )
        cluster.new_spec = {"cls": LocalWorker, "options": options}
        await cluster
        cluster.scale(place.workers)
        await cluster
    try:
        async with beside(_watch(cluster)):
            yield cluster
    finally:
        await _end(cluster)


async def _end(cluster: Any) -> None:
    """Kill all workers, then end the rest if that takes no time: what has ended the cluster is told, not this."""
    await close_workers(cluster)
    with suppress(TimeoutError):
        if (closing := cluster.close(PATIENCE)) is not None:
            await closing


async def _watch(cluster: Any) -> None:
    """See which workers of this machine have joined.

    Raises
    ------
    bench.errors.BenchError
        If none is there, and none is likely to join.
    """
    deadline = time.monotonic() + STARTING
    while True:
        await asyncio.sleep(LOOK)
        names = {str(worker.name) for worker in cluster.scheduler.workers.values()}
        workers: list[LocalWorker] = list(cluster.workers.values())
        for worker in workers:
            if not worker.joined and worker.name in names:
                worker.has_joined()
        if names:
            deadline = time.monotonic() + STARTING
        elif time.monotonic() > deadline or (workers and all(worker.fruitless >= FRUITLESS for worker in workers)):
            tails = [worker.tail for worker in workers if worker.tail] or [b""]
            lines = tails[-1].decode(errors="replace").splitlines()[-LAST:]
            told = "".join(f"\n  {line}" for line in lines) or " nothing"
            raise BenchError(
                f"No Dask worker starts on this machine. What one printed last:{told}",
                "execution=local needs none; the same command goes on with it from what is stored.",
            )


class LocalWorker(ProcessInterface):
    """A worker of this machine: a Python of its own, which ends with this process, and restarts if it ends.

    Dask's own way of starting one changes the environment of this process, and runs the script that it runs again.

    Parameters
    ----------
    scheduler : str
        The scheduler's address.
    name : object
        The worker's name.
    nthreads : int
        Units that it runs at the same time.
    libraries : sequence of str
        The modules that it loads as it starts.
    pems : mapping of str to str
        The certificates, which are in no file.
    working : pathlib.Path or None
        The folder for its files.
    note : callable
        Is called with each line that the worker prints once it has joined.
    """

    def __init__(
        self,
        scheduler: str,
        name: Any,
        nthreads: int,
        libraries: Sequence[str],
        pems: dict[str, str],
        working: Path | None,
        note: Callable[[str], object],
        **others: Any,
    ) -> None:
        super().__init__(scheduler, name)
        self.name = str(name)
        self._note = note
        self._given = WorkerSettings(
            scheduler, self.name, nthreads, tuple(libraries), pems, None if working is None else str(working)
        )
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.joined = False
        """Whether the scheduler has seen the process that runs now."""
        self.fruitless = 0
        """How many processes, one after another, have ended before they joined."""
        self.tail = b""
        """What the latest process printed last."""

    async def start(self) -> None:
        """Start the process."""
        await self._begin()
        self._task(self._keep_up())
        await super().start()

    async def close(self) -> None:
        """Kill the process, whose own ones end with it."""
        for task in self._tasks:
            task.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await super().close()

    async def _keep_up(self) -> None:
        while True:
            assert self._process is not None
            await self._process.wait()
            if self.joined:
                self.fruitless = 0
            elif self._process.returncode not in KILLED:
                self.fruitless += 1
            while True:
                await asyncio.sleep(min(AGAIN * 2**self.fruitless, SLOWEST))
                try:
                    await self._begin()
                    break
                except OSError as error:
                    self.fruitless, self.tail = self.fruitless + 1, str(error).encode()

    async def _begin(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "bench.engines.dask_local_worker"),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # It finds the modules that this process finds, as workers of the local engine do.
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **seen_by(int(self.name), "auto", gpus()),
            },
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self.joined, self.tail = False, b""
        self._task(self._pass_on(self._process.stderr))
        with suppress(ConnectionError):  # It has ended already.
            self._process.stdin.write(json.dumps(asdict(self._given)).encode() + b"\n")
            await self._process.stdin.drain()

    def has_joined(self) -> None:
        """Note that the scheduler has seen the process that runs now, and tell what it printed until then."""
        self.joined = True
        self._tell(self.tail)

    async def _pass_on(self, printed: asyncio.StreamReader) -> None:
        """Tell what a process prints once it has joined; what it prints before is shown only if it never does."""
        while piece := await printed.read(TAIL):
            if self.joined:
                self._tell(piece)
            else:
                self.tail = (self.tail + piece)[-TAIL:]

    def _tell(self, printed: bytes) -> None:
        for line in printed.decode(errors="replace").splitlines():
            self._note(line)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
