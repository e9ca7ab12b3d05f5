"""The search tries the settings that its seed decides, survives those that fail, and chooses the best of the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from present import present
from simulated import Simulated, searched
from sklearn.base import BaseEstimator, ClassifierMixin
from small_tasks import LABELS, text_task

from bench.catalogue import load_model
from bench.config import Search
from bench.data.splits import Split, outer_splits
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.fitting import Fitter
from bench.evaluation.rounds import Fit
from bench.evaluation.search import best_of
from bench.features.cache import FeatureCache
from bench.metrics.registry import METRICS
from bench.models.model import Model
from bench.models.space import SearchSpace
from bench.results.cell import CellResult, Fold, Trial
from bench.results.journal import ScoredSetting

SPACE = {"share": {"low": 0.0, "high": 1.0}, "way": ["plain", "raise"], "place": {"low": 0, "high": 9}}


def model(search: dict[str, Any] | None = None, **params: Any) -> Model:
    return Model("partial", "test_search.Partial", params=params, search=SearchSpace.parse(search, "partial.yaml"))


def budget(trials: int, timeout: float | None = None) -> Search:
    return Search("test", trials, timeout)


class Partial(ClassifierMixin, BaseEstimator):
    """Right for a share of the examples, by their number; fails or gives nonsense where it is told to."""

    def __init__(self, share: float = 1.0, way: str = "plain", place: int = 0, random_state: int | None = None) -> None:
        self.share, self.way, self.place, self.random_state = share, way, place, random_state

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Partial:
        if self.way == "raise":
            raise ValueError("this way is closed")
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        numbers = X["text"].str.extract(r"رقم(\d+)")[0].astype(int).to_numpy()
        right = numbers % len(LABELS)
        wrong = numbers % 10 / 10 >= self.share
        chosen = np.where(wrong, (right + 1) % len(LABELS), right)
        given_rows = np.full((len(X), len(LABELS)), 0.1)
        given_rows[np.arange(len(X)), chosen] = 0.8
        return given_rows[:, [LABELS.index(name) for name in self.classes_]]

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def evaluate_fold(model: Model, trials: int = 12, fold: Fold = 0, **changes: Any) -> CellResult:
    task = text_task(n_groups=4, per_group=15, **changes)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    return evaluate(Evaluation(task, model, splits, budget(trials), 3, seed=1), fold, FeatureCache(task.frame))


def by_share(fit: Fit) -> float:
    return float(fit.params["share"])


def test_the_same_seed_tries_the_same_settings_and_another_seed_others() -> None:
    def trials(seed: int) -> list[Trial]:
        return searched(by_share, model(SPACE), budget(20), seed=seed).trials

    assert trials(3) == trials(3)
    assert trials(3) != trials(4)
    assert [trial.number for trial in trials(3)] == list(range(20))


def test_a_longer_search_begins_like_a_shorter_one() -> None:
    short, long = (searched(by_share, model(SPACE), budget(n)).trials for n in (5, 15))
    assert long[:5] == short


@pytest.mark.parametrize("minimise", [False, True])
@pytest.mark.parametrize("batch", [1, 8])
def test_the_search_learns_in_the_right_direction(minimise: bool, batch: int) -> None:
    trials = searched(by_share, model(SPACE), Search("test", 60, batch=batch), minimise=minimise).trials
    late = np.mean([trial.score for trial in trials[30:]])
    assert late < 0.3 if minimise else late > 0.7


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans(), st.integers(1, 9), st.integers(1, 20), st.integers(1, 4), st.booleans())
def test_the_search_is_the_same_in_whatever_order_its_fits_run_and_wherever_it_is_taken_up_again(
    data: st.DataObject, prune: bool, batch: int, trials: int, folds: int, minimise: bool
) -> None:
    def curve(fit: Fit) -> float:
        share, place = fit.params["share"], fit.params["place"]
        if fit.params["way"] == "raise" and fit.part >= place % folds:
            raise ValueError(f"this way is closed from {fit.part} on")
        return round(share * 10 + fit.part * place) % 7 / 7

    searching = replace(model(SPACE), prune=prune), Search("test", trials, batch=batch)
    expected = searched(curve, *searching, minimise=minimise, folds=folds)
    interrupted = Simulated(curve, *searching, minimise=minimise, folds=folds)
    for _ in range(data.draw(st.integers(0, 30))):
        if interrupted.rounds.searched is not None:
            break
        ready = interrupted.rounds.ready()
        interrupted.fit(ready[data.draw(st.integers(0, len(ready) - 1))])
    known = data.draw(st.permutations(interrupted.scored))
    resumed = Simulated(curve, *searching, minimise=minimise, folds=folds, known=known)
    found = resumed.run(lambda ready: data.draw(st.integers(0, len(ready) - 1)))
    assert found == expected
    assert not {each.number for each in known} & {each.number for each in resumed.scored}
    assert not {each.number for each in known} & resumed.done.keys()


def test_a_setting_that_fails_is_recorded_with_its_first_reason_and_the_search_goes_on() -> None:
    def curve(fit: Fit) -> float:
        if fit.params["way"] == "raise" and fit.part >= 1:
            raise ValueError(f"this way is closed from {fit.part} on")
        return float(fit.params["share"])

    trials = Simulated(curve, model(SPACE), budget(30), folds=3).run(lambda ready: len(ready) - 1).trials
    assert len(trials) == 30
    assert {trial.params["way"] for trial in trials} == {"plain", "raise"}
    for trial in trials:
        closed = trial.params["way"] == "raise"
        assert trial.score == (None if closed else trial.params["share"])
        assert trial.error == ("ValueError: this way is closed from 1 on" if closed else None)


def test_a_score_that_is_no_number_fails_its_setting() -> None:
    (trial,) = searched(lambda *_: float("nan"), model(SPACE), budget(1)).trials
    assert (trial.score, trial.error) == (None, "ValueError: its given is nan")


@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize("batch", [1, 8, 100])
def test_the_search_stops_at_its_time_limit_but_never_before_one_setting_was_tried(batch: int, prune: bool) -> None:
    def tried(limit: float) -> int:
        search = Search("test", 1000, limit, batch)
        return len(searched(lambda *_: 0.0, replace(model(SPACE), prune=prune), search, seconds=3.0).trials)

    assert tried(10.0) == 4
    assert tried(1e-9) == 1


@settings(max_examples=40)
@given(
    st.lists(st.none() | st.sampled_from([0.1, 0.5, 0.9]), min_size=1, max_size=8).filter(lambda s: set(s) != {None}),
    st.booleans(),
)
def test_the_best_score_wins_and_of_equal_ones_the_first(scores: list[float | None], minimise: bool) -> None:
    space = SearchSpace.parse({"place": {"low": 0, "high": 9}}, "partial.yaml")
    scored = [
        ScoredSetting(number, {"place": number}, score, None if score is not None else "ValueError: no")
        for number, score in enumerate(scores)
    ]
    found = best_of(space, scored, 3, minimise)
    valid = [score for score in scores if score is not None]
    best = min(valid) if minimise else max(valid)
    assert found.score == best
    assert found.params == {"place": scores.index(best)}


@pytest.mark.parametrize("metric", [each.name for each in METRICS])
def test_the_search_finds_the_better_settings_by_every_metric(metric: str) -> None:
    result = evaluate_fold(model({"share": [0.2, 0.6, 1.0]}), metric=metric)
    assert result.params == {"share": 1.0}
    assert result.scores["macro_f1"] == 1.0


def test_the_inner_score_is_that_of_the_pooled_inner_predictions() -> None:
    result = evaluate_fold(model({"share": [0.6]}), trials=1, metric="accuracy")
    task = text_task(n_groups=4, per_group=15)
    held_out = task.groups == sorted(set(task.groups))[0]
    numbers = task.examples["text"].str.extract(r"رقم(\d+)")[0].astype(int).to_numpy()
    assert result.inner_score == pytest.approx(np.mean(numbers[~held_out] % 10 < 6))
    assert result.scores["accuracy"] == pytest.approx(np.mean(numbers[held_out] % 10 < 6))


def test_the_best_of_the_settings_that_work_wins_and_the_failures_are_noted() -> None:
    result = evaluate_fold(model({"way": ["raise", "plain"], "share": [0.3, 1.0]}), trials=20)
    assert result.status == "ok"
    assert result.params == {"way": "plain", "share": 1.0}
    failed = sum(trial.score is None for trial in result.trials)
    assert failed > 0
    assert f"{failed} settings failed; the first: ValueError: this way is closed" in result.notes


def test_a_search_in_which_every_setting_fails_fails_the_cell_with_the_reason() -> None:
    result = evaluate_fold(model({"share": [0.3, 1.0]}, way="raise"), trials=4)
    assert (result.status, result.predictions, result.scores, result.inner_score) == ("failed", None, {}, None)
    assert "all 4 settings failed; the first: ValueError: this way is closed" in (result.error or "")
    assert [trial.error for trial in result.trials] == ["ValueError: this way is closed"] * 4


def test_a_model_that_fails_without_a_search_fails_the_cell_with_its_traceback() -> None:
    result = evaluate_fold(model(way="raise"))
    assert (result.status, result.trials) == ("failed", [])
    assert "ValueError: this way is closed" in (result.error or "")
    assert "Traceback" in (result.error or "")


def test_a_metric_of_probabilities_needs_them() -> None:
    search = SearchSpace.parse({"estimator.C": [0.3, 1.0]}, "blind.yaml")
    blind = Model("blind", "sklearn.svm.LinearSVC", features="tfidf", search=search)
    result = evaluate_fold(blind, trials=2, metric="log_loss")
    assert "the metric log_loss needs probabilities, but blind gives none" in (result.error or "")


def test_a_model_without_a_space_is_fitted_once_with_what_it_has() -> None:
    result = evaluate_fold(model())
    assert (result.status, result.params, result.inner_score, result.trials) == ("ok", {}, None, [])


def test_the_search_never_sees_the_outer_test_part(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()
    fit = Fitter.fit

    def watched(fitter: Fitter, params: dict[str, Any], split: Split) -> Any:
        if set(split.test.tolist()) != set(range(15)):
            seen.update(split.train.tolist(), split.test.tolist())
        else:
            assert set(split.train.tolist()) == set(range(15, 60))
        return fit(fitter, params, split)

    monkeypatch.setattr(Fitter, "fit", watched)
    assert evaluate_fold(model({"share": [0.3, 1.0]})).status == "ok"
    assert seen == set(range(15, 60))


def test_training_on_one_group_is_noted_and_nothing_is_searched() -> None:
    task = text_task(n_groups=2, per_group=15)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    result = evaluate(
        Evaluation(task, model({"share": [0.3]}), splits, budget(4), 3, seed=1), 0, FeatureCache(task.frame)
    )
    assert result.notes == ["training has one group, which inner folds cannot split, so there was no search"]
    assert (result.status, result.params, result.trials) == ("ok", {}, [])


def test_labels_that_training_lacks_are_noted() -> None:
    examples = text_task(n_groups=2, per_group=6).examples
    examples["label"] = ["none"] * 4 + ["denial"] * 2 + ["none"] * 6
    task = text_task(examples=examples)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    result = evaluate(Evaluation(task, model(), splits, budget(4), 3, seed=1), 0, FeatureCache(task.frame))
    assert result.notes == [
        "training lacks denial, so such test examples cannot be predicted correctly",
        "training has a single label, which is always predicted",
    ]
    assert result.predictions is not None
    assert result.predictions["predicted"].tolist() == ["none"] * 6
    assert result.scores["accuracy"] == pytest.approx(4 / 6)


def test_a_label_that_training_lacks_is_not_said_to_be_lost_on_a_model_that_knows_it_anyway() -> None:
    examples = text_task(n_groups=3, per_group=6).examples
    examples["label"] = ["none", "denial"] * 6 + ["none", "non_confirmation"] * 3
    task = text_task(examples=examples)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    notes = {
        name: evaluate(
            Evaluation(task, load_model(name, {}), splits, budget(0), 3, seed=1), 2, FeatureCache(task.frame)
        ).notes
        for name in ("lexicon", "majority")
    }
    lost = "training lacks non_confirmation, so such test examples cannot be predicted correctly"
    assert notes == {"lexicon": [], "majority": [lost]}


@pytest.mark.slow
def test_a_cell_is_the_same_each_time_whatever_was_evaluated_before() -> None:
    logreg = Model(
        "logreg",
        "sklearn.linear_model.LogisticRegression",
        features="tfidf",
        search=SearchSpace.parse({"estimator.C": {"low": 0.1, "high": 10.0, "log": True}}, "logreg.yaml"),
    )
    task = text_task(n_groups=4, per_group=9)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    shared = Evaluation(task, logreg, splits, budget(3), 3, seed=1)
    cache = FeatureCache(task.frame)
    forward = {fold: evaluate(shared, fold, cache) for fold in (0, 1, 2)}
    for fold in (2, 0, 1):
        alone = evaluate(shared, fold, FeatureCache(task.frame))
        assert alone.trials == forward[fold].trials
        assert alone.scores == forward[fold].scores
        pd.testing.assert_frame_equal(present(alone.predictions), present(forward[fold].predictions), check_exact=True)
