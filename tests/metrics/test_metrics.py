"""Every metric equals scikit-learn's over all of the task's labels, whichever of them occur."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scores import LABEL_METRICS, PROBABILITY_METRICS, label_scores, outcomes_of, probability_scores
from sklearn import metrics as reference

from bench.errors import ConfigError
from bench.metrics.averaged import averaged
from bench.metrics.confusion import UNANSWERED, confusion_matrix, per_class
from bench.metrics.f1 import MeanF1
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.statistics.bootstrap import GroupBootstrap
from bench.statistics.calibration import Bins, reliability
from bench.statistics.interval import Interval, together


@st.composite
def labelled(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray]:
    """A number of labels, true and predicted codes; labels may be absent from either side."""
    n_labels = draw(st.integers(2, 5))
    n = draw(st.integers(1, 30))
    occurring = draw(st.lists(st.integers(0, n_labels - 1), min_size=1, max_size=n_labels))
    codes = hnp.arrays(np.intp, n, elements=st.sampled_from(occurring))
    anything = hnp.arrays(np.intp, n, elements=st.integers(0, n_labels - 1))
    return n_labels, draw(codes), draw(st.one_of(codes, anything))


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Rows of probabilities, with many ties and with zeros, and true codes."""
    n_labels, true, _ = draw(labelled())
    weights = draw(hnp.arrays(np.float64, (len(true), n_labels), elements=st.sampled_from([0.0, 0.0, 1.0, 2.0, 5.0])))
    weights[weights.sum(axis=1) == 0] = 1.0
    return weights / weights.sum(axis=1, keepdims=True), true


@pytest.fixture(autouse=True)
def _no_warnings_of_ours() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@given(labelled())
def test_confusion_matrices_equal_scikit_learns(case: tuple[int, np.ndarray, np.ndarray]) -> None:
    n_labels, true, predicted = case
    expected = reference.confusion_matrix(true, predicted, labels=range(n_labels))
    assert np.array_equal(confusion_matrix(true, predicted, n_labels), expected)


