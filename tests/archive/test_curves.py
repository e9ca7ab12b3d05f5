"""Learning curves are listed, moved and removed as runs are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from stored import change_record, write_curve, write_run
from zipped_runs import change, contents, refused, runs_of, unzipped, zipped

from bench.archive.listing import RunFilter, list_runs
from bench.archive.packing import pack_runs
from bench.archive.unpacking import import_runs
from bench.results.curves import stored_curves
from bench.results.store import RunFolder

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def theirs(tmp_path: Path) -> RunFolder:
    return write_curve(tmp_path / "theirs")


@pytest.fixture
def packed(tmp_path: Path, theirs: RunFolder) -> Path:
    pack_runs(list_runs(tmp_path / "theirs"), tmp_path / "curves.zip")
    return tmp_path / "curves.zip"


def test_a_curve_is_listed_beside_the_runs(tmp_path: Path, bench: Bench) -> None:
    run, curve = write_run(tmp_path, folds=2), write_curve(tmp_path)
    status, out, _ = bench("runs", f"results={tmp_path}")
    assert status == 0
    assert "1 run and 1 curve" in out
    (row,) = (line for line in out.splitlines() if line.startswith("logreg (curve)"))
    assert "complete" in row
    assert curve.key in row
    listed = json.loads(bench("runs", f"results={tmp_path}", "--format", "json")[1])
    assert [(each["key"], each["curve"]) for each in listed] == [(run.key, False), (curve.key, True)]


@pytest.mark.parametrize("gone", ["all/fold-01", "groups-1-of-2/fold-00"])
def test_a_curve_of_which_a_fold_was_deleted_is_incomplete(tmp_path: Path, gone: str) -> None:
    curve = write_curve(tmp_path)
    shutil.rmtree(curve.path / gone)
    (listed,) = list_runs(tmp_path)
    assert listed.status == "incomplete"
    assert listed.problem.startswith(f"{gone}: missing or damaged")


def test_a_curve_is_removed_by_its_key_and_nothing_else(tmp_path: Path, bench: Bench) -> None:
    run, curve = write_run(tmp_path, folds=2), write_curve(tmp_path)
    status, _, said = bench("runs", "rm", curve.key, "--yes", f"results={tmp_path}")
    assert (status, said) == (0, "Removed 1 curve.\n")
    assert not (tmp_path / "denial" / "curves").exists()
    assert run.summarised
    write_curve(tmp_path)
    status, _, said = bench("runs", "rm", "task=denial", "--yes", f"results={tmp_path}")
    assert (status, said) == (0, "Removed 1 run and 1 curve.\n")
    assert not (tmp_path / "denial").exists()


def test_a_curve_replaces_no_run_and_is_not_replaced(tmp_path: Path) -> None:
    for results in (write_run(tmp_path, folds=2), write_curve(tmp_path)):
        change_record(results, started="2026-01-01T00:00:00+00:00")
    assert list_runs(tmp_path, RunFilter(superseded=True)) == []


def test_a_curve_is_imported_as_it_was_exported(tmp_path: Path, bench: Bench, theirs: RunFolder) -> None:
    file, mine = str(tmp_path / "c.zip"), tmp_path / "mine"
    status, out, _ = bench("export", "results", file, f"results={tmp_path / 'theirs'}")
    assert status == 0
    assert "1 curve of denial" in out
    assert bench("import", "results", file, f"results={mine}")[1] == f"denial  logreg (curve)  {theirs.key}  stored\n"
    assert runs_of(mine) == runs_of(tmp_path / "theirs")
    assert [curve.record.key for curve in stored_curves(mine, "denial")] == [theirs.key]
    before = contents(mine)
    assert bench("import", "results", file, f"results={mine}")[1].endswith("already there\n")
    assert contents(mine) == before


def test_runs_and_curves_are_imported_together(tmp_path: Path, theirs: RunFolder) -> None:
    run = write_run(tmp_path / "theirs", folds=2)
    pack_runs(list_runs(tmp_path / "theirs"), tmp_path / "both.zip")
    imported = import_runs(tmp_path / "both.zip", tmp_path / "mine")
    assert [each.key for each in imported.runs] == [run.key]
    assert [each.key for each in imported.curves] == [theirs.key]


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("run.json", {"seed": 1}, "its key is not that of its content"),
        ("run.json", {"run": "0" * 12}, "its key is not that of its content"),
        ("run.json", {"digests": {"all": "0" * 12}}, "its key is not that of its content"),
        ("run.json", {"digests": {"more": "0" * 12}}, "its key is not that of its content"),
        ("run.json", {"folds": 3}, "of its 3 folds these are there"),
        ("run.json", {"status": "failed"}, "the run is not complete"),
        ("summary.json", {"n_groups": 99}, "it does not sum up the curve's predictions"),
        ("all/fold-00/result.json", {"predictions_sha256": "0" * 64}, "its files are not those of one fold"),
    ],
)
def test_a_curve_that_does_not_fit_its_record_is_refused(
    tmp_path: Path, packed: Path, name: str, changes: dict, said: str
) -> None:
    files = change(unzipped(packed), name, **changes)
    assert said in refused(zipped(tmp_path / "e.zip", files), tmp_path / "mine")


@pytest.mark.parametrize("gone", ["all/fold-01/predictions.csv", "groups-1-of-2/fold-00/result.json", "summary.json"])
def test_a_curve_that_lacks_a_file_is_refused(tmp_path: Path, packed: Path, gone: str) -> None:
    files = {name: data for name, data in unzipped(packed).items() if not name.endswith(gone)}
    refused(zipped(tmp_path / "e.zip", files), tmp_path / "mine")


@pytest.mark.slow
def test_other_results_under_a_curves_key_are_refused_by_name(tmp_path: Path, packed: Path) -> None:
    mine = write_curve(tmp_path / "mine")
    path = mine.path / "all" / "fold-00" / "predictions.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    message = refused(packed, tmp_path / "mine")
    assert f"denial/curves/logreg/{mine.key}/all/fold-00/predictions.csv" in message


def test_an_incomplete_curve_is_left_out_of_an_export_with_a_word(tmp_path: Path, bench: Bench) -> None:
    write_run(tmp_path, folds=2)
    curve = write_curve(tmp_path)
    shutil.rmtree(curve.path / "all" / "fold-01")
    status, out, said = bench("export", "results", str(tmp_path / "r.zip"), f"results={tmp_path}")
    assert status == 0
    assert "1 run of denial" in out
    assert f"{curve.key} is left out: all/fold-01: missing or damaged" in said
