"""The range of ranks of each model: what all pairs, adjusted together, leave open, shown alike everywhere."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from contest import compared, store_contest
from present import present
from scipy.stats import chi2, t
from thoroughness import scaled

import bench
from bench.api.comparing import Board
from bench.comparison.board import corrected_leaderboard
from bench.comparison.compared import ComparedRuns
from bench.comparison.pairs import judged_pairs
from bench.comparison.predictions import read_side_by_side
from bench.comparison.ranking import rank_interval
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.reporting.html.page import render_report
from bench.reporting.terminal import print_leaderboard
from bench.results.board import RANKS, ranks_text
from bench.results.leaderboard import write_leaderboard

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

SHARES = {"good": 0.85, "twin": 0.84, "fair": 0.74, "poor": 0.55, "majority": 0.33}


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("ranks")
    store_contest(results, SHARES, n_groups=24, per_group=8)
    return results


def side_by_side(results: Path) -> ComparedRuns:
    (selected,) = select(parse_compare_request(["task=denial", f"results={results}"]))
    return read_side_by_side(selected)


def plain_ranks(runs: ComparedRuns) -> dict[str, tuple[int, int]]:
    """The step-down of the largest statistic over every pair, written out, and the ranks that it leaves."""
    n, pairs = len(runs.group_names), list(combinations(runs.runs, 2))
    spread, t_of = [], []
    for a, b in pairs:
        drawn = runs.drawn_scores(a)[1] - runs.drawn_scores(b)[1]
        left_out = present(runs.left_out_scores(a)) - present(runs.left_out_scores(b))
        error = max(np.sqrt(n / (n - 1)) * drawn.std(ddof=1), np.sqrt((n - 1) * left_out.var()))
        t_of.append(abs(a.score - b.score) / (error * runs.training_factor()))
        spread.append(np.abs(drawn - drawn.mean()) / drawn.std(ddof=1))
    beaten, left = set(), list(range(len(pairs)))
    while left:
        top = max(left, key=lambda place: t_of[place])
        alone = 2 * t.sf(t_of[top], n - 1)
        largest = np.max([spread[place] for place in left], axis=0)
        # The largest of the draws, with all of them divided by one root of a chi-square over its degrees of freedom.
        together = chi2.cdf((n - 1) * (largest / t_of[top]) ** 2, n - 1).mean()
        if min(max(alone, together), len(left) * alone) >= 0.05:
            break
        beaten.add((pairs[top][0].name, pairs[top][1].name))
        left.remove(top)
    return {
        run.name: (
            1 + sum(loser == run.name for _, loser in beaten),
            len(runs.runs) - sum(winner == run.name for winner, _ in beaten),
        )
        for run in runs.runs
    }


@pytest.mark.slow
def test_ranks_are_those_that_a_step_down_over_every_pair_leaves_open(contest: Path) -> None:
    rows = compared(contest, "task=denial", "rope=0").rows
    expected = plain_ranks(side_by_side(contest))
    assert {row.name: row.ranks for row in rows} == expected
    assert len(set(expected.values())) > 2


def test_ranks_take_all_pairs_together_where_verdicts_on_the_majority_are_apart(contest: Path) -> None:
    pairs = judged_pairs(side_by_side(contest), 0.01, None)
    assert {pair.family for pair in pairs} == {"models", "baseline"}
    assert all(pair.p_together >= pair.p_groups for pair in pairs)
    doubtful = [replace(pair, p_together=0.06) if "majority" in (pair.first, pair.second) else pair for pair in pairs]
    assert rank_interval("majority", pairs, 5) == (5, 5)
    assert rank_interval("majority", doubtful, 5) == (1, 5)


@pytest.mark.slow
def test_leaderboard_and_comparison_show_the_same_ranks_in_every_form(
    contest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = corrected_leaderboard(contest, side_by_side(contest).runs[0].record)
    ranks = {row.name: present(row.ranks) for row in compared(contest, "task=denial").rows}
    assert {row.model: row.ranks for row in board.rows if row.kind == "model"} == ranks
    folder = write_leaderboard(contest, board)
    stored = json.loads((folder / "leaderboard.json").read_text())["rows"]
    assert {row["model"]: row["ranks"] for row in stored if row["kind"] == "model"} == {
        name: [*ends] for name, ends in ranks.items()
    }
    with (folder / "leaderboard.csv").open(newline="") as file:
        listed = {row["model"]: (row["rank_low"], row["rank_high"]) for row in csv.DictReader(file)}
    assert listed.pop("pass-1") == ("", "")
    assert listed == {name: (str(low), str(high)) for name, (low, high) in ranks.items()}
    markdown = (folder / "leaderboard.md").read_text()
    assert RANKS[1:] in markdown
    print_leaderboard(board, folder)
    printed = capsys.readouterr().out
    assert RANKS in " ".join(printed.split())
    page = render_report(side_by_side(contest), compared(contest, "task=denial"))
    assert RANKS[1:] in page
    for name, (low, high) in ranks.items():
        text = ranks_text((low, high))
        assert any(line.split(" | ")[3] == text for line in markdown.splitlines() if line.startswith(f"| {name} |"))
        assert any(line.split()[4] == text for line in printed.splitlines() if line.startswith(f"{name} "))
        assert (f"ranks {low} to {high}" if low != high else f"rank {low}<") in page
    frame = Board(board).to_frame().set_index("model")
    assert {name: (frame.loc[name, "best_rank"], frame.loc[name, "worst_rank"]) for name in ranks} == ranks
    again = bench.leaderboard("denial", results=contest).to_frame()
    assert again["best_rank"].tolist()[:5] == frame["best_rank"].tolist()[:5]


def test_without_two_models_that_can_be_read_there_are_no_ranks(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"good": 0.9, "poor": 0.5})
    record = made["good"].read_record()
    (made["poor"].cell_path(0) / "predictions.csv").write_text("nonsense")
    board = corrected_leaderboard(tmp_path, record)
    assert [row.ranks for row in board.rows] == [None] * len(board.rows)
    folder = write_leaderboard(tmp_path, board)
    assert "ranks" not in (folder / "leaderboard.md").read_text()


def test_models_that_no_pair_decides_share_all_ranks(tmp_path: Path) -> None:
    store_contest(tmp_path, {"good": 0.99, "poor": 0.4}, n_groups=4, folds=4, per_group=50)
    assert [row.ranks for row in compared(tmp_path, "task=denial").rows] == [(1, 2), (1, 2)]


@pytest.mark.slow
def test_all_ranges_hold_the_true_ranks_of_tied_models_as_often_as_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictions are drawn, not trained, so the factor for fitting is taken away: it would hide an error here."""
    from verdicts import Scenario, compared_runs

    from bench.data.splits import Split

    monkeypatch.setattr("bench.comparison.compared.training_factor", lambda *_: 1.0)
    right = np.array([0.8, 0.8, 0.8, 0.8, 0.65, 0.65])
    n_groups, n = 40, 400
    groups = np.arange(n) // (n // n_groups)
    fold = groups % 5
    splits = [Split(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)]
    tested = np.concatenate([split.test for split in splits])
    held = unadjusted = 0
    repeats = scaled(100, 600)
    for seed in range(repeats):
        rng = np.random.default_rng([seed, 5])
        labels = rng.integers(0, 2, n)
        harder = rng.normal(0.0, 0.08, (len(right), n_groups))[:, groups]
        wrong = rng.random((len(right), n)) > right[:, None] + harder
        predicted = [np.where(each, 1 - labels, labels)[tested] for each in wrong]
        scenario = Scenario("logistic regression", n_groups, "strong", n_examples=n, n_models=len(right))
        runs = compared_runs(scenario, splits, labels, groups, predicted, seed)
        pairs = judged_pairs(runs, 0.0, None)
        held += ranges_hold(right, [rank_interval(f"model-{k}", pairs, len(right)) for k in range(len(right))])
        alone = [replace(pair, p_together=present(pair.groups.p_value), verdict="better") for pair in pairs]
        unadjusted += ranges_hold(right, [rank_interval(f"model-{k}", alone, len(right)) for k in range(len(right))])
    assert held >= 0.95 * repeats - 2 * np.sqrt(0.95 * 0.05 * repeats)
    assert unadjusted < 0.85 * repeats


def ranges_hold(right: np.ndarray, ranges: list[tuple[int, int]]) -> bool:
    """Whether every model's range holds all ranks that its ties allow."""
    return all(
        low <= 1 + (right > each).sum() and high >= (right >= each).sum()
        for each, (low, high) in zip(right, ranges, strict=True)
    )
