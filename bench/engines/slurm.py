"""Workers of Dask as jobs of Slurm, which are submitted by dask-jobqueue and replaced where they end."""

from __future__ import annotations

import asyncio
import math
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.engines.dask_scheduler import beside, close_workers, scheduler_settings
from bench.errors import BenchError, UserError
from bench.support.quantities import walltime_text

if TYPE_CHECKING:
    from dask_jobqueue.slurm import SLURMCluster
    from distributed import Security

LOOK = 5.0
"""Seconds after which it is looked again which jobs there are."""

FRUITLESS = 3
"""Jobs, one after another, that end without a worker, after which no more are submitted."""

ORPHANED = 60
"""Seconds without a scheduler after which a worker ends, and its job with it."""

LAST = 5
"""Lines of a job's log that a message shows."""


@dataclass(frozen=True)
class Jobs:
    """The jobs that are asked of Slurm; each is one worker.

    Parameters
    ----------
    jobs : int
        How many run at the same time.
    cores : int
        The cores of each, and the units that it runs at the same time.
    memory : int
        The bytes of memory of each.
    walltime : float
        The seconds of each; infinite for jobs without an end.
    partition, account : str or None
        Where they run, and who pays; None is Slurm's default.
    gpus : int
        The GPUs of each.
    directives : tuple of str
        Further options of ``sbatch``, such as ``--constraint=icelake``.
    prologue : tuple of str
        Lines of shell that a job runs before its worker.
    interface : str or None
        The network interface by which the machines reach each other; None is that of the host's name.
    shared : pathlib.Path or None
        A folder that all machines see: for the certificate, and for the jobs' logs.
    """

    jobs: int
    cores: int
    memory: int
    walltime: float
    partition: str | None = None
    account: str | None = None
    gpus: int = 0
    directives: tuple[str, ...] = ()
    prologue: tuple[str, ...] = ()
    interface: str | None = None
    shared: Path | None = None


def load() -> None:
    """Import dask-jobqueue, which takes Ctrl-C for itself as it is imported, and give that back."""
    before = signal.getsignal(signal.SIGINT)
    import dask_jobqueue  # noqa: F401

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, before)


def lifetime_in(walltime: float) -> tuple[float, float]:
    """The seconds after which a worker ends by itself, and by how many they differ between workers.

    It starts after its job, and has to end before it.

    Examples
    --------
    >>> lifetime_in(60), lifetime_in(3600)
    ((40, 5.0), (3300, 75.0))
    """
    kept = max(20, min(300, walltime / 10))
    return walltime - kept, kept / 4


@asynccontextmanager
async def slurm_cluster(
    jobs: Jobs, scratch: Path, security: Security, note: Callable[[str], object] = lambda told: None
) -> AsyncIterator[SLURMCluster]:
    """A scheduler on this machine, with workers in jobs that end with it.

    Parameters
    ----------
    jobs : Jobs
        What is asked of Slurm.
    scratch : pathlib.Path
        The folder for certificate and logs where the jobs name none.
    security : distributed.Security
        The certificates with which all parts know each other.
    note : callable
        Is called with sentences for the user.

    Raises
    ------
    bench.errors.UserError
        If Slurm is not here, or refuses the jobs.
    bench.errors.BenchError
        If jobs end without a worker again and again.
    """
    shared = jobs.shared or scratch
    logs = shared / "logs"
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with scheduler_settings():
        cluster = _cluster(jobs, shared, logs, security)
        await cluster
    try:
        await _submit(cluster, jobs.jobs)
        async with beside(_keep_up(cluster, jobs.jobs, logs, note)):
            yield cluster
    finally:
        await _end(cluster)


