"""The conformance kit passes every model that comes with the package, and catches each fault it is for."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.base import BaseEstimator

from bench.engines.engine import Died, Unit, outcome_of, value_of
from bench.engines.local import LocalEngine
from bench.errors import ModelError
from bench.models import Model, SearchSpace
from bench.models.conformance import check_model, check_rule, subject_of
from bench.models.persistence import dumps, loads
from bench.models.rules import RULES
from bench.models.synthetic import synthetic_task
from bench.testing import parametrize_with_rules

BUILT_IN = ("majority", "stratified", "lexicon", "complement-nb", "logreg", "linear-svm", "gradient-boosting")
SEARCH = SearchSpace.parse({"smoothing": {"low": 0.1, "high": 10.0}}, "here")


def faulty(name: str, **settings: Any) -> Model:
    return Model(name.lower(), estimator=f"faulty_models.{name}", search=SEARCH, origin="here", **settings)


def failures(model: Model) -> dict[str, str]:
    subject = subject_of(model)
    results = [check_rule(code, subject) for code in RULES]
    return {result.code: result.reason for result in results if not result.passed}


@pytest.mark.slow
@parametrize_with_rules(*BUILT_IN, faulty("Sound"))
def test_a_sound_model_keeps_every_rule(rule: Any) -> None:
    rule()


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("RefusesTwoClasses", "M02", "ValueError: needs three classes"),
        ("ReturnsNothingFromFit", "M03", "fit returned NoneType, not the estimator"),
        ("KnowsTwoClassesOnly", "M03", "classes_ is ['economy', 'health'] after fitting"),
        ("RefusesItsSearchSpace", "M04", "with {'smoothing': "),
        ("ChangesItsParameters", "M05", "fit changed the parameters"),
        ("InventsALabel", "M06", "predict returned weather, but the labels are sport, economy"),
        ("PredictsAColumn", "M06", "predict returned the shape (60, 1) for (60,) rows"),
        ("SumsToTwo", "M07", "the sum of a row of predict_proba differs from 1 by 1"),
        ("GivesNaN", "M07", "decision_function returned a value that is not finite"),
        ("IgnoresItsSeed", "M08", "predict of a second build with the same seed differs in"),
        ("ChangesItsInputs", "M09", "predict changed the frame of texts"),
        ("LearnsFromTestData", "M10", "it uses test data"),
        ("NeedsAWord", "M11", "IndexError: list index out of range"),
        ("NeedsShortTexts", "M12", "MemoryError: too long"),
        ("HoldsALambda", "M13", "pickle"),
        ("HoldsAFraction", "M14", "fractions.Fraction"),
    ],
)
def test_a_fault_is_caught_by_its_rule_with_the_reason(name: str, code: str, reason: str) -> None:
    result = check_rule(code, subject_of(faulty(name)))
    assert not result.passed
    assert reason in result.reason


def test_a_fault_in_the_definition_fails_every_rule_with_the_definitions_message() -> None:
    found = failures(faulty("Sound", params={"smothing": 1}))
    assert found.keys() == RULES.keys()
    assert "unknown parameter 'estimator.smothing' of Sound." in found["M01"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codes"),
    [("LearnsFromTestData", {"M10"}), ("RefusesTwoClasses", {"M02", "M06", "M07"})],
)
def test_one_fault_does_not_fail_the_rules_that_it_does_not_touch(name: str, codes: set[str]) -> None:
    assert failures(faulty(name)).keys() == codes


@pytest.mark.slow
def test_a_model_for_certain_inputs_or_labels_is_examined_on_those() -> None:
    assert failures(faulty("IsForPairs")) == {}
    assert list(subject_of(faulty("IsForPairs")).labels) == [("claim", "text")]
    assert "ModelError: it is for another task" in failures(faulty("RefusesAll"))["M02"]


@pytest.mark.slow
def test_the_rules_that_rest_on_one_that_fails_are_not_tried() -> None:
    results = check_model(Model("gone", estimator="faulty_models.IsNotThere", origin="here"))
    assert "'faulty_models' has no class 'IsNotThere'" in results[0].reason
    assert [result.code for result in results if result.tried] == ["M01"]
    assert [result.code for result in results if result.passed] == []
    assert {result.reason for result in results[1:]} == {"not tested because M01 fails."}


@pytest.mark.slow
def test_a_model_that_refuses_two_classes_is_tried_on_three() -> None:
    results = {result.code: result for result in check_model(faulty("RefusesTwoClasses"))}
    assert {code for code, result in results.items() if not result.passed} == {"M02", "M06", "M07"}
    assert not results["M06"].tried
    assert results["M06"].reason == "not tested because M02 fails."


def test_a_model_without_a_search_space_is_fitted_with_its_own_parameters() -> None:
    broken = Model("gone", estimator="faulty_models.IsNotThere", origin="here")
    assert not check_rule("M04", subject_of(broken)).passed
    sound = Model("sound", estimator="faulty_models.Sound", origin="here")
    assert check_rule("M04", subject_of(sound)).passed


@pytest.mark.slow
def test_a_model_that_hangs_is_stopped_and_the_rest_is_not_tried() -> None:
    results = {result.code: result for result in check_model(faulty("Hangs"), limit=10)}
    assert [code for code, result in results.items() if result.passed] == ["M01", "M02", "M03"]
    assert results["M04"].reason == "it took longer than 10 s and was stopped."
    assert results["M05"].reason == "not tested because M04 was stopped."


@pytest.mark.slow
def test_a_model_that_takes_its_process_down_fails_only_the_rules_that_do_so() -> None:
    with LocalEngine(fresh=True) as engine:
        subject = value_of(outcome_of(engine, Unit(subject_of, (faulty("TakesTheProcessDown"),))))
        assert outcome_of(engine, Unit(check_rule, ("M06", subject))) == Died(3)
        assert value_of(outcome_of(engine, Unit(check_rule, ("M03", subject)))).passed


def test_synthetic_tasks_are_the_same_each_time_and_differ_by_class() -> None:
    one, other = (synthetic_task(("claim", "text"), ("sport", "economy", "health")) for _ in range(2))
    assert one.digest == other.digest
    assert len(one) == 60
    assert sorted((one.y == label).sum() for label in one.labels) == [20, 20, 20]


class Part(BaseEstimator):
    pass


class Private(BaseEstimator):
    """Holds a part of its own once it is fitted."""

    stored_parts = (Part,)


def test_a_stored_model_holds_the_classes_that_its_definition_names_and_those_that_they_list() -> None:
    private = Private()
    private.part_ = Part()
    stored = dumps(private)
    defined = Model("mine", estimator=f"{__name__}.Private")
    assert isinstance(loads(stored, defined).part_, Part)
    with pytest.raises(ModelError, match=rf"{__name__}\.Private \(the local model definition does not name it\)"):
        loads(stored)
    other = Model("mine", estimator=f"{__name__}.Part")
    with pytest.raises(ModelError, match=rf"is {__name__}\.Private, but the model 'mine' is defined here as"):
        loads(stored, other)
