"""Tasks of many rows lie in a mapped file, which workers share, and are the same as in memory."""

from __future__ import annotations

import gc
import json
import os
import pickle
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from bench.config import compose
from bench.data import mapped
from bench.data.definition import build_task
from bench.data.duplicates import drop_repeats
from bench.data.mapped import MappedFile, read_mapped, select_rows
from bench.data.sources import examples
from bench.data.task import Task
from bench.errors import BenchError, DataError
from bench.planning.split_task import split_task
from bench.scaffold import TaskRequest, scaffold_task

DEFINITION = {
    "name": "mine",
    "description": "A task.",
    "source": {"kind": "table", "path": "rows.csv", "columns": {"text": "text", "label": "label", "group": "outlet"}},
    "inputs": ["text"],
    "allow_repeats": True,
    "labels": ["a", "b"],
}
WORDS = ["نفى", "أكد", "قال", "نفى.", "«نص»\nآخر", "a,b", "ٱ"]


def build(folder: Path) -> Task:
    return build_task(DEFINITION, folder / "task.yaml")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "text": [" ".join(rng.choice(WORDS, size=2)) for _ in range(60)],
            "label": rng.choice(["a", "b"], size=60),
            "outlet": rng.choice(["x", "y", "z"], size=60),
        }
    )
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Take few rows for many; returns where their files are."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    for module in (mapped, examples):
        monkeypatch.setattr(module, "LARGE", 200)
    monkeypatch.setattr(mapped, "_PART", 100)
    return tmp_path / "cache" / "tables"


def test_a_mapped_task_equals_one_in_memory(rows: Path, request: pytest.FixtureRequest) -> None:
    in_memory = build(rows)
    files = request.getfixturevalue("many")
    from_file = build(rows)
    assert files.is_dir()
    pd.testing.assert_frame_equal(from_file.examples, in_memory.examples)
    assert in_memory.left_out is not None
    assert from_file.left_out is not None
    pd.testing.assert_frame_equal(from_file.left_out, in_memory.left_out)
    assert (from_file.digest, from_file.notes) == (in_memory.digest, in_memory.notes)
    assert 7 < len(in_memory) < 60


def test_published_folds_of_many_rows_equal_those_in_memory(rows: Path, request: pytest.FixtureRequest) -> None:
    for fold, (train, test) in {"1": ("rows", "other"), "2": ("other", "rows")}.items():
        for role, name in (("train", train), ("test", test)):
            lines = "".join(f"i{name}{n},{name} {n},{'ab'[n % 2]},x\n" for n in range(20))
            (rows / f"{role}{fold}.csv").write_text(f"id,text,label,outlet\n{lines}", encoding="utf-8")
    source = {
        "kind": "table",
        "path": {"train": "train{fold}.csv", "test": "test{fold}.csv"},
        "folds": [1, 2],
        "columns": {"id": "id", "text": "text", "label": "label", "group": "outlet"},
    }
    in_memory = build_task({**DEFINITION, "source": source}, rows / "task.yaml")
    request.getfixturevalue("many")
    from_file = build_task({**DEFINITION, "source": source}, rows / "task.yaml")
    pd.testing.assert_frame_equal(from_file.examples, in_memory.examples)


def test_another_process_maps_the_same_file_and_gets_nothing_that_is_computed(rows: Path, many: Path) -> None:
    built = replace(build(rows), left_out=None)
    assert len(built.ids) == len(built.keys) == len(built.y)
    sent = pickle.dumps(built)
    received = pickle.loads(sent)
    pd.testing.assert_frame_equal(received.examples, built.examples)
    assert received.digest == built.digest
    assert not {"ids", "keys", "y"} & vars(pickle.loads(sent)).keys()
    assert built.examples["text"][0].encode() not in sent
    assert len(list(many.glob("*.arrow"))) == 1


@pytest.mark.slow
def test_files_are_removed_with_what_reads_them(rows: Path, many: Path) -> None:
    built = build(rows)
    received = pickle.loads(pickle.dumps(built))
    expected = built.examples["text"].tolist()
    del built
    gc.collect()
    assert not list(many.iterdir())
    assert received.examples["text"].tolist() == expected


