"""Evaluating a cell: search on inner folds, fit on the outer training part, score once."""

from __future__ import annotations

import inspect
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.config import Search
from bench.data.task import Task
from bench.errors import one_line, printable
from bench.evaluation.cell import FINAL, CellResult, Fold, Trial
from bench.evaluation.metrics import (
    LOWER_IS_BETTER,
    PROBABILITY_METRICS,
    UNANSWERED,
    confusion_matrix,
    label_scores,
    probability_scores,
)
from bench.evaluation.predictions import Predictions, predict, predict_codes
from bench.evaluation.scoring import score_predictions
from bench.evaluation.splits import Split, split_by_group
from bench.models.model import Model
from bench.seeding import derive_seed
from bench.waiting import waited_seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from optuna.trial import Trial as OptunaTrial
    from sklearn.base import BaseEstimator

    from bench.features.cache import FeatureCache

    Report = Callable[[float, int, int], None]
    Objective = Callable[[dict[str, Any], Report | None], float]

MOST_WARNINGS = 100
"""Different warnings of a fold that its notes hold; a message with a number in it may be another at each fit."""

PRUNING_STARTS = 3
"""Settings that are scored in full before the search stops any."""


@dataclass(eq=False)
class Evaluation:
    """All that the cells of one (task, model, seed) share.

    Parameters
    ----------
    task : Task
        The examples.
    model : Model
        What is searched and fitted.
    splits : list of Split
        The outer folds.
    search : Search
        The budget of each search.
    inner_folds : int
        Inner folds, where the training part has more than ten groups.
    seed : int
        The run's seed.
    keeps_model : bool
        Whether a fold's fitted model is part of its result: for a published split, whose one model is the one that
        is scored.
    lent : ndarray of int, shape (n_lent,), or None
        Rows of another task's examples, which only ever train.
    """

    task: Task
    model: Model
    splits: list[Split]
    search: Search
    inner_folds: int
    seed: int
    keeps_model: bool = False
    lent: NDArray[np.intp] | None = None

    @property
    def final_rows(self) -> NDArray[np.intp]:
        """What the final model is fitted on: all examples, but only lent ones where these alone train."""
        alone = self.lent is not None and all(np.array_equal(split.train, self.lent) for split in self.splits)
        return self.lent if alone and self.lent is not None else np.arange(len(self.task))


@dataclass
class _Clock:
    """Seconds by phase, without those spent waiting for another process, and the warnings of the estimators' fits.

    Warnings of features are left out: features are shared, so which cell makes them is chance.
    """

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    warnings: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def fitting(self) -> Iterator[None]:
        with self.phase("fit"), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            yield
        self.warnings.update(
            f"{w.category.__name__}: {(str(w.message).splitlines() or [''])[0]}"
            for w in caught
            if issubclass(w.category, UserWarning | RuntimeWarning)
        )

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start, waited = time.perf_counter(), waited_seconds()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start - (waited_seconds() - waited)


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
    clock = _Clock()
    result = CellResult(fold=fold)
    try:
        if fold == FINAL:
            _fit_final(evaluation, result, cache, clock)
        else:
            _score_fold(evaluation, int(fold), result, cache, clock)
    except Exception:
        result.status, result.predictions, result.scores = "failed", None, {}
        result.error = printable(traceback.format_exc())
    result.notes = [one_line(note) for note in [*result.notes, *_warning_notes(clock.warnings)]]
    result.seconds = dict(clock.seconds)
    return result


def _score_fold(evaluation: Evaluation, fold: int, result: CellResult, cache: FeatureCache, clock: _Clock) -> None:
    task, split = evaluation.task, evaluation.splits[fold]
    _search(evaluation, fold, split.train, result, cache, clock)
    seed = _model_seed(evaluation, fold)
    estimator, X_test = _fit(evaluation, result.params, seed, split, cache, clock)
    result.notes += _missing_labels(task, split, estimator)
    with clock.phase("predict"):
        predictions = predict(estimator, X_test, task.labels)
    result.notes += _prediction_notes(estimator, predictions)
    result.predictions = _prediction_frame(task, split.test, predictions)
    result.scores = score_predictions(result.predictions, task.labels, task.metric)
    if evaluation.keeps_model:
        with clock.phase("store"):
            _store(_whole(evaluation, result.params, split, estimator), result)
    with clock.phase("explain"):
        try:
            result.explanations = _explain(evaluation, split, result, estimator, X_test, cache)
        except Exception as error:  # The estimator and the features may be anybody's, and the scores are made.
            result.notes.append(f"wrong predictions cannot be explained: {type(error).__name__}: {error}")


