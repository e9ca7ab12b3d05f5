"""Scores by period, and whether they fall with distance from training, wherever runs are shown."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contest import LABELS, store_contest
from present import present
from scores import outcomes_of
from sklearn.metrics import f1_score

from bench.api.comparing import compare as compare_runs
from bench.comparison.board import corrected_leaderboard, seeds_leaderboard
from bench.comparison.compare import ComparedRow, Comparison, compare
from bench.comparison.compared import ComparedRuns
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.metrics.averaged import averaged
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.reporting.html.periods import period_charts
from bench.reporting.periods import absent_sentences
from bench.results.leaderboard import period_notes
from bench.results.periods import FoldScore, absent_text, period_scores, trend_of, trend_text
from bench.statistics.interval import Interval
from bench.statistics.trend import slope_within
from bench.tracking.metrics import period_points

ACCURACY = find_metric("accuracy", LABELS)
SHARES = {"stale": 0.95, "majority": 0.33}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("periods")
    for seed in (0, 1):
        store_contest(results, SHARES, n_groups=60, per_group=8, run_seed=seed, falls=0.6)
    return results


def side_by_side(results: Path, *words: str) -> ComparedRuns:
    request = parse_compare_request(["task=denial", f"results={results}", *words], several_seeds=True)
    (selected,) = select(request)
    return read_side_by_side(selected, request.metric)


def compared(results: Path, *words: str) -> Comparison:
    return compare(side_by_side(results, *words), 0.01)


def row_of(comparison: Comparison, name: str) -> ComparedRow:
    return next(row for row in comparison.rows if row.name == name)


def test_a_model_that_is_wrong_more_often_later_falls_with_distance(results: Path) -> None:
    comparison = compared(results, "seed=0")
    trend = present(row_of(comparison, "stale").trend)
    interval = present(trend.interval)
    assert (trend.verdict, trend.days) == ("falls", 30.0)
    assert interval.low < trend.change < interval.high < 0.0
    # 60 points of accuracy over 110 days, of 30.
    assert trend.change == pytest.approx(-0.6 * 30 / 110, abs=0.06)
    assert present(row_of(comparison, "majority").trend).verdict in ("undecided", "falls")
    assert len(comparison.periods) == 5


def test_scores_by_period_are_those_of_the_folds_predictions(results: Path) -> None:
    runs = side_by_side(results, "seed=0")
    for run in runs.runs:
        for fold, found in enumerate(run.summary.by_period):
            own = runs.folds == fold
            assert found.score == pytest.approx(f1_score(runs.true[own], run.predicted[own], average="macro"))
        assert run.summary.by_period == run.folder.read_summary().by_period
        assert run.summary.trend == run.folder.read_summary().trend


def test_over_seeds_scores_are_means_and_the_trend_is_of_all_predictions(results: Path) -> None:
    comparison = compared(results, "seeds=2", "metric=accuracy")
    alone = [compared(results, f"seed={seed}", "metric=accuracy") for seed in (0, 1)]
    for name in SHARES:
        both, (one, other) = row_of(comparison, name), [row_of(each, name) for each in alone]
        scores = [[present(each.score) for each in row.by_period] for row in (one, other)]
        assert [each.score for each in both.by_period] == pytest.approx(np.mean(scores, axis=0))
        slopes = [present(row.trend).change for row in (one, other)]
        assert present(both.trend).change == pytest.approx(np.mean(slopes))


def test_the_trend_of_accuracy_is_the_slope_of_being_right(results: Path) -> None:
    runs = side_by_side(results, "seed=0", "metric=accuracy")
    run = runs.runs[0]
    frames = [run.folder.read_predictions(fold) for fold in run.folder.folds()]
    days = np.concatenate([frame["days"] for frame in frames])
    right = (run.predicted == runs.true).astype(float)
    slope = present(slope_within(right, days, runs.folds, runs.groups, 0.95))
    trend = present(run.summary.trend)
    assert trend.change == pytest.approx(30 * slope.slope)
    assert present(trend.interval).high == pytest.approx(30 * (slope.slope + present(slope.half)))


def test_every_place_that_shows_scores_by_period_shows_the_trend(results: Path, bench, tmp_path: Path) -> None:
    said = trend_text(present(row_of(compared(results, "seed=0"), "stale").trend), "macro-F1")
    words = ["task=denial", "seed=0", f"results={results}"]
    status, out, _ = bench("compare", *words)
    assert (status, f"stale: {said}." in " ".join(out.split())) == (0, True)
    assert "2021-01-01 to 2021-12-31" in out
    assert "480 test examples of 480, after 5 points in time, seed 0" in " ".join(out.split())
    latex = bench("compare", *words, "--format", "latex")[1]
    assert "trained before each of 5 points in time, tested until the next one, whole groups" in latex
    told = json.loads(bench("compare", *words, "--format", "json")[1])["tasks"][0]
    (row,) = [row for row in told["rows"] if row["name"] == "stale"]
    assert (row["trend"]["verdict"], len(row["by_period"]), len(told["periods"])) == ("falls", 5, 5)
    page = tmp_path / "page.html"
    assert bench("report", *words, "--output", str(page))[0] == 0
    html = page.read_text("utf-8")
    assert said.replace("+", "&#43;") in html or said in html
    assert "macro-F1 of stale by period" in html
    assert f"{row['by_period'][0]['score']:.3f}" in html
    run = side_by_side(results, "seed=0").runs[0].record
    for board in (corrected_leaderboard(results, run), seeds_leaderboard(results, "denial", (0, 1))):
        (found,) = [each for each in board.rows if each.model == "stale"]
        assert any("falls with distance from training" in note for note in found.notes)


def test_tables_for_papers_hold_the_scores_by_period_and_their_change(results: Path, bench) -> None:
    words = ["task=denial", "seed=0", f"results={results}", "--format"]
    row = row_of(compared(results, "seed=0"), "stale")
    trend = present(row.trend)
    ends = present(trend.interval)
    scores = [present(each.score) for each in row.by_period]
    change = f"{trend.change:+.3f} [{ends.low:+.3f}, {ends.high:+.3f}]".replace("-", "\u2212")
    for form, end in (("latex", r" \\"), ("markdown", " |")):
        lines = (
            bench("compare", *words, form)[1]
            .replace("$-$", "\u2212")
            .replace("\\[", "[")
            .replace("\\]", "]")
            .splitlines()
        )
        (first,) = [line for line in lines if "2021-01-01 to 2021-12-31" in line and line.endswith(end)]
        assert f" {scores[0]:.3f} " in first
        (last,) = [line for line in lines if "Change over 30 days" in line and line.endswith(end)]
        assert change in last
    (line,) = [
        each for each in csv.DictReader(io.StringIO(bench("compare", *words, "csv")[1])) if each["name"] == "stale"
    ]
    assert [float(value) for name, value in line.items() if name.startswith("score 20")] == scores
    assert (float(line["trend_change"]), float(line["trend_days"])) == (trend.change, trend.days)
    assert (float(line["trend_low"]), float(line["trend_high"])) == (ends.low, ends.high)
    assert line["trend_verdict"] == "falls"


def test_a_frame_has_a_row_for_each_model_and_period(results: Path) -> None:
    found = compare_runs("denial", seed=0, results=results)
    frame = found.periods()
    assert len(frame) == 2 * 5
    stale = row_of(found.record, "stale")
    assert frame.score[frame.model == "stale"].tolist() == [each.score for each in stale.by_period]
    assert frame["from"].iloc[0] == found.record.periods[0].tested_from


def test_mlflow_has_the_scores_by_period_as_steps_and_the_change(results: Path) -> None:
    (summary,) = [run.summary for run in side_by_side(results, "seed=0").runs if run.record.model.name == "stale"]
    trend = present(summary.trend)
    points = period_points(summary)
    assert [point.value for point in points if point.name == "period/score"] == [
        each.score for each in summary.by_period
    ]
    assert [point.step for point in points if point.name == "period/score"] == [0, 1, 2, 3, 4]
    named = {point.name: point.value for point in points}
    assert (named["trend/change"], named["trend/days"]) == (trend.change, trend.days)
    assert (named["trend/change_low"], named["trend/change_high"]) == (trend.interval.low, trend.interval.high)


def test_runs_that_are_not_forward_have_neither(tmp_path: Path, bench) -> None:
    store_contest(tmp_path, SHARES)
    told = json.loads(bench("compare", "task=denial", f"results={tmp_path}", "--format", "json")[1])["tasks"][0]
    assert "periods" not in told
    assert not {"by_period", "trend"} & set(told["rows"][0])
    assert "period" not in bench("compare", "task=denial", f"results={tmp_path}")[1]


@pytest.mark.parametrize(
    ("n_periods", "groups", "reason"),
    [
        (2, 12, "distances differ within 2 of the periods, but 3 are needed"),
        (3, 1, "distances differ within 0"),
        (4, 5, ""),
    ],
)
def test_too_few_periods_or_groups_give_no_interval_and_say_why(n_periods: int, groups: int, reason: str) -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(n_periods * groups), 10)
    predicted = rng.integers(2, size=len(group))
    outcomes = outcomes_of(rng.integers(2, size=len(group)), predicted, 2, group)
    outcomes = replace(outcomes, parts=group // groups)
    days = (group % groups).astype(np.float64)
    trend = trend_of(outcomes, days, ACCURACY, ("a", "b"), n_periods)
    if groups == 1:
        assert trend is None
        return
    trend = present(trend)
    assert trend.no_interval == reason
    assert (trend.interval is None) == bool(reason)
    assert reason in trend_text(trend, "accuracy")


def test_a_label_in_too_few_groups_leaves_macro_f1_without_an_interval() -> None:
    group = np.repeat(np.arange(20), 10)
    true = np.where(group == 3, 1, 0)
    outcomes = replace(outcomes_of(true, true * 0, 2, group), parts=group // 5)
    trend = present(
        trend_of(outcomes, (group % 5).astype(np.float64), find_metric("macro_f1", ("a", "b")), ("a", "b"), 4)
    )
    assert (trend.verdict, trend.interval) == ("undecided", None)
    assert "label b is in effectively 1.0 equal groups" in trend.no_interval


def test_scores_of_a_loss_rise_as_they_get_worse() -> None:
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(60), 5)
    days = (group % 15).astype(np.float64)
    sure = np.clip(0.9 - 0.04 * days + rng.normal(0, 0.02, len(group)), 0.01, 0.99)
    true = np.arange(len(group)) % 2
    of_b = np.where(true == 1, sure, 1.0 - sure)
    outcomes = replace(
        outcomes_of(true, true, 2, group),
        parts=group // 15,
        probabilities=np.column_stack([1.0 - of_b, of_b]),
    )
    trend = present(trend_of(outcomes, days, find_metric("log_loss", ("a", "b")), ("a", "b"), 4))
    assert (trend.verdict, trend.days) == ("rises", 7.0)
    assert isinstance(trend.interval, Interval)
    assert trend_text(trend, "log loss").startswith("log loss rises with distance from training: +")


def test_scores_of_periods_have_the_interval_of_their_own_groups() -> None:
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(24), 10)
    true = rng.integers(2, size=len(group))
    outcomes = replace(outcomes_of(true, rng.integers(2, size=len(group)), 2, group), parts=group // 12)
    first, _ = period_scores(outcomes, ACCURACY, ("a", "b"), 2)
    own = outcomes_of(true[:120], outcomes.predicted[:120], 2, group[:120])
    assert (first.score, first.interval) == (ACCURACY.score(own), ACCURACY.interval(own))


def with_a_late_label(seed: int = 4) -> Outcomes:
    """Five periods of 12 groups; the third label appears in the fourth period. A model is right about 80 %."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(60), 10)
    part = group // 12
    true = np.where(part < 3, rng.integers(2, size=len(group)), rng.integers(3, size=len(group)))
    predicted = np.where(rng.random(len(group)) < 0.8, true, rng.integers(3, size=len(group)))
    return replace(outcomes_of(true, predicted, 3, group), parts=part)


