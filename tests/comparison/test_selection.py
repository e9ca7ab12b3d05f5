"""A filter decides which runs are compared, and their protocol with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contest import store_contest
from stored import change_record

from bench.comparison.request import Filter, parse_compare_request
from bench.comparison.selection import Selected, select_runs
from bench.errors import UserError
from bench.results.asked import ASKED, last_asked, note_reuse
from bench.results.leaderboard import leaderboard
from bench.results.store import stored_runs

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


@pytest.mark.slow
def test_a_search_that_no_run_has_is_told_with_the_nearest(results: Path) -> None:
    with pytest.raises(UserError, match="search=quik: no run") as end:
        select_runs(results, "denial", Filter(search="quik"))
    assert end.value.hint == "Did you mean 'quick'?"


@pytest.mark.slow
def test_the_majority_alone_does_not_match_a_search(results: Path) -> None:
    with pytest.raises(UserError, match="no stored run of task 'denial' matches"):
        select_runs(results, "denial", Filter(search="quick", seed=1))


@pytest.mark.slow
def test_models_without_a_search_can_be_named_beside_one(results: Path) -> None:
    found = chosen(select_runs(results, "denial", Filter(models=("majority",), search="quick")))
    assert {name for name, *_ in found} == {"majority"}


@pytest.mark.slow
def test_a_command_that_reuses_its_runs_sets_the_protocol_like_one_that_runs_them(results: Path) -> None:
    for folder in stored_runs(results, "denial"):
        if folder.read_record().search.name == "quick":
            note_reuse(folder.path)
    assert {folds for _, _, folds, _ in chosen(select_runs(results, "denial", Filter()))} == {5}


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-09", "2999-01-01T00:00:00+00:00", "\xff"])
def test_a_moment_of_reuse_that_cannot_be_is_ignored(results: Path, text: str) -> None:
    folder, *_ = [each for each in stored_runs(results, "denial") if each.read_record().search.name == "quick"]
    (folder.path / ASKED).write_text(text, "latin-1")
    assert last_asked(folder.path, folder.read_record()) == "2026-01-01T00:00:00Z"


@pytest.mark.slow
def test_runs_are_chosen_by_the_name_of_their_validation(results: Path) -> None:
    later = {**TEN, "name": "forward", "splits": "forward"}
    command(results, ["a"], 4, validation=later)
    wanted = parse_compare_request(["task=denial", f"results={results}", "validation=forward", "seed=0"]).wanted
    selected = select_runs(results, "denial", wanted)
    assert chosen(selected) == {("a", "quick", 10, 0), ("majority", "quick", 10, 0)}
    assert {record.validation.name for _, record in selected.runs} == {"forward"}
    with pytest.raises(UserError, match="validation=forwrd: no run") as end:
        select_runs(results, "denial", Filter(validation={"name": "forwrd"}))
    assert end.value.hint == "Did you mean 'forward'?"


@pytest.mark.slow
def test_runs_that_are_left_out_are_told_by_the_keys_that_choose_them(results: Path) -> None:
    command(results, ["a"], 4, validation={**TEN, "name": "forward", "splits": "forward"}, splits="f" * 16)
    (note,) = select_runs(results, "denial", Filter(seed=0)).notes
    assert note == (
        "5 stored runs are left out, under another protocol (3 with validation: forward and default, folds: 10 and "
        "5; 2 with validation: forward and default)"
    )
    (note,) = select_runs(results, "denial", Filter(seed=0, validation={"name": "default"})).notes
    assert note == "3 stored runs are left out, under another protocol (folds: 10 and 5)"


def test_runs_that_are_left_out_are_counted_by_what_keeps_them_apart(results: Path) -> None:
    earlier = {"digest": "0" * 64, "version": 1}
    command(results, ["a", "b", "d", "e"], 3, of_task=earlier, validation=TEN)
    command(results, ["a"], 4, of_task={"version": 2}, validation=TEN)
    (note,) = select_runs(results, "denial", Filter(seed=0)).notes
    assert note == (
        "8 stored runs are left out, of other data or under another protocol (5 with task version: 2 and 1; "
        "3 with folds: 10 and 5)"
    )


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_gives_way_to_the_same_run_on_a_later_version_with_the_same_examples(
    tmp_path: Path, finished: bool
) -> None:
    """New votes that change no label make a new version, whose runs have keys of their own."""
    older = store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    newer = store_contest(tmp_path, {"a": 0.8}, of_task={"version": 2}, started="2026-01-02T00:00:00Z")["a"]
    if not finished:
        newer.forget_summary()
        change_record(newer, status="running")
    kept = {newer.key if finished else older["a"].key, older["b"].key}
    selected = select_runs(tmp_path, "denial", Filter())
    assert {folder.key for folder, _ in selected.runs} == kept
    assert selected.names() == ["a", "b"]
    board = leaderboard(tmp_path, older["b"].read_record())
    assert {row.key for row in board.rows if row.kind == "model"} == kept


@pytest.mark.parametrize(
    ("task", "hint"),
    [
        ("denail", "Did you mean 'denial'?"),  # no task has this name, so it cannot be run first
        ("stance", "Choose from: denial. Or run it first: bench run task=stance"),
    ],
)
def test_a_task_without_a_run_is_to_be_run_only_where_there_is_such_a_task(results: Path, task: str, hint: str) -> None:
    with pytest.raises(UserError, match="no run of task") as end:
        select_runs(results, task, Filter())
    assert end.value.hint == hint
