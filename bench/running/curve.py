"""Learning curves: plan, execute, store and sum up, as `bench.running.runner` does for runs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from bench.comparison.curves import summarise_curve
from bench.config import RunConfig
from bench.engines.gpus import gpus
from bench.errors import ConfigError
from bench.planning.workers import remove_leftovers, warm_up
from bench.results.curves import Curve, CurveRecord, curve_key, read_curve
from bench.results.layout import curve_folder
from bench.results.record import RunRecord, RunStatus
from bench.results.store import RunFolder
from bench.running.job import (
    Job,
    Observer,
    interruptible,
    is_to_run,
    kept_up_to_date,
    missing_cells,
    set_status,
    start,
    turns,
)

if TYPE_CHECKING:
    from bench.planning.planned import PlannedRun


@dataclass(eq=False)
class PlannedCurve:
    """The learning curve of one model on one task.

    Parameters
    ----------
    folder : RunFolder
        Where it is stored.
    record : RunRecord
        The content for ``run.json``, a `CurveRecord`.
    parts : list of PlannedRun
        One for each part of the training data, all of the same outer folds, without a final fit.
    fractions : list of float
        How much of the training data each part is.
    anew : bool
        Whether to delete stored results first.
    """

    folder: RunFolder
    record: RunRecord
    parts: list[PlannedRun]
    fractions: list[float]
    anew: bool = False

    @property
    def title(self) -> str:
        """The task and the model."""
        return f"{self.record.task.name}: {self.record.model.name}"


@dataclass
class CurveOutcome:
    """What a command leaves.

    Parameters
    ----------
    curves : list of Curve
        As they are stored.
    failures : list of str
        One line for each missing result: a failed cell, with the file of its traceback,
        or cells that are gone.
    warnings : list of str
        What went wrong without touching the results.
    """

    curves: list[Curve] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run_curves(config: RunConfig, observer: Observer) -> CurveOutcome:
    """Compute the learning curves of a configuration that are not stored yet.

    Parameters
    ----------
    config : RunConfig
        What to run; its models must have been named.
    observer : Observer
        Told of the progress.

    Raises
    ------
    bench.errors.BenchError
        If the configuration, a task or a model is wrong.
    bench.running.job.InterruptedRun
        If the user stopped it. Finished work is stored.
    """
    if not any(word.startswith("model=") for word in config.overrides):
        raise ConfigError("No model was named.", "Add model=NAME, for example the best model of the leaderboard.")
    if config.train_on is not None:
        raise ConfigError("train_on: a learning curve uses only a task's own labels.", "Remove it.")
    outcome = CurveOutcome()
    observer.doing("starting worker processes")
    warm_up()
    remove_leftovers()
    from bench.planning.plan import older_versions, prepare
    from bench.planning.planned import Plan
    from bench.planning.time_left import in_good_order

    prepared = prepare(config, observer.doing)
    observer.doing("looking for what is stored")
    curves = []
    for run in prepared.runs:
        if run.evaluation.model.name not in config.models:
            continue
        curve = _plan_curve(run, config)
        changed = older_versions(curve.folder, curve.record)
        if changed and missing_cells(curve):
            curve.anew = True
            prepared.notes.append(f"{curve.title}: stored folds used {changed}, so they are rerun instead of mixed")
        elif changed:
            prepared.notes.append(f"{curve.title}: stored with {changed}; force=true reruns it")
        if is_to_run(curve):
            prepared.notes += _estimate(run, curve, prepared.workers)
        curves.append(curve)
    job, held, notes = Job(config.execution, prepared.workers, observer), list[PlannedCurve](), prepared.notes
    with interruptible(held):
        for free in turns(curves, observer):
            held[:] = [*held, *free]
            parts = [part for curve in free for part in curve.parts]
            # The largest parts take longest; first, they leave no worker idle at the end.
            cells = in_good_order((part, fold) for part in reversed(parts) for fold in part.folds_to_run())
            observer.planned(Plan(parts, notes, prepared.workers), cells)
            unfinished, notes = [curve for curve in free if any(part in curve.parts for part, _ in cells)], []
            for curve in unfinished:
                start(curve)
            job.carry_out(free, cells, lambda _: None)
            for curve in free:
                observer.doing(f"summarising the curve of {curve.title}")
                with job.concluding(curve):
                    outcome.curves.append(_conclude(curve, curve in unfinished, outcome.warnings))
    job.check_stored(curves)
    outcome.failures += job.failures
    return outcome


def _plan_curve(run: PlannedRun, config: RunConfig) -> PlannedCurve:
    """Plan a curve on the outer folds of a run, by that run's settings."""
    from bench.planning.curve_parts import curve_parts
    from bench.planning.planned import PlannedRun

    evaluation = run.evaluation
    task = evaluation.task
    parts = curve_parts(task, evaluation.splits, config.seed)
    digests = {part.name: part.digest(task.ids) for part in parts}
    key = curve_key(run.folder.key, digests)
    folder = RunFolder(curve_folder(config.results, task.name, evaluation.model.name, key))
    of_run = {each.name: getattr(run.record, each.name) for each in fields(run.record)}
    of_curve = {"key": key, "command": shlex.join(["bench", "curve", *config.overrides])}
    described = tuple(part.describe(task) for part in parts)
    record = CurveRecord(**(of_run | of_curve), run=run.folder.key, parts=described, digests=digests)
    points = []
    for part in parts:
        cut = replace(evaluation, splits=part.splits, keeps_model=False)
        points.append(PlannedRun(cut, RunFolder(folder.path / part.name), record, final=False, part=part.name))
    return PlannedCurve(folder, record, points, [part.fraction for part in record.parts], anew=config.force)


def _estimate(run: PlannedRun, curve: PlannedCurve, workers: int) -> list[str]:
    """Estimate the time of a curve, if the run on all the training data is stored with its times."""
    from bench.reporting.terminal import duration

    fold = run.folder.seconds_a_fold()
    if fold is None:
        return []
    work = sum(
        fraction * len(point.missing_folds()) for fraction, point in zip(curve.fractions, curve.parts, strict=True)
    )
    # Folds take each GPU in turn.
    at_once = min(workers, max(len(gpus()), 1)) if run.record.environment.on_gpu else workers
    seconds = fold * work / at_once
    return [f"{curve.title}: about {duration(seconds)}, estimated from its stored run"]


def _conclude(curve: PlannedCurve, ran: bool, warnings: list[str]) -> Curve:
    folder = curve.folder
    status: RunStatus = "failed" if missing_cells(curve) else "complete"
    if not ran and folder.status() != status:  # The command that ran its last fold was killed then.
        start(curve)
        ran = True
    with kept_up_to_date(folder.path, warnings, needed=ran):
        folder.write_summary(summarise_curve(folder, folder.read_record_as(CurveRecord)))
        if ran:
            set_status(curve, status)
    return read_curve(folder)