def _explain(
    evaluation: Evaluation, split: Split, result: CellResult, estimator: Any, X_test: Any, cache: FeatureCache
) -> list[dict[str, Any]]:
    from bench.evaluation.explanations import explain_errors

    transformer = _features(evaluation, result.params)
    if transformer is None or result.predictions is None:
        return []
    ids, predicted, true = (result.predictions[name].tolist() for name in ("id", "predicted", "label"))
    y = evaluation.task.y[split.train]
    return explain_errors(
        estimator, X_test, ids, predicted, true, lambda at: cache.feature_names(transformer, split.train, at, y)
    )


def _fit_final(evaluation: Evaluation, result: CellResult, cache: FeatureCache, clock: _Clock) -> None:
    task = evaluation.task
    rows = evaluation.final_rows
    _search(evaluation, FINAL, rows, result, cache, clock)
    seed, y = _model_seed(evaluation, FINAL), task.y[rows]
    transformer = evaluation.model.build_features(result.params, task, seed)
    estimator = evaluation.model.build_estimator(result.params, task, seed)
    with clock.phase("features"):
        X = task.frame.iloc[rows] if transformer is None else cache.fit(transformer, rows, y)
    with clock.fitting():
        estimator.fit(X, y, **_groups_for(estimator, task.groups[rows]))
    del X
    with clock.phase("store"):
        _store(_behind(transformer, estimator), result)


def _whole(evaluation: Evaluation, params: dict[str, Any], split: Split, estimator: Any) -> Any:
    """A fitted estimator behind its features, which are fitted again: shared ones keep no transformer."""
    transformer, task = _features(evaluation, params), evaluation.task
    if transformer is not None:
        transformer.fit(task.frame.iloc[split.train], task.y[split.train])
    return _behind(transformer, estimator)


def _behind(transformer: BaseEstimator | None, estimator: Any) -> Any:
    """A fitted estimator behind its fitted features, as `bench.models.model.Model.build` puts them together."""
    from sklearn.pipeline import Pipeline

    return estimator if transformer is None else Pipeline([("features", transformer), ("estimator", estimator)])


def _store(estimator: Any, result: CellResult) -> None:
    from bench.models.persistence import dumps

    try:
        result.estimator = dumps(estimator)
    except Exception as error:
        result.notes.append(f"the fitted model cannot be stored: {type(error).__name__}: {error}")


def _search(
    evaluation: Evaluation, fold: Fold, rows: NDArray[np.intp], result: CellResult, cache: FeatureCache, clock: _Clock
) -> None:
    """Choose a setting by the metric of the pooled inner out-of-fold predictions."""
    model, task = evaluation.model, evaluation.task
    if not model.search or not evaluation.search.trials:
        return
    inner = inner_splits(evaluation, fold, rows)
    if not inner:
        result.notes.append("training holds one group, which inner folds cannot split: nothing was searched")
        return
    with clock.phase("search"):
        result.trials = run_trials(
            lambda params, report: _inner_score(
                evaluation, params, _model_seed(evaluation, fold), inner, cache, clock.warnings, report
            ),
            evaluation.model,
            evaluation.search,
            minimise=task.metric in LOWER_IS_BETTER,
            seed=derive_seed(evaluation.seed, task.name, model.name, str(fold), "search"),
        )
    scored = [trial for trial in result.trials if trial.score is not None]
    if not scored:
        raise RuntimeError(f"all {len(result.trials)} settings failed; the first: {result.trials[0].error}")
    failed = [trial for trial in result.trials if trial.failed]
    if failed:
        result.notes.append(f"{len(failed)} settings failed; the first: {failed[0].error}")
    sign = 1.0 if task.metric in LOWER_IS_BETTER else -1.0
    best = min(scored, key=lambda trial: (sign * (trial.score or 0.0), trial.number))
    result.params, result.inner_score = best.params, best.score


