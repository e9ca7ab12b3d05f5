"""Reaching a Dask cluster, or starting one on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster, Security
from distributed.deploy.spec import ProcessInterface

from bench.engines.dask_local_worker import WorkerSettings, work
from bench.engines.dask_scheduler import beside, close_workers, scheduler_settings
from bench.engines.dask_security import LOOPBACK, pems, secured, secured_by
from bench.engines.gpus import gpus, seen_by
from bench.engines.processes import Process, Start
from bench.engines.slurm import Jobs, slurm_cluster
from bench.errors import BenchError, UserError

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
        The modules that the processes of its workers have loaded.
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
            _local_cluster(place) as cluster,
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
async def _local_cluster(place: ClusterPlace) -> AsyncIterator[LocalCluster]:
    """A cluster of this machine that nobody else can use: other users of it can reach loopback too."""
    security = Security.temporary()
    options = {"pems": pems(security), "working": place.working}
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
    """See which workers of this machine have joined, and start those again that have ended.

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
            await worker.see(worker.name in names)
        if names:
            deadline = time.monotonic() + STARTING
        elif time.monotonic() > deadline or (workers and all(worker.fruitless >= FRUITLESS for worker in workers)):
            told = next((worker.told for worker in reversed(workers) if worker.told), "none has said why")
            raise BenchError(
                f"No Dask worker starts on this machine: {told}",
                "execution=local needs none; the same command goes on with it from what is stored.",
            )


class LocalWorker(ProcessInterface):
    """A worker of this machine: a process that ends with this one, and restarts if it ends.

    Parameters
    ----------
    scheduler : str
        The scheduler's address.
    name : object
        The worker's name.
    pems : mapping of str to str
        The certificates, which are in no file.
    working : pathlib.Path or None
        The folder for its files.
    """

    def __init__(self, scheduler: str, name: Any, pems: dict[str, str], working: Path | None, **others: Any) -> None:
        super().__init__(scheduler, name)
        self.name = str(name)
        environment = {**os.environ, **seen_by(int(self.name), "auto", gpus())}
        self._given = WorkerSettings(scheduler, self.name, pems, working, environment)
        self._process: Process | None = None
        self._starting: asyncio.Task[Process] | None = None
        self._words: Connection | None = None
        self._again: float | None = None
        self._joined = False
        self.fruitless = 0
        """How many processes, one after another, have ended before the scheduler had seen them."""
        self.told = ""
        """Why the latest of them could not work, as far as it said so."""

    async def start(self) -> None:
        """Start the process."""
        await self._begin()
        await super().start()

    async def close(self) -> None:
        """Kill the process, whose own ones end with it."""
        if self._starting is not None:
            with suppress(OSError, EOFError):
                self._process = await self._starting
        if self._process is not None:
            self._process.terminate()
            self._process.join(PATIENCE)
        await super().close()

    async def see(self, known: bool) -> None:
        """Start the process again if it has ended.

        Parameters
        ----------
        known : bool
            Whether the scheduler has a worker of this name.
        """
        if self._process is not None and self._process.is_alive():
            self._joined = self._joined or known
            return
        if self._again is None:
            if self._joined:
                self.fruitless = 0
            elif self._process is not None and self._process.exitcode not in KILLED:
                self._failed(self._last_words())
            self._again = time.monotonic() + min(AGAIN * 2**self.fruitless, SLOWEST)
        elif time.monotonic() >= self._again:
            await self._begin()

    async def _begin(self) -> None:
        self._again, self._joined, self._process = None, False, None
        self._starting = asyncio.create_task(asyncio.to_thread(self._started))
        try:
            self._process = await asyncio.shield(self._starting)  # The thread cannot be stopped.
        except (OSError, EOFError) as error:
            self._failed(str(error))
        self._starting = None

    def _started(self) -> Process:
        start = Start(fresh=False, daemon=False)
        self._words, words = start.Pipe(duplex=False)
        process = start.Process(target=work, args=(self._given, words))
        process.start()
        words.close()
        return process

    def _last_words(self) -> str:
        try:
            return str(self._words.recv()) if self._words is not None and self._words.poll() else ""
        except EOFError:
            return ""

    def _failed(self, told: str) -> None:
        self.fruitless, self.told = self.fruitless + 1, told
