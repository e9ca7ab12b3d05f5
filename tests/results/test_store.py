"""What is stored is read back as it was, whole or not at all, and a run's key says what decided its numbers."""

from __future__ import annotations

import copy
import json
import multiprocessing
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import a_record, write_run

from bench.archive.listing import list_runs
from bench.archive.packing import pack_runs
from bench.errors import BenchError, UserError
from bench.results import result_format, store
from bench.results.cell import FINAL, CellResult, Trial
from bench.results.files import read_bytes, to_json, write_atomically
from bench.results.result_format import FORMAT, run_key
from bench.results.store import RunFolder, stored_runs

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NULL_LIKE = ("NA", "null", "None", "nan", "", " ", "1", "007", "1e5", "inf", "True")
AWKWARD = ('"', "'", '""', "a,b", "a\nb", "a\r\nb", "a\rb", "\t", "\\N", "#x", "\ufeffx", "\u2028", "a\x00b")
ARABIC = ("نفى", "نَفى «الخبر»", "لم يصدر تعليق، أمس")
ODD = st.sampled_from([*NULL_LIKE, *AWKWARD, *ARABIC, "😀"])
TEXT = st.one_of(ODD, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | FLOATS | TEXT, lambda v: st.lists(v, max_size=3))
PARAMS = st.dictionaries(TEXT, VALUES, max_size=3)


@st.composite
def predictions(draw: st.DrawFn) -> pd.DataFrame:
    n = draw(st.integers(1, 5))
    labels = draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))
    kind = draw(st.sampled_from(["p", "d", None]))
    floats = FLOATS | st.just(float("nan")) if kind == "d" else st.floats(0.0, 1.0) | st.just(float("nan"))
    columns: dict[str, Any] = {
        "id": draw(st.lists(TEXT, min_size=n, max_size=n)),
        "group": draw(st.lists(TEXT, min_size=n, max_size=n)),
        "label": draw(st.lists(st.sampled_from(labels), min_size=n, max_size=n)),
        "predicted": draw(st.lists(st.sampled_from(labels), min_size=n, max_size=n)),
    }
    if kind:
        columns |= {f"{kind}_{label}": draw(st.lists(floats, min_size=n, max_size=n)) for label in labels}
    return pd.DataFrame(columns)


CELLS = st.builds(
    CellResult,
    fold=st.integers(0, 120) | st.just(FINAL),
    status=st.sampled_from(["ok", "failed"]),
    params=PARAMS,
    inner_score=st.none() | FLOATS,
    trials=st.lists(st.builds(Trial, st.integers(0, 99), PARAMS, st.none() | FLOATS, st.none() | TEXT), max_size=2),
    predictions=st.none() | predictions(),
    scores=st.dictionaries(TEXT, FLOATS, max_size=2),
    notes=st.lists(TEXT, max_size=2),
    seconds=st.dictionaries(TEXT, FLOATS, max_size=2),
    processors=st.dictionaries(TEXT, st.integers(1, 99), max_size=2),
    error=st.none() | TEXT,
)


def assert_same(one: CellResult, other: CellResult) -> None:
    if one.predictions is None or other.predictions is None:
        assert one.predictions is other.predictions
    else:
        assert list(one.predictions.columns) == list(other.predictions.columns)
        for name in one.predictions.columns:
            assert list(map(repr, one.predictions[name].tolist())) == list(map(repr, other.predictions[name].tolist()))
    plain, read = copy.copy(one), copy.copy(other)
    plain.predictions = read.predictions = plain.estimator = None
    assert plain == read


@pytest.mark.slow
@settings(max_examples=150)
@given(CELLS)
def test_a_cell_is_read_back_as_it_was_written(cell: CellResult) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.write_cell(cell)
        assert_same(cell, run.read_cell(cell.fold))
        assert run.is_done(cell.fold) == (cell.status == "ok")


def cell(fold: int = 0, **changes: Any) -> CellResult:
    frame = pd.DataFrame({"id": ["NA", "null"], "group": ["d1", "d1"], "label": ["نفي", "none"], "predicted": "none"})
    return CellResult(fold, predictions=frame, scores={"macro_f1": 0.5}, seconds={"fit": 0.1}, **changes)


def test_the_files_of_a_cell_are_the_same_bytes_every_time_but_for_when_and_where_it_ran(tmp_path: Path) -> None:
    for name, seconds, processor in (("a", 0.1, "an Intel"), ("b", 0.7, "an AMD")):
        ran = {"seconds": {"fit": seconds}, "processors": {processor: 3}}
        RunFolder(tmp_path / name).write_cell(CellResult(**{**cell().__dict__, **ran}))
    names = {path.name for path in (tmp_path / "a" / "fold-00").iterdir()}
    assert names == {"result.json", "predictions.csv", "timing.json", "processors.json"}
    for name in names - {"timing.json", "processors.json"}:
        assert (tmp_path / "a/fold-00" / name).read_bytes() == (tmp_path / "b/fold-00" / name).read_bytes()


