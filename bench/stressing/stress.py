"""``bench stress``: the folds of a stored run, asked about perturbed test texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.comparison.limitations import limitations
from bench.comparison.stressed import Stressed, stress_rows, stressed
from bench.engines.engine import Failed, Unit, Value, error_in_words
from bench.errors import BenchError
from bench.planning.workers import open_engine
from bench.prediction.fitted import other_versions
from bench.prediction.fold_models import Models, StoredModel
from bench.results.stress import (
    StressedFold,
    StressSummary,
    forget_stressed_fold,
    write_stress_summary,
    write_stressed_fold,
)
from bench.stressing.folds import FoldAnswers, fold_answers
from bench.stressing.perturbation import Perturbation
from bench.stressing.plan import StressFold, StressPlan, device_of, plan_stress
from bench.stressing.registry import perturbations
from bench.stressing.request import StressRequest
from bench.tracking.in_use import track_where_in_use

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.support.doing import Doing

TOLERANCE = 1e-6
"""By how much a probability may differ from the stored one: the order of additions depends on the machine."""


@dataclass(frozen=True, eq=False)
class Tested:
    """The stress tests of one or several runs.

    Parameters
    ----------
    summaries : tuple of StressSummary
        One for each run.
    warnings : tuple of str
        What MLflow does not have, and why, a sentence each.
    """

    summaries: tuple[StressSummary, ...]
    warnings: tuple[str, ...]


def stress_runs(request: StressRequest, doing: Doing, told: Callable[[str], None], dry_run: bool = False) -> Tested:
    """Test the runs that a request names, store what is found, and log it where MLflow is in use.

    Parameters
    ----------
    request : StressRequest
        What was asked for.
    doing : callable
        Receives progress messages.
    told : callable
        Receives what to know, and what it takes, before anything is fitted, a sentence at a time.
    dry_run : bool
        Whether to do no more than that.

    Raises
    ------
    bench.errors.BenchError
        If a run is not stored or is not what it was, or a model fails or does not give the stored predictions for the
        texts as written.
    """
    plans = plan_stress(request, perturbations(request.only), doing)
    for plan in plans:
        for sentence in (*plan.notes, plan.cost):
            told(sentence)
    if dry_run:
        return Tested((), ())
    summaries = tuple(carry_out(plan, request.runs.rope, doing) for plan in plans)
    doing("logging to MLflow")
    tested = [plan.folder for plan in plans]
    warnings = track_where_in_use(request.runs.results, tested) if request.tracking else []
    return Tested(summaries, tuple(warnings))


def carry_out(plan: StressPlan, rope: float, doing: Doing) -> StressSummary:
    """Ask the models, store what they answer, and judge.

    Parameters
    ----------
    plan : StressPlan
        What to do.
    rope : float
        Differences up to this one are practically none.
    doing : callable
        Receives progress messages.

    Raises
    ------
    bench.errors.BenchError
        If a model fails, or does not give the stored predictions for the texts as written.
    """
    for fold in plan.folds:
        for name in fold.unchanged:
            forget_stressed_fold(plan.folder, fold.number, name)
    _ask(plan, doing)
    doing("comparing the scores")
    rows = stress_rows(plan.run, [_stressed(plan, each) for each in plan.perturbations], rope)
    (base,) = plan.run.runs
    summary = StressSummary(
        task=plan.record.task.name,
        model=plan.record.model.name,
        key=plan.folder.key,
        metric=plan.run.metric.name,
        score=base.score,
        interval=base.summary.intervals.get(plan.run.metric.name),
        rope=rope,
        input=plan.input,
        n_examples=plan.run.n_scored,
        n_groups=len(plan.run.group_names),
        folds=len(plan.folds),
        models="stored" if isinstance(plan.models, StoredModel) else "refitted",
        rows=tuple(rows),
        notes=tuple(limitations(plan.run)),
    )
    write_stress_summary(plan.folder, summary)
    return summary


def _ask(plan: StressPlan, doing: Doing) -> None:
    to_do = plan.to_do
    if not to_do:
        return
    what = "loading the stored model" if isinstance(plan.models, StoredModel) else "fitting the folds again"
    doing(f"{what} (0 of {len(to_do)} done)")
    device = device_of(plan.record)
    state = Unit(_given, (plan.models,))
    with open_engine(device, min(plan.workers, len(to_do)), state) as engine:
        units = {
            engine.submit(Unit(fold_answers, (fold.number, fold.frame, plan.input, plan.missing(fold)))): fold
            for fold in to_do
        }
        for done, (number, outcome) in enumerate(engine.outcomes(), start=1):
            fold = units[number]
            match outcome:
                case Value(answers):
                    _store(plan, fold, answers)
                case Failed(BenchError() as error):
                    raise error
                case Failed(error):
                    raise BenchError(f"{_where(plan, fold)}: the model failed: {error_in_words(error)}.")
                case _:
                    raise BenchError(f"{_where(plan, fold)}: {outcome.told}.")
            doing(f"{what} ({done} of {len(to_do)} done)")


def _given(models: Models) -> Models:
    return models


def _where(plan: StressPlan, fold: StressFold) -> str:
    return f"{plan.record.task.name}: {plan.record.model.name}, fold {fold.number}"


def _store(plan: StressPlan, fold: StressFold, answers: FoldAnswers) -> None:
    _verify(plan, fold, answers.as_written)
    for name, frame in answers.perturbed.items():
        probable = _probabilities(frame, plan.record.task.labels)
        stored = StressedFold(
            predictions_sha256=fold.predictions_sha256,
            texts_sha256=fold.digests[name],
            rows=fold.changed[name].rows,
            predicted=tuple(frame["label"].tolist()),
            probabilities=None if probable is None else tuple(map(tuple, probable.tolist())),
        )
        write_stressed_fold(plan.folder, fold.number, name, stored)
        plan.known[fold.number, name] = stored


def _verify(plan: StressPlan, fold: StressFold, now: pd.DataFrame) -> None:
    """Check that a model answers to the texts as written what is stored of the run."""
    then, labels = fold.stored, plan.record.task.labels
    other = then["predicted"].to_numpy(dtype=object) != now["label"].to_numpy(dtype=object)
    stored, given = _probabilities(then, labels, "p"), _probabilities(now, labels, "p")
    if stored is not None and given is not None:
        other |= np.abs(stored - given).max(axis=1) > TOLERANCE
    if not other.any():
        return
    which = ", ".join(then["id"][other].tolist()[:3])
    versions = other_versions(plan.record)
    raise BenchError(
        f"{_where(plan, fold)}: fitted again, the model gives other predictions for {int(other.sum())} of "
        f"{len(then)} texts as written than the run stored ({which}). A drop could not be distinguished from that.",
        f"The run was stored with {versions}. Rerun it: {plan.record.command} force=true"
        if versions
        else "Fitting this model twice gives two models, as on a GPU or with an endpoint. Test one that is repeatable.",
    )


def _probabilities(frame: pd.DataFrame, labels: tuple[str, ...], prefix: str = "p") -> NDArray[np.float64] | None:
    columns = [f"{prefix}_{label}" for label in labels]
    return frame[columns].to_numpy(dtype=np.float64) if set(columns) <= set(frame.columns) else None


def _stressed(plan: StressPlan, perturbation: Perturbation) -> Stressed:
    answers = {fold: found for (fold, name), found in plan.known.items() if name == perturbation.name}
    return stressed(plan.run, perturbation, answers)
