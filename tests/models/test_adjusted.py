"""Probabilities and thresholds are adjusted on inner folds of the training part, which keep groups whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from small_tasks import text_task

from bench.catalogue import load_model
from bench.config import Search
from bench.data.dates import Times
from bench.data.forward import forward_splits
from bench.data.splits import outer_splits, split_by_group
from bench.errors import ModelError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.metrics import find_metric
from bench.metrics.outcomes import Outcomes
from bench.models.adjusted import AdjustedClassifier, best_offsets, best_scale
from bench.models.model import Model
from bench.models.persistence import dumps, loads

LABELS = ("a", "b", "c")


def noisy(n: int = 300, n_labels: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of many columns, labels of unequal frequency that hardly depend on them, and groups."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(n_labels, size=n, p=np.array([6, 3, 1][:n_labels]) / sum([6, 3, 1][:n_labels]))
    X = rng.normal(size=(n, 40)) + 0.4 * np.eye(40)[codes]
    return X, np.array(LABELS)[codes], np.array([f"g{number // 5}" for number in range(n)], dtype=object)


def test_the_temperature_is_that_of_scikit_learn() -> None:
    X, y, groups = noisy()
    ours = AdjustedClassifier(LogisticRegression(C=100, max_iter=500), calibrate="temperature").fit(X, y, groups)
    codes = np.unique(y, return_inverse=True)[1]
    folds = [(split.train, split.test) for split in split_by_group(codes, groups, 3, 0)]
    theirs = CalibratedClassifierCV(
        LogisticRegression(C=100, max_iter=500), method="temperature", cv=folds, ensemble=False
    )
    assert ours.scale_ == pytest.approx(theirs.fit(X, y).calibrated_classifiers_[0].calibrators[0].beta_, rel=1e-3)
    assert ours.predict_proba(X) == pytest.approx(theirs.predict_proba(X), abs=1e-3)


def test_log_loss_falls_and_labels_stay() -> None:
    X, y, groups = noisy()
    plain = LogisticRegression(C=100, max_iter=500).fit(X[:200], y[:200])
    ours = AdjustedClassifier(LogisticRegression(C=100, max_iter=500), calibrate="temperature")
    ours.fit(X[:200], y[:200], groups[:200])
    assert ours.scale_ < 0.9
    assert log_loss(y[200:], ours.predict_proba(X[200:])) < log_loss(y[200:], plain.predict_proba(X[200:])) - 0.1
    assert (ours.predict(X[200:]) == plain.predict(X[200:])).all()


@given(st.integers(0, 10**6), st.floats(0.2, 5))
@settings(max_examples=10)
def test_the_scale_of_probabilities_that_are_right_at_another_temperature_is_found(seed: int, power: float) -> None:
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.ones(3), size=2000)
    codes = np.array([rng.choice(3, p=row) for row in true])
    assert best_scale(power * np.log(true), codes) == pytest.approx(1 / power, rel=0.2)


@given(st.integers(0, 10**6), st.integers(2, 4), st.sampled_from(["macro_f1", "accuracy", "balanced_accuracy", "mcc"]))
@settings(max_examples=15)
def test_offsets_never_score_worse_on_what_they_are_chosen_on(seed: int, n_labels: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    logs = np.log(rng.dirichlet(np.ones(n_labels), size=30))
    true = rng.integers(0, n_labels, size=30)
    metric = find_metric(name)
    offsets = best_offsets(logs, true, np.arange(n_labels), metric, n_labels)
    before, after = (_score(metric, true, np.argmax(logs + each, axis=1), n_labels) for each in (0, offsets))
    assert after >= before
    if n_labels == 2:
        changes = np.sort(logs[:, 0] - logs[:, 1])
        every = [changes[0] - 1, *(changes[1:] + changes[:-1]) / 2, changes[-1] + 1]
        scores = [_score(metric, true, np.argmax(logs + np.array([0, each]), axis=1), 2) for each in every]
        assert after == pytest.approx(max(before, *scores)), (
            "with two labels, it is the best of all thresholds, also of none"
        )


def _score(metric: Any, true: np.ndarray, predicted: np.ndarray, n_labels: int) -> float:
    zeros = np.zeros(len(true), dtype=np.intp)
    return float(metric.score(Outcomes(true, predicted, n_labels, zeros, zeros)))


def test_offsets_help_rare_labels_in_new_data_and_leave_probabilities() -> None:
    X, y, groups = noisy(1200)
    ours = AdjustedClassifier(LogisticRegression(C=0.003), thresholds="tuned", labels=LABELS)
    ours.fit(X[:600], y[:600], groups[:600])
    plain = LogisticRegression(C=0.003).fit(X[:600], y[:600])
    before, after = (f1_score(y[600:], each.predict(X[600:]), average="macro") for each in (plain, ours))
    assert after > before + 0.05
    assert ours.predict_proba(X) == pytest.approx(plain.predict_proba(X))


class Spy(ClassifierMixin, BaseEstimator):
    """Notes what it is fitted on and asked for."""

    seen: list[tuple[str, frozenset[int]]] = []

    def fit(self, X: Any, y: Any) -> Spy:
        self.classes_ = np.unique(y)
        Spy.seen.append(("fit", frozenset(X[:, 0].astype(int))))
        return self

    def predict_proba(self, X: Any) -> Any:
        Spy.seen.append(("asked", frozenset(X[:, 0].astype(int))))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X: Any) -> Any:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_inner_folds_keep_groups_whole_and_cover_the_training_part() -> None:
    _, y, groups = noisy()
    Spy.seen.clear()
    X = np.arange(len(y))[:, None]
    AdjustedClassifier(Spy(), calibrate="temperature", thresholds="tuned").fit(X, y, groups)
    *inner, last = Spy.seen
    assert last == ("fit", frozenset(range(len(y))))
    assert sorted(row for kind, rows in inner if kind == "asked" for row in rows) == list(range(len(y)))
    for (_, trained), (_, asked) in zip(inner[::2], inner[1::2], strict=True):
        assert {groups[row] for row in trained}.isdisjoint(groups[row] for row in asked)


def test_a_label_of_one_group_cannot_be_both_trained_and_tested_so_nothing_is_adjusted_and_that_is_noted() -> None:
    X, y, groups = noisy(40, n_labels=2)
    groups[y == "b"] = "one"
    ours = AdjustedClassifier(LogisticRegression(), "temperature", "tuned").fit(X, y, groups)
    assert "nothing is calibrated or tuned" in ours.notes_[0]
    assert (ours.predict(X) == LogisticRegression().fit(X, y).predict(X)).all()


def model(**changes: Any) -> Model:
    content = {"name": "m", "features": "tfidf", "estimator": "sklearn.linear_model.LogisticRegression", **changes}
    return Model.parse(content, "m.yaml", "m")


def test_a_model_file_names_adjustments_and_its_parameters_stay_those_of_the_estimator() -> None:
    task = text_task()
    built = model(calibrate="temperature", params={"C": 3.0}).build_estimator({}, task, 7)
    assert isinstance(built, AdjustedClassifier)
    assert (built.calibrate, built.thresholds, built.estimator.C, built.random_state) == ("temperature", None, 3.0, 7)
    assert (built.metric, built.labels) == (task.metric, tuple(task.labels))
    assert type(model(params={"C": 3.0}).build_estimator({}, task, 7)) is LogisticRegression
    assert model(params={"C": 3.0}).written_params == {"C": 3.0}
    assert model(calibrate="temperature").written_params == {"calibrate": "temperature"}


def test_adjustments_are_searched_like_other_parameters() -> None:
    space = {"calibrate": [None, "temperature"], "thresholds": [None, "tuned"]}
    searched = model(estimator="sklearn.naive_bayes.MultinomialNB", search=space)
    task = text_task(n_groups=4, noise=0.4)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    result = evaluate(Evaluation(task, searched, splits, Search("s", 4), 3, 0), 0, FeatureCache(task.frame))
    assert result.status == "ok", result.error
    assert all(trial.error is None and trial.params.keys() == space.keys() for trial in result.trials)
    assert len({tuple(trial.params.values()) for trial in result.trials}) > 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"estimator": "sklearn.svm.LinearSVC", "calibrate": "temperature"}, "LinearSVC is none"),
        ({"search": {"calibrate": ["isotonic", None]}}, "calibrate is 'isotonic'"),
        ({"params": {"thresholds": True}}, "thresholds is True"),
        ({"calibrate": "platt"}, "calibrate"),
    ],
)
def test_what_cannot_be_adjusted_is_refused(content: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        model(**content).build_estimator({}, text_task(), 0)


def test_thresholds_are_refused_where_the_metric_does_not_depend_on_labels() -> None:
    with pytest.raises(ModelError, match="does not depend on them"):
        model(thresholds="tuned").build_estimator({}, text_task(metric="log_loss"), 0)


def test_an_adjusted_model_is_stored_and_read_again() -> None:
    task = text_task(n_groups=12, noise=0.4)
    defined = model(calibrate="temperature", thresholds="tuned")
    fitted = defined.build({}, task, 0).fit(task.frame, task.y)
    again = loads(dumps(fitted), defined)
    frame = pd.DataFrame({"text": ["نفى الوزير", "أكد الخبر"]})
    assert (again.predict_proba(frame) == fitted.predict_proba(frame)).all()
    assert (again.predict(frame) == fitted.predict(frame)).all()


def test_forward_in_time_adjustments_are_fitted_on_later_examples() -> None:
    X, y, groups = noisy()
    first = np.datetime64("2024-01-01", "us") + (np.arange(len(y)) // 5) * np.timedelta64(1, "D")
    times = Times(first, first)
    ours = AdjustedClassifier(LogisticRegression(C=100, max_iter=500), calibrate="temperature")
    ours.fit(X, y, groups, times)
    codes = np.unique(y, return_inverse=True)[1]
    logs, tested = [], []
    for split in forward_splits(codes, groups, times, 3):
        assert times.first[split.train].max() < times.first[split.test].min()
        plain = LogisticRegression(C=100, max_iter=500).fit(X[split.train], y[split.train])
        logs.append(np.log(plain.predict_proba(X[split.test])))
        tested.append(codes[split.test])
    assert ours.scale_ == pytest.approx(best_scale(np.concatenate(logs), np.concatenate(tested)))
    assert ours.scale_ != AdjustedClassifier(ours.estimator, calibrate="temperature").fit(X, y, groups).scale_


def test_a_forward_run_tells_the_classifier_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    task = text_task(n_groups=24, per_group=4, noise=0.3)
    days = [f"2024-01-{1 + int(name[1:]):02}" for name in task.groups]
    task = text_task(examples=task.examples.assign(date=days), n_groups=24)
    seen: list[Times | None] = []
    fit = AdjustedClassifier.fit

    def spied(self: Any, X: Any, y: Any, groups: Any = None, times: Times | None = None, values: Any = None) -> Any:
        seen.append(times)
        return fit(self, X, y, groups, times, values)

    monkeypatch.setattr(AdjustedClassifier, "fit", spied)
    splits = forward_splits(task.codes, task.groups, task.times, 3)
    model = replace(load_model("logreg"), params={**load_model("logreg").params, "estimator.calibrate": "temperature"})
    for forward in (True, False):
        seen.clear()
        evaluation = Evaluation(task, model, splits, Search("none", 0), 3, 0, forward=forward)
        result = evaluate(evaluation, 1, FeatureCache(task.frame))
        assert result.error is None
        assert [times is not None for times in seen] == [forward]


@pytest.mark.slow
def test_offsets_are_chosen_for_the_mean_over_values_where_the_metric_is_averaged() -> None:
    """One value has most examples, so the mean over values has another best offset than all examples together."""
    X, y, groups = noisy(n_labels=2)
    values = np.where(np.arange(len(y)) % 10 == 0, "few", "many")
    X = X + np.where(values == "few", 0.8, 0.0)[:, None]
    ours = AdjustedClassifier(LogisticRegression(C=100, max_iter=500), thresholds="tuned")
    ours.fit(X, y, groups, values=values)
    codes = np.unique(y, return_inverse=True)[1]
    logs, tested = [], []
    for split in split_by_group(codes, groups, 3, 0):
        plain = LogisticRegression(C=100, max_iter=500).fit(X[split.train], y[split.train])
        logs.append(np.log(plain.predict_proba(X[split.test])))
        tested.append(split.test)
    rows = np.concatenate(tested)

    def score(offsets: np.ndarray) -> float:
        predicted = np.argmax(np.concatenate(logs) + offsets, axis=1)
        chosen = [values[rows] == value for value in ("few", "many")]
        return float(np.mean([f1_score(codes[rows][own], predicted[own], average="macro") for own in chosen]))

    grid = [score(np.array([0.0, offset])) for offset in np.linspace(-6, 6, 400)]
    plain = AdjustedClassifier(ours.estimator, thresholds="tuned").fit(X, y, groups)
    assert score(ours.offsets_) >= max(grid) - 0.01
    assert score(ours.offsets_) >= score(plain.offsets_)
    assert ours.offsets_.tolist() != plain.offsets_.tolist()


def test_a_run_tells_the_classifier_what_the_metric_is_averaged_over(monkeypatch: pytest.MonkeyPatch) -> None:
    task = text_task(n_groups=24, per_group=4, noise=0.3)
    task = text_task(examples=task.examples.assign(value=["x", "y"] * 48), n_groups=24, averaged_over="value")
    seen: list[Any] = []
    fit = AdjustedClassifier.fit

    def spied(self: Any, X: Any, y: Any, groups: Any = None, times: Any = None, values: Any = None) -> Any:
        seen.append(values)
        return fit(self, X, y, groups, times, values)

    monkeypatch.setattr(AdjustedClassifier, "fit", spied)
    model = replace(load_model("logreg"), params={**load_model("logreg").params, "estimator.thresholds": "tuned"})
    splits = split_by_group(task.codes, task.groups, 3, 0)
    for told in (task, replace(task, averaged_over="")):
        seen.clear()
        evaluation = Evaluation(told, model, splits, Search("none", 0), 3, 0)
        assert evaluate(evaluation, 0, FeatureCache(told.frame)).error is None
        expected = task.value_codes
        assert expected is not None
        assert len(seen) == 1
        if told is task:
            assert seen[0].tolist() == expected[splits[0].train].tolist()
        else:
            assert seen[0] is None
