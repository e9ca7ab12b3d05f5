"""What a worker of Dask in a job of Slurm loads first: it ends the worker where that has lost its scheduler.

Dask's ``--death-timeout`` is a limit on the start alone, and its close waits for what runs, which may hang. A job whose
worker does not end keeps its cores until its walltime is over.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

LOOK = 1.0
"""Seconds after which it is looked again whether the worker is connected."""

STATUS = 1
"""The exit status of a worker that is ended so."""


class Watch:
    """Ends this process where the worker was not connected for some seconds, whatever hangs in it.

    Seconds are counted in looks, so that the time in which a job is suspended does not count.

    Parameters
    ----------
    worker : distributed.Worker
        The worker.
    patience : float
        The seconds.
    """

    def __init__(self, worker: Any, patience: float) -> None:
        self._worker, self._looks = worker, max(1, round(patience / LOOK))
        self._unseen = 0

    async def see(self) -> None:
        """Note, as long as the worker's event loop runs, that it is connected."""
        while True:
            if self._worker.status.name in ("running", "paused") and not self._worker.batched_stream.closed():
                self._unseen = 0
            await asyncio.sleep(LOOK)

    def end(self) -> None:
        """Wait until it was not connected for too long, and end the process."""
        while self._unseen < self._looks:
            time.sleep(LOOK)
            self._unseen += 1
        os._exit(STATUS)


async def dask_setup(worker: Any) -> None:
    """Begin to watch the worker; Dask calls this before the worker connects.

    Parameters
    ----------
    worker : distributed.Worker
        The worker.
    """
    from bench.engines.slurm import ORPHANED

    watch = Watch(worker, ORPHANED)
    worker.bench_watch = asyncio.get_running_loop().create_task(watch.see())  # A task that nothing holds may vanish.
    threading.Thread(target=watch.end, daemon=True).start()
