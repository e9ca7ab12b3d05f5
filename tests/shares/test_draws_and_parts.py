"""Shares where texts stand in several parts, and where labels came in several draws or none."""

from __future__ import annotations

import numpy as np
import pytest
from labelled_archive import LabelledArchive

from bench.data.drawn import NO_DRAW
from bench.results.shares import LabelShare, PartShares
from bench.statistics.interval import Interval


def of_yes(shares: PartShares) -> LabelShare:
    return next(each for each in shares.shares if each.label == "yes")


def test_a_text_that_stands_in_two_parts_counts_in_both() -> None:
    """Wire stories, all "yes", are half of each of two outlets; their own stories are all "no"."""
    each, rate = 40, 0.05
    n = 3 * each
    one, two = np.repeat([[1, 1, 0], [1, 0, 1]], each, axis=1)
    archive = LabelledArchive(
        codes=np.repeat([1, 0, 0], each),
        rates=np.full(n, rate),
        draws=np.zeros(n, dtype=int),
        rows={"A": one, "B": two},
        unlabelled=dict.fromkeys("AB", round(2 * each * (1 / rate - 1))),
    )
    whole, parts, differences = archive.estimate([("A", "B")])
    for shares in (whole, *parts):
        found = of_yes(shares).powered
        assert found.value == pytest.approx(0.5)
        assert found.interval is not None
        assert found.interval.low < 0.45 < 0.55 < found.interval.high
    assert [part.n_labelled for part in parts] == [2 * each, 2 * each]
    difference = next(each.difference for each in differences if each.label == "yes")
    assert difference.value == pytest.approx(0.0)
    assert difference.interval is not None
    assert difference.interval.low < -0.05 < 0.05 < difference.interval.high


