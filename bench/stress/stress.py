"""``bench stress``: the folds of a stored run, asked about perturbed test texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.comparison.predictions import ComparedRuns, read_side_by_side
from bench.comparison.selection import Selected, select_runs
from bench.engines.engine import Failed, Unit, Value, in_words
from bench.engines.processes import available_cores
from bench.errors import BenchError
from bench.metrics.confusion import UNANSWERED
from bench.models.model import Model
from bench.planning.memory import workers_within_memory
from bench.planning.workers import open_engine
from bench.prediction.fitted import other_versions
from bench.prediction.fold_models import Models, Refitted, Stored, models_of
from bench.prediction.rebuilt import OtherParametersError, model_of_run, rebuilt
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.results.stress import (
    StressedFold,
    StressSummary,
    read_stressed_fold,
    write_stress_summary,
    write_stressed_fold,
)
from bench.stress.folds import Changed, FoldAnswers, answer
from bench.stress.perturbation import Perturbation
from bench.stress.request import StressRequest
from bench.stress.scoring import Stressed, notes_of, stress_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task
    from bench.support.doing import Doing

TEXT = "text"
"""The input that is perturbed, if the task has it; else its last input."""

TOLERANCE = 1e-6
"""By how much a probability may differ from the stored one: the order of additions depends on the machine."""


@dataclass(frozen=True, eq=False)
class _Fold:
    """A fold with what is asked of its model."""

    number: int
    stored: pd.DataFrame
    predictions_sha256: str
    frame: pd.DataFrame
    changed: Mapping[str, Changed]
    digests: Mapping[str, str]


@dataclass(eq=False)
class StressPlan:
    """The stress tests of one run.

    Parameters
    ----------
    folder, record : RunFolder, RunRecord
        The run.
    run : ComparedRuns
        Its stored predictions.
    perturbations : list of Perturbation
        The perturbations.
    models : Refitted or Stored
        Gives the models of the folds.
    input : str
        The column that is perturbed.
    folds : list of _Fold
        The folds with their changed texts.
    known : dict
        What is stored already, by fold and perturbation.
    workers : int
        Folds that are done at the same time.
    notes : list of str
        What to know before anything runs.
    """

    folder: RunFolder
    record: RunRecord
    run: ComparedRuns
    perturbations: list[Perturbation]
    models: Models
    input: str
    folds: list[_Fold]
    known: dict[tuple[int, str], StressedFold]
    workers: int
    notes: list[str]

    def missing(self, fold: _Fold) -> list[Changed]:
        """What the model of a fold must still be asked."""
        return [each for name, each in fold.changed.items() if each.texts and (fold.number, name) not in self.known]

    @property
    def to_do(self) -> list[_Fold]:
        """The folds whose model is needed."""
        return [fold for fold in self.folds if self.missing(fold)]

    @property
    def texts(self) -> int:
        """How many changed texts must still be predicted."""
        return sum(len(each.texts) for fold in self.folds for each in self.missing(fold))

    @property
    def seconds(self) -> float:
        """How long it takes about, by the times of the run, in one process."""
        spent = self.folder.read_seconds()
        scored = len(self.run.ids)
        asked = sum(len(fold.frame) * (1 + len(self.missing(fold))) for fold in self.to_do)
        # Features are fitted once for the estimator and once to be kept, and computed for each text that is asked.
        features, fit, predict = (spent.get(phase, 0.0) for phase in ("features", "fit", "predict"))
        share = len(self.to_do) / max(len(self.folds), 1)
        refit = share * (2 * features + fit) if isinstance(self.models, Refitted) else 0.0
        test_share = scored / max(scored + self.run.n_trained() * len(self.folds), 1)
        return refit + asked / max(scored, 1) * (predict + test_share * features)


def plan_stress(request: StressRequest, perturbations: Sequence[Perturbation], doing: Doing) -> list[StressPlan]:
    """Find the runs that a request names, perturb their test texts, and look for what is stored.

    Parameters
    ----------
    request : StressRequest
        What was asked for.
    perturbations : sequence of Perturbation
        The perturbations.
    doing : callable
        Receives progress messages.

    Raises
    ------
    bench.errors.BenchError
        If a run is not stored, or is not what it was.
    """
    asked = request.runs
    doing("reading the stored runs")
    selected = select_runs(asked.results, asked.tasks[0], asked.wanted)
    runs, notes = _as_defined(selected, request)
    plans = []
    for folder, record, model in runs:
        run = read_side_by_side(Selected([(folder, record)], [], named=True), asked.metric)
        doing(f"building {record.task.name} and {record.model.name} again")
        evaluation = rebuilt(record, model, request.mirror)
        doing(f"perturbing the test texts of {record.task.name}")
        column = TEXT if TEXT in evaluation.task.inputs else evaluation.task.inputs[-1]
        tested = np.unique(np.concatenate([split.test for split in evaluation.splits]))
        texts = _perturbed(evaluation.task, column, tested, record.seed, perturbations)
        folds = [
            _fold(folder, number, evaluation.task, split.test, column, texts)
            for number, split in enumerate(evaluation.splits)
        ]
        models = models_of(folder, evaluation, request.overrides)
        told, notes = notes, []
        workers = min(workers_within_memory([evaluation.task], available_cores(), told), len(folds))
        plan = StressPlan(
            folder, record, run, list(perturbations), models, column, folds, _known(folder, folds), workers, told
        )
        plans.append(plan)
    return plans


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
        models="stored" if isinstance(plan.models, Stored) else "refitted",
        rows=tuple(rows),
        notes=tuple(notes_of(plan.run)),
    )
    write_stress_summary(plan.folder, summary)
    return summary


def _as_defined(
    selected: Selected, request: StressRequest
) -> tuple[list[tuple[RunFolder, RunRecord, Model]], list[str]]:
    """The runs whose models have the parameters that were asked for, and which others there are."""
    found, others = list[tuple[RunFolder, RunRecord, Model]](), list[tuple[RunFolder, OtherParametersError]]()
    for folder, record in selected.runs:
        try:
            found.append((folder, record, model_of_run(record, request.overrides)))
        except OtherParametersError as error:
            others.append((folder, error))
    left_out = [
        (folder, error) for folder, error in others if not any(folder.model == each.model for each, _, _ in found)
    ]
    if left_out:
        raise left_out[0][1]
    return found, [
        *selected.notes,
        *(f"run {folder.key} of {folder.model} is left out: {error.message}" for folder, error in others),
    ]


def _perturbed(
    task: Task, column: str, rows: NDArray[np.intp], seed: int, perturbations: Sequence[Perturbation]
) -> Mapping[str, NDArray[np.object_]]:
    """The texts of all examples, those of some rows as each perturbation writes them."""
    written = task.examples[column].to_numpy(dtype=object)
    every = {}
    for each in perturbations:
        texts = every[each.name] = written.copy()
        for row in rows.tolist():
            texts[row] = each.apply(written[row], seed, task.name, str(task.ids[row]))
    return every


def _fold(
    folder: RunFolder,
    number: int,
    task: Task,
    test: NDArray[np.intp],
    column: str,
    texts: Mapping[str, NDArray[np.object_]],
) -> _Fold:
    stored = folder.read_predictions(number)
    if stored["id"].tolist() != [str(name) for name in task.ids[test]]:
        raise BenchError(
            f"{folder.cell_path(number)}: its predictions are for other examples than the fold's test part.",
            f"Delete {folder.path} and run the same command again.",
        )
    frame = task.frame.iloc[test].reset_index(drop=True)
    written = frame[column].to_numpy(dtype=object)
    changed, digests = {}, {}
    for name, every in texts.items():
        mine = every[test]
        rows = np.flatnonzero(mine != written)
        changed[name] = Changed(name, tuple(rows.tolist()), tuple(mine[rows].tolist()))
        content = "\x1e".join(f"{row}\x1f{text}" for row, text in zip(rows.tolist(), mine[rows], strict=True))
        digests[name] = hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()
    sha256 = folder.read_result(number).predictions_sha256
    assert sha256 is not None, "predictions were read, so they have a digest"
    return _Fold(number, stored, sha256, frame, changed, digests)


def _known(folder: RunFolder, folds: Sequence[_Fold]) -> dict[tuple[int, str], StressedFold]:
    """What is stored of the same texts and predictions."""
    known = {}
    for fold in folds:
        for name, changed in fold.changed.items():
            found = read_stressed_fold(folder, fold.number, name)
            if (
                found is not None
                and (found.predictions_sha256, found.texts_sha256) == (fold.predictions_sha256, fold.digests[name])
                and found.rows == changed.rows
                and len(found.predicted) == len(changed.rows)
            ):
                known[fold.number, name] = found
    return known


def _ask(plan: StressPlan, doing: Doing) -> None:
    to_do = plan.to_do
    if not to_do:
        return
    what = "loading the stored model" if isinstance(plan.models, Stored) else "fitting the folds again"
    doing(f"{what} (0 of {len(to_do)} done)")
    device = "cpu" if plan.record.environment.device == "cpu" else "auto"
    state = Unit(_given, (plan.models,))
    with open_engine(device, min(plan.workers, len(to_do)), state) as engine:
        units = {
            engine.submit(Unit(answer, (fold.number, fold.frame, plan.input, plan.missing(fold)))): fold
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
                    raise BenchError(f"{_where(plan, fold)}: the model failed: {in_words(error)}.")
                case _:
                    raise BenchError(f"{_where(plan, fold)}: {outcome.told}.")
            doing(f"{what} ({done} of {len(to_do)} done)")


def _given(models: Models) -> Models:
    return models


def _where(plan: StressPlan, fold: _Fold) -> str:
    return f"{plan.record.task.name}: {plan.record.model.name}, fold {fold.number}"


def _store(plan: StressPlan, fold: _Fold, answers: FoldAnswers) -> None:
    _verify(plan, fold, answers.as_written)
    for name, frame in answers.perturbed.items():
        probable = _probabilities(frame, plan.record.task.labels)
        stressed = StressedFold(
            predictions_sha256=fold.predictions_sha256,
            texts_sha256=fold.digests[name],
            rows=fold.changed[name].rows,
            predicted=tuple(frame["label"].tolist()),
            probabilities=None if probable is None else tuple(map(tuple, probable.tolist())),
        )
        write_stressed_fold(plan.folder, fold.number, name, stressed)
        plan.known[fold.number, name] = stressed


def _verify(plan: StressPlan, fold: _Fold, now: pd.DataFrame) -> None:
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
        f"{len(then)} texts as written than the run stored ({which}). A drop could not be told from that.",
        f"The run was stored with {versions}. Rerun it: {plan.record.command} force=true"
        if versions
        else "Fitting this model twice gives two models, as on a GPU or with an endpoint. Test one that is repeatable.",
    )


def _probabilities(frame: pd.DataFrame, labels: tuple[str, ...], prefix: str = "p") -> NDArray[np.float64] | None:
    columns = [f"{prefix}_{label}" for label in labels]
    return frame[columns].to_numpy(dtype=np.float64) if set(columns) <= set(frame.columns) else None


def _stressed(plan: StressPlan, perturbation: Perturbation) -> Stressed:
    """The run's pooled predictions with the new ones in their rows."""
    (base,) = plan.run.runs
    index: dict[str, int] = {label: code for code, label in enumerate(plan.record.task.labels)} | {"": UNANSWERED}
    changed = np.zeros(len(base.outcomes), dtype=bool)
    predicted = base.predicted.copy()
    probable = None if base.probabilities is None else base.probabilities.copy()
    for fold in plan.folds:
        found = plan.known.get((fold.number, perturbation.name))
        if found is None or not found.rows:
            continue
        rows = np.flatnonzero(base.outcomes.parts == fold.number)[list(found.rows)]
        changed[rows] = True
        predicted[rows] = [index[label] for label in found.predicted]
        if probable is not None and found.probabilities is not None:
            probable[rows] = found.probabilities
    return Stressed(perturbation, changed, replace(base.outcomes, predicted=predicted, probabilities=probable))