def _cluster(jobs: Jobs, shared: Path, logs: Path, security: Security) -> SLURMCluster:
    from dask_jobqueue.slurm import SLURMCluster

    ends = []
    if not math.isinf(jobs.walltime):
        lifetime, stagger = lifetime_in(jobs.walltime)
        ends = ["--lifetime", f"{lifetime:g}s", "--lifetime-stagger", f"{stagger:g}s"]
    directives = [*([f"--gres=gpu:{jobs.gpus}"] if jobs.gpus else []), *jobs.directives]
    return SLURMCluster(
        queue=jobs.partition,
        account=jobs.account,
        walltime=walltime_text(jobs.walltime),
        cores=jobs.cores,
        processes=1,
        memory=f"{jobs.memory} B",
        nanny=False,
        python=sys.executable,
        job_name="bench",
        log_directory=str(logs),
        job_extra_directives=directives,
        job_script_prologue=["export PYTHONSAFEPATH=1", *jobs.prologue],
        worker_extra_args=[*ends, "--no-dashboard", "--preload", "bench.engines.dask_preload"],
        death_timeout=ORPHANED,
        interface=jobs.interface,
        protocol="tls://",
        security=security,
        shared_temp_directory=str(shared),
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
        asynchronous=True,
        silence_logs=50,
    )


async def _submit(cluster: Any, count: int) -> None:
    """Submit as many jobs as are lacking."""
    try:
        cluster.scale(jobs=count)
        await cluster
    except FileNotFoundError as error:
        raise UserError(
            f"execution.engine=slurm: {error.filename} is not installed here.",
            "Run the command on a machine from which jobs are submitted, such as the cluster's login node.",
        ) from error
    except RuntimeError as error:
        told = str(error).rpartition("stderr:\n")[2].strip()
        raise UserError(
            f"Slurm takes no such job: {told}",
            "Compare execution.slurm with the cluster's partitions: sinfo -o '%P %l %c %m %G' lists them.",
        ) from error


async def _keep_up(cluster: Any, count: int, logs: Path, note: Callable[[str], object]) -> None:
    """Replace jobs that end."""
    worked: set[Any] = set()
    fruitless, told = 0, False
    while True:
        await asyncio.sleep(LOOK)
        there = {str(worker["name"]) for worker in cluster.scheduler_info["workers"].values()}
        if not there and not told:
            note("Slurm has started no job yet; `squeue --me` says why")
            told = True
        queued = await _queued()
        if queued is None:
            continue
        worked |= {job.job_id for name, job in cluster.workers.items() if str(name) in there}
        gone = [(name, job) for name, job in cluster.workers.items() if job.job_id not in queued]
        if any(job.job_id in worked for job in cluster.workers.values()):
            fruitless = 0
        for name, job in gone:
            fruitless = 0 if job.job_id in worked else fruitless + 1
            cluster.workers.pop(name, None)
            _mark_ended(job)
            if fruitless == FRUITLESS:
                raise BenchError(
                    f"The last {FRUITLESS} jobs of Slurm ended without a worker.{_last_lines(logs, job.job_id)}",
                    f"Their logs are in {logs}.",
                )
        await _submit(cluster, count)


async def _queued() -> set[str] | None:
    """The numbers of the user's jobs; None where Slurm does not answer."""
    process = await asyncio.create_subprocess_exec(
        *("squeue", "--me", "--noheader", "--format=%A"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    printed, _ = await process.communicate()
    return set(printed.decode().split()) if process.returncode == 0 else None


def _last_lines(logs: Path, job: str) -> str:
    path = logs / f"bench-{job}.err"
    lines = path.read_text("utf-8", errors="replace").splitlines()[-LAST:] if path.exists() else []
    return "".join(f"\n  {line}" for line in lines)


async def _end(cluster: Any) -> None:
    """Cancel all jobs, then end the rest, so that none is left where that takes too long."""
    for job in await close_workers(cluster):
        _mark_ended(job)
    await cluster.close()


def _mark_ended(job: Any) -> None:
    """Say of a job that it has ended, which dask-jobqueue leaves out and Dask holds against it at the end."""
    from distributed.core import Status

    job.status = Status.closed
