"""The engine: each unit ends in a value, an error, a death or at its limit, and touches no other."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import util
from pathlib import Path
from typing import Any

import pytest
from pebble import ProcessPool
from pebble.pool.process import PoolManager
from units import Counting, fail

from bench.engines.engine import Died, Engine, Failed, TimedOut, Unit, UnreadableError, Value, outcome_of, value_of
from bench.engines.local import LocalEngine


def echo(value: Any, seconds: float = 0) -> Any:
    time.sleep(seconds)
    return value


def printing(value: str, closed: bool) -> str:
    if closed:
        os.close(1)
    print(value, flush=True)
    return value


def spinning() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def dying_later() -> None:
    threading.Timer(0.2, os._exit, (6,)).start()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with LocalEngine() as engine:
        yield engine


def test_a_unit_returns_its_value(engine: Engine) -> None:
    assert outcome_of(engine, Unit(echo, ({"a": [1]},), limit=60)) == Value({"a": [1]})


def test_a_unit_that_raises_gives_the_error_and_where(engine: Engine) -> None:
    outcome = outcome_of(engine, Unit(fail, ("raises",)))
    assert isinstance(outcome, Failed)
    assert outcome.told == "ValueError: no such luck"
    assert 'raise ValueError("no such luck")' in outcome.traceback
    with pytest.raises(ValueError, match="no such luck"):
        value_of(outcome)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("oddly", "OddError: one and two"),
        ("lambda", "function does not pickle: "),
        ("unreadable", "the returned value does not unpickle: ValueError: "),
    ],
)
def test_what_does_not_pickle_is_an_error_in_words(engine: Engine, kind: str, told: str) -> None:
    outcome = outcome_of(engine, Unit(fail, (kind,)))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, UnreadableError)
    assert outcome.told.startswith(told)
    assert outcome_of(engine, Unit(echo, (1,))) == Value(1)


def test_a_unit_that_cannot_be_sent_is_refused(engine: Engine) -> None:
    with pytest.raises(Exception, match="pickle"):
        engine.submit(Unit(lambda: 1))
    assert outcome_of(engine, Unit(echo, (1,))) == Value(1)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("0", 0),
        ("3", 3),
        ("-9", -9),
        ("-11", -11),
        ("-15", -15),
        ("exit", 4),
        ("words", 1),
        ("interrupt", 1),
        ("deadly", 5),
    ],
)
def test_a_unit_that_ends_its_process_is_told_with_the_status_and_the_next_runs(
    engine: Engine, kind: str, status: int
) -> None:
    assert outcome_of(engine, Unit(fail, (kind,))) == Died(status)
    assert outcome_of(engine, Unit(echo, (1,))) == Value(1)


@pytest.mark.parametrize("unit", [Unit(echo, (1, 600), limit=0.5), Unit(spinning, limit=0.5)])
def test_a_unit_is_stopped_at_its_limit_also_where_it_takes_no_signal(engine: Engine, unit: Unit) -> None:
    outcome_of(engine, Unit(echo, (1,)))
    started = time.monotonic()
    assert outcome_of(engine, unit) == TimedOut(0.5)
    assert time.monotonic() - started < 3
    assert outcome_of(engine, Unit(echo, (1,))) == Value(1)


def test_the_time_of_a_unit_begins_when_it_starts() -> None:
    with LocalEngine() as engine:
        numbers = [engine.submit(Unit(echo, (n, 0.5), limit=1.5)) for n in range(4)]
        assert [(number, Value(n)) for n, number in enumerate(numbers)] == list(engine.outcomes())


def test_a_worker_that_dies_between_units_is_replaced() -> None:
    with LocalEngine() as engine:
        assert outcome_of(engine, Unit(dying_later)) == Value(None)
        time.sleep(1)
        assert outcome_of(engine, Unit(echo, (1,))) == Value(1)


def until(path: Path) -> str:
    while not path.exists():
        time.sleep(0.01)
    return "slow"


def test_a_unit_that_comes_in_the_instant_in_which_its_worker_dies_has_an_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LocalEngine() as engine:
        worker = value_of(outcome_of(engine, Unit(os.getpid)))
        taken = threading.Event()
        abort = PoolManager.handle_broken_pool

        def told(manager: PoolManager, error: BrokenProcessPool) -> None:
            abort(manager, error)
            taken.set()

        monkeypatch.setattr(PoolManager, "handle_broken_pool", told)
        schedule = ProcessPool.schedule

        def late(pool: ProcessPool, *args: Any, **given: Any) -> Any:
            os.kill(worker, signal.SIGKILL)
            assert taken.wait(10)
            with monkeypatch.context() as patched:
                patched.setattr(ProcessPool, "_check_pool_status", lambda pool: None)
                return schedule(pool, *args, **given)

        with monkeypatch.context() as patched:
            patched.setattr(ProcessPool, "schedule", late)
            number = engine.submit(Unit(echo, (1,)))
        assert dict(engine.outcomes(within=30)) == {number: Died(-9)}
        assert outcome_of(engine, Unit(echo, (2,))) == Value(2)


def test_a_process_that_cannot_be_started_is_an_error_of_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(process: Any) -> None:
        raise OSError("no more processes")

    with LocalEngine() as engine:
        with monkeypatch.context() as full:
            full.setattr("bench.engines.processes.Process.start", refused)
            outcome = outcome_of(engine, Unit(echo, (1,)))
        assert isinstance(outcome, Failed)
        assert outcome.told == "OSError: no more processes"
        assert outcome_of(engine, Unit(echo, (1,))) == Value(1)


def test_outcomes_come_as_units_end_and_each_has_its_own(tmp_path: Path) -> None:
    with LocalEngine(at_once=2) as engine:
        assert engine.at_once == 2
        slow, quick = engine.submit(Unit(until, (tmp_path / "last",))), engine.submit(Unit(echo, ("quick",)))
        died, last = engine.submit(Unit(fail, ("-9",))), engine.submit(Unit(echo, ("last",)))
        ended = []
        for number, outcome in engine.outcomes():
            ended.append((number, outcome))
            if number == last:
                (tmp_path / "last").touch()
    assert ended == [(quick, Value("quick")), (died, Died(-9)), (last, Value("last")), (slow, Value("slow"))]


@pytest.mark.slow
def test_many_units_of_every_kind_all_have_an_outcome() -> None:
    units = [Unit(fail, ("3",)) if n % 10 == 0 else Unit(echo, (n,)) for n in range(100)]
    with LocalEngine(at_once=3) as engine:
        numbers = [engine.submit(unit) for unit in units]
        outcomes = dict(engine.outcomes())
    expected = [Died(3) if n % 10 == 0 else Value(n) for n in range(100)]
    assert [outcomes[number] for number in numbers] == expected


def test_a_large_value_comes_whole(engine: Engine) -> None:
    assert outcome_of(engine, Unit(bytes, (50_000_000,))) == Value(bytes(50_000_000))


def test_cancelled_units_have_no_outcome_and_stop(tmp_path: Path) -> None:
    with LocalEngine(at_once=1) as engine:
        running = engine.submit(Unit(echo, ("running", 600)))
        waiting, last = engine.submit(Unit(echo, ("waiting", 600))), engine.submit(Unit(echo, ("last",)))
        time.sleep(0.5)
        engine.cancel(waiting)
        engine.cancel(running)
        assert list(engine.outcomes()) == [(last, Value("last"))]
        engine.cancel(last)


def test_outcomes_are_waited_for_no_longer_than_asked() -> None:
    with LocalEngine() as engine:
        number = engine.submit(Unit(echo, (1, 1.5)))
        assert list(engine.outcomes(within=0.1)) == []
        assert list(engine.outcomes()) == [(number, Value(1))]


def test_a_state_is_made_once_a_process_and_anew_after_a_death() -> None:
    with LocalEngine(state=Unit(Counting, (5,))) as engine:
        first = value_of(outcome_of(engine, Unit(Counting.next)))
        second = value_of(outcome_of(engine, Unit(Counting.next)))
        assert (first[0], second) == (6, (7, first[1]))
        assert outcome_of(engine, Unit(dying_with)) == Died(3)
        count, process = value_of(outcome_of(engine, Unit(Counting.next)))
        assert (count, process == first[1]) == (6, False)


def dying_with(state: Counting) -> None:
    os._exit(3)


def test_a_state_that_cannot_be_made_fails_each_unit() -> None:
    with LocalEngine(state=Unit(fail, ("raises",))) as engine:
        outcomes = [outcome_of(engine, Unit(echo, (1,))) for _ in range(2)]
    assert [isinstance(outcome, Failed) and outcome.told for outcome in outcomes] == ["ValueError: no such luck"] * 2


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("fresh", [False, True])
def test_printing_does_no_harm(closed: bool, fresh: bool) -> None:
    with LocalEngine(fresh=fresh) as engine:
        assert outcome_of(engine, Unit(printing, ("نص", closed))) == Value("نص")


def test_a_fresh_process_has_its_own_hashes_and_may_have_children(engine: Engine) -> None:
    with LocalEngine(fresh=True) as fresh:
        assert value_of(outcome_of(fresh, Unit(hash, ("نص",)))) != value_of(outcome_of(engine, Unit(hash, ("نص",))))
        assert outcome_of(fresh, Unit(nested)) == Value(3)
    refused = outcome_of(engine, Unit(nested))
    assert isinstance(refused, Failed)
    assert "daemonic processes are not allowed to have children" in refused.told


def test_a_fresh_process_does_not_run_the_script_that_starts_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import math, sys\nfrom bench.engines.engine import Unit, outcome_of\n"
        "from bench.engines.local import LocalEngine\nmain = sys.modules['__main__']\n"
        "with LocalEngine(fresh=True) as engine:\n"
        "    print(outcome_of(engine, Unit(math.factorial, (5,))), sys.modules['__main__'] is main)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "Value(value=120) True\n"


def test_engines_import_nothing_of_the_rooms_above_them() -> None:
    for path in (Path(__file__).parents[2] / "bench" / "engines").glob("*.py"):
        imported = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
        modules = {str(node.module) for node in imported if str(node.module).partition(".")[0] == "bench"}
        below = ("bench.engines.", "bench.support.", "bench.errors")
        assert all(module.startswith(below) for module in modules), path.name


def nested() -> int:
    with LocalEngine(fresh=True) as engine:
        value: int = value_of(outcome_of(engine, Unit(echo, (3,))))
        return value


def test_workers_have_one_thread_for_linear_algebra_and_this_process_is_as_it_was(engine: Engine) -> None:
    environment, path, modules = dict(os.environ), list(sys.path), set(sys.modules)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        assert outcome_of(engine, Unit(os.getenv, (variable,))) == Value("1")
    with LocalEngine(fresh=True) as fresh:
        assert outcome_of(fresh, Unit(os.getenv, ("OMP_NUM_THREADS",))) == Value("1")
    assert (dict(os.environ), list(sys.path)) == (environment, path)
    assert not {name for name in set(sys.modules) - modules if not name.startswith(("multiprocessing", "_"))}


def lasting(path: Path) -> None:
    path.touch()
    util.Finalize(None, path.unlink, exitpriority=1)


@pytest.mark.parametrize("fresh", [False, True])
def test_a_worker_that_has_no_work_left_cleans_up(fresh: bool, tmp_path: Path) -> None:
    path = tmp_path / "made"
    with LocalEngine(fresh=fresh) as engine:
        assert outcome_of(engine, Unit(lasting, (path,))) == Value(None)
        assert path.exists()
    assert not path.exists()


def test_threads_of_the_engine_end_with_it() -> None:
    before = threading.active_count()
    with LocalEngine(at_once=3) as engine:
        for n in range(3):
            engine.submit(Unit(echo, (n,)))
        assert len(list(engine.outcomes())) == 3
    deadline = time.monotonic() + 10
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


SCRIPT = """
import os, sys, time
from bench.engines.engine import Unit
from bench.engines.local import LocalEngine

