"""Evaluating a cell: search on inner folds, fit on the outer training part, score once."""

from __future__ import annotations

import traceback
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.data.dates import days_after
from bench.data.splits import Split
from bench.errors import one_line, printable
from bench.evaluation.clock import Clock
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.fitting import Fitter
from bench.evaluation.predictions import Predictions, predict, predict_codes
from bench.evaluation.rounds import Fitted, Rounds
from bench.evaluation.search import Searched
from bench.metrics import Outcomes
from bench.metrics.confusion import UNANSWERED
from bench.metrics.outcomes import VALUE
from bench.metrics.scoring import all_scores
from bench.models.space import Setting
from bench.results.cell import FINAL, CellResult, Explanation, Fold
from bench.results.periods import DAYS
from bench.support.processor import processor_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task
    from bench.features.cache import FeatureCache


def evaluate(evaluation: Evaluation, fold: Fold, cache: FeatureCache) -> CellResult:
    """Evaluate one cell in this process.

    Parameters
    ----------
    evaluation : Evaluation
        What is evaluated.
    fold : int or "final"
        The outer fold, or `FINAL` to search and fit on all examples.
    cache : FeatureCache
        Features of the task's frame, shared by cells.

    Returns
    -------
    CellResult
        The result. If the model raised an error, its status is ``"failed"`` and it has the traceback.
    """
    rounds = Rounds(evaluation, fold)
    while (searched := rounds.searched) is None:
        fit = rounds.ready()[0]
        rounds.take([fit])
        rounds.tell(fit, fit_inner(evaluation, fold, fit.params, rounds.inner[fit.part], cache))
    return finish(evaluation, fold, searched, cache)


def fit_inner(evaluation: Evaluation, fold: Fold, params: Setting, inner: Split, cache: FeatureCache) -> Fitted:
    """Fit a setting on an inner fold of a cell, and make the predictions that the metric needs."""
    clock, task, model = Clock(), evaluation.task, evaluation.model
    predictions, failure = None, None
    try:
        with clock.phase("search"):
            fitter = Fitter(evaluation, evaluation.seed_of(fold, "model"), cache, clock)
            estimator, X_test = fitter.fit(params, inner)
            if not task.scored_by.needs_probabilities:
                predictions = Predictions(_small(predict_codes(estimator, X_test, task.labels)))
            else:
                predictions = predict(estimator, X_test, task.labels)
                if predictions.probabilities is None:
                    raise ValueError(f"the metric {task.metric} needs probabilities, but {model.name} gives none")
    except Exception as error:
        predictions, failure = None, one_line(f"{type(error).__name__}: {error}")
    return Fitted(predictions, failure, dict(clock.warnings), clock.seconds["search"], processor_name())


def finish(evaluation: Evaluation, fold: Fold, searched: Searched, cache: FeatureCache) -> CellResult:
    """Fit the setting that a search has chosen, on the outer training part, and score it once."""
    run = _CellRun(evaluation, fold, searched, cache)
    result = run.result
    try:
        if searched.trials and searched.score is None:
            raise RuntimeError(f"all {len(searched.trials)} settings failed; the first: {searched.trials[0].error}")
        if fold == FINAL:
            run.fit_final()
        else:
            run.score(evaluation.splits[int(fold)])
    except Exception:
        result.status, result.predictions, result.scores = "failed", None, {}
        result.error = printable(traceback.format_exc())
    result.notes = [one_line(note) for note in [*result.notes, *run.clock.notes()]]
    result.seconds = dict(run.clock.seconds)
    result.processors = dict(Counter(searched.processors) + Counter([processor_name()]))
    return result


