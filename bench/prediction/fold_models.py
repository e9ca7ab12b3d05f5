"""The models of a run's outer folds, fitted again without a search: each predicts what it has not trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import UserError
from bench.prediction.fitted import FittedModel, changed_code, load_fitted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from bench.data.task import Task
    from bench.results.record import RunRecord
    from bench.results.store import RunFolder


@dataclass(frozen=True, eq=False)
class FoldModel:
    """A fitted model of an outer fold.

    Parameters
    ----------
    model : FittedModel
        The model.
    test : ndarray of int, shape (n_test,)
        The examples that it has not trained on and that the run scored with it.
    """

    model: FittedModel
    test: NDArray[np.intp]


def stored_task(record: RunRecord) -> Task:
    """The task of a run, which must still have the run's data.

    Raises
    ------
    bench.errors.UserError
        If the task is not here, or its data have changed.
    """
    from bench.catalogue import load_task
    from bench.planning.split_task import as_in_record

    task = as_in_record(load_task(record.task.name), record)
    if task.digest != record.task.digest or task.labels != record.task.labels:
        raise UserError(
            f"The data of {task.name} have changed since the run {record.key}: its predictions are of other examples.",
            f"Run it on today's data: {record.command}",
        )
    return task


def fold_models(
    folder: RunFolder, record: RunRecord, task: Task, overrides: Mapping[str, Any], doing: Callable[[str], None]
) -> list[FoldModel]:
    """Fit each outer fold's chosen setting again, on the fold's training part.

    A run on a published split has stored its only model, which is loaded.

    Parameters
    ----------
    folder, record
        The run.
    task : Task
        Its task, as `stored_task` gives it.
    overrides : mapping of str to object
        Dotted keys of the model's definition here with the values to put in their place.
    doing : callable
        Receives progress messages.

    Raises
    ------
    bench.errors.UserError
        If a fold is missing, or the model is not as the run had it.
    """
    if record.train_on is not None:
        raise UserError(
            f"The run {record.key} also trained on {record.train_on.task}.", "Name one that trains on its own task."
        )
    rows = {str(name): number for number, name in enumerate(task.ids.tolist())}
    tests = [
        np.array([rows[name] for name in folder.read_predictions(fold)["id"]], dtype=np.intp)
        for fold in range(record.folds)
    ]
    if record.task.splits and record.folds == 1:
        return [FoldModel(load_fitted(folder, overrides), tests[0])]
    if record.task.splits:
        raise UserError(
            f"The run {record.key} has {record.folds} published splits.", "Run it with validation.splits=grouped"
        )
    return [
        FoldModel(_fitted(folder, record, task, overrides, fold, test, doing), test) for fold, test in enumerate(tests)
    ]


def _fitted(
    folder: RunFolder,
    record: RunRecord,
    task: Task,
    overrides: Mapping[str, Any],
    fold: int,
    test: NDArray[np.intp],
    doing: Callable[[str], None],
) -> FittedModel:
    from bench.catalogue import load_model
    from bench.data.splits import Split
    from bench.evaluation.clock import Clock
    from bench.evaluation.evaluation import Evaluation
    from bench.evaluation.fitting import Fitter
    from bench.features.cache import FeatureCache
    from bench.support.json_text import spelled

    doing(f"fitting the model of fold {fold + 1} of {record.folds}")
    if changed := changed_code(record):
        raise UserError(f"{folder.path}: {changed}.", f"Rerun it: {record.command} Or restore the code.")
    model = load_model(record.model.name, dict(overrides))
    if spelled(model.written_params) != record.model.params:
        raise UserError(
            f"{model.name} has other parameters here than in the run {record.key}.",
            "Name them as its command did, as model.params.NAME=VALUE, or name another run: run=KEY",
        )
    split = Split(np.setdiff1d(np.arange(len(task)), test), test)
    evaluation = Evaluation(
        task, model, [split], record.search, record.validation.inner_folds, record.seed, keeps_model=True
    )
    fitter = Fitter(evaluation, evaluation.seed_of(fold, "model"), FeatureCache(task.frame), Clock())
    params = folder.read_result(fold).params
    estimator, _ = fitter.fit(params, split)
    return FittedModel(task.inputs, task.labels, fitter.whole(params, split, estimator))
