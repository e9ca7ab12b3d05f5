"""The rules of the conformance kit: what every model must do, one small function a rule."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from bench.data.task import Task
from bench.engines.engine import Unit, outcome_of, value_of
from bench.engines.local import LocalEngine
from bench.models import persistence
from bench.models.model import Model
from bench.models.synthetic import EXAMPLES, FILLER, TOPICS, synthetic_task
from bench.support.plugins import found_here
from bench.text.identity import TATWEEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from bench.models.space import Setting


SAMPLES = 5
"""Settings drawn from the search space."""

LONG_TEXT = 100_000
"""Characters of the very long text."""

LIMIT = 60.0
"""Seconds that one rule may take by default."""


@dataclass(frozen=True)
class ModelSubject:
    """A model under examination, with the synthetic tasks that it is examined on.

    Parameters
    ----------
    model : Model
        The model.
    labels : dict of tuple of str to tuple of str
        The three label names of the tasks, by input columns.
    """

    model: Model
    labels: dict[tuple[str, ...], tuple[str, ...]]

    def tasks(self, n_classes: int = 3) -> Iterator[Task]:
        """Make a task of `n_classes` for each kind of input that the model takes."""
        for inputs, labels in self.labels.items():
            yield synthetic_task(inputs, labels[:n_classes])

    def fitted(self, task: Task, params: Setting | None = None) -> BaseEstimator:
        """Build the model with a fixed seed and fit it on all of a task."""
        return self.model.build(params or {}, task, seed=0).fit(task.frame, task.y)


@dataclass(frozen=True)
class Rule:
    """Something that every model must do.

    Parameters
    ----------
    code : str
        A code that stays the same when rules are added.
    name : str
        What the model does, in a few words.
    description : str
        Why the harness requires it, or what exactly is tested, in one line.
    examine : callable
        Takes a `ModelSubject` and raises an exception if the model breaks the rule.
    needs : tuple of str
        The codes of the rules that this one depends on.
    """

    code: str
    name: str
    description: str
    examine: Callable[[ModelSubject], None]
    needs: tuple[str, ...] = ()


RULES: dict[str, Rule] = {}
"""All rules by code, in the order of testing."""


def _rule(
    code: str, name: str, description: str, needs: tuple[str, ...] = ("M03",)
) -> Callable[[Callable[[ModelSubject], None]], Callable[[ModelSubject], None]]:
    """Register a rule. Nearly all test the answers of a model that was fitted on three classes."""

    def register(examine: Callable[[ModelSubject], None]) -> Callable[[ModelSubject], None]:
        RULES[code] = Rule(code, name, description, examine, needs)
        return examine

    return register


@_rule("M01", "builds from its defaults", "The parameters in the model's file are the parts' own.", needs=())
def _builds_from_defaults(subject: ModelSubject) -> None:
    for task in subject.tasks():
        subject.model.build({}, task, seed=0)


@_rule("M02", "fits two classes", "fit returns the estimator itself, as in scikit-learn.", needs=("M01",))
def _fits_two_classes(subject: ModelSubject) -> None:
    _fits(subject, 2)


@_rule("M03", "fits three classes", "fit returns the estimator itself, as in scikit-learn.", needs=("M01",))
def _fits_three_classes(subject: ModelSubject) -> None:
    _fits(subject, 3)


@_rule(
    "M04",
    "fits with sampled parameters",
    f"{SAMPLES} settings drawn from the search space are built and fitted; without one, the model's own.",
)
def _fits_sampled_parameters(subject: ModelSubject) -> None:
    rng = np.random.default_rng(0)
    for task in subject.tasks():
        for _ in range(SAMPLES if subject.model.search else 1):
            params = subject.model.search.sample(rng) if subject.model.search else {}
            try:
                subject.fitted(task, params).predict(task.frame)
            except Exception as error:
                raise AssertionError(f"with {params}: {type(error).__name__}: {error}") from error


@_rule("M05", "clones", "sklearn.base.clone gives an unfitted estimator with the same parameters.")
def _clones(subject: ModelSubject) -> None:
    for task in subject.tasks():
        estimator = subject.model.build({}, task, seed=0)
        before = _parameters(estimator)
        copy = clone(estimator.fit(task.frame, task.y))
        assert _parameters(estimator) == before, (
            f"fit changed the parameters from {before} to {_parameters(estimator)}: keep what is learned in "
            "attributes that end in an underscore."
        )
        assert _parameters(copy) == before, f"the clone's parameters are {_parameters(copy)}, not {before}."
        _same(copy.fit(task.frame, task.y), estimator, task.frame, "the clone, fitted,")


@_rule(
    "M06",
    "predicts known labels",
    "predict gives one of the task's labels a row, also for a single row.",
    needs=("M02", "M03"),
)
def _predicts_known_labels(subject: ModelSubject) -> None:
    for n_classes in (2, 3):
        for task in subject.tasks(n_classes):
            estimator = subject.fitted(task)
            for frame in (task.frame, task.frame.iloc[:1]):
                _check_predictions(estimator, frame, task)


@_rule(
    "M07",
    "gives sound scores",
    "Probabilities are finite and sum to one; decision values are finite; if any.",
    needs=("M02", "M03"),
)
def _gives_sound_scores(subject: ModelSubject) -> None:
    for n_classes in (2, 3):
        for task in subject.tasks(n_classes):
            estimator = subject.fitted(task)
            _check_scores(estimator, task.frame, task)


@_rule("M08", "gives the same answer for the same seed", "Two fresh builds, fitted on the same data, predict the same.")
def _same_seed_same_answer(subject: ModelSubject) -> None:
    for task in subject.tasks():
        _same(subject.fitted(task), subject.fitted(task), task.frame, "a second build with the same seed")


@_rule("M09", "leaves its inputs unchanged", "Other models read the same texts and labels after it.")
def _leaves_inputs_unchanged(subject: ModelSubject) -> None:
    for task in subject.tasks():
        frame, y = task.frame.copy(deep=True), task.y.copy()
        estimator = subject.model.build({}, task, seed=0).fit(frame, y)
        for method in _scoring_methods(estimator, "predict"):
            getattr(estimator, method)(frame)
            assert frame.equals(task.frame), f"fit or {method} changed the frame of texts."
        assert np.array_equal(y, task.y), "fit changed the labels."


@_rule("M10", "answers rows in order, not as a batch", "A row's answer does not depend on the test rows after it.")
def _does_not_peek(subject: ModelSubject) -> None:
    for task in subject.tasks():
        estimator = subject.fitted(task)
        half = EXAMPLES // 2
        for method in _scoring_methods(estimator, "predict"):
            whole = np.asarray(getattr(estimator, method)(task.frame))[:half]
            part = np.asarray(getattr(estimator, method)(task.frame.iloc[:half]))
            assert _equal(whole, part), (
                f"{method} answers the first {half} rows differently when more rows follow, so it uses test data."
            )


@_rule("M11", "survives an empty text", "Empty, blank and foreign texts that training did not have.")
def _survives_empty_text(subject: ModelSubject) -> None:
    for estimator, frame, task in _unseen(subject, ["", " ", "؟!", "only English", f"\u200f{TATWEEL}", "😀"]):
        _check_predictions(estimator, frame, task)
        _check_scores(estimator, frame, task)


@_rule("M12", "survives a very long text", f"A text of {LONG_TEXT:,} characters, and a word of as many.")
def _survives_long_text(subject: ModelSubject) -> None:
    words = " ".join((FILLER, *TOPICS))
    for estimator, frame, task in _unseen(subject, [(words + " ") * (LONG_TEXT // len(words) + 1), "ن" * LONG_TEXT]):
        _check_predictions(estimator, frame, task)


@_rule("M13", "can be sent to another process", "The fitted estimator pickles, and a fresh process predicts the same.")
def _can_be_sent(subject: ModelSubject) -> None:
    with LocalEngine(fresh=True) as engine:
        for task in subject.tasks():
            pickled = pickle.dumps(subject.fitted(task))
            expected = _answers(subject.fitted(task), task.frame)
            answers = value_of(outcome_of(engine, Unit(_answers_of, (pickled, task.frame), LIMIT / 2)))
            _compare(answers, expected, "the other process")


@_rule("M14", "can be stored", "skops writes the fitted estimator without pickle, and reads it back.")
def _can_be_stored(subject: ModelSubject) -> None:
    for task in subject.tasks():
        stored = persistence.dumps(subject.fitted(task))
        loaded = persistence.loads(stored, subject.model)
        _same(loaded, subject.fitted(task), task.frame, "the stored estimator")


def _fits(subject: ModelSubject, n_classes: int) -> None:
    for task in subject.tasks(n_classes):
        estimator = subject.model.build({}, task, seed=0)
        returned = estimator.fit(task.frame, task.y)
        assert returned is estimator, (
            f"fit returned {type(returned).__name__}, not the estimator: end fit with return self."
        )
        assert hasattr(estimator, "classes_"), "fit did not set classes_."
    classes = [str(label) for label in estimator.classes_]
    assert sorted(classes) == classes, f"classes_ must be sorted, but is {classes}."
    assert set(classes) == set(task.labels), f"classes_ is {classes} after fitting {sorted(task.labels)}."


def _check_predictions(estimator: BaseEstimator, frame: pd.DataFrame, task: Task) -> None:
    predicted = np.asarray(estimator.predict(frame))
    expected = (len(frame),)
    assert predicted.shape == expected, f"predict returned the shape {predicted.shape} for {expected} rows."
    abstained = getattr(estimator, "may_abstain", False)
    given = [label for label in predicted.tolist() if not (abstained and label is None)]
    unknown = sorted(set(map(str, given)) - set(task.labels))
    assert not unknown, f"predict returned {', '.join(unknown)}, but the labels are {', '.join(task.labels)}."


def _check_scores(estimator: BaseEstimator, frame: pd.DataFrame, task: Task) -> None:
    n_classes = len(task.labels)
    for method in _scoring_methods(estimator):
        scores = np.asarray(getattr(estimator, method)(frame))
        binary = method == "decision_function" and n_classes == 2
        expected = (len(frame),) if binary else (len(frame), n_classes)
        assert scores.shape == expected, f"{method} returned the shape {scores.shape}, not {expected}."
        assert np.isfinite(scores).all(), f"{method} returned a value that is not finite."
        if method == "predict_proba":
            assert (scores >= 0).all(), f"predict_proba returned {scores.min():g}, below zero."
            off = float(np.abs(scores.sum(axis=1) - 1).max())
            assert off < 1e-6, f"the sum of a row of predict_proba differs from 1 by {off:g}."


def _unseen(subject: ModelSubject, texts: list[str]) -> Iterator[tuple[BaseEstimator, pd.DataFrame, Task]]:
    """Put each text into each column of an ordinary example, in a frame a column."""
    for task in subject.tasks():
        estimator = subject.fitted(task)
        ordinary = task.frame.iloc[0]
        for column in task.inputs:
            rows = [{**ordinary, column: text} for text in texts]
            yield estimator, pd.DataFrame(rows, columns=list(task.inputs)), task


def _scoring_methods(estimator: BaseEstimator, *more: str) -> list[str]:
    return [name for name in (*more, "predict_proba", "decision_function") if hasattr(estimator, name)]


def _answers(estimator: BaseEstimator, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    return {name: np.asarray(getattr(estimator, name)(frame)) for name in _scoring_methods(estimator, "predict")}


def _answers_of(pickled: bytes, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    with found_here():
        return _answers(pickle.loads(pickled), frame)


def _same(one: BaseEstimator, other: BaseEstimator, frame: pd.DataFrame, who: str) -> None:
    _compare(_answers(one, frame), _answers(other, frame), who)


def _compare(found: dict[str, NDArray[Any]], expected: dict[str, NDArray[Any]], who: str) -> None:
    for method, values in expected.items():
        assert method in found, f"{who} has no {method}."
        differ = int((np.asarray(found[method]) != values).reshape(len(values), -1).any(axis=1).sum())
        assert not differ, f"{method} of {who} differs in {differ} of {len(values)} rows."


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    if one.shape != other.shape:
        return False
    return bool(np.allclose(one, other)) if one.dtype.kind == "f" else bool(np.array_equal(one, other))


def _parameters(estimator: BaseEstimator) -> dict[str, str]:
    return {name: repr(value) for name, value in estimator.get_params().items() if not hasattr(value, "get_params")}
