"""Intervals are over groups: they cover as often as they say, stay in a metric's range, or are not given."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scores import (
    LABEL_METRICS,
    PROBABILITY_METRICS,
    confusion_by_group,
    label_intervals,
    label_scores,
    probability_intervals,
)
from scores import probability_scores as scores_of
from sklearn.metrics import average_precision_score, matthews_corrcoef, roc_auc_score
from statsmodels.stats.proportion import proportion_confint
from thoroughness import scaled

from bench.metrics.auroc import MACRO_AUROC
from bench.metrics.average_precision import AVERAGE_PRECISION
from bench.metrics.confusion import per_class
from bench.metrics.ranking import ranked
from bench.statistics.draws import drawn_weights
from bench.statistics.interval import FEWEST, Interval

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from interval_coverage import Setting, coverage

LEAST = {"mcc": -1.0}
GREATEST = {"brier": 2.0, "log_loss": np.inf}

BY_LABEL = tuple(name for name in PROBABILITY_METRICS if name != "expected_calibration_error")
"""Those of probabilities that need each label; a calibration error does not, and has more bins with more examples."""


def ends(interval: Interval | None) -> list[float]:
    assert interval is not None
    return [interval.low, interval.high]


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


def single_rows(confusion: list[list[int]]) -> np.ndarray:
    """A confusion matrix taken apart: every example is a group of its own."""
    matrix = np.array(confusion)
    units = np.eye(matrix.size, dtype=int).reshape(-1, *matrix.shape)
    return np.repeat(units, matrix.ravel(), axis=0)


def test_where_every_example_is_its_own_group_shares_have_wilsons_interval() -> None:
    found = label_intervals(single_rows([[70, 5, 5], [10, 30, 2], [0, 3, 25]]))
    assert ends(found.given["accuracy"]) == pytest.approx(proportion_confint(125, 150, method="wilson"))
    assert ends(found.by_label["recall"][1]) == pytest.approx(proportion_confint(30, 42, method="wilson"))
    assert ends(found.by_label["precision"][2]) == pytest.approx(proportion_confint(25, 32, method="wilson"))
    # Of the 35 examples that have the last label or are given it, 25 have both; F1 is an increasing function of that.
    overlap = np.array(proportion_confint(25, 35, method="wilson"))
    assert ends(found.by_label["f1"][2]) == pytest.approx(2 * overlap / (1 + overlap))


def test_a_rare_label_makes_the_interval_of_macro_f1_wide() -> None:
    """With 20 of 1,000 examples the percentile bootstrap has [0.770, 0.938]; a binomial one would have half of that."""
    groups = single_rows([[976, 4], [6, 14]])
    draws = np.random.default_rng(0).multinomial(1000, [0.976, 0.004, 0.006, 0.014], size=20_000).reshape(-1, 2, 2)
    percentiles = np.quantile(label_scores(draws)["macro_f1"], [0.025, 0.975])
    assert percentiles == pytest.approx([0.770, 0.938], abs=0.004)
    assert ends(label_intervals(groups).given["macro_f1"]) == pytest.approx(percentiles, abs=0.015)


def test_the_matthews_correlation_has_the_jackknifes_error_on_fishers_scale() -> None:
    true, predicted, groups, _ = drawn_predictions(12, 9)
    found = label_intervals(confusion_by_group(true, predicted, groups, 3)).given["mcc"]
    names = np.unique(groups)
    left_out = np.array([matthews_corrcoef(true[groups != name], predicted[groups != name]) for name in names])
    deviations = left_out - left_out.mean()
    error = np.sqrt(11 / 12 * (deviations**2).sum())
    # Satterthwaite's degrees of freedom, no more than the groups of the label in the fewest, less one.
    fourth = (deviations**4).sum() - (deviations**2).sum() ** 2 / 12
    counts = np.array([[(true[groups == name] == k).sum() for k in range(3)] for name in names])
    given_to = np.array([[(predicted[groups == name] == k).sum() for k in range(3)] for name in names])
    kish = min((each.sum(axis=0) ** 2 / (each**2).sum(axis=0)).min() for each in (counts, given_to))
    freedom = min(2 * (deviations**2).sum() ** 2 / fourth, kish - 1)
    observed = matthews_corrcoef(true, predicted)
    reach = stats.t.ppf(0.975, freedom) * error / (1 - observed**2)
    assert ends(found) == pytest.approx([np.tanh(np.arctanh(observed) + sign * reach) for sign in (-1, 1)])


def test_log_loss_over_groups_of_one_size_has_students_interval_on_the_logarithmic_scale_longer_above() -> None:
    rng = np.random.default_rng(0)
    n_groups, size = 40, 6
    true = np.tile([0, 1], n_groups * size // 2)
    of_true = rng.uniform(0.3, 0.9, n_groups * size)
    probabilities = np.where(true[:, None] == [0, 1], of_true[:, None], 1 - of_true[:, None])
    groups = np.repeat(np.arange(n_groups), size)
    found = probability_intervals(probabilities, true, groups).given["log_loss"]
    means = -np.log(of_true).reshape(n_groups, size).mean(axis=1)
    relative = stats.sem(means) / means.mean()
    quantile = stats.t.ppf(0.975, means.sum() ** 2 / (means**2).sum() - 1)
    assert found.low == pytest.approx(means.mean() * np.exp(-quantile * relative), rel=1e-6)
    # To a skewness of one and a half relative errors the logarithm bends itself; losses have two and a half at least.
    assert stats.skew(means, bias=False) / np.sqrt(n_groups) < 2.5 * relative
    longer = quantile + relative * quantile**2 / 3
    assert found.high == pytest.approx(means.mean() * np.exp(longer * relative), rel=1e-6)


@settings(max_examples=60)
@given(
    st.tuples(st.integers(2, 8), st.integers(2, 4)).flatmap(
        lambda size: hnp.arrays(np.int64, (size[0], size[1], size[1]), elements=st.sampled_from([0, 0, 1, 2, 30]))
    )
)
def test_every_interval_holds_its_score_and_stays_in_range_or_says_which_label_is_too_thin(
    confusions: np.ndarray,
) -> None:
    observed, classes = label_scores(confusions.sum(axis=0)), per_class(confusions.sum(axis=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = label_intervals(confusions)
    assert set(found.given) ^ set(found.withheld) == set(LABEL_METRICS)
    for name, interval in found.given.items():
        assert LEAST.get(name, 0.0) <= interval.low <= float(observed[name]) + 1e-12
        assert float(observed[name]) - 1e-12 <= interval.high <= 1.0
    for name, intervals in found.by_label.items():
        for value, each in zip(classes[name].tolist(), intervals, strict=True):
            assert each is None or 0.0 <= each.low <= value + 1e-12 <= each.high + 2e-12 <= 1.0 + 3e-12
    for thin in found.withheld.values():
        assert thin.groups < FEWEST


@pytest.mark.parametrize("seed", range(3))
def test_intervals_of_probabilities_hold_their_scores_and_stay_in_range(seed: int) -> None:
    true, _, groups, probabilities = drawn_predictions(6, 6, seed, right=0.95)
    found = probability_intervals(probabilities, true, groups).given
    assert set(found) == set(PROBABILITY_METRICS)
    observed = scores_of(probabilities, true)
    for name, interval in found.items():
        assert 0.0 <= interval.low <= observed[name] <= interval.high <= GREATEST.get(name, 1.0)
        assert interval.low < interval.high


def test_right_and_wrong_are_mirror_images() -> None:
    """Where every hit becomes a miss, the accuracy's interval is reflected at one half."""
    confusions = np.random.default_rng(0).integers(1, 9, size=(7, 2, 2))
    right = label_intervals(confusions).given["accuracy"]
    wrong = label_intervals(confusions[:, :, ::-1]).given["accuracy"]
    assert ends(wrong) == pytest.approx([1 - right.high, 1 - right.low], abs=1e-12)


