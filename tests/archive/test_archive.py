"""Runs move between machines whole, and nothing that an archive says is believed unseen."""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from contest import compared, store_contest
from stored import change_record, write_run
from zipped_runs import change, contents, refused, runs_of, unzipped, zipped

from bench.archive.listing import RunFilter, list_runs
from bench.archive.manifest import MANIFEST
from bench.archive.packing import pack_runs
from bench.archive.unpacking import import_runs
from bench.errors import UserError, escaped
from bench.results.leaderboard import FILES
from bench.results.store import RunFolder
from bench.tracking.logged import logged_runs
from bench.tracking.run import track
from bench.tracking.store import open_store
from bench.tracking.uri import tracking_uri

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def theirs(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path / "theirs", folds=2)


@pytest.fixture
def packed(tmp_path: Path, theirs: RunFolder) -> Path:
    pack_runs(list_runs(theirs.results), tmp_path / "runs.zip")
    return tmp_path / "runs.zip"


def test_what_is_imported_is_what_was_exported(tmp_path: Path, theirs: RunFolder, packed: Path) -> None:
    imported = import_runs(packed, tmp_path / "mine")
    assert [run.key for run in imported.runs] == [theirs.key]
    assert runs_of(tmp_path / "mine") == runs_of(theirs.results)
    assert (tmp_path / "mine" / "denial" / FILES[0]).exists()
    assert not list((tmp_path / "mine").glob(".import*"))


def test_imports_at_the_same_time_wait_for_each_other_and_leave_no_lock(tmp_path: Path, packed: Path) -> None:
    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(import_runs, packed, tmp_path / "mine") for _ in range(6)]
    assert sorted(len(each.result().runs) for each in done) == [0, 0, 0, 0, 0, 1]
    assert not list((tmp_path / "mine").glob(".import*"))


def test_the_same_runs_make_the_same_file(tmp_path: Path, theirs: RunFolder, packed: Path) -> None:
    pack_runs(list_runs(theirs.results), tmp_path / "again.zip")
    assert packed.read_bytes() == (tmp_path / "again.zip").read_bytes()


@pytest.mark.slow
def test_runs_of_two_people_compare(tmp_path: Path, bench: Bench) -> None:
    store_contest(tmp_path / "theirs", {"a": 0.9, "majority": 0.3})
    store_contest(tmp_path / "mine", {"b": 0.6, "majority": 0.3})
    file, mine = tmp_path / "theirs.zip", f"results={tmp_path / 'mine'}"
    assert bench("export", "results", str(file), f"results={tmp_path / 'theirs'}")[0] == 0
    status, out, said = bench("import", "results", str(file), mine)
    assert status == 0
    assert [line.split()[1::2] for line in out.replace("already there", "there").splitlines()] == [
        ["a", "stored"],
        ["majority", "there"],
    ]
    assert f"bench compare task=denial {mine}" in said
    assert {row.name for row in compared(tmp_path / "mine", "task=denial").rows} == {"a", "b", "majority"}
    verdicts = {(pair.first, pair.second): pair.verdict for pair in compared(tmp_path / "mine", "task=denial").pairs}
    assert verdicts["a", "b"] == "better"
    status, out, _ = bench("compare", "task=denial", mine)
    assert status == 0
    assert "a" in out


@pytest.mark.slow
def test_runs_are_chosen_on_both_sides(tmp_path: Path, bench: Bench) -> None:
    store_contest(tmp_path / "theirs", {"a": 0.9, "b": 0.6, "c": 0.3})
    file, theirs, mine = str(tmp_path / "t.zip"), f"results={tmp_path / 'theirs'}", f"results={tmp_path / 'mine'}"
    assert bench("export", "results", file, "model=a,b", theirs)[0] == 0
    assert bench("import", "results", file, "model=b", mine)[0] == 0
    assert [run.model for run in list_runs(tmp_path / "mine")] == ["b"]
    for word in ("model=c", "seed=7", "search=quik"):
        status, _, said = bench("import", "results", file, word, mine)
        assert status == 2
        assert f"{word}: no such run is in {file}." in said


def test_a_run_that_is_there_with_the_same_results_is_left_as_it_is(tmp_path: Path, packed: Path) -> None:
    mine = write_run(tmp_path / "mine", folds=2)
    change_record(mine, started="2026-05-05T00:00:00+00:00", environment={"python": "3.14.0"}, command="bench run x=1")
    (mine.cell_path(0) / "timing.json").write_text('{"fit": 99.0}')
    before = contents(tmp_path / "mine")
    imported = import_runs(packed, tmp_path / "mine")
    assert (imported.runs, [run.key for run in imported.there]) == ([], [mine.key])
    assert contents(tmp_path / "mine") == before


