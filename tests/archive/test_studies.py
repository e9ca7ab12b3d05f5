"""Optuna reads the searches of stored runs as they were: settings, scores, distributions, failed and stopped trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from stored import change_record, write_run

from bench.archive.listing import list_runs
from bench.archive.studies import export_studies, study_name
from bench.errors import UserError
from bench.models.space import Choice, Range, SearchSpace
from bench.results.cell import FINAL
from bench.results.store import RunFolder

Bench = Callable[..., tuple[int, str, str]]

SPACE = {
    "estimator.C": {"low": 0.0, "high": 1000.0, "log": False, "step": None},
    "estimator.class_weight": {"values": [None, "balanced"]},
}


def storage(path: Path) -> BaseStorage:
    return (
        JournalStorage(JournalFileBackend(str(path))) if path.suffix == ".journal" else RDBStorage(f"sqlite:///{path}")
    )


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = write_run(tmp_path / "results", folds=2)
    change_record(folder, model={"search": SPACE})
    path = folder.cell_path(1) / "result.json"
    content = json.loads(path.read_text())
    content["trials"][2] |= {"score": None, "pruned_after": 1, "inner_folds": 3}
    path.write_text(json.dumps(content))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s.db", "s.journal"])
def test_a_study_holds_what_the_fold_has_tried(tmp_path: Path, run: RunFolder, name: str) -> None:
    exported = export_studies(list_runs(run.results), tmp_path / name)
    opened = storage(tmp_path / name)
    record = run.read_record()
    folds: list[Any] = [0, 1, FINAL]
    assert exported.studies == [study_name(record, fold) for fold in folds]
    assert sorted(optuna.get_all_study_names(opened)) == sorted(exported.studies)
    for fold in folds:
        cell = run.read_result(fold)
        study = optuna.load_study(study_name=study_name(record, fold), storage=opened)
        assert study.direction.name == "MAXIMIZE"
        assert (study.user_attrs["key"], study.user_attrs["metric"]) == (run.key, "macro_f1")
        assert len(study.trials) == len(cell.trials)
        for trial, stored in zip(study.trials, cell.trials, strict=True):
            assert trial.params == dict(stored.params)
            assert trial.value == stored.score
            assert set(trial.distributions) == set(SPACE) & set(stored.params)
        assert study.trials[4].state == TrialState.FAIL
        assert study.trials[4].user_attrs["error"] == "ValueError: no"
        assert study.best_value == max(trial.score for trial in cell.trials if trial.score is not None)
    stopped = optuna.load_study(study_name=study_name(record, 1), storage=opened).trials[2]
    assert (stopped.state, stopped.user_attrs["stopped"]) == (TrialState.PRUNED, "after 1 of 3 inner folds")


@pytest.mark.slow
def test_less_is_better_where_it_is(tmp_path: Path, run: RunFolder) -> None:
    change_record(run, task={"metric": "log_loss"})
    export_studies(list_runs(run.results), tmp_path / "s.journal")
    study = optuna.load_study(study_name=study_name(run.read_record(), 0), storage=storage(tmp_path / "s.journal"))
    assert study.direction.name == "MINIMIZE"


VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text("abنف", max_size=3)
CHOICES = st.lists(VALUES | st.lists(st.integers(1, 5), min_size=1, max_size=2).map(tuple), min_size=1, max_size=4)
RANGES = st.one_of(
    st.builds(lambda low, more: Range(low, low + more), st.integers(-5, 5), st.integers(0, 9)),
    st.builds(lambda low, more: Range(low, low + more), st.floats(-5, 5), st.floats(0.001, 9)),
    st.builds(lambda low, more: Range(low, low * more, log=True), st.floats(0.001, 5), st.floats(1.5, 9)),
    st.builds(lambda low, more: Range(low, low + more, log=True), st.integers(1, 5), st.integers(0, 9)),
)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.one_of(RANGES, CHOICES.filter(lambda v: len({str(x) for x in v}) == len(v)).map(lambda v: Choice(tuple(v)))))
def test_a_dimension_has_the_distribution_that_it_is_drawn_from(dimension: Choice | Range) -> None:
    trial = optuna.create_study().ask()
    drawn = SearchSpace({"x": dimension}).suggest(trial)["x"]
    assert trial.distributions["x"] == dimension.distribution()
    assert dimension.distribution()._contains(dimension.distribution().to_internal_repr(dimension.encode(drawn)))


@pytest.mark.slow
def test_what_was_not_searched_is_left_out_with_a_word(tmp_path: Path, run: RunFolder, bench: Bench) -> None:
    other = write_run(run.results, model="majority", folds=2)
    for fold in (0, 1, FINAL):
        path = other.cell_path(fold) / "result.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"trials": []}))
    target = tmp_path / "s.journal"
    status, out, said = bench("export", "studies", str(target), f"results={run.results}")
    assert (status, out) == (0, f"{target}  3 studies with 30 trials\n")
    assert f"{other.key} is left out: nothing was searched" in said
    assert bench("export", "studies", str(target), f"results={run.results}")[0] == 2
    assert bench("export", "studies", str(target), f"results={run.results}", "--force")[0] == 0
    with pytest.raises(UserError, match="nothing was searched"):
        export_studies([each for each in list_runs(run.results) if each.model == "majority"], tmp_path / "t.db")
    assert not (tmp_path / "t.db").exists()


@pytest.mark.parametrize("words", [[], ["x.sqlite3"], ["x.db", "--to", "y.db"], ["x.db", "--format", "jsonl"]])
def test_what_is_typed_wrongly_names_the_right_form(bench: Bench, words: list[str]) -> None:
    status, _, said = bench("export", "studies", *words)
    assert status == 2
    assert "bench export studies" in said


@pytest.mark.slow
def test_an_export_that_fails_leaves_nothing(tmp_path: Path, run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ValueError("no study")

    monkeypatch.setattr("bench.archive.studies._study", fail)
    with pytest.raises(ValueError, match="no study"):
        export_studies(list_runs(run.results), tmp_path / "s.db")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
