"""The main module of a worker of Dask on this machine, which ends with the process that started it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
from typing import Any

from bench.engines.processes import start_server
from bench.support.process import own_this_process


def main() -> None:
    """Read from standard input what to do, do it, and end where that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    own_this_process()
    start_server(given["libraries"])
    logging.disable(logging.CRITICAL)
    asyncio.run(_work(given))


async def _work(given: dict[str, Any]) -> None:
    from distributed import Security, Worker

    security = Security(require_encryption=True, **given["pems"])
    worker = Worker(
        given["scheduler"],
        name=given["name"],
        nthreads=given["nthreads"],
        host="127.0.0.1",
        security=security,
        memory_limit=0,
        local_directory=given["working"],
        dashboard=False,
    )
    async with worker:
        await worker.finished()


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