@pytest.mark.parametrize("name", ["fold-00/predictions.csv", "fold-01/result.json", "summary.json"])
def test_other_results_under_the_same_key_are_refused_by_name(tmp_path: Path, packed: Path, name: str) -> None:
    mine = write_run(tmp_path / "mine", folds=2)
    path = mine.path / name
    path.write_bytes(path.read_bytes() + b"\n")
    message = refused(packed, tmp_path / "mine")
    assert f"denial/logreg/{mine.key}/{name}" in message
    assert "has different content" in message


def test_a_run_that_is_not_complete_here_is_not_replaced(tmp_path: Path, packed: Path) -> None:
    mine = write_run(tmp_path / "mine", folds=2)
    (mine.path / "summary.json").unlink()
    assert "holds an incomplete run" in refused(packed, tmp_path / "mine")


def test_what_a_stopped_process_left_is_no_run(tmp_path: Path, theirs: RunFolder, packed: Path) -> None:
    left = tmp_path / "mine" / "denial" / "logreg" / theirs.key
    left.mkdir(parents=True)
    (left / ".lock").touch()
    assert len(import_runs(packed, tmp_path / "mine").runs) == 1
    assert RunFolder(left).summarised


def test_incomplete_runs_are_left_out_of_an_export_with_a_word(tmp_path: Path, theirs: RunFolder, bench: Bench) -> None:
    bad = write_run(theirs.results, folds=3, failed_fold=1)
    damaged = write_run(theirs.results, folds=4)
    (damaged.cell_path(0) / "predictions.csv").write_text("")
    status, out, said = bench("export", "results", str(tmp_path / "r.zip"), f"results={theirs.results}")
    assert status == 0
    assert "1 run of denial" in out
    assert f"{bad.key} is left out: its run is not complete (failed)" in said
    assert f"{damaged.key} is left out: fold-00 is missing or damaged" in said


def test_an_export_writes_over_nothing_unless_forced(
    tmp_path: Path, theirs: RunFolder, packed: Path, bench: Bench
) -> None:
    packed.write_text("mine")
    words = ("export", "results", str(packed), f"results={theirs.results}")
    assert bench(*words)[0] == 2
    assert packed.read_text() == "mine"
    assert bench(*words, "--force")[0] == 0
    assert zipfile.is_zipfile(packed)


def test_an_export_does_not_follow_links(tmp_path: Path, theirs: RunFolder) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (theirs.cell_path(0) / "error.txt").symlink_to(secret)
    pack_runs(list_runs(theirs.results), tmp_path / "r.zip")
    assert not any(b"mine" in data or name.endswith("error.txt") for name, data in unzipped(tmp_path / "r.zip").items())


@pytest.mark.parametrize("words", [(), ("x.zip",), ("results",), ("results", "x.tar"), ("resluts", "x.zip")])
def test_what_is_typed_wrongly_names_the_right_form(bench: Bench, words: tuple[str, ...]) -> None:
    status, _, said = bench("import", *words)
    assert status == 2
    assert "results" in said


def test_a_file_that_is_not_there_or_no_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.zip: cannot be read: No such file"):
        import_runs(tmp_path / "none.zip", tmp_path / "mine")
    (tmp_path / "text.zip").write_text("not a zip file")
    assert "not readable as a ZIP file" in refused(tmp_path / "text.zip", tmp_path / "mine")
    assert f"it holds no {MANIFEST}" in refused(zipped(tmp_path / "e.zip", {"a": b""}, honest=False), tmp_path / "mine")


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.95])
def test_a_damaged_archive_stores_nothing(tmp_path: Path, packed: Path, place: float) -> None:
    data = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as archive:
        files = [file for file in archive.infolist() if file.compress_size >= 16]
    file = files[int(len(files) * place)]
    # A file's content comes after a header of 30 bytes, its name and what this header adds.
    header = 30 + sum(struct.unpack_from("<2H", data, file.header_offset + 26))
    at = file.header_offset + header + file.compress_size // 2
    data[at : at + 8] = bytes(byte ^ 0xFF for byte in data[at : at + 8])
    packed.write_bytes(data)
    refused(packed, tmp_path / "mine")


