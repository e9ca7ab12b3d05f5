"""A worker of Dask on this machine: a process that is forked from the server, and that ends with the command."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from bench.engines.engine import error_in_words
from bench.engines.processes import share_server
from bench.engines.worker import settle

NAME = "bench-dask"
"""What the system calls the process, for example in ``top``."""


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker of this machine is told; see `bench.engines.dask_cluster.LocalWorker`."""

    scheduler: str
    name: str
    pems: Mapping[str, str]
    working: Path | None
    environment: Mapping[str, str]


def work(given: WorkerSettings, told: Connection) -> None:
    """Work until the command ends, or the scheduler wants no more.

    Parameters
    ----------
    given : WorkerSettings
        What to do.
    told : multiprocessing.connection.Connection
        Is sent why it cannot work, in words.
    """
    settle(given.environment, apart=False)
    with suppress(OSError):  # Not Linux.
        Path("/proc/self/comm").write_text(NAME)
    share_server()
    logging.disable(logging.CRITICAL)
    try:
        asyncio.run(_work(given))
    except Exception as error:
        told.send(error_in_words(error))


async def _work(given: WorkerSettings) -> None:
    from distributed import Security, Worker

    security = Security(require_encryption=True, **given.pems)
    worker = Worker(
        given.scheduler,
        name=given.name,
        nthreads=1,
        host="127.0.0.1",
        security=security,
        memory_limit=0,
        local_directory=None if given.working is None else str(given.working),
        dashboard=False,
    )
    async with worker:
        await worker.finished()
