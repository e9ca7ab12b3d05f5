"""A run's key can be computed from its record alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stored import record_content, run_record

from bench.config import compose
from bench.planning.plan import plan
from bench.results.files import to_json
from bench.results.key import has_its_key, key_of
from bench.results.record import RunRecord
from bench.support.records import from_json, plain

LABELS = ("denial", "none")

DIMENSIONS = st.dictionaries(
    st.text("abc.", min_size=1, max_size=4),
    st.one_of(
        st.builds(lambda values: {"values": values}, st.lists(st.none() | st.integers() | st.text(), min_size=1)),
        st.builds(lambda low, log: {"low": low, "high": low + 1, "log": log}, st.integers(1, 9), st.booleans()),
        st.builds(lambda low: {"low": low, "high": low + 0.5}, st.floats(0.001, 9.0)),
    ),
    max_size=6,
)


def a_run(**changes: Any) -> RunRecord:
    content = record_content("", "denial", "logreg", LABELS, 5, 0, failed=False)
    for part, value in changes.items():
        content[part] = content[part] | value if isinstance(value, dict) else value
    record = run_record(content)
    return replace(record, key=key_of(record))


def stored(record: RunRecord) -> RunRecord:
    """The record as its file gives it back, where mappings are in alphabetical order."""
    return from_json(RunRecord, to_json(plain(record)).encode())


@pytest.mark.slow
@given(DIMENSIONS, st.randoms())
def test_a_stored_record_has_its_key_in_whatever_order_its_search_was_written(search: dict, random: Any) -> None:
    names = list(search)
    random.shuffle(names)
    record = a_run(model={"search": search, "order": names})
    assert has_its_key(stored(record))
    assert has_its_key(replace(stored(record), model=replace(stored(record).model, order=())))
    assert not has_its_key(replace(stored(record), seed=record.seed + 1))


def test_the_order_of_a_search_is_in_the_key() -> None:
    search = {"b": {"values": [1]}, "a": {"values": [2]}}
    first, other = (a_run(model={"search": search, "order": order}) for order in (["b", "a"], ["a", "b"]))
    assert first.key != other.key


@pytest.mark.parametrize("order", [["a"], ["a", "b", "c"], ["a", "a"]])
def test_an_order_of_other_names_has_no_key(order: list[str]) -> None:
    record = a_run(model={"search": {"b": {"values": [1]}, "a": {"values": [2]}}})
    assert not has_its_key(replace(record, model=replace(record.model, order=tuple(order))))


def test_what_decides_no_number_is_not_in_the_key() -> None:
    told = {"description": "Other words.", "origin": "elsewhere.yaml", "requirements": {"torch": "2"}}
    assert a_run(model=told, command="bench run x=1", status="failed").key == a_run().key


def test_the_record_of_a_planned_run_has_its_key_when_it_is_read_again(tmp_path: Path) -> None:
    words = ["task=denial", "model=logreg,lexicon", "search.trials=4", "tracking=false", f"results={tmp_path}"]
    for run in plan(compose(words)).runs:
        assert run.folder.key == run.record.key
        assert json.loads(to_json(plain(run.record)))["key"] == run.record.key
        assert has_its_key(stored(run.record))
