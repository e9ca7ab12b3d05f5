"""`validation=forward` trains on the past and tests on the future, and nothing of the future is in training."""

from __future__ import annotations

import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tasks import text_task

from bench.config import Search, Validation, compose
from bench.data.dates import DATE, Times
from bench.data.duplicates import drop_repeats
from bench.data.forward import forward_splits, verify_forward
from bench.data.splits import Split, verify
from bench.data.task import Task
from bench.errors import ConfigError, DataError, LeakageError
from bench.evaluation.evaluation import Evaluation
from bench.metrics import find_metric
from bench.planning.split_task import as_split, split_task
from bench.results.cell import FINAL, CellResult
from bench.results.protocol import deciding
from bench.results.summary import summarise
from bench.scaffold.columns import choose_columns
from bench.scaffold.request import Given
from bench.scaffold.summary import summarise_columns

FORWARD = ["validation=forward"]


@st.composite
def dated(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Times]:
    """Labels, groups that overlap in time, and dates of a few days, some of them with times of the day."""
    size = draw(st.integers(1, 60))

    def many(most: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(0, most), min_size=size, max_size=size)))

    first = np.datetime64("2024-01-01", "us") + many(draw(st.integers(0, 400))) * np.timedelta64(7, "h")
    length = many(1) * np.timedelta64(23, "h")
    groups = np.array([f"g{number}" for number in many(draw(st.integers(0, 60)))], dtype=object)
    return many(2), groups, Times(first, first + length)


@pytest.mark.slow
@given(dated(), st.integers(1, 8))
def test_nothing_of_the_future_is_in_training(case: tuple[np.ndarray, np.ndarray, Times], n_cuts: int) -> None:
    codes, groups, times = case
    splits = forward_splits(codes, groups, times, n_cuts)
    assert len(splits) <= n_cuts
    for split in splits:
        assert len(split.train)
        assert len(split.test)
        assert times.last[split.train].max() < times.first[split.test].min()
        assert set(groups[split.train]).isdisjoint(groups[split.test])
        assert len(set(codes[split.train])) >= min(2, len(set(codes)))
        # All that had ended by then trains: no group is held back without need.
        cut = times.first[split.test].min()
        ended = {name for name in groups if times.last[groups == name].max() < cut}
        assert ended == set(groups[split.train])
    tested = np.concatenate([split.test for split in splits] or [np.array([], dtype=int)])
    assert len(tested) == len(set(tested.tolist()))
    for earlier, later in pairwise(splits):
        assert set(earlier.train) <= set(later.train)
        assert times.first[earlier.test].min() < times.first[later.test].min()


@given(dated(), st.integers(1, 8))
def test_the_splits_do_not_depend_on_the_order_of_the_examples(
    case: tuple[np.ndarray, np.ndarray, Times], n_cuts: int
) -> None:
    codes, groups, times = case
    back = np.arange(len(codes))[::-1]
    turned = forward_splits(codes[back], groups[back], times[back], n_cuts)
    assert [(sorted(back[split.train]), sorted(back[split.test])) for split in turned] == [
        (split.train.tolist(), split.test.tolist()) for split in forward_splits(codes, groups, times, n_cuts)
    ]


@given(st.integers(2, 6), st.integers(8, 80))
def test_examples_without_overlap_give_the_requested_points_and_periods_of_one_size(n_cuts: int, size: int) -> None:
    days = np.datetime64("2024-01-01", "us") + np.arange(size) * np.timedelta64(1, "D")
    codes = np.arange(size) % 2
    splits = forward_splits(codes, np.arange(size).astype(str), Times(days, days), n_cuts)
    sizes = [len(split.test) for split in splits]
    assert len(splits) == n_cuts
    assert max(sizes) - min(sizes) <= 1 + (size < 3 * n_cuts)
    assert splits[-1].test[-1] == size - 1


@given(st.integers(2, 6), st.integers(120, 400), st.floats(0.0, 0.8))
def test_periods_are_of_one_size_where_the_second_label_appears_late(n_cuts: int, size: int, late: float) -> None:
    days = np.datetime64("2024-01-01", "us") + np.arange(size) * np.timedelta64(1, "D")
    codes = np.where(np.arange(size) < late * size, 0, np.arange(size) % 2)
    splits = forward_splits(codes, np.arange(size).astype(str), Times(days, days), n_cuts)
    sizes = [len(split.test) for split in splits]
    assert len(sizes) == n_cuts
    assert min(sizes) >= 0.7 * np.mean(sizes)
    assert set(codes[splits[0].train]) == {0, 1}


def test_a_first_point_that_labels_delay_only_a_little_stays() -> None:
    days = np.datetime64("2024-01-01", "us") + np.arange(120) * np.timedelta64(1, "D")
    codes = np.where(np.arange(120) < 22, 0, np.arange(120) % 2)
    splits = forward_splits(codes, np.arange(120).astype(str), Times(days, days), 5)
    assert [len(split.train) for split in splits] == [24, 40, 60, 80, 100]