def inner_splits(evaluation: Evaluation, fold: Fold, rows: NDArray[np.intp]) -> list[Split]:
    """The inner folds of a cell's training part, or the one that a published split names with its dev part.

    Parameters
    ----------
    evaluation : Evaluation
        What is evaluated.
    fold : int or "final"
        The cell's fold.
    rows : ndarray of int, shape (n_training,)
        Its training part.

    Returns
    -------
    list of Split
        Empty where the part holds one group. Rows of another task train in each of them, and are tested in none,
        unless they alone train.
    """
    task = evaluation.task
    dev = None if fold == FINAL else evaluation.splits[int(fold)].dev
    if dev is not None:
        return [Split(rows, dev, dev)]
    seed = derive_seed(evaluation.seed, task.name, str(fold), "inner")
    own, lent = rows, rows[:0]
    if evaluation.lent is not None and len(rows) > len(evaluation.lent):
        own, lent = np.setdiff1d(rows, evaluation.lent), evaluation.lent
    return [
        Split(np.concatenate([own[split.train], lent]), own[split.test])
        for split in split_by_group(task.codes[own], task.groups[own], evaluation.inner_folds, seed)
    ]


def run_trials(objective: Objective, model: Model, search: Search, minimise: bool, seed: int) -> list[Trial]:
    """Let Optuna's TPE (Bergstra et al. 2011) propose settings and record what each scores.

    The model's own setting is tried first where it has one for every searched parameter. Where the model says
    ``prune``, Optuna's median rule stops a setting whose best score so far is worse than the median of what the
    settings that were scored in full had after as many inner folds, once there are `PRUNING_STARTS` of these.

    Parameters
    ----------
    objective : callable
        From a setting to its score; a setting for which it raises is recorded as failed. Where the model says
        ``prune`` it is also given what to call after each inner fold but the last, with the score so far, the
        number of inner folds done and the number of all; else None.
    model : Model
        Whose space is searched.
    search : Search
        The budget.
    minimise : bool
        Whether less is better.
    seed : int
        Seed of the sampler.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="minimize" if minimise else "maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNING_STARTS, n_warmup_steps=0),
    )
    if model.first_setting is not None:
        study.enqueue_trial(model.search.encode(model.first_setting))
    trials: list[Trial] = []
    start = time.perf_counter()
    for number in range(search.trials):
        if trials and search.timeout is not None and time.perf_counter() - start > search.timeout:
            break
        asked = study.ask()
        params = model.search.suggest(asked)
        try:
            score = objective(params, partial(_report, asked) if model.prune else None)
        except _Pruned as stop:
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
            trials.append(Trial(number, params, None, pruned_after=stop.done, inner_folds=stop.of))
        except Exception as error:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
            trials.append(Trial(number, params, None, one_line(f"{type(error).__name__}: {error}")))
        else:
            study.tell(asked, score)
            trials.append(Trial(number, params, score))
    return trials


class _Pruned(Exception):  # noqa: N818
    """The search stops a setting after some of the inner folds."""

    def __init__(self, done: int, of: int) -> None:
        super().__init__(done, of)
        self.done, self.of = done, of


def _report(asked: OptunaTrial, score: float, done: int, of: int) -> None:
    asked.report(score, done)
    if asked.should_prune():
        raise _Pruned(done, of)


def _inner_score(
    evaluation: Evaluation,
    params: dict[str, Any],
    seed: int,
    inner: Sequence[Split],
    cache: FeatureCache,
    caught: Counter[str],
    report: Report | None,
) -> float:
    clock = _Clock(warnings=caught)
    predictions: list[NDArray[Any]] = []
    for done, split in enumerate(inner, start=1):
        estimator, X_test = _fit(evaluation, params, seed, split, cache, clock)
        predictions.append(_inner_predictions(evaluation, estimator, X_test))
        if report is not None and done < len(inner):
            report(_pooled_score(evaluation.task, inner[:done], predictions), done, len(inner))
    return _pooled_score(evaluation.task, inner, predictions)


def _inner_predictions(evaluation: Evaluation, estimator: Any, X_test: Any) -> NDArray[Any]:
    """What the task's metric is made of: label indices of shape (n_rows,), or probabilities (n_rows, n_labels)."""
    task = evaluation.task
    if task.metric not in PROBABILITY_METRICS:
        return predict_codes(estimator, X_test, task.labels)
    probabilities = predict(estimator, X_test, task.labels).probabilities
    if probabilities is None:
        raise ValueError(f"the metric {task.metric} needs probabilities, which {evaluation.model.name} does not give")
    return probabilities