def test_a_period_that_lacks_a_label_has_no_macro_f1_and_says_which() -> None:
    outcomes, labels = with_a_late_label(), ("a", "b", "late")
    found = period_scores(outcomes, find_metric("macro_f1", labels), labels, 5)
    assert [each.absent for each in found] == [("late",)] * 3 + [()] * 2
    assert [each.score is None for each in found] == [True] * 3 + [False] * 2
    assert absent_text(found[0].absent) == "no score, without an example of late"
    own = outcomes.parts == 4
    expected = f1_score(outcomes.true[own], outcomes.predicted[own], average="macro")
    assert present(found[4].score) == pytest.approx(expected)
    assert all(each.score is not None for each in period_scores(outcomes, ACCURACY, labels, 5))


@pytest.mark.parametrize("metric", ["balanced_accuracy", "mcc"])
def test_a_period_that_lacks_a_label_has_no_score_over_labels(metric: str) -> None:
    labels = ("a", "b", "late")
    found = period_scores(with_a_late_label(), find_metric(metric, labels), labels, 5)
    assert [each.absent for each in found] == [("late",)] * 3 + [()] * 2


def test_an_averaged_metric_needs_each_label_within_each_value() -> None:
    outcomes, labels = with_a_late_label(), ("a", "b", "late")
    values = np.arange(len(outcomes)) % 2
    values[outcomes.parts == 4] = 0
    outcomes = replace(outcomes, values=values, value_names=("x", "y"))
    found = period_scores(outcomes, averaged(find_metric("macro_f1", labels), "v"), labels, 5)
    assert found[0].absent == ("late within x", "late within y")
    assert (found[3].absent, found[4].absent) == ((), ("a within y", "b within y", "late within y"))


