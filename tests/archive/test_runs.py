"""Stored runs are listed with what tells them apart, and removed where that is asked for, and nothing else."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from stored import change_record, write_run

import bench as api
from bench.archive.listing import RunFilter, list_runs
from bench.archive.removal import remove_runs
from bench.catalogue import load_task
from bench.errors import UserError
from bench.results.leaderboard import FILES, leaderboard, write_leaderboard
from bench.results.store import RunFolder
from bench.tracking.logged import logged_runs
from bench.tracking.run import track
from bench.tracking.store import open_store
from bench.tracking.uri import tracking_uri

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def superseded_pair(results: Path) -> tuple[RunFolder, RunFolder]:
    """An older and a newer run of one model that were asked for alike, after the data changed."""
    old, new = write_run(results, folds=2), write_run(results, folds=3)
    same = {"validation": {"folds": 5}}
    change_record(old, started="2024-01-01T00:00:00+00:00", **same)
    change_record(new, started="2024-02-01T00:00:00+00:00", task={"digest": "f" * 64}, **same)
    return old, new


def superseded(results: Path) -> dict[str, str | None]:
    return {run.key: run.superseded_by for run in list_runs(results)}


def test_a_newer_complete_run_replaces_an_older_one_that_was_asked_for_alike(tmp_path: Path) -> None:
    old, new = superseded_pair(tmp_path)
    assert superseded(tmp_path) == {old.key: new.key, new.key: None}


def test_a_damaged_run_replaces_none(tmp_path: Path) -> None:
    old, new = superseded_pair(tmp_path)
    (new.path / "fold-01" / "predictions.csv").write_text("junk")
    assert superseded(tmp_path) == {old.key: None, new.key: None}


def test_a_run_of_the_present_data_is_not_replaced_by_one_of_other_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = superseded_pair(tmp_path)
    present = replace(load_task("denial"), name="denial")
    present.__dict__["digest"] = old.read_record().task.digest
    monkeypatch.setattr("bench.archive.listing.load_task", lambda name: present)
    assert superseded(tmp_path) == {old.key: None, new.key: None}


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"search": {"name": "thorough"}},
        {"validation": {"folds": 10}},
        {"validation": {"group": "source"}},
        {"command": "bench run task=denial model=logreg model.params.solver=saga"},
        {
            "train_on": {
                "task": "o",
                "digest": "",
                "group": "g",
                "labels": {},
                "only": False,
                "n_examples": 1,
                "notes": [],
            }
        },
        {"status": "failed"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_was_asked_for_otherwise_or_is_not_complete_replaces_nothing(tmp_path: Path, changes: dict) -> None:
    old, new = superseded_pair(tmp_path)
    change_record(new, **changes)
    assert superseded(tmp_path) == {old.key: None, new.key: None}


def test_a_failed_run_is_replaced_by_a_complete_one_and_not_the_other_way_round(tmp_path: Path) -> None:
    old, new = superseded_pair(tmp_path)
    change_record(old, status="failed")
    assert superseded(tmp_path)[old.key] == new.key
    change_record(old, started="2024-03-01T00:00:00+00:00")
    assert superseded(tmp_path) == {old.key: None, new.key: None}


def test_the_list_says_of_each_run_what_tells_it_from_others(tmp_path: Path) -> None:
    good = write_run(tmp_path, folds=2)
    bad = write_run(tmp_path, task="stance", model="broken", folds=2, failed_fold=1)
    first, second = list_runs(tmp_path)
    assert (first.task, first.model, first.search, first.seed, first.key) == ("denial", "logreg", "quick", 0, good.key)
    summary = good.summary
    assert summary is not None
    assert first.score == summary.scores["macro_f1"]
    assert first.bytes == sum(path.stat().st_size for path in good.path.rglob("*") if path.is_file())
    assert (second.status, second.score, second.failed, second.key) == ("failed", None, True, bad.key)


def test_runs_are_chosen_by_task_model_seed_search_and_key(tmp_path: Path) -> None:
    a = write_run(tmp_path, folds=2)
    b = write_run(tmp_path, folds=2, model="majority")
    c = write_run(tmp_path, folds=2, task="stance", seed=3)
    for wanted, keys in (
        (RunFilter(tasks=("denial",)), {a.key, b.key}),
        (RunFilter(models=("logreg",)), {a.key, c.key}),
        (RunFilter(seed=3), {c.key}),
        (RunFilter(keys=(b.key[:6],)), {b.key}),
        (RunFilter(failed=True), set()),
    ):
        assert {run.key for run in list_runs(tmp_path, wanted)} == keys


def test_a_name_or_a_key_that_is_not_stored_is_an_error(tmp_path: Path) -> None:
    write_run(tmp_path, folds=2)
    with pytest.raises(UserError, match=r"task=denail: no such run") as end:
        list_runs(tmp_path, RunFilter(tasks=("denail",)))
    assert end.value.hint == "Did you mean 'denial'?"
    with pytest.raises(UserError, match="no run with this key"):
        list_runs(tmp_path, RunFilter(keys=("ffffffffffff",)))


def test_a_key_that_several_runs_have_is_an_error(tmp_path: Path) -> None:
    folder = write_run(tmp_path, folds=2)
    (tmp_path / "other" / "m").mkdir(parents=True)
    folder.path.rename(tmp_path / "other" / "m" / f"{folder.key[:6]}000000")
    again = write_run(tmp_path, folds=2)
    with pytest.raises(UserError, match="2 runs have a key that begins so"):
        list_runs(tmp_path, RunFilter(keys=(again.key[:6],)))


def test_a_run_that_cannot_be_read_is_listed_with_the_reason(tmp_path: Path, bench: Bench) -> None:
    folder = write_run(tmp_path, folds=2)
    change_record(folder, format=1)
    (run,) = list_runs(tmp_path)
    assert run.status == "unreadable"
    assert "another version of bench" in run.problem
    status, out, _ = bench("runs", f"results={tmp_path}")
    assert status == 0
    assert f"{folder.key} cannot be read" in out


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (["fold-01"], "fold-01 is missing or damaged; the command that made the run makes it again"),
        (
            ["fold-00", "fold-02"],
            "fold-00, fold-02 are missing or damaged; the command that made the run makes them",
        ),
        (["fold-01/predictions.csv"], "fold-01 is missing or damaged"),
        (["summary.json"], "summary.json is missing or damaged"),
    ],
)
def test_a_run_of_which_a_part_was_deleted_is_incomplete(
    tmp_path: Path, bench: Bench, gone: list[str], said: str
) -> None:
    folder, whole = write_run(tmp_path, folds=3), write_run(tmp_path, folds=3, model="majority")
    for name in gone:
        path = folder.path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    status, out, _ = bench("runs", f"results={tmp_path}")
    assert status == 0
    (row,) = (line for line in out.splitlines() if line.startswith("logreg"))
    assert row.split()[1] == "incomplete"
    assert f"{folder.key} is incomplete: {said}" in " ".join(out.split())
    assert {run.key: run.status for run in api.runs(results=tmp_path)} == {
        folder.key: "incomplete",
        whole.key: "complete",
    }
    listed = json.loads(bench("runs", f"results={tmp_path}", "--format", "json")[1])
    assert [(run["status"], bool(run["problem"])) for run in listed] == [("incomplete", True), ("complete", False)]


def test_a_failed_run_stays_failed_whatever_it_lacks(tmp_path: Path) -> None:
    folder = write_run(tmp_path, folds=3, failed_fold=1)
    shutil.rmtree(folder.cell_path(2))
    assert [run.status for run in list_runs(tmp_path)] == ["failed"]


@pytest.mark.parametrize("columns", [60, 200])
def test_the_table_fits_and_keeps_model_score_and_key(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    old, new = superseded_pair(tmp_path)
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, _ = bench("runs", f"results={tmp_path}")
    assert status == 0
    assert all(len(line) <= columns for line in out.splitlines())
    for word in ("denial", "2 runs", "logreg", old.key, new.key):
        assert word in out
    assert ("columns: " in out) == (columns == 60)


@pytest.mark.slow
def test_each_table_says_which_columns_it_lacks_and_wide_has_them(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    superseded_pair(tmp_path)
    write_run(tmp_path, folds=2, task="stance", model="m")
    monkeypatch.setenv("COLUMNS", "70")
    _, out, _ = bench("runs", f"results={tmp_path}")
    first, second = out.split("\n\n")
    assert first.endswith("+2 columns: search, size; --wide")
    assert " search " in second
    assert "--wide" not in second
    _, out, _ = bench("runs", "--wide", f"results={tmp_path}")
    assert [line.split() for line in out.splitlines() if line.startswith("model")] == [
        ["model", "score", "search", "seed", "when", "size", "key", "replaced", "by"],
        ["model", "score", "search", "seed", "when", "size", "key"],
    ]


@pytest.mark.slow
def test_csv_and_json_hold_the_same_runs(tmp_path: Path, bench: Bench) -> None:
    superseded_pair(tmp_path)
    as_csv = list(csv.DictReader(io.StringIO(bench("runs", f"results={tmp_path}", "--format", "csv")[1])))
    as_json = json.loads(bench("runs", f"results={tmp_path}", "--format", "json")[1])
    assert [row["key"] for row in as_csv] == [row["key"] for row in as_json]
    for row, run in zip(as_csv, as_json, strict=True):
        assert row == {name: "" if run[name] is None else str(run[name]) for name in row}


def test_no_runs_is_said_and_no_error(tmp_path: Path, bench: Bench) -> None:
    assert bench("runs", f"results={tmp_path}") == (0, "", f"{tmp_path}: no runs are stored there.\n")
    assert bench("runs", f"results={tmp_path}", "--format", "json")[1] == "[]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["task=stnace"], "task=stnace: no such run is stored in {results}.\n       Did you mean 'stance'?"),
        (["model=logrge"], "Did you mean 'logreg'?"),
        (["seed=9"], "seed=9: no such run is stored in {results}.\n       Choose from: 0, 3."),
        (["search=quik"], "Did you mean 'quick'?"),
        (["task=denial", "seed=3"], "task=denial seed=3: no run that has all of it is stored in {results}."),
        (["task=stance", "--failed", "seed=0"], "task=stance seed=0: no run that has all of it"),
    ],
)
@pytest.mark.parametrize("command", [["runs"], ["runs", "rm"], ["export", "results", "x.zip"]])
def test_words_that_no_run_has_are_a_mistake_in_every_command(
    tmp_path: Path, bench: Bench, command: list[str], words: list[str], said: str
) -> None:
    write_run(tmp_path, folds=2)
    write_run(tmp_path, folds=2, task="stance", seed=3)
    given = [word for word in words if command[0] == "runs" or not word.startswith("--")]
    status, out, told = bench(*command, *given, f"results={tmp_path}")
    assert (status, out) == (2, "")
    assert said.format(results=tmp_path) in told
    assert len(list_runs(tmp_path)) == 2


@pytest.mark.parametrize("flag", ["--failed", "--superseded"])
def test_that_no_run_failed_or_was_replaced_is_no_mistake(tmp_path: Path, bench: Bench, flag: str) -> None:
    write_run(tmp_path, folds=2)
    assert bench("runs", flag, f"results={tmp_path}")[0] == 0
    status, _, said = bench("runs", "rm", "task=denial", flag, f"results={tmp_path}")
    assert (status, said) == (0, f"{tmp_path}: no stored run is like that. Nothing is removed.\n")


def test_rm_removes_what_is_named_and_nothing_else(tmp_path: Path, bench: Bench) -> None:
    kept, gone = write_run(tmp_path, folds=2), write_run(tmp_path, folds=2, model="majority")
    before = {path: path.read_bytes() for path in kept.path.rglob("*") if path.is_file()}
    status, _, said = bench("runs", "rm", gone.key[:5], f"results={tmp_path}", "--yes")
    assert (status, said) == (0, "Removed 1 run.\n")
    assert not gone.path.exists()
    assert not gone.path.parent.exists()
    assert {path: path.read_bytes() for path in kept.path.rglob("*") if path.is_file()} == before


def test_rm_superseded_removes_the_older_run_alone(tmp_path: Path, bench: Bench) -> None:
    old, new = superseded_pair(tmp_path)
    assert bench("runs", "rm", "--superseded", "--yes", f"results={tmp_path}")[0] == 0
    assert not old.path.exists()
    assert new.summarised


def test_rm_failed_removes_failed_runs_alone(tmp_path: Path, bench: Bench) -> None:
    good, bad = write_run(tmp_path, folds=2), write_run(tmp_path, folds=3, failed_fold=1)
    assert bench("runs", "rm", "--failed", "--yes", f"results={tmp_path}")[0] == 0
    assert [run.key for run in list_runs(tmp_path)] == [good.key]
    assert not bad.path.exists()


def test_a_dry_run_removes_nothing(tmp_path: Path, bench: Bench) -> None:
    folder = write_run(tmp_path, folds=2)
    status, out, said = bench("runs", "rm", folder.key, "--dry-run", "--yes", f"results={tmp_path}")
    assert status == 0
    assert folder.key in out
    assert "Nothing is removed" in said
    assert folder.summarised


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rm"], "no runs are named"),
        (["rm", "xyz"], "neither key=value nor the key of a run"),
        (["--yes"], "--yes belongs to `bench runs rm`"),
        (["rm", "--failed", "--superseded", "modle=x"], "modle: unknown key"),
    ],
)
def test_a_mistake_removes_nothing(tmp_path: Path, bench: Bench, words: list[str], said: str) -> None:
    folder = write_run(tmp_path, folds=2)
    status, _, message = bench("runs", *words, f"results={tmp_path}")
    assert status == 2
    assert said in message
    assert folder.summarised


def test_without_a_terminal_or_yes_nothing_is_removed(tmp_path: Path, bench: Bench) -> None:
    folder = write_run(tmp_path, folds=2)
    status, _, said = bench("runs", "rm", folder.key, f"results={tmp_path}")
    assert status == 2
    assert "Add --yes" in said
    assert folder.summarised


@pytest.mark.parametrize(("answer", "left"), [("y\n", False), ("n\n", True), ("\n", True)])
def test_it_asks_first(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch, answer: str, left: bool) -> None:
    folder = write_run(tmp_path, folds=2)
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert bench("runs", "rm", folder.key, f"results={tmp_path}")[0] == 0
    assert folder.summarised == left


def test_a_run_that_another_process_works_on_is_kept(tmp_path: Path, bench: Bench) -> None:
    busy, free = write_run(tmp_path, folds=2), write_run(tmp_path, folds=2, model="majority")
    with busy.locked():
        status, _, said = bench("runs", "rm", "task=denial", "--yes", f"results={tmp_path}")
    assert status == 1
    assert "another bench process is working on this run" in said
    assert busy.summarised
    assert not free.path.exists()


@pytest.mark.parametrize("level", [0, 1, 2])
def test_nothing_behind_a_link_is_removed(tmp_path: Path, level: int) -> None:
    folder = write_run(tmp_path / "results", folds=2)
    place = [folder.path, *folder.path.parents][level]
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    removed = remove_runs(tmp_path / "results", list_runs(tmp_path / "results"))
    assert removed.runs == []
    assert "this is a link" in removed.kept[0]
    assert list((tmp_path / "elsewhere").rglob("summary.json"))


def test_links_within_a_run_are_removed_and_not_followed(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "results", folds=2)
    own = tmp_path / "own"
    own.mkdir()
    (own / "file").write_text("mine")
    (folder.path / "linked").symlink_to(own)
    assert remove_runs(tmp_path / "results", list_runs(tmp_path / "results")).kept == []
    assert (own / "file").read_text() == "mine"
    assert not folder.path.exists()


def test_the_leaderboard_no_longer_has_what_was_removed(tmp_path: Path) -> None:
    kept, gone = write_run(tmp_path, folds=2), write_run(tmp_path, folds=2, model="majority")
    board = write_leaderboard(tmp_path, leaderboard(tmp_path, kept.read_record())) / FILES[0]
    assert gone.key in board.read_text()
    remove_runs(tmp_path, list_runs(tmp_path, RunFilter(keys=(gone.key,))))
    assert gone.key not in board.read_text()
    assert kept.key in board.read_text()
    remove_runs(tmp_path, list_runs(tmp_path))
    assert not board.parent.exists()


@pytest.mark.slow
def test_what_was_removed_is_gone_from_mlflow_with_its_folds_and_its_model(tmp_path: Path, bench: Bench) -> None:
    kept, gone = write_run(tmp_path, folds=2), write_run(tmp_path, folds=2, model="majority")
    client = open_store(tracking_uri(tmp_path))
    for folder in (kept, gone):
        track(folder, client)
    (experiment,) = (each.experiment_id for each in client.search_experiments())

    def shown() -> set[str]:
        return {run.data.tags["bench.key"] for run in logged_runs(client, experiment, "")}

    assert shown() == {kept.key, gone.key}
    status, _, said = bench("runs", "rm", gone.key, "--yes", f"results={tmp_path}")
    assert status == 0
    assert said.endswith("Removed 1 run, from MLflow's store too.\n")
    assert shown() == {kept.key}
    assert [model.tags["bench.key"] for model in client.search_logged_models([experiment])] == [kept.key]
