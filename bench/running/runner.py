"""The main job: plan, execute, store, sum up, track, and rank."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.config import RunConfig
from bench.data.drawn import drawn_by_text
from bench.errors import BenchError
from bench.planning.workers import remove_leftovers, warm_up
from bench.results.asked import note_reuse
from bench.results.board import Leaderboard
from bench.results.cell import FINAL
from bench.results.leaderboard import write_leaderboard
from bench.results.record import RunStatus
from bench.results.store import RunFolder
from bench.running.job import (
    Job,
    Observer,
    interruptible,
    kept_up_to_date,
    set_status,
    start,
    turns,
)
from bench.tracking import Tracker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.planning.planned import PlannedRun


@dataclass
class RunOutcome:
    """What a command leaves.

    Parameters
    ----------
    leaderboards : list of Leaderboard
        One a task.
    folders : list of pathlib.Path
        Where their files are.
    runs : list of RunFolder
        The runs that were asked for, with the baselines.
    failures : list of str
        One line for each missing result: a failed cell, with the file of its traceback,
        or cells that are gone.
    warnings : list of str
        What went wrong without touching the results, such as tracking.
    """

    leaderboards: list[Leaderboard] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    runs: list[RunFolder] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run(config: RunConfig, observer: Observer) -> RunOutcome:
    """Run everything in a configuration that is not stored yet.

    Runs in progress in another process come last: this waits for them, then finishes what is missing.

    Parameters
    ----------
    config : RunConfig
        What to run.
    observer : Observer
        Told of the progress.

    Raises
    ------
    bench.errors.BenchError
        If the configuration, a task or a model is wrong.
    InterruptedRun
        If the user stopped it. Finished work is stored.
    """
    outcome = RunOutcome()
    with ExitStack() as stack:
        observer.doing("starting worker processes")
        # The other processes import scikit-learn and MLflow while this one imports pandas.
        warm_up()
        remove_leftovers()
        tracker = stack.enter_context(Tracker(config.results)) if config.tracking else None
        from bench.comparison.board import corrected_leaderboard
        from bench.planning.plan import BASELINE, plan
        from bench.planning.time_left import in_good_order

        planned = plan(config, observer.doing)
        if tracker is not None:
            tracker.open()
        job = Job(config.execution, planned.workers, observer)
        held: list[PlannedRun] = []
        conclusions = _Conclusions(tracker, [run for run in planned.runs if run.evaluation.model.name == BASELINE])
        ran = False
        with interruptible(held):
            for runs in turns(planned.runs, observer):
                held[:] = [*held, *runs]
                # Models are listed from simple to costly; the costly ones first leave no worker idle at the end. The
                # baseline comes before all, since MLflow's descriptions compare the others with it.
                cells = in_good_order((run, fold) for run in reversed(runs) for fold in reversed(run.folds_to_run()))
                cells.sort(key=lambda cell: cell[0].evaluation.model.name != BASELINE)
                observer.planned(replace(planned, runs=runs, notes=[] if ran else planned.notes), cells)
                unfinished, ran = {run for run, _ in cells}, True
                for each in runs:
                    if each in unfinished:
                        start(each)
                    else:
                        with kept_up_to_date(config.results, outcome.warnings):
                            conclusions.add(each)
                job.carry_out(runs, cells, conclusions.add)
        for task in dict.fromkeys(each.evaluation.task.name for each in planned.runs):
            record = next(each.record for each in planned.runs if each.evaluation.task.name == task)
            observer.doing(f"building the leaderboard of {task}")
            board = corrected_leaderboard(config.results, record)
            outcome.leaderboards.append(board)
            outcome.folders.append(config.results / task)
            with kept_up_to_date(config.results, outcome.warnings, needed=job.stored > 0):
                write_leaderboard(config.results, board)
        if tracker is not None:
            observer.doing("waiting for MLflow to log the runs")
            outcome.warnings += tracker.close()
        outcome.runs += [each.folder for each in planned.runs]
        job.check_stored(planned.runs)
        outcome.failures += job.failures
    return outcome


def run_each(configs: Sequence[RunConfig], observer: Observer) -> RunOutcome:
    """Run configurations that are alike but for their seeds, one after the other.

    Parameters
    ----------
    configs : sequence of RunConfig
        One for each seed.
    observer : Observer
        Told of the progress.

    Returns
    -------
    RunOutcome
        Of all together. With several seeds, a task's leaderboard has the models that have run with all of them, and
        their mean scores.
    """
    if len(configs) == 1:
        return run(configs[0], observer)
    from bench.comparison.board import seeds_leaderboard

    outcomes = [run(config, observer) for config in configs]
    every = RunOutcome(
        runs=[folder for each in outcomes for folder in each.runs],
        failures=[line for each in outcomes for line in each.failures],
        warnings=list(dict.fromkeys(line for each in outcomes for line in each.warnings)),
    )
    results, seeds = configs[0].results, tuple(config.seed for config in configs)
    for alone, folder in zip(outcomes[0].leaderboards, outcomes[0].folders, strict=True):
        observer.doing(f"building the leaderboard of {alone.task.name}")
        try:
            board = seeds_leaderboard(results, alone.task.name, seeds)
        except BenchError as error:
            every.warnings.append(f"{alone.task.name}: no leaderboard over seeds: {error.message}")
            board = alone
        every.leaderboards.append(board)
        every.folders.append(folder)
        with kept_up_to_date(results, every.warnings):
            write_leaderboard(results, board)
    return every


class _Conclusions:
    """Summarises and tracks runs, after the baselines with which MLflow's descriptions compare them."""

    def __init__(self, tracker: Tracker | None, baselines: Iterable[PlannedRun]) -> None:
        self._tracker, self._baselines = tracker, set(baselines)
        self._untracked = list[RunFolder]()

    def add(self, each: PlannedRun) -> None:
        self._baselines.discard(each)
        self._untracked.append(each.folder)
        _conclude(each)
        if self._tracker is not None and not self._baselines:
            for folder in self._untracked:
                self._tracker.track(folder.path)
            self._untracked.clear()


def _conclude(each: PlannedRun) -> None:
    """Sum a run up once its outer folds are stored."""
    folder, evaluation = each.folder, each.evaluation
    missing = each.missing_folds()
    status: RunStatus = "failed" if missing else "complete"
    if not each.record.started and folder.status() != status:  # The command that ran its last fold was killed then.
        start(each)
    if set(missing) <= {FINAL} and not folder.summarised:
        from bench.results.summary import summarise

        cells = [folder.read_cell(fold) for fold in each.outer_folds]
        task, drawn = evaluation.task, drawn_by_text(evaluation.task.examples)
        folder.write_summary(summarise(cells, task.labels, task.scored_by, evaluation.forward, drawn))
    if each.record.started:
        set_status(each, status)
    else:
        _bring_up_to_date(each)


def _bring_up_to_date(each: PlannedRun) -> None:
    """Update the task's description in a reused run's record, since parts of it are not in the run's key."""
    stored = each.folder.read_record()
    now = replace(stored, task=each.record.task, train_on=each.record.train_on)
    if now != stored:
        each.folder.write_record(now)
    note_reuse(each.folder.path)
