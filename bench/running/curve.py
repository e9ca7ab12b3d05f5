"""Learning curves: plan, execute, store and sum up, as `bench.running.runner` does for runs."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.comparison.curves import summarise_curve
from bench.config import RunConfig
from bench.errors import ConfigError
from bench.planning.workers import warm_up
from bench.results.curves import FOLDER
from bench.results.store import RunFolder, run_key
from bench.running.job import (
    Job,
    Observer,
    interruptible,
    kept_up_to_date,
    lock,
    missing_cells,
    set_status,
    start,
    sweep,
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
    record : dict
        What ``run.json`` is to hold.
    parts : list of PlannedRun
        One for each part of the training data, all of the same outer folds, without a final fit.
    anew : bool
        Whether what is stored is to be deleted first.
    """

    folder: RunFolder
    record: dict[str, Any]
    parts: list[PlannedRun]
    anew: bool = False

    @property
    def title(self) -> str:
        """The task and the model."""
        return f"{self.record['task']['name']}: {self.record['model']['name']}"


@dataclass
class CurveOutcome:
    """What a command leaves.

    Parameters
    ----------
    curves : list of dict
        Each with ``path``, ``record`` and ``summary``, as `bench.results.curves.stored_curves` gives them.
    failures : list of str
        One line for all that was asked for and is not stored: a failed cell, with the file that holds its traceback,
        or cells that are gone.
    warnings : list of str
        What went wrong without touching the results.
    """

    curves: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run_curves(config: RunConfig, observer: Observer) -> CurveOutcome:
    """Make the learning curves that a configuration asks for, as far as they are not stored yet.

    Parameters
    ----------
    config : RunConfig
        What to run; its models must have been named.
    observer : Observer
        Told of the progress.

    Raises
    ------
    bench.errors.BenchError
        If the configuration, a task or a model is wrong, or another process works on the same curve.
    bench.running.job.InterruptedRun
        If the user stopped it; what was finished is stored.
    """
    if not any(word.startswith("model=") for word in config.overrides):
        raise ConfigError("No model was named.", "Add model=NAME, such as the best of bench run's leaderboard.")
    if config.train_on is not None:
        raise ConfigError(
            "train_on: a curve shows how a task's own labels help, so nothing else trains.", "Leave it out."
        )
    outcome = CurveOutcome()
    with ExitStack() as stack:
        observer.doing("starting worker processes")
        warm_up()
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
                prepared.notes.append(f"{curve.title}: stored folds of {changed} are not mixed in, but run anew")
            elif changed:
                prepared.notes.append(f"{curve.title}: stored with {changed}; force=true runs it anew")
            if curve.anew or missing_cells(curve):
                lock(stack, curve)
                prepared.notes += _estimate(run, curve, prepared.workers)
            else:
                sweep(curve)
            curves.append(curve)
        parts = [part for curve in curves for part in curve.parts]
        # The largest parts take longest; first, they leave no worker idle at the end.
        cells = in_good_order((part, fold) for part in reversed(parts) for fold in part.missing_folds())
        observer.planned(Plan(parts, prepared.notes, prepared.workers), cells)
        unfinished = [curve for curve in curves if missing_cells(curve)]
        job = Job(config.execution, prepared.workers, observer)
        with interruptible(curves):
            for curve in unfinished:
                start(curve)
            job.carry_out(curves, cells, lambda _: None)
        for curve in curves:
            observer.doing(f"summing up the curve of {curve.title}")
            with job.concluding(curve):
                outcome.curves.append(_conclude(curve, curve in unfinished, outcome.warnings))
        job.check_stored(curves)
        outcome.failures += job.failures
    return outcome


def _plan_curve(run: PlannedRun, config: RunConfig) -> PlannedCurve:
    """Plan a curve on the outer folds of a run, by that run's settings."""
    from dataclasses import replace

    from bench.planning.curve_parts import curve_parts
    from bench.planning.planned import PlannedRun

    evaluation = run.evaluation
    task = evaluation.task
    parts = curve_parts(task, evaluation.splits, config.seed)
    key = run_key({"run": run.folder.key, "parts": {part.name: part.digest(task.ids) for part in parts}})
    folder = RunFolder(config.results / task.name / FOLDER / evaluation.model.name / key)
    record = {
        **run.record,
        "key": key,
        "run": run.folder.key,
        "parts": [part.describe(task) for part in parts],
        "command": shlex.join(["bench", "curve", *config.overrides]),
    }
    points = []
    for part in parts:
        cut = replace(evaluation, splits=part.splits, keeps_model=False)
        points.append(PlannedRun(cut, RunFolder(folder.path / part.name), record, final=False, part=part.name))
    return PlannedCurve(folder, record, points, anew=config.force)


def _estimate(run: PlannedRun, curve: PlannedCurve, workers: int) -> list[str]:
    """How long a curve will take, where the run on all the training data is stored with its times."""
    from bench.report.terminal import duration

    stored = run.folder.folds()
    if not stored:
        return []
    fold = sum(run.folder.read_seconds().values()) / len(stored)
    fractions = [part["fraction"] for part in curve.record["parts"]]
    work = sum(fraction * len(point.missing_folds()) for fraction, point in zip(fractions, curve.parts, strict=True))
    on_gpu = run.record["environment"].get("device", "").startswith("cuda")  # which folds take in turn
    seconds = fold * work / (1 if on_gpu else workers)
    return [f"{curve.title}: about {duration(seconds)}, by the times of its stored run"]


def _conclude(curve: PlannedCurve, ran: bool, warnings: list[str]) -> dict[str, Any]:
    folder = curve.folder
    with kept_up_to_date(folder.path, warnings, needed=ran):
        folder.write_summary(summarise_curve(folder, curve.record))
        if ran:
            set_status(curve, "failed" if missing_cells(curve) else "complete")
    return {"path": folder.path, "record": folder.read_record(), "summary": folder.read_summary()}
