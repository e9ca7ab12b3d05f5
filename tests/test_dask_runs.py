"""Whole runs on a Dask cluster: the same bytes as on this machine, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_project import make_folder, stored_bytes

COMMAND = [sys.executable, "-m", "bench", "run", "task=small", "model=slow", "tracking=false"]

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return make_folder(tmp_path / "project", prune=False, seconds=0.06)


def bench(folder: Path, *words: str) -> None:
    ended = subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


def processes_in(folder: Path) -> dict[int, str]:
    """The processes whose current folder this is, with their command lines."""
    found = {}
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdecimal() and (each / "cwd").resolve() == folder:
                found[int(each.name)] = (each / "cmdline").read_text().replace("\0", " ")
        except OSError:  # It has ended meanwhile, or is another user's.
            continue
    return found


def nothing_is_left(folder: Path) -> bool:
    deadline = time.monotonic() + 10
    while (left := processes_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return not left


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_the_bytes_are_the_same_on_any_engine_whatever_is_killed(folder: Path) -> None:
    bench(folder, "execution.workers=2", "results=local")
    expected = stored_bytes(folder, "local")
    for workers in (1, 3):
        bench(folder, "execution=dask", f"execution.workers={workers}", f"results=dask-{workers}")
        assert stored_bytes(folder, f"dask-{workers}") == expected
        assert nothing_is_left(folder)
    assert not list((folder.parent / "cache/states").iterdir())

    running = subprocess.Popen(
        [*COMMAND, "execution=dask", "execution.workers=2", "results=workers-killed"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed = 0
    while running.poll() is None:
        time.sleep(2)
        workers_now = [pid for pid, line in processes_in(folder).items() if "dask_local_worker" in line]
        if running.poll() is None and workers_now and killed < 4:
            os.kill(workers_now[killed % len(workers_now)], signal.SIGKILL)
            killed += 1
    assert running.returncode == 0, running.stderr.read() if running.stderr else ""
    assert killed >= 2
    assert stored_bytes(folder, "workers-killed") == expected
    assert nothing_is_left(folder)


@pytest.mark.parametrize("engines", [("dask", "local"), ("local", "dask")])
def test_what_is_killed_on_one_engine_is_finished_on_another(folder: Path, engines: tuple[str, str]) -> None:
    first, second = engines
    bench(folder, "results=whole")
    running = subprocess.Popen(
        [*COMMAND, f"execution={first}", "execution.workers=2", "results=killed"],
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list((folder / "killed").rglob("*.journal")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    running.kill()
    running.wait()
    assert nothing_is_left(folder)
    assert list((folder / "killed").rglob("*.journal"))
    states = folder.parent / "cache/states"
    assert (first == "dask") == (states.exists() and len(list(states.glob("*/state"))) == 1)
    bench(folder, f"execution={second}", "execution.workers=2", "results=killed")
    bench(folder, "execution=dask", "execution.workers=1", "results=another")
    assert not list(states.iterdir())
    assert stored_bytes(folder, "killed") == stored_bytes(folder, "whole")
