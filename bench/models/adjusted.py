"""A classifier whose probabilities and decisions are adjusted on inner folds of its training part."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from bench.data.forward import forward_splits
from bench.data.splits import Split, split_by_group
from bench.metrics import find_metric
from bench.metrics.averaged import averaged
from bench.metrics.outcomes import Outcomes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.dates import Times
    from bench.metrics import Metric

    Floats = NDArray[np.float64]

_MOST_CANDIDATES = 64
_PASSES = 3


class AdjustedClassifier(ClassifierMixin, BaseEstimator):
    """Scale a classifier's probabilities by a temperature, and choose offsets of labels for a metric.

    Both are fitted on the predictions for inner folds of the training part, which keep groups whole. The classifier is
    then fitted on all of it.

    Parameters
    ----------
    estimator : classifier with ``predict_proba``
        The classifier.
    calibrate : "temperature" or None
        Whether to scale the logarithms of its probabilities by the factor with the least log loss (Guo et al. 2017).
        The most probable label stays the same.
    thresholds : "tuned" or None
        Whether to add to them the offset of each label with which predictions score best; with two labels, that is a
        threshold. Probabilities stay the same.
    metric : str
        What offsets are chosen for.
    labels : sequence of str
        The task's labels.
    folds : int
        Inner folds, if there are more than ten groups.
    random_state : int
        The seed of the inner folds.

    Attributes
    ----------
    scale_ : float
        The inverse of the temperature.
    offsets_ : ndarray of shape (n_classes,)
        The offsets of `classes_`.
    """

    def __init__(
        self,
        estimator: Any = None,
        calibrate: str | None = None,
        thresholds: str | None = None,
        metric: str = "macro_f1",
        labels: Sequence[str] = (),
        folds: int = 3,
        random_state: int = 0,
    ) -> None:
        self.estimator, self.calibrate, self.thresholds = estimator, calibrate, thresholds
        self.metric, self.labels, self.folds, self.random_state = metric, labels, folds, random_state

    def fit(
        self,
        X: Any,
        y: NDArray[np.str_],
        groups: NDArray[Any] | None = None,
        times: Times | None = None,
        values: NDArray[Any] | None = None,
    ) -> Self:
        """Fit the adjustments on inner folds, and the classifier on all rows.

        Parameters
        ----------
        X : array, sparse matrix or data frame of shape (n_examples, n_columns)
            What the classifier reads.
        y : ndarray of str, shape (n_examples,)
            Labels.
        groups : ndarray of str, shape (n_examples,), optional
            Groups that inner folds keep whole; by default each example is its own.
        times : Times, optional
            When the examples appeared. With them, inner folds train on earlier and test on later ones.
        values : ndarray of shape (n_examples,), optional
            The value of each example to average the metric over; by default it is not averaged.
        """
        y = np.asarray(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.scale_, self.offsets_ = 1.0, np.zeros(len(self.classes_))
        self.notes_: tuple[str, ...] = ()
        if self.calibrate or self.thresholds:
            own = np.arange(len(y)).astype(str) if groups is None else np.asarray(groups)
            if times is None:
                splits = split_by_group(codes, own, self.folds, self.random_state)
            else:
                splits = forward_splits(codes, own, times, self.folds)
            self._adjust(X, y, codes, own, splits, None if values is None else np.asarray(values))
        self.estimator_ = _fitted(self.estimator, X, y, groups)
        return self

    def _adjust(
        self,
        X: Any,
        y: NDArray[np.str_],
        codes: NDArray[np.intp],
        groups: NDArray[Any],
        splits: Sequence[Split],
        values: NDArray[Any] | None,
    ) -> None:
        from sklearn.utils import _safe_indexing

        tested, given = [], []
        for split in splits:
            if len(np.unique(codes[split.train])) < len(self.classes_):
                continue
            inner = _fitted(self.estimator, _safe_indexing(X, split.train), y[split.train], groups[split.train])
            given.append(_log(inner.predict_proba(_safe_indexing(X, split.test))))
            tested.append(split.test)
        rows = np.concatenate(tested) if tested else np.empty(0, dtype=np.intp)
        if lacking := set(range(len(self.classes_))) - set(codes[rows].tolist()):
            names = ", ".join(str(self.classes_[code]) for code in sorted(lacking))
            self.notes_ = (f"no inner fold tests {names} and trains on all labels, so nothing is calibrated or tuned",)
            return
        logs = np.concatenate(given)
        if self.calibrate:
            self.scale_ = best_scale(logs, codes[rows])
        if self.thresholds:
            labels = [str(label) for label in (self.labels or self.classes_)]
            own = np.array([labels.index(str(name)) for name in self.classes_])
            metric, held = find_metric(self.metric, labels), None
            if values is not None:
                metric, held = averaged(metric, "values"), np.unique(values[rows], return_inverse=True)[1]
            self.offsets_ = best_offsets(_scaled(logs, self.scale_), own[codes[rows]], own, metric, len(labels), held)

    def predict(self, X: Any) -> Any:
        """Predict labels, of shape (n_examples,)."""
        if not self.offsets_.any():
            return self.estimator_.predict(X)
        return self.classes_[np.argmax(self._logs(X) + self.offsets_, axis=1)]

    def predict_proba(self, X: Any) -> Any:
        """Predict probabilities, of shape (n_examples, n_classes); offsets do not change them."""
        if self.scale_ == 1.0:
            return self.estimator_.predict_proba(X)
        return np.exp(self._logs(X))

    def _logs(self, X: Any) -> Floats:
        return _scaled(_log(self.estimator_.predict_proba(X)), self.scale_)


def _fitted(estimator: Any, X: Any, y: NDArray[np.str_], groups: NDArray[Any] | None) -> Any:
    taken = groups is not None and "groups" in inspect.signature(estimator.fit).parameters
    return clone(estimator).fit(X, y, **({"groups": groups} if taken else {}))


def _log(probabilities: Any) -> Floats:
    given = np.asarray(probabilities, dtype=np.float64)
    logs: Floats = np.log(np.maximum(given, np.finfo(np.float64).tiny))
    return logs


def _scaled(logs: Floats, scale: float) -> Floats:
    """Logarithms of probabilities at another temperature."""
    from scipy.special import log_softmax

    scaled: Floats = log_softmax(scale * logs, axis=1)
    return scaled


def best_scale(logs: Floats, codes: NDArray[np.intp]) -> float:
    """Return the factor of logarithms of probabilities with the least log loss.

    Parameters
    ----------
    logs : ndarray of shape (n_examples, n_classes)
        Logarithms of probabilities.
    codes : ndarray of int, shape (n_examples,)
        The columns of the true classes.

    Examples
    --------
    >>> half_right = np.log([[0.99, 0.01], [0.99, 0.01], [0.99, 0.01], [0.99, 0.01]])
    >>> round(best_scale(half_right, np.array([0, 0, 0, 1])), 2)  # 0.99 becomes 0.75
    0.24
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(codes))
    found = minimize_scalar(
        lambda power: -_scaled(logs, np.exp(power))[rows, codes].mean(), bounds=(-10.0, 10.0), options={"xatol": 1e-8}
    )
    return float(np.exp(found.x))


