"""The main job: plan, execute, store, sum up, track, and rank."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bench.config import RunConfig
from bench.planning.workers import warm_up
from bench.results.cell import FINAL, CellResult, Fold
from bench.results.leaderboard import write_leaderboard
from bench.results.store import to_json
from bench.running.cells import Cell, run_cells
from bench.tracking import Tracker

if TYPE_CHECKING:
    from bench.planning.plan import Plan, PlannedRun


PATIENCE = 120.0
"""Seconds to wait where another process makes the baseline that stands in every table."""


class Observer(Protocol):
    """What wants to know how a run goes on."""

    def doing(self, what: str) -> None:
        """Something that may take a while begins: a task is read, models are examined, runs are logged."""

    def planned(self, plan: Plan, cells: Sequence[tuple[PlannedRun, Fold]]) -> None:
        """All is checked; these cells are missing and will run."""

    def finished(self, run: PlannedRun, result: CellResult) -> None:
        """A cell has been stored."""


@dataclass
class Outcome:
    """What a command leaves.

    Parameters
    ----------
    leaderboards : list of dict
        One a task.
    folders : list of pathlib.Path
        Where their files are.
    failures : list of str
        One line a failed cell, with the file that holds its traceback.
    warnings : list of str
        What went wrong without touching the results, such as tracking.
    """

    leaderboards: list[dict[str, Any]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class InterruptedRun(Exception):  # noqa: N818
    """The user stopped the run.

    Parameters
    ----------
    kept : int
        Cells that are stored.
    missing : int
        Cells that the same command will run.
    """

    def __init__(self, kept: int, missing: int) -> None:
        super().__init__(kept, missing)
        self.kept, self.missing = kept, missing


def run(config: RunConfig, observer: Observer) -> Outcome:
    """Run all that a configuration asks for and is not stored yet.

    Parameters
    ----------
    config : RunConfig
        What to run.
    observer : Observer
        Told of the progress.

    Raises
    ------
    bench.errors.BenchError
        If the configuration, a task or a model is wrong, or another process works on the same run.
    InterruptedRun
        If the user stopped it; what was finished is stored.
    """
    outcome = Outcome()
    with ExitStack() as stack:
        observer.doing("starting worker processes")
        # The processes beside this one import scikit-learn and MLflow while this one imports pandas.
        warm_up()
        tracker = stack.enter_context(Tracker(config.results)) if config.tracking else None
        from bench.comparison.board import corrected_leaderboard
        from bench.planning.plan import BASELINE, plan
        from bench.planning.time_left import in_good_order

        planned = plan(config, observer.doing)
        if tracker is not None:
            tracker.open()
        for each in planned.runs:
            if each.anew or each.missing_folds():
                observer.doing(f"waiting for another process that works on {each.title}")
                named = each.evaluation.model.name in config.models
                stack.enter_context(each.folder.locked(patience=0 if named else PATIENCE))
                if each.anew:
                    each.folder.clear()
        # Models are listed from simple to costly; the costly ones first leave no worker idle at the end.
        cells = in_good_order(
            (each, fold) for each in reversed(planned.runs) for fold in reversed(each.missing_folds())
        )
        observer.planned(planned, cells)
        try:
            unfinished = {each for each, _ in cells}
            for each in planned.runs:
                if each in unfinished:
                    _start(each)
                else:
                    _conclude(each, tracker)
            # The others are tracked with how they compare to the baseline, which is stored first therefore.
            for is_baseline in (True, False):
                part = [cell for cell in cells if (cell[0].evaluation.model.name == BASELINE) is is_baseline]
                _execute(planned, part, config, observer, tracker, outcome)
        except KeyboardInterrupt:
            for each in planned.runs:
                if each.missing_folds():
                    _set_status(each, "interrupted")
            missing = sum(len(each.missing_folds()) for each in planned.runs)
            raise InterruptedRun(sum(len(each.all_folds) for each in planned.runs) - missing, missing) from None
        for task in dict.fromkeys(each.evaluation.task.name for each in planned.runs):
            record = next(each.record for each in planned.runs if each.evaluation.task.name == task)
            observer.doing(f"making the leaderboard of {task}")
            board = corrected_leaderboard(config.results, record)
            outcome.leaderboards.append(board)
            outcome.folders.append(write_leaderboard(config.results, board))
        if tracker is not None:
            observer.doing("waiting for MLflow to log the runs")
            outcome.warnings += tracker.close()
    return outcome


def _execute(
    planned: Plan,
    cells: list[tuple[PlannedRun, Fold]],
    config: RunConfig,
    observer: Observer,
    tracker: Tracker | None,
    outcome: Outcome,
) -> None:
    numbers = {id(each): number for number, each in enumerate(planned.runs)}
    waiting = Counter(numbers[id(each)] for each, _ in cells)
    evaluations = [each.evaluation for each in planned.runs]
    start = time.perf_counter()
    todo = [Cell(numbers[id(each)], fold) for each, fold in cells]
    execution = config.execution
    with closing(run_cells(evaluations, todo, planned.workers, execution.cell_timeout, execution.device)) as results:
        for cell, result in results:
            each = planned.runs[cell.evaluation]
            each.folder.write_cell(result)
            if result.status == "failed":
                outcome.failures.append(_failure(each, result))
            observer.finished(each, result)
            waiting[cell.evaluation] -= 1
            if not waiting[cell.evaluation]:
                each.record["seconds"] = {"wall": time.perf_counter() - start, **each.folder.read_seconds()}
                _conclude(each, tracker)


def _start(each: PlannedRun) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    each.record |= {"status": "running", "started": now, "seconds": {}}
    each.folder.write_record(each.record)


def _conclude(each: PlannedRun, tracker: Tracker | None) -> None:
    """Sum a run up once its outer folds are stored, and have it logged."""
    folder, evaluation = each.folder, each.evaluation
    missing = each.missing_folds()
    if set(missing) <= {FINAL} and not folder.summarised:
        from bench.results.summary import summarise

        cells = [folder.read_cell(fold) for fold in each.outer_folds]
        folder.write_summary(summarise(cells, evaluation.task.labels, evaluation.task.metric))
    status = "failed" if missing else "complete"
    if "started" in each.record:
        _set_status(each, status)
    elif folder.status() != status:
        _start(each)
        _set_status(each, status)
    else:
        _bring_up_to_date(each)
    if tracker is not None:
        tracker.track(folder.path)


def _bring_up_to_date(each: PlannedRun) -> None:
    """Write into a stored run's record what is said of its task now, since not all of that is part of the run's key."""
    stored = each.folder.read_record()
    now = {part: each.record[part] for part in ("task", "train_on") if part in each.record}
    if to_json(now) != to_json({part: stored.get(part) for part in now}):
        each.folder.write_record(stored | now)


def _set_status(each: PlannedRun, status: str) -> None:
    each.record["status"] = status
    each.folder.write_record(each.record)


def _failure(each: PlannedRun, result: CellResult) -> str:
    fold = "the final fit" if result.fold == FINAL else f"fold {result.fold}"
    where = each.folder.cell_path(result.fold) / "error.txt"
    return f"{each.evaluation.task.name}: {each.evaluation.model.name}, {fold}: {result.reason}\n  {where}"
