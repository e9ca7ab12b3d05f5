"""`bench export` writes a task whole, and a task made of what it wrote has the same content."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tasks import LABELS, text_task

from bench.data import Task
from bench.data.definition import build_task
from bench.data.duplicates import input_key
from bench.data.export import FORMATS, dataset_dict, export_format, export_frame, export_task
from bench.errors import ConfigError

Bench = Callable[..., tuple[int, str, str]]

AWKWARD = st.sampled_from(
    ['"', "'", ",", ";", "\t", "\n", "\r\n", "\\", "\u202e", "\u200f", "\ufeff", "=1+1", "ً", "🙂"]
)
TEXTS = st.builds(
    "".join, st.lists(AWKWARD | st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=6)
)
ROLES = st.sampled_from(["train", "dev", "test"])


def made_of(path: Path, task: Task, columns: dict[str, Any]) -> Task:
    """The task that a file makes, with the name and labels of another."""
    definition = {
        "name": task.name,
        "description": task.description,
        "source": {
            "kind": "table",
            "path": path.name,
            "columns": {"id": "id", "text": "text", "label": "label"} | columns,
        },
        "inputs": list(task.inputs),
        "labels": list(task.labels),
    }
    return build_task(definition, path.parent / "task.yaml")


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(LABELS), st.sampled_from("abc")), max_size=5), st.booleans())
def test_a_task_made_of_an_export_has_the_same_content(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str, str]], grouped: bool
) -> None:
    folder = tmp_path_factory.mktemp("export")
    rows = [*((f"{n} {text}", f"{n}{claim}", label, group) for n, (text, claim, label, group) in enumerate(rows))]
    rows += [(f"last {label}", f"claim {label}", label, "a") for label in LABELS]
    rows = list({input_key(claim, text): (text, claim, label, group) for text, claim, label, group in rows}.values())
    examples = pd.DataFrame(
        {"id": f"e{n}", "claim": claim, "text": text, "label": label, "group": group}
        for n, (text, claim, label, group) in enumerate(rows)
    )
    examples = examples if grouped else examples.drop(columns="group")
    task = text_task(examples=examples, inputs=("claim", "text"), group="group" if grouped else "id")
    for name in ("parquet", "jsonl"):
        path = folder / f"a.{name}"
        export_task(task, path, name)
        again = made_of(path, task, {"claim": "claim"} | ({"group": "group"} if grouped else {}))
        assert again.digest == task.digest
        assert again.groups.tolist() == task.groups.tolist()


@settings(max_examples=20)
@given(st.lists(st.tuples(ROLES, ROLES), min_size=1, max_size=8), st.booleans())
def test_splits_and_passes_come_through(
    tmp_path_factory: pytest.TempPathFactory, roles: list[tuple[str, str]], folds: bool
) -> None:
    folder = tmp_path_factory.mktemp("splits")
    roles = [*roles, ("train", "train"), ("test", "test"), ("train", "train")]
    splits = ("fold-1", "fold-2") if folds else ("split",)
    examples = pd.DataFrame(
        {"id": f"e{n}", "text": f"نص {n}", "label": LABELS[n % 3], **dict(zip(splits, pair, strict=False))}
        for n, pair in enumerate(roles)
    )
    passes = pd.DataFrame({"pass-1": examples["label"], "pass-2": [LABELS[n // 2 % 3] for n in range(len(roles))]})
    task = text_task(examples=examples, group="id", splits=splits, passes=passes)
    path = folder / "a.parquet"
    export_task(task, path, "parquet")
    again = made_of(path, task, {"split": list(splits), "passes": ["pass-1", "pass-2"]})
    assert again.digest == task.digest
    assert again.splits == splits
    assert again.passes is not None
    pd.testing.assert_frame_equal(again.passes, passes, check_dtype=False)


def split_task() -> Task:
    task = text_task(n_groups=3)
    roles = ["train", "dev", "test"]
    examples = task.examples.assign(split=[roles[int(group[1:])] for group in task.groups])
    return replace(task, examples=examples, splits=("split",))


def test_a_dataset_folder_opens_with_the_parts_and_the_labels(tmp_path: Path) -> None:
    import datasets

    task = split_task()
    export_task(task, tmp_path / "small", "dataset")
    opened = datasets.load_from_disk(str(tmp_path / "small"))
    assert {name: part.num_rows for name, part in opened.items()} == {"train": 6, "validation": 6, "test": 6}
    assert opened["train"].features["label"].names == list(LABELS)
    rows = [row for part in ("train", "validation", "test") for row in opened[part]]
    assert [row["text"] for row in rows] == task.examples["text"].tolist()
    assert [LABELS[row["label"]] for row in rows] == task.y.tolist()
    assert [row["group"] for row in rows] == task.groups.tolist()


def test_without_one_published_split_all_examples_are_train() -> None:
    task = text_task()
    assert {name: part.num_rows for name, part in dataset_dict(task).items()} == {"train": len(task)}
    folds = task.examples.assign(a="train", b="test")
    parts = dataset_dict(replace(task, examples=folds, splits=("a", "b")))
    assert list(parts) == ["train"]
    assert parts["train"][0]["b"] == "test"


def test_the_group_is_the_one_that_the_task_is_split_by() -> None:
    task = text_task().grouped_by("text")
    assert export_frame(task)["group"].tolist() == task.examples["text"].tolist()
    assert "group" not in export_frame(task.grouped_by("id"))


def test_the_command_exports_a_task_with_its_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench
) -> None:
    monkeypatch.chdir(tmp_path)
    status, printed, _ = bench("export", "task=denial", "--to", "out/denial.jsonl")
    assert status == 0
    assert printed.startswith("out/denial.jsonl  117 examples of denial, digest ")
    lines = [json.loads(line) for line in (tmp_path / "out" / "denial.jsonl").read_text(encoding="utf-8").splitlines()]
    assert list(lines[0]) == ["id", "text", "label", "document", "kind", "group", "pass-1", "pass-2", "pass-3"]
    assert len(lines) == 117
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["denial.jsonl"]


def test_what_is_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ["text,label", *(f"نص رقم {row},{'ab'[row % 2]}" for row in range(10)), ",a", "نص رقم 1,b"]
    (tmp_path / "a.csv").write_text("\n".join(rows), encoding="utf-8")
    assert bench("new", "task", "mine", "--data", "a.csv")[0] == 0
    status, printed, told = bench("export", "task=mine", "--format", "jsonl")
    assert status == 0
    assert "10 examples of mine" in printed
    assert "note: mine: 1 of 12 rows has an empty text and is left out: line 12." in told
    assert "note: mine: 1 of 11 examples repeats the input of an earlier one and is left out: 12 (as 2)." in told


def test_what_is_there_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "denial.parquet").write_text("precious")
    status, _, told = bench("export", "task=denial")
    assert (status, "denial.parquet already exists." in told) == (2, True)
    assert (tmp_path / "denial.parquet").read_text() == "precious"
    status, _, told = bench("export", "task=denial", "--format", "parqet")
    assert status == 2
    assert "--format parqet: unknown format." in told
    assert "Did you mean 'parquet'?" in told
    status, _, told = bench("export", "task=denial,stance", "--to", "x.parquet")
    assert (status, "each task has its own export" in told) == (2, True)


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_that_fails_leaves_nothing(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(task: Task, target: Path) -> None:
        target.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(FORMATS, name, broken)
    with pytest.raises(OSError, match="No space left"):
        export_task(text_task(), tmp_path / "a", name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'dataset'"):
        export_task(text_task(), Path("nowhere"), "datset")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--to x.csv", "--to x.csv: export a task as a .parquet or .jsonl file, not '.csv'."),
        ("--to x.json --format jsonl", "--to x.json: export a task as a .parquet or .jsonl file, not '.json'."),
        ("--to x.jsonl --format parquet", "--to x.jsonl: its suffix means jsonl, but --format is parquet."),
        ("--to x.parquet --format dataset", "--to x.parquet: its suffix means parquet, but --format is dataset."),
    ],
)
def test_a_file_is_not_named_as_what_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench, words: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = bench("export", "task=denial", *words.split())
    assert (status, out) == (2, "")
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_the_format_is_the_one_that_is_named_or_that_of_the_suffix() -> None:
    assert export_format(None, None) == export_format(None, Path("x.Parquet")) == "parquet"
    assert export_format(None, Path("hub-folder")) == export_format("hub", Path("denial-1.0")) == "hub"
    assert export_format("jsonl", Path("x")) == export_format(None, Path("x.jsonl")) == "jsonl"
    assert export_format("dataset", Path("denial-1.0")) == "dataset"


def test_a_file_that_is_there_is_written_over_with_force_alone_and_a_folder_never(tmp_path: Path) -> None:
    task = text_task()
    target = tmp_path / "task.jsonl"
    target.write_text("before")
    with pytest.raises(ConfigError, match="already exists") as refused:
        export_task(task, target, "jsonl")
    assert "--force" in str(refused.value)
    assert target.read_text() == "before"
    export_task(task, target, "jsonl", force=True)
    assert len(target.read_text().splitlines()) == len(task)
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    for format_name in ("dataset", "jsonl"):
        with pytest.raises(ConfigError, match="already exists"):
            export_task(task, folder, format_name, force=True)
    assert (folder / "mine.txt").read_text() == "mine"
