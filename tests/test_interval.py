"""Intervals come from resampling whole groups, stay inside what a metric can be, and widen as groups get fewer."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score, log_loss

from bench.evaluation.metrics import LABEL_METRICS, PROBABILITY_METRICS, label_scores
from bench.results.summary import confusion_by_group
from bench.statistics import interval
from bench.statistics.draws import drawn_weights
from bench.statistics.interval import (
    bootstrap_error,
    group_interval,
    jackknife_error,
    label_score_intervals,
    probability_score_intervals,
)

LEAST = {"mcc": -1.0}
GREATEST = {"brier": 2.0, "log_loss": np.inf}


def weights_of(n_groups: int, draws: int, seed: int) -> np.ndarray:
    return np.concatenate(list(drawn_weights(np.full(n_groups, 1.0 / n_groups), n_groups, draws, seed)))


def drawn_predictions(
    n_groups: int, per_group: int, seed: int = 0, right: float = 0.7
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """True codes, predicted codes, groups and probabilities over three labels."""
    rng = np.random.default_rng(seed)
    n = n_groups * per_group
    true = rng.integers(3, size=n)
    predicted = np.where(rng.random(n) < right, true, rng.integers(3, size=n))
    probabilities = rng.dirichlet(np.ones(3), size=n) * 0.5 + 0.5 * np.eye(3)[predicted]
    return true, predicted, np.repeat([f"g{n}" for n in range(n_groups)], per_group), probabilities


def resampled_rows(groups: np.ndarray, draws: int, seed: int) -> list[np.ndarray]:
    """The rows of each bootstrap sample of whole groups: the definition, one sample at a time."""
    names = np.unique(groups)
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return [
        np.concatenate([np.tile(np.flatnonzero(groups == name), times) for name, times in zip(names, row, strict=True)])
        for row in counts
    ]


def students_interval(
    observed: float, draws: list[float], left_out: list[float], low: float, high: float
) -> list[float]:
    """Student's interval on the logit scale with the larger of two standard errors, written down independently."""
    n_groups = len(left_out)
    bootstrap = np.std(draws, ddof=1) * np.sqrt(n_groups / (n_groups - 1))
    jackknife = np.sqrt((n_groups - 1) / n_groups * sum((score - np.mean(left_out)) ** 2 for score in left_out))
    reach = stats.t.ppf(0.975, n_groups - 1) * max(bootstrap, jackknife)
    share = (observed - low) / (high - low)
    centre, slope = np.log(share / (1 - share)), 1 / ((high - low) * share * (1 - share))
    return [low + (high - low) / (1 + np.exp(-(centre + sign * reach * slope))) for sign in (-1, 1)]


@pytest.mark.parametrize("n_groups", [3, 12])
def test_the_interval_equals_a_plain_bootstrap_and_jackknife_of_groups_scored_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, n_groups: int
) -> None:
    monkeypatch.setattr(interval, "DRAWS", 200)
    true, predicted, groups, _ = drawn_predictions(n_groups, 8)
    found = label_score_intervals(confusion_by_group(true, predicted, groups, 3), seed=5)
    scorers = {
        "macro_f1": lambda a, b: f1_score(a, b, labels=[0, 1, 2], average="macro", zero_division=0.0),
        "accuracy": accuracy_score,
    }
    for name, scorer in scorers.items():
        draws = [scorer(true[rows], predicted[rows]) for rows in resampled_rows(groups, 200, seed=5)]
        left_out = [scorer(true[groups != name], predicted[groups != name]) for name in np.unique(groups)]
        expected = students_interval(scorer(true, predicted), draws, left_out, 0.0, 1.0)
        assert [found[name].low, found[name].high] == pytest.approx(expected, abs=1e-9)


def test_the_interval_of_probabilities_equals_a_plain_bootstrap_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interval, "DRAWS_OF_PROBABILITIES", 60)
    true, _, groups, probabilities = drawn_predictions(6, 10)
    found = probability_score_intervals(probabilities, true, groups, seed=3)

    def scorer(rows: np.ndarray) -> float:
        return float(log_loss(true[rows], probabilities[rows], labels=[0, 1, 2]))

    draws = [scorer(rows) for rows in resampled_rows(groups, 60, seed=3)]
    observed = scorer(np.arange(len(true)))
    reach = stats.t.ppf(0.975, 5) * np.std(draws, ddof=1) * np.sqrt(6 / 5) / observed
    assert [found["log_loss"].low, found["log_loss"].high] == pytest.approx(
        [observed * np.exp(-reach), observed * np.exp(reach)], abs=1e-9
    )


