"""A metric that is the mean of its scores within each value of a column."""

from __future__ import annotations

import json
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scores import LABEL_METRICS
from sklearn.metrics import f1_score
from small_tasks import LABELS, text_task
from stored import a_record

from bench.catalogue import load_task
from bench.data.definition import build_task
from bench.errors import ConfigError, DataError
from bench.metrics import Metric, Outcomes, find_metric
from bench.metrics.averaged import averaged
from bench.metrics.registry import metric_title
from bench.metrics.scoring import all_scores
from bench.results.cell import CellResult
from bench.results.protocol import differences
from bench.results.summary import summarise
from bench.statistics.bootstrap import GroupBootstrap, group_indices
from bench.statistics.interval import Interval
from bench.support.records import plain as written_out


def as_frame(rng: np.random.Generator, n: int, values: int) -> pd.DataFrame:
    labels = np.array(LABELS, dtype=object)
    true = rng.integers(3, size=n)
    predicted = np.where(rng.random(n) < 0.7, true, rng.integers(3, size=n))
    return pd.DataFrame(
        {
            "id": [str(row) for row in range(n)],
            "group": [f"g{row}" for row in rng.integers(max(2, n // 6), size=n)],
            "label": labels[true],
            "predicted": labels[predicted],
            "value": [f"v{value}" for value in rng.integers(values, size=n)],
        }
    )


def scored(frame: pd.DataFrame, metric: str) -> dict[str, float]:
    """All scores of predictions of a task whose metric is averaged."""
    return all_scores(Outcomes.of(frame, LABELS), averaged(find_metric(metric), "target"))


@pytest.mark.slow
@given(st.integers(1, 80), st.integers(1, 5), st.integers(0, 10_000))
def test_the_metric_is_the_mean_of_the_values_scores_and_the_others_are_of_all_examples(
    n: int, values: int, seed: int
) -> None:
    frame = as_frame(np.random.default_rng(seed), n, values)
    scores = scored(frame, "macro_f1")
    within = [
        f1_score(own["label"], own["predicted"], labels=LABELS, average="macro", zero_division=0)
        for _, own in frame.groupby("value")
    ]
    pooled = all_scores(Outcomes.of(frame, LABELS), find_metric("macro_f1"))
    assert scores == {**pooled, "macro_f1": pytest.approx(float(np.mean(within)))}
    assert list(scores) == list(pooled)


@pytest.mark.parametrize("name", [*LABEL_METRICS, "f_avg", "f1_none"])
def test_the_mean_over_a_single_value_is_the_metric_in_all_respects(name: str) -> None:
    outcomes, metric = Outcomes.of(as_frame(np.random.default_rng(3), 120, 1), LABELS), find_metric(name, LABELS)
    mean, bootstrap = averaged(metric, "target"), GroupBootstrap(outcomes.n_groups, seed=1, draws=50)
    assert mean.name == metric.name
    assert mean.score(outcomes) == metric.score(outcomes)
    assert np.array_equal(mean.drawn(outcomes, bootstrap), metric.drawn(outcomes, bootstrap))
    assert mean.without_each(outcomes).tolist() == np.asarray(metric.without_each(outcomes)).tolist()
    assert np.array_equal(mean.by_group(outcomes), metric.by_group(outcomes))
    assert mean.largest_steps(outcomes).tolist() == metric.largest_steps(outcomes).tolist()
    assert mean.share_to_lose(outcomes, 0.05) == metric.share_to_lose(outcomes, 0.05)
    assert astuple(mean.interval(outcomes)) == pytest.approx(astuple(metric.interval(outcomes)))


def test_each_draw_and_each_group_left_out_is_scored_by_the_mean_over_values() -> None:
    frame = as_frame(np.random.default_rng(8), 150, 3)
    names, groups = group_indices(frame["group"].to_numpy())
    metric, outcomes = averaged(find_metric("macro_f1"), "target"), Outcomes.of(frame, LABELS)
    left_out, alone = metric.without_each(outcomes), metric.by_group(outcomes)
    for group, name in enumerate(names):
        assert left_out[group] == pytest.approx(scored(frame[frame["group"] != name], "macro_f1")["macro_f1"])
        assert alone[group] == pytest.approx(scored(frame[frame["group"] == name], "macro_f1")["macro_f1"])
    bootstrap = GroupBootstrap(len(names), seed=1, draws=50)
    drawn = metric.drawn(outcomes, bootstrap)
    for draw, weights in enumerate(np.concatenate(list(bootstrap.weights())).astype(int)):
        rows = np.repeat(np.arange(150), weights[groups])
        assert drawn[draw] == pytest.approx(scored(frame.iloc[rows], "macro_f1")["macro_f1"])


def test_the_largest_step_of_a_label_is_the_most_that_one_wrong_or_right_prediction_more_changes() -> None:
    frame = as_frame(np.random.default_rng(2), 60, 2)
    score = scored(frame, "macro_f1")["macro_f1"]
    steps = dict.fromkeys(LABELS, 0.0)
    for row, (true, predicted) in enumerate(zip(frame["label"], frame["predicted"], strict=True)):
        for label in set(LABELS) - {true} if true == predicted else {true}:
            other = frame.copy()
            other.loc[row, "predicted"] = label
            steps[true] = max(steps[true], abs(scored(other, "macro_f1")["macro_f1"] - score))
    metric = averaged(find_metric("macro_f1"), "target")
    assert metric.largest_steps(Outcomes.of(frame, LABELS)).tolist() == pytest.approx([*steps.values()])


def test_values_in_the_same_groups_go_together_in_the_interval() -> None:
    """Values whose groups err alike tell less than as many independent ones."""
    codes = np.random.default_rng(4).choice(4, size=1200, p=[0.35, 0.15, 0.15, 0.35])
    true, predicted, groups = codes // 2, codes % 2, np.repeat(np.arange(60), 20)
    parts, values = np.zeros(2400, dtype=np.intp), np.repeat([0, 1], 1200)

    def width(metric: Metric, outcomes: Outcomes) -> float:
        interval = metric.interval(outcomes)
        assert isinstance(interval, Interval)
        return interval.high - interval.low

    alone = width(find_metric("accuracy"), Outcomes(true, predicted, 2, groups, parts[:1200]))
    together, apart = (
        width(
            averaged(find_metric("accuracy"), "target"),
            Outcomes(np.tile(true, 2), np.tile(predicted, 2), 2, np.tile(groups, 2) + own, parts, values=values),
        )
        for own in (0, 60 * values)
    )
    assert together == pytest.approx(alone)
    assert apart == pytest.approx(together / np.sqrt(2), rel=0.01)


def test_there_is_no_interval_where_a_value_has_too_few_groups_and_the_note_names_the_value() -> None:
    frame = as_frame(np.random.default_rng(5), 300, 1)
    few = as_frame(np.random.default_rng(6), 20, 1).assign(value="rare", group="g0")
    frame = pd.concat([frame, few], ignore_index=True)
    accuracy = averaged(find_metric("accuracy"), "target")
    summary = summarise([CellResult(0, predictions=frame, scores={})], LABELS, accuracy)
    assert "accuracy" not in summary.intervals
    assert "macro_f1" in summary.intervals
    assert "no interval for accuracy: within rare, there are too few groups" in summary.notes
    assert summary.scores["accuracy"] == pytest.approx(np.mean(list(summary.by_value.values())))


def written(tmp_path: Path, targets: list[str]) -> dict[str, object]:
    rows = [f"{place},نص رقم {place},{'ab'[place % 2]},{target}" for place, target in enumerate(targets)]
    (tmp_path / "table.csv").write_text("\n".join(["id,body,class,target", *rows]) + "\n", "utf-8")
    return {
        "name": "small",
        "description": "Small.",
        "source": {"kind": "table", "path": "table.csv", "columns": {"id": "id", "text": "body", "label": "class"}},
        "inputs": ["text"],
        "labels": ["a", "b"],
        "averaged_over": "target",
    }


def test_a_table_gives_the_column_and_a_task_without_the_key_stays_as_it_was(tmp_path: Path) -> None:
    definition = written(tmp_path, ["x", "x", "y", "y"])
    task = build_task(definition, tmp_path / "task.yaml")
    assert task.values is not None
    assert task.values.tolist() == ["x", "x", "y", "y"]
    del definition["averaged_over"]
    plain = build_task(definition, tmp_path / "task.yaml")
    assert plain.values is None
    assert list(plain.examples.columns) == ["id", "text", "label"]
    assert plain.digest != task.digest


@pytest.mark.parametrize(
    ("changes", "targets", "told"),
    [
        ({"averaged_over": "targt"}, ["x", "x", "y", "y"], "unknown column 'targt'"),
        ({}, ["x", "x", "y", ""], "column 'target' is empty|column 'target' has no value"),
        ({"metric": "log_loss"}, ["x", "x", "y", "y"], "only metrics of labels can be averaged"),
        ({"averaged_over": 3}, ["x", "x", "y", "y"], "'averaged_over' must be text"),
        ({}, [f"v{place // 2}" for place in range(102)], "target has 51 values; at most 50 are allowed"),
    ],
)
def test_a_column_that_cannot_be_averaged_over_is_an_error(
    tmp_path: Path, changes: dict[str, object], targets: list[str], told: str
) -> None:
    with pytest.raises((ConfigError, DataError), match=told):
        build_task({**written(tmp_path, targets), **changes}, tmp_path / "task.yaml")


def test_a_value_without_a_label_is_told(tmp_path: Path) -> None:
    task = build_task(written(tmp_path, ["x", "x", "y", "x"]), tmp_path / "task.yaml")
    assert "averaged_over: target: no example of 'y' has the label 'b'." in task.notes


def test_the_column_is_part_of_what_makes_runs_compare_only_where_it_is_named() -> None:
    from bench.planning.split_task import _describe_task
    from bench.results.key import OF_TASK

    task = text_task()
    plain = _describe_task(task, [])
    averaged = _describe_task(replace(task, averaged_over="document"), [])
    assert "averaged_over" not in written_out(plain)
    assert "averaged_over" in OF_TASK
    assert written_out(averaged) == {**written_out(plain), "averaged_over": "document"}
    one, other = (replace(a_record(), task=each) for each in (plain, averaged))
    assert differences(one, other) == ["metric: macro_f1 and macro_f1 (mean over document)"]
    assert metric_title("macro_f1", averaged) == "macro-F1 (mean over document)"
    assert metric_title("mcc", averaged) == "MCC"


def test_published_figures_stand_beside_the_average_that_they_are_of_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tasks" / "small"
    folder.mkdir(parents=True)
    definition = written(folder, ["x", "x", "y", "y"])
    figure = {"system": "BERT", "metric": "macro_f1", "value": 0.7, "source": "Somebody 2020"}
    (folder / "task.yaml").write_text(json.dumps({**definition, "published": [figure]}), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert [each.value for each in load_task("small").published] == [0.7]
    for override in ({"averaged_over": None}, {"averaged_over": "text"}, {"metric": "accuracy"}):
        assert load_task("small", override).published == ()
