"""Whole runs on a Dask cluster: the same bytes as on this machine, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from left_states import leave_state
from living import files_in, wait_for
from small_project import COMMAND, bench, make_folder, stored_bytes

from bench.engines.dask_local_worker import NAME
from bench.support.processor import processor_name

pytestmark = pytest.mark.slow


SECONDS = 0.06
"""Of each fit, so that there is time to kill."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return make_folder(tmp_path / "project", prune=False, seconds=SECONDS)


@dataclass(frozen=True)
class Local:
    """An undisturbed run on this machine.

    Parameters
    ----------
    files : dict of str to bytes
        The files that must be the same.
    fits : dict of str to dict
        How many fits of each cell ran on which processor.
    """

    files: dict[str, bytes]
    fits: dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Local:
    folder = make_folder(tmp_path_factory.mktemp("local") / "project", prune=False, seconds=SECONDS)
    bench(folder, "execution.workers=2")
    return Local(stored_bytes(folder), fits_by_processor(folder / "results"))


def fits_by_processor(results: Path) -> dict[str, dict[str, int]]:
    """Where the fits of each cell ran, which is told for every one."""
    told = {str(path.relative_to(results)): json.loads(path.read_text()) for path in results.rglob("processors.json")}
    assert len(told) == len(list(results.rglob("result.json")))
    assert {name for fits in told.values() for name in fits} == {processor_name()}
    return told


def processes_in(folder: Path) -> dict[int, str]:
    """The processes whose current folder this is, with their names."""
    found = {}
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdecimal() and (each / "cwd").resolve() == folder:
                found[int(each.name)] = (each / "comm").read_text().strip()
        except OSError:  # It has ended meanwhile, or is another user's.
            continue
    return found


def nothing_is_left(folder: Path) -> bool:
    return wait_for(lambda: not processes_in(folder), 10, pause=0.2)


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_the_bytes_are_the_same_on_any_engine_whatever_is_killed(folder: Path, local: Local) -> None:
    for workers in (1, 3):
        bench(folder, "execution=dask", f"execution.workers={workers}", f"results=dask-{workers}")
        assert stored_bytes(folder, f"dask-{workers}") == local.files
        assert fits_by_processor(folder / f"dask-{workers}") == local.fits
        assert nothing_is_left(folder)
    assert not list((folder.parent / "cache/states").iterdir())

    running = subprocess.Popen(
        [*COMMAND, "execution=dask", "execution.workers=3", "results=workers-killed"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed = 0
    while running.poll() is None and killed < 4:
        time.sleep(2)
        workers_now = [pid for pid, name in processes_in(folder).items() if name == NAME]
        if running.poll() is None and workers_now:
            os.kill(workers_now[killed % len(workers_now)], signal.SIGKILL)
            killed += 1
    _, told = running.communicate(timeout=300)
    assert running.returncode == 0, told
    assert killed >= 2
    assert stored_bytes(folder, "workers-killed") == local.files
    assert nothing_is_left(folder)


@pytest.mark.parametrize("engines", [("dask", "local"), ("local", "dask")])
def test_what_is_killed_on_one_engine_is_finished_on_another(
    folder: Path, local: Local, engines: tuple[str, str]
) -> None:
    first, second = engines
    running = subprocess.Popen(
        [*COMMAND, f"execution={first}", "execution.workers=2", "results=killed"],
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    assert wait_for(lambda: files_in(folder / "killed", "*.journal"))
    time.sleep(0.5)
    running.kill()
    running.wait()
    assert nothing_is_left(folder)
    assert files_in(folder / "killed", "*.journal")
    states = folder.parent / "cache/states"
    assert (first == "dask") == (states.exists() and len(list(states.glob("*/state"))) == 1)
    bench(folder, f"execution={second}", "execution.workers=2", "results=killed")
    assert stored_bytes(folder, "killed") == local.files
    assert not list(states.iterdir())


def test_a_command_without_work_removes_what_a_killed_one_left(folder: Path) -> None:
    bench(folder, "execution.workers=2", "results=stored")
    states = folder.parent / "cache/states"
    leave_state(states)
    assert len([path for path in states.iterdir() if path.is_dir()]) == 1
    bench(folder, "execution.workers=2", "results=stored")
    assert not list(states.iterdir())


@dataclass
class Cluster:
    """A scheduler and workers that are started by the commands of Dask, as by hand."""

    folder: Path
    port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start the scheduler and two workers, and wait until the scheduler listens."""
        scheduler = (
            "scheduler",
            "--protocol",
            "tls",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--no-dashboard",
        )
        self._run(*scheduler)
        assert wait_for(lambda: _listens(self.port), pause=0.2)
        for _ in range(2):
            self._run("worker", self.address, "--memory-limit", "0", "--nthreads", "1", "--no-dashboard")

    @property
    def address(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    def kill_scheduler(self) -> None:
        self.processes[0].kill()

    def stop(self) -> None:
        for each in self.processes:
            each.terminate()
        for each in self.processes:
            try:
                each.wait(20)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        self.processes.clear()

    def _run(self, *words: str) -> None:
        pems = (
            "--tls-ca-file",
            "keys/certificate.pem",
            "--tls-cert",
            "keys/certificate.pem",
            "--tls-key",
            "keys/key.pem",
        )
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "dask", *words, *pems],
                cwd=self.folder,
                env={**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    subprocess.run([sys.executable, "-m", "bench", "cluster", "certificates", "keys"], cwd=folder, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = Cluster(folder, port)
    cluster.start()
    yield cluster
    cluster.stop()


def test_a_run_whose_scheduler_is_killed_says_so_and_goes_on_once_it_is_back(
    folder: Path, cluster: Cluster, local: Local
) -> None:
    words = ("execution=dask", f"execution.scheduler={cluster.address}", "execution.certificates=keys")
    running = subprocess.Popen([*COMMAND, *words, "results=lost"], cwd=folder, stderr=subprocess.PIPE, text=True)
    assert wait_for(lambda: files_in(folder / "lost", "*.journal"))
    time.sleep(0.5)
    cluster.kill_scheduler()
    _, told = running.communicate(timeout=120)
    assert running.returncode == 1, told
    assert f"The Dask scheduler at {cluster.address} is gone" in told
    assert "the same command goes on from what is stored" in told
    assert "Traceback" not in told
    assert "distributed" not in told
    assert not list((folder.parent / "cache/states").iterdir())
    assert not any('"failed"' in path.read_text() for path in (folder / "lost").rglob("result.json"))
    cluster.stop()
    assert nothing_is_left(folder)

    cluster.start()
    bench(folder, *words, "results=lost")
    assert stored_bytes(folder, "lost") == local.files