@settings(max_examples=40)
@given(
    st.tuples(st.integers(2, 8), st.integers(2, 4)).flatmap(
        lambda size: hnp.arrays(np.int64, (size[0], size[1], size[1]), elements=st.sampled_from([0, 0, 1, 2, 30]))
    )
)
def test_every_interval_holds_its_score_and_stays_inside_the_metrics_range(confusions: np.ndarray) -> None:
    observed = label_scores(confusions.sum(axis=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        intervals = label_score_intervals(confusions, seed=0)
    assert set(intervals) == set(LABEL_METRICS)
    for name, found in intervals.items():
        assert LEAST.get(name, 0.0) <= found.low <= float(observed[name]) + 1e-12
        assert float(observed[name]) - 1e-12 <= found.high <= 1.0


@given(st.floats(0, 1), st.floats(0, 1), st.integers(2, 50), st.sampled_from([1.0, np.inf]))
def test_any_score_and_any_spread_give_ends_in_order_and_in_range(
    observed: float, spread: float, n_groups: int, high: float
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = group_interval(observed, spread, n_groups, (0.0, high))
    assert 0.0 <= found.low <= observed + 1e-12
    assert observed - 1e-12 <= found.high <= high


@pytest.mark.parametrize("seed", range(3))
def test_intervals_of_probabilities_hold_their_scores_and_stay_in_range(seed: int) -> None:
    true, _, groups, probabilities = drawn_predictions(4, 6, seed, right=0.95)
    found = probability_score_intervals(probabilities, true, groups, seed=0)
    assert set(found) == set(PROBABILITY_METRICS)
    observed = interval.probability_scores(probabilities, true)
    for name, ends in found.items():
        assert 0.0 <= ends.low <= observed[name] <= ends.high <= GREATEST.get(name, 1.0)
        assert ends.low < ends.high


def test_right_and_wrong_are_mirror_images() -> None:
    """Where every hit becomes a miss, the accuracy's interval is reflected at one half."""
    rng = np.random.default_rng(0)
    confusions = rng.integers(1, 9, size=(7, 2, 2))
    right = label_score_intervals(confusions, seed=4)["accuracy"]
    wrong = label_score_intervals(confusions[:, :, ::-1], seed=4)["accuracy"]
    assert [wrong.low, wrong.high] == pytest.approx([1 - right.high, 1 - right.low], abs=1e-12)


def test_renaming_the_labels_changes_nothing() -> None:
    confusions = np.random.default_rng(1).integers(0, 9, size=(6, 3, 3))
    order = np.array([2, 0, 1])
    here = label_score_intervals(confusions, seed=0)
    there = label_score_intervals(confusions[:, order][:, :, order], seed=0)
    for name in LABEL_METRICS:
        assert [here[name].low, here[name].high] == pytest.approx([there[name].low, there[name].high], abs=1e-9)


def test_the_same_examples_in_fewer_groups_give_a_wider_interval() -> None:
    true, predicted, _, probabilities = drawn_predictions(60, 4)
    n = len(true)
    widths, widths_of_log_loss = [], []
    for n_groups in (60, 12, 4):
        groups = np.repeat([f"g{number}" for number in range(n_groups)], n // n_groups)
        found = label_score_intervals(confusion_by_group(true, predicted, groups, 3), seed=0)["macro_f1"]
        of_log_loss = probability_score_intervals(probabilities, true, groups, seed=0)["log_loss"]
        widths.append(found.high - found.low)
        widths_of_log_loss.append(of_log_loss.high - of_log_loss.low)
    assert widths == sorted(widths)
    assert widths_of_log_loss == sorted(widths_of_log_loss)


def test_copies_of_examples_inside_their_groups_do_not_narrow_the_interval() -> None:
    true, predicted, groups, _ = drawn_predictions(9, 5)
    confusions = confusion_by_group(true, predicted, groups, 3)
    once, often = (label_score_intervals(confusions * times, seed=0)["macro_f1"] for times in (1, 10))
    assert [once.low, once.high] == pytest.approx([often.low, often.high], abs=1e-12)


def test_the_larger_of_the_two_standard_errors_makes_the_interval() -> None:
    """Neither the bootstrap's nor the jackknife's alone is never the larger one."""
    rng, larger = np.random.default_rng(0), set()
    for seed in range(20):
        confusions = rng.integers(0, 5, size=(5, 3, 3)) * rng.integers(1, 9, size=(5, 1, 1))
        drawn = label_scores(np.tensordot(weights_of(5, interval.DRAWS, seed), confusions.astype(float), axes=1))
        left_out = label_scores(confusions.sum(axis=0) - confusions)
        errors = [bootstrap_error(drawn["macro_f1"], 5), jackknife_error(left_out["macro_f1"])]
        larger.add(int(np.argmax(errors)))
        observed = float(label_scores(confusions.sum(axis=0))["macro_f1"])
        found = label_score_intervals(confusions, seed)["macro_f1"]
        assert found == group_interval(observed, max(errors), 5, (0.0, 1.0))
    assert larger == {0, 1}


def test_the_standard_error_of_a_mean_over_alike_groups_is_the_usual_one() -> None:
    """Accuracy over groups of one size is a plain mean, whose standard error everybody knows."""
    right = np.array([3, 7, 5, 9, 6, 2])
    confusions = np.array([[[hits, 10 - hits], [0, 0]] for hits in right])
    usual = stats.sem(right / 10)
    left_out = label_scores(confusions.sum(axis=0) - confusions)["accuracy"]
    assert jackknife_error(left_out) == pytest.approx(usual, abs=1e-12)
    drawn = label_scores(np.tensordot(weights_of(6, 20_000, 0), confusions.astype(float), axes=1))["accuracy"]
    assert bootstrap_error(drawn, 6) == pytest.approx(usual, rel=0.03)


def test_alike_groups_say_less_the_fewer_they_are() -> None:
    """Student's quantile alone widens the interval: the standard error is the same."""
    widths = [
        (found := group_interval(0.6, 0.05, n_groups, (0.0, 1.0))).high - found.low for n_groups in (2, 3, 5, 10, 50)
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 2 * widths[-1]


def test_one_group_gives_no_interval() -> None:
    true, predicted, groups, probabilities = drawn_predictions(1, 20)
    assert label_score_intervals(confusion_by_group(true, predicted, groups, 3), seed=0) == {}
    assert probability_score_intervals(probabilities, true, groups, seed=0) == {}


@pytest.mark.parametrize("n_groups", [2, 5, 40])
def test_a_perfect_score_is_no_more_certain_than_as_many_successes_as_there_are_groups(n_groups: int) -> None:
    found = label_score_intervals(np.tile(np.eye(3, dtype=int) * 7, (n_groups, 1, 1)), seed=0)
    expected = stats.binomtest(n_groups, n_groups).proportion_ci(method="exact")
    for name in ("macro_f1", "accuracy", "balanced_accuracy"):
        assert (found[name].low, found[name].high) == pytest.approx((expected.low, 1.0), abs=1e-12)
    assert (found["mcc"].low, found["mcc"].high) == pytest.approx((2 * expected.low - 1, 1.0), abs=1e-12)


def test_a_score_of_nothing_right_reaches_as_far_up() -> None:
    found = label_score_intervals(np.tile([[0, 4], [4, 0]], (6, 1, 1)), seed=0)["accuracy"]
    expected = stats.binomtest(0, 6).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((0.0, expected.high), abs=1e-12)


def test_the_same_seed_gives_the_same_interval_and_another_nearly_the_same() -> None:
    true, predicted, groups, probabilities = drawn_predictions(8, 10)
    confusions = confusion_by_group(true, predicted, groups, 3)
    assert label_score_intervals(confusions, 1) == label_score_intervals(confusions, 1)
    assert probability_score_intervals(probabilities, true, groups, 1) == probability_score_intervals(
        probabilities, true, groups, 1
    )
    one, other = (label_score_intervals(confusions, seed)["macro_f1"] for seed in (1, 2))
    assert one.low == pytest.approx(other.low, abs=0.01)
    here, there = (probability_score_intervals(probabilities, true, groups, seed)["log_loss"] for seed in (1, 2))
    assert here != there
    assert here.low == pytest.approx(there.low, rel=0.05)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Accuracy of 0.7 that varies between groups, eight groups: the percentile bootstrap covers far less."""
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        rates = rng.beta(7, 3, size=8)
        right = rng.binomial(25, rates)
        confusions = np.zeros((8, 2, 2))
        confusions[:, 0, 0], confusions[:, 0, 1] = right, 25 - right
        found = label_score_intervals(confusions, trial)["accuracy"]
        covered += found.low <= 0.7 <= found.high
    assert covered / 200 == pytest.approx(0.95, abs=0.035)


def test_parts_of_the_draws_are_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights_of(7, 50, 3)
    monkeypatch.setattr("bench.statistics.draws.PART", 7 * 12)
    parts = list(drawn_weights(np.full(7, 1.0 / 7), 7, 50, 3))
    assert [len(part) for part in parts] == [12, 12, 12, 12, 2]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert set(whole.sum(axis=1).tolist()) == {7.0}


def test_many_groups_are_drawn_by_kind_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    true, predicted, groups, _ = drawn_predictions(900, 2)
    confusions = confusion_by_group(true, predicted, groups, 3)
    one_by_one = label_score_intervals(confusions, seed=0)
    monkeypatch.setattr(interval, "MANY_GROUPS", 10)
    by_kind = label_score_intervals(confusions, seed=0)
    for name, expected in one_by_one.items():
        assert by_kind[name].low == pytest.approx(expected.low, abs=0.002), name
        assert by_kind[name].high == pytest.approx(expected.high, abs=0.002), name


def test_an_interval_over_many_groups_is_the_binomial_one() -> None:
    true, predicted, groups, _ = drawn_predictions(40_000, 1)
    confusions = np.repeat(confusion_by_group(true, predicted, groups, 3), 5, axis=0)
    found = label_score_intervals(confusions, seed=0)["accuracy"]
    share = (true == predicted).mean()
    error = np.sqrt(share * (1 - share) / 200_000)
    assert found.low == pytest.approx(share - 1.96 * error, abs=error / 5)
    assert found.high == pytest.approx(share + 1.96 * error, abs=error / 5)