def test_the_trend_is_not_moved_by_periods_that_lack_a_label() -> None:
    """A model that is as good in all periods falls or rises no more often than promised."""
    labels = ("a", "b", "late")
    metric, called = find_metric("macro_f1", labels), 0
    for seed in range(60):
        outcomes = with_a_late_label(seed)
        trend = trend_of(outcomes, (outcomes.groups % 12).astype(np.float64), metric, labels, 5)
        called += present(trend).verdict != "undecided"
    assert called <= 0.05 * 60 + 2 * np.sqrt(0.05 * 0.95 * 60)


def test_a_period_without_a_score_is_named_wherever_periods_are_shown(tmp_path: Path, bench) -> None:
    store_contest(tmp_path, SHARES, n_groups=60, per_group=8, falls=0.6)
    said = "no score, without an example of"
    comparison = compared(tmp_path)
    rows = [
        replace(row, by_period=(FoldScore(None, absent=(LABELS[0],)), *row.by_period[1:])) for row in comparison.rows
    ]
    changed = replace(comparison, rows=tuple(rows))
    period = changed.periods[0]
    sentence = f"{period.tested_from} to {period.tested_to}: {said} {LABELS[0]}."
    assert absent_sentences(changed) == [sentence]
    assert absent_sentences(comparison) == []
    assert [len(each.chart.rows) for each in period_charts(changed)] == [4] * len(rows)
    run = side_by_side(tmp_path).runs[0]
    summary = replace(run.summary, by_period=rows[0].by_period)
    scores, absent = period_notes(run.record, summary)
    assert scores.startswith("macro-F1 by period: none, ")
    assert absent == f"{period.tested_from} to {period.tested_to}: {said} {LABELS[0]}"


def test_the_factor_for_fitting_knows_how_little_trains_the_first_periods(results: Path) -> None:
    """Of 480 examples all are tested, 96 in each period, by models of 96, 192, 288, 384 and 480."""
    ratio = sum(1 / period for period in (1, 2, 3, 4, 5))
    for words in (["seed=0"], ["seeds=2"]):
        runs = side_by_side(results, *words)
        assert runs.n_trained() == pytest.approx(5 * 96 / ratio)
        assert runs.training_factor() == pytest.approx(np.sqrt(1 + 0.6 * ratio))