def test_what_a_killed_process_left_is_removed_after_a_week(many: Path) -> None:
    many.mkdir(parents=True)
    old, new = many / "old.arrow", many / "new.arrow"
    for path, days in ((old, 8), (new, 6)):
        path.touch()
        os.utime(path, (time.time() - days * 86_400,) * 2)
    MappedFile()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_file_that_is_in_use_stays_however_old_it_is(many: Path) -> None:
    used = MappedFile()
    used.write({"text": ["نفى"]})
    os.utime(used.path, (time.time() - 30 * 86_400,) * 2)
    MappedFile()
    assert used.frame()["text"].tolist() == ["نفى"]


def test_chosen_rows_of_many_are_those_of_few(many: Path) -> None:
    frame = pd.DataFrame({"id": [str(n) for n in range(30)], "text": [f"{n} ٱ" for n in range(30)]})
    for kept in (np.arange(30) % 3 > 0, np.ones(30, dtype=bool), np.arange(30) < 3):
        pd.testing.assert_frame_equal(select_rows(frame, kept), frame[kept].reset_index(drop=True))


def test_a_file_without_rows_in_its_last_part_is_read_whole(many: Path) -> None:
    file = MappedFile()
    for texts in (["نفى", ""], [], ["قال"], []):
        file.write({"text": texts})
    assert file.frame()["text"].tolist() == ["نفى", "", "قال"]
    assert read_mapped(file.path).dtypes["text"] == pd.Series(["نفى"]).dtype


def test_a_cache_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(BenchError, match=r"tables: cannot store a large table here"):
        MappedFile()


def test_repeats_in_many_rows_are_told_as_in_few(many: Path) -> None:
    frame = pd.DataFrame({"id": [str(n) for n in range(20)], "text": [f"نص {n % 12}" for n in range(20)], "label": "a"})
    examples, _, notes, _ = drop_repeats(frame, ("text",), None)
    assert examples["id"].tolist() == [str(n) for n in range(12)]
    assert notes[0].startswith("8 of 20 examples repeat an earlier input and are left out: 12 (as 0), 13 (as 1)")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_table_is_loaded_in_a_fraction_of_its_size(tmp_path: Path) -> None:
    text = "نفى المتحدث ذلك " * 600
    with (tmp_path / "rows.csv").open("w", encoding="utf-8") as file:
        file.write("text,label,outlet\n")
        file.writelines(f"{number} {text},{'ab'[number % 2]},x\n" for number in range(12_000))
    size = (tmp_path / "rows.csv").stat().st_size / 2**20
    (tmp_path / "task.yaml").write_text(yaml.safe_dump(DEFINITION), encoding="utf-8")
    environment = {**os.environ, "BENCH_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", LOAD, str(tmp_path / "task.yaml")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert size > 190
    assert float(run.stdout) < 0.5 * size


LOAD = """
import sys, threading
from pathlib import Path
from bench.data.definition import build_task, read_definition

def anonymous():
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon"))

def watch():
    while not done.wait(0.02):
        seen.append(anonymous())

origin, before, seen, done = Path(sys.argv[1]), anonymous(), [], threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
task = build_task(read_definition(origin), origin)
assert len(task) == 12_000 and task.digest
done.set()
watcher.join()
print(max(seen) - before)
"""
"""Prints by how many MiB the memory of a process grows at most while it builds a task, mapped files not counted."""


@pytest.mark.slow
def test_one_long_name_of_a_group_takes_no_more_memory_than_itself(tmp_path: Path) -> None:
    """In an array of NumPy's texts each of the names would take as much as the longest: here 800 MB."""
    rows = [
        {"text": f"نص رقم {row}", "label": "ab"[row % 2], "group": "خبر " * 25_000 if row == 7 else f"g{row % 40}"}
        for row in range(2_000)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    tracemalloc.start()
    try:
        built = scaffold_task(TaskRequest("mine", str(tmp_path / "a.jsonl")), tmp_path)
        split = split_task(built.task, compose(["task=stance"]), [])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(split.splits) == 5
    assert peak < 100 * 2**20
    assert (tmp_path / "tasks" / "mine" / "README.md").stat().st_size < 10_000


def test_a_label_as_long_as_a_text_is_refused(tmp_path: Path) -> None:
    rows = [{"text": f"نص رقم {row}", "label": "ab"[row % 2] * (201 if row == 7 else 1)} for row in range(40)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(DataError, match="has 201 characters") as error:
        scaffold_task(TaskRequest("mine", str(tmp_path / "a.jsonl")), tmp_path)
    assert "Is this the text?" in str(error.value)