def test_renaming_labels_and_groups_changes_nothing() -> None:
    confusions = np.random.default_rng(1).integers(0, 9, size=(6, 3, 3))
    order = np.array([2, 0, 1])
    here = label_intervals(confusions).given
    there = label_intervals(confusions[::-1, order][:, :, order]).given
    assert set(here) == set(LABEL_METRICS)
    for name in LABEL_METRICS:
        assert ends(here[name]) == pytest.approx(ends(there[name]), abs=1e-9)


def test_the_same_examples_in_fewer_groups_give_a_wider_interval() -> None:
    true, predicted, _, probabilities = drawn_predictions(60, 4)
    widths, widths_of_log_loss = [], []
    for n_groups in (60, 12, 4):
        groups = np.repeat(np.arange(n_groups), len(true) // n_groups)
        found = label_intervals(confusion_by_group(true, predicted, groups, 3)).given["macro_f1"]
        of_log_loss = probability_intervals(probabilities, true, groups).given["log_loss"]
        widths.append(found.high - found.low)
        widths_of_log_loss.append(of_log_loss.high - of_log_loss.low)
    assert widths == sorted(widths)
    assert widths_of_log_loss == sorted(widths_of_log_loss)


def test_copies_of_examples_inside_their_groups_do_not_narrow_the_interval() -> None:
    true, predicted, groups, probabilities = drawn_predictions(9, 5)
    confusions = confusion_by_group(true, predicted, groups, 3)
    once, often = (label_intervals(confusions * times).given for times in (1, 10))
    for name in LABEL_METRICS:
        assert ends(once[name]) == pytest.approx(ends(often[name]), abs=1e-9)
    plain = probability_intervals(probabilities, true, groups).given
    copied = probability_intervals(*(np.concatenate([each, each]) for each in (probabilities, true, groups))).given
    for name in BY_LABEL:
        assert ends(copied[name]) == pytest.approx(ends(plain[name]), abs=1e-9)


def test_one_group_gives_no_interval() -> None:
    true, predicted, groups, probabilities = drawn_predictions(1, 20)
    assert not label_intervals(confusion_by_group(true, predicted, groups, 3)).given
    assert not probability_intervals(probabilities, true, groups).given


def test_a_label_in_two_groups_of_many_leaves_the_scores_that_need_it_without_interval() -> None:
    confusions = np.tile(np.diag([20, 10, 0]), (30, 1, 1))
    confusions[:2, 2, 2] = 5
    found = label_intervals(confusions)
    assert set(found.given) == {"accuracy"}
    assert {(thin.label, thin.groups) for thin in found.withheld.values()} == {(2, 2.0)}
    assert found.by_label["f1"][0] is not None
    assert found.by_label["f1"][2] is None
    true = np.tile([0, 0, 1], 30)
    true[:2] = 2
    thin = probability_intervals(np.full((90, 3), 1 / 3), true, np.arange(90))
    assert {name: each.label for name, each in thin.withheld.items()} == dict.fromkeys(BY_LABEL, 2)


def test_a_metric_of_two_labels_does_not_need_the_others() -> None:
    confusions = np.tile(np.diag([20, 10, 0]), (30, 1, 1)) + 1
    confusions[:, 2], confusions[:, :, 2] = 0, 0
    found = label_intervals(confusions, metric="f_avg")
    assert "f_avg" in found.given
    assert "macro_f1" in found.withheld


def test_a_few_huge_groups_count_as_few() -> None:
    sizes = np.array([500, 400, *[5] * 30])
    confusions = sizes[:, None, None] * np.array([[2, 1], [1, 2]])
    found = label_intervals(confusions)
    assert not found.given
    assert found.withheld["accuracy"].groups == pytest.approx(sizes.sum() ** 2 / (sizes**2).sum())


@pytest.mark.parametrize("n_groups", [3, 5, 40])
def test_a_perfect_score_is_as_certain_as_so_many_successes_in_a_row(n_groups: int) -> None:
    found = label_intervals(np.tile(np.eye(2, dtype=int) * 7, (n_groups, 1, 1)))
    low, high = proportion_confint(n_groups, n_groups, method="wilson")
    assert ends(found.given["accuracy"]) == pytest.approx([low, high], abs=1e-12)
    assert ends(found.by_label["f1"][0]) == pytest.approx([2 * low / (1 + low), 1.0], abs=1e-12)
    assert ends(found.given["mcc"]) == pytest.approx([2 * low - 1, 1.0], abs=1e-12)
    assert found.given["macro_f1"].low < 1.0 == found.given["macro_f1"].high


def test_a_sample_drawn_by_strata_varies_within_them_only() -> None:
    """That one stratum is easier than the other is known, and no chance of the drawing."""
    rng = np.random.default_rng(0)
    right = np.concatenate([rng.binomial(10, 0.95, 30), rng.binomial(10, 0.4, 30)])
    confusions = np.array([[[hits, 10 - hits], [10 - hits, hits]] for hits in right]).astype(float)
    strata = np.repeat([0, 1], 30)
    plain, stratified = (label_intervals(confusions, strata=of).given["accuracy"] for of in (None, strata))
    assert stratified.high - stratified.low < 0.5 * (plain.high - plain.low)
    error = np.sqrt(sum(np.var(right[strata == s] / 10, ddof=1) / 30 for s in (0, 1))) / 2
    assert stratified.high - stratified.low == pytest.approx(2 * 2.0 * error, rel=0.1)


def test_a_stratum_of_a_single_group_makes_the_interval_wide_rather_than_sure_of_it() -> None:
    """That group's share of the weight is large, and nothing says what another one would be like."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        rates = rng.beta(8, 2, size=13)
        right = rng.binomial(15, rates)
        weights = np.array([*[1.0] * 12, 5.0])
        confusions = weights[:, None, None] * np.array([[[hits, 15 - hits], [0, 0]] for hits in right])
        found = label_intervals(confusions, strata=np.array([*[0] * 12, 1])).given["accuracy"]
        covered += found.low <= 0.8 <= found.high
    assert covered / 200 >= 0.93


GROUPS_OF_TWO_SIZES = np.array([1, 2, 1, 2, 1, 2])[:, None, None]


@pytest.mark.parametrize("share", [[[4, 2], [3, 5]], [[8, 0], [0, 5]], [[0, 3], [4, 0]]])
def test_groups_that_are_all_alike_are_no_certainty(share: list[list[int]]) -> None:
    alike = label_intervals(GROUPS_OF_TWO_SIZES * np.array(share) * 1.1).given
    for name, interval in alike.items():
        assert interval.high - interval.low > 0.1, name


def test_predictions_that_are_all_sure_and_right_are_no_certainty() -> None:
    true = np.arange(20) % 2
    found = probability_intervals(np.eye(2)[true], true, np.arange(20)).given
    assert found["brier"].low == 0.0 == found["log_loss"].low
    assert found["brier"].high == pytest.approx(2 * proportion_confint(0, 20, method="wilson")[1])
    assert 0.1 < found["log_loss"].high <= -np.log(np.finfo(np.float64).eps)
    one_wrong = np.eye(2)[np.where(np.arange(20) == 0, 1 - true, true)]
    assert probability_intervals(one_wrong, true, np.arange(20)).given["log_loss"].high <= 36.05


@pytest.mark.slow
def test_an_interval_over_many_groups_is_the_normal_one() -> None:
    true, predicted, groups, _ = drawn_predictions(40_000, 1)
    confusions = np.repeat(confusion_by_group(true, predicted, groups, 3), 5, axis=0)
    found = label_intervals(confusions).given["accuracy"]
    share = (true == predicted).mean()
    error = np.sqrt(share * (1 - share) / 200_000)
    assert ends(found) == pytest.approx([share - 1.96 * error, share + 1.96 * error], abs=error / 100)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.4, 0.8]), st.booleans(), st.integers(0, 2)), min_size=1))
def test_average_precision_is_scikit_learns_within_each_part_weighed_by_its_positives(
    rows: list[tuple[float, bool, int]],
) -> None:
    score, positive, parts = (np.array(column) for column in zip(*rows, strict=True))
    if not positive.any():
        return
    held = [parts == part for part in np.unique(parts) if positive[parts == part].any()]
    weights = [positive[rows].sum() for rows in held]
    each = [average_precision_score(positive[rows], score[rows]) for rows in held]
    ranking = ranked(score, positive, parts)
    assert AVERAGE_PRECISION.of_ranking(ranking) == pytest.approx(np.average(each, weights=weights))
    # The influence is the derivative by an example's weight.
    step = 1e-6

    def reweighted(change: np.ndarray) -> float:
        weight = 1.0 + change
        total = 0.0
        for rows in held:
            ap = average_precision_score(positive[rows], score[rows], sample_weight=weight[rows])
            total += ap * (weight[rows] * positive[rows]).sum()
        return float(total / (weight * positive).sum())

    numeric = [(reweighted(step * unit) - reweighted(-step * unit)) / (2 * step) for unit in np.eye(len(score))]
    assert AVERAGE_PRECISION.influence(ranking) == pytest.approx(numeric, abs=1e-6)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.4, 0.8]), st.booleans(), st.integers(0, 2)), min_size=1))
def test_the_area_under_the_curve_is_scikit_learns_within_each_part_weighed_by_its_pairs(
    rows: list[tuple[float, bool, int]],
) -> None:
    score, positive, parts = (np.array(column) for column in zip(*rows, strict=True))
    held = [parts == part for part in np.unique(parts) if len(set(positive[parts == part].tolist())) == 2]
    ranking = ranked(score, positive, parts)
    if not held:
        assert MACRO_AUROC.of_ranking(ranking) == 0.5 or not positive.any()
        return
    step = 1e-6

    def reweighted(change: np.ndarray) -> float:
        weight = 1.0 + change
        pairs = [(weight[rows] * positive[rows]).sum() * (weight[rows] * ~positive[rows]).sum() for rows in held]
        each = [roc_auc_score(positive[rows], score[rows], sample_weight=weight[rows]) for rows in held]
        return float(np.average(each, weights=pairs))

    assert MACRO_AUROC.of_ranking(ranking) == pytest.approx(reweighted(np.zeros(len(score))))
    numeric = [(reweighted(step * unit) - reweighted(-step * unit)) / (2 * step) for unit in np.eye(len(score))]
    assert MACRO_AUROC.influence(ranking) == pytest.approx(numeric, abs=1e-6)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), min_size=1, max_size=5), st.data())
def test_a_constant_scores_chance_whatever_the_parts_taught_it(
    held: list[tuple[bool, int]], data: st.DataObject
) -> None:
    """In each part a constant cannot rank: its average precision there is the label's rate."""
    true, parts, score = [], [], []
    for part, (_, size) in enumerate(held):
        true += data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
        parts += [part] * size
        score += [data.draw(st.floats(0.1, 0.9))] * size
    positive, part_of = np.array(true) == 1, np.array(parts)
    if not positive.any():
        return
    rates = [positive[part_of == part].mean() for part in part_of]
    expected = np.mean(np.array(rates)[positive])
    ranking = ranked(np.array(score), positive, part_of)
    assert AVERAGE_PRECISION.of_ranking(ranking) == pytest.approx(expected)
    assert expected >= positive.mean() - 1e-12


def test_losses_that_two_groups_have_nearly_alone_are_hardly_known() -> None:
    """With 2 great losses among 40 the next sample may have none or many."""
    true = np.tile([0, 1], 20)
    rare, even = (
        probability_intervals(np.where(true[:, None] == [0, 1], right[:, None], 1 - right[:, None]), true, rows)
        for right, rows in (
            (np.where(np.arange(40) < 2, 0.01, 0.999), np.arange(40)),
            (np.where(np.arange(40) % 2 == 0, 0.7, 0.8), np.arange(40)),
        )
    )
    for metric in ("log_loss", "brier"):
        wide, narrow = rare.given[metric], even.given[metric]
        assert wide.high / wide.low > 20 * narrow.high / narrow.low


def test_of_twenty_labels_that_are_nearly_all_right_the_mean_recall_is_no_surer_than_the_share_that_is_right() -> None:
    """Ten of 1,000 examples are wrong; Wilson's interval of their share is the least that can be said."""
    confusion = np.diag([50] * 20)
    for label in range(10):
        confusion[label, label], confusion[label, label + 1] = 49, 1
    found = label_intervals(single_rows(confusion.tolist())).given
    low, high = proportion_confint(990, 1000, method="wilson")
    assert found["balanced_accuracy"].low <= low + 1e-3
    assert found["balanced_accuracy"].high >= high - 1e-3


def test_parts_of_the_draws_are_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    def weights() -> list[np.ndarray]:
        return list(drawn_weights(np.full(7, 1.0 / 7), 7, 50, 3))

    whole = np.concatenate(weights())
    monkeypatch.setattr("bench.statistics.draws.PART", 7 * 12)
    assert [len(part) for part in weights()] == [12, 12, 12, 12, 2]
    np.testing.assert_array_equal(np.concatenate(weights()), whole)
    assert set(whole.sum(axis=1).tolist()) == {7.0}


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        Setting(200, 1, "equal", "none", "98/2"),
        Setting(3, 100, "equal", "moderate", "90/10"),
        Setting(8, 20, "power law", "none", "90/10"),
        Setting(20, 20, "power law", "strong", "50/50"),
        Setting(50, 20, "equal", "moderate", "98/2", repeats=3),
        *scaled(
            [],
            [
                Setting(1000, 1, "equal", "none", "98/2"),
                Setting(1000, 1, "equal", "none", "nine"),
                Setting(5, 100, "equal", "moderate", "50/50"),
                Setting(20, 20, "equal", "moderate", "98/2"),
                Setting(50, 20, "equal", "strong", "nine"),
                Setting(200, 20, "power law", "moderate", "98/2"),
            ],
        ),
    ],
    ids=str,
)
def test_intervals_hold_the_truth_about_as_often_as_they_say(setting: Setting) -> None:
    """The whole grid is in ``docs/method/coverage.csv``; here 300 data sets of a few of its rows."""
    for name, found in coverage(setting, repeats=300).items():
        if found.given >= 60:
            chance = 2.6 * np.sqrt(0.95 * 0.05 / found.given)
            assert found.share >= 0.93 - chance, f"{name}: {found.held} of {found.given}"
