"""Shares in an archive: the formulas, and that their intervals cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_archive import LabelledArchive

from bench.statistics.powered import (
    Method,
    _nearest,
    adjusted_count,
    combined,
    difference,
    further_labels,
    labels_alone,
    powered,
    without_labelled,
)
from bench.statistics.sampled import Archive, LabelledSample, Share

ONE_HOT = np.eye(2)


def sample_of(codes, predicted, weights=None, groups=None, strata=None) -> LabelledSample:
    n = len(codes)
    second = np.asarray(predicted, dtype=float)
    return LabelledSample(
        ONE_HOT[np.asarray(codes)],
        np.stack([1 - second, second], axis=1),
        np.ones(n) if weights is None else np.asarray(weights, dtype=float),
        np.arange(n) if groups is None else np.asarray(groups),
        strata,
    )


def archive_of(predicted, known=(0, 0)) -> Archive:
    second = np.asarray(predicted, dtype=float)
    shares = np.array([1 - second.mean(), second.mean()])
    return Archive(len(second), shares, shares, np.asarray(known, dtype=float), np.zeros(len(shares)))


examples = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1), st.integers(1, 9)), min_size=4, max_size=30)


@given(examples, st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_the_share_is_the_mean_prediction_plus_the_weighted_mean_error(rows, others, power) -> None:
    codes, predicted, weights = (np.array(column) for column in zip(*rows, strict=True))
    found = powered(sample_of(codes, predicted, weights), archive_of(others), np.full(2, power)).values[1]
    errors = [weight * (code - power * each) for code, each, weight in rows]
    mean = power * np.mean(others) + sum(errors) / weights.sum()
    assert found == pytest.approx(np.clip(mean, 0.0, 1.0), abs=1e-9)


@given(examples)
def test_the_labels_alone_give_their_weighted_share_with_known_texts_counted(rows) -> None:
    codes, predicted, weights = (np.array(column) for column in zip(*rows, strict=True))
    found = labels_alone(sample_of(codes, predicted, weights), archive_of([0.5] * 10, known=(2, 3))).values[1]
    assert found == pytest.approx((3 + 10 * (weights @ codes) / weights.sum()) / 15)


@given(examples)
def test_the_power_makes_the_variance_the_least(rows) -> None:
    codes, predicted, weights = (np.array(column) for column in zip(*rows, strict=True))
    sample = sample_of(codes, predicted, weights)

    def variance(power: float) -> float:
        return float((sample.influence(sample.given - power * sample.predicted) ** 2).sum(axis=0)[1])

    assert all(variance(float(sample.power[1])) <= variance(each) + 1e-9 for each in np.linspace(0, 1, 11))


def test_a_part_of_few_groups_relies_less_on_predictions_that_may_be_wrong_about_whole_groups() -> None:
    groups = np.arange(200) // 4
    codes = groups % 2
    predicted = np.where(np.arange(200) % 17, 0.2 + 0.6 * codes, 0.8 - 0.6 * codes)
    grouped, single = sample_of(codes, predicted, groups=groups), sample_of(codes, predicted)
    few, many = (grouped.power_for(grouped.part((groups < n).astype(float)))[1] for n in (6, 40))
    assert few < 0.9 * many <= many <= grouped.power[1]
    assert single.power_for(single.part((groups < 6).astype(float))).tolist() == pytest.approx(single.power.tolist())


def test_predictions_that_say_nothing_are_not_relied_on() -> None:
    sample = sample_of([0, 1] * 10, [0.3] * 20)
    assert sample.power.tolist() == [0, 0]
    assert powered(sample, archive_of([0.9] * 50)).values == pytest.approx([0.5, 0.5])


def test_a_share_of_which_all_is_labelled_has_no_error() -> None:
    sample = sample_of([0, 0, 1, 1, 1, 1], [0.5] * 6, weights=np.zeros(6))
    found = powered(sample, Archive(0, np.zeros(2), np.zeros(2), np.array([2.0, 4.0]), np.zeros(2))).shares()[1]
    assert found.value == pytest.approx(4 / 6)
    assert found.width == pytest.approx(0)


def test_a_model_that_is_right_about_every_labelled_example_still_leaves_doubt() -> None:
    codes = np.array([0, 1] * 50)
    found = powered(sample_of(codes, codes), archive_of([0.0, 1.0] * 5000)).shares()[1]
    alone = labels_alone(sample_of(codes, codes), archive_of([0.0, 1.0] * 5000)).shares()[1]
    assert 0.02 < found.width < alone.width / 2


def test_too_few_groups_have_no_interval() -> None:
    sample = sample_of([0, 1, 0, 1], [0.2, 0.8, 0.3, 0.6], groups=[0, 0, 1, 1])
    assert [each.interval for each in powered(sample, archive_of([0.5] * 9)).shares()] == [None, None]


def test_one_example_for_each_fifty_texts_drawn_stands_for_fewer_once_it_is_known() -> None:
    once = np.array([1, 1, 1])
    assert without_labelled(np.array([50.0, 50.0, 1.0]), np.array([1, 0, 1]), once).tolist() == pytest.approx(
        [49, 50, 0]
    )


def test_the_adjusted_count_undoes_known_error_rates() -> None:
    # 80 % of ones and 10 % of zeros are called one: an archive of which 38 % are called one has 40 % ones.
    codes = np.repeat([1, 0], [100, 100])
    called = np.concatenate([np.repeat([1, 0], [80, 20]), np.repeat([1, 0], [10, 90])])
    archive = archive_of(np.repeat([1.0, 0.0], [38, 62]))
    found = adjusted_count(sample_of(codes, called), archive, ONE_HOT[called])
    assert found is not None
    assert found.values[1] == pytest.approx(0.4)
    assert adjusted_count(sample_of(codes, called), archive, ONE_HOT[np.zeros(200, dtype=int)]) is None


def test_a_label_that_is_not_found_has_no_adjusted_count_and_the_others_have_theirs() -> None:
    """The model never says the third of three labels; a fourth has no example."""
    draw = np.random.default_rng(0)
    codes = draw.choice(3, 400, p=[0.6, 0.36, 0.04])
    called = np.where(codes == 2, 0, np.where(draw.random(400) < 0.1, 1 - codes, codes))
    given, chosen, parts = np.eye(4)[codes], np.eye(4)[called], np.eye(4)[called[:300]].mean(axis=0)
    archive = Archive(4000, parts, parts, np.zeros(4), np.zeros(4))
    sample = LabelledSample(given, chosen, np.full(400, 10.0), np.arange(400))
    found = adjusted_count(sample, archive, chosen)
    assert found is not None
    for method in (found, combined([found, found])):
        for code, share in enumerate(method.shares()):
            assert np.isfinite(share.value) == (share.interval is not None) == (code < 2)
        for code in (0, 1):
            hits, alarms = chosen[codes == code, code].mean(), chosen[codes != code, code].mean()
            assert method.values[code] == pytest.approx((parts[code] - alarms) / (hits - alarms))


def test_a_difference_of_parts_that_share_groups_counts_what_they_share() -> None:
    moved = np.array([[0.05, -0.05], [-0.03, 0.03], [0.04, -0.04], [-0.06, 0.06]])
    possible = np.array([[0.0, 0.0], [1.0, 1.0]])
    one = Method(np.array([0.5, 0.5]), moved, np.arange(4), np.zeros(2), 4.0, 0, possible)
    apart = difference(one, replace(one, groups=np.arange(4, 8)))[0]
    together = difference(one, one)[0]
    assert apart.value == together.value == 0
    assert together.width < 0.25 * apart.width


def test_labels_are_not_asked_for_where_the_interval_is_narrow_enough() -> None:
    share = powered(sample_of([0, 1] * 200, [0.5] * 400), archive_of([0.5] * 4000)).shares()[1]
    assert further_labels(share, 400, 10**9, 0.2) == 0
    assert further_labels(share, 400, 10**9, share.width / 4) == pytest.approx(1200, abs=1)


@pytest.mark.parametrize("unlabelled", [60, 230, 5000])
@pytest.mark.parametrize("narrower", [0.5, 0.9])
def test_as_many_further_labels_as_are_asked_for_make_the_interval_as_narrow(unlabelled: int, narrower: float) -> None:
    """Few or many of the texts are left to label, and many of the labelled ones may be from elsewhere."""

    def share_of(further: int) -> Share:
        n = 332 + further
        sample = sample_of((np.arange(n) % 5 == 0).astype(int).tolist(), [0.5] * n)
        left, known = unlabelled - further, (70 + further) * np.array([0.8, 0.2])
        return powered(sample, Archive(left, np.full(2, 0.5), np.full(2, 0.5), known, np.zeros(2))).shares()[1]

    half = share_of(0).width / 2
    further = further_labels(share_of(0), 332, unlabelled, narrower * half)
    assert further is not None
    assert 0 < further < unlabelled
    assert share_of(further).width / 2 == pytest.approx(narrower * half, rel=0.06)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["at random", "in groups", "by strata"])
@pytest.mark.parametrize("share", [0.1, 0.4])
def test_intervals_cover_the_share_of_the_archive(how, share) -> None:
    """Predictions have errors that differ by stratum, and groups have labels in common."""
    draw, inside, narrower = np.random.default_rng(7), [], []
    for _ in range(250):
        n, size = 3000, 4 if how == "in groups" else 1
        groups = np.arange(n) // size
        chance = np.clip(draw.beta(4 * share, 4 - 4 * share, n // size), 0, 1)[groups]
        codes = (draw.random(n) < (chance if size > 1 else share)).astype(int)
        strata = (draw.random(n) < np.where(codes == 1, 0.7, 0.2)).astype(int)
        predicted = np.clip(0.15 + 0.5 * codes + draw.normal(0, 0.2, n) + 0.1 * strata, 0, 1)
        weights = np.full(n, n / 200)
        if how == "in groups":
            rows = np.flatnonzero(np.isin(groups, draw.choice(n // size, 50, replace=False)))
        elif how == "at random":
            rows = draw.choice(n, 200, replace=False)
        else:
            parts = [np.flatnonzero(strata == each) for each in (0, 1)]
            rows = np.concatenate([draw.choice(part, 100, replace=False) for part in parts])
            weights = np.array([len(part) / 100 for part in parts])[strata]
        hidden = np.setdiff1d(np.arange(n), rows)
        sample = sample_of(
            codes[rows],
            predicted[rows],
            without_labelled(weights[rows], *np.ones((2, len(rows)), dtype=int)),
            np.unique(groups[rows], return_inverse=True)[1],
            strata[rows] if how == "by strata" else None,
        )
        archive = archive_of(predicted[hidden], known=np.bincount(codes[rows], minlength=2))
        found, alone = powered(sample, archive).shares()[1], labels_alone(sample, archive).shares()[1]
        assert found.interval is not None
        inside.append(found.interval.low <= codes.mean() <= found.interval.high)
        narrower.append(found.width / alone.width)
    assert 0.92 <= np.mean(inside) <= 0.995
    assert np.mean(narrower) < 0.95


def whole_groups(sizes: np.ndarray, n: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The rows of some groups that are drawn, and the number of each row's group among them."""
    chosen, ends = draw.choice(len(sizes), n, replace=False), np.cumsum(sizes)
    rows = np.concatenate([np.arange(ends[group] - sizes[group], ends[group]) for group in chosen])
    return rows, np.repeat(np.arange(n), sizes[chosen])


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [25, 80])
@pytest.mark.parametrize("wrong", [0.02, 0.05, 0.1])
def test_a_model_that_is_wrong_about_whole_groups_does_not_look_perfect_in_those_that_have_none(n_groups, wrong):
    draw, inside = np.random.default_rng([n_groups, int(100 * wrong)]), []
    sizes = draw.integers(1, 13, 5000)
    codes, flipped = (np.repeat(draw.random(5000) < rate, sizes) for rate in (0.1, wrong))
    predicted = (codes ^ flipped).astype(float)
    for _ in range(300):
        rows, groups = whole_groups(sizes, n_groups, draw)
        known = np.bincount(codes[rows], minlength=2)
        sample = sample_of(codes[rows].astype(int), predicted[rows], groups=groups)
        found = powered(sample, archive_of(np.delete(predicted, rows), known)).shares()[1]
        assert found.interval is not None
        inside.append(found.interval.low <= codes.mean() <= found.interval.high)
    assert np.mean(inside) >= 0.92