def estimated_once(seed: int, late: str, n: int = 1000) -> tuple[float, float, bool]:
    """The share, the true one and whether the interval covers it, with a draw that favours "yes", then one at random.

    ``late`` says which labels come after the second draw: those of the first that were not given at once, or of texts
    that somebody picked by hand since they are "yes".
    """
    draw = np.random.default_rng(seed)
    likely = np.arange(n) < n // 4
    codes = (draw.random(n) < np.where(likely, 0.8, 0.05)).astype(int)
    first = np.concatenate(
        [draw.choice(np.flatnonzero(here), size, replace=False) for here, size in ((likely, 150), (~likely, 50))]
    )
    at_once = draw.permutation(first)[:50] if late == "rest of the first draw" else first
    left = np.setdiff1d(np.arange(n), at_once)
    second = draw.choice(left, 100, replace=False)
    labelled = np.append(at_once, second)
    if late == "rest of the first draw":
        after = np.setdiff1d(first, labelled)
    else:
        after = np.setdiff1d(np.flatnonzero(codes == 1), labelled)[:80]
    texts = np.append(labelled, after)
    late_draw = 0 if late == "rest of the first draw" else NO_DRAW
    draws = np.repeat([0, 1, late_draw], [len(at_once), len(second), len(after)])
    rates = np.where(draws == 1, 100 / len(left), np.where(likely[texts], 150 / (n // 4), 50 / (n - n // 4)))
    strata = np.where(draws == 1, "second", np.where(likely[texts], "likely", "unlikely"))
    archive = LabelledArchive(
        codes[texts], rates, draws, {"": np.ones(len(texts), dtype=int)}, {"": n - len(texts)}, strata=strata
    )
    found = of_yes(archive.estimate()[0]).powered
    assert found.interval is not None
    return found.value, codes.mean(), found.interval.low <= codes.mean() <= found.interval.high


@pytest.mark.slow
@pytest.mark.parametrize("late", ["rest of the first draw", "picked by hand"])
def test_labels_that_come_after_a_draw_do_not_bias_what_it_says(late: str) -> None:
    values, truths, inside = np.array([estimated_once(seed, late) for seed in range(150)]).T
    assert abs(np.mean(values - truths)) < 0.006
    assert np.mean(inside) >= 0.92


def test_labels_that_came_before_the_only_draw_are_known() -> None:
    """Of 100 texts, 20 were labelled "yes" by hand; of the others, 40 were drawn, of which half are "yes"."""
    archive = LabelledArchive(
        codes=np.repeat([1, 1, 0], 20),
        rates=np.full(60, 0.5),
        draws=np.repeat([NO_DRAW, 0], [20, 40]),
        rows={"": np.ones(60, dtype=int)},
        unlabelled={"": 40},
    )
    found = of_yes(archive.estimate()[0]).powered
    assert found.value == pytest.approx(0.6)
    assert found.interval is not None
    assert 0.4 <= found.interval.low < found.interval.high <= 0.8


@pytest.mark.parametrize("n_draws", [2, 3])
def test_a_difference_is_as_certain_whatever_number_of_draws_the_same_examples_are_of(n_draws: int) -> None:
    """Groups whose examples have one label have some in both parts; further groups are in one part alone."""
    draw = np.random.default_rng(0)
    groups = np.append(np.repeat(np.arange(10), 2), np.repeat(np.arange(10, 90), 4))
    in_one = np.append(np.full(20, True), np.tile([True, True, False, False], 80))
    codes = (draw.random(90) < 0.5)[groups].astype(int)

    def width(draws: np.ndarray) -> float:
        rows = {"A": in_one.astype(int), "B": (~in_one).astype(int)}
        unlabelled = {part: 99 * int(each.sum()) for part, each in rows.items()}
        rates = np.full(len(codes), 0.01)
        found = LabelledArchive(codes, rates, draws, rows, unlabelled, groups).estimate([("A", "B")])[2][1].difference
        assert found.interval is not None
        return found.interval.high - found.interval.low

    assert width(groups % n_draws) == pytest.approx(width(np.zeros(len(groups), dtype=int)), rel=0.1)


def test_a_part_of_which_all_is_labelled_has_known_shares_though_no_text_of_a_draw_is_in_it() -> None:
    draws = np.repeat([0, 1, 0], [40, 40, 2])
    part = np.where(np.arange(82) < 80, "A", "B")
    rows = {name: (part == name).astype(int) for name in "AB"}
    archive = LabelledArchive(np.arange(82) % 2, np.full(82, 0.1), draws, rows, {"A": 720, "B": 0})
    known = of_yes(archive.estimate()[1][1]).powered
    assert (known.value, known.interval) == (0.5, Interval(0.5, 0.5))


def test_a_draw_that_took_all_texts_of_a_part_says_nothing_about_the_rest_of_it_and_is_left_out() -> None:
    draw = np.random.default_rng(0)
    part, draws = np.repeat(["A", "B", "A"], [6, 40, 40]), np.repeat([0, 1], [46, 40])
    rows = {name: (part == name).astype(int) for name in "AB"}
    rates = np.repeat([0.05, 1.0], [46, 40])
    archive = LabelledArchive(draw.integers(0, 2, 86), rates, draws, rows, {"A": 74, "B": 766})
    assert len(archive.estimate([("A", "B")])[2]) == 2


@pytest.mark.parametrize("seed", range(20))
def test_no_share_is_below_what_the_labels_prove(seed: int) -> None:
    """Ten texts of a thousand are drawn at random, then most of those that are likely to be "yes"."""
    draw = np.random.default_rng(seed)
    first = draw.choice(1000, 50, replace=False)
    left = np.setdiff1d(np.arange(1000), first)
    likely, others = left[left < 90], left[left >= 90]
    second = np.concatenate([draw.choice(likely, len(likely) - 3, replace=False), draw.choice(others, 20, False)])
    texts = np.append(first, second)
    rates = np.where(texts < 90, (len(likely) - 3) / len(likely), 20 / len(others))
    rates[:50] = 0.05
    strata = np.where(np.arange(len(texts)) < 50, "all", np.where(texts < 90, "likely", "others"))
    codes = (texts < 70).astype(int)
    archive = LabelledArchive(
        codes,
        rates,
        np.repeat([0, 1], [50, len(second)]),
        {"": np.ones(len(texts), dtype=int)},
        {"": 1000 - len(texts)},
        strata=strata,
    )
    for each in archive.estimate()[0].shares:
        found = each.powered
        assert found.interval is not None
        least = (codes == (each.label == "yes")).sum() / 1000
        assert least - 1e-12 <= found.interval.low <= found.value <= found.interval.high