def test_a_truncated_archive_stores_nothing(tmp_path: Path, packed: Path) -> None:
    packed.write_bytes(packed.read_bytes()[:-100])
    refused(packed, tmp_path / "mine")


@pytest.mark.parametrize(
    "name",
    [
        "../evil/logreg/0123456789ab/run.json",
        "/etc/passwd",
        "denial/../../0123456789ab/run.json",
        "denial/logreg/0123456789ab/../../../evil",
        "denial/logreg/0123456789ab/fold-00/../../../../evil",
        "denial/logreg/0123456789ab/plugin.py",
        "denial/logreg/0123456789ab/final/model.pkl",
        "denial\\logreg\\0123456789ab\\run.json",
        "denial/curves/0123456789ab/run.json",
        ".git/hooks/0123456789ab/run.json",
        "mlflow.db/logreg/0123456789ab/run.json",
        "Denial/logreg/0123456789ab/run.json",
        "denial/leaderboard.json/0123456789ab/run.json",
        "denial/log\u202ereg/0123456789ab/run.json",
        "denial/leaderboard.json",
    ],
)
def test_a_name_that_no_stored_run_has_is_refused(tmp_path: Path, packed: Path, name: str) -> None:
    message = refused(zipped(tmp_path / "evil.zip", {**unzipped(packed), name: b"x"}), tmp_path / "mine")
    assert escaped(name).replace("\\", "/") in message.replace("\\", "/")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("run.json", {"format": 4}, "stored by another version of bench"),
        ("run.json", {"task": {"name": "other"}}, "it is the record of another run"),
        ("run.json", {"model": {"name": "../.."}}, "it is not a valid folder name"),
        ("run.json", {"key": "f" * 12}, "it is the record of another run"),
        ("run.json", {"status": "interrupted"}, "the run is not complete"),
        ("run.json", {"folds": 3}, "of its 3 folds these are there"),
        ("run.json", {"folds": 10**9}, "of its 1000000000 folds these are there"),
        ("run.json", {"started": "2999-01-01T00:00:00+00:00"}, "it was started in the future"),
        ("summary.json", {"scores": {"macro_f1": 0.999}}, "its macro_f1 is not that of its predictions"),
        ("run.json", {"seed": "0"}, "'seed': expected a whole number"),
        ("summary.json", {"scores": {"macro_f1": "1"}}, "'scores.macro_f1': expected a number"),
        ("fold-00/result.json", {"predictions_sha256": "0" * 64}, "its files are not those of one fold"),
        ("fold-01/result.json", {"status": "failed"}, "the fold failed"),
        ("fold-00/timing.json", {"fit": None}, "timing.json"),
        ("fold-00/result.json", {"fold": 1}, "its files are not those of one fold"),
    ],
)
def test_a_run_that_does_not_fit_its_record_is_refused(
    tmp_path: Path, packed: Path, name: str, changes: dict, said: str
) -> None:
    message = refused(zipped(tmp_path / "e.zip", change(unzipped(packed), name, **changes)), tmp_path / "mine")
    assert said in message
    assert ".import-" not in message
    assert "e.zip: denial/logreg/" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"splits": "f" * 16},
        {"task": {"digest": "f" * 64}},
        {"task": {"version": 2}},
        {"task": {"label_map": {"no": "none"}}},
        {"model": {"params": {"solver": "saga", "estimator.max_iter": 300}}},
        {"model": {"sources": {"mine.Model": "0" * 64}}},
        {"model": {"features": "cues"}},
        {"search": {"trials": 1000}},
        {"validation": {"inner_folds": 10}},
    ],
)
def test_a_record_that_was_changed_after_the_run_is_refused(tmp_path: Path, packed: Path, changes: dict) -> None:
    message = refused(zipped(tmp_path / "e.zip", change(unzipped(packed), "run.json", **changes)), tmp_path / "mine")
    assert "run.json: its key is not that of its content" in message


def test_a_run_under_another_key_than_its_own_is_refused(tmp_path: Path, packed: Path, theirs: RunFolder) -> None:
    files = change(unzipped(packed), "run.json", key="f" * 12)
    moved = {name.replace(theirs.key, "f" * 12): data for name, data in files.items()}
    message = refused(zipped(tmp_path / "e.zip", moved), tmp_path / "mine")
    assert "its key is not that of its content" in message