def _small(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    """Label indices as small numbers, since they are sent to another process."""
    return codes.astype(np.int16) if len(codes) and codes.max() < np.iinfo(np.int16).max else codes


class _CellRun:
    """One cell while its chosen setting is fitted. `result` keeps what a step found even if a later one fails."""

    def __init__(self, evaluation: Evaluation, fold: Fold, searched: Searched, cache: FeatureCache) -> None:
        self.evaluation, self.fold, self.cache = evaluation, fold, cache
        self.result = CellResult(
            fold=fold,
            params=searched.params,
            inner_score=searched.score,
            trials=searched.trials,
            notes=list(searched.notes),
        )
        self.clock = Clock(warnings=Counter(searched.warnings))
        if searched.seconds is not None:
            self.clock.seconds["search"] = searched.seconds
        self.seed = evaluation.seed_of(fold, "model")
        self.metric = evaluation.task.scored_by

    def fit_final(self) -> None:
        """Fit the chosen setting on all that trains."""
        fitter = Fitter(self.evaluation, self.seed, self.cache, self.clock)
        self._store(fitter.fit_whole(self.result.params, self.evaluation.final_rows))

    def score(self, split: Split) -> None:
        """Fit the chosen setting on the outer training part, and score its predictions on the test part."""
        evaluation, task, result = self.evaluation, self.evaluation.task, self.result
        fitter = Fitter(evaluation, self.seed, self.cache, self.clock)
        estimator, X_test = fitter.fit(result.params, split)
        result.notes += _missing_labels(task, split, estimator)
        with self.clock.phase("predict"):
            predictions = predict(estimator, X_test, task.labels)
        result.notes += _prediction_notes(estimator, predictions)
        result.predictions = _prediction_frame(self.evaluation, split.test, predictions)
        if evaluation.forward:
            result.predictions[DAYS] = days_after(task.times[split.train], task.times[split.test])
        result.scores = all_scores(Outcomes.of(result.predictions, task.labels), self.metric)
        if evaluation.keeps_model:
            with self.clock.phase("store"):
                whole = fitter.whole(result.params, split, estimator)
            self._store(whole)
        with self.clock.phase("explain"):
            try:
                result.explanations = self._explanations(split, result.predictions, estimator, X_test)
            except Exception as error:  # The estimator and the features may be plug-ins, and the scores are complete.
                result.notes.append(f"wrong predictions cannot be explained: {type(error).__name__}: {error}")

    def _store(self, estimator: Any) -> None:
        from bench.models.persistence import dumps

        with self.clock.phase("store"):
            try:
                self.result.estimator = dumps(estimator)
            except Exception as error:
                self.result.notes.append(f"the fitted model cannot be stored: {type(error).__name__}: {error}")

    def _explanations(self, split: Split, predictions: pd.DataFrame, estimator: Any, X_test: Any) -> list[Explanation]:
        from bench.evaluation.explanations import explain_errors
        from bench.models.adjusted import AdjustedClassifier

        transformer = self.evaluation.features(self.result.params)
        if transformer is None:
            return []
        ids, predicted, true = (predictions[name].tolist() for name in ("id", "predicted", "label"))
        y = self.evaluation.task.y[split.train]
        return explain_errors(
            estimator.estimator_ if isinstance(estimator, AdjustedClassifier) else estimator,
            X_test,
            ids,
            predicted,
            true,
            lambda at: self.cache.feature_names(transformer, split.train, at, y),
        )


def _prediction_frame(evaluation: Evaluation, rows: NDArray[np.intp], predictions: Predictions) -> pd.DataFrame:
    task = evaluation.task
    # What is unanswered has the last index, -1.
    labels = np.array([*task.labels, ""], dtype=object)
    columns: dict[str, object] = {
        "id": task.ids[rows],
        "group": task.groups[rows],
        "label": labels[task.codes[rows]],
        "predicted": labels[predictions.codes],
    }
    if task.values is not None:
        columns[VALUE] = task.values[rows]
    if evaluation.weights is not None:
        columns["weight"] = evaluation.weights[rows]
    for prefix, values in (("p", predictions.probabilities), ("d", predictions.decisions)):
        if values is not None:
            columns |= {f"{prefix}_{label}": values[:, code] for code, label in enumerate(task.labels)}
    return pd.DataFrame(columns)


def _prediction_notes(estimator: Any, predictions: Predictions) -> list[str]:
    """The notes of an estimator on its predictions, and the number of unanswered examples with the first reason."""
    notes = [str(note) for note in getattr(estimator, "notes_", ())]
    unanswered = int((predictions.codes == UNANSWERED).sum())
    if unanswered:
        reason = next(filter(None, getattr(estimator, "unanswered_", ())), None)
        told = "" if reason is None else f"; the first: {reason}"
        left = "was left unanswered: it counts" if unanswered == 1 else "were left unanswered: they count"
        notes.insert(0, f"{unanswered} of {len(predictions.codes)} examples {left} as wrong{told}")
    return notes


def _missing_labels(task: Task, split: Split, estimator: Any) -> list[str]:
    """Which tested labels training lacks; a model that knows them without training has them among its classes."""
    in_train, in_test = (
        np.bincount(task.codes[rows], minlength=len(task.labels)) for rows in (split.train, split.test)
    )
    known = set(getattr(estimator, "classes_", ()))
    lacking = [
        label
        for label, a, b in zip(task.labels, in_train, in_test, strict=True)
        if a == 0 and b > 0 and label not in known
    ]
    notes = []
    if lacking:
        notes.append(f"training lacks {', '.join(lacking)}, so such test examples cannot be predicted correctly")
    if (in_train > 0).sum() == 1:
        notes.append("training has a single label, which is always predicted")
    return notes
