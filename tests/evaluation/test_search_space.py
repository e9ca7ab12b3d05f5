"""A search space says what is wrong with it before anything runs, and draws only what it declares."""

from __future__ import annotations

import math

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ModelError
from bench.models import Choice, Range, SearchSpace

WHERE = "configs/model/mine.yaml"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ([1, 2], "'search' must be a mapping of parameters to values, not list [1, 2]."),
        ({"C": []}, "search.C: the list of values is empty."),
        ({"C": 3}, "search.C: expected a list of values or {low, high}, not int 3."),
        ({"C": {"low": 1, "hihg": 2}}, "search.C: unknown key 'hihg'."),
        ({"C": {"low": 1}}, "search.C: 'high' is missing."),
        ({"C": {"high": 1}}, "search.C: 'low' is missing."),
        ({"C": {"low": 2, "high": 1}}, "search.C: the range is empty: low 2 is above high 1."),
        ({"C": {"low": "1e-3", "high": 1}}, "search.C: low must be a finite number, not '1e-3'."),
        ({"C": {"low": True, "high": 2}}, "search.C: low must be a finite number, not True."),
        ({"C": {"low": 0, "high": math.inf}}, "search.C: high must be a finite number, not inf."),
        ({"C": {"low": 0, "high": 1, "log": "yes"}}, "search.C: log must be true or false, not 'yes'."),
        ({"C": {"low": 0, "high": 1, "log": True}}, "search.C: a logarithmic range must start above 0, not at 0."),
        ({"C": {"low": 0, "high": 1, "step": 0}}, "search.C: step must be above 0"),
        ({"C": {"low": 1, "high": 2, "step": 1, "log": True}}, "cannot be combined with log: true."),
    ],
)
def test_a_wrong_space_is_named_with_its_file_and_key(declared: object, message: str) -> None:
    with pytest.raises(ModelError) as raised:
        SearchSpace.parse(declared, WHERE)
    assert raised.value.message.startswith(WHERE)
    assert message in raised.value.message


def test_a_mistyped_key_and_text_for_a_number_come_with_a_hint() -> None:
    with pytest.raises(ModelError, match="Did you mean 'high'"):
        SearchSpace.parse({"C": {"low": 1, "hihg": 2}}, WHERE)
    with pytest.raises(ModelError, match="Write it without quotes"):
        SearchSpace.parse({"C": {"low": "1e-3", "high": 1}}, WHERE)


def test_nothing_declared_is_nothing_searched() -> None:
    assert not SearchSpace.parse(None, WHERE)
    assert SearchSpace.parse({"C": [1]}, WHERE)


def ranges() -> st.SearchStrategy[Range]:
    whole = st.tuples(st.integers(-50, 50), st.integers(0, 50)).map(lambda t: (t[0], t[0] + t[1]))
    real = st.tuples(st.floats(-50, 50), st.floats(0.01, 50)).map(lambda t: (t[0], t[0] + t[1]))
    return st.one_of(
        whole.map(lambda ends: Range(*ends)),
        real.map(lambda ends: Range(*ends)),
        st.builds(lambda ends, step: Range(ends[0], ends[1], step=step), whole, st.integers(1, 7)),
        st.builds(lambda ends, step: Range(ends[0], ends[1], step=step), real, st.floats(0.05, 7)),
        st.builds(lambda low, more: Range(low, low + more, log=True), st.integers(1, 50), st.integers(0, 500)),
        st.builds(lambda low, more: Range(low, low + more, log=True), st.floats(1e-6, 1), st.floats(0.1, 500)),
    )


@given(ranges(), st.integers(0, 2**31))
def test_a_range_draws_values_of_its_kind_within_its_ends_and_on_its_steps(drawn: Range, seed: int) -> None:
    value = drawn.sample(np.random.default_rng(seed))
    assert drawn.low <= value <= drawn.high
    assert isinstance(value, int) == drawn.whole
    if drawn.step is not None:
        steps = (value - drawn.low) / drawn.step
        assert steps == pytest.approx(round(steps), abs=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_a_choice_draws_every_kind_of_value_that_yaml_can_write(seed: int) -> None:
    values = (None, "balanced", 2, 0.5, True, (1, 2), (2, 5))
    assert Choice(values).sample(np.random.default_rng(seed)) in values


def test_optuna_draws_the_same_names_and_only_declared_values() -> None:
    declared = {
        "estimator.C": {"low": 0.1, "high": 10.0, "log": True},
        "estimator.class_weight": [None, "balanced"],
        "features.word.min_df": {"low": 1, "high": 5},
        "features.char.ngram_range": [[2, 4], [3, 5]],
    }
    space = SearchSpace.parse(declared, WHERE)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    seen = [space.suggest(study.ask()) for _ in range(40)]
    assert all(list(params) == list(declared) for params in seen)
    assert all(0.1 <= params["estimator.C"] <= 10.0 for params in seen)
    assert {params["estimator.class_weight"] for params in seen} == {None, "balanced"}
    assert {params["features.word.min_df"] for params in seen} == {1, 2, 3, 4, 5}
    assert {params["features.char.ngram_range"] for params in seen} == {(2, 4), (3, 5)}