@given(labelled())
def test_scores_of_predicted_labels_equal_scikit_learns_over_all_labels(
    case: tuple[int, np.ndarray, np.ndarray],
) -> None:
    n_labels, true, predicted = case
    labels = range(n_labels)
    scores = label_scores(confusion_matrix(true, predicted, n_labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "macro_f1": reference.f1_score(true, predicted, labels=labels, average="macro", zero_division=0.0),
            "accuracy": reference.accuracy_score(true, predicted),
            "balanced_accuracy": reference.balanced_accuracy_score(true, predicted),
            "mcc": reference.matthews_corrcoef(true, predicted),
        }
    assert set(scores) == set(expected) == set(LABEL_METRICS)
    for name, value in expected.items():
        assert float(scores[name]) == pytest.approx(value, abs=1e-12), name


@given(labelled())
def test_the_f_avg_of_stances_is_scikit_learns_macro_f1_of_the_first_two_labels_and_only_there_if_asked_for(
    case: tuple[int, np.ndarray, np.ndarray],
) -> None:
    n_labels, true, predicted = case
    confusion = confusion_matrix(true, predicted, n_labels)
    scores = label_scores(confusion, "f_avg")
    expected = reference.f1_score(true, predicted, labels=[0, 1], average="macro", zero_division=0.0)
    assert float(scores.pop("f_avg")) == pytest.approx(expected, abs=1e-12)
    assert scores == label_scores(confusion)


@given(labelled())
def test_per_class_scores_equal_scikit_learns_over_all_labels(case: tuple[int, np.ndarray, np.ndarray]) -> None:
    n_labels, true, predicted = case
    ours = per_class(confusion_matrix(true, predicted, n_labels))
    theirs = reference.precision_recall_fscore_support(true, predicted, labels=range(n_labels), zero_division=0.0)
    for name, values in zip(("precision", "recall", "f1", "support"), theirs, strict=True):
        assert ours[name] == pytest.approx(values, abs=1e-12), name


@given(scored())
def test_scores_of_probabilities_equal_scikit_learns(case: tuple[np.ndarray, np.ndarray]) -> None:
    probabilities, true = case
    labels = range(probabilities.shape[1])
    occurring = np.unique(true)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        two = probabilities[:, 1] if len(labels) == 2 else probabilities
        expected = {
            "log_loss": reference.log_loss(true, probabilities, labels=labels),
            "brier": reference.brier_score_loss(true, two, labels=labels, scale_by_half=False),
            "average_precision": np.mean(
                [reference.average_precision_score(true == label, probabilities[:, label]) for label in occurring]
            ),
        }
    scores = probability_scores(probabilities, true)
    assert set(scores) == set(PROBABILITY_METRICS) >= set(expected)
    for name, value in expected.items():
        assert scores[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@settings(max_examples=50)
@given(st.integers(2, 4).flatmap(lambda k: hnp.arrays(np.int64, (3, 2, k, k), elements=st.integers(0, 9))))
def test_confusion_matrices_scored_together_score_as_one_by_one(confusions: np.ndarray) -> None:
    together, classes = label_scores(confusions), per_class(confusions)
    for place in np.ndindex(3, 2):
        alone, alone_classes = label_scores(confusions[place]), per_class(confusions[place])
        assert {name: scores[place] for name, scores in together.items()} == alone
        for name, values in classes.items():
            assert np.array_equal(values[place], alone_classes[name])


def test_a_label_that_never_occurs_counts_zero_in_macro_f1() -> None:
    """`f1_score` without ``labels=`` would say 1.0 here."""
    codes = np.array([0, 1, 0, 1])
    assert float(label_scores(confusion_matrix(codes, codes, 4))["macro_f1"]) == 0.5


def test_an_empty_confusion_matrix_scores_zero_without_a_warning() -> None:
    assert {float(score) for score in label_scores(np.zeros((3, 3))).values()} == {0.0}


def test_constant_predictions_have_no_correlation() -> None:
    assert float(label_scores(confusion_matrix(np.array([0, 1, 1]), np.array([1, 1, 1]), 2))["mcc"]) == 0.0


def test_the_area_under_the_curve_is_scikit_learns_mean_over_labels_with_both_kinds_of_examples() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(3, size=200)
    probabilities = rng.dirichlet(np.ones(3), 200).round(1) + 0.01
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = np.mean([reference.roc_auc_score(true == label, probabilities[:, label]) for label in range(3)])
    assert probability_scores(probabilities, true)["macro_auroc"] == pytest.approx(expected, abs=1e-12)


def test_the_calibration_error_is_that_of_the_report_and_its_draws_are_of_the_drawn_groups() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.ones(2), 400)
    true = (rng.random(400) < probabilities[:, 1]).astype(int)
    outcomes = outcomes_of(true, probabilities.argmax(axis=1), 2, np.arange(400) // 10, None, probabilities)
    metric, bootstrap = find_metric("expected_calibration_error"), GroupBootstrap(40, seed=0, draws=50)
    confidence, right = probabilities.max(axis=1), true == probabilities.argmax(axis=1)
    assert metric.score(outcomes) == reliability(confidence, right, outcomes.groups).error < 0.08
    drawn = metric.drawn(outcomes, bootstrap)
    weights = np.concatenate(list(bootstrap.weights())).astype(int)
    found = reliability(confidence, right, outcomes.groups)
    for score, times in zip(drawn, weights, strict=True):
        chosen = np.repeat(np.arange(40), times)
        assert score == pytest.approx(Bins(found.bins.held[chosen], found.bins.excess[chosen]).error, abs=1e-9)


@pytest.mark.parametrize("metric", ["average_precision", "macro_auroc"])
def test_a_constant_scores_chance_though_test_parts_have_unlike_prevalence(metric: str) -> None:
    """Each part's constant is what its training part has of each label, so it is opposed to the part's own."""
    constant = np.array([[0.6, 0.4]] * 10 + [[0.4, 0.6]] * 10)
    true = np.array([0] * 4 + [1] * 6 + [0] * 6 + [1] * 4)
    found = probability_scores(constant, true, parts=np.repeat([0, 1], 10))
    assert found[metric] == pytest.approx(0.5, abs=0.03)


def test_a_metric_of_no_name_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="unknown metric 'macro_f2'") as error:
        find_metric("macro_f2")
    assert "macro_f1" in str(error.value)
    metric = find_metric("f1_denial", ["none", "denial"])
    assert isinstance(metric, MeanF1)
    assert metric.of_confusions(np.diag([1.0, 2.0])) == 1.0
    with pytest.raises(ConfigError, match="unknown metric 'f1_other'"):
        find_metric("f1_other", ["none", "denial"])


def test_a_group_without_an_answer_keeps_its_place_among_the_groups_of_the_calibration_error() -> None:
    """Draws and left-out scores are of the groups of all examples, and of one without answers change nothing."""
    draw = np.random.default_rng(0)
    groups, true = np.repeat(np.arange(20), 10), draw.integers(0, 2, 200)
    second = draw.random(200)
    predicted = np.where(groups == 3, UNANSWERED, (second > 0.5).astype(int))
    outcomes = Outcomes(true, predicted, 2, groups, groups, np.stack([1 - second, second], axis=1))
    metric = find_metric("expected_calibration_error")
    left_out = metric.without_each(outcomes)
    assert left_out is not None
    assert len(left_out) == 20
    assert left_out[3] == pytest.approx(metric.score(outcomes))
    assert metric.drawn(outcomes, GroupBootstrap(20, 0, draws=50)).shape == (50,)
    answered = outcomes.alone(np.flatnonzero(groups != 3))
    assert metric.interval(outcomes) == metric.interval(answered)
    alone = replace(outcomes, predicted=np.where(groups == 5, predicted, UNANSWERED))
    without = metric.without_each(alone)
    assert without is not None
    assert without[5] == 1.0


def test_the_calibration_errors_interval_is_wider_where_several_hold_together() -> None:
    draw = np.random.default_rng(0)
    true, second = draw.integers(0, 2, 300), draw.random(300)
    both = np.stack([1 - second, second], axis=1)
    outcomes = Outcomes(true, (second > 0.5).astype(int), 2, np.arange(300), np.arange(300), both)
    widths = []
    for n in (1, 10):
        with together(n):
            found = find_metric("expected_calibration_error").interval(outcomes)
        assert isinstance(found, Interval)
        widths.append(found.high - found.low)
    assert widths[1] > 1.2 * widths[0]


@pytest.mark.parametrize("name", ["accuracy", "macro_f1"])
def test_a_value_without_an_example_leaves_the_mean_over_values_unknown(name: str) -> None:
    true = np.array([0, 1, 0, 1])
    outcomes = Outcomes(true, true, 2, np.arange(4), np.zeros(4, dtype=int), values=true * 0, value_names=("u", "v"))
    assert {value for _, value in averaged(find_metric(name), "target").lacking(outcomes)} == {1}
