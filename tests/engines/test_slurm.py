"""Units run in jobs of a real Slurm, also where a job is ended in their middle, and no job is left behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from importing import same_path
from one_node_slurm import Slurm, missing, one_node_slurm
from small_project import bench, make_folder, stored_bytes

from bench.engines.engine import Lost, Unit, Value
from bench.engines.slurm import Jobs
from bench.errors import BenchError, UserError

if find_spec("dask_jobqueue") is None:
    pytest.skip("dask-jobqueue is not installed", allow_module_level=True)

from bench.engines.dask import DaskEngine
from bench.engines.dask_cluster import ClusterPlace

pytestmark = [pytest.mark.slow, pytest.mark.skipif(missing() is not None, reason=missing() or "")]

LIMIT = 60.0
"""Seconds that one test may take, the end of its jobs included."""


@pytest.fixture(autouse=True)
def limited() -> Iterator[None]:
    """Fail a test that hangs, so that Slurm and its jobs are ended all the same."""

    def fail(number: int, frame: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, LIMIT)  # What ends the test may hang too.
        pytest.fail(f"it took more than {LIMIT:g} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def running() -> Iterator[Slurm]:
    with one_node_slurm() as slurm:
        yield slurm


@pytest.fixture
def slurm(running: Slurm, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("bench.engines.slurm.LOOK", 1.0)
    return running


def place(folder: Path, jobs: int = 2, **changes: object) -> ClusterPlace:
    found_here = (f"export PYTHONPATH={shlex.quote(same_path())}",)
    settings: dict[str, object] = {"cores": 1, "memory": 10**9, "walltime": 300.0, "prologue": found_here}
    settings |= changes
    return ClusterPlace(jobs=Jobs(jobs, **settings), scratch=folder)  # type: ignore[arg-type]


def square(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number * number


def no_job_is_left(slurm: Slurm) -> bool:
    deadline = time.monotonic() + 10
    while slurm.jobs() and time.monotonic() < deadline:
        time.sleep(0.2)
    return not slurm.jobs()


def test_work_goes_on_where_a_job_is_cancelled_and_no_job_is_left(slurm: Slurm, tmp_path: Path) -> None:
    found: dict[int, int] = {}
    cancelled: list[str] = []
    with DaskEngine(place(tmp_path)) as engine:
        waiting = {engine.submit(Unit(square, (number, 0.5))): number for number in range(24)}
        while waiting:
            for unit, outcome in engine.outcomes():
                number = waiting.pop(unit)
                match outcome:
                    case Value(value):
                        found[number] = value
                    case Lost():
                        waiting[engine.submit(Unit(square, (number, 0.5)))] = number
                    case other:
                        pytest.fail(f"{number}: {other.told}")
                if len(found) == 4 and not cancelled:
                    cancelled = slurm.jobs()[:1]
                    slurm.call("scancel", *cancelled)
    assert cancelled
    assert found == {number: number * number for number in range(24)}
    assert no_job_is_left(slurm)
    assert not [path for path in tmp_path.iterdir() if path.name != "logs"]


def test_a_run_in_jobs_gives_the_same_bytes(slurm: Slurm, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "project", prune=False)
    jobs = ["jobs=2", "cores=1", "memory=1 GB", "walltime=00:10:00", f"shared={tmp_path}"]
    bench(folder, "execution=slurm", *(f"execution.slurm.{word}" for word in jobs), "results=in-jobs")
    bench(folder, "results=here")
    assert stored_bytes(folder, "in-jobs") == stored_bytes(folder, "here")
    assert no_job_is_left(slurm)


def test_a_job_that_ends_is_replaced(slurm: Slurm, tmp_path: Path) -> None:
    with DaskEngine(place(tmp_path, jobs=1)) as engine:
        first = engine.submit(Unit(square, (3, 0.0)))
        assert dict(engine.outcomes()) == {first: Value(9)}
        slurm.call("scancel", *slurm.jobs())
        time.sleep(2)
        again = engine.submit(Unit(square, (4, 0.0)))
        assert dict(engine.outcomes()) == {again: Value(16)}
    assert no_job_is_left(slurm)


def test_work_that_a_job_has_no_time_left_for_is_not_started(
    slurm: Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.engines.slurm.lifetime_in", lambda walltime: (25.0, 0.5))
    with DaskEngine(place(tmp_path, jobs=1, walltime=60.0)) as engine:
        short = engine.submit(Unit(square, (2, 0.0), expected=1.0))
        assert dict(engine.outcomes()) == {short: Value(4)}
        (worker,) = engine.wanting()
        assert engine.has_time(worker, 1.0)
        time.sleep(4)
        assert engine.has_time(worker, 1.0)
        assert not engine.has_time(worker, 25.0)  # Nine tenths of what it had were enough.
        long = engine.submit(Unit(square, (3, 0.0), expected=25.0))
        quick = engine.submit(Unit(square, (4, 0.0), expected=1.0))
        jobs = slurm.jobs()
        ended = engine.outcomes()
        assert next(ended) == (quick, Value(16))
        assert next(ended) == (long, Value(9))
        assert set(slurm.jobs()) != set(jobs)
    assert no_job_is_left(slurm)


def test_jobs_that_slurm_refuses_are_told_in_its_words(slurm: Slurm, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="invalid partition"):
        DaskEngine(place(tmp_path, partition="none"))
    assert no_job_is_left(slurm)


def test_jobs_that_end_without_a_worker_are_not_submitted_for_ever(slurm: Slurm, tmp_path: Path) -> None:
    with DaskEngine(place(tmp_path, jobs=1, prologue=("echo no such module >&2; exit 1",))) as engine:
        engine.submit(Unit(square, (2, 0.0)))
        with pytest.raises(BenchError, match="no such module"):
            list(engine.outcomes())
    assert no_job_is_left(slurm)


def test_a_slurm_job_is_told_its_gpus(slurm: Slurm, tmp_path: Path) -> None:
    with DaskEngine(place(tmp_path, jobs=1, gpus=1)) as engine:
        engine.submit(Unit(square, (2, 0.0)))
        list(engine.outcomes())
        (job,) = slurm.jobs()
        assert "gpu:1" in slurm.call("scontrol", "show", "job", job)


def workers_in(folder: Path) -> list[int]:
    """The workers of Dask whose logs or certificates lie in a folder, or that hang on one of its jobs."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if "distributed.cli.dask_worker" in process.cmdline() and str(folder) in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


def test_workers_end_where_the_command_is_killed(slurm: Slurm, tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; import test_slurm as t; from bench.engines.dask import DaskEngine\n"
        "engine = DaskEngine(t.place(pathlib.Path(sys.argv[1]), jobs=1))\n"
        "engine.submit(t.Unit(t.square, (2, 0.0))); list(engine.outcomes())\n"
        "engine.submit(t.Unit(t.square, (2, 600.0))); list(engine.outcomes(1))\n"
        "print('works', flush=True); os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": same_path()},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert ended.stdout == "works\n", ended.stderr
    assert no_job_is_left(slurm)
    assert not workers_in(tmp_path)