def best_offsets(
    logs: Floats,
    true: NDArray[np.intp],
    columns: NDArray[np.intp],
    metric: Metric,
    n_labels: int,
    values: NDArray[np.intp] | None = None,
) -> Floats:
    """Return the offset of each class with which the most probable classes score best.

    One offset after the other is set to its best value, given the others, for at most three rounds. An offset changes
    only if the score improves, and is as near to the present one as equal scores allow.

    Parameters
    ----------
    logs : ndarray of shape (n_examples, n_classes)
        Logarithms of probabilities.
    true : ndarray of int, shape (n_examples,)
        Label indices.
    columns : ndarray of int, shape (n_classes,)
        The label index of each class.
    metric : Metric
        What to score by.
    n_labels : int
        How many labels the task has.
    values : ndarray of int, shape (n_examples,), optional
        The value of each example, if the metric is averaged over values.
    """
    zeros = np.zeros(len(true), dtype=np.intp)

    def value(offsets: Floats) -> float:
        predicted = columns[np.argmax(logs + offsets, axis=1)]
        return metric.sign * metric.score(Outcomes(true, predicted, n_labels, zeros, zeros, values=values))

    offsets = np.zeros(logs.shape[1])
    best = value(offsets)
    free = range(1, 2) if len(offsets) == 2 else range(len(offsets))
    for _ in range(_PASSES):
        before = best
        for code in free:
            for candidate in _candidates(logs + offsets, code, offsets[code]):
                tried = offsets.copy()
                tried[code] = candidate
                if (score := value(tried)) > best + 1e-12:
                    best, offsets = score, tried
        if best == before:
            break
    return offsets


def _candidates(logs: Floats, code: int, present: float) -> Floats:
    """Offsets around those at which an example changes to or from a class, from the nearest to the present one."""
    changes = np.unique(np.delete(logs, code, axis=1).max(axis=1) - logs[:, code])
    changes = np.concatenate([changes[:1] - 2.0, changes, changes[-1:] + 2.0])
    between = (changes[1:] + changes[:-1]) / 2
    if len(between) > _MOST_CANDIDATES:
        between = between[np.linspace(0, len(between) - 1, _MOST_CANDIDATES).astype(int)]
    found: Floats = present + between[np.argsort(np.abs(between), kind="stable")]
    return found