def _pooled_score(task: Task, inner: Sequence[Split], predictions: Sequence[NDArray[Any]]) -> float:
    true = np.concatenate([task.codes[split.test] for split in inner])
    pooled = np.concatenate(predictions)
    if task.metric not in PROBABILITY_METRICS:
        return float(label_scores(confusion_matrix(true, pooled, len(task.labels)), task.metric)[task.metric])
    parts = np.repeat(np.arange(len(predictions)), [len(each) for each in predictions])
    return probability_scores(pooled, true, parts)[task.metric]


def _fit(
    evaluation: Evaluation, params: dict[str, Any], seed: int, split: Split, cache: FeatureCache, clock: _Clock
) -> tuple[Any, Any]:
    """Fit the model on a split's training part; returns it with the features of the test part."""
    task, model = evaluation.task, evaluation.model
    y = task.y[split.train]
    transformer = _features(evaluation, params)
    estimator = model.build_estimator(params, task, seed)
    with clock.phase("features"):
        if transformer is None:
            X_train, X_test = task.frame.iloc[split.train], task.frame.iloc[split.test]
        else:
            X_train, X_test = cache.fit_transform(transformer, split.train, split.test, y)
    with clock.fitting():
        if len(np.unique(y)) == 1:
            estimator = _constant_like(estimator)
        further: dict[str, Any] = _groups_for(estimator, task.groups[split.train])
        dev = _early_stopping_rows(estimator, task, split)
        if len(dev):
            X_dev = task.frame.iloc[dev]
            if transformer is not None:
                X_dev = cache.fit_transform(transformer, split.train, dev, y)[1]
            further |= {"X_val": X_dev, "y_val": task.y[dev]}
        estimator.fit(X_train, y, **further)
    return estimator, X_test


def _early_stopping_rows(estimator: Any, task: Task, split: Split) -> NDArray[np.intp]:
    """The dev rows whose labels training has, where the classifier's ``fit`` takes them and it stops early."""
    stops = getattr(estimator, "early_stopping", True) is not False
    if split.dev is None or not stops or "X_val" not in inspect.signature(estimator.fit).parameters:
        return np.empty(0, dtype=np.intp)
    return split.dev[np.isin(task.codes[split.dev], task.codes[split.train])]


def _groups_for(estimator: Any, groups: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The training rows' groups as the argument of ``fit``, where the classifier's ``fit`` has a parameter for them."""
    from sklearn.pipeline import Pipeline

    name = "groups"
    if isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        name = f"{step}__groups"
    return {name: groups} if "groups" in inspect.signature(estimator.fit).parameters else {}


def _features(evaluation: Evaluation, params: dict[str, Any]) -> BaseEstimator | None:
    """The unfitted transformer, with a seed that all of a task's models and folds share, as they share features."""
    task = evaluation.task
    return evaluation.model.build_features(params, task, derive_seed(evaluation.seed, task.name, "features"))


class _OneLabel:
    """Predicts the only label that training holds, as any classifier would."""

    def fit(self, X: Any, y: NDArray[np.str_]) -> None:
        self.label = y[0]

    def predict(self, X: Any) -> NDArray[np.str_]:
        return np.full(X.shape[0], self.label)


def _constant_like(estimator: Any) -> Any:
    """What stands in for an estimator where training holds one label: with probabilities if it has them."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior") if hasattr(estimator, "predict_proba") else _OneLabel()


def _prediction_frame(task: Task, rows: NDArray[np.intp], predictions: Predictions) -> pd.DataFrame:
    # What is unanswered has the last index, -1.
    labels = np.array([*task.labels, ""], dtype=object)
    columns: dict[str, Any] = {
        "id": task.ids[rows],
        "group": task.groups[rows],
        "label": labels[task.codes[rows]],
        "predicted": labels[predictions.codes],
    }
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


def _model_seed(evaluation: Evaluation, fold: Fold) -> int:
    return derive_seed(evaluation.seed, evaluation.task.name, evaluation.model.name, str(fold), "model")


def _warning_notes(counts: Counter[str]) -> list[str]:
    told = [f"{text} ({n} times)" if n > 1 else text for text, n in sorted(counts.items())]
    rest = len(told) - MOST_WARNINGS
    return told if rest <= 0 else [*told[:MOST_WARNINGS], f"{rest} more kinds of warnings"]