@pytest.mark.parametrize("n_groups", [30, 100])
def test_intervals_cover_where_a_few_large_groups_decide_and_whole_groups_have_one_label(n_groups: int) -> None:
    """The squares of 30 groups' influences alone cover 90 %, those of 100 groups 86 %: a rare label is in few groups,
    and the larger ones often happen to lack it."""
    draw, inside = np.random.default_rng(n_groups), []
    sizes = np.minimum(np.ceil(np.exp(draw.normal(0.7, 1.8, 5000))), 200).astype(int)
    codes = (draw.random(sizes.sum()) < np.repeat(draw.beta(0.03, 0.27, 5000), sizes)).astype(int)
    for _ in range(300):
        rows, groups = whole_groups(sizes, n_groups, draw)
        archive = Archive(10**9, np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2))
        found = labels_alone(sample_of(codes[rows], np.zeros(len(rows)), groups=groups), archive).shares()[1]
        if found.interval is not None:
            inside.append(found.interval.low <= codes.mean() <= found.interval.high)
    assert len(inside) > 250
    assert np.mean(inside) >= 0.92


def test_with_many_labels_no_interval_is_narrower_for_the_labels_that_are_raised() -> None:
    """Each label's squares are raised by a degree of its own; the shares sum to 1 all the same."""
    draw = np.random.default_rng(1)
    sizes = draw.integers(1, 30, 40)
    groups = np.repeat(np.arange(40), sizes)
    given = np.eye(4)[draw.choice(4, 40, p=[0.5, 0.3, 0.15, 0.05])[groups]]
    given[::3] = np.eye(4)[draw.choice(4, len(given[::3]))]
    sample = LabelledSample(given, np.zeros_like(given), np.ones(len(given)), groups)
    alone = labels_alone(sample, Archive(10**9, *np.zeros((4, 4))))
    assert alone.values.sum() == pytest.approx(1.0)
    assert ((alone.influence[:40] ** 2).sum(axis=0) >= (sample.centred(given) ** 2).sum(axis=0) - 1e-12).all()


