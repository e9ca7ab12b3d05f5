"""Fitting a setting of a model on a split, or on all that trains."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data.splits import Split
from bench.models.space import Setting

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator

    from bench.data.dates import Times
    from bench.data.task import Task
    from bench.evaluation.clock import Clock
    from bench.evaluation.evaluation import Evaluation
    from bench.features.cache import FeatureCache


class Fitter:
    """Fits settings of one evaluation's model.

    Parameters
    ----------
    evaluation : Evaluation
        What is evaluated.
    seed : int
        The seed of every estimator.
    cache : FeatureCache
        Features of the task's frame.
    clock : Clock
        Receives the seconds and the warnings.
    """

    def __init__(self, evaluation: Evaluation, seed: int, cache: FeatureCache, clock: Clock) -> None:
        self.evaluation, self.seed, self.cache, self.clock = evaluation, seed, cache, clock

    def fit(self, params: Setting, split: Split) -> tuple[Any, Any]:
        """Fit a setting on a split's training part; returns the estimator with the features of the test part."""
        task = self.evaluation.task
        y = task.y[split.train]
        transformer = self.evaluation.features(params)
        estimator = self.evaluation.model.build_estimator(params, task, self.seed)
        with self.clock.phase("features"):
            if transformer is None:
                X_train, X_test = task.frame.iloc[split.train], task.frame.iloc[split.test]
            else:
                X_train, X_test = self.cache.fit_transform(transformer, split.train, split.test, y)
        with self.clock.fitting():
            if len(np.unique(y)) == 1:
                estimator = _constant_like(estimator)
            further: dict[str, Any] = self._known_of(estimator, split.train)
            dev = _early_stopping_rows(estimator, task, split)
            if len(dev):
                X_dev = task.frame.iloc[dev]
                if transformer is not None:
                    X_dev = self.cache.fit_transform(transformer, split.train, dev, y)[1]
                further |= {"X_val": X_dev, "y_val": task.y[dev]}
            estimator.fit(X_train, y, **further)
        return estimator, X_test

    def fit_whole(self, params: Setting, rows: NDArray[np.intp]) -> Any:
        """Fit a setting on rows, together with its own features."""
        task, model = self.evaluation.task, self.evaluation.model
        y = task.y[rows]
        transformer = model.build_features(params, task, self.seed)
        estimator = model.build_estimator(params, task, self.seed)
        with self.clock.phase("features"):
            X = task.frame.iloc[rows] if transformer is None else self.cache.fit(transformer, rows, y)
        with self.clock.fitting():
            estimator.fit(X, y, **self._known_of(estimator, rows))
        return _behind(transformer, estimator)

    def _known_of(self, estimator: Any, rows: NDArray[np.intp]) -> dict[str, NDArray[Any] | Times]:
        """What ``fit`` is told of training rows besides features and labels.

        Groups; for adjustments also times, if folds are forward, and what the task's metric is averaged over.
        """
        from bench.models.adjusted import AdjustedClassifier

        task = self.evaluation.task
        known = _groups_for(estimator, task.groups[rows])
        if self.evaluation.forward and isinstance(estimator, AdjustedClassifier):
            known["times"] = task.times[rows]
        if task.value_codes is not None and isinstance(estimator, AdjustedClassifier):
            known["values"] = task.value_codes[rows]
        return known

    def whole(self, params: Setting, split: Split, estimator: Any) -> Any:
        """A fitted estimator behind its features, which are fitted again: shared ones keep no transformer."""
        transformer, task = self.evaluation.features(params), self.evaluation.task
        if transformer is not None:
            transformer.fit(task.frame.iloc[split.train], task.y[split.train])
        return _behind(transformer, estimator)


def _behind(transformer: BaseEstimator | None, estimator: Any) -> Any:
    """A fitted estimator behind its fitted features, as `bench.models.model.Model.build` puts them together."""
    from sklearn.pipeline import Pipeline

    return estimator if transformer is None else Pipeline([("features", transformer), ("estimator", estimator)])


def _early_stopping_rows(estimator: Any, task: Task, split: Split) -> NDArray[np.intp]:
    """The dev rows with labels in training, if the classifier's ``fit`` accepts them and stops early."""
    stops = getattr(estimator, "early_stopping", True) is not False
    if split.dev is None or not stops or "X_val" not in inspect.signature(estimator.fit).parameters:
        return np.empty(0, dtype=np.intp)
    return split.dev[np.isin(task.codes[split.dev], task.codes[split.train])]


def _groups_for(estimator: Any, groups: NDArray[Any]) -> dict[str, NDArray[Any] | Times]:
    """The training rows' groups as the argument of ``fit``, if the classifier's ``fit`` has a parameter for them."""
    from sklearn.pipeline import Pipeline

    name = "groups"
    if isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        name = f"{step}__groups"
    return {name: groups} if "groups" in inspect.signature(estimator.fit).parameters else {}


class _OneLabel:
    """Predicts the only label in training, as any classifier would."""

    def fit(self, X: Any, y: NDArray[np.str_]) -> None:
        self.label = y[0]

    def predict(self, X: Any) -> NDArray[np.str_]:
        return np.full(X.shape[0], self.label)


def _constant_like(estimator: Any) -> Any:
    """The replacement for an estimator if training has one label, with probabilities if the estimator has them."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior") if hasattr(estimator, "predict_proba") else _OneLabel()
