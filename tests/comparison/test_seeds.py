"""Several seeds: scores are means over seeds, and intervals, ranks and verdicts are about these means."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contest import LABELS, store_contest
from present import present
from sklearn.metrics import f1_score
from small_tasks import text_task

import bench
from bench.comparison.board import refresh_leaderboards, seeds_leaderboard
from bench.comparison.compare import Comparison, compare
from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import Filter, parse_compare_request
from bench.comparison.selection import select, select_runs
from bench.config import compose_each
from bench.errors import ConfigError, UserError
from bench.reporting.terminal import print_leaderboard
from bench.results.leaderboard import write_leaderboard
from bench.results.store import RunFolder

SEEDS = (0, 1, 2)
SHARES = {"good": 0.8, "fair": 0.7, "majority": 0.33}


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("seeds")
    for seed in SEEDS:
        store_contest(results, SHARES, n_groups=20, per_group=8, run_seed=seed)
    return results


def side_by_side(results: Path, *words: str, metric: str | None = None) -> ComparedRuns:
    request = parse_compare_request(["task=denial", f"results={results}", *words], several_seeds=True)
    (selected,) = select(request)
    return read_side_by_side(selected, metric)


def compared(results: Path, *words: str, metric: str | None = None) -> Comparison:
    return compare(side_by_side(results, *words, metric=metric), 0.01)


def stored(run: ComparedRun, results: Path) -> list[list[tuple[str, str, str, str]]]:
    """The stored predictions of a model as (id, group, label, predicted), a list for each seed."""
    of_seed = {}
    for path in (results / "denial" / run.record.model.name).iterdir():
        folder = RunFolder(path)
        frames = [folder.read_predictions(fold) for fold in folder.folds()]
        rows = [row for frame in frames for row in frame[["id", "group", "label", "predicted"]].itertuples(index=False)]
        of_seed[folder.read_record().seed] = sorted(map(tuple, rows))
    return [of_seed[seed] for seed in SEEDS]


def mean_f1(seeds: list[list[tuple[str, str, str, str]]], times: dict[str, float]) -> float:
    """The mean over seeds of macro-F1, each group counting so often."""
    scores = []
    for rows in seeds:
        weights = [times.get(group, 0.0) for _, group, _, _ in rows]
        true, predicted = [row[2] for row in rows], [row[3] for row in rows]
        scores.append(f1_score(true, predicted, labels=LABELS, average="macro", sample_weight=weights))
    return float(np.mean(scores))


@pytest.mark.slow
def test_everything_that_tests_rest_on_is_the_mean_over_seeds(contest: Path) -> None:
    runs = side_by_side(contest, "seeds=3")
    draws = next(runs.bootstrap.weights())[:5]
    for run in runs.runs:
        seeds = stored(run, contest)
        once = dict.fromkeys(runs.group_names, 1.0)
        assert run.score == pytest.approx(mean_f1(seeds, once))
        assert run.score == pytest.approx(np.mean(run.seed_scores))
        drawn = [mean_f1(seeds, dict(zip(runs.group_names, draw.tolist(), strict=True))) for draw in draws]
        assert runs.drawn_scores(run)[1][:5] == pytest.approx(drawn)
        without = [mean_f1(seeds, once | {group: 0.0}) for group in runs.group_names]
        assert present(runs.left_out_scores(run)) == pytest.approx(without)


def test_accuracy_is_that_of_each_example_averaged_over_seeds(contest: Path) -> None:
    runs = side_by_side(contest, "seeds=3", metric="accuracy")
    (draw, *_) = next(runs.bootstrap.weights())
    times = dict(zip(runs.group_names, draw.tolist(), strict=True))
    for run in runs.runs:
        seeds = stored(run, contest)
        right = np.mean([[label == predicted for _, _, label, predicted in rows] for rows in seeds], axis=0)
        weights = np.array([times[group] for _, group, _, _ in seeds[0]])
        assert run.score == pytest.approx(right.mean())
        assert runs.drawn_scores(run)[1][0] == pytest.approx(weights @ right / weights.sum())
        # Means over seeds are shares of the pooled predictions here, so the interval is not moved.
        assert run.summary.intervals["accuracy"] == runs.metric.interval(run.outcomes)


@pytest.mark.slow
def test_one_seed_gives_the_same_as_ever(contest: Path) -> None:
    assert compared(contest, "seed=1").rows == compare(side_by_side(contest, "seed=1"), 0.01).rows
    alone = compared(contest, "seed=1")
    assert (alone.seed, alone.seeds, alone.rows[0].seed_scores) == (1, (), ())
    assert compared(contest, "seed=0,1,2") == compared(contest, "seeds=3")


def test_the_interval_of_a_mean_is_that_of_all_predictions_moved_to_it(contest: Path) -> None:
    runs = side_by_side(contest, "seeds=3")
    for run in runs.runs:
        pooled, found = runs.metric.interval(run.outcomes), run.summary.intervals["macro_f1"]
        by = run.score - runs.metric.score(run.outcomes)
        assert abs(by) < 0.02
        assert (found.low - by, found.high - by) == pytest.approx((pooled.low, pooled.high))


@pytest.mark.slow
def test_folds_of_all_seeds_are_held_against_each_other(contest: Path) -> None:
    comparison = compared(contest, "seeds=3")
    runs = side_by_side(contest, "seeds=3")
    assert comparison.n_folds == 5
    assert [len(runs.fold_scores(run)) for run in runs.runs] == [15, 15, 15]
    assert runs.repeats == 3
    assert runs.test_share() == pytest.approx(0.2, abs=0.05)


@pytest.mark.slow
def test_a_model_that_lacks_a_seed_is_left_out_and_named(tmp_path: Path) -> None:
    for seed in (0, 1):
        store_contest(tmp_path, SHARES, run_seed=seed)
    store_contest(tmp_path, {"lone": 0.9})
    comparison = compared(tmp_path, "seeds=2")
    assert {row.model for row in comparison.rows} == set(SHARES)
    assert "lone is left out: it has no run with seed 1" in comparison.notes


@pytest.mark.slow
def test_a_seed_that_failed_or_is_missing_gives_one_true_note(tmp_path: Path) -> None:
    for seed in (0, 1):
        store_contest(tmp_path, SHARES | {"failing": 0.9}, run_seed=seed)
    store_contest(tmp_path, {"late": 0.9}, run_seed=1)
    path = next(
        folder.path
        for folder in map(RunFolder, (tmp_path / "denial" / "failing").iterdir())
        if folder.read_record().seed == 1
    )
    (path / "summary.json").unlink()
    told = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps(told | {"status": "failed"}))
    comparison = compared(tmp_path, "seeds=2")
    assert {row.model for row in comparison.rows} == set(SHARES)
    assert [note for note in comparison.notes if "is left out" in note] == [
        "failing is left out: its run with seed 1 is not finished (failed); rerun its command to continue it",
        "late is left out: it has no run with seed 0",
    ]


def test_seeds_under_other_protocols_do_not_compare(tmp_path: Path) -> None:
    store_contest(tmp_path, SHARES)
    store_contest(tmp_path, SHARES, run_seed=1, of_task={"digest": "f" * 64})
    with pytest.raises(UserError, match="seeds 0 and 1 do not compare: data digest"):
        compared(tmp_path, "seeds=2")
    with pytest.raises(UserError, match="no stored run of task 'denial' matches"):
        compared(tmp_path, "seed=0,7")


def test_runs_that_were_searched_otherwise_are_other_models(tmp_path: Path) -> None:
    store_contest(tmp_path, SHARES)
    store_contest(tmp_path, SHARES, run_seed=1, search={"name": "standard", "trials": 30, "timeout": None})
    with pytest.raises(UserError, match="No model of task 'denial' has a finished run with each of the seeds 0, 1"):
        compared(tmp_path, "seeds=2")


@pytest.mark.slow
def test_the_leaderboard_shows_mean_spread_and_ranks_in_every_form(
    contest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results"
    shutil.copytree(contest, results)
    board = seeds_leaderboard(results, "denial", SEEDS)
    rows = {row.name: row for row in compared(results, "seeds=3").rows}
    assert [row.model for row in board.rows if row.kind == "model"] == [*rows]
    folder = write_leaderboard(results, board)
    told = json.loads((folder / "leaderboard.json").read_text())
    assert told["seeds"] == [0, 1, 2]
    with (folder / "leaderboard.csv").open(newline="") as file:
        listed = {row["model"]: row for row in csv.DictReader(file)}
    print_leaderboard(board, folder)
    printed = capsys.readouterr().out
    markdown = (folder / "leaderboard.md").read_text()
    frame = bench.leaderboard("denial", seed=SEEDS, results=results).to_frame().set_index("model")
    assert "seeds 0, 1, 2" in printed
    assert "bench compare task=denial seed=0,1,2" in printed
    assert "seeds 0, 1, 2" in markdown
    for name, row in rows.items():
        deviation = float(np.std(row.seed_scores, ddof=1))
        assert row.seed_deviation == pytest.approx(deviation)
        (found,) = [each for each in board.rows if each.model == name]
        assert (found.scores["macro_f1"], found.ranks) == (row.score, row.ranks)
        assert found.intervals["macro_f1"] == row.interval
        assert float(listed[name]["macro_f1"]) == row.score
        assert float(listed[name]["seed_sd"]) == pytest.approx(deviation)
        assert frame.loc[name, "seed_sd"] == pytest.approx(deviation)
        assert any(f" {deviation:.3f} " in line for line in markdown.splitlines() if line.startswith(f"| {name} |"))
        assert any(f" {deviation:.3f} " in line for line in printed.splitlines() if line.startswith(name))
    shutil.rmtree(
        next(run for run in (results / "denial" / "good").iterdir() if RunFolder(run).read_record().seed == 2)
    )
    refresh_leaderboards(parse_compare_request(["task=denial", f"results={results}"]))
    assert "seeds" not in json.loads((folder / "leaderboard.json").read_text())


@pytest.mark.slow
def test_compare_prints_means_and_the_spread_over_seeds(contest: Path, bench) -> None:
    status, out, _ = bench("compare", "task=denial", "seeds=3", f"results={contest}")
    rows = compared(contest, "seeds=3").rows
    assert status == 0
    assert "5 folds, seeds 0, 1, 2" in " ".join(out.split())
    assert f"{rows[0].name} has the best macro-F1: {rows[0].score:.3f}" in out
    for row in rows:
        assert any(
            line.split()[-1] == f"{row.seed_deviation:.3f}" for line in out.splitlines() if line.startswith(row.name)
        )
    assert bench("compare", "task=denial", "seeds=3", f"results={contest}", "seed=1")[0] == 2


@pytest.mark.slow
def test_the_report_shows_means_and_the_spread_over_seeds(contest: Path, bench, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert bench("report", "task=denial", "seeds=3", f"results={contest}", "--output", str(page))[0] == 0
    html = page.read_text("utf-8")
    assert "Scores are means over the seeds 0, 1, 2" in html
    for row in compared(contest, "seeds=3").rows:
        assert f'<td class="n score">{row.score:.3f}</td><td class="n">{row.seed_deviation:.3f}</td>' in html
    # What is about single predictions is of the first seed, as its own page has it.
    runs = side_by_side(contest, "seeds=3")
    one, first = runs.first_seed(), side_by_side(contest, "seed=0")
    assert one.n_scored == first.n_scored == runs.n_scored
    assert (one.repeats, one.seeds) == (1, ())
    by_name = {run.name: run for run in first.runs}
    for run in one.runs:
        assert run.summary == by_name[run.name].summary
        assert run.score == pytest.approx(by_name[run.name].score)
        assert (run.predicted == by_name[run.name].predicted).all()


def test_python_compares_over_seeds(contest: Path) -> None:
    frame = bench.compare("denial", seed=[0, 1, 2], results=contest).to_frame()
    rows = compared(contest, "seeds=3").rows
    assert frame["score"].tolist() == [row.score for row in rows]
    assert frame["seed_sd"].tolist() == [row.seed_deviation for row in rows]


@pytest.mark.parametrize(
    ("words", "seeds"),
    [
        (["seed=3"], [3]),
        (["seed=0,1,2"], [0, 1, 2]),
        (["seeds=3"], [0, 1, 2]),
        (["seed=5,5,2"], [5, 2]),
        (["seeds=1"], [0]),
        (["seed=[4, 6]"], [4, 6]),
        ([], [0]),
    ],
)
def test_each_seed_is_a_configuration_alike_in_all_else(words: list[str], seeds: list[int]) -> None:
    configs = compose_each(["task=denial", *words])
    assert [config.seed for config in configs] == seeds
    assert len({(config.tasks, config.models, config.search, config.validation) for config in configs}) == 1
    for config in configs:
        assert [word for word in config.overrides if "seed" in word] in ([], [f"seed={config.seed}"])


@pytest.mark.parametrize("words", [["seed=0,x"], ["seeds=0"], ["seeds=2", "seed=1"], ["seed=-1,2"], ["seeds=many"]])
def test_seeds_that_are_none_are_a_mistake(words: list[str]) -> None:
    with pytest.raises(ConfigError, match="seed"):
        compose_each(["task=denial", *words])


@pytest.mark.slow
def test_several_seeds_are_run_as_each_alone_is(tmp_path: Path) -> None:
    task = text_task(n_groups=20, per_group=6, noise=0.4)
    settings: dict[str, Any] = {"search": "none", "tracking": False, "execution": {"workers": 1}}
    both = bench.run(task, "complement-nb", seed=[0, 3], results=tmp_path / "both", **settings)
    alone = bench.run(task, "complement-nb", seed=3, results=tmp_path / "alone", **settings)
    keys = {run.key for run in alone}
    assert keys < {run.key for run in both}
    told = json.loads((tmp_path / "both" / "small" / "leaderboard.json").read_text())
    assert told["seeds"] == [0, 3]
    (row,) = [row for row in told["rows"] if row["model"] == "complement-nb"]
    scores = [
        folder.read_summary().scores["macro_f1"]
        for seed in (0, 3)
        for folder, _ in select_runs(tmp_path / "both", "small", Filter(models=("complement-nb",), seed=seed)).runs
    ]
    assert row["seed_scores"] == scores
    assert row["scores"]["macro_f1"] == pytest.approx(np.mean(scores))
