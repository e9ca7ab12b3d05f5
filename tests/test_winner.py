"""The best of several scores, corrected for having been picked, and the ranks that verdicts leave open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from contest import compared, store_contest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.comparison.ranking import rank_interval
from bench.report.comparison import print_comparison
from bench.statistics.winner import corrected_score, winner


def scored(values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean of each model's values, and those of bootstrap draws of groups and of the groups left out."""
    n_groups = values.shape[1]
    weights = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=200)
    out = weights == 0
    return values.mean(axis=1), values @ weights.T / n_groups, values @ out.T / out.sum(axis=1)


@pytest.mark.parametrize("lower_is_better", [False, True])
def test_the_best_of_equal_models_is_flattered_and_its_corrected_score_is_not(lower_is_better: bool) -> None:
    rng, sign = np.random.default_rng(0), -1.0 if lower_is_better else 1.0
    plain, corrected = [], []
    for seed in range(300):
        values = 0.5 + rng.normal(size=(8, 30)) + rng.normal(size=30)
        scores, drawn, unseen = scored(values, seed)
        plain.append((sign * scores).max() * sign)
        corrected.append(corrected_score(scores, drawn, unseen, lower_is_better))
    assert sign * (np.mean(plain) - 0.5) > 0.15
    assert abs(np.mean(corrected) - 0.5) < 0.06


def test_a_model_that_is_far_ahead_keeps_its_score() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(5, 40)) * 0.1 + np.array([[2.0], [0.0], [0.0], [0.0], [0.0]])
    scores, drawn, unseen = scored(values, 0)
    assert corrected_score(scores, drawn, unseen) == pytest.approx(scores[0], abs=0.01)


@given(st.integers(2, 6), st.integers(3, 20), st.integers(0, 1_000), st.booleans())
@settings(max_examples=40)
def test_the_corrected_score_is_never_better_than_the_measured_one_and_shifts_with_all_scores(
    n_models: int, n_groups: int, seed: int, lower_is_better: bool
) -> None:
    values = np.random.default_rng(seed).normal(size=(n_models, n_groups))
    with np.errstate(invalid="ignore"):
        here, there = (corrected_score(*scored(each, seed), lower_is_better) for each in (values, values + 3.0))
        scores = scored(values, seed)[0]
    assert there == pytest.approx(here + 3.0)
    assert here >= scores.min() - 1e-9 if lower_is_better else here <= scores.max() + 1e-9


def test_draws_that_left_out_no_group_say_nothing() -> None:
    scores, drawn, unseen = scored(np.random.default_rng(0).normal(size=(3, 10)), 0)
    holes = unseen.copy()
    holes[:, ::2] = np.nan
    assert corrected_score(scores, drawn, holes) == corrected_score(scores, drawn[:, 1::2], unseen[:, 1::2])
    assert corrected_score(scores, drawn, np.full_like(unseen, np.nan)) == scores.max()


def test_its_interval_is_students_within_the_range_of_the_metric() -> None:
    found = winner(0.9, 0.05, 5, (0.0, 1.0))
    assert (found.low, found.high) == (pytest.approx(0.9 - 2.776445 * 0.05), 1.0)
    assert winner(0.9, None, 5, (0.0, 1.0)).low is None


def test_a_comparison_prints_it_with_the_ranks_that_the_verdicts_leave_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_contest(tmp_path, {"good": 0.85, "twin": 0.84, "poor": 0.55, "majority": 0.33})
    comparison = compared(tmp_path, "task=denial")
    best, rows = comparison["best"], comparison["rows"]
    assert best["low"] < best["score"] <= rows[0]["score"]
    assert [tuple(row["ranks"]) for row in rows] == [(1, 2), (1, 2), (3, 3), (4, 4)]
    print_comparison(comparison)
    told = " ".join(capsys.readouterr().out.split())
    assert f"Being picked as the best of 4 flatters a score: corrected for it, {rows[0]['name']} has" in told
    assert compared(tmp_path, "task=denial", "baseline=twin")["rows"][0]["ranks"] is None


@given(st.permutations("abcd"), st.sets(st.sampled_from([(i, j) for i in range(4) for j in range(i + 1, 4)])))
def test_ranks_of_all_models_can_be_dealt_so_that_each_is_within_its_interval(
    order: list[str], decided: set[tuple[int, int]]
) -> None:
    pairs = [
        {"first": order[i], "second": order[j], "verdict": "better" if (i, j) in decided else "undecided"}
        for i in range(4)
        for j in range(i + 1, 4)
    ]
    for rank, name in enumerate(order, start=1):
        low, high = rank_interval(name, pairs, 4)
        assert 1 <= low <= rank <= high <= 4
