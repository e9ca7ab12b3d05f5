"""What a run tells while it goes on: phases, finished folds, time left, the best so far."""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from stored import a_record

from bench.cli.resumable import resumable
from bench.config import Search
from bench.metrics.f1 import MACRO_F1
from bench.planning.planned import Plan
from bench.planning.time_left import TimeLeft, in_good_order
from bench.reporting.progress import Progress
from bench.reporting.status import EVERY, FIRST, NEXT, Status
from bench.results.cell import FINAL, CellResult
from bench.results.record import RunRecord

TASK = SimpleNamespace(name="stance", metric="macro_f1", scored_by=MACRO_F1)


@dataclass(eq=False)
class Run:
    """A planned run of which the progress reads no more than this."""

    model: str
    folds: int = 5
    task: Any = field(default_factory=lambda: TASK)
    record: RunRecord = field(default_factory=a_record)
    fits_at_once: int = 1

    @property
    def evaluation(self) -> Any:
        splits = [SimpleNamespace(train=range(80))] * self.folds
        return SimpleNamespace(
            model=SimpleNamespace(name=self.model),
            task=self.task,
            splits=splits,
            final_rows=range(100),
            search=Search("quick", 10),
            fits_at_once=self.fits_at_once,
        )

    @property
    def outer_folds(self) -> list[int]:
        return list(range(self.folds))

    @property
    def all_folds(self) -> list[Any]:
        return [*self.outer_folds, FINAL]


def result(fold: Any, score: float | None = None, seconds: float = 1.0) -> CellResult:
    scores = {} if score is None else {"macro_f1": score}
    return CellResult(fold=fold, status="ok", scores=scores, seconds={"fit": seconds})


def cells_of(runs: list[Any]) -> list[tuple[Any, Any]]:
    return in_good_order((run, fold) for run in reversed(runs) for fold in reversed(run.all_folds))


