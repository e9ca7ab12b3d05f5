"""What an example contributes to a metric is how the score moves when there is one more example like it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from present import present

from bench.metrics.averaged import averaged
from bench.metrics.confusion import UNANSWERED
from bench.metrics.metric import LabelMetric, Metric
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric, metric_names

LABELS = ("a", "b", "c")
COPIES = 400


def drawn(unanswered: bool) -> Outcomes:
    rng = np.random.default_rng(7)
    n = 60
    true, values = rng.integers(3, size=n), rng.integers(2, size=n)
    probabilities = rng.dirichlet(np.ones(3), n)
    probabilities[np.arange(n), true] += 0.5
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = np.argmax(probabilities, axis=1)
    if unanswered:
        predicted[:5] = UNANSWERED
    return Outcomes(true, predicted, 3, np.arange(n) % 12, np.arange(n) % 2, probabilities, values=values)


def moves(metric: Metric, outcomes: Outcomes) -> None:
    """Compare with the data many times over and one example once more."""
    n = len(outcomes)
    many = np.tile(np.arange(n), COPIES)
    whole = metric.score(outcomes.rows(many))
    moved = [metric.score(outcomes.rows(np.append(many, row))) - whole for row in range(n)]
    found = present(metric.contributions(outcomes))
    assert found == pytest.approx(np.array(moved) * n * COPIES, rel=0.03, abs=5e-3)
    assert found.sum() == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("name", [name for name in metric_names(LABELS) if name != "expected_calibration_error"])
@pytest.mark.parametrize("unanswered", [False, True])
def test_contributions_are_what_one_more_example_moves(name: str, unanswered: bool) -> None:
    moves(find_metric(name, LABELS), drawn(unanswered))


def test_contributions_to_a_mean_over_values_are_what_one_more_example_moves() -> None:
    within = find_metric("macro_f1", LABELS)
    assert isinstance(within, LabelMetric)
    moves(averaged(within, "target"), drawn(unanswered=False))


def test_the_contribution_to_accuracy_is_being_right() -> None:
    outcomes = drawn(unanswered=True)
    metric = find_metric("accuracy", LABELS)
    right = outcomes.predicted == outcomes.true
    assert present(metric.contributions(outcomes)) == pytest.approx(right - right.mean())


def test_macro_f1_gains_nothing_from_more_of_a_label_that_is_predicted_as_well() -> None:
    """Unlike accuracy, it hardly changes where only the shares of labels do."""
    outcomes = drawn(unanswered=False)
    metric = find_metric("balanced_accuracy", LABELS)
    found = present(metric.contributions(replace(outcomes)))
    assert [found[outcomes.true == label].sum() for label in range(3)] == pytest.approx([0.0] * 3, abs=1e-6)
