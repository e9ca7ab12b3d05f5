"""A model's file is checked: whatever is wrong is named with the file, the key and the nearest right name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bench.errors import ModelError
from bench.models import Model
from bench.models.boosting import LightGBMClassifier
from bench.models.synthetic import synthetic_task

TASK = synthetic_task(("text",), ("sport", "economy"))
LOGREG = "sklearn.linear_model.LogisticRegression"


def parse(**definition: Any) -> Model:
    return Model.parse({"name": "mine", "estimator": LOGREG, **definition}, "mine.yaml", "mine")


def error_of(definition: object) -> str:
    with pytest.raises(ModelError) as raised:
        Model.parse(definition, "mine.yaml", "mine")
    assert raised.value.message.startswith("mine.yaml: ")
    return str(raised.value)


def build_error_of(model: Model, **params: Any) -> str:
    with pytest.raises(ModelError) as raised:
        model.build(params, TASK, seed=0)
    assert raised.value.message.startswith("mine.yaml: ")
    return str(raised.value)


def test_a_file_that_is_no_mapping() -> None:
    assert "expected a mapping with the keys name," in error_of(["logreg"])


def test_an_unknown_key_gets_the_nearest_right_one() -> None:
    message = error_of({"name": "mine", "estimatr": LOGREG})
    assert "unknown key 'estimatr'." in message
    assert "Did you mean 'estimator'?" in message


@pytest.mark.parametrize("missing", ["name", "estimator"])
def test_a_missing_key(missing: str) -> None:
    definition = {"name": "mine", "estimator": LOGREG}
    del definition[missing]
    assert f"'{missing}' is missing." in error_of(definition)


def test_a_name_that_is_not_the_files() -> None:
    assert "name is 'yours', but the file's name is 'mine'." in error_of({"name": "yours", "estimator": LOGREG})


def test_values_of_the_wrong_type() -> None:
    definition = {"name": "mine", "estimator": LOGREG}
    assert "'estimator' must be text, not 3." in error_of(definition | {"estimator": 3})
    assert "'features' must be the name of a feature set, not ['tfidf']." in error_of(
        definition | {"features": ["tfidf"]}
    )
    assert "'params' must be a mapping of names to values, not [1]." in error_of(definition | {"params": [1]})
    assert "search.C: the range is empty" in error_of(definition | {"search": {"C": {"low": 2, "high": 1}}})


def test_an_import_path_that_is_none_or_leads_nowhere() -> None:
    assert "estimator: 'LogisticRegression' is not an import path." in build_error_of(
        parse(estimator="LogisticRegression")
    )
    message = build_error_of(parse(estimator="sklearn.linear_modle.LogisticRegression"))
    assert "cannot import 'sklearn.linear_modle': ModuleNotFoundError" in message
    message = build_error_of(parse(estimator="sklearn.linear_model.LogisticRegresion"))
    assert "'sklearn.linear_model' has no class 'LogisticRegresion'." in message
    assert "Did you mean 'LogisticRegression'?" in message


def test_a_module_that_raises_on_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_module_of_mine.py").write_text("class Mine(:\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    message = build_error_of(parse(estimator="broken_module_of_mine.Mine"))
    assert "cannot import 'broken_module_of_mine': SyntaxError" in message


def test_a_class_that_is_no_classifier_or_needs_arguments() -> None:
    assert "pathlib.Path is not a scikit-learn classifier" in build_error_of(parse(estimator="pathlib.Path"))
    message = build_error_of(parse(estimator="sklearn.ensemble.VotingClassifier"))
    assert "cannot be created without arguments" in message


def test_an_unknown_feature_set() -> None:
    message = build_error_of(parse(features="tfdif"))
    assert "unknown feature set 'tfdif'." in message
    assert "Did you mean 'tfidf'?" in message


def test_parameters_of_features_that_are_not_there() -> None:
    message = build_error_of(parse(params={"features.word.min_df": 2}))
    assert "it has parameters of features, but no features." in message


@pytest.mark.parametrize(
    ("given", "shown", "near"),
    [
        ("class_wieght", "'estimator.class_wieght' of LogisticRegression", "estimator.class_weight"),
        ("estimator.max_itr", "'estimator.max_itr' of LogisticRegression", "estimator.max_iter"),
        ("features.word.mindf", "'features.word.mindf' of FeatureUnion", "features.word.min_df"),
    ],
)
def test_an_unknown_parameter_gets_the_nearest_right_one(given: str, shown: str, near: str) -> None:
    for message in (
        build_error_of(parse(features="tfidf", params={given: 1})),
        build_error_of(parse(features="tfidf"), **{given: 1}),
    ):
        assert f"unknown parameter {shown}." in message
        assert f"Did you mean '{near}'?" in message


def test_parameters_reach_the_part_that_they_name() -> None:
    model = parse(features="tfidf", params={"C": 2.0, "features.word.min_df": 3, "features.char.ngram_range": [2, 4]})
    built = model.build({"estimator.C": 5.0}, TASK, seed=7)
    params = built.get_params()
    assert isinstance(built.named_steps["estimator"], LogisticRegression)
    assert params["estimator__C"] == 5.0, "a searched value overrides the file's"
    assert params["estimator__random_state"] == 7
    assert params["features__word__min_df"] == 3
    assert params["features__char__ngram_range"] == (2, 4)


def test_an_estimator_that_asks_for_its_task_gets_it() -> None:
    model = parse(estimator="bench.models.lexicon.LexiconClassifier")
    built = model.build({}, synthetic_task(("text",), ("denial", "none")), seed=0)
    assert (built.inputs, built.labels, built.label_map) == (("text",), ("denial", "none"), {})


def test_an_estimator_that_does_not_know_the_task_is_refused_before_it_is_fitted() -> None:
    with pytest.raises(ModelError, match="no rules exist for the labels sport, economy"):
        parse(estimator="bench.models.lexicon.LexiconClassifier").build({}, TASK, seed=0)


def test_every_random_state_of_features_and_estimator_gets_the_seed() -> None:
    model = parse(features="sklearn.random_projection.SparseRandomProjection")
    params = model.build({}, TASK, seed=7).get_params()
    assert params["features__random_state"] == params["estimator__random_state"] == 7


def test_a_parameter_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(ModelError, match=r"params\.base is LogisticRegression, which cannot be stored"):
        Model("mine", LOGREG, params={"base": LogisticRegression()})


def test_boosting_survives_a_matrix_without_columns() -> None:
    model = LightGBMClassifier().fit(np.empty((6, 0)), ["a", "a", "b", "a", "b", "a"])
    assert model.predict(np.empty((2, 0))).tolist() == ["a", "a"]
