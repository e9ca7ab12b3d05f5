"""Paired tests agree with the libraries that have them, treat both models alike, and find what is there."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import baycomp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from present import present
from scipy import stats
from scores import (
    LABEL_METRICS,
    PROBABILITY_METRICS,
    confusion_by_group,
    drawn_label_scores,
    drawn_probability_scores,
    label_scores,
    probability_scores,
)
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from stored import a_record, a_summary
from thoroughness import scaled

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.equality import Disagreement, chance_unmet, error_for_equality, groups_to_meet
from bench.comparison.limitations import limitations
from bench.comparison.pairs import judged_pairs
from bench.comparison.planning import LabelPlan, plan_labels
from bench.comparison.verdict import verdict
from bench.metrics.accuracy import ACCURACY
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.results.record import SplitSizes
from bench.results.store import RunFolder
from bench.statistics.bootstrap import GroupBootstrap
from bench.statistics.paired import Difference, error_test, fold_test, group_difference, holm
from bench.statistics.simultaneous import Family

shares = st.floats(0.0, 1.0)
fold_differences = hnp.arrays(np.float64, st.integers(2, 20), elements=st.floats(-1, 1).map(lambda x: round(x, 4)))
outcomes = hnp.arrays(np.bool_, st.tuples(st.just(2), st.integers(0, 60)))


def all_weights(bootstrap: GroupBootstrap) -> np.ndarray:
    return np.concatenate(list(bootstrap.weights()))


def paired_difference(one: np.ndarray, other: np.ndarray, metric: str, seed: int) -> Difference:
    """Of two models' confusion matrices by group."""
    bootstrap = GroupBootstrap(len(one), seed)
    scored = [drawn_label_scores(confusions, metric, bootstrap) for confusions in (one, other)]
    return group_difference([score for score, _ in scored], [drawn for _, drawn in scored], len(one))


