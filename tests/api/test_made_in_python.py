"""Tasks and models of the running program: what is said of one is never said of another of its name."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from stored_task import write_task_runs

import bench
from bench.api.arrays import _whole_groups
from bench.catalogue import load_further
from bench.errors import BenchError, ConfigError, DataError, ModelError, UserError


def table(first: int = 0, n: int = 40) -> pd.DataFrame:
    """Rows with other texts for another first number."""
    numbers = range(first, first + n)
    return pd.DataFrame(
        {
            "text": [f"{'نفى' if each % 2 else 'أعلن'} الوزير الخبر {each}" for each in numbers],
            "label": ["denial" if each % 2 else "none" for each in numbers],
            "outlet": [f"outlet {each % 4}" for each in numbers],
        }
    )


@pytest.mark.slow
def test_results_of_a_task_are_those_of_its_own_data(tmp_path: Path) -> None:
    one = bench.new_task(table(), name="same")
    other = bench.new_task(table(1000), name="same")
    third = bench.new_task(table(2000), name="same")
    write_task_runs(tmp_path, one, {"first": 0.9})
    write_task_runs(tmp_path, other, {"second": 0.6})
    for task, model in ((one, "first"), (other, "second"), (one, "first")):
        assert bench.leaderboard(task, results=tmp_path).to_frame()["model"].tolist() == [model]
        assert bench.compare(task, results=tmp_path).to_frame()["model"].tolist() == [model]
        assert len(bench.compare(task, results=tmp_path, by="outlet").slices()) == 4
    with pytest.raises(UserError, match="of other data than the task has in this program"):
        bench.leaderboard(third, results=tmp_path)
    with pytest.raises(UserError, match="of other data than the task has in this program"):
        bench.predict(third, ["نفى"], results=tmp_path)


def test_two_of_one_name_do_not_run_in_each_other_s_place() -> None:
    tasks = [bench.new_task(table(first), name="same") for first in (0, 1000)]
    with pytest.raises(ConfigError, match="two different tasks have the name 'same'"):
        bench.run(tasks, "complement-nb")
    models = [bench.Model(LogisticRegression(C=C)) for C in (1.0, 100.0)]
    with pytest.raises(ConfigError, match="two different models have the name 'logistic-regression'"):
        bench.run(tasks[0], models)
    with pytest.raises(ConfigError, match="two different models"):
        bench.curve(tasks[0], models)


def test_other_columns_are_those_of_the_data_when_the_task_was_made() -> None:
    frame = table()
    task = bench.new_task(frame, name="mine")
    then = dict(zip(task.to_pandas()["id"], frame["outlet"], strict=True))
    frame.loc[:, "outlet"] = frame["outlet"].to_numpy()[::-1]
    frame.loc[:, "text"] = ""
    assert load_further("mine", "outlet").values == then
    # Equal examples, another column.
    bench.new_task(table().assign(outlet="no"), name="other")
    assert load_further("mine", "outlet").values == then
    assert set(load_further("other", "outlet").values.values()) == {"no"}
    parts = datasets.DatasetDict({"train": datasets.Dataset.from_pandas(table(n=30))})
    parts["test"] = datasets.Dataset.from_pandas(table(1000, n=10))
    task = bench.new_task(parts, name="parts")
    parts["test"] = parts["train"]
    assert set(load_further("parts", "outlet").values) == set(task.to_pandas()["id"])


def test_what_is_remarked_of_the_data_is_in_the_notes_and_a_warning() -> None:
    frame = table().assign(id="same").drop(columns="outlet")
    with pytest.warns(UserWarning, match="No group column") as warned:
        task = bench.new_task(frame)
    assert [str(each.message) for each in warned] == list(task.notes)
    assert {each.filename for each in warned} == {__file__}
    assert any('group="COLUMN" keeps them together.' in note for note in task.notes)
    assert "The column 'id' is not used as the id: in row 2 it has 'same', which is repeated." in task.notes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bench.new_task(table(), group="outlet").notes == bench.new_task(table(), group="id").notes == ()


def test_a_group_of_a_table_in_memory_is_not_dropped_for_a_missing_cell() -> None:
    frame = table().rename(columns={"outlet": "group"})
    gap = frame.assign(group=frame["group"].where(frame.index != 17))
    with pytest.raises(DataError, match="row 18: column 'group' has no value") as raised:
        bench.new_task(gap)
    assert "1 of 40 rows has no group: row 18." in str(raised.value)
    assert 'say so: group="id"' in str(raised.value)
    assert bench.new_task(frame).group == "group"
    assert bench.new_task(gap, group="id").group == "id"


@pytest.mark.parametrize(
    ("frequency", "first"), [("Y", "1970"), ("M", "1970-01"), ("D", "1970-01-01"), ("h", "1970-01-01T00:00:00")]
)
@pytest.mark.parametrize("named", [None, "date"])
def test_periods_of_pandas_are_read_as_dates(frequency: str, first: str, named: str | None) -> None:
    frame = table().assign(date=pd.period_range("1970-01-01", periods=40, freq=frequency))
    assert bench.new_task(frame, group="outlet", date=named).to_pandas()["date"][0] == first
    gap = frame.assign(date=frame["date"].where(frame.index != 3))
    assert bench.new_task(gap, group="outlet", date="date").to_pandas()["date"][3] == ""


def test_periods_that_are_no_dates_are_told_as_pandas_writes_them() -> None:
    frame = table().assign(date=pd.period_range("2024-01-01", periods=40, freq="Q"))
    with pytest.raises(DataError, match="row 1, column 'date': '2024Q1' is not a date"):
        bench.new_task(frame, group="outlet", date="date")
    with pytest.warns(UserWarning, match="The column 'date' is not used as the date."):
        assert "date" not in bench.new_task(frame, group="outlet").to_pandas()


def test_a_file_that_changed_since_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table().to_csv("mine.csv", index=False)
    bench.new_task("mine.csv", name="mine")
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    assert load_further("mine", "outlet").values["1"] == "outlet 0"
    table(1).to_csv("../mine.csv", index=False)
    with pytest.raises(DataError, match="has changed since the task was made of it"):
        load_further("mine", "outlet")


def test_a_loaded_task_has_the_other_columns_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tasks/mine").mkdir(parents=True)
    table().to_csv("tasks/mine/data.csv", index=False)
    definition = "name: mine\nversion: 1\ndescription: D.\nsource:\n  kind: table\n  path: data.csv\n"
    definition += "  columns: {text: text, label: label}\ninputs: [text]\nlabels: [denial, none]\nmetric: macro_f1\n"
    Path("tasks/mine/task.yaml").write_text(definition + "group: id\n")
    task = bench.load_task("mine")
    by_name = load_further("mine", "outlet")
    write_task_runs(tmp_path / "results", task, {"first": 0.9})
    assert len(bench.compare(task, by="outlet").slices()) == 4
    assert load_further("mine", "outlet") == by_name


@pytest.mark.slow
def test_threads_do_not_get_each_other_s_data() -> None:
    def scored(right: float) -> float | None:
        rng = np.random.default_rng(0)
        y = np.tile(["a", "b"], 12)
        X = rng.normal(size=(24, 1)) + right * (y == "b")[:, None]
        return bench.evaluate(GaussianNB(), X, y, folds=2).score

    alone = [scored(right) for right in (0.0, 50.0)]
    assert alone[1] == 1.0 != alone[0]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(scored, (0.0, 50.0))) == alone


@pytest.mark.slow
def test_a_run_is_stored_as_long_as_a_copy_of_it_is_in_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    y = np.tile(["a", "b"], 12)
    X = (y == "b")[:, None] + np.arange(24)[:, None] / 100
    search = {"var_smoothing": [1e-9, 1e-8]}
    run = bench.evaluate(GaussianNB(), X, y, folds=2, search=search, trials=4)
    assert run.trials().groupby("fold")["chosen"].sum().tolist() == [1, 1]
    copies, sent = [copy.copy(run), copy.deepcopy(run)], pickle.dumps(run)
    held = pickle.loads(sent)
    del run
    gc.collect()
    assert [len(each.predictions()) for each in (*copies, held)] == [24] * 3
    copies.clear()
    gc.collect()
    assert not held.path.exists()
    with pytest.raises(UserError, match="not stored any longer"):
        held.predictions()


def test_runs_are_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = bench.new_task(table(), name="mine")
    write_task_runs(Path("results"), task, {"first": 0.9})
    (run,) = bench.runs("mine")
    monkeypatch.chdir("/")
    assert len(run.predictions()) == len(task)


@pytest.mark.parametrize(
    "rows",
    [
        sparse.csr_array((np.ones(6), np.array([0, 1, 1, 0, 0, 1]), np.array([0, 2, 4, 6])), shape=(3, 3)),
        sparse.csr_array(([1.0, 0.0, 1.0, 1.0], [0, 2, 0, 0], [0, 2, 3, 4]), shape=(3, 3)),
        np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, 1.0]]),
    ],
)
def test_equal_rows_are_in_one_group_however_they_are_written(rows: Any) -> None:
    before = rows.copy()
    assert len(set(_whole_groups(rows, None))) == 1
    assert (abs(rows - before)).sum() == 0
    assert not sparse.issparse(rows) or rows.nnz == before.nnz


def test_seeds_may_be_numbers_of_numpy(tmp_path: Path) -> None:
    task = bench.new_task(table(), name="mine")
    write_task_runs(tmp_path, task, {"first": 0.9})
    seeds: list[Any] = [0, np.int64(0), [0], np.array([0])]
    for seed in seeds:
        assert len(bench.leaderboard(task, seed=seed, results=tmp_path).to_frame()) == 1
        assert len(bench.compare(task, seed=seed, results=tmp_path).to_frame()) == 1


@pytest.mark.parametrize(
    ("call", "given", "kind", "told"),
    [
        (bench.Model, [LogisticRegression(), "quick"], ModelError, "search: expected a mapping"),
        (bench.Model, [LogisticRegression(), ["C"]], ModelError, "search: expected a mapping"),
        (bench.run, [table(), "complement-nb"], ConfigError, "task: DataFrame is not a task"),
        (bench.check, [table()], ConfigError, "task: DataFrame is not a task"),
        (bench.splits, [table()], ConfigError, "task: DataFrame is not a task"),
        (bench.load_task, [3], ConfigError, "task: int is not a task"),
        (bench.leaderboard, [["denial", "stance"]], ConfigError, "expected one task"),
        (bench.compare, ["denial", 3], ConfigError, "model: int is not a model"),
        (bench.new_task, [None], DataError, "data: NoneType is neither a table nor a path"),
        (bench.new_task, [{"text": ["a"]}], DataError, "data: dict is neither a table nor a path"),
        (bench.new_task, [table()["text"]], DataError, "data: Series is neither a table nor a path"),
        (bench.sample, ["denial", table(), "5"], ConfigError, "n='5': expected a whole number"),
    ],
)
def test_what_is_of_another_kind_is_named(call: Any, given: list[Any], kind: type[BenchError], told: str) -> None:
    with pytest.raises(kind, match=told):
        call(*given)


def test_runs_are_found_by_what_they_are_of(tmp_path: Path) -> None:
    one, other = (bench.new_task(table(first), name="same") for first in (0, 1000))
    write_task_runs(tmp_path, one, {"first": 0.9})
    write_task_runs(tmp_path, other, {"logistic-regression": 0.6})
    model = bench.Model(LogisticRegression())
    assert [run.model for run in bench.runs(one, results=tmp_path)] == ["first"]
    assert [run.model for run in bench.runs("same", model, results=tmp_path)] == ["logistic-regression"]
    both = bench.runs("same", results=tmp_path)
    index: Any = np.int64(1)
    assert both[index] is both[1]
    assert bench.compare(other, model, results=tmp_path).to_frame()["model"].tolist() == ["logistic-regression"]
    nothing: Any = None
    with pytest.raises(UserError, match="0 of these runs"):
        both[nothing]


class All(GaussianNB):
    """A class after which no model can be called."""


@pytest.mark.slow
def test_an_estimator_whose_class_has_a_taken_name_is_evaluated_under_another() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), np.tile(["a", "b"], 20)
    with pytest.raises(ModelError, match="all") as told:
        bench.evaluate(All(), X, y, folds=2)
    assert 'name="my-all"' in str(told.value.hint)
    run = bench.evaluate(All(), X, y, folds=2, name="my-all")
    assert run.model == "my-all"
    assert run.score == bench.evaluate(GaussianNB(), X, y, folds=2).score