def test_numpy_values_and_tuples_are_stored_as_plain_ones(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    params = {"a": np.float64(0.1), "b": np.int64(3), "c": (1, 2), "d": np.array([1.5]), "e": Path("x"), "f": np.True_}
    run.write_cell(cell(params=params))
    assert run.read_cell(0).params == {"a": 0.1, "b": 3, "c": [1, 2], "d": [1.5], "e": "x", "f": True}


def test_a_fitted_model_is_stored_beside_the_result(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_cell(CellResult(FINAL, estimator=b"skops"))
    assert (run.path / "final" / "model.skops").read_bytes() == b"skops"
    assert run.read_cell(FINAL).estimator is None
    assert run.folds() == []


def test_a_later_result_takes_the_place_of_a_failed_one_with_nothing_left_over(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_cell(CellResult(2, status="failed", error="Traceback: ValueError: نص"))
    assert not run.is_done(2)
    assert run.read_cell(2).error == "Traceback: ValueError: نص"
    run.write_cell(cell(2))
    assert run.is_done(2)
    assert run.read_cell(2).error is None
    assert [path.name for path in run.path.iterdir()] == ["fold-02"]


@pytest.mark.parametrize("step", ["bench.results.store.write_durably", "pathlib.Path.rename"])
def test_a_crash_while_writing_leaves_no_half_of_a_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def crash(path: Path, *args: Any) -> None:
        raise OSError(28, "No space left on device", str(path))

    run = RunFolder(tmp_path / "run")
    with monkeypatch.context() as broken:
        broken.setattr(step, crash)
        with pytest.raises(OSError, match="No space left"):
            run.write_cell(cell())
    assert not run.is_done(0)
    assert list(run.path.iterdir()) == []


def test_a_crash_while_writing_leaves_the_earlier_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_cell(cell())
    written = store.write_durably  # type: ignore[attr-defined]

    def crash_at_predictions(path: Path, content: bytes) -> None:
        if path.name == "predictions.csv":
            raise KeyboardInterrupt
        written(path, content)

    monkeypatch.setattr(store, "write_durably", crash_at_predictions)
    with pytest.raises(KeyboardInterrupt):
        run.write_cell(cell(params={"C": 2}))
    assert_same(run.read_cell(0), cell())
    assert [path.name for path in run.path.iterdir()] == ["fold-00"]


def test_a_crash_while_writing_a_file_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    write_atomically(path, "earlier")

    def crash(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "later")
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_folds_are_listed_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    for fold in (100, 2, 10):
        run.write_cell(CellResult(fold))
    (run.path / ".fold-03-left-by-a-killed-process").mkdir()
    assert run.folds() == [2, 10, 100]


def test_a_second_process_on_the_same_run_is_told_so(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with run.locked():
        with pytest.raises(BenchError, match=f"{run.path}: another bench process is working on this run") as error:
            RunFolder(run.path).locked().__enter__()
        assert error.value.exit_status == 1
        assert "Finished folds are kept" in str(error.value)
    with RunFolder(run.path).locked():
        pass


def _hold_and_die(path: Path) -> None:
    import os

    with RunFolder(path).locked():
        os._exit(0)


def test_a_process_that_died_does_not_hold_the_run(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=_hold_and_die, args=(tmp_path / "run",))
    process.start()
    process.join()
    with RunFolder(tmp_path / "run").locked():
        pass


IDENTITY = {
    "task": {"name": "denial", "version": 1, "digest": "ab", "labels": ["a", "b"], "metric": "macro_f1"},
    "model": {"name": "logreg", "params": {"C": 1.0, "solver": "lbfgs"}, "search": {"C": {"low": 0.1, "high": 10.0}}},
    "validation": {"group": None, "folds": 5, "inner_folds": 3, "repeats": 1},
    "search": {"trials": 30, "timeout": None},
    "seed": 0,
}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _paths(inner, (*path, key))]
    return [path]


@pytest.mark.parametrize("path", _paths(IDENTITY), ids=lambda path: ".".join(path))
def test_each_part_of_what_decides_a_runs_numbers_changes_its_key(path: tuple[str, ...]) -> None:
    changed = copy.deepcopy(IDENTITY)
    inner: Any = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = ["b", "a"] if isinstance(inner[path[-1]], list) else "another"
    assert run_key(changed) != run_key(IDENTITY)


def test_the_version_of_the_format_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_key(IDENTITY)
    monkeypatch.setattr(result_format, "FORMAT", FORMAT + 1)
    assert run_key(IDENTITY) != before


def test_the_order_of_keys_does_not_change_the_key() -> None:
    def turned(value: Any) -> Any:
        return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    assert list(turned(IDENTITY)) != list(IDENTITY)
    assert run_key(turned(IDENTITY)) == run_key(IDENTITY)


@pytest.mark.parametrize("content", [b'{"status": "o', b"", b'{"status": "\xff"}'])
def test_a_broken_result_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_cell(cell())
    (run.path / "fold-00" / "result.json").write_bytes(content)
    assert not run.is_done(0)
    with pytest.raises(UserError) as error:
        run.read_cell(0)
    assert f"{run.path}/fold-00/result.json: not readable as" in str(error.value)
    assert "and run the same command again." in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with pytest.raises(UserError, match=r"run\.json: the file does not exist"):
        run.read_record()


def test_a_run_of_another_version_of_the_format_is_not_taken_for_one_of_this(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_record({"format": FORMAT - 1, "status": "complete", "command": "bench run task=denial"})  # type: ignore[arg-type]
    assert run.status() is None
    with pytest.raises(UserError, match=r"another version of bench[^\n]*\nRerun it: bench run"):
        run.read_record()


def test_stored_runs_are_those_with_a_record_in_order(tmp_path: Path) -> None:
    for name in ("denial/logreg/b", "denial/logreg/a", "denial/lexicon/c", "stance/logreg/d"):
        task, model, _ = name.split("/")
        RunFolder(tmp_path / name).write_record(a_record({"name": task}, name=model, description=name))
    (tmp_path / "denial/logreg/never-started").mkdir()
    assert [run.read_record().model.description for run in stored_runs(tmp_path, "denial")] == [
        "denial/lexicon/c",
        "denial/logreg/a",
        "denial/logreg/b",
    ]
    shutil.rmtree(tmp_path / "denial")
    assert stored_runs(tmp_path, "denial") == []


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_json_keeps_every_value_and_its_bytes_do_not_depend_on_the_order_of_keys(value: dict[str, Any]) -> None:
    text = to_json(value)
    assert json.loads(text) == value
    assert to_json(dict(reversed(value.items()))) == text


NO_JSON = st.sampled_from([float("nan"), float("inf"), -float("inf"), np.float64("nan"), np.float32("inf")])


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@given(st.recursive(NO_JSON | st.text() | FLOATS, lambda value: st.lists(value) | st.dictionaries(st.text(), value)))
def test_whatever_is_written_as_json_every_program_can_read(value: Any) -> None:
    json.loads(to_json(value).encode().decode(), parse_constant=_refuse)


def test_a_figure_that_is_no_number_is_null_and_a_setting_that_is_none_is_spelled(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    nan, infinite = float("nan"), float("inf")
    trials = [Trial(0, {"estimator.C": infinite}, nan), Trial(1, {"estimator.C": 1.0}, 0.5)]
    run.write_cell(CellResult(0, params={"estimator.C": infinite}, trials=trials, seconds={"fit": nan}))
    stored = json.loads((run.path / "fold-00" / "result.json").read_text(), parse_constant=_refuse)
    assert stored["params"] == {"estimator.C": "inf"}
    assert [(trial["params"], trial["score"]) for trial in stored["trials"]] == [
        ({"estimator.C": "inf"}, None),
        ({"estimator.C": 1.0}, 0.5),
    ]
    assert json.loads((run.path / "fold-00" / "timing.json").read_text(), parse_constant=_refuse) == {"fit": None}


def test_half_a_surrogate_pair_in_a_message_is_written_out(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.write_cell(CellResult(0, status="failed", notes=["no caf\udce9.txt"], error="no caf\udce9.txt"))
    cell = run.read_cell(0)
    assert (cell.notes, cell.error) == (["no caf\\udce9.txt"], "no caf\\udce9.txt")


@pytest.mark.parametrize("name", ["other", "\udcff\udcfe", "=cmd|x", "a\x1b[2J"])
def test_a_run_in_the_folder_of_another_model_is_left_out_with_a_word(name: str, tmp_path: Path, bench: Any) -> None:
    folder = write_run(tmp_path / "results", folds=2)
    shutil.copytree(folder.path.parent, folder.path.parent.with_name(name))
    status, printed, said = bench("compare", "task=denial", f"results={tmp_path / 'results'}")
    assert status == 0
    assert "it is the record of another run, of logreg" in " ".join((printed + said).split())
    assert not {"\x1b", "\udcff"} & {*printed, *said}
    packed = pack_runs(list_runs(tmp_path / "results"), tmp_path / "runs.zip")
    assert [run.model for run in packed.runs] == ["logreg"]
    assert "it is the record of another run" in packed.left_out[0]


def test_a_file_larger_than_memory_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        def __enter__(self) -> Endless:
            return self

        def __exit__(self, *error: object) -> None: ...

        def read(self) -> bytes:
            raise MemoryError

    (tmp_path / "run.json").write_text("{}")
    monkeypatch.setattr("bench.results.files.opened", lambda path: Endless())
    with pytest.raises(UserError, match=r"run\.json: its 2 bytes do not fit into memory"):
        read_bytes(tmp_path / "run.json")