@st.composite
def confusions_of_two(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """By group, confusion matrices of two models for the same examples, each model's rows summing to the same."""
    n_groups, n_labels = draw(st.integers(2, 8)), draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    supports = rng.integers(1, 12, size=(n_groups, n_labels))
    one, other = (rng.multinomial(supports, rng.dirichlet(np.ones(n_labels), n_labels)) for _ in range(2))
    return one, other


@pytest.mark.slow
@given(st.lists(shares, min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected, abs=1e-12)


@given(st.lists(shares, min_size=1, max_size=20))
def test_adjusting_for_several_pairs_never_makes_one_look_surer(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1.0 for p, a in zip(p_values, adjusted, strict=True))
    assert adjusted[int(np.argmin(p_values))] == pytest.approx(min(1.0, min(p_values) * len(p_values)))
    assert np.argsort(p_values, kind="stable").tolist() == sorted(
        range(len(p_values)), key=lambda place: (adjusted[place], p_values[place], place)
    )


def test_no_pair_needs_no_adjusting() -> None:
    assert holm([]) == []
    assert holm([0.2]) == [0.2]


@given(outcomes)
def test_mcnemar_is_the_exact_one_of_statsmodels(right: np.ndarray) -> None:
    first, second = right
    found = error_test(first, second)
    table = [[(first & second).sum(), (first & ~second).sum()], [(~first & second).sum(), (~first & ~second).sum()]]
    assert (found.first_only, found.second_only) == (table[0][1], table[1][0])
    assert found.p_value == pytest.approx(mcnemar(table, exact=True).pvalue, abs=1e-12)


@given(fold_differences, st.floats(0.001, 0.1))
def test_the_posterior_probabilities_are_those_of_baycomp(differences: np.ndarray, rope: float) -> None:
    found = fold_test(differences, test_share=1 / len(differences), rope=rope)
    if found.standard_error < 1e-9:
        return
    first, equal, second = baycomp.two_on_single(differences, np.zeros_like(differences), rope=rope)
    assert (found.first, found.equal, found.second) == pytest.approx((first, equal, second), abs=1e-9)


@given(fold_differences, st.integers(2, 4))
def test_repeats_of_the_folds_count_as_in_baycomp(differences: np.ndarray, repeats: int) -> None:
    """Differences in the order of the repeats; each test part holds one example in as many as there are folds."""
    every = np.concatenate([differences + shift for shift in np.linspace(0, 0.1, repeats)])
    found = fold_test(every, test_share=1 / len(differences), rope=0.01)
    expected = baycomp.two_on_single(every, np.zeros_like(every), rope=0.01, runs=repeats)
    assert (found.first, found.equal, found.second) == pytest.approx(expected, abs=1e-9)


@given(fold_differences, st.floats(0.05, 0.5), st.floats(0, 0.1))
def test_the_corrected_t_test_is_the_formula_of_nadeau_and_bengio(
    differences: np.ndarray, share: float, rope: float
) -> None:
    found = fold_test(differences, share, rope)
    n = len(differences)
    error = np.sqrt((1 / n + share / (1 - share)) * np.var(differences, ddof=1))
    assert found.mean == pytest.approx(differences.mean())
    assert found.standard_error == pytest.approx(error)
    if error > 1e-9:
        assert found.p_value == pytest.approx(2 * stats.t.sf(abs(differences.mean() / error), n - 1), abs=1e-9)
    assert found.first + found.equal + found.second == pytest.approx(1.0)


@given(fold_differences)
def test_the_correction_always_makes_the_t_test_more_careful(differences: np.ndarray) -> None:
    found = fold_test(differences, test_share=0.2, rope=0.01)
    if found.standard_error > 1e-9:
        assert found.p_value >= stats.ttest_1samp(differences, 0.0).pvalue


@pytest.mark.slow
@given(fold_differences, outcomes, confusions_of_two(), st.sampled_from(LABEL_METRICS))
@settings(max_examples=50)
def test_exchanging_the_two_models_mirrors_every_test(
    differences: np.ndarray, right: np.ndarray, confusions: tuple[np.ndarray, np.ndarray], metric: str
) -> None:
    here, there = (fold_test(d, 0.2, 0.01) for d in (differences, -differences))
    assert (here.first, here.equal, here.second) == pytest.approx((there.second, there.equal, there.first), abs=1e-12)
    assert (here.mean, here.p_value) == pytest.approx((-there.mean, there.p_value))
    one, other = error_test(*right), error_test(*right[::-1])
    assert (one.first_only, one.second_only, one.p_value) == (other.second_only, other.first_only, other.p_value)
    a, b = (paired_difference(*pair, metric, seed=1) for pair in (confusions, confusions[::-1]))
    assert (a.difference, a.standard_error, a.p_value) == pytest.approx((-b.difference, b.standard_error, b.p_value))
    if a.interval is None or b.interval is None:
        assert a.interval is b.interval is None
    else:
        assert (a.interval.low, a.interval.high) == pytest.approx((-b.interval.high, -b.interval.low))


@given(confusions_of_two(), st.sampled_from(LABEL_METRICS))
@settings(max_examples=30)
def test_where_groups_show_no_variation_nothing_is_said_of_others(
    confusions: tuple[np.ndarray, np.ndarray], metric: str
) -> None:
    found = paired_difference(confusions[0], confusions[0], metric, seed=0)
    assert (found.difference, found.standard_error, found.interval, found.p_value) == (0.0, None, None, None)
    alike = np.repeat(confusions[0][:1], 5, axis=0), np.repeat(confusions[1][:1], 5, axis=0)
    assert paired_difference(*alike, metric, seed=0).p_value is None
    folds = fold_test(np.zeros(5), 0.2, rope=0.01)
    assert (folds.p_value, folds.equal) == (1.0, 1.0)


@given(confusions_of_two(), st.sampled_from(LABEL_METRICS))
@settings(max_examples=30)
def test_the_interval_and_the_p_value_say_the_same(confusions: tuple[np.ndarray, np.ndarray], metric: str) -> None:
    """The interval leaves zero out just where the p-value is below 5 %."""
    found = paired_difference(*confusions, metric, seed=0)
    if found.standard_error is not None:
        assert (present(found.p_value) < 0.05) == (not found.interval.low <= 0.0 <= found.interval.high)


@given(confusions_of_two(), st.permutations(range(8)))
@settings(max_examples=30)
def test_the_order_of_the_groups_moves_the_standard_error_no_more_than_another_seed(
    confusions: tuple[np.ndarray, np.ndarray], permutation: list[int]
) -> None:
    order = [place for place in permutation if place < len(confusions[0])]
    here = paired_difference(*confusions, "accuracy", seed=0)
    there = paired_difference(confusions[0][order], confusions[1][order], "accuracy", seed=0)
    assert here.difference == pytest.approx(there.difference, abs=1e-12)
    assert (there.standard_error or 0.0) == pytest.approx(here.standard_error or 0.0, rel=0.15, abs=1e-9)


def test_a_factor_widens_the_standard_error_by_itself() -> None:
    rng = np.random.default_rng(0)
    drawn = [rng.normal(0.6, 0.03, 500), rng.normal(0.5, 0.03, 500)]
    plain, wider = (group_difference([0.6, 0.5], drawn, 12, inflation) for inflation in (1.0, 1.5))
    assert wider.standard_error == pytest.approx(1.5 * present(plain.standard_error))
    assert np.subtract(wider.interval.high, wider.interval.low) == pytest.approx(
        1.5 * (plain.interval.high - plain.interval.low)
    )
    assert present(wider.p_value) > present(plain.p_value)


def test_one_group_says_nothing_about_others() -> None:
    found = group_difference([0.6, 0.5], [np.zeros(3), np.zeros(3)], n_groups=1)
    assert found.difference == pytest.approx(0.1)
    assert (found.standard_error, found.interval, found.p_value) == (None, None, None)


def test_what_makes_a_group_hard_for_both_models_cancels() -> None:
    """Scores that swing between groups, and one model that gets one or two examples of ten more right in each."""
    hits, more = np.array([1, 3, 5, 7, 9, 2, 4, 6]), np.array([1, 1, 2, 1, 1, 1, 1, 1])
    confusions = [np.array([[[h, 10 - h], [0, 0]] for h in right]) for right in (hits + more, hits)]
    found = paired_difference(confusions[0], confusions[1], "accuracy", seed=0)
    assert found.difference == pytest.approx(9 / 80)
    assert present(found.standard_error) < 0.02
    assert present(found.p_value) < 0.001
    mixed = paired_difference(confusions[0], confusions[1][::-1], "accuracy", seed=0)
    assert mixed.difference == pytest.approx(9 / 80)
    assert present(mixed.p_value) > 0.2


def rows_with_probabilities(seed: int, n_groups: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities with many ties, true and predicted codes and groups; label 2 stands in the first group only."""
    rng = np.random.default_rng(seed)
    groups = np.sort(np.append(np.arange(n_groups), rng.integers(n_groups, size=40)))
    true = np.where(groups == 0, 2, rng.integers(2, size=len(groups)))
    probabilities = rng.integers(1, 4, size=(len(true), 3)).astype(float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities, true, probabilities.argmax(axis=1), groups


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("metric", sorted({*LABEL_METRICS, *PROBABILITY_METRICS} - {"expected_calibration_error"}))
def test_a_drawn_score_is_that_of_the_drawn_rows_repeated(metric: str, seed: int) -> None:
    """Each row stands as often as its group was drawn, in some draws without any example of a label."""
    probabilities, true, predicted, groups = rows_with_probabilities(seed)
    bootstrap = GroupBootstrap(7, seed, draws=60)
    weights = all_weights(bootstrap).astype(int)
    assert (weights[:, 0] == 0).any()
    every = [np.repeat(np.arange(len(true)), times[groups]) for times in (np.ones(7, dtype=int), *weights)]
    if metric in LABEL_METRICS:
        by_group = confusion_by_group(true, predicted, groups, 3)
        observed, drawn = drawn_label_scores(by_group, metric, bootstrap)
        expected = [
            float(label_scores(confusion_by_group(true[rows], predicted[rows], rows * 0, 3)[0])[metric])
            for rows in every
        ]
    else:
        observed, drawn = drawn_probability_scores(probabilities, true, groups, metric, bootstrap)
        expected = [probability_scores(probabilities[rows], true[rows])[metric] for rows in every]
    assert [observed, *drawn] == pytest.approx(expected, abs=1e-12)


def test_all_that_is_compared_is_scored_on_the_same_draws() -> None:
    one, other = (all_weights(GroupBootstrap(9, seed=3)) for _ in range(2))
    assert (one == other).all()
    assert (one.sum(axis=1) == 9).all()
    assert (all_weights(GroupBootstrap(9, seed=4)) != one).any()


@pytest.mark.parametrize(
    ("p_groups", "p_equal", "said"),
    [
        (0.049, 1.0, "better"),
        (0.05, 1.0, "undecided"),
        (1.0, 0.05, "undecided"),
        (1.0, 0.049, "practically equal"),
        (0.001, 0.01, "practically equal"),
    ],
)
def test_the_verdict_follows_its_documented_rule(p_groups: float, p_equal: float, said: str) -> None:
    assert verdict(p_groups, p_equal, 5) == said
    assert verdict(p_groups, p_equal, 4) == "undecided"


@given(st.integers(3, 400), st.floats(0.0, 6.0))
def test_a_family_of_one_is_students_test(df: int, size: float) -> None:
    family = Family(np.random.default_rng(0).normal(size=(1, 300)), df)
    assert family.p_values([size]) == pytest.approx([2 * stats.t.sf(size, df)])
    assert family.critical_value(0.95) == pytest.approx(stats.t.ppf(0.975, df))
    assert family.level_of_one(0.05) == pytest.approx(0.05)


@given(st.integers(2, 8), st.integers(0, 1_000), st.floats(0.0, 0.99))
@settings(max_examples=30)
def test_adjusting_by_the_draws_is_never_more_careful_than_holm_nor_less_than_a_single_test(
    n_pairs: int, seed: int, common: float
) -> None:
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=400)
    drawn = np.sqrt(common) * shared + np.sqrt(1 - common) * rng.normal(size=(n_pairs, 400))
    t = rng.normal(scale=2.0, size=n_pairs)
    alone = 2 * stats.t.sf(np.abs(t), 19)
    adjusted = np.array(Family(drawn, 19).p_values(t.tolist()))
    assert (adjusted <= np.array(holm(alone.tolist())) + 1e-12).all()
    assert (adjusted >= alone - 1e-12).all()
    assert (np.diff(adjusted[np.argsort(-np.abs(t))]) >= 0).all()


def test_pairs_that_always_move_together_are_adjusted_for_as_one() -> None:
    draws = np.random.default_rng(0).normal(size=2_000)
    together, apart = (
        Family(np.array([draws] * 6), 1_000),
        Family(np.random.default_rng(1).normal(size=(6, 2_000)), 1_000),
    )
    assert together.p_values([2.2] * 6)[0] == pytest.approx(2 * stats.norm.sf(2.2), abs=0.006)
    assert apart.p_values([2.2] * 6)[0] == pytest.approx(1 - (1 - 2 * stats.norm.sf(2.2)) ** 6, abs=0.02)
    assert together.critical_value(0.95) < apart.critical_value(0.95)


@given(st.integers(2, 6), st.integers(0, 1_000))
@settings(max_examples=30)
def test_the_surest_pair_is_decided_just_where_its_interval_leaves_zero_out(n_pairs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    family = Family(rng.normal(size=(n_pairs, 300)), 9)
    t = rng.normal(scale=3.0, size=n_pairs)
    surest = int(np.abs(t).argmax())
    assert (family.p_values(t.tolist())[surest] < 0.05) == (abs(t[surest]) > family.critical_value(0.95))


@pytest.mark.slow
def test_independent_pairs_of_equal_models_are_called_different_in_one_of_twenty_families() -> None:
    """Student's statistics of ten pairs with nine degrees of freedom, whose draws hang together as the pairs do."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(10, 4))
    wrong = 0
    for _ in range(600):
        data = mixing @ rng.normal(size=(4, 10))
        weights = rng.multinomial(10, np.full(10, 0.1), size=300)
        drawn = data @ weights.T / 10
        t = data.mean(axis=1) / (data.std(axis=1, ddof=1) / np.sqrt(10))
        wrong += min(Family(drawn, 9).p_values(t.tolist())) < 0.05
    assert 12 <= wrong <= 48


@pytest.fixture(scope="module")
def simulation() -> Any:
    """The simulation of ``docs/method/comparison.md``."""
    path = Path(__file__).parents[1] / "benchmarks" / "verdicts.py"
    spec = importlib.util.spec_from_file_location("verdicts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Data classes look their module up.
    sys.modules["verdicts"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learner", "n_groups", "effect", "sizes", "labels", "protocol"),
    [
        ("logistic regression", 20, "strong", "equal", "50/50", "folds"),
        ("decision tree", 5, "strong", "power", "90/10", "folds"),
        ("logistic regression", None, "none", "equal", "nine", "split"),
        *scaled(
            [],
            [
                ("decision tree", None, "none", "equal", "50/50", "folds"),
                ("naive Bayes", 50, "strong", "power", "90/10", "folds"),
            ],
        ),
    ],
)
def test_equally_good_models_are_rarely_called_different(
    simulation: Any, learner: str, n_groups: int | None, effect: str, sizes: str, labels: str, protocol: str
) -> None:
    """At a rate of 5 %, more than 18 of 200 come once in a hundred times."""
    scenario = simulation.Scenario(learner, n_groups, effect, sizes, labels, 300, protocol)
    outcomes = [simulation.compare_once(scenario, seed) for seed in range(200)]
    assert sum(outcome.called["verdict"] != 0 for outcome in outcomes) <= 18
    assert {np.sign(outcome.difference) for outcome in outcomes} >= {-1.0, 1.0}


@pytest.mark.slow
def test_a_difference_of_ten_points_is_found_in_half_of_the_data_sets_of_300_examples(simulation: Any) -> None:
    scenario = simulation.Scenario("logistic regression", 20, "strong", n_examples=300, loss=0.10)
    outcomes = [simulation.compare_once(scenario, seed) for seed in range(100)]
    assert np.mean([outcome.difference for outcome in outcomes]) == pytest.approx(0.10, abs=0.03)
    assert sum(outcome.called["verdict"] == 1 for outcome in outcomes) >= 40
    assert sum(outcome.called["verdict"] == -1 for outcome in outcomes) <= 1


@pytest.mark.slow
def test_models_that_seldom_disagree_are_called_practically_equal(simulation: Any) -> None:
    scenario = simulation.Scenario("logistic regression", None, "none", n_examples=2_000, shared=0.99)
    outcomes = [simulation.compare_once(scenario, seed) for seed in range(20)]
    assert sum(outcome.called["equal"] != 0 for outcome in outcomes) >= 10


@pytest.mark.slow
@pytest.mark.parametrize(("n", "errs"), [(20, 0.05), (300, 0.02), (100, 0.03)])
def test_identical_predictions_on_few_examples_do_not_make_models_equal(n: int, errs: float) -> None:
    """A model that errs on a share of inputs beyond the region, which the examples at hand may not hold."""
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(200):
        wrong = rng.random(n) < errs
        true = np.arange(n) % 2
        runs = two_runs(true, true.copy(), np.where(wrong, 1 - true, true))
        called += judged_pairs(runs, errs * 0.9, None)[0].verdict == "practically equal"
    assert called <= 20


def test_identical_predictions_on_many_examples_are_practically_equal() -> None:
    true = np.arange(600) % 2
    for n, said in ((600, "practically equal"), (200, "undecided")):
        (pair,) = judged_pairs(two_runs(true[:n], true[:n], true[:n]), 0.01, None)
        assert pair.verdict == said
        assert (pair.interval.high < 0.01) == (said == "practically equal")


def nearly_alike(n_groups: int, failing: float, rng: np.random.Generator) -> ComparedRuns:
    """Two models that are right on 80 % and seldom disagree; in a share of groups of 20 one gets nothing right."""
    right = rng.random((n_groups, 20)) < 0.8
    other = np.where(rng.random(right.shape) < 0.04, rng.random(right.shape) < 0.8, right)
    other[rng.random(n_groups) < failing] = False
    true = np.arange(right.size) % 2
    one, other = (np.where(each.ravel(), true, 1 - true) for each in (right, other))
    return two_runs(true, one, other, np.repeat(np.arange(n_groups), 20))


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [40, 70, 100, 150])
def test_models_are_not_called_equal_where_one_fails_in_groups_that_may_be_missing(n_groups: int) -> None:
    """A model that gets nothing right in one of forty groups loses two points; at 5 %, 14 of 150 come once in 100."""
    rng = np.random.default_rng(n_groups)
    called = [judged_pairs(nearly_alike(n_groups, 0.025, rng), 0.02, None)[0].verdict for _ in range(150)]
    assert called.count("practically equal") <= 14


@pytest.mark.slow
@pytest.mark.parametrize(("n_groups", "share"), [(100, 0.5), (120, 0.95)])
def test_models_that_seldom_disagree_are_called_equal_with_enough_groups(n_groups: int, share: float) -> None:
    rng = np.random.default_rng(0)
    called = [judged_pairs(nearly_alike(n_groups, 0.0, rng), 0.02, None)[0].verdict for _ in range(80)]
    assert called.count("practically equal") >= share * 80


@given(st.integers(5, 400), st.floats(0.3, 1.0), st.floats(0.005, 0.2))
@settings(max_examples=30)
def test_identical_models_are_equal_once_complete_failure_would_have_been_met(
    n: int, accuracy: float, rope: float
) -> None:
    true = np.arange(n) % 2
    one = np.where(np.arange(n) < accuracy * n, true, 1 - true)
    runs = two_runs(true, one, one)
    share = runs.metric.share_to_lose(runs.runs[0].outcomes, rope)
    assert share == pytest.approx(min(1.0, rope / (one == true).mean()), rel=0.01)
    nothing = Difference(0.0, None, None, None)
    first, second = runs.runs
    assert chance_unmet(runs, first, second, nothing, share, rope) == pytest.approx((1 - share) ** n, abs=1e-9)
    assert (1 - share) ** present(groups_to_meet(share)) <= 0.05 / 0.80 + 1e-9


def test_what_the_fitting_adds_goes_by_the_examples_that_train_and_by_the_rarest_label() -> None:
    """A published split is scored on its test part alone, and trained on its training part."""
    true = np.arange(300) % 2
    folds = two_runs(true, true, true)
    assert folds.training_factor() == pytest.approx(np.sqrt(1 + 0.6 * 300 / 240))
    assert folds.test_share() == pytest.approx(0.2)
    split = replace(folds, task=replace(folds.task, n_examples=1_100, splits={"split": SIZES}))
    one = replace(split.runs[0], outcomes=replace(split.runs[0].outcomes, parts=true * 0))
    split = replace(split, runs=[one, *split.runs[1:]])
    assert split.training_factor() == pytest.approx(np.sqrt(1 + 0.6 * 300 / 700))
    assert split.test_share() == pytest.approx(0.3)
    rare = two_runs((np.arange(300) < 40).astype(int), true, true)
    assert rare.training_factor() == pytest.approx(np.sqrt(1 + 300 / 240))


@pytest.mark.parametrize("repeats", [2, 5])
def test_models_that_always_agree_are_no_more_equal_for_being_tested_again(repeats: int) -> None:
    """Repeats of the folds, or further seeds, are predictions of the same examples."""
    true = np.arange(200) % 2
    half = np.where(np.arange(200) < 100, true, 1 - true)
    once = two_runs(true, half, half)
    again = two_runs(np.tile(true, repeats), *(np.tile(half, repeats),) * 2, groups=np.tile(np.arange(200), repeats))
    again = replace(again, ids=np.tile(once.ids, repeats))
    nothing = Difference(0.0, 0.0, None, None)
    errors = [
        error_for_equality(nothing, Disagreement.between(runs, runs.runs[0], runs.runs[1], 1.3))
        for runs in (once, again)
    ]
    assert errors[0] == pytest.approx(errors[1])
    assert again.n_scored == once.n_scored == 200


def test_stored_models_that_seldom_disagree_need_the_groups_that_exclude_unseen_disagreements() -> None:
    """With the planned number, models without a difference are called equal four times in five."""
    planned = plan_labels(LabelPlan(task="denial"), disagreeing(np.array([1, -1]), 400)).equal
    rng, n = np.random.default_rng(0), present(planned)
    equal = 0
    for _ in range(100):
        drawn = rng.choice([1, -1, 0], n, p=[0.0025, 0.0025, 0.995])
        (pair,) = judged_pairs(disagreeing(drawn[drawn != 0], n), 0.01, None)
        equal += pair.verdict == "practically equal"
    assert 70 <= equal <= 90


@pytest.mark.parametrize("name", ["macro_f1", "f1_b", "balanced_accuracy", "mcc"])
@pytest.mark.parametrize("swapped", [0, 20])
def test_models_that_never_find_a_rare_label_are_not_called_equal(name: str, swapped: int) -> None:
    """One may find a fifth of it in other data, however much is seen of the other label."""
    true = (np.arange(1_000) >= 992).astype(int)
    one, other = np.zeros(1_000, dtype=int), np.zeros(1_000, dtype=int)
    one[:swapped], other[swapped : 2 * swapped] = 1, 1
    runs = replace(two_runs(true, one, other), metric=find_metric(name, ["a", "b"]))
    for run in runs.runs:
        vars(run).update(score=runs.metric.score(run.outcomes), summary=replace(run.summary, folds=()))
    (found,) = judged_pairs(runs, 0.02, None)
    assert found.verdict == "undecided"


def test_examples_that_are_tested_unequally_often_count_once() -> None:
    """Of ten examples of a label, those of one group are in four published folds, the others in one."""
    true, groups = np.repeat([0, 1], [50, 10]), np.repeat(np.arange(12), 5)
    rows = np.concatenate([np.arange(60), np.tile(np.arange(50, 55), 3)])
    runs = two_runs(true[rows], true[rows], true[rows], groups[rows])
    runs = replace(runs, ids=np.array([f"e{row}" for row in rows], dtype=object))
    assert (runs.n_scored, np.bincount(runs.true[runs.once]).tolist()) == (60, [50, 10])
    assert not [told for told in limitations(runs) if told.startswith("label")]


@pytest.mark.parametrize(("wrong", "told"), [(9, True), (10, False)])
def test_a_model_whose_costly_errors_are_hardly_seen_is_named(wrong: int, told: bool) -> None:
    true = np.arange(400) % 2
    one = np.where(np.arange(400) < wrong, 1 - true, true)
    other = np.where(np.arange(400) < 40, 1 - true, true)
    runs = two_runs(true, one, other)
    said = f"one is wrong in {wrong} of 400 groups"
    assert not any(said in each for each in limitations(runs))
    by_loss = replace(runs, metric=find_metric("log_loss"))
    assert any(said in each for each in limitations(by_loss)) == told


SIZES = SplitSizes(train=700, dev=100, test=300)


def disagreeing(gains: np.ndarray, n: int) -> ComparedRuns:
    """Two runs over n examples that disagree on the first: the one is right where it gains."""
    true = np.arange(n) % 2
    half = np.where(np.arange(n) % 10 < 7, true, 1 - true)
    one, other = half.copy(), half.copy()
    right, wrong = true[: len(gains)], 1 - true[: len(gains)]
    one[: len(gains)] = np.where(gains > 0, right, wrong)
    other[: len(gains)] = np.where(gains > 0, wrong, right)
    return two_runs(true, one, other)


def two_runs(true: np.ndarray, one: np.ndarray, other: np.ndarray, groups: np.ndarray | None = None) -> ComparedRuns:
    """Two runs, every example a group of its own unless it is told, in five folds, compared by accuracy."""
    n = len(true)
    groups = np.arange(n) if groups is None else groups
    runs = []
    for name, predicted in (("one", one), ("other", other)):
        folds = [{"accuracy": float((predicted == true)[fold::5].mean())} for fold in range(5)]
        summary = a_summary({"accuracy": float((predicted == true).mean())}, folds)
        runs.append(
            ComparedRun(
                name,
                RunFolder(Path(name)),
                a_record(name=name),
                summary,
                Outcomes(true, predicted, 2, groups, np.arange(n) % 5),
                summary.scores["accuracy"],
            )
        )
    runs.sort(key=lambda run: -run.summary.scores["accuracy"])
    names = [f"g{number}" for number in range(groups.max() + 1)]
    task = a_record({"labels": ["a", "b"], "n_examples": n, "digest": "0"}).task
    compared = ComparedRuns(task, ACCURACY, runs, np.arange(n).astype(object), names, [])
    vars(compared)["bootstrap"] = GroupBootstrap(len(names), 0, draws=100)
    return compared
