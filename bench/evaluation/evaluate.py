"""Evaluating a cell: search on inner folds, fit on the outer training part, score once."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.data.splits import Split
from bench.errors import one_line, printable
from bench.evaluation.clock import Clock
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.fitting import Fitter
from bench.evaluation.predictions import Predictions, predict, predict_codes
from bench.evaluation.search import Searched, best_of, run_trials
from bench.metrics import Outcomes
from bench.metrics.confusion import UNANSWERED
from bench.metrics.outcomes import VALUE
from bench.metrics.scoring import all_scores
from bench.models.space import Setting
from bench.results.cell import FINAL, CellResult, Explanation, Fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task
    from bench.evaluation.search import Report
    from bench.features.cache import FeatureCache


def evaluate(evaluation: Evaluation, fold: Fold, cache: FeatureCache) -> CellResult:
    """Evaluate one cell.

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
        The result; one whose model raised has status ``"failed"`` and the traceback.
    """
    run = _CellRun(evaluation, fold, cache)
    result = run.result
    try:
        run.search()
        if fold == FINAL:
            run.fit_final()
        else:
            run.score(evaluation.splits[int(fold)])
    except Exception:
        result.status, result.predictions, result.scores = "failed", None, {}
        result.error = printable(traceback.format_exc())
    result.notes = [one_line(note) for note in [*result.notes, *run.clock.notes()]]
    result.seconds = dict(run.clock.seconds)
    return result


class _CellRun:
    """One cell while it is evaluated; what a step finds is in `result` also where a later one fails."""

    def __init__(self, evaluation: Evaluation, fold: Fold, cache: FeatureCache) -> None:
        self.evaluation, self.fold, self.cache = evaluation, fold, cache
        self.result = CellResult(fold=fold)
        self.clock = Clock()
        self.seed = evaluation.seed_of(fold, "model")
        self.metric = evaluation.task.scored_by

    def search(self) -> None:
        """Choose a setting by the metric of the pooled inner out-of-fold predictions."""
        found = self._searched()
        result = self.result
        result.trials, result.params, result.inner_score = found.trials, found.params, found.score
        result.notes += found.notes
        if found.trials and found.score is None:
            raise RuntimeError(f"all {len(found.trials)} settings failed; the first: {found.trials[0].error}")

    def fit_final(self) -> None:
        """Fit the chosen setting on all that trains."""
        fitter = Fitter(self.evaluation, self.seed, self.cache, self.clock)
        self._store(fitter.fit_whole(self.result.params, self.evaluation.final_rows))

    def score(self, split: Split) -> None:
        """Fit the chosen setting on the outer training part, and score what it predicts of the test part."""
        evaluation, task, result = self.evaluation, self.evaluation.task, self.result
        fitter = Fitter(evaluation, self.seed, self.cache, self.clock)
        estimator, X_test = fitter.fit(result.params, split)
        result.notes += _missing_labels(task, split, estimator)
        with self.clock.phase("predict"):
            predictions = predict(estimator, X_test, task.labels)
        result.notes += _prediction_notes(estimator, predictions)
        result.predictions = _prediction_frame(task, split.test, predictions)
        result.scores = all_scores(Outcomes.of(result.predictions, task.labels), self.metric)
        if evaluation.keeps_model:
            with self.clock.phase("store"):
                whole = fitter.whole(result.params, split, estimator)
            self._store(whole)
        with self.clock.phase("explain"):
            try:
                result.explanations = self._explanations(split, result.predictions, estimator, X_test)
            except Exception as error:  # The estimator and the features may be anybody's, and the scores are made.
                result.notes.append(f"wrong predictions cannot be explained: {type(error).__name__}: {error}")

    def _searched(self) -> Searched:
        evaluation = self.evaluation
        if not evaluation.model.search or not evaluation.search.trials:
            return Searched()
        inner = evaluation.inner_splits(self.fold)
        if not inner:
            return Searched(notes=["training holds one group, which inner folds cannot split: nothing was searched"])
        minimise = not self.metric.greater_is_better
        with self.clock.phase("search"):
            trials = run_trials(
                lambda params, report: self._inner_score(params, inner, report),
                evaluation.model,
                evaluation.search,
                minimise=minimise,
                seed=evaluation.seed_of(self.fold, "search"),
            )
        return best_of(trials, minimise)

    def _inner_score(self, params: Setting, inner: Sequence[Split], report: Report | None) -> float:
        """The score of the pooled inner predictions; the seconds of its phases are those of the search."""
        fitter = Fitter(self.evaluation, self.seed, self.cache, Clock(warnings=self.clock.warnings))
        predictions: list[Predictions] = []
        for done, split in enumerate(inner, start=1):
            predictions.append(self._inner_predictions(*fitter.fit(params, split)))
            if report is not None and done < len(inner):
                report(self.metric.score(self._pooled(inner[:done], predictions)), done, len(inner))
        return self.metric.score(self._pooled(inner, predictions))

    def _inner_predictions(self, estimator: Any, X_test: Any) -> Predictions:
        """What the metric is made of."""
        labels = self.evaluation.task.labels
        if not self.metric.needs_probabilities:
            return Predictions(predict_codes(estimator, X_test, labels))
        predictions = predict(estimator, X_test, labels)
        if predictions.probabilities is None:
            name = self.evaluation.model.name
            raise ValueError(f"the metric {self.metric.name} needs probabilities, which {name} does not give")
        return predictions

    def _pooled(self, inner: Sequence[Split], predictions: Sequence[Predictions]) -> Outcomes:
        """The inner predictions of several folds together, each a test part of its own."""
        task = self.evaluation.task
        rows = np.concatenate([split.test for split in inner])
        probabilities = [each.probabilities for each in predictions if each.probabilities is not None]
        return Outcomes(
            true=task.codes[rows],
            predicted=np.concatenate([each.codes for each in predictions]),
            n_labels=len(task.labels),
            groups=np.zeros(len(rows), dtype=np.intp),
            parts=np.repeat(np.arange(len(predictions)), [len(each.codes) for each in predictions]),
            probabilities=np.concatenate(probabilities) if probabilities else None,
            values=None if task.value_codes is None else task.value_codes[rows],
        )

    def _store(self, estimator: Any) -> None:
        from bench.models.persistence import dumps

        with self.clock.phase("store"):
            try:
                self.result.estimator = dumps(estimator)
            except Exception as error:
                self.result.notes.append(f"the fitted model cannot be stored: {type(error).__name__}: {error}")

    def _explanations(self, split: Split, predictions: pd.DataFrame, estimator: Any, X_test: Any) -> list[Explanation]:
        from bench.evaluation.explanations import explain_errors

        transformer = self.evaluation.features(self.result.params)
        if transformer is None:
            return []
        ids, predicted, true = (predictions[name].tolist() for name in ("id", "predicted", "label"))
        y = self.evaluation.task.y[split.train]
        return explain_errors(
            estimator,
            X_test,
            ids,
            predicted,
            true,
            lambda at: self.cache.feature_names(transformer, split.train, at, y),
        )


def _prediction_frame(task: Task, rows: NDArray[np.intp], predictions: Predictions) -> pd.DataFrame:
    # What is unanswered has the last index, -1.
    labels = np.array([*task.labels, ""], dtype=object)
    columns: dict[str, Any] = {
        "id": task.ids[rows],
        "group": task.groups[rows],
        "label": labels[task.codes[rows]],
        "predicted": labels[predictions.codes],
    }
    if task.values is not None:
        columns[VALUE] = task.values[rows]
    if task.weights is not None:
        columns["weight"] = task.weights[rows]
    for prefix, values in (("p", predictions.probabilities), ("d", predictions.decisions)):
        if values is not None:
            columns |= {f"{prefix}_{label}": values[:, code] for code, label in enumerate(task.labels)}
    return pd.DataFrame(columns)


def _prediction_notes(estimator: Any, predictions: Predictions) -> list[str]:
    """What an estimator says of its predictions in ``notes_``, and how many it did not make, with its first reason."""
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
        notes.append(f"training lacks {', '.join(lacking)}: the test examples so labelled cannot be got right")
    if (in_train > 0).sum() == 1:
        notes.append("training holds a single label, which is predicted throughout")
    return notes