def main():
    with LocalEngine(2, fresh=sys.argv[1] == "fresh") as engine:
        engine.submit(Unit(os.getpid))
        ((_, first),) = engine.outcomes()
        for _ in range(2):
            engine.submit(Unit(time.sleep, (600,)))
        print(first.value, flush=True)
        list(engine.outcomes())

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("kind", ["forked", "fresh"])
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_nothing_of_a_command_that_ends_goes_on_or_stays(kind: str, sent: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    mark = f"engine-test-{os.getpid()}-{kind}-{sent}"
    root, temporary = str(Path(__file__).parents[2]), tempfile.mkdtemp(dir="/tmp")
    environment = {**os.environ, "PYTHONPATH": root, "BENCH_TEST_MARK": mark, "TMPDIR": temporary}
    process = subprocess.Popen(
        [sys.executable, str(script), kind],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    time.sleep(0.5)
    assert len(having(mark)) >= 3
    assert "/sem." not in Path(f"/proc/{process.pid}/maps").read_text()
    process.send_signal(sent)
    process.wait(20)
    deadline = time.monotonic() + 10
    while having(mark):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    Path(temporary).rmdir()


def having(mark: str) -> list[str]:
    """The processes that were started with this mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"BENCH_TEST_MARK={mark}".encode() in (folder / "environ").read_bytes():
                found.append(folder.name)
        except OSError:
            continue
    return found


def test_a_unit_goes_to_the_worker_that_it_is_meant_for() -> None:
    with LocalEngine(at_once=2, state=Unit(Counting, (0,))) as engine:
        first, second = engine.wanting()
        sent = {engine.submit(Unit(Counting.next), first): first, engine.submit(Unit(Counting.next), second): second}
        assert engine.wanting() == ()
        processes: dict[str, set[int]] = {first: set(), second: set()}
        again = [first, second, first]
        for number, outcome in engine.outcomes():
            worker = sent[number]
            processes[worker].add(value_of(outcome)[1])
            assert worker in engine.wanting()
            if worker in again:
                again.remove(worker)
                sent[engine.submit(Unit(Counting.next), worker)] = worker
        assert sorted(engine.wanting()) == sorted([first, second])
    assert [len(each) for each in processes.values()] == [1, 1]
    assert processes[first] != processes[second]
