"""A fitted classifier's answers, mapped to all of the task's labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.metrics.confusion import UNANSWERED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class InvalidPredictionError(Exception):
    """A model's answer breaks the contract of scikit-learn's classifiers."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for a number of examples.

    Parameters
    ----------
    codes : ndarray of int, shape (n_examples,)
        Predicted label indices, `bench.metrics.confusion.UNANSWERED` if the model gave no answer.
    probabilities : ndarray of shape (n_examples, n_labels) or None
        Rows sum to 1; 0 for a label that training lacked.
    decisions : ndarray of shape (n_examples, n_labels) or None
        Decision values of a model without probabilities; NaN for a label that training lacked.
    """

    codes: NDArray[np.intp]
    probabilities: Floats | None = None
    decisions: Floats | None = None


def predict_codes(estimator: Any, X: Any, labels: tuple[str, ...]) -> NDArray[np.intp]:
    """Predict label indices.

    An estimator that declares ``may_abstain = True`` may give None for an example, which is then unanswered.

    Raises
    ------
    InvalidPredictionError
        If the answer has the wrong shape or names an unknown label, or is None although the estimator may not abstain.
    """
    answer = np.asarray(estimator.predict(X))
    n = X.shape[0]
    if answer.shape != (n,):
        raise InvalidPredictionError(f"predict returned shape {answer.shape} for {n} examples, expected ({n},)")
    index: dict[str | None, int] = {label: code for code, label in enumerate(labels)}
    names: list[str | None] = [str(name) for name in answer.tolist()]
    if getattr(estimator, "may_abstain", False):
        index[None] = UNANSWERED
        names = [None if given is None else name for given, name in zip(answer.tolist(), names, strict=True)]
    try:
        return np.array([index[name] for name in names], dtype=np.intp)
    except KeyError as unknown:
        raise InvalidPredictionError(
            f"predict returned {unknown}, which is not one of the labels {', '.join(labels)}"
        ) from None


def predict(estimator: Any, X: Any, labels: tuple[str, ...]) -> Predictions:
    """Predict label indices with probabilities or decision values, whichever the model has.

    Raises
    ------
    InvalidPredictionError
        If an answer has the wrong shape, an unknown label, or numbers that are not
        probabilities or decision values.
    """
    codes = predict_codes(estimator, X, labels)
    if hasattr(estimator, "predict_proba"):
        given = np.asarray(estimator.predict_proba(X), dtype=np.float64)
        columns = _columns(estimator, given, len(codes), labels, "predict_proba")
        if not np.isfinite(given).all() or (given < 0).any() or not np.allclose(given.sum(axis=1), 1.0, atol=1e-6):
            raise InvalidPredictionError("predict_proba returned rows that are not probabilities")
        probabilities = np.zeros((len(codes), len(labels)))
        probabilities[:, columns] = given
        return Predictions(codes, probabilities=probabilities)
    if hasattr(estimator, "decision_function"):
        given = np.asarray(estimator.decision_function(X), dtype=np.float64)
        if given.ndim == 1:
            given = np.column_stack([-given, given])
        columns = _columns(estimator, given, len(codes), labels, "decision_function")
        if np.isnan(given).any():
            raise InvalidPredictionError("decision_function returned NaN")
        decisions = np.full((len(codes), len(labels)), np.nan)
        decisions[:, columns] = given
        return Predictions(codes, decisions=decisions)
    return Predictions(codes)


def _columns(estimator: Any, given: Floats, n: int, labels: tuple[str, ...], method: str) -> list[int]:
    classes = [str(name) for name in estimator.classes_]
    if given.shape != (n, len(classes)):
        raise InvalidPredictionError(f"{method} returned shape {given.shape}, expected ({n}, {len(classes)})")
    unknown = [name for name in classes if name not in labels]
    if unknown:
        raise InvalidPredictionError(f"classes_ contains '{unknown[0]}', which is not one of {', '.join(labels)}")
    return [labels.index(name) for name in classes]
