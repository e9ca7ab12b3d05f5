"""What the search gained: a curve that is exact, an optimism that shows, edges and parameters that are named."""

from __future__ import annotations

import hashlib
import itertools
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from present import present
from rich.console import Console
from sklearn.base import BaseEstimator, ClassifierMixin
from small_tasks import LABELS, text_task
from stored import a_record, a_summary, write_run

from bench.catalogue import load_model
from bench.comparison.importance import FEWEST_TRIALS, importance
from bench.comparison.search import SearchReport, search_report
from bench.config import Search, compose
from bench.data.splits import outer_splits
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.metrics.f1 import MACRO_F1
from bench.models.model import Model
from bench.models.space import Range, SearchSpace
from bench.overrides import parse_overrides
from bench.reporting.search import search_lines
from bench.results.cell import CellResult, Trial
from bench.results.files import to_json
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.results.summary import summarise
from bench.statistics.budget import deviation_of_best, expected_best
from bench.support.records import from_json, plain

SCORES = st.lists(
    st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 0.9]), st.floats(-5, 5)), min_size=1, max_size=5
)
C = {"low": 0.01, "high": 30.0, "log": True}


def record(search: dict[str, Any], metric: str = "macro_f1", origin: str = "configs/model/logreg.yaml") -> RunRecord:
    dimensions = SearchSpace.parse(search, "test").dimensions
    stored = {name: plain(dimension) for name, dimension in dimensions.items()}
    return a_record({"metric": metric}, origin=origin, search=stored)


def write_cells(path: Path, folds: list[list[Trial]], metric: str = "macro_f1", outer: float = 0.5) -> RunFolder:
    """Store cells whose search was as given, and chose the best."""
    folder = RunFolder(path / "0123456789ab")
    for fold, trials in enumerate(folds):
        scored = [trial for trial in trials if trial.score is not None]
        best = (min if metric == "log_loss" else max)(scored, key=lambda trial: present(trial.score))
        folder.write_cell(CellResult(fold, "ok", best.params, best.score, trials, scores={metric: outer}))
    return folder


def report_on(
    path: Path,
    folds: list[list[Trial]],
    search: dict[str, Any],
    metric: str = "macro_f1",
    outer: float = 0.5,
    **changes: Any,
) -> SearchReport:
    folder = write_cells(path, folds, metric, outer)
    summary = a_summary({metric: outer}, [{"fold": fold} for fold in range(len(folds))])
    report = search_report(folder, record(search, metric, **changes), summary)
    assert report is not None
    return report


def fold_of(scores: list[float | None]) -> list[Trial]:
    return [Trial(number, {"estimator.C": 1.0 + number / 100}, score) for number, score in enumerate(scores)]


def choosing(values: list[Any], name: str = "estimator.C") -> list[list[Trial]]:
    """One fold a value, whose search chose it."""
    return [[Trial(0, {name: value}, 0.5)] for value in values]


@given(SCORES, st.booleans())
def test_the_expected_best_is_that_of_every_possible_draw(scores: list[float | None], minimise: bool) -> None:
    assume(any(score is not None for score in scores))
    means, deviations = expected_best(scores, minimise), deviation_of_best(scores, minimise)
    for n in range(1, len(scores) + 1):
        drawn = [[s for s in draw if s is not None] for draw in itertools.product(scores, repeat=n)]
        best = [(min if minimise else max)(draw) for draw in drawn if draw]
        assert means[n - 1] == pytest.approx(np.mean(best), abs=1e-9)
        assert deviations[n - 1] == pytest.approx(np.std(best), abs=1e-6)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=120), st.booleans())
def test_more_budget_never_brings_less_nor_more_than_the_best(scores: list[float | None], minimise: bool) -> None:
    assume(any(score is not None for score in scores))
    sign = -1 if minimise else 1
    curve = sign * expected_best(scores, minimise)
    scored = [sign * score for score in scores if score is not None]
    assert (np.diff(curve) >= -1e-12).all()
    assert curve[0] == pytest.approx(np.mean(scored))
    assert curve[-1] <= max(scored) + 1e-12


