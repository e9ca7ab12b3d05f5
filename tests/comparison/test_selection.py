"""A filter decides which runs are compared, and their protocol with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contest import store_contest
from stored import change_record

from bench.comparison.request import Filter
from bench.comparison.selection import Selected, select_runs
from bench.errors import UserError

TEN = {"name": "default", "group": None, "folds": 10, "inner_folds": 3, "repeats": 1}


def command(results: Path, models: list[str], day: int, search: str = "quick", seed: int = 0, **changes: Any) -> None:
    """Store the runs of one command, with the majority, which has nothing to search."""
    trials = {"quick": 10, "standard": 30}[search]
    of_all: dict[str, Any] = {
        "search": {"name": search, "trials": trials, "timeout": None},
        "started": f"2026-01-{day:02d}T00:00:00Z",
    }
    of_all |= {"splits": str(seed) * 16}
    made = store_contest(results, {**dict.fromkeys(models, 0.8), "majority": 0.3}, **(of_all | changes))
    for folder in made.values():  # The seed of a contest is that of its predictions.
        change_record(folder, seed=seed)
    change_record(made["majority"], model={"search": {}})


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A quick command with five folds, and a later one of another protocol with another search."""
    command(tmp_path, ["a", "b"], 1)
    command(tmp_path, ["a"], 2, "standard", validation=TEN)
    command(tmp_path, ["c"], 3, "standard", validation=TEN, seed=1)
    return tmp_path


def chosen(selected: Selected) -> set[tuple[str, str, int, int]]:
    return {(each.model.name, each.search.name, each.validation.folds, each.seed) for _, each in selected.runs}


def test_a_filter_by_search_compares_runs_with_that_search_under_their_own_protocol(results: Path) -> None:
    assert chosen(select_runs(results, "denial", Filter(search="quick"))) == {
        ("a", "quick", 5, 0),
        ("b", "quick", 5, 0),
        ("majority", "quick", 5, 0),
    }


def test_the_last_run_of_all_sets_the_protocol_without_a_filter(results: Path) -> None:
    assert chosen(select_runs(results, "denial", Filter())) == {
        ("c", "standard", 10, 1),
        ("majority", "standard", 10, 1),
    }


@pytest.mark.parametrize(("models", "folds"), [(("b", "majority"), 5), (("a", "majority"), 10), (("a", "b"), 5)])
def test_named_models_are_compared_under_the_latest_protocol_that_all_of_them_have(
    results: Path, models: tuple[str, ...], folds: int
) -> None:
    found = chosen(select_runs(results, "denial", Filter(models=models)))
    assert {(name, number) for name, _, number, _ in found} == {(name, folds) for name in models}


def test_models_without_a_common_protocol_are_refused(results: Path) -> None:
    with pytest.raises(UserError, match="do not compare"):
        select_runs(results, "denial", Filter(models=("b", "c")))


def test_a_filter_by_seed_and_search_leaves_the_runs_that_have_both(results: Path) -> None:
    wanted = Filter(seed=0, search="standard")
    assert {name for name, *_ in chosen(select_runs(results, "denial", wanted))} == {"a", "majority"}


def test_a_search_that_no_run_has_is_told_with_the_nearest(results: Path) -> None:
    with pytest.raises(UserError, match="search=quik: no run") as end:
        select_runs(results, "denial", Filter(search="quik"))
    assert end.value.hint == "Did you mean 'quick'?"


def test_the_majority_alone_does_not_match_a_search(results: Path) -> None:
    with pytest.raises(UserError, match="no stored run of task 'denial' matches"):
        select_runs(results, "denial", Filter(search="quick", seed=1))


def test_models_without_a_search_can_be_named_beside_one(results: Path) -> None:
    found = chosen(select_runs(results, "denial", Filter(models=("majority",), search="quick")))
    assert {name for name, *_ in found} == {"majority"}