def test_an_imported_run_replaces_no_run_that_was_made_here(tmp_path: Path, bench: Bench) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    changed: dict[str, Any] = {"of_task": {"digest": "f" * 64}, "started": "2026-01-01T00:00:00+00:00"}
    (own,) = store_contest(mine, {"a": 0.9}).values()
    (newer,) = store_contest(theirs, {"a": 0.6}, **changed).values()
    pack_runs(list_runs(theirs), tmp_path / "r.zip")
    import_runs(tmp_path / "r.zip", mine)
    assert {run.key: (run.superseded_by, run.imported) for run in list_runs(mine)} == {
        own.key: (None, False),
        newer.key: (None, True),
    }
    status, _, said = bench("runs", "rm", "--superseded", "--yes", f"results={mine}")
    assert (status, "Nothing is removed" in said) == (0, True)
    assert own.summarised


def test_an_imported_run_is_replaced_by_a_newer_one(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    (older,) = store_contest(theirs, {"a": 0.6}).values()
    changed: dict[str, Any] = {"of_task": {"digest": "f" * 64}, "started": "2026-01-01T00:00:00+00:00"}
    (own,) = store_contest(mine, {"a": 0.9}, **changed).values()
    pack_runs(list_runs(theirs), tmp_path / "r.zip")
    import_runs(tmp_path / "r.zip", mine)
    assert {run.key: run.superseded_by for run in list_runs(mine)} == {older.key: own.key, own.key: None}


def test_an_imported_run_that_is_run_again_from_the_start_is_ones_own(tmp_path: Path, packed: Path) -> None:
    (run,) = import_runs(packed, tmp_path / "mine").runs
    with run.locked():
        run.clear()
    write_run(tmp_path / "mine", folds=2)
    assert [each.imported for each in list_runs(tmp_path / "mine")] == [False]


@pytest.mark.parametrize("gone", ["run.json", "summary.json", "fold-00/predictions.csv", "fold-01/result.json"])
def test_a_run_that_lacks_a_file_is_refused(tmp_path: Path, packed: Path, gone: str) -> None:
    files = {name: data for name, data in unzipped(packed).items() if not name.endswith(gone)}
    refused(zipped(tmp_path / "e.zip", files), tmp_path / "mine")


def test_content_that_is_not_what_the_manifest_says_is_refused_by_name(tmp_path: Path, packed: Path) -> None:
    files = unzipped(packed)
    name = next(name for name in files if name.endswith("fold-00/predictions.csv"))
    for data in (files[name].replace(b"0.", b"1."), files[name] + b"\n", files[name][:-5]):
        message = refused(zipped(tmp_path / "e.zip", {**files, name: data}, honest=False), tmp_path / "mine")
        assert f"{name}: its content is not what" in message


@pytest.mark.parametrize("part", ["version", "format"])
def test_another_version_is_refused(tmp_path: Path, packed: Path, part: str) -> None:
    files = change(unzipped(packed), MANIFEST, **{part: 99})
    assert "another version of bench wrote it" in refused(zipped(tmp_path / "e.zip", files, False), tmp_path / "mine")


def test_a_file_that_stands_twice_is_refused(tmp_path: Path, packed: Path) -> None:
    name = next(name for name in unzipped(packed) if name.endswith("run.json"))
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(name, b"{}")
    assert f"{name}: it occurs 2 times" in refused(packed, tmp_path / "mine")


@pytest.mark.parametrize(("kind", "said"), [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "no regular file")])
def test_a_link_or_pipe_is_refused(tmp_path: Path, packed: Path, kind: int, said: str) -> None:
    with zipfile.ZipFile(packed, "a") as archive:
        entry = zipfile.ZipInfo("denial/logreg/0123456789ab/run.json")
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert f"it is {said}" in refused(packed, tmp_path / "mine")


def test_a_folder_and_a_file_that_is_not_listed_are_refused(tmp_path: Path, packed: Path) -> None:
    files = unzipped(packed)
    assert "it is a folder" in refused(zipped(tmp_path / "d.zip", {**files, "denial/": b""}), tmp_path / "mine")
    extra = zipped(tmp_path / "x.zip", {**files, "denial/logreg/0123456789ab/run.json": b""}, honest=False)
    assert "it is not listed" in refused(extra, tmp_path / "mine")