def test_without_any_score_there_is_no_expectation() -> None:
    with pytest.raises(ValueError, match="no trial has a score"):
        expected_best([None, None])


def test_the_curve_is_the_mean_over_folds_and_says_when_the_search_was_done(tmp_path: Path) -> None:
    folds = [fold_of([0.2, 0.6, 0.4, 0.605]), fold_of([None, 0.5, 0.508, 0.3])]
    report = report_on(tmp_path, folds, {"estimator.C": C})
    one, other = expected_best([0.2, 0.6, 0.4, 0.605]), expected_best([None, 0.5, 0.508, 0.3])
    assert report.curve.expected == pytest.approx((one + other) / 2)
    assert report.curve.reached == pytest.approx([None, 0.55, 0.554, 0.5565])
    assert report.enough == 2  # 0.55 is within 0.01 of 0.5565
    assert (report.trials, report.failed) == (4, 1)


def test_curves_reach_as_far_as_the_shortest_search(tmp_path: Path) -> None:
    report = report_on(tmp_path, [fold_of([0.1, 0.2, 0.3]), fold_of([0.1, 0.2])], {"estimator.C": C})
    curve = report.curve
    assert len(curve.expected) == len(curve.deviation) == len(curve.reached) == 2
    assert report.trials == 3


@pytest.mark.parametrize(("metric", "gap"), [("macro_f1", 0.2), ("log_loss", -0.2)])
def test_the_gap_is_positive_where_the_search_looked_better_than_the_test(
    tmp_path: Path, metric: str, gap: float
) -> None:
    report = report_on(tmp_path, [fold_of([0.7, 0.7]), fold_of([0.9, 0.9])], {"estimator.C": C}, metric, outer=0.6)
    assert report.inner == pytest.approx(0.8)
    assert report.gap == pytest.approx(gap)


def test_there_is_no_gap_where_a_fold_was_not_searched(tmp_path: Path) -> None:
    folder = write_cells(tmp_path, [fold_of([0.7]), fold_of([0.9])])
    folder.write_cell(CellResult(2, scores={"macro_f1": 0.1}))
    summary = a_summary({"macro_f1": 0.5}, [{"fold": fold} for fold in range(3)])
    report = search_report(folder, record({"estimator.C": C}), summary)
    assert report is not None
    assert report.gap is None
    assert len(report.folds) == 2


def test_nothing_is_said_of_a_run_that_searched_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "0123456789ab")
    folder.write_cell(CellResult(0, scores={"macro_f1": 0.1}))
    assert search_report(folder, record({}), a_summary({"macro_f1": 0.1}, [{"fold": 0}])) is None
    assert importance(folder, record({})) is None


