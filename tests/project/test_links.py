"""Below a results folder nothing that a link leads to is read, written or deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from contest import compared, store_contest
from stored import change_record, write_run

from bench.errors import UserError
from bench.results.layout import run_folder, run_folders
from bench.results.leaderboard import leaderboard, write_leaderboard
from bench.results.store import RunFolder
from bench.tracking.run import track
from bench.tracking.store import open_store
from bench.tracking.uri import tracking_uri


def test_a_results_folder_may_be_a_link_itself(tmp_path: Path) -> None:
    store_contest(tmp_path / "there", {"a": 0.8, "b": 0.7})
    (tmp_path / "here").symlink_to(tmp_path / "there")
    assert {row.name for row in compared(tmp_path / "here", "task=denial").rows} == {"a", "b"}


@pytest.mark.parametrize("level", ["run", "model"])
def test_a_run_behind_a_link_is_left_out_with_a_word(tmp_path: Path, level: str) -> None:
    made = store_contest(tmp_path / "results", {"a": 0.8, "b": 0.7, "c": 0.6})
    place = made["c"].path if level == "run" else made["c"].path.parent
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    (note,) = compared(tmp_path / "results", "task=denial").notes
    assert note.startswith("a stored run of c is left out: ")
    assert "this is a link, and links in a results folder are not followed" in note


def test_a_page_that_is_a_link_is_not_written_through(tmp_path: Path, bench) -> None:
    store_contest(tmp_path / "results", {"a": 0.8, "b": 0.7})
    own = tmp_path / "own.html"
    own.write_text("mine")
    page = tmp_path / "results" / "denial" / "report.html"
    page.symlink_to(own)
    status, _, said = bench("report", "task=denial", f"results={tmp_path / 'results'}")
    assert status == 2
    assert "this is a link" in said
    assert own.read_text() == "mine"


def test_leaderboard_files_that_are_links_are_replaced_themselves(tmp_path: Path) -> None:
    made = store_contest(tmp_path / "results", {"a": 0.8, "b": 0.7})
    own = tmp_path / "own.json"
    own.write_text("mine")
    (tmp_path / "results" / "denial" / "leaderboard.json").symlink_to(own)
    write_leaderboard(tmp_path / "results", leaderboard(tmp_path / "results", made["a"].read_record()))
    assert own.read_text() == "mine"
    assert not (tmp_path / "results" / "denial" / "leaderboard.json").is_symlink()


@pytest.mark.slow
def test_a_linked_file_of_a_fold_is_not_handed_to_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = write_run(tmp_path / "results", folds=2)
    secret = tmp_path / "secret.txt"
    secret.write_text("the user's own")
    (folder.cell_path(0) / "notes.txt").symlink_to(secret)
    client = open_store(tracking_uri(tmp_path / "results"))
    track(folder, client)
    kept = [path for path in (tmp_path / "results" / "mlartifacts").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"the user's own" in path.read_bytes()]


def test_a_run_is_neither_planned_nor_cleared_behind_a_link(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "there", folds=2)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "denial").symlink_to(folder.path.parents[1])
    with pytest.raises(UserError, match="this is a link"):
        run_folder(tmp_path / "results", "denial", "logreg", folder.key)
    assert folder.summarised


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = write_run(tmp_path, folds=2)
    change_record(folder, task={"name": name})
    with pytest.raises(UserError, match=r"'task.name': it is not a valid folder name"):
        folder.read_record()


def test_what_is_left_of_a_run_without_its_record_is_told(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7, "c": 0.6})
    (made["c"].path / "run.json").unlink()
    (note,) = compared(tmp_path, "task=denial").notes
    assert note == "a stored run of c is left out: run.json: the file does not exist"
    shutil.rmtree(made["c"].path)
    (tmp_path / "denial" / "c" / "notes").mkdir()
    assert [RunFolder(path).model for path in run_folders(tmp_path)] == ["a", "b"]
