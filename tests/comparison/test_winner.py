"""The best of several scores, corrected for having been picked, and the ranks that verdicts leave open."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from contest import compared, store_contest
from hypothesis import given, settings
from hypothesis import strategies as st
from present import present
from side_by_side import side_by_side

from bench.comparison.board import corrected_leaderboard, refresh_leaderboards
from bench.comparison.pairs import Pair
from bench.comparison.ranking import corrected_best, rank_interval
from bench.comparison.request import parse_compare_request
from bench.comparison.verdict import Verdict
from bench.reporting.comparison import print_comparison
from bench.reporting.terminal import print_leaderboard
from bench.results.board import best_sentence
from bench.results.leaderboard import write_leaderboard
from bench.statistics.paired import Difference, ErrorTest
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
    assert (found.low, found.high) == (pytest.approx(0.9 - 2.776445 * 0.05), 1.0)  # type: ignore[comparison-overlap]
    assert winner(0.9, None, 5, (0.0, 1.0)).low is None


@pytest.mark.slow
def test_a_comparison_prints_it_with_the_ranks_that_the_verdicts_leave_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_contest(tmp_path, {"good": 0.85, "twin": 0.84, "poor": 0.55, "majority": 0.33})
    comparison = compared(tmp_path, "task=denial")
    best, rows = comparison.best, comparison.rows
    assert present(best.low) < best.score <= rows[0].score
    assert [row.ranks for row in rows] == [(1, 2), (1, 2), (3, 3), (4, 4)]
    print_comparison(comparison)
    told = " ".join(capsys.readouterr().out.split())
    assert f"Choosing the best of 4 inflates its score. With this corrected, {rows[0].name} has" in told
    assert compared(tmp_path, "task=denial", "baseline=twin").rows[0].ranks is None


@pytest.mark.slow
def test_the_leaderboard_and_its_files_say_the_same_of_the_best_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = store_contest(tmp_path, {"good": 0.85, "twin": 0.84, "poor": 0.55})
    board = corrected_leaderboard(tmp_path, made["poor"].read_record())
    best, top = board.best, board.rows[0]
    assert best == compared(tmp_path, "task=denial").best
    assert (best.name, best.of, best.measured) == (top.model, 3, top.scores["macro_f1"])
    assert present(best.low) < best.score <= best.measured < present(best.high)
    folder = write_leaderboard(tmp_path, board)
    print_leaderboard(board, folder)
    told = (
        f"Choosing the best of 3 inflates its score. With this corrected, {best.name} has {best.score:.3f} "
        f"[{best.low:.3f}, {best.high:.3f}] rather than {best.measured:.3f}."
    )
    assert told in " ".join(capsys.readouterr().out.split())
    assert told in (folder / "leaderboard.md").read_text()
    assert json.loads((folder / "leaderboard.json").read_text())["best"] == asdict(present(best))
    shutil.rmtree(made["poor"].path)
    refresh_leaderboards(parse_compare_request(["task=denial", f"results={tmp_path}"]))
    assert json.loads((folder / "leaderboard.json").read_text())["best"]["of"] == 2


def test_a_corrected_score_has_an_interval_only_where_the_score_has_one(tmp_path: Path) -> None:
    store_contest(tmp_path, {"good": 0.85, "poor": 0.55}, n_groups=3, folds=3)
    comparison = compared(tmp_path, "task=denial")
    assert comparison.rows[0].interval is None
    best = present(comparison.best)
    assert best.score <= best.measured
    assert (best.low, best.high) == (None, None)
    assert best_sentence(best).endswith(f"rather than {best.measured:.3f}.")
    assert best_sentence(replace(best, score=best.measured)) == ""


def test_its_interval_reaches_as_far_as_that_of_the_score_also_where_a_label_has_no_hit() -> None:
    true = (np.arange(600) < 6).astype(int)
    alarms = np.isin(np.arange(600), (10, 20)).astype(float)
    runs = side_by_side("macro_f1", true, {"a": np.zeros(600), "b": alarms})
    best, own = present(corrected_best(runs)), runs.runs[0].summary.intervals["macro_f1"]
    assert own.high - best.measured > 0.1
    assert present(best.high) - best.score >= own.high - best.measured - 1e-9
    assert best.score - present(best.low) >= best.measured - own.low - 1e-9


def test_a_perfect_best_score_has_an_interval_like_the_score_itself() -> None:
    true = np.arange(100) % 2
    runs = side_by_side("accuracy", true, {"a": true.astype(float), "b": np.zeros(100)})
    best, own = present(corrected_best(runs)), runs.runs[0].summary.intervals["accuracy"]
    assert (best.score, best.low, best.high) == (1.0, own.low, own.high)


def test_a_single_model_is_not_picked_and_damaged_predictions_spoil_no_leaderboard(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"good": 0.9, "fair": 0.7, "poor": 0.5})
    record = made["good"].read_record()
    (made["good"].cell_path(0) / "predictions.csv").write_text("nonsense")
    board = corrected_leaderboard(tmp_path, record)
    assert board.rows[0].model == "good"
    assert (board.best.name, board.best.of) == ("fair", 2)
    for model in ("fair", "poor"):
        shutil.rmtree(made[model].path)
    assert corrected_leaderboard(tmp_path, record).best is None


def judged(first: str, second: str, verdict: Verdict) -> Pair:
    """A pair of which only the verdict, with all pairs adjusted together, is looked at."""
    return Pair(
        first=first,
        second=second,
        family="models",
        groups=Difference(0.0, None, None, None),
        folds=None,
        errors=ErrorTest(0, 0, 1.0),
        p_groups=1.0,
        p_equal=1.0,
        p_folds=1.0,
        p_together=0.01 if verdict == "better" else 1.0,
        interval=None,
        verdict=verdict,
        needed=None,
    )


@given(st.permutations("abcd"), st.sets(st.sampled_from([(i, j) for i in range(4) for j in range(i + 1, 4)])))
def test_ranks_of_all_models_can_be_dealt_so_that_each_is_within_its_interval(
    order: list[str], decided: set[tuple[int, int]]
) -> None:
    pairs = [
        judged(order[i], order[j], "better" if (i, j) in decided else "undecided")
        for i in range(4)
        for j in range(i + 1, 4)
    ]
    for rank, name in enumerate(order, start=1):
        low, high = rank_interval(name, pairs, 4)
        assert 1 <= low <= rank <= high <= 4