@pytest.mark.parametrize(
    ("dimension", "chosen", "end", "override"),
    [
        (C, [25.0, 29.0, 30.0, 28.0, 1.0], "top", "{low:0.01,high:300.0,log:true}"),
        (C, [0.011, 0.01, 1.0, 1.0, 1.0], "bottom", "{low:0.001,high:30.0,log:true}"),
        ({"low": 0.0, "high": 0.5}, [0.0, 0.01, 0.0, 0.3, 0.2], "bottom", None),
        ({"low": 0.5, "high": 1.0}, [1.0, 0.99, 1.0, 0.7, 0.6], "top", None),
        ({"low": 0.0, "high": 0.6}, [0.6, 0.6, 0.6, 0.6, 0.6], "top", "{low:0.0,high:1.0}"),
        ({"low": 10, "high": 1000, "log": True}, [1000, 990, 900, 20, 30], "top", "{low:10,high:10000,log:true}"),
        ({"low": 1, "high": 9}, [9, 9, 9, 9, 4], "top", "{low:1,high:17}"),
        ({"low": 1, "high": 9}, [1, 1, 1, 1, 4], "bottom", None),
        ({"low": 2.0, "high": 9.0, "step": 2.0}, [8.0, 8.0, 8.0, 8.0, 4.0], "top", "{low:2.0,high:16.0,step:2.0}"),
        ([3, 5, 10, 20], [20, 20, 20, 20, 3], "top", "[3,5,10,20,40]"),
        ([1, 2, 3], [3, 3, 3, 3, 3], "top", "[1,2,3,4]"),
        ([1, 2, 3], [1, 1, 1, 1, 3], "bottom", None),
        ([0.3, 0.6, 1.0], [1.0, 1.0, 1.0, 1.0, 0.3], "top", None),
    ],
)
def test_a_value_at_the_edge_is_named_with_a_command_that_widens_it(
    tmp_path: Path, dimension: Any, chosen: list[float], end: str, override: str | None
) -> None:
    report = report_on(tmp_path, choosing(chosen), {"estimator.C": dimension})
    ((edge),) = report.edges
    assert (edge.name, edge.end, edge.of) == ("estimator.C", end, 5)
    assert edge.override == (None if override is None else f"model.search.estimator.C={override}")
    if override is None:
        assert "widen" not in edge.sentence
        return
    (word,) = shlex.split(edge.sentence.partition("widen it with ")[2])
    config = compose(["model=logreg", word], needs_task=False)
    wider = load_model("logreg", config.model_overrides).search.dimensions["estimator.C"]
    before = SearchSpace.parse({"estimator.C": dimension}, "test").dimensions["estimator.C"]
    place = 0 if end == "bottom" else -1
    assert type(wider) is type(before)
    assert sorted(wider.ends())[place] not in (before.ends()[place], None)
    assert sorted(wider.ends())[-1 - place] == sorted(before.ends())[-1 - place]


def test_the_sentence_is_the_documented_one(tmp_path: Path) -> None:
    report = report_on(tmp_path, choosing([25.0, 29.0, 30.0, 28.0, 1.0]), {"estimator.C": C})
    assert report.edges[0].sentence == (
        "estimator.C is at the top of its range (30) in 4 of 5 folds: "
        "widen it with 'model.search.estimator.C={low:0.01,high:300.0,log:true}'"
    )


@settings(max_examples=30)
@given(
    st.integers(-3, 6).map(lambda power: 10.0**-power),
    st.floats(1.5, 1e4),
    st.sampled_from(["log", "linear"]),
    st.booleans(),
    st.booleans(),
)
def test_what_widens_a_range_holds_it_and_is_of_its_kind(
    tmp_path_factory: pytest.TempPathFactory, low: float, ratio: float, scale: str, whole: bool, at_top: bool
) -> None:
    low, high = (max(1, round(low)), max(1, round(low)) + max(4, round(ratio))) if whole else (low, low * ratio)
    declared = {"low": low, "high": high} | ({"log": True} if scale == "log" else {})
    path = tmp_path_factory.mktemp("run")
    edges = report_on(path, choosing([high if at_top else low] * 5), {"estimator.C": declared}).edges
    assert [edge.end for edge in edges] == ["top" if at_top else "bottom"]
    if edges[0].override is None:
        return
    ((key, value),) = parse_overrides([edges[0].override]).items()
    wider = SearchSpace.parse({key.removeprefix("model.search."): value}, "word").dimensions["estimator.C"]
    assert isinstance(wider, Range)
    before = Range(low, high, scale == "log")
    assert (wider.log, wider.whole) == (before.log, before.whole)
    assert 0 < wider.low <= low
    assert high <= wider.high
    assert (wider.low, wider.high) != (low, high)


@pytest.mark.parametrize(
    ("dimension", "chosen"),
    [
        (C, [25.0, 1.0, 1.0, 1.0, 1.0]),
        ({"low": 1, "high": 3}, [3, 3, 3, 1, 2]),
        ([1, 2, 3], [3, 3, 3, 1, 2]),
        ([1, 2], [2, 2, 2, 2, 2]),
        ([False, True], [True] * 5),
        ([[2, 4], [2, 5], [3, 5]], [[3, 5]] * 5),
        ([None, 1, 2], [2] * 5),
        ([7], [7] * 5),
    ],
)
def test_what_chance_explains_or_has_no_order_is_no_edge(tmp_path: Path, dimension: Any, chosen: list[Any]) -> None:
    assert report_on(tmp_path, choosing(chosen), {"estimator.C": dimension}).edges == ()


