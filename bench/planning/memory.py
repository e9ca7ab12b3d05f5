"""Limit worker processes to the free memory, so that a large task runs slower instead of failing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.data.task import Task

BYTES_A_CHARACTER = 55
"""The bytes that a worker needs for each character of a task's inputs.

Measured with `logreg` on a million texts of twenty words (`tests/benchmarks/million.py`): the TF-IDF matrix of all
examples, their counts, and the vectors of the solver. Other models take less.
"""

WORTH_ASKING = 10_000_000
"""Characters below which no worker takes more than a few hundred MiB."""


GROUPS = Path("/sys/fs/cgroup")


def workers_within_memory(tasks: Sequence[Task], workers: int, notes: list[str]) -> int:
    """Use fewer worker processes if the largest task would need more memory than is free.

    Parameters
    ----------
    tasks : sequence of Task
        The planned runs.
    workers : int
        The number of cores.
    notes : list of str
        Receives a note if there are fewer.

    Returns
    -------
    int
        The number of workers, 1 at least.
    """
    size = max(map(_characters, tasks), default=0)
    free = free_memory()
    if size < WORTH_ASKING or free is None:
        return workers
    needed = size * BYTES_A_CHARACTER
    fitting = max(min(workers, free // needed), 1)
    if fitting < workers:
        notes.append(
            f"{fitting} of {workers} workers: each may take {needed / 2**30:.1f} GiB for {size / 1e6:,.0f} million "
            f"characters, and {free / 2**30:.1f} GiB are free. execution.workers={workers} starts all of them anyway"
        )
    return fitting


def free_memory(groups: Path = GROUPS) -> int | None:
    """The bytes that processes can take without swapping, also by the limit of a container; None if unknown.

    Parameters
    ----------
    groups : pathlib.Path
        Where the system mounts its control groups, of version 2 or 1.
    """
    told = (
        _available(),
        _left(groups, "memory.max", "memory.current", "inactive_file"),
        _left(groups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    )
    return min((each for each in told if each is not None), default=None)


def _available() -> int | None:
    if not sys.platform.startswith("linux"):
        return None
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _left(group: Path, limit: str, used: str, reclaimable: str) -> int | None:
    """The memory that a control group may still use. Reclaimable memory does not count as used."""
    try:
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        taken = int((group / used).read_text()) - int(stat[reclaimable])
        return max(int((group / limit).read_text()) - taken, 0)
    except (OSError, ValueError, KeyError):  # the group does not exist, or its limit is "max"
        return None


def _characters(task: Task) -> int:
    return sum(int(task.examples[name].str.len().sum()) for name in task.inputs)