def shown(progress: Progress, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(progress.render(width))
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _speaking(_no_word_of_slow_phases: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.reporting.status.FIRST", FIRST)
    monkeypatch.setattr("bench.reporting.status.NEXT", NEXT)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock, to be set."""
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    return clock


def test_in_a_file_a_long_phase_is_told_within_a_second_and_again_every_half_minute(now: list[float]) -> None:
    stream = io.StringIO()
    status = Status("examining models", stream)
    spoken = []
    for second in range(100):
        now[0] = 1000.0 + second
        before = stream.getvalue()
        status.tell_if_due(now[0])
        if stream.getvalue() != before:
            spoken.append(second)
    assert spoken == [FIRST, FIRST + EVERY, FIRST + 2 * EVERY, FIRST + 3 * EVERY]
    assert stream.getvalue().splitlines()[:2] == ["examining models", "examining models (31 s)"]


def test_in_a_file_another_phase_is_told_sooner_and_a_short_command_tells_nothing(now: list[float]) -> None:
    stream = io.StringIO()
    status = Status("reading", stream)
    now[0] += FIRST / 2
    status.tell_if_due(now[0])
    assert stream.getvalue() == ""
    now[0] += FIRST
    status.tell_if_due(now[0])
    status.doing("checking")
    now[0] += NEXT - 1
    status.tell_if_due(now[0])
    assert stream.getvalue() == "reading\n"
    now[0] += 1
    status.tell_if_due(now[0])
    assert stream.getvalue() == "reading\nchecking (5 s)\n"


def test_a_phase_is_told_while_the_command_is_busy() -> None:
    stream = io.StringIO()
    with Status("loading", stream):
        deadline = time.monotonic() + 20
        while not stream.getvalue() and time.monotonic() < deadline:
            sum(range(1000))
    assert stream.getvalue() == "loading\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_the_line_moves_at_once_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    with Status("reading and checking the task of a very long name", stream) as status:
        first = stream.getvalue()
        status.say("note: one example is left out")
    assert "reading and checking the task" in first
    assert "…" in first
    assert "note: one example is left out" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K") or "\x1b[1A" in stream.getvalue().rpartition("reading")[2]


@pytest.mark.parametrize("stream", [None, Terminal(), io.StringIO()])
def test_a_stream_that_is_closed_stops_no_work(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if stream is None:
        monkeypatch.setattr("sys.stderr", None)
    else:
        stream.close()
    with Status("reading", stream) as status:
        status.say("note")
        status.tell_if_due(time.monotonic() + 100)


def test_each_finished_fold_is_a_line_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    runs: list[Any] = [Run("majority", 2), Run("logreg", 2)]
    progress = Progress()
    progress._stream = stream
    progress.planned(Plan(runs, ["two texts repeat"]), cells_of(runs))
    progress.finished(runs[1], result(1, 0.5, 40.0))
    progress.finished(runs[0], result(1, 0.25, 40.0))
    progress.finished(runs[0], CellResult(fold=0, status="failed", error="it broke"))
    assert stream.getvalue().splitlines() == [
        "note: two texts repeat",
        "stance: 2 runs, 6 of 6 folds to do",
        "stance: logreg, fold 1: macro-F1 0.500, 40 s; 1 of 6 folds done",
        "stance: majority, fold 1: macro-F1 0.250, 40 s; 2 of 6 folds done, about 3 minutes left",
        "stance: majority, fold 0: failed; 3 of 6 folds done, about 2 minutes left",
    ]


def test_the_best_is_told_on_the_folds_that_all_have() -> None:
    runs: list[Any] = [Run("easy-fold"), Run("steady")]
    progress = Progress()
    progress.planned(Plan(runs), cells_of(runs))
    for fold, score in enumerate([0.9, 0.2, 0.2]):
        progress.finished(runs[0], result(fold, score))
    assert "easy-fold macro-F1 0.433 on 3 folds" in shown(progress, 120)
    progress.finished(runs[1], result(1, 0.3))
    assert "best of 2 on 1 fold: steady macro-F1 0.300" in shown(progress, 120)
    progress.finished(runs[1], result(0, 0.6))
    assert "best of 2 on 2 folds: easy-fold macro-F1 0.550" in shown(progress, 120)


@pytest.mark.parametrize("width", [40, 44, 60, 80, 120])
def test_the_moving_line_keeps_to_the_width_and_to_the_count(width: int) -> None:
    runs: list[Any] = [Run("a-model-with-quite-a-long-name"), Run("steady")]
    progress = Progress()
    progress.planned(Plan(runs), cells_of(runs))
    for run in runs:
        progress.finished(run, result(0, 0.5, 300.0))
    line = shown(progress, width)
    assert line.count("\n") == 1
    assert len(line.rstrip()) <= width
    assert "2 of 12 folds done" in line
    assert ("about 52 minutes left" in line) == (width >= 41)
    assert ("best of 2 on 1 fold" in line) == (width > 80)


def test_ctrl_c_while_planning_says_what_was_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    from click.exceptions import Exit

    progress = Progress()
    progress.doing("estimating how long finetune takes on stance")
    with pytest.raises(Exit) as ended, resumable("run", [], Path("results"), progress):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == ("Stopped while estimating how long finetune takes on stance. Nothing was run.\n")


def test_a_scored_fold_of_each_model_comes_first_and_nothing_is_lost() -> None:
    runs = [Run("majority", 2), Run("logreg", 2), Run("finetune", 2)]
    order = [(run.model, fold) for run, fold in cells_of(runs)]
    assert order[:3] == [("finetune", 1), ("logreg", 1), ("majority", 1)]
    assert order[3:5] == [("finetune", FINAL), ("finetune", 0)]
    assert sorted(map(str, order)) == sorted(str((run.model, fold)) for run in runs for fold in run.all_folds)


def test_no_time_is_told_while_a_model_has_shown_none() -> None:
    runs: list[Any] = [Run("majority"), Run("finetune")]
    left = TimeLeft(cells_of(runs), workers=1)
    left.finished(runs[0], 0, 0.8)
    assert left.seconds() is None
    left.finished(runs[1], 0, 0.0)  # killed: it has shown nothing
    assert left.seconds() is None
    left.finished(runs[1], 1, 80.0)
    assert left.seconds() == pytest.approx((4 * 80 + 100) * 0.01 + (3 * 80 + 100) * 1.0)


costs = st.lists(st.floats(0.1, 1000.0), min_size=1, max_size=6)


@given(costs, st.integers(1, 4), st.floats(0.0, 0.2))
def test_the_time_left_is_near_and_does_not_jump(seconds: list[float], workers: int, uneven: float) -> None:
    runs = [Run(f"model-{number}") for number in range(len(seconds))]
    cells = cells_of(runs)
    takes = dict(zip(runs, seconds, strict=True))
    left = TimeLeft(cells, workers)
    waiting, clock = list(cells), 0.0
    running: list[Any] = []
    told: list[tuple[float, float]] = []
    while waiting or running:
        while waiting and len(running) < workers:
            run, fold = waiting.pop(0)
            rows = 100 if fold == FINAL else 80
            cost = takes[run] * rows * (1 + uneven * (-1) ** len(waiting))
            running.append((clock + cost, cost, run, fold))
        running.sort(key=lambda cell: cell[0])
        clock, cost, run, fold = running.pop(0)
        left.finished(run, fold, cost)
        if (known := left.seconds()) is not None:
            told.append((clock, clock + known))
    end = clock
    longest = max(seconds) * 100 * (1 + uneven)
    assert told[-1][1] == pytest.approx(end)
    for at, expected in told:
        # Cells that are half done count whole, and the last cells leave workers idle: one of the longest, each.
        assert expected <= end + uneven * 3 * (end - at) + longest + 1e-6
        assert expected >= at + (end - at) * (1 - 3 * uneven) - longest - 1e-6


def test_cells_on_a_gpu_take_turns() -> None:
    record = a_record()
    run: Any = Run("finetune", record=replace(record, environment=replace(record.environment, device="cuda (H100)")))
    left = TimeLeft(cells_of([run]), workers=8)
    left.finished(run, 0, 80.0)
    assert left.seconds() == pytest.approx(4 * 80 + 100)


def test_a_cell_whose_fits_run_side_by_side_takes_less_time() -> None:
    run: Any = Run("logreg", fits_at_once=24)
    left = TimeLeft(cells_of([run]), workers=8)
    left.finished(run, 0, 80.0)
    assert left.seconds() == pytest.approx((4 * 80 + 100) / 8)


def test_a_log_is_told_once_a_minute_how_a_search_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr("bench.reporting.progress.time", SimpleNamespace(monotonic=lambda: now))
    run: Any = Run("finetune")
    with Progress() as progress:
        progress.planned(Plan([run]), cells_of([run]))
        progress.tried(run, 0, 3)
        now += 61
        progress.tried(run, 0, 4)
        progress.tried(run, FINAL, 5)
        now += 61
        progress.tried(run, FINAL, 6)
    told = [line for line in capsys.readouterr().err.splitlines() if "settings" in line]
    assert [line.partition(": ")[2] for line in told] == [
        "finetune, fold 0: 4 of 10 settings tried",
        "finetune, final fit: 6 of 10 settings tried",
    ]


def test_phases_of_planning_are_told(tmp_path: Path) -> None:
    from bench.config import compose
    from bench.planning.plan import plan

    told: list[str] = []
    plan(compose(["task=denial", "model=complement-nb", "tracking=false", f"results={tmp_path}"]), told.append)
    assert told == [
        "reading and checking the task denial",
        "loading libraries",
        "examining majority on denial (1 of 2)",
        "examining complement-nb on denial (2 of 2)",
        "looking for what is stored",
    ]
    assert not [line for line in told if re.search(r"[A-Z.]$", line)]
