"""The main job: plan, execute, store, sum up, track, and rank."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.config import RunConfig
from bench.planning.workers import warm_up
from bench.results.board import Leaderboard
from bench.results.cell import FINAL
from bench.results.leaderboard import write_leaderboard
from bench.results.record import RunStatus
from bench.running.job import (
    Job,
    Observer,
    interruptible,
    is_to_run,
    kept_up_to_date,
    lock,
    set_status,
    start,
    sweep,
)
from bench.tracking import Tracker

if TYPE_CHECKING:
    from bench.planning.planned import PlannedRun

PATIENCE = 120.0
"""Seconds to wait where another process makes the baseline that stands in every table."""


@dataclass
class RunOutcome:
    """What a command leaves.

    Parameters
    ----------
    leaderboards : list of Leaderboard
        One a task.
    folders : list of pathlib.Path
        Where their files are.
    failures : list of str
        One line for all that was asked for and is not stored: a failed cell, with the file that holds its traceback,
        or cells that are gone.
    warnings : list of str
        What went wrong without touching the results, such as tracking.
    """

    leaderboards: list[Leaderboard] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run(config: RunConfig, observer: Observer) -> RunOutcome:
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
    outcome = RunOutcome()
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
            if is_to_run(each):
                observer.doing(f"waiting for another process that works on {each.title}")
                lock(stack, each, patience=0 if each.evaluation.model.name in config.models else PATIENCE)
            else:
                sweep(each)
        # Models are listed from simple to costly; the costly ones first leave no worker idle at the end. The baseline
        # comes before all, since MLflow's descriptions tell how the others compare to it.
        cells = in_good_order((each, fold) for each in reversed(planned.runs) for fold in reversed(each.folds_to_run()))
        cells.sort(key=lambda cell: cell[0].evaluation.model.name != BASELINE)
        observer.planned(planned, cells)
        unfinished = {each for each, _ in cells}
        baselines = {each for each in unfinished if each.evaluation.model.name == BASELINE}
        untracked: list[PlannedRun] = []
        job = Job(config.execution, planned.workers, observer)

        def conclude(each: PlannedRun) -> None:
            _conclude(each)
            baselines.discard(each)
            untracked.append(each)
            if tracker is not None and not baselines:
                for one in untracked:
                    tracker.track(one.folder.path)
                untracked.clear()

        with interruptible(planned.runs):
            for each in planned.runs:
                if each in unfinished:
                    start(each)
                else:
                    with kept_up_to_date(config.results, outcome.warnings):
                        conclude(each)
            job.carry_out(planned.runs, cells, conclude)
        for task in dict.fromkeys(each.evaluation.task.name for each in planned.runs):
            record = next(each.record for each in planned.runs if each.evaluation.task.name == task)
            observer.doing(f"making the leaderboard of {task}")
            board = corrected_leaderboard(config.results, record)
            outcome.leaderboards.append(board)
            outcome.folders.append(config.results / task)
            with kept_up_to_date(config.results, outcome.warnings, needed=bool(unfinished)):
                write_leaderboard(config.results, board)
        if tracker is not None:
            observer.doing("waiting for MLflow to log the runs")
            outcome.warnings += tracker.close()
        job.check_stored(planned.runs)
        outcome.failures += job.failures
    return outcome


def _conclude(each: PlannedRun) -> None:
    """Sum a run up once its outer folds are stored."""
    folder, evaluation = each.folder, each.evaluation
    missing = each.missing_folds()
    if set(missing) <= {FINAL} and not folder.summarised:
        from bench.results.summary import summarise

        cells = [folder.read_cell(fold) for fold in each.outer_folds]
        folder.write_summary(summarise(cells, evaluation.task.labels, evaluation.task.scored_by))
    status: RunStatus = "failed" if missing else "complete"
    if each.record.started:
        set_status(each, status)
    elif folder.status() != status:
        start(each)
        set_status(each, status)
    else:
        _bring_up_to_date(each)


def _bring_up_to_date(each: PlannedRun) -> None:
    """Write into a stored run's record what is said of its task now, since not all of that is part of the run's key."""
    stored = each.folder.read_record()
    now = replace(stored, task=each.record.task, train_on=each.record.train_on)
    if now != stored:
        each.folder.write_record(now)