def test_a_value_at_both_edges_is_not_settled_and_nothing_is_to_be_widened(tmp_path: Path) -> None:
    (edge,) = report_on(tmp_path, choosing([30.0, 30.0, 0.01, 0.01, 1.0]), {"estimator.C": C}).edges
    assert (edge.end, edge.override) == ("both", None)
    assert edge.sentence.endswith("in 2 and at the top in 2 of 5 folds: the data do not settle it")


def test_a_model_that_no_override_reaches_gets_none(tmp_path: Path) -> None:
    (edge,) = report_on(tmp_path, choosing([30.0] * 5), {"estimator.C": C}, origin="entry point logreg of x 1").edges
    assert edge.override is None


def test_it_is_said_how_far_the_folds_agree(tmp_path: Path) -> None:
    search = {"features.char.ngram_range": [[2, 4], [3, 5]]}
    report = report_on(tmp_path, choosing([[2, 4], [3, 5], [3, 5]], "features.char.ngram_range"), search)
    (parameter,) = report.parameters
    assert parameter.favourite == [3, 5]
    assert parameter.agreement == pytest.approx(2 / 3)
    (parameter,) = report_on(tmp_path, choosing([0.1, 1.0, 10.0]), {"estimator.C": C}).parameters
    assert parameter.spread == pytest.approx(2 / np.log10(3000))


SPACE = {"estimator.C": C, "estimator.class_weight": [None, "balanced"], "features.char.ngram_range": [[2, 4], [3, 5]]}


def drawn(score: Any, n_folds: int = 5, n_trials: int = 30, seed: int = 0) -> list[list[Trial]]:
    rng = np.random.default_rng(seed)
    space = SearchSpace.parse(SPACE, "test")
    folds = []
    for fold in range(n_folds):
        settings = [json.loads(json.dumps(space.sample(rng))) for _ in range(n_trials)]
        folds.append([Trial(n, params, fold + score(params, rng)) for n, params in enumerate(settings)])
    return folds


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("estimator.C", lambda params, rng: -abs(np.log(params["estimator.C"]))),
        ("estimator.class_weight", lambda params, rng: float(params["estimator.class_weight"] is None)),
        ("features.char.ngram_range", lambda params, rng: float(params["features.char.ngram_range"][0])),
    ],
)
def test_a_parameter_that_decides_everything_is_nearly_all_of_the_importance(
    tmp_path: Path, name: str, score: Any
) -> None:
    folder = write_cells(tmp_path, drawn(score))
    rows = importance(folder, record(SPACE))
    assert rows is not None
    assert rows[0].name == name
    assert rows[0].importance > 0.9
    assert rows[0].matters
    assert sum(row.importance for row in rows) == pytest.approx(1)
    assert rows == importance(folder, record(SPACE))


def test_importance_follows_the_sense_of_the_metric(tmp_path: Path) -> None:
    def score(params: dict[str, Any], rng: np.random.Generator) -> float:
        return 10.0 * (params["estimator.C"] > 3) + float(rng.normal())

    folds = drawn(score)
    turned = [[Trial(t.number, t.params, -t.score) for t in trials if t.score is not None] for trials in folds]
    folder, opposite = write_cells(tmp_path / "a", folds), write_cells(tmp_path / "b", turned)
    more = importance(folder, record(SPACE))
    assert more == importance(opposite, record(SPACE, metric="log_loss"))
    assert more != importance(folder, record(SPACE, metric="log_loss"))


