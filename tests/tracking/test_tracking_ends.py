"""MLflow's store where it is damaged, half made or read-only, and what is superseded in it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from stored import write_run

from bench.cli.ui import command
from bench.errors import BenchError
from bench.tracking.logged import forget_deleted
from bench.tracking.run import track, track_all
from bench.tracking.store import open_store, remaking_begins
from bench.tracking.uri import tracking_uri


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """`bench ui` up to where it would serve the page."""
    pages: list[Any] = []
    monkeypatch.setattr("bench.tracking.page.application", lambda *given: None)
    monkeypatch.setattr("bench.tracking.page.serve", lambda app, listener, ready: pages.append(app))
    return pages


def keys(results: Path) -> set[str]:
    client = open_store(tracking_uri(results))
    return {
        run.data.tags["bench.key"]
        for experiment in client.search_experiments()
        for run in client.search_runs([experiment.experiment_id], "tags.`bench.level` = 'model'")
        if "bench.content" in run.data.tags
    }


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"no database" * 400), "damaged: file is not a database"),
        (Path.mkdir, "this is a folder, where MLflow's store is to be a file"),
        (os.mkfifo, "this is no regular file"),
    ],
)
def test_what_stands_in_the_place_of_the_store_is_refused_at_once(tmp_path: Path, make: Any, words: str) -> None:
    make(tmp_path / "mlflow.db")
    with pytest.raises(BenchError, match=words) as refused:
        open_store(tracking_uri(tmp_path))
    if "damaged" in words:
        assert refused.value.hint == (
            f"Delete {tmp_path}/mlflow.db: `bench ui` makes it again from the stored runs. They are not touched."
        )


@pytest.mark.slow
def test_a_rebuilding_that_did_not_end_is_taken_up_again(tmp_path: Path, served: list[Any]) -> None:
    folders = [write_run(tmp_path, model=model, folds=2) for model in ("logreg", "majority")]
    remaking_begins(tmp_path / "mlflow.db")
    track(folders[0], open_store(tracking_uri(tmp_path)))
    outcome = CliRunner().invoke(command, ["--results", str(tmp_path)])
    assert outcome.exit_code == 0, outcome.output
    assert "is not complete; it is made again from 2 stored runs" in outcome.output
    assert keys(tmp_path) == {folder.key for folder in folders}
    assert "made again" not in CliRunner().invoke(command, ["--results", str(tmp_path)]).output
    assert len(served) == 2


@pytest.mark.slow
def test_a_damaged_run_is_left_out_with_a_note_and_harms_no_other(tmp_path: Path, served: list[Any]) -> None:
    good = [write_run(tmp_path, model=model, folds=2) for model in ("logreg", "majority")]
    bad = write_run(tmp_path, model="lexicon", folds=2)
    path = bad.path / "run.json"
    content = json.loads(path.read_text())
    del content["model"]["description"]
    path.write_text(json.dumps(content))
    outcome = CliRunner().invoke(command, ["--results", str(tmp_path)])
    assert outcome.exit_code == 0, outcome.output
    assert [line for line in outcome.output.splitlines() if line.startswith("left out: ") and bad.key in line]
    assert keys(tmp_path) == {folder.key for folder in good}
    assert served


@pytest.mark.slow
def test_the_fitted_models_of_superseded_and_deleted_runs_are_deleted_too(tmp_path: Path) -> None:
    folder = write_run(tmp_path, folds=2)
    client = open_store(tracking_uri(tmp_path))
    run_id = track(folder, client)
    (experiment,) = client.search_experiments()
    folder.write_summary(replace(folder.read_summary(), notes=("another",)))
    again = track(folder, client)
    assert again != run_id
    (model,) = client.search_logged_models([experiment.experiment_id])
    assert model.source_run_id == again
    for path in sorted(folder.path.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert forget_deleted(tmp_path, client) == 1
    assert list(client.search_logged_models([experiment.experiment_id])) == []


@pytest.mark.slow
def test_a_store_that_cannot_be_written_is_opened(
    tmp_path: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path, folds=2)
    assert track_all([folder], open_store(tracking_uri(tmp_path))) == []

    def refused(*args: object, **settings: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("filelock.FileLock.acquire", refused)
    outcome = CliRunner().invoke(command, ["--results", str(tmp_path)])
    assert outcome.exit_code == 0, outcome.output
    assert served
