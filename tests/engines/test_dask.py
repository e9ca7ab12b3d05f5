"""The engine of Dask: each unit ends as on the local engine, and workers may be lost."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from left_states import leave_state

pytest.importorskip("distributed")

from small_tasks import text_task
from units import Counting, fail

from bench.data.task import Task
from bench.engines.dask import DaskEngine
from bench.engines.dask_certificates import CERTIFICATE, KEY, write_certificates
from bench.engines.dask_cluster import ClusterPlace, LocalWorker
from bench.engines.dask_security import secured
from bench.engines.dask_worker import Opened
from bench.engines.engine import Died, Failed, Lost, TimedOut, Unit, Value, outcome_of
from bench.engines.plain import PlainError, decode, encode
from bench.engines.processes import Process
from bench.errors import BenchError, UserError
from bench.results.cell import CellResult, Trial


@pytest.fixture(scope="module")
def engine() -> Iterator[DaskEngine]:
    with DaskEngine(ClusterPlace(workers=1), state=Unit(Counting, (5,))) as engine:
        yield engine


def with_state(state: Counting, kind: str) -> object:
    return fail(kind)


def waiting(state: Counting, seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def kill_the_worker(state: Counting) -> None:
    worker = multiprocessing.parent_process()
    assert worker is not None
    assert worker.pid is not None
    os.kill(worker.pid, 9)
    time.sleep(60)


def kill_the_server(state: Counting) -> None:
    os.kill(os.getppid(), 9)


def test_the_state_is_made_once_a_process(engine: DaskEngine) -> None:
    first, second = outcome_of(engine, Unit(Counting.next)), outcome_of(engine, Unit(Counting.next))
    assert isinstance(first, Value)
    assert (first.value[0], second) == (6, Value((7, first.value[1])))


def test_units_end_as_on_the_local_engine(engine: DaskEngine) -> None:
    raised = outcome_of(engine, Unit(with_state, ("raises",)))
    assert isinstance(raised, Failed)
    assert raised.told == "ValueError: no such luck"
    assert outcome_of(engine, Unit(with_state, ("-9",))) == Died(-9)
    assert outcome_of(engine, Unit(waiting, (600,), limit=0.5)) == TimedOut(0.5)


def test_a_cancelled_unit_is_stopped(engine: DaskEngine) -> None:
    number = engine.submit(Unit(waiting, (600,)))
    time.sleep(0.5)
    engine.cancel(number)
    started = time.monotonic()
    assert isinstance(outcome_of(engine, Unit(waiting, (0,))), Value)
    assert time.monotonic() - started < 10


def test_many_short_units_all_have_an_outcome(engine: DaskEngine) -> None:
    numbers = [engine.submit(Unit(waiting, (0.001,))) for _ in range(100)]
    assert sorted(number for number, _ in engine.outcomes()) == numbers


@pytest.mark.slow
@pytest.mark.parametrize("limit", [None, 0.5])
def test_of_units_that_are_sent_together_just_the_one_to_blame_fails(engine: DaskEngine, limit: float | None) -> None:
    for _ in range(10):
        outcome_of(engine, Unit(waiting, (0.001,)))
    bad = Unit(with_state, ("-9",)) if limit is None else Unit(waiting, (600,), limit=limit)
    units = [bad if place == 7 else Unit(waiting, (0.001,), limit=limit and 60.0) for place in range(20)]
    numbers = [engine.submit(unit) for unit in units]
    ended = dict(engine.outcomes())
    assert ended.pop(numbers[7]) == (Died(-9) if limit is None else TimedOut(limit))
    assert len(ended) == 19
    assert all(isinstance(outcome, Value) for outcome in ended.values())


def test_a_worker_goes_on_after_many_long_units(engine: DaskEngine) -> None:
    for _ in range(10):
        assert isinstance(outcome_of(engine, Unit(waiting, (0.2,))), Value)
    assert len(engine.wanting()) == 1


@pytest.mark.slow
def test_a_worker_that_is_lost_ends_its_unit_and_another_takes_its_place(engine: DaskEngine) -> None:
    assert isinstance(outcome_of(engine, Unit(kill_the_worker)), Lost)
    assert isinstance(outcome_of(engine, Unit(waiting, (0,))), Value)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
def test_workers_are_forked_from_the_server_of_the_command_and_outlive_it(engine: DaskEngine) -> None:
    first = outcome_of(engine, Unit(server_of_a_worker))
    assert isinstance(first, Value)
    assert first.value[0] == first.value[1] == vars(forkserver._forkserver)["_forkserver_pid"]
    outcome_of(engine, Unit(kill_the_server))
    outcome_of(engine, Unit(kill_the_worker))
    for _ in range(2):
        assert isinstance(outcome_of(engine, Unit(waiting, (0,))), Value)


def server_of_a_worker(state: Counting) -> tuple[int, int]:
    """The parents, as the system has it, of this process and of its worker."""
    worker = multiprocessing.parent_process()
    assert worker is not None
    status = Path(f"/proc/{worker.pid}/stat").read_text()
    return os.getppid(), int(status.rpartition(")")[2].split()[1])


@pytest.mark.parametrize("address", ["tcp://10.0.0.5:8786", "10.0.0.5:8786", "tcp://0.0.0.0:8786", "node:8786"])
def test_another_machine_is_not_reached_without_encryption(address: str) -> None:
    with pytest.raises(UserError, match="bench cluster certificates"):
        secured(address, None, insecure=False)
    secured(address, None, insecure=True)


def test_loopback_needs_no_certificate() -> None:
    assert secured("127.0.0.1:8786", None, insecure=False)[0] == "tcp://127.0.0.1:8786"


def test_certificates_are_for_their_owner_alone_and_not_overwritten(tmp_path: Path) -> None:
    write_certificates(tmp_path / "made")
    for name in (CERTIFICATE, KEY):
        assert (tmp_path / "made" / name).stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_certificates(tmp_path / "made")
    address, security = secured("10.0.0.5:8786", tmp_path / "made", insecure=False)
    assert (address, security.require_encryption) == ("tls://10.0.0.5:8786", True)


def test_a_result_is_the_same_after_its_way_as_plain_data() -> None:
    frame = pd.DataFrame({"id": ["a", "نص"], "p_1": [0.1, float("nan")], "n": [1, 2]})
    result = CellResult(2, params={"C": 0.1}, trials=[Trial(0, {"C": 0.1}, 0.3)], predictions=frame, estimator=b"\0x")
    got = decode(encode(result))
    assert got.predictions is not None
    pd.testing.assert_frame_equal(got.predictions, frame)
    got.predictions = result.predictions = None
    assert got == result


@pytest.mark.parametrize("value", [lambda: 1, object(), UserError])
def test_what_is_no_plain_data_is_not_sent(value: object) -> None:
    with pytest.raises(PlainError):
        encode(value)


def test_data_that_name_another_class_make_nothing() -> None:
    for name in ("bench.engines.plain", "subprocess"):
        head = f'[{{"record":["{name}","Popen",{{}}]}},[]]'.encode()
        with pytest.raises(PlainError):
            decode(len(head).to_bytes(8, "little") + head)


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_state_is_sent_it_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.engines import dask_state

    opened = []

    def unseen(state: Unit, path: Path) -> list[dask_state.SharedFile]:
        (file,) = dask_state.write_state(state, path)
        opened.append(path.open("rb"))
        return [replace(file, path=f"/proc/self/fd/{opened[0].fileno()}")]

    monkeypatch.setattr("bench.engines.dask.write_state", unseen)
    data = os.urandom(20_000_000)
    with DaskEngine(ClusterPlace(workers=1), state=Unit(hashlib.sha256, (data,))) as engine:
        assert outcome_of(engine, Unit(digest)) == Value(hashlib.sha256(data).hexdigest())
    opened[0].close()


def digest(state: Any) -> str:
    return str(state.hexdigest())


def test_a_task_in_a_file_that_a_worker_does_not_see_is_sent_with_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.engines import dask_state

    opened: list[int] = []
    paths: list[str] = []

    def unseen(state: Unit, path: Path) -> list[dask_state.SharedFile]:
        files = dask_state.write_state(state, path)
        paths.extend(file.path for file in files)
        assert not any(each.encode() in path.read_bytes() for each in paths)
        opened.extend(os.open(each, os.O_RDONLY) for each in paths)
        return [replace(file, path=f"/proc/self/fd/{each}") for file, each in zip(files, opened, strict=True)]

    monkeypatch.setattr("bench.engines.dask.write_state", unseen)
    monkeypatch.setattr("bench.data.mapped.LARGE", 0)
    task = text_task(n_groups=4, per_group=9)
    with DaskEngine(ClusterPlace(workers=1), state=Unit(same, (task,))) as engine:
        assert len(paths) == 2
        got = outcome_of(engine, Unit(texts_of))
    assert got == Value(texts_of(task))
    for each in opened:
        os.close(each)


def same(task: Task) -> Task:
    return task


def texts_of(task: Task) -> dict[str, list[str]]:
    return {str(name): values.tolist() for name, values in task.examples.items()}


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["in time", "too slowly"])
def test_workers_that_never_start_end_the_engine_and_it_says_why(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    if ending == "too slowly":
        monkeypatch.setattr("bench.engines.dask_cluster.PATIENCE", 0.0)
    unreadable = dict.fromkeys(("tls_ca_file", "tls_worker_cert", "tls_worker_key"), "no certificate\n")
    monkeypatch.setattr("bench.engines.dask_cluster.pems", lambda security: unreadable)
    with (
        pytest.raises(BenchError, match=r"No Dask worker starts on this machine: \w*Error: "),
        DaskEngine(ClusterPlace(workers=2)) as engine,
    ):
        engine.submit(Unit(os.getpid))
        list(engine.outcomes(within=60))


def test_a_worker_whose_start_is_broken_off_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.engines.dask_cluster.work", staying)

    async def break_off() -> Process | None:
        worker = LocalWorker("tls://127.0.0.1:1", name=0, pems={}, working=None)
        starting = asyncio.create_task(worker.start())
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])
        await worker.close()
        return worker._process

    process = asyncio.run(break_off())
    assert process is not None
    assert not process.is_alive()


def staying(*given: object) -> None:
    time.sleep(600)


def test_why_a_later_worker_gets_no_work_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.engines.dask_link import Link

    async def fail_to_send(self: Link, address: str, place: int) -> None:
        raise OSError("the line is cut")

    monkeypatch.setattr(Link, "_send_file", fail_to_send)
    monkeypatch.setattr("bench.engines.dask_link._opened", lambda reply: Opened("", 1, {}, (0,)))
    noted: list[str] = []
    with DaskEngine(ClusterPlace(workers=1), note=noted.append):  # Its worker is not there yet as the engine opens.
        deadline = time.monotonic() + 60
        while not any("given no work" in each for each in noted) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert any("is given no work: OSError: the line is cut" in each for each in noted)


def test_the_folder_of_a_state_goes_with_its_process(tmp_path: Path) -> None:
    from bench.engines.state_folder import StateFolder

    held = StateFolder(tmp_path)
    leave_state(tmp_path)
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2
    other = StateFolder(tmp_path)
    assert {path for path in tmp_path.iterdir() if path.is_dir()} == {held.path, other.path}
    held.remove()
    other.remove()
    assert not list(tmp_path.iterdir())
