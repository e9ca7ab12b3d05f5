"""A published split is used as published: trained on train, searched on dev, test scored once and whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from present import present
from sklearn.base import BaseEstimator, TransformerMixin
from small_tasks import text_task
from spying import Spy

from bench.config import Search, Validation, compose
from bench.data.duplicates import duplicate_keys, settle_splits
from bench.data.splits import published_splits, verify_inputs
from bench.data.task import ROLES, Task
from bench.errors import LeakageError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.models import Model
from bench.models.persistence import loads
from bench.planning import split_task as split_module
from bench.results.protocol import deciding
from bench.results.record import SplitSizes


def split_task(columns: int = 1, dev: bool = True) -> Task:
    """Twenty-four texts, in each split another third is test, and a sixth dev where there is one."""
    task = text_task()
    place = np.arange(len(task))
    names = ["split"] if columns == 1 else [f"fold-{number + 1}" for number in range(columns)]
    for number, name in enumerate(names):
        part = (place + 8 * number) % 24
        roles = np.where(part < 8, "test", np.where((part < 12) & dev, "dev", "train"))
        task.examples[name] = roles
    return text_task(examples=task.examples, splits=tuple(names))


def texts(task: Task, column: str, role: str) -> set[str]:
    return set(task.examples["text"][task.examples[column] == role])


def evaluation_of(task: Task, model: Model, trials: int = 4) -> Evaluation:
    splits = published_splits([task.examples[name].to_numpy(dtype=object) for name in task.splits])
    return Evaluation(task, model, splits, Search("test", trials), 3, 0, keeps_model=len(splits) == 1)


def test_settings_are_fitted_on_train_and_chosen_on_dev_and_test_is_scored_once(spy: Model) -> None:
    task = split_task()
    result = evaluate(evaluation_of(task, spy), 0, FeatureCache(task.frame))
    assert result.error is None
    assert Spy.fitted == [texts(task, "split", "train")] * 5  # four settings, and the chosen one
    assert Spy.predicted == [texts(task, "split", "dev")] * 4 + [texts(task, "split", "test")]
    assert set(present(result.predictions)["id"]) == set(task.examples["id"][task.examples["split"] == "test"])


def test_without_a_dev_part_settings_are_chosen_inside_train(spy: Model) -> None:
    task = split_task(dev=False)
    assert evaluate(evaluation_of(task, spy), 0, FeatureCache(task.frame)).error is None
    *searched, final = Spy.fitted
    assert final == texts(task, "split", "train")
    assert all(shown < final for shown in searched)
    assert not any(shown & texts(task, "split", "test") for shown in (*Spy.fitted, *Spy.predicted[:-1]))


def test_each_published_fold_is_a_split_of_its_own(spy: Model) -> None:
    task = split_task(columns=3)
    for fold, name in enumerate(task.splits):
        assert evaluate(evaluation_of(task, spy, trials=1), fold, FeatureCache(task.frame)).error is None
        assert Spy.fitted[-1] == texts(task, name, "train")
        assert Spy.predicted[-1] == texts(task, name, "test")


@pytest.mark.parametrize("features", ["tfidf", None])
def test_the_stored_model_is_the_one_that_was_scored(features: str | None) -> None:
    task = split_task()
    estimator = "sklearn.linear_model.LogisticRegression" if features else "bench.models.lexicon.LexiconClassifier"
    definition = {"name": "mine", "estimator": estimator} | ({"features": features} if features else {})
    model = Model.parse(definition, "mine.yaml", "mine")
    result = evaluate(evaluation_of(task, model), 0, FeatureCache(task.frame))
    assert result.estimator is not None, result.notes
    test = task.frame[task.examples["split"] == "test"]
    assert loads(result.estimator, model).predict(test).tolist() == present(result.predictions)["predicted"].tolist()


@given(
    st.lists(st.tuples(st.sampled_from("ابجده"), st.sampled_from([*ROLES, ""])), min_size=1, max_size=30).map(
        lambda rows: pd.DataFrame({"id": [str(n) for n in range(len(rows))], "text": [a for a, _ in rows]}).assign(
            label="x", split=[b for _, b in rows]
        )
    )
)
def test_no_input_of_test_is_seen_before_and_test_stays_whole(frame: pd.DataFrame) -> None:
    settled, _, notes, _ = settle_splits(frame, ("text",), None, ["split"])
    seen = {role: settled["text"][settled["split"] == role].tolist() for role in ROLES}
    assert seen["test"] == frame["text"][frame["split"] == "test"].tolist()
    assert not {*seen["train"], *seen["dev"]} & set(seen["test"])
    assert not set(seen["train"]) & set(seen["dev"])
    assert len(set(seen["train"])) == len(seen["train"])
    assert {*seen["train"], *seen["dev"], *seen["test"]} == set(frame["text"][frame["split"] != ""])
    assert sum(int(note.partition(" of ")[0]) for note in notes) == len(frame) - len(settled)


def test_a_test_input_where_settings_are_chosen_is_refused() -> None:
    task = split_task()
    test, dev = (np.flatnonzero(task.examples["split"] == role)[0] for role in ("test", "dev"))
    task.examples.loc[dev, "text"] = task.examples.loc[test, "text"]
    splits = published_splits([task.examples["split"].to_numpy(dtype=object)])
    with pytest.raises(LeakageError, match=f"test example 'e{test}' is also in the training part, as 'e{dev}'"):
        verify_inputs(splits, duplicate_keys(task.frame), task.ids)


def test_pooled_a_published_split_is_a_plain_task_with_each_input_once() -> None:
    task = split_task()
    task.examples.loc[0, "text"] = str(task.examples.loc[23, "text"])
    pooled = task.without_splits()
    assert pooled.splits == ()
    assert "split" not in pooled.examples
    assert len(pooled) == 23
    assert any("repeats" in note for note in pooled.notes)


@pytest.mark.parametrize("stops", [True, False])
def test_a_classifier_that_stops_early_is_given_the_dev_part(stops: bool) -> None:
    task = split_task()
    definition = {
        "name": "hgb",
        "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
        "features": f"{__name__}.Lengths",
        "params": {"estimator.early_stopping": stops, "estimator.max_iter": 5},
    }
    dev = task.examples["split"] == "dev"
    task.examples.loc[dev & (task.examples["label"] == "none"), "label"] = "denial"
    train_lacks = (task.examples["split"] == "train") & (task.examples["label"] == "non_confirmation")
    task.examples.loc[train_lacks, "label"] = "none"
    result = evaluate(evaluation_of(task, Model.parse(definition, "hgb.yaml", "hgb")), 0, FeatureCache(task.frame))
    assert result.error is None


class Lengths(TransformerMixin, BaseEstimator):
    """The number of characters."""

    def fit(self, X: pd.DataFrame, y: Any = None) -> Lengths:
        self.fitted_ = True
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        return X["text"].str.len().to_numpy(dtype=float).reshape(-1, 1)


def test_what_decides_nothing_in_a_published_split_is_no_part_of_a_runs_key() -> None:
    validation = Validation("grouped", group=None, splits="published", folds=5, inner_folds=3, repeats=1)
    sizes = SplitSizes(train=10, dev=2, test=5)
    assert deciding(validation, {}, lent=False).keys() == {"group", "folds", "inner_folds", "repeats"}
    assert deciding(validation, {"split": sizes}, lent=False).keys() == {"group"}
    assert deciding(validation, {"split": replace(sizes, dev=0)}, lent=False).keys() == {"group", "inner_folds"}
    assert deciding(validation, {"split": sizes}, lent=True).keys() == {"group", "inner_folds"}
    assert deciding(validation, {"fold-1": sizes, "fold-2": sizes}, lent=False).keys() == {"group", "inner_folds"}


def test_passes_are_scored_on_the_examples_that_models_are_scored_on() -> None:
    task = split_task()
    test = (task.examples["split"] == "test").to_numpy()
    passes = pd.DataFrame({"pass-1": task.y, "pass-2": np.where(test, task.y, "none")})
    split = split_task_of(text_task(examples=task.examples, splits=("split",), passes=passes))
    assert [row.scores["accuracy"] for row in split.record.references] == [1.0, 1.0]


def split_task_of(task: Task) -> Any:
    return split_module.split_task(task, compose([], needs_task=False), [])
