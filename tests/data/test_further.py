"""A task's source keeps its other columns, to slice by, and no number of the task depends on them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from present import present
from stored_task import write_task_runs

import bench
from bench.catalogue import load_further, load_task
from bench.cli.words import complete_column
from bench.comparison.compare import compare
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.comparison.slice_values import EMPTY, sliceable_columns
from bench.data.by import MOST, By
from bench.data.sources import Further
from bench.errors import DataError, UserError
from bench.in_memory import TASKS
from bench.shares.estimate import examples_by_part
from bench.shares.totals import ReadArchive, Totals, _of

OUTLETS = ("سبأ", "وفا", "NA", "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(n: int = 240) -> list[dict[str, Any]]:
    return [
        {
            "headline": f"{'نفى' if n % 3 else 'أعلن'} الوزير الخبر رقم {n}",
            "class": "denial" if n % 3 else "none",
            "القسم": OUTLETS[n % 4],
            "url": f"https://example.org/{n}",
            "label": "what another project says",
        }
        for n in range(n)
    ]


def write(folder: Path, table: list[dict[str, Any]], kind: str = "csv", **source: Any) -> None:
    place = folder / "tasks" / "mine"
    place.mkdir(parents=True, exist_ok=True)
    with (place / f"a.{kind}").open("w", encoding="utf-8", newline="") as file:
        if kind == "csv":
            writer = csv.DictWriter(file, table[0])
            writer.writeheader()
            writer.writerows(table)
        else:
            file.writelines(json.dumps(row) + "\n" for row in table)
    columns = {"text": "headline", "label": "class"}
    definition = {
        "name": "mine",
        "description": "Headlines.",
        "source": {"kind": "table", "path": f"a.{kind}", "columns": columns, **source},
        "inputs": ["text"],
        "labels": ["denial", "none"],
    }
    (place / "task.yaml").write_text(yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8")


def sliced(folder: Path, column: str) -> list[tuple[str, int]]:
    (selected,) = select(parse_compare_request(["task=mine", f"results={folder / 'results'}"]))
    found = compare(read_side_by_side(selected), 0.01, None, column).slices
    return [(each.value, each.n_examples) for each in present(found).slices]


def test_scores_can_be_sliced_by_a_column_that_the_task_does_not_name(folder: Path) -> None:
    write(folder, rows())
    task = load_task("mine")
    assert list(task.examples.columns) == ["id", "text", "label"]
    write_task_runs(folder / "results", task, {"good": 0.9, "fair": 0.7})
    assert sorted(sliced(folder, "القسم")) == sorted((name or EMPTY, 60) for name in OUTLETS)


def test_another_value_of_such_a_column_changes_no_digest(folder: Path) -> None:
    write(folder, rows())
    before = load_task("mine").digest
    write(folder, [{**row, "القسم": "آخر"} for row in rows()])
    assert load_task("mine").digest == before


def test_the_columns_are_named_where_one_is_unknown(folder: Path) -> None:
    write(folder, rows())
    write_task_runs(folder / "results", load_task("mine"), {"good": 0.9})
    assert sliceable_columns("mine") == ["length", "القسم", "url"]
    with pytest.raises(UserError, match="--by القسمم: there is no column 'القسمم'") as caught:
        sliced(folder, "القسمم")
    assert "القسم" in str(caught.value.hint)
    for of_an_input in ("headline", "class", "label"):
        with pytest.raises(UserError, match="there is no column"):
            sliced(folder, of_an_input)


def test_a_column_of_many_values_is_refused_in_words(folder: Path) -> None:
    write(folder, rows())
    write_task_runs(folder / "results", load_task("mine"), {"good": 0.9})
    with pytest.raises(UserError, match="has 240 different values in 240 examples, and none in as many as 5 groups"):
        sliced(folder, "url")


def test_a_period_is_offered_for_a_column_of_dates_only(folder: Path) -> None:
    days = [f"{day:%d/%m/%Y}" for day in pd.date_range("2023-01-01", periods=480)]
    write(folder, [{**row, "published": day} for row, day in zip(rows(480), days, strict=True)])
    write_task_runs(folder / "results", load_task("mine"), {"good": 0.9})
    for column, offered in (("url", False), ("published", True), ("published:day", True)):
        with pytest.raises(UserError, match="has 480 different values") as refused:
            sliced(folder, column)
        assert str(refused.value.hint).endswith("--by published:month") is offered


@pytest.mark.parametrize(
    ("value", "hint"), [("g{}", None), ("2024-05-03T10:00:00.{:03}", "Count by month or year: --by it:month")]
)
def test_an_archive_of_too_many_parts_is_divided_by_periods_only_of_dates(value: str, hint: str | None) -> None:
    none = Totals.none(2, dealt=False)
    read = ReadArchive(none, {value.format(number): none for number in range(MOST)})
    with pytest.raises(DataError, match="more than 400 values") as refused:
        _of(read, "one more", By("it"), 2)
    assert refused.value.hint == hint


@pytest.mark.parametrize("words", [("task=mine",), ("model=good", "task", "=", "mine")])
def test_a_shell_completes_the_columns(folder: Path, words: tuple[str, ...]) -> None:
    write(folder, rows())
    context: Any = SimpleNamespace(params={"words": words})
    parameter: Any = None
    assert [each.value for each in complete_column(context, parameter, "ur")] == ["url"]
    assert complete_column(SimpleNamespace(params={}), parameter, "") == []  # type: ignore[arg-type]


def test_cells_of_json_without_a_value_are_empty_and_numbers_are_written_plainly(folder: Path) -> None:
    table = rows(12)
    for row, year in zip(table, [2019.0, 2019, None, "", "\u200b", "\ud800", True, [1, 2]], strict=False):
        row["year"] = year
    write(folder, table, "jsonl")
    found = load_further("mine", "year").values
    assert [found.get(name, "") for name in load_task("mine").ids[:9]] == [
        *("2019", "2019", "", "", "", "", "true", "[1, 2]", "")
    ]


def test_rows_that_are_left_out_or_give_several_examples_keep_values_in_their_places(folder: Path) -> None:
    table = rows(12)
    table[3]["headline"] = ""
    table[5] |= {"class": ["none", "denial"], "headline": ["نفى", "أكد"], "القسم": ["واحد", "اثنان"]}
    write(folder, table, "jsonl")
    task, found = load_task("mine"), load_further("mine", "القسم")
    of_text = {row["headline"]: row["القسم"] for row in table if isinstance(row["headline"], str)}
    of_text |= {"نفى": "واحد", "أكد": "اثنان"}
    assert [found.values[name] for name in task.ids] == [of_text[text] for text in task.examples["text"]]


def test_examples_that_are_not_in_the_archive_have_the_part_of_their_own_row(folder: Path) -> None:
    table = rows(24)
    for number, row in enumerate(table):
        row["published"] = f"2024-{number % 2 + 9:02d}-01" if number != 4 else "yesterday"
    write(folder, table)
    task = load_task("mine")
    labelled: Any = SimpleNamespace(rows=np.arange(6), first=np.arange(6))
    none = Totals.none(2, dealt=False)
    parts = {"2023-01": none, "2024-09": none, "2024-10": none}
    read = ReadArchive(none, parts, copies=Counter({(0, "2023-01"): 3, (0, "2024-09"): 1}))
    divided = examples_by_part(task, labelled, read, By("published", "month"))
    assert {name: shares.tolist() for name, shares in divided.items()} == {
        "2023-01": [0.75, 0, 0, 0, 0, 0],
        "2024-09": [0.25, 0, 1, 0, 0, 0],
        "2024-10": [0, 1, 0, 1, 0, 1],
    }


def test_a_task_made_of_a_frame_has_the_other_columns_of_the_frame(folder: Path) -> None:
    frame = pd.DataFrame(rows())
    task = bench.new_task(frame, text="headline", label="class", name="mine")
    write_task_runs(folder / "results", task, {"good": 0.9})
    assert sorted(sliced(folder, "القسم")) == sorted((name or EMPTY, 60) for name in OUTLETS)
    TASKS.add(replace(task, examples=task.examples.iloc[:-1], further=None))
    assert load_further("mine", "url") == Further("url"), "another task of that name was made of other data"