@pytest.mark.slow
def test_on_noise_hardly_any_parameter_matters_though_importances_add_up_to_one(tmp_path: Path) -> None:
    found = []
    for seed in range(10):
        folder = write_cells(tmp_path / str(seed), drawn(lambda params, rng: rng.normal(), seed=seed))
        rows = importance(folder, record(SPACE))
        assert rows is not None
        assert sum(row.importance for row in rows) == pytest.approx(1)
        found += [row.matters for row in rows]
    assert sum(found) <= 4  # of 30; at a chance of 1 in 20 each, more come once in 64 times


def test_a_parameter_that_did_not_vary_is_left_out(tmp_path: Path) -> None:
    folds = drawn(lambda params, rng: rng.normal())
    for trial in itertools.chain(*folds):
        assert isinstance(trial.params, dict)
        trial.params["estimator.class_weight"] = None
    rows = importance(write_cells(tmp_path, folds), record(SPACE))
    assert rows is not None
    assert {row.name for row in rows} == {"estimator.C", "features.char.ngram_range"}


def test_from_few_trials_no_importance_is_made_up(tmp_path: Path) -> None:
    folds = drawn(lambda params, rng: rng.normal(), n_folds=1, n_trials=FEWEST_TRIALS)
    assert importance(write_cells(tmp_path / "enough", folds), record(SPACE)) is not None
    folds[0][3] = Trial(3, folds[0][3].params, None, "ValueError: no")
    assert importance(write_cells(tmp_path / "few", folds), record(SPACE)) is None


def test_a_stored_run_gives_plain_data_and_the_same_bytes(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    report = search_report(folder, folder.read_record(), folder.read_summary())
    assert report is not None
    assert from_json(SearchReport, to_json(plain(report)).encode()) == report
    again = search_report(folder, folder.read_record(), folder.read_summary())
    assert report == again
    assert (report.model, report.trials, report.failed, report.outer) == (
        "logreg",
        10,
        5,
        folder.read_summary().scores["macro_f1"],
    )


def test_the_table_fits_eighty_columns(tmp_path: Path) -> None:
    report = report_on(tmp_path, choosing([25.0, 29.0, 30.0, 28.0, 1.0]), {"estimator.C": C}, outer=0.4)
    console = Console(width=80, highlight=False)
    with console.capture() as capture:
        console.print(search_lines({"logreg (standard)": report, "other": report}))
    lines = capture.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["model", "trials", "inner", "outer", "gap", "enough", "at"]
    assert lines[1].split() == ["logreg", "(standard)", "1", "0.500", "0.400", "+0.100", "1"]
    assert "logreg (standard): estimator.C is at the top of its range (30) in 4 of 5" in "\n".join(lines)


class Guess(ClassifierMixin, BaseEstimator):
    """Draws a label for each text from the text and `ticket`, and learns nothing."""

    def __init__(self, ticket: int = 0) -> None:
        self.ticket = ticket

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Guess:
        self.classes_ = np.array(sorted(LABELS))
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        drawn = [hashlib.sha256(f"{self.ticket} {text}".encode()).digest()[0] for text in X["text"]]
        return self.classes_[np.array(drawn) % len(LABELS)]


@pytest.mark.slow
def test_searching_noise_shows_as_optimism(tmp_path: Path) -> None:
    task = text_task(n_groups=5, per_group=24)
    search = {"ticket": {"low": 0, "high": 100_000}}
    model = Model("guess", "test_search_report.Guess", search=SearchSpace.parse(search, "guess.yaml"))
    splits = outer_splits(task.codes, task.groups, "document", n_folds=5, seed=0, repeats=1)
    evaluation = Evaluation(task, model, splits, Search("test", 30), inner_folds=3, seed=0)
    folder = RunFolder(tmp_path / "0123456789ab")
    cells = [evaluate(evaluation, fold, FeatureCache(task.frame)) for fold in range(5)]
    for cell in cells:
        folder.write_cell(cell)
    report = search_report(folder, record(search), summarise(cells, task.labels, MACRO_F1))
    assert report is not None
    assert report.inner > 0.42
    assert report.outer < 0.4
    assert present(report.gap) > 0.05
