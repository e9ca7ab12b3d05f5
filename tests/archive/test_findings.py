"""Stress tests and shares go with a run into an archive and out of it, and are held against the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stored import write_run
from zipped_runs import contents, refused, runs_of, unzipped, zipped

from bench.archive.listing import list_runs
from bench.archive.packing import pack_runs
from bench.archive.unpacking import import_runs
from bench.comparison.predictions import read_side_by_side
from bench.comparison.selection import Selected
from bench.comparison.stressed import stressed, unjudged_row
from bench.results.files import sha256, to_json
from bench.results.shares import Estimates, LabelShare, PartShares, read_shares, shares_name, write_shares
from bench.results.store import RunFolder
from bench.results.stress import (
    StressedFold,
    StressRow,
    StressSummary,
    read_stress_summary,
    write_stress_summary,
    write_stressed_fold,
)
from bench.statistics.interval import Interval
from bench.statistics.sampled import Share


def write_stress(folder: RunFolder, answers: dict[int, dict[int, str]]) -> StressSummary:
    """Store the stress tests of two perturbations; `answers` are the labels under the first, by fold and row."""
    record = folder.read_record()
    found = {}
    for fold, labels in answers.items():
        found[fold] = StressedFold(
            predictions_sha256=sha256(folder.cell_path(fold) / "predictions.csv") or "",
            texts_sha256="0" * 64,
            rows=tuple(labels),
            predicted=tuple(labels.values()),
            probabilities=tuple((0.2, 0.3, 0.5) for _ in labels),
        )
        write_stressed_fold(folder, fold, "tatweel", found[fold])
    run = read_side_by_side(Selected([(folder, record)], [], named=True))
    blank = StressRow(
        name="tatweel",
        description="",
        kind="writing",
        changed=0,
        flipped=0,
        score=run.runs[0].score,
        drop=0.0,
        interval=None,
        p_value=None,
        standing="unchanged",
    )
    rows = [unjudged_row(run, stressed(run, blank, found)), replace(blank, name="digits-latin")]
    summary = StressSummary(
        task=record.task.name,
        model=record.model.name,
        key=record.key,
        metric=run.metric.name,
        score=run.runs[0].score,
        interval=None,
        rope=0.01,
        input="text",
        n_examples=run.n_scored,
        n_groups=len(run.group_names),
        folds=record.folds,
        models="refitted",
        rows=tuple(rows),
        notes=(),
    )
    write_stress_summary(folder, summary)
    return summary


def some_shares(folder: RunFolder, archive: str = "archive.csv") -> Estimates:
    record = folder.read_record()
    labels = record.task.labels
    share = Share(1 / 3, Interval(0.2, 0.4))
    of_label = tuple(
        LabelShare(label=label, powered=share, labels_alone=share, adjusted=None, counted=0.3, narrowest="powered")
        for label in labels
    )
    whole = PartShares(
        part=None, n_texts=100, n_labelled=60, n_groups=4, shares=of_label, counted=dict.fromkeys(labels, 0.3)
    )
    return Estimates(
        task=record.task.name,
        model=record.model.name,
        run=record.key,
        archive=archive,
        labels=labels,
        whole=whole,
        by=None,
        parts=(),
        differences=(),
        within=0.02,
        further=dict.fromkeys(labels, 10),
        n_found=0,
        warnings=(),
    )


def found_with(folder: RunFolder) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder.path).items() if name.startswith(("stress", "shares"))}


@pytest.fixture
def theirs(tmp_path: Path) -> RunFolder:
    folder = write_run(tmp_path / "theirs", folds=2)
    summary = write_stress(folder, {0: {0: "none", 3: "denial", 7: ""}, 1: {5: "non_confirmation"}})
    assert (summary.rows[0].changed, summary.rows[0].standing) == (4, "undecided")
    write_shares(folder, some_shares(folder))
    return folder


@pytest.fixture
def packed(tmp_path: Path, theirs: RunFolder) -> Path:
    assert pack_runs(list_runs(theirs.results), tmp_path / "runs.zip").left_out == []
    return tmp_path / "runs.zip"


def test_they_are_imported_as_they_were_exported(tmp_path: Path, theirs: RunFolder, packed: Path) -> None:
    (mine,) = import_runs(packed, tmp_path / "mine").runs
    assert runs_of(tmp_path / "mine") == runs_of(theirs.results)
    assert read_stress_summary(mine) == read_stress_summary(theirs)
    assert read_shares(mine) == read_shares(theirs) == [some_shares(theirs)]
    again = tmp_path / "again.zip"
    assert pack_runs(list_runs(tmp_path / "mine"), again).left_out == []
    assert again.read_bytes() == packed.read_bytes()


def test_what_else_lies_there_is_not_packed(tmp_path: Path, theirs: RunFolder) -> None:
    (theirs.path / "stress" / "notes.txt").write_text("mine")
    (theirs.path / "shares" / "mine.json").write_text("{}")
    (tmp_path / "secret.json").write_text("mine")
    (theirs.path / "shares" / "0123456789ab.json").symlink_to(tmp_path / "secret.json")
    pack_runs(list_runs(theirs.results), tmp_path / "r.zip")
    names = {name.partition(f"{theirs.key}/")[2] for name in unzipped(tmp_path / "r.zip")}
    assert {name for name in names if name.startswith(("stress", "shares"))} == {
        *("stress/summary.json", "stress/fold-00/tatweel.json", "stress/fold-01/tatweel.json"),
        f"shares/{shares_name(some_shares(theirs))}",
    }


def test_those_that_do_not_go_with_the_run_stay_behind_with_a_word(tmp_path: Path, theirs: RunFolder) -> None:
    # As after a command that was stopped before it could sum up.
    (theirs.path / "stress" / "fold-01" / "tatweel.json").unlink()
    packed = pack_runs(list_runs(theirs.results), tmp_path / "r.zip")
    assert len(packed.runs) == 1
    (told,) = packed.left_out
    assert "its stress tests are left out" in told
    assert "it does not sum up the answers under 'tatweel'" in told
    (mine,) = import_runs(tmp_path / "r.zip", tmp_path / "mine").runs
    assert read_stress_summary(mine) is None
    assert len(read_shares(mine)) == 1


def test_a_stored_run_gets_those_that_it_has_not_and_keeps_its_own(
    tmp_path: Path, theirs: RunFolder, packed: Path
) -> None:
    mine = write_run(tmp_path / "mine", folds=2)
    first = import_runs(packed, tmp_path / "mine")
    assert ([run.key for run in first.there], [run.key for run in first.extended]) == ([mine.key], [mine.key])
    assert first.notes == [f"denial, logreg, {mine.key}: 4 files of its stress tests and shares added."]
    assert found_with(mine) == found_with(theirs)
    before = contents(mine.path)
    second = import_runs(packed, tmp_path / "mine")
    assert (second.extended, second.notes, contents(mine.path)) == ([], [], before)
    own = replace(some_shares(mine), n_found=7)
    write_shares(mine, own)
    third = import_runs(packed, tmp_path / "mine")
    assert read_shares(mine) == [own]
    name = f"shares/{shares_name(own)}"
    assert third.notes == [f"denial, logreg, {mine.key}: left as they are here, with other content: {name}."]


def test_a_run_without_them_is_the_same_run(tmp_path: Path, theirs: RunFolder) -> None:
    bare = write_run(tmp_path / "bare", folds=2)
    pack_runs(list_runs(bare.results), tmp_path / "bare.zip")
    before = contents(theirs.results)
    imported = import_runs(tmp_path / "bare.zip", theirs.results)
    assert [run.key for run in imported.there] == [theirs.key]
    assert contents(theirs.results) == before


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("stress/summary.json", {"key": "f" * 12}, "it is about another run"),
        ("stress/summary.json", {"score": 0.99}, "it does not sum up the run's predictions"),
        ("stress/summary.json", {"rows": {"flipped": 0}}, "it does not sum up the answers under 'tatweel'"),
        ("stress/summary.json", {"rows": {"score": 0.1}}, "it does not sum up the answers under 'tatweel'"),
        ("stress/summary.json", {"rows": {"drop": 0.1}}, "it does not sum up the answers under 'tatweel'"),
        ("stress/summary.json", {"rows": {"standing": "unchanged"}}, "it does not sum up the answers under"),
        ("stress/summary.json", {"rows": {"name": "../x"}}, "it does not sum up the answers under '../x'"),
        ("stress/fold-00/tatweel.json", {"rows": [0, 3, 700]}, "its answers are not to texts of fold-00"),
        ("stress/fold-00/tatweel.json", {"rows": [0, 3]}, "its answers are not to texts of fold-00"),
        ("stress/fold-00/tatweel.json", {"rows": [0, 0, 3]}, "its answers are not to texts of fold-00"),
        ("stress/fold-00/tatweel.json", {"predicted": ["none", "x", ""]}, "its answers are not to texts of fold-00"),
        ("stress/fold-00/tatweel.json", {"probabilities": [[1.0]] * 3}, "its answers are not to texts of fold-00"),
        ("stress/fold-00/tatweel.json", {"predictions_sha256": "0" * 64}, "other predictions than those of fold-00"),
        ("shares/", {"run": "f" * 12}, "it is about another run"),
        ("shares/", {"labels": ["denial"]}, "it is about another run"),
        ("shares/", {"archive": "other.csv"}, "it is about another archive than its name says"),
        ("shares/", {"within": "x"}, "'within'"),
    ],
)
def test_those_that_were_changed_are_refused(
    tmp_path: Path, packed: Path, name: str, changes: dict[str, Any], said: str
) -> None:
    files = unzipped(packed)
    (path,) = (each for each in files if f"/{name}" in each)
    content = json.loads(files[path])
    for key, value in changes.items():
        content[key] = [content[key][0] | value, *content[key][1:]] if isinstance(value, dict) else value
    message = refused(zipped(tmp_path / "e.zip", {**files, path: to_json(content).encode()}), tmp_path / "mine")
    assert said in message
    assert "e.zip: denial/logreg/" in message


@pytest.mark.parametrize("name", ["stress/fold-07/tatweel.json", "stress/fold-00/../../x.json", "shares/x.json"])
def test_files_that_no_run_has_are_refused(tmp_path: Path, theirs: RunFolder, packed: Path, name: str) -> None:
    files = unzipped(packed)
    (path,) = (each for each in files if each.endswith("fold-00/tatweel.json"))
    run = f"denial/logreg/{theirs.key}"
    refused(zipped(tmp_path / "e.zip", {**files, f"{run}/{name}": files[path]}), tmp_path / "mine")
