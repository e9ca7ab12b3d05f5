"""What ``bench stress`` will do: the folds of stored runs, their perturbed test texts, and what is stored of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.checks.finding import counted
from bench.comparison.compared import ComparedRuns
from bench.comparison.predictions import read_side_by_side
from bench.comparison.selection import Selected, select_runs
from bench.engines.processes import available_cores
from bench.errors import BenchError
from bench.models.model import Model
from bench.planning.memory import workers_within_memory
from bench.prediction.fold_models import Models, Refitted, models_of
from bench.prediction.rebuilt import OtherParametersError, model_of_run, rebuilt
from bench.reporting.terminal import duration
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.results.stress import StressedFold, read_stressed_fold
from bench.stressing.embedding import embedding_seconds, feature_encoders
from bench.stressing.folds import Changed
from bench.stressing.perturbation import Perturbation
from bench.stressing.request import StressRequest

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bench.data.task import Task
    from bench.support.doing import Doing

TEXT = "text"
"""The input that is perturbed, if the task has it; else its last input."""


@dataclass(frozen=True, eq=False)
class StressFold:
    """A fold with what is asked of its model."""

    number: int
    stored: pd.DataFrame
    predictions_sha256: str
    frame: pd.DataFrame
    changed: Mapping[str, Changed]
    digests: Mapping[str, str]

    @property
    def unchanged(self) -> list[str]:
        """The perturbations that change none of its texts."""
        return [name for name, each in self.changed.items() if not each.texts]


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
    models : Refitted or StoredModel
        Gives the models of the folds.
    input : str
        The column that is perturbed.
    folds : list of StressFold
        The folds with their changed texts.
    known : dict
        What is stored already, by fold and perturbation.
    workers : int
        Folds that are done at the same time.
    notes : list of str
        What to know before anything runs.
    embeds : bool
        Whether the features are embeddings.
    embedding : float
        The seconds that texts take to embed which are not embedded yet.
    """

    folder: RunFolder
    record: RunRecord
    run: ComparedRuns
    perturbations: list[Perturbation]
    models: Models
    input: str
    folds: list[StressFold]
    known: dict[tuple[int, str], StressedFold]
    workers: int
    notes: list[str]
    embeds: bool = False
    embedding: float = 0.0

    def missing(self, fold: StressFold) -> list[Changed]:
        """What the model of a fold must still be asked."""
        return [each for name, each in fold.changed.items() if each.texts and (fold.number, name) not in self.known]

    @property
    def to_do(self) -> list[StressFold]:
        """The folds whose model is needed."""
        return [fold for fold in self.folds if self.missing(fold)]

    @property
    def texts(self) -> int:
        """How many changed texts must still be predicted."""
        return sum(len(each.texts) for fold in self.folds for each in self.missing(fold))

    @property
    def seconds(self) -> float:
        """How long it takes about: by the times of the run, and what embedding takes, one process after another."""
        return self.embedding + self._others / max(self.workers, 1)

    @property
    def _others(self) -> float:
        """The seconds of all but embedding, in one process."""
        spent = self.folder.read_seconds()
        scored = len(self.run.ids)
        asked = sum(len(fold.frame) * (1 + len(self.missing(fold))) for fold in self.to_do)
        # Features are fitted once for the estimator and once to be kept, and computed for each text that is asked.
        features, fit, predict = (spent.get(phase, 0.0) for phase in ("features", "fit", "predict"))
        features = 0.0 if self.embeds else features
        share = len(self.to_do) / max(len(self.folds), 1)
        refit = share * (2 * features + fit) if isinstance(self.models, Refitted) else 0.0
        test_share = scored / max(scored + self.run.n_trained() * len(self.folds), 1)
        return refit + asked / max(scored, 1) * (predict + test_share * features)

    @property
    def cost(self) -> str:
        """What it takes, in a sentence."""
        title = f"{self.record.task.name}: {self.record.model.name}"
        if not self.to_do:
            return f"{title}: all predictions are stored, so nothing is fitted."
        n = len(self.to_do)
        refitted = f"{counted(n, 'fold')} {'is' if n == 1 else 'are'} fitted again without search"
        what = refitted if isinstance(self.models, Refitted) else "the stored model is loaded"
        asked = f"{self.texts:,} changed texts are predicted"
        return f"{title}: {what}, and {asked}: about {duration(self.seconds)}."


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
        settings = [folder.read_result(fold.number).params for fold in plan.to_do]
        for encoder in feature_encoders(evaluation, settings):
            doing(f"estimating how long {encoder} takes")
            plan.embeds = True
            plan.embedding += embedding_seconds(encoder, _to_embed(evaluation.task, plan), device_of(record))
        plans.append(plan)
    return plans


def device_of(record: RunRecord) -> Literal["cpu", "auto"]:
    """What torch computes on: on the processor if the run did."""
    return "cpu" if record.environment.device == "cpu" else "auto"


def _to_embed(task: Task, plan: StressPlan) -> list[str]:
    """The changed texts, and those of the task."""
    changed = [text for fold in plan.to_do for each in plan.missing(fold) for text in each.texts]
    return [*changed, *(str(text) for name in task.inputs for text in task.examples[name])]


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
) -> StressFold:
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
    return StressFold(number, stored, sha256, frame, changed, digests)


def _known(folder: RunFolder, folds: Sequence[StressFold]) -> dict[tuple[int, str], StressedFold]:
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
