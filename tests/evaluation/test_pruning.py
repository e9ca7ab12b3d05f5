"""Costly searches: bad settings are stopped early, the model's own setting is tried first, and groups reach ``fit``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quiet import Quiet
from scores import LABEL_METRICS, LOWER_IS_BETTER, label_scores, probability_scores
from simulated import Simulated, searched
from sklearn.base import BaseEstimator, ClassifierMixin
from small_tasks import LABELS, text_task
from stored import a_record, a_summary

from bench.catalogue import load_model
from bench.comparison.search import search_report
from bench.config import Search, compose
from bench.data.splits import outer_splits
from bench.discovery import config_files
from bench.errors import ModelError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.rounds import Fit
from bench.evaluation.search import PRUNING_STARTS, best_of
from bench.features.cache import FeatureCache
from bench.metrics.confusion import confusion_matrix
from bench.models.model import Model
from bench.models.space import SearchSpace
from bench.results.cell import FINAL, CellResult
from bench.results.journal import ScoredSetting
from bench.results.store import RunFolder
from bench.running.runner import run
from bench.tracking.artifacts import write_artifacts

SPACE = {"estimator.share": {"low": 0.0, "high": 1.0}}


class Guess(ClassifierMixin, BaseEstimator):
    """Right for a share of the examples, drawn by their number; keeps the groups that it was given."""

    def __init__(self, share: float = 1.0) -> None:
        self.share = share

    def fit(self, X: pd.DataFrame, y: np.ndarray, groups: np.ndarray | None = None) -> Guess:
        if self.share < 0:
            raise ValueError("this way is closed")
        self.classes_ = np.unique(y)
        self.groups_ = None if groups is None else np.asarray(groups).astype(str).tolist()
        self.texts_ = X["text"].tolist()
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        numbers = X["text"].str.extract(r"رقم(\d+)")[0].astype(int).to_numpy()
        right = numbers % len(LABELS)
        chosen = np.where(numbers * 7 % 10 / 10 >= self.share, (right + 1) % len(LABELS), right)
        rows = np.full((len(X), len(LABELS)), 0.1)
        rows[np.arange(len(X)), chosen] = 0.8
        return rows

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class WithoutGroups(Guess):
    """The same with a ``fit`` that knows no groups."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> WithoutGroups:  # type: ignore[override]
        super().fit(X, y)
        return self