@pytest.mark.slow
def test_a_small_file_that_stands_for_very_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.data.sources.bounds.FREE", 1000)
    monkeypatch.setattr("bench.data.sources.bounds.most_of.__defaults__", (1000,))
    files = unzipped(packed)
    name = next(name for name in files if name.endswith("fold-00/predictions.csv"))
    bomb = zipped(tmp_path / "b.zip", {**files, name: bytes(30_000_000)})
    assert "as no stored runs do" in refused(bomb, tmp_path / "mine")
    # A manifest that says less than what is there.
    lying = zipped(tmp_path / "l.zip", {**unzipped(bomb), MANIFEST: files[MANIFEST]}, honest=False)
    assert f"{name}: its content is not what" in refused(lying, tmp_path / "mine")
    huge = zipped(tmp_path / "h.zip", {**files, MANIFEST: bytes(30_000_000)}, honest=False)
    assert f"{MANIFEST}: it is larger" in refused(huge, tmp_path / "mine")


def test_names_that_differ_in_case_alone_are_refused(tmp_path: Path, packed: Path) -> None:
    files = unzipped(packed)
    other = {name.replace("denial/logreg/", "denial/LogReg/"): data for name, data in files.items()}
    assert "only in case" in refused(zipped(tmp_path / "c.zip", {**files, **other}), tmp_path / "mine")
    (tmp_path / "taken" / "Denial").mkdir(parents=True)
    assert "only in case" in refused(packed, tmp_path / "taken")


@pytest.mark.parametrize("level", ["denial", "denial/logreg"])
@pytest.mark.parametrize("link", [True, False])
def test_what_stands_in_the_way_is_neither_followed_nor_replaced(
    tmp_path: Path, packed: Path, level: str, link: bool
) -> None:
    place = tmp_path / "mine" / level
    place.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    if link:
        place.symlink_to(tmp_path / "elsewhere")
    else:
        place.write_text("mine")
    with pytest.raises(UserError, match="this is a link" if link else "in (the|its) way"):
        import_runs(packed, tmp_path / "mine")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_one_refused_run_keeps_all_others_out(tmp_path: Path) -> None:
    store_contest(tmp_path / "theirs", {"a": 0.9, "b": 0.6})
    pack_runs(list_runs(tmp_path / "theirs"), tmp_path / "t.zip")
    files = unzipped(tmp_path / "t.zip")
    name = next(name for name in files if name.startswith("denial/b/") and name.endswith("run.json"))
    refused(zipped(tmp_path / "e.zip", {**files, name: b"{}"}), tmp_path / "mine")


def test_a_model_is_stored_as_bytes_and_not_looked_at(tmp_path: Path, packed: Path) -> None:
    files = unzipped(packed)
    (name,) = (name for name in files if name.endswith("model.skops"))
    (run,) = import_runs(zipped(tmp_path / "e.zip", {**files, name: b"no model"}), tmp_path / "mine").runs
    assert (run.cell_path("final") / "model.skops").read_bytes() == b"no model"


def test_what_a_killed_import_left_goes_with_the_next_one(tmp_path: Path, packed: Path) -> None:
    left = tmp_path / "mine" / ".import-abcdef-"
    (left / "denial").mkdir(parents=True)
    import_runs(packed, tmp_path / "mine")
    assert not left.exists()
    assert [run.task for run in list_runs(tmp_path / "mine")] == ["denial"]


@pytest.mark.slow
def test_imported_runs_are_tracked_where_a_store_is_in_use(tmp_path: Path, packed: Path, theirs: RunFolder) -> None:
    own = write_run(tmp_path / "mine", folds=3)
    client = open_store(tracking_uri(tmp_path / "mine"))
    track(own, client)
    assert import_runs(packed, tmp_path / "mine").notes == []
    (experiment,) = (each.experiment_id for each in client.search_experiments())
    logged = {run.data.tags["bench.key"] for run in logged_runs(client, experiment, "")}
    assert logged == {own.key, theirs.key}


def test_a_file_in_the_place_of_the_store_is_a_mistake_of_the_users(tmp_path: Path, packed: Path, bench: Bench) -> None:
    (tmp_path / "mine").write_text("")
    assert bench("import", "results", str(packed), f"results={tmp_path / 'mine'}")[0] == 2


@pytest.mark.slow
def test_the_filter_takes_seed_and_search_too(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_run(tmp_path / "theirs", folds=2, seed=seed)
    pack_runs(list_runs(tmp_path / "theirs"), tmp_path / "t.zip")
    import_runs(tmp_path / "t.zip", tmp_path / "mine", RunFilter(seed=1, search="quick"))
    assert [run.seed for run in list_runs(tmp_path / "mine")] == [1]
    shutil.rmtree(tmp_path / "mine")
    with pytest.raises(UserError, match="search=thorough: no such run is in"):
        import_runs(tmp_path / "t.zip", tmp_path / "mine", RunFilter(search="thorough"))
