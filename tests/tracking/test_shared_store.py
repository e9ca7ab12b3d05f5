"""Several results folders log to one store of MLflow, and none touches what another logged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from stored import write_run

from bench.results.store import RunFolder
from bench.tracking.logged import forget_deleted, logged_runs
from bench.tracking.origin import NAMED, PLACED, origin_of
from bench.tracking.run import track
from bench.tracking.store import open_store
from bench.tracking.uri import sqlite_uri, tracking_uri

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A store that several results folders log to."""
    uri = sqlite_uri(tmp_path / "shared.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return open_store(uri)


def logged(client: MlflowClient) -> list[Run]:
    found = [logged_runs(client, each.experiment_id, "") for each in client.search_experiments()]
    return [run for runs in found for run in runs]


def of(folder: RunFolder, runs: Sequence[Run]) -> int:
    """How many of them were logged of a folder's results."""
    return sum(run.data.tags.get(PLACED) == str(folder.results.resolve()) for run in runs)


def models(client: MlflowClient) -> set[str | None]:
    ids = [each.experiment_id for each in client.search_experiments()]
    return {model.source_run_id for model in client.search_logged_models(ids)}


@pytest.mark.slow
def test_a_run_that_is_removed_in_one_folder_stays_logged_of_another(
    tmp_path: Path, shared: MlflowClient, bench: Bench
) -> None:
    mine, theirs = write_run(tmp_path / "mine", folds=2), write_run(tmp_path / "theirs", folds=2)
    assert mine.key == theirs.key
    own, other = track(mine, shared), track(theirs, shared)
    assert (of(mine, logged(shared)), of(theirs, logged(shared))) == (3, 3)
    status, _, said = bench("runs", "rm", mine.key, "--yes", f"results={tmp_path / 'mine'}")
    assert status == 0
    assert said.endswith("Removed 1 run, from MLflow's store too.\n")
    assert (of(mine, logged(shared)), of(theirs, logged(shared))) == (0, 3)
    assert own not in models(shared)
    assert other in models(shared)


@pytest.mark.slow
def test_a_run_that_was_never_logged_removes_nothing_of_another_folder(
    tmp_path: Path, shared: MlflowClient, bench: Bench
) -> None:
    mine, theirs = write_run(tmp_path / "mine", folds=2), write_run(tmp_path / "theirs", folds=2)
    track(theirs, shared)
    assert bench("runs", "rm", mine.key, "--yes", f"results={tmp_path / 'mine'}")[2] == "Removed 1 run.\n"
    assert of(theirs, logged(shared)) == 3


@pytest.mark.slow
def test_a_copy_of_a_results_folder_is_another_folder(tmp_path: Path, shared: MlflowClient, bench: Bench) -> None:
    mine = write_run(tmp_path / "mine", folds=2)
    track(mine, shared)
    shutil.copytree(tmp_path / "mine", tmp_path / "copy")
    assert bench("runs", "rm", mine.key, "--yes", f"results={tmp_path / 'copy'}")[0] == 0
    assert of(mine, logged(shared)) == 3


def test_a_folder_of_the_same_path_on_another_machine_is_another_folder(tmp_path: Path) -> None:
    uri = "https://mlflow.example.org"
    here = origin_of(tmp_path / "results", uri)
    shutil.rmtree(tmp_path / "results", ignore_errors=True)
    there = origin_of(tmp_path / "results", uri)
    assert here.path == there.path
    assert not here.owns(there.tags)
    assert here.owns(here.tags)


@pytest.mark.slow
def test_logging_other_results_under_the_same_key_deletes_nothing_of_another_folder(
    tmp_path: Path, shared: MlflowClient
) -> None:
    mine, theirs = write_run(tmp_path / "mine", folds=2), write_run(tmp_path / "theirs", folds=2)
    track(theirs, shared)
    first = track(mine, shared)
    mine.write_summary(replace(mine.read_summary(), notes=("another",)))
    assert track(mine, shared) != first
    assert (of(mine, logged(shared)), of(theirs, logged(shared))) == (3, 3)
    assert track(theirs, shared) in models(shared)


@pytest.mark.slow
def test_a_store_beside_results_keeps_what_another_folder_logged_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = write_run(tmp_path / "mine", folds=2), write_run(tmp_path / "theirs", model="majority", folds=2)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = open_store(tracking_uri(tmp_path / "mine"))
    track(mine, client)
    track(theirs, client)
    assert forget_deleted(tmp_path / "mine", client) == 0
    assert of(theirs, logged(client)) == 3


@pytest.mark.slow
def test_results_that_moved_with_their_store_know_what_was_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = write_run(tmp_path / "before", folds=2)
    track(folder, open_store(tracking_uri(tmp_path / "before")))
    (tmp_path / "before").rename(tmp_path / "after")
    said = bench("runs", "rm", folder.key, "--yes", f"results={tmp_path / 'after'}")[2]
    assert said.endswith("Removed 1 run, from MLflow's store too.\n")
    assert logged(open_store(tracking_uri(tmp_path / "after"))) == []


@pytest.mark.slow
def test_every_run_and_fold_bears_where_it_is_from(tmp_path: Path, shared: MlflowClient) -> None:
    mine = write_run(tmp_path / "mine", folds=2)
    track(mine, shared)
    names = {run.data.tags.get(NAMED) for run in logged(shared)}
    assert names == {origin_of(tmp_path / "mine", shared.tracking_uri).name}
    assert "" not in names
