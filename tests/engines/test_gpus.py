"""Each worker process sees one GPU, in turn, on every engine; the GPUs are stand-ins, told by a variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from importing import same_path

from bench.engines.engine import Engine, Unit, Value
from bench.engines.gpus import STAND_IN, VISIBLE, gpus
from bench.engines.local import LocalEngine


@pytest.fixture(autouse=True)
def three_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setenv(STAND_IN, "3")


def seen(seconds: float) -> tuple[int, str]:
    time.sleep(seconds)
    return os.getpid(), os.environ.get(VISIBLE, "all")


def seen_on(engine: Engine, workers: int) -> Counter[str]:
    """What the processes of an engine see, once all of them have run a unit."""
    found: dict[int, str] = {}
    deadline = time.monotonic() + 60
    while len(found) < workers and time.monotonic() < deadline:
        for _ in range(2 * workers):
            engine.submit(Unit(seen, (0.1,)))
        for _, outcome in engine.outcomes():
            assert isinstance(outcome, Value)
            process, visible = outcome.value
            assert found.setdefault(process, visible) == visible
    return Counter(found.values())


def test_workers_of_this_machine_see_one_gpu_each_in_turn() -> None:
    with LocalEngine(5) as engine:
        assert seen_on(engine, 5) == {"0": 2, "1": 2, "2": 1}


def test_only_gpus_that_the_command_sees_are_dealt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "4,GPU-7f")
    with LocalEngine(2) as engine:
        assert seen_on(engine, 2) == {"4": 1, "GPU-7f": 1}


def test_a_worker_that_takes_the_place_of_another_sees_the_same_gpu() -> None:
    with LocalEngine(1) as engine:
        for _ in range(2):
            number = engine.submit(Unit(os._exit, (3,)))
            assert number in dict(engine.outcomes())
            assert seen_on(engine, 1) == {"0": 1}


@pytest.mark.parametrize("visible", ["", "-1", "-1,0"])
def test_a_command_that_sees_no_gpu_deals_none(monkeypatch: pytest.MonkeyPatch, visible: str) -> None:
    monkeypatch.setenv(VISIBLE, visible)
    assert gpus() == ()
    with LocalEngine(1) as engine:
        assert seen_on(engine, 1) == {visible: 1}


def test_gpus_are_those_that_the_driver_lists(tmp_path: Path) -> None:
    for name in ("0000:17:00.0", "0000:65:00.0"):
        (tmp_path / name).mkdir()
    assert gpus({}, tmp_path) == ("0", "1")
    assert gpus({}, tmp_path / "no driver") == ()


def test_the_cpu_hides_all() -> None:
    with LocalEngine(2, "cpu") as engine:
        assert seen_on(engine, 2) == {"": 2}


@pytest.mark.slow
def test_workers_of_a_dask_cluster_of_this_machine_see_one_gpu_each() -> None:
    pytest.importorskip("distributed")
    from bench.engines.dask import DaskEngine
    from bench.engines.dask_cluster import ClusterPlace

    with DaskEngine(ClusterPlace(workers=3)) as engine:
        assert seen_on(engine, 3) == {"0": 1, "1": 1, "2": 1}


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A scheduler that is started by hand, with the address that it prints."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    words = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    process = subprocess.Popen([sys.executable, "-m", "dask", *words], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    yield str(file)
    process.kill()
    process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("resources", "expected"), [(None, {"0": 2, "1": 1, "2": 1}), ("GPU=2", {"0": 2, "1": 2}), ("GPU=0", {"": 4})]
)
def test_a_worker_of_dask_uses_as_many_gpus_as_its_resources_say(
    scheduler: str, tmp_path: Path, resources: str | None, expected: dict[str, int]
) -> None:
    from bench.engines.dask import DaskEngine
    from bench.engines.dask_cluster import ClusterPlace

    given = () if resources is None else ("--resources", resources)
    words = ("worker", "--scheduler-file", scheduler, "--nthreads", "4", "--no-dashboard", "--memory-limit", "0")
    worker = subprocess.Popen(
        [sys.executable, "-m", "dask", *words, *given],
        cwd=tmp_path,
        env={**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False", "PYTHONPATH": same_path()},
        stderr=subprocess.DEVNULL,
    )
    try:
        with DaskEngine(ClusterPlace(json.loads(Path(scheduler).read_text())["address"])) as engine:
            assert seen_on(engine, 4) == expected
    finally:
        worker.terminate()
        worker.wait(20)