class Texts(BaseEstimator):
    """Features that leave the frame as it is."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Texts:
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        return X

    def fit_transform(self, X: pd.DataFrame, y: object = None) -> pd.DataFrame:
        return X


def guess(search: dict[str, Any] | None = None, prune: bool = False, estimator: str = "Guess", **changes: Any) -> Model:
    space = SearchSpace.parse(search, "guess.yaml")
    return Model("guess", f"test_pruning.{estimator}", search=space, prune=prune, **changes)


def evaluation(model: Model, trials: int = 12, metric: str = "macro_f1", groups: int = 5) -> Evaluation:
    task = text_task(n_groups=groups, per_group=12, metric=metric)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    return Evaluation(task, model, splits, Search("test", trials), 3, seed=1)


def cell(model: Model, fold: int | Literal["final"] = 0, **changes: Any) -> CellResult:
    each = evaluation(model, **changes)
    return evaluate(each, fold, FeatureCache(each.task.frame))


CURVES = st.integers(1, 4).flatmap(
    lambda folds: st.lists(
        st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8]), min_size=folds, max_size=folds), min_size=1, max_size=12
    )
)


def simulated(curves: list[list[float]], model: Model, batch: int, fails: frozenset[int], minimise: bool) -> Simulated:
    """A search over settings with the given scores after each inner fold."""

    def curve(fit: Fit) -> float:
        if fit.number in fails:
            raise ValueError("this way is closed")
        return curves[fit.number][fit.part]

    search = Search("test", len(curves), batch=batch)
    simulation = Simulated(curve, model, search, minimise=minimise, folds=len(curves[0]))
    simulation.run()
    return simulation


def expected(curves: list[list[float]], batch: int, fails: frozenset[int], minimise: bool) -> dict[int, int | None]:
    """After how many inner folds each setting is stopped."""
    stops: dict[int, int | None] = {}
    complete = list[list[float]]()
    for start in range(0, len(curves), batch):
        going = {n: curves[n] for n in range(start, min(start + batch, len(curves))) if n not in fails}
        for fold in range(1, len(curves[0])):
            stopped = []
            for number, curve in going.items():
                others = [other[fold - 1] for other in complete]
                others += [other[fold - 1] for n, other in going.items() if n != number]
                best = (min if minimise else max)(curve[:fold])
                if len(others) >= PRUNING_STARTS:
                    middle = np.median(others)
                    stopped += [number] if (best > middle if minimise else best < middle) else []
            for number in stopped:
                stops[number] = fold
                del going[number]
        complete += going.values()
    return stops


@pytest.mark.slow
@settings(max_examples=150)
@given(CURVES, st.integers(1, 13), st.booleans(), st.frozensets(st.integers(0, 11), max_size=3))
def test_a_setting_is_stopped_where_its_best_so_far_is_worse_than_the_median_of_the_others(
    curves: list[list[float]], batch: int, minimise: bool, fails: frozenset[int]
) -> None:
    simulation = simulated(curves, guess(SPACE, prune=True), batch, fails, minimise)
    stops = expected(curves, batch, fails, minimise)
    found = simulation.rounds.searched
    assert found is not None
    for trial, curve in zip(found.trials, curves, strict=True):
        if trial.number in fails:
            assert (trial.score, trial.pruned_after, trial.failed) == (None, None, True)
            continue
        stop = stops.get(trial.number)
        assert (trial.pruned_after, trial.inner_folds) == (stop, None if stop is None else len(curve))
        assert trial.score == (curve[-1] if stop is None else None)
        assert trial.error is None
        assert simulation.done[trial.number] == (stop or len(curve))


@pytest.mark.slow
@settings(max_examples=100)
@given(CURVES, st.booleans())
def test_one_by_one_the_rule_is_that_of_optuna(curves: list[list[float]], minimise: bool) -> None:
    study = optuna.create_study(
        direction="minimize" if minimise else "maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNING_STARTS, n_warmup_steps=0),
    )
    found = simulated(curves, guess(SPACE, prune=True), 1, frozenset(), minimise).rounds.searched
    assert found is not None
    for trial, curve in zip(found.trials, curves, strict=True):
        asked, stop = study.ask(), None
        for fold, score in enumerate(curve[:-1], start=1):
            asked.report(score, fold)
            if asked.should_prune():
                stop = fold
                break
        asked.report(curve[-1], len(curve))
        study.tell(asked, *([curve[-1]] if stop is None else [None, optuna.trial.TrialState.PRUNED]))
        assert trial.pruned_after == stop


@settings(max_examples=50)
@given(CURVES, st.booleans())
def test_without_pruning_every_setting_is_scored_in_full(curves: list[list[float]], minimise: bool) -> None:
    simulation = simulated(curves, guess(SPACE), 8, frozenset(), minimise)
    found = simulation.rounds.searched
    assert found is not None
    assert [trial.score for trial in found.trials] == [curve[-1] for curve in curves]
    assert [simulation.done[trial.number] for trial in found.trials] == [len(curve) for curve in curves]
    assert all(trial.pruned_after is None for trial in found.trials)


def by_hand(each: Evaluation, fold: Any, params: Mapping[str, Any]) -> float:
    """The score of a setting from its predictions of all inner folds."""
    task = each.task
    true, predicted, probabilities = [], [], []
    for split in each.inner_splits(fold):
        fitted = each.model.build(params, task, 0).fit(task.frame.iloc[split.train], task.y[split.train])
        true.append(task.codes[split.test])
        probabilities.append(fitted.predict_proba(task.frame.iloc[split.test]))
        predicted.append(probabilities[-1].argmax(axis=1))
    if task.metric in LABEL_METRICS:
        confusion = confusion_matrix(np.concatenate(true), np.concatenate(predicted), len(task.labels))
        return float(label_scores(confusion)[task.metric])
    return probability_scores(np.concatenate(probabilities), np.concatenate(true))[task.metric]


@pytest.mark.parametrize("metric", ["macro_f1", "log_loss"])
@pytest.mark.parametrize("fold", [0, FINAL])
def test_the_chosen_setting_is_scored_by_the_predictions_of_all_inner_folds(metric: str, fold: Any) -> None:
    each = evaluation(guess(SPACE, prune=True), trials=25, metric=metric)
    result = evaluate(each, fold, FeatureCache(each.task.frame))
    scored = [trial for trial in result.trials if trial.score is not None]
    stopped = [trial for trial in result.trials if trial.pruned_after is not None]
    assert len(scored) + len(stopped) == 25
    assert len(stopped) >= 5
    for trial in scored:
        assert trial.score == pytest.approx(by_hand(each, fold, trial.params), abs=1e-12)
    best = (min if metric in LOWER_IS_BETTER else max)(trial.score for trial in scored if trial.score is not None)
    assert result.inner_score == best
    assert result.params == next(trial.params for trial in scored if trial.score == best)
    assert result.notes == []


@pytest.mark.parametrize("metric", ["macro_f1", "log_loss"])
def test_pruning_changes_nothing_before_it_stops_a_setting(metric: str) -> None:
    pruned = cell(guess(SPACE, prune=True), trials=20, metric=metric).trials
    whole = cell(guess(SPACE), trials=20, metric=metric).trials
    first = next(trial.number for trial in pruned if trial.pruned_after is not None)
    assert first >= PRUNING_STARTS
    assert pruned[:first] == whole[:first]
    assert pruned[first].params == whole[first].params


def test_one_setting_that_is_scored_in_full_is_enough() -> None:
    space = SearchSpace.parse(SPACE, "guess.yaml")
    scored = [ScoredSetting(0, {"estimator.share": 0.7}, 0.5, steps=(0.4, 0.5))]
    scored += [ScoredSetting(n, {"estimator.share": 0.1}, steps=(0.2,)) for n in (1, 2)]
    found = best_of(space, scored, 2, minimise=False)
    assert (found.params, found.score, found.notes) == ({"estimator.share": 0.7}, 0.5, [])


def test_a_setting_that_was_stopped_is_stored_and_shown_as_such(tmp_path: Path) -> None:
    each = evaluation(guess(SPACE, prune=True), trials=15)
    folder = RunFolder(tmp_path / "run")
    results = [evaluate(each, fold, FeatureCache(each.task.frame)) for fold in range(5)]
    for result in results:
        folder.write_cell(result)
        assert folder.read_cell(result.fold).trials == result.trials
    search = {"estimator.share": {"low": 0.0, "high": 1.0}}
    record = a_record({"name": "small", "labels": list(LABELS)}, name="guess", search=search)
    folder.write_record(record)
    stopped = [trial for result in results for trial in result.trials if trial.pruned_after is not None]
    assert all(trial.inner_folds == 4 for trial in stopped)

    report = search_report(folder, record, a_summary({"macro_f1": 0.5}, [{"fold": fold} for fold in range(5)]))
    assert report is not None
    assert report.failed == 0
    assert report.stopped.trials == len(stopped) > 0
    after_one = sum(trial.pruned_after == 1 for trial in stopped)
    assert f"of 75 settings the search stopped {after_one} after 1 of 4 inner folds" in report.stopped.sentence

    (tmp_path / "artifacts").mkdir()
    write_artifacts(tmp_path / "artifacts", folder, None, results, "")
    table = pd.read_csv(tmp_path / "artifacts" / "search.csv")
    assert table["stopped"].notna().sum() == len(stopped)
    assert table.loc[table["stopped"].notna(), "score"].isna().all()
    assert "after 1 of 4 inner folds" in set(table["stopped"])


def test_trials_that_were_not_stopped_are_stored_as_they_always_were(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_cell(cell(guess(SPACE), trials=2))
    stored = json.loads((folder.cell_path(0) / "result.json").read_text("utf-8"))
    assert [sorted(trial) for trial in stored["trials"]] == [["error", "number", "params", "score"]] * 2
    assert [trial.pruned_after for trial in folder.read_cell(0).trials] == [None, None]


def test_a_model_says_in_its_file_whether_it_is_pruned() -> None:
    definition = {"name": "mine", "estimator": "test_pruning.Guess"}
    assert not Model.parse(definition, "mine.yaml", "mine").prune
    assert Model.parse(definition | {"prune": True}, "mine.yaml", "mine").prune
    with pytest.raises(ModelError, match=r"mine.yaml: 'prune' must be true or false, not 'yes'."):
        Model.parse(definition | {"prune": "yes"}, "mine.yaml", "mine")


@pytest.mark.parametrize(
    ("params", "search", "first"),
    [
        ({"share": 0.5}, {"estimator.share": {"low": 0.0, "high": 1.0}}, {"estimator.share": 0.5}),
        ({"estimator.share": 1}, {"share": {"low": 0.5, "high": 1.0}}, {"share": 1.0}),
        ({"share": 0.4}, {"share": [0.1, 0.4]}, {"share": 0.4}),
        ({"share": 0.5}, {"share": [0.1, 0.4]}, None),
        ({"share": 0.5}, {"share": {"low": 0.6, "high": 1.0}}, None),
        ({"share": 0.5}, {"share": {"low": 0.1, "high": 0.9, "step": 0.2}}, {"share": 0.5}),
        ({"share": 0.6}, {"share": {"low": 0.1, "high": 0.9, "step": 0.2}}, None),
        ({"share": True}, {"share": {"low": 0, "high": 1}}, None),
        ({"share": 0.5}, {"share": {"low": 0, "high": 1}}, None),
        ({}, {"share": {"low": 0.0, "high": 1.0}}, None),
        ({"share": 0.5}, None, None),
    ],
)
def test_the_models_own_setting_is_tried_first_where_the_search_could_draw_it(
    params: dict[str, Any], search: dict[str, Any] | None, first: dict[str, Any] | None
) -> None:
    model = guess(search, params=params)
    assert model.first_setting == first
    if search is not None:
        trials = searched(lambda *_: 0.0, model, Search("test", 3, batch=2)).trials
        without = searched(lambda *_: 0.0, guess(search), Search("test", 3, batch=2)).trials
        assert (trials[0].params == first) if first is not None else (trials == without)


def test_a_first_setting_may_hold_lists() -> None:
    search = SearchSpace.parse({"features.ngram_range": [[1, 2], [2, 4]], "C": {"low": 1, "high": 8}}, "m.yaml")
    model = Model("m", "a.B", features="words", params={"features.ngram_range": (2, 4), "C": 3}, search=search)
    trial, *_ = searched(lambda *_: 0.0, model, Search("test", 2)).trials
    assert trial.params == {"features.ngram_range": (2, 4), "C": 3} == model.first_setting


@given(st.data())
def test_the_search_holds_whatever_it_draws(data: st.DataObject) -> None:
    space = SearchSpace.parse(
        {
            "a": {"low": 0.01, "high": 10.0, "log": True},
            "b": {"low": 0.0, "high": 1.0, "step": 0.1},
            "c": {"low": 3, "high": 30, "step": 3},
            "d": [None, "x", 2, 0.5, True],
            "e": [[1, 2], [2, 3]],
        },
        "m.yaml",
    )
    drawn = space.sample(np.random.default_rng(data.draw(st.integers(0, 10**6))))
    assert space.holds(drawn)
    wrong = data.draw(st.sampled_from([("a", 11.0), ("b", 0.55), ("c", 4), ("d", 1), ("e", (1, 3)), ("a", "1")]))
    assert not space.holds({**drawn, **dict([wrong])})
    assert not space.holds({name: value for name, value in drawn.items() if name != wrong[0]})


def test_the_models_that_came_before_pruning_have_no_first_setting_and_are_not_pruned() -> None:
    earlier = "complement-nb encoder-logreg gradient-boosting lexicon linear-svm logreg majority stratified".split()
    assert set(earlier) <= set(config_files("model"))
    for name in earlier:
        model = load_model(name)
        assert (model.prune, model.first_setting) == (False, None)


@pytest.mark.parametrize("features", [None, "test_pruning.Texts"])
def test_fit_is_given_the_groups_of_the_training_rows(features: str | None) -> None:
    fitted: list[tuple[list[str], list[str]]] = []
    fit = Guess.fit

    def watched(self: Guess, X: pd.DataFrame, y: np.ndarray, groups: np.ndarray | None = None) -> Guess:
        fit(self, X, y, groups)
        assert self.groups_ is not None
        fitted.append((self.texts_, self.groups_))
        return self

    each = evaluation(guess(SPACE, features=features), trials=2)
    group_of = dict(zip(each.task.frame["text"], each.task.groups.astype(str), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Guess, "fit", watched)
        for fold in (0, FINAL):
            assert evaluate(each, fold, FeatureCache(each.task.frame)).status == "ok"
    assert len(fitted) == 2 * 4 + 1 + 2 * 5 + 1
    for texts, groups in fitted:
        assert groups == [group_of[text] for text in texts]
    assert len(set(fitted[8][1])) == 4


def test_a_fit_without_groups_is_given_none() -> None:
    assert cell(guess(estimator="WithoutGroups")).status == "ok"


@pytest.mark.slow
def test_without_a_search_a_model_is_fitted_with_its_own_params(tmp_path: Path, bench: Any) -> None:
    result = cell(guess(SPACE, params={"share": 0.5}), trials=0)
    assert (result.status, result.params, result.trials, result.inner_score) == ("ok", {}, [], None)
    assert result.scores == cell(guess(params={"share": 0.5}), trials=0).scores

    words = ["task=denial", f"results={tmp_path}", "model=complement-nb,majority"]
    for search in ("search=none", "search.trials=1"):
        run(compose([*words, search, "tracking=false"]), Quiet())
    status, out, err = bench("compare", "task=denial", f"results={tmp_path}")
    assert (status, err) == (0, "")
    assert "complement-nb" in out
    (folder,) = [
        path.parent
        for path in tmp_path.glob("denial/complement-nb/*/run.json")
        if json.loads(path.read_text("utf-8"))["search"]["name"] == "none"
    ]
    assert RunFolder(folder).read_cell(FINAL).status == "ok"
    (board,) = tmp_path.glob("denial/**/leaderboard.md")
    assert "| none |" in board.read_text("utf-8")
    status, out, err = bench("report", "task=denial", f"results={tmp_path}", "--output", str(tmp_path / "page.html"))
    assert (status, err) == (0, "")
    curve = ("curve", "task=denial", "model=complement-nb", "search=none", f"results={tmp_path}")
    assert bench(*curve)[0] == 0


def test_an_invalid_setting_in_a_pruned_search_is_a_failure_and_not_stopped() -> None:
    result = cell(guess({"share": {"low": -1.0, "high": 1.0}}, prune=True), trials=25)
    failed = [trial for trial in result.trials if trial.failed]
    assert failed
    assert all(trial.error == "ValueError: this way is closed" for trial in failed)
    assert any(trial.pruned_after is not None for trial in result.trials)
    assert result.notes == [f"{len(failed)} settings failed; the first: ValueError: this way is closed"]