def test_fewer_points_than_asked_and_periods_of_unlike_size_are_noted() -> None:
    """From June on there are three days only, and nine examples of ten are of one of them."""
    days = ["2024-01-01", *["2024-06-01"] * 5, *["2024-06-02"] * 90, *["2024-06-03"] * 4]
    task = text_task(n_groups=100, per_group=1)
    task = text_task(examples=task.examples.assign(**{DATE: days}))
    notes: list[str] = []
    split_task(task, compose(FORWARD, needs_task=False), notes)
    said = " ".join(notes)
    assert "validation.folds=5, but the dates allow only 2 points in time" in said
    assert "the periods are of unlike size, with 4 to 90 test examples" in said


def test_a_leak_of_the_future_is_found() -> None:
    days = np.array(["2024-01-01", "2024-01-03", "2024-01-03"], dtype="datetime64[us]")
    with pytest.raises(LeakageError, match="training example 'b' is not earlier than test example 'c'"):
        verify_forward([Split(np.array([0, 1]), np.array([2]))], Times(days, days), np.array(["a", "b", "c"], object))


def dated_task(dates: Any = None, **changes: Any) -> Task:
    """A task of 12 documents, each of one day, two days after the last."""
    task = text_task(n_groups=12)
    start = datetime.date(2024, 1, 1)
    days = [str(start + datetime.timedelta(days=2 * (row // 6))) for row in range(len(task))]
    return text_task(n_groups=12, examples=task.examples.assign(**{DATE: dates or days}), **changes)


def test_outer_and_inner_folds_are_forward() -> None:
    task, notes = dated_task(), list[str]()
    split = split_task(task, compose(FORWARD, needs_task=False), notes)
    assert (split.periods[0].trained_to, split.periods[0].tested_from) == ("2024-01-03", "2024-01-05")
    assert sum(period.n_test for period in split.periods) == 60
    assert "small: forward: trained to 2024-01-03 or later, tested on 60 of 72 examples" in notes[0]
    evaluation = Evaluation(task, None, split.splits, Search("s", 1), 3, 0, forward=True)  # type: ignore[arg-type]
    for fold in (*range(len(split.splits)), FINAL):
        rows = evaluation.training_rows(fold)
        inner = evaluation.inner_splits(fold)
        assert inner
        verify(inner, task.groups, task.keys, task.ids)
        verify_forward(inner, task.times, task.ids)
        assert all(set(each.train) | set(each.test) <= set(rows) for each in inner)


def test_repeated_texts_are_on_one_side() -> None:
    task = dated_task()
    examples = task.examples.copy()
    examples["text"] = [examples["text"][3] if row in (40, 70) else text for row, text in enumerate(examples["text"])]
    settled = drop_repeats(examples, ("text",), None).examples
    task = text_task(examples=settled)
    split = split_task(task, compose(FORWARD, needs_task=False), [])
    assert len(settled) == 70
    for each in split.splits:
        assert set(task.keys[each.train]).isdisjoint(task.keys[each.test])


def test_a_published_split_is_pooled() -> None:
    roles = ["train"] * 36 + ["test"] * 36
    task = dated_task()
    published = text_task(examples=task.examples.assign(split=roles), splits=("split",))
    pooled = as_split(published, compose(FORWARD, needs_task=False))
    assert pooled.splits == ()
    assert len(split_task(pooled, compose(FORWARD, needs_task=False), []).splits) == 5


def test_a_task_without_dates_says_what_to_add() -> None:
    with pytest.raises(ConfigError, match="task 'small' has no dates") as error:
        split_task(text_task(), compose(FORWARD, needs_task=False), [])
    assert "columns: {..., date: published}" in str(error.value.hint)


def test_groups_that_overlap_all_the_time_are_an_error_that_names_the_longest() -> None:
    days = [f"2024-01-{1 + row % 6:02}" for row in range(72)]
    with pytest.raises(DataError, match=r"There is none.*group 'd0' alone is from 2024-01-01 to 2024-01-06"):
        split_task(dated_task(days), compose(FORWARD, needs_task=False), [])


@pytest.mark.parametrize(
    ("word", "message"), [("validation.repeats=2", "validation.repeats=2: "), ("train_on=denial", "train_on=denial: ")]
)
def test_what_forward_cannot_do_is_refused(word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split_task(dated_task(), compose([*FORWARD, word], needs_task=False), [])


def test_the_keys_of_other_protocols_do_not_know_of_dates() -> None:
    parts = {"group": None, "folds": 5, "inner_folds": 3}
    assert deciding(Validation("grouped"), {}, lent=False) == {**parts, "repeats": 1}
    assert deciding(Validation("grouped", splits="grouped"), {}, lent=False) == {**parts, "repeats": 1}
    assert deciding(Validation("forward", splits="forward"), {}, lent=False) == {**parts, "splits": "forward"}
    config = compose([], needs_task=False)
    assert split_task(dated_task(), config, []).periods == ()


ROWS = "body,class,published\nنفى الوزير الخبر,no,2024-05-03\nأكد الوزير الخبر,yes,{}\n"
TASK = """\
name: mine
description: Mine.
source: {kind: table, path: a.csv, columns: {text: body, label: class, date: published}}
inputs: [text]
labels: ["yes", "no"]
"""


def test_a_table_gives_dates_and_refuses_an_ambiguous_one_with_its_line(tmp_path: Path) -> None:
    from bench.data.definition import build_task, read_definition

    path = tmp_path / "task.yaml"
    path.write_text(TASK, "utf-8")
    (tmp_path / "a.csv").write_text(ROWS.format("2024-05-04T10:00:00"), "utf-8")
    assert build_task(read_definition(path), path).examples[DATE].tolist() == ["2024-05-03", "2024-05-04T10:00:00"]
    (tmp_path / "a.csv").write_text(ROWS.format("04/05/2024"), "utf-8")
    with pytest.raises(DataError, match=r"a.csv, line 3, column 'published': the date '04/05/2024' is ambiguous"):
        build_task(read_definition(path), path)
    (tmp_path / "a.csv").write_text(ROWS.format(""), "utf-8")
    task = build_task(read_definition(path), path)
    with pytest.raises(DataError, match="1 of 2 examples have no date: 2"):
        _ = task.times


def write_seen(cells: list[str]) -> None:
    rows = [f"نص {n},{'xy'[n % 2]},{cell}\n" for n, cell in enumerate(cells)]
    Path("a.csv").write_text(f"text,label,seen\n{''.join(rows)}", "utf-8")


NEW = ("new", "task", "mine", "--data", "a.csv")
DAYS = [f"2024-05-{day:02}" for day in range(1, 13)]


def test_a_new_task_takes_the_date_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench) -> None:
    monkeypatch.chdir(tmp_path)
    write_seen([*DAYS[:-1], ""])
    status, out, _ = bench(*NEW, "--date", "seen")
    assert status == 0
    assert "1 of 12 examples have no date, and validation=forward needs one for each." in " ".join(out.split())
    definition = Path("tasks/mine/task.yaml")
    assert "date: seen" in definition.read_text("utf-8")
    assert bench(*NEW, "--force")[0] == 0
    assert "date" not in definition.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--date", "sean"], "--date sean: a.csv has no such column."),
        (["--date", "text", "--text", "text"], "--text and --date are the same column, 'text'."),
        (["--date", "seen"], "a.csv, line 3, column 'seen': 'yesterday' is not a date."),
    ],
)
def test_a_named_date_that_is_none_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_seen([DAYS[0], "yesterday", *DAYS[2:]])
    status, _, said = bench(*NEW, *words)
    assert (status, message in " ".join(said.split())) == (2, True), said
    assert not (tmp_path / "tasks").exists()


def test_a_source_that_cannot_have_dates_refuses_them(tmp_path: Path) -> None:
    from bench.data.definition import build_task, read_definition

    path = tmp_path / "task.yaml"
    source = "source: {kind: segments, documents: d, segments: s, annotations: [p], field: f, columns: {date: seen}}"
    path.write_text(TASK.replace(TASK.splitlines()[2], source), "utf-8")
    with pytest.raises(ConfigError, match=r"unknown key 'source.columns'"):
        build_task(read_definition(path), path)


def test_scores_by_period_are_those_of_the_folds() -> None:
    predictions = pd.DataFrame(
        {"group": list("aabbccdd"), "label": list("xyxyxyxy"), "predicted": list("xyxyyyxx")}
    ).assign(id="")
    cells = [CellResult(fold, predictions=predictions.iloc[4 * fold : 4 * fold + 4]) for fold in (0, 1)]
    accuracy = find_metric("accuracy", ("x", "y"), "")
    assert [each.score for each in summarise(cells, ("x", "y"), accuracy, forward=True).by_period] == [1.0, 0.5]
    assert summarise(cells, ("x", "y"), accuracy).by_period == ()


@pytest.mark.parametrize(
    ("cells", "is_used"), [(("2024-05-03", "2024-05-04 10:00"), True), (("03/05/2024", "2024-05-04"), False)]
)
def test_a_new_task_finds_its_dates(cells: tuple[str, str], is_used: bool) -> None:
    rows = [("line 1", {"text": "a", "label": "x", "published_at": cells[0]})]
    rows += [("line 2", {"text": "b", "label": "y", "published_at": cells[1]})]
    chosen = choose_columns(summarise_columns(iter(rows)), Given(text="text", label="label"), "a.csv", False)
    assert chosen.columns.get("date") == ("published_at" if is_used else None)
    assert is_used or any("'published_at' is not used as the date. line 1 can" in each for each in chosen.remarks)
