"""What the schedulers have in common that bench starts, for a cluster of this machine and for jobs of Slurm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any


def scheduler_settings(working: Path | None = None) -> AbstractContextManager[Any]:
    """Dask's settings as a scheduler is started: a unit goes to the worker that it is given to, and to no other.

    Parameters
    ----------
    working : pathlib.Path, optional
        The folder for its files; Dask's own unless it is given.
    """
    import dask.config

    changed = {"distributed.scheduler.allowed-failures": 0, "distributed.scheduler.work-stealing": False}
    settings: AbstractContextManager[Any] = dask.config.set(
        changed if working is None else {**changed, "temporary-directory": str(working)}
    )
    return settings


@asynccontextmanager
async def beside(watch: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a watch as long as the block; what it raises stops the block, and comes out of it."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(watch)
            yield
            task.cancel()
    except BaseExceptionGroup as errors:
        # It has one: that of the watch, for which the group stopped the block, or the block's own.
        raise errors.exceptions[0] from None


async def close_workers(cluster: Any) -> list[Any]:
    """Close all workers of a cluster at once, and return them; the rest of it may then take too long to close."""
    workers = list(cluster.workers.values())
    await asyncio.gather(*(worker.close() for worker in workers), return_exceptions=True)
    return workers