@given(examples)
def test_influences_of_single_examples_are_not_raised(rows) -> None:
    codes, predicted, _ = (np.array(column) for column in zip(*rows, strict=True))
    sample = sample_of(codes, predicted)
    assert (sample.steadied(sample.given) == sample.centred(sample.given)).all()


def test_equal_groups_are_raised_hardly_and_a_large_one_without_errors_is() -> None:
    values = np.random.default_rng(0).normal(size=(40, 1)).repeat(5, axis=0)
    equal = sample_of([0, 1] * 100, [0.5] * 200, groups=np.arange(200) // 5)
    grown = (equal.steadied(values) ** 2).sum() / (equal.centred(values) ** 2).sum()
    assert grown == pytest.approx(1.0, abs=0.03)
    large = np.concatenate([values - values.mean(), np.zeros((200, 1))])
    unequal = sample_of([0, 1] * 200, [0.5] * 400, groups=np.append(np.arange(200) // 5, np.full(200, 40)))
    assert (unequal.steadied(large) ** 2).sum() > 5 * (unequal.centred(large) ** 2).sum()


def test_a_text_that_stands_there_often_stands_for_fewer_others() -> None:
    """Drawn at 1 row in 10, a text with 5 rows is known with 41 %: its rows stand for those of 1.4 more such texts."""
    weights = without_labelled(np.array([10.0, 10.0]), np.array([1, 5]), np.array([1, 1]))
    assert weights.tolist() == pytest.approx([9.0, 5 * (1 / (1 - 0.9**5) - 1)])
    twice = without_labelled(np.array([10.0, 10.0]), np.array([5, 5]), np.array([2, 2]))
    assert twice.sum() == pytest.approx(weights[1])
    by_text = without_labelled(np.array([10.0, 10.0]), np.array([1, 5]), np.array([1, 1]), by_text=True)
    assert by_text.tolist() == pytest.approx([9.0, 45.0])


def test_a_difference_of_two_parts_without_a_label_is_not_certain() -> None:
    sample, archive = sample_of([0] * 30, [0.1] * 30, np.full(30, 1000 / 30)), archive_of([0.1] * 1000)
    found = difference(powered(sample, archive), powered(replace(sample, numbers=np.arange(30, 60)), archive))[0]
    assert found.interval is not None
    assert found.interval.low < -0.08 < 0.08 < found.interval.high


def test_a_share_is_no_more_than_the_labels_that_are_known_leave_possible() -> None:
    codes = np.repeat([1, 0], [5, 45])
    archive = archive_of([0.5] * 10, known=(45, 5))
    found = labels_alone(sample_of(codes, np.full(50, 0.5), np.full(50, 0.2)), archive).shares()[1]
    assert found.interval is not None
    assert 5 / 60 <= found.interval.low <= found.value <= found.interval.high <= 15 / 60


def coverage(strata: list[tuple[int, float, int]], coded: bool, signal: float, repeats: int = 300) -> float:
    """How often the interval covers, for strata of so many texts, with such a share and sample."""
    draw, inside = np.random.default_rng(3), []
    for _ in range(repeats):
        codes = np.concatenate([draw.random(n) < share for n, share, _ in strata]).astype(int)
        stratum = np.repeat(np.arange(len(strata)), [n for n, _, _ in strata])
        predicted = np.clip(0.1 + signal * codes + draw.normal(0, 0.15, len(codes)), 0, 1)
        rows = np.concatenate(
            [draw.choice(np.flatnonzero(stratum == code), n, replace=False) for code, (_, _, n) in enumerate(strata)]
        )
        rates = np.array([total / n for total, _, n in strata])[stratum[rows]]
        hidden = np.setdiff1d(np.arange(len(codes)), rows)
        sample = sample_of(
            codes[rows],
            predicted[rows],
            without_labelled(rates, *np.ones((2, len(rows)), dtype=int)),
            strata=stratum[rows] if coded else None,
        )
        archive = archive_of(predicted[hidden], known=np.bincount(codes[rows], minlength=2))
        found = powered(sample, archive).shares()[1]
        assert found.interval is not None
        inside.append(found.interval.low <= codes.mean() <= found.interval.high)
    return float(np.mean(inside))


@pytest.mark.slow
@pytest.mark.parametrize("coded", [True, False])
@pytest.mark.parametrize("signal", [0.0, 0.4])
@pytest.mark.parametrize(
    "strata",
    [
        [(1000, 0.5, 150), (19000, 0.01, 150)],
        [(1000, 0.5, 200), (19000, 0.005, 50)],
        [(300, 0.5, 150), (5000, 0.02, 30)],
    ],
)
def test_a_large_stratum_of_which_few_are_drawn_is_not_taken_for_one_without_the_label(strata, coded, signal) -> None:
    assert coverage(strata, coded, signal) >= 0.92


@pytest.mark.slow
def test_two_draws_say_more_than_one_and_their_intervals_cover() -> None:
    """The second draw is from what the first left, more often where the first has found the label."""
    draw = np.random.default_rng(0)
    inside, widths = [], []
    for _ in range(400):
        easy = draw.random(3000) < 0.4
        codes = np.where(easy, draw.random(3000) < 0.5, draw.random(3000) < 0.1).astype(int)
        predicted = np.clip(np.where(easy, 0.4, 0.2) + draw.normal(0, 0.1, 3000), 0, 1)
        first = draw.permutation(3000)[:100]
        left = np.setdiff1d(np.arange(3000), first)
        often = easy if codes[first][easy[first]].mean() > 0.3 else ~easy
        second = np.concatenate([draw.permutation(left[often[left] == kind])[:50] for kind in (True, False)])
        sizes = np.array([(often[left] == kind).sum() for kind in (True, False)])
        rest = np.setdiff1d(left, second)
        methods = [
            powered(
                sample_of(codes[first], predicted[first], np.full(100, 29.0)),
                archive_of(predicted[left], np.bincount(codes[first], minlength=2)),
            ),
            powered(
                sample_of(
                    codes[second], predicted[second], np.repeat(sizes / 50 - 1, 50), strata=np.repeat([0, 1], 50)
                ),
                archive_of(predicted[rest], np.bincount(codes[np.append(first, second)], minlength=2)),
            ),
        ]
        methods[1] = replace(methods[1], groups=np.arange(100, 200))
        both = combined(methods)
        share = both.shares()[1]
        assert share.interval is not None
        inside.append(share.interval.low <= codes.mean() <= share.interval.high)
        widths.append([share.width, *(method.shares()[1].width for method in methods)])
    assert 0.92 <= np.mean(inside) <= 0.98
    assert np.mean(widths, axis=0)[0] < 0.8 * np.mean(widths, axis=0)[1:].min()


def test_groups_of_several_draws_do_not_count_twice() -> None:
    moved = np.array([[0.02, -0.02], [-0.02, 0.02], [0.01, -0.01]])
    possible = np.array([[0.0, 0.0], [1.0, 1.0]])
    one = Method(np.array([0.4, 0.6]), moved, np.array([0, 1]), np.zeros(2), 3.0, 1, possible)
    other = Method(np.array([0.6, 0.4]), moved, np.array([0, 7]), np.full(2, 0.01), 3.0, 1, possible)
    both = combined([one, other])
    assert both.values.tolist() == [0.5, 0.5]
    # The first group moves both draws alike, so it moves their mean as much; what is beyond groups is halved.
    assert both.influence[:, 0] == pytest.approx([0.02, -0.01, -0.01, 0.005, 0.005])
    assert (both.effective, both.noise.tolist()) == (3.0, [0.005, 0.005])


def test_shares_of_many_labels_add_up_and_their_intervals_cover() -> None:
    """The model knows one of four labels well, and nothing about the others."""
    draw = np.random.default_rng(1)
    inside = []
    for _ in range(300):
        codes = draw.choice(4, 3000, p=[0.5, 0.2, 0.2, 0.1])
        known = np.where(draw.random(3000) < 0.9, codes == 1, draw.random(3000) < 0.2)
        others = draw.dirichlet([5, 2, 1], 3000)
        first = np.where(known, 0.85, 0.04)
        predicted = np.insert(others * (1 - first)[:, None], 1, first, axis=1)
        chosen = draw.permutation(3000)[:150]
        left = np.setdiff1d(np.arange(3000), chosen)
        sample = LabelledSample(np.eye(4)[codes[chosen]], predicted[chosen], np.full(150, 19.0), np.arange(150))
        mean = predicted[left].mean(axis=0)
        archive = Archive(len(left), mean, mean, np.bincount(codes[chosen], minlength=4).astype(float), np.zeros(4))
        method = powered(sample, archive)
        assert method.values.sum() == pytest.approx(1.0)
        inside.append(
            [
                share.interval.low <= truth <= share.interval.high
                for share, truth in zip(method.shares(), np.bincount(codes, minlength=4) / 3000, strict=True)
                if share.interval is not None
            ]
        )
    assert ((np.mean(inside, axis=0) >= 0.92) & (np.mean(inside, axis=0) <= 0.985)).all()


def test_labels_that_no_example_has_do_not_move_the_others() -> None:
    """The twelve labels of ASND, a model that is wrong about one text of a hundred, and a hundred labelled texts."""
    shares = np.array([0.509, 0.137, 0.112, 0.052, 0.052, 0.027, 0.025, 0.024, 0.024, 0.018, 0.011, 0.009])
    covers, off = [], []
    for repeat in range(200):
        draw = np.random.default_rng(repeat)
        codes = draw.choice(len(shares), 6000, p=shares)
        wrong = draw.random(len(codes)) < 0.01
        given = np.eye(len(shares))
        predicted = given[np.where(wrong, draw.integers(0, len(shares), len(codes)), codes)]
        rest = predicted[100:].mean(axis=0)
        sample = LabelledSample(given[codes[:100]], predicted[:100], np.ones(100), np.arange(100))
        archive = Archive(5900, rest, rest, sample.given.sum(axis=0), np.zeros(len(shares)))
        found, true = powered(sample, archive).shares()[0], float(np.mean(codes == 0))
        covers.append(found.interval.low <= true <= found.interval.high)
        off.append(found.value - true)
    assert np.mean(covers) >= 0.95
    assert abs(np.mean(off)) < 0.002


@pytest.mark.parametrize("share", [0.0005, 0.005, 0.02])
def test_a_label_that_no_example_has_is_as_rare_as_the_labels_alone_say(share: float) -> None:
    """What the model says of it may be a little more or less than nothing; neither makes the label frequent."""
    draw = np.random.default_rng(0)
    for _ in range(20):
        codes = (draw.random(5000) < 0.3).astype(int)
        rare = np.clip(draw.normal(share, share / 2, 5000), 0, None)
        second = np.clip(0.2 + 0.6 * codes + draw.normal(0, 0.1, 5000), 0, 1) * (1 - rare)
        predicted = np.stack([1 - rare - second, second, rare], axis=1)
        sample = LabelledSample(np.eye(3)[codes[:200]], predicted[:200], np.full(200, 24.0), np.arange(200))
        mean = predicted[200:].mean(axis=0)
        archive = Archive(4800, mean, mean, np.bincount(codes[:200], minlength=3).astype(float), np.zeros(3))
        found, alone = powered(sample, archive).shares()[2], labels_alone(sample, archive).shares()[2]
        assert found.interval is not None
        assert alone.interval is not None
        assert found.interval.high < 1.3 * alone.interval.high < 0.03


@given(
    st.lists(st.floats(-0.2, 1.2), min_size=2, max_size=8),
    st.lists(st.integers(0, 9), min_size=8, max_size=8),
    st.integers(1, 50),
)
def test_shares_are_moved_as_little_as_makes_them_possible_and_add_up_to_one(shares, known, others) -> None:
    n = len(shares)
    least = np.array(known[:n])
    possible = np.stack([least, least + others]) / (least.sum() + others)
    found = _nearest(np.array(shares), possible)
    assert found.sum() == pytest.approx(1.0)
    assert ((found >= possible[0] - 1e-12) & (found <= possible[1] + 1e-12)).all()
    inside = (found > possible[0] + 1e-9) & (found < possible[1] - 1e-9)
    assert np.ptp((found - shares)[inside]) < 1e-9 if inside.sum() > 1 else True


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 5])
def test_intervals_cover_where_each_text_stands_in_several_rows_and_half_are_labelled(copies: int) -> None:
    draw, inside = np.random.default_rng(1), []
    for _ in range(400):
        codes = (draw.random(400) < 0.4).astype(int)
        rows = draw.choice(400, 200, replace=False)
        counts = np.full(200, copies)
        archive = LabelledArchive(
            codes[rows], np.full(200, 0.5), np.zeros(200, dtype=int), {"": counts}, {"": 200 * copies}
        )
        found = next(each.labels_alone for each in archive.estimate()[0].shares if each.label == "yes")
        assert found.interval is not None
        inside.append(found.interval.low <= codes.mean() <= found.interval.high)
    assert 0.92 <= np.mean(inside) <= 0.98
