"""The main module of a worker of Dask on this machine, which ends with the process that started it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.engines.processes import start_server
from bench.support.process import own_this_process


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker of this machine is told; see `bench.engines.dask_cluster.LocalWorker`."""

    scheduler: str
    name: str
    nthreads: int
    libraries: Sequence[str]
    pems: Mapping[str, str]
    working: str | None


def main() -> None:
    """Read from standard input what to do, do it, and end where that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given = WorkerSettings(**json.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    own_this_process()
    start_server(given.libraries)
    logging.disable(logging.CRITICAL)
    asyncio.run(_work(given))


async def _work(given: WorkerSettings) -> None:
    from distributed import Security, Worker

    security = Security(require_encryption=True, **given.pems)
    worker = Worker(
        given.scheduler,
        name=given.name,
        nthreads=given.nthreads,
        host="127.0.0.1",
        security=security,
        memory_limit=0,
        local_directory=given.working,
        dashboard=False,
    )
    async with worker:
        await worker.finished()


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
