"""What a fitted model says is brought onto all labels, and whatever is no prediction is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from present import present
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from bench.evaluation.predictions import InvalidPredictionError, predict, predict_codes

LABELS = ("denial", "non_confirmation", "none")
X = pd.DataFrame({"text": ["نفى", "أكد"]})


@dataclass
class Says:
    """A fitted model with given answers; a method whose answer is None is missing."""

    answer: Any
    classes: tuple[str, ...] = LABELS
    proba: Any = None
    decision: Any = None

    @property
    def classes_(self) -> np.ndarray:
        return np.array(self.classes)

    def predict(self, X: pd.DataFrame) -> Any:
        return np.array(self.answer)

    def __getattr__(self, name: str) -> Any:
        answers = {"predict_proba": self.__dict__["proba"], "decision_function": self.__dict__["decision"]}
        if answers.get(name) is None:
            raise AttributeError(name)
        return lambda X: np.array(answers[name])


@given(st.permutations(LABELS), st.integers(2, 3))
def test_probabilities_stand_under_their_own_labels_and_a_label_unseen_in_training_has_zero(
    order: list[str], n_classes: int
) -> None:
    classes = tuple(order[:n_classes])
    given_rows = np.random.default_rng(0).dirichlet(np.ones(n_classes), size=2)
    found = predict(Says([classes[0], classes[1]], classes, proba=given_rows), X, LABELS)
    assert found.codes.tolist() == [LABELS.index(classes[0]), LABELS.index(classes[1])]
    assert found.decisions is None
    for code, label in enumerate(LABELS):
        expected = given_rows[:, classes.index(label)] if label in classes else np.zeros(2)
        assert np.array_equal(present(found.probabilities)[:, code], expected)


@given(st.permutations(LABELS), st.integers(2, 3))
def test_decision_values_stand_under_their_own_labels_and_a_label_unseen_in_training_has_none(
    order: list[str], n_classes: int
) -> None:
    classes = tuple(order[:n_classes])
    values = np.random.default_rng(0).normal(size=(2, n_classes))
    found = predict(Says([classes[0]] * 2, classes, decision=values), X, LABELS)
    assert found.probabilities is None
    for code, label in enumerate(LABELS):
        expected = values[:, classes.index(label)] if label in classes else np.full(2, np.nan)
        assert np.array_equal(present(found.decisions)[:, code], expected, equal_nan=True)


def test_one_column_of_decision_values_speaks_for_the_second_class_and_against_the_first() -> None:
    found = predict(Says(["none", "denial"], ("denial", "none"), decision=[0.5, -2.0]), X, LABELS)
    assert np.array_equal(present(found.decisions), [[-0.5, np.nan, 0.5], [2.0, np.nan, -2.0]], equal_nan=True)


@pytest.mark.parametrize("labels_in_training", [("denial", "none"), LABELS])
def test_the_predicted_label_of_real_models_has_the_greatest_value(labels_in_training: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 4))
    y = np.array(labels_in_training)[rng.integers(len(labels_in_training), size=60)]
    with_probabilities = predict(LogisticRegression().fit(features, y), features, LABELS)
    assert np.array_equal(with_probabilities.probabilities.argmax(axis=1), with_probabilities.codes)
    assert with_probabilities.probabilities.sum(axis=1) == pytest.approx(1.0)
    with_decisions = predict(LinearSVC().fit(features, y), features, LABELS)
    assert np.array_equal(np.nanargmax(present(with_decisions.decisions), axis=1), with_decisions.codes)


def test_probabilities_come_before_decision_values_and_a_model_may_have_neither() -> None:
    both = predict(Says(["none", "none"], proba=[[0, 0, 1]] * 2, decision=[[1, 2, 3]] * 2), X, LABELS)
    assert both.probabilities is not None
    assert both.decisions is None
    neither = predict(Says(["none", "denial"]), X, LABELS)
    assert (neither.codes.tolist(), neither.probabilities, neither.decisions) == ([2, 0], None, None)


FINE = ["none", "none"]
MISTAKES = {
    "too few answers": (Says(["none"]), r"predict returned shape \(1,\) for 2 examples, expected \(2,\)"),
    "a column of answers": (Says([["none"], ["none"]]), r"predict returned shape \(2, 1\) for 2 examples"),
    "an unknown label": (
        Says(["none", "weather"]),
        "predict returned 'weather', which is not one of the labels denial, ",
    ),
    "no label": (Says([np.nan, np.nan]), "predict returned 'nan', which is not one of the labels"),
    "too few columns": (
        Says(FINE, proba=[[0.5, 0.5]] * 2),
        r"predict_proba returned shape \(2, 2\), expected \(2, 3\)",
    ),
    "too few rows": (Says(FINE, proba=[[0, 0, 1]]), r"predict_proba returned shape \(1, 3\), expected \(2, 3\)"),
    "probabilities of an unknown class": (
        Says(FINE, ("denial", "none", "weather"), proba=[[0, 0, 1]] * 2),
        "classes_ contains 'weather', which is not one of denial, non_confirmation, none",
    ),
    "NaN for probabilities": (Says(FINE, proba=[[np.nan, 0, 1]] * 2), "predict_proba returned rows that are not prob"),
    "infinite probabilities": (Says(FINE, proba=[[np.inf, 0, 1]] * 2), "predict_proba returned rows that are not prob"),
    "negative probabilities": (Says(FINE, proba=[[-0.5, 0.5, 1]] * 2), "predict_proba returned rows that are not prob"),
    "rows that do not sum to one": (Says(FINE, proba=[[1, 0, 1]] * 2), "predict_proba returned rows that are not prob"),
    "too many decision values": (
        Says(FINE, decision=[[1, 2, 3, 4]] * 2),
        r"decision_function returned shape \(2, 4\), expected \(2, 3\)",
    ),
    "decisions of an unknown class": (Says(FINE, ("none", "weather"), decision=[1, 2]), "classes_ contains 'weather'"),
    "NaN for decision values": (Says(FINE, decision=[[1, np.nan, 3]] * 2), "decision_function returned NaN"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_answer_that_is_no_prediction_is_named(mistake: str) -> None:
    model, message = MISTAKES[mistake]
    with pytest.raises(InvalidPredictionError, match=message):
        predict(model, X, LABELS)


def test_labels_alone_are_checked_as_strictly() -> None:
    assert predict_codes(Says(["none", "denial"]), X, LABELS).tolist() == [2, 0]
    with pytest.raises(InvalidPredictionError, match="'weather'"):
        predict_codes(Says(["none", "weather"]), X, LABELS)
