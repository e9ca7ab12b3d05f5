"""What MLflow shows is what is stored: the same figures, once, and made from the results folder alone."""

from __future__ import annotations

import json
import multiprocessing
import os
import posixpath
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from contest import compared, store_contest
from filelock import FileLock
from hostile import instance, planted
from hypothesis import example, given
from hypothesis import strategies as st
from importing import same_path
from living import wait_for
from present import present
from quiet import Quiet
from some_estimates import MONTHS, estimates_of
from stored import TEXTS, change_record, write_run
from thoroughness import scaled

from bench.config import compose
from bench.metrics.f1 import MACRO_F1
from bench.models.persistence import loads
from bench.results.cell import CellResult, Trial
from bench.results.shares import read_shares, write_shares
from bench.results.store import RunFolder, stored_runs
from bench.results.summary import summarise
from bench.running import runner
from bench.tracking import Tracker, tracking_uri
from bench.tracking.artifacts import write_artifacts
from bench.tracking.baseline import baseline_run, judge_all
from bench.tracking.confusion import confusion_svg
from bench.tracking.description import describe_run
from bench.tracking.logged import forget_deleted
from bench.tracking.metrics import search_points, share_points
from bench.tracking.names import CLASS_METRICS, ascii_name, run_name
from bench.tracking.run import LEFT_OUT, track, track_again, track_all
from bench.tracking.store import open_store
from bench.tracking.views import view_tags

ARABIC = ("نفي", "لا نفي", "عدم تأكيد")


@pytest.fixture(autouse=True)
def _no_other_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def client(results):
    return open_store(tracking_uri(results))


@pytest.fixture(scope="module")
def folder(results):
    write_run(results, model="majority")
    return write_run(results)


@pytest.fixture(scope="module")
def run(client, folder):
    return client.get_run(track(folder, client))


@pytest.fixture(scope="module")
def children(client, run):
    return folds_of(client, run)


def folds_of(client, run):
    found = client.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    return sorted(found, key=lambda child: int(child.data.tags["bench.fold"]))


@pytest.mark.slow
def test_a_task_is_an_experiment_a_model_a_run_and_a_fold_a_child_never_deeper(client, folder, run, children):
    assert client.get_experiment(run.info.experiment_id).name == "denial"
    assert "mlflow.parentRunId" not in run.data.tags
    assert [child.data.tags["bench.fold"] for child in children] == [str(fold) for fold in folder.folds()]
    everything = client.search_runs([run.info.experiment_id], f"tags.`bench.key` = '{folder.key}'")
    assert len(everything) == 1 + len(children)


def test_the_page_lists_the_folds_in_their_order_below_a_model_and_the_tasks_metric_first(client, run, children):
    latest_first = sorted((run, *children), key=lambda each: each.info.start_time, reverse=True)
    folds = [each.data.tags["bench.fold"] for each in latest_first if each.data.tags["bench.level"] == "fold"]
    assert folds == ["0", "1", "2", "3", "4"]
    assert [each.data.tags["bench.level"] for each in (run, children[0])] == ["model", "fold"]
    assert list(run.data.metrics)[:3] == ["test/macro_f1", "test/macro_f1_low", "test/macro_f1_high"]
    assert next(iter(children[0].data.metrics)) == "test/macro_f1"


@pytest.mark.parametrize(("metric", "ascending"), [("macro_f1", False), ("log_loss", True)])
def test_the_ranking_shows_models_by_the_tasks_metric(metric, ascending):
    view = json.loads(view_tags(metric)["mlflow.sharedViewState.ranking"])
    state = json.loads(view["state"])
    assert state["orderByKey"] == f"metrics.`test/{metric}`"
    assert state["orderByAsc"] is ascending
    assert state["selectedColumns"][:2] == ["tags.`bench.score`", "tags.`bench.against_majority`"]
    assert state["selectedColumns"][2:5] == [f"metrics.`test/{metric}{end}`" for end in ("", "_low", "_high")]
    assert state["compareRunCharts"][0]["metricKey"] == f"test/{metric}"
    assert len(set(state["selectedColumns"])) == len(state["selectedColumns"])


def test_what_stands_above_an_experiment_follows_the_task(client, results):
    folder = write_run(results, task="renamed")
    run = client.get_run(track(folder, client))
    change_record(folder, task={"description": "Whether a segment confirms a report."})
    track(folder, client)
    tags = client.get_experiment(run.info.experiment_id).tags
    assert tags["mlflow.note.content"].startswith("Whether a segment confirms")
    assert set(view_tags("macro_f1").items()) <= set(tags.items())


def test_a_new_store_holds_no_experiment_but_the_tasks(client, run):
    assert all("bench.task" in experiment.tags for experiment in client.search_experiments())


def test_pooled_figures_equal_the_stored_ones_exactly(folder, run):
    summary, shown = folder.read_summary(), run.data.metrics
    for name, score in summary.scores.items():
        assert shown[f"test/{name}"] == score
        assert shown[f"test/{name}_low"] == summary.intervals[name].low
        assert shown[f"test/{name}_high"] == summary.intervals[name].high
    for label, values in summary.per_class.items():
        assert {name: shown[f"class/{label}/{name}"] for name in CLASS_METRICS} == {
            name: values[name] for name in CLASS_METRICS
        }
    assert shown["time/fit_s"] == folder.read_record().seconds["fit"]


def test_each_fold_shows_its_own_scores_and_its_setting(folder, children):
    for child in children:
        cell = folder.read_cell(int(child.data.tags["bench.fold"]))
        for name, score in cell.scores.items():
            assert child.data.metrics[f"test/{name}"] == score
        assert child.data.metrics["inner/score"] == cell.inner_score
        assert child.data.metrics["time/search_s"] == cell.seconds["search"]
        assert child.data.params["estimator.C"] == json.dumps(cell.params["estimator.C"])
        assert child.data.params["estimator.solver"] == "newton-cg"


def test_each_class_has_three_metrics_and_a_tag_with_its_interval_and_its_examples(folder, run, children):
    summary = folder.read_summary()
    for label, values in summary.per_class.items():
        for each in (run, *children):
            assert sum(name.startswith(f"class/{label}/") for name in each.data.metrics) == 3
        interval = summary.class_intervals[label]["f1"]
        assert run.data.tags[f"bench.class.{label}"] == (
            f"f1 {values['f1']:.3f} ({interval.low:.3f} to {interval.high:.3f}), precision {values['precision']:.3f}, "
            f"recall {values['recall']:.3f}, {values['support']:g} examples"
        )


def test_scores_are_shown_in_three_digits_with_their_interval(folder, run, children):
    summary = folder.read_summary()
    interval = summary.intervals["macro_f1"]
    shown = f"{summary.scores['macro_f1']:.3f} ({interval.low:.3f} to {interval.high:.3f})"
    assert run.data.tags["bench.score"] == shown
    for child in children:
        assert child.data.tags["bench.score"] == f"{child.data.metrics['test/macro_f1']:.3f}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("logreg", "linear-svm"),
        ("finetune-camelbert-mix-base", "finetune-camelbert-msa-base"),
        ("a-lexicon-of-my-own-design-v1", "a-lexicon-of-my-own-design-v2"),
        ("logreg", "logreg+a-task-with-a-long-name"),
        ("gradient-boosting", "gradient-boosting@denial"),
    ],
)
def test_run_names_tell_models_apart_in_twenty_characters(first, second):
    assert run_name(first, 0, "quick")[:20] != run_name(second, 0, "quick")[:20]
    assert "s3" in run_name(first, 3, None)[:23].split()


def test_the_ranking_is_one_call_a_row_a_model(results, run, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri(results))
    table = mlflow.search_runs(
        experiment_names=["denial"],
        filter_string="tags.`bench.level` = 'model'",
        order_by=["metrics.`test/macro_f1` DESC"],
    )
    stored = {each.model: each.read_summary().scores["macro_f1"] for each in stored_runs(results, "denial")}
    assert set(table["tags.bench.model"]) <= set(stored)
    assert table["tags.bench.model"].is_unique
    assert run.info.run_id in set(table["run_id"])
    assert [stored[model] for model in table["tags.bench.model"]] == table["metrics.test/macro_f1"].tolist()
    assert table["metrics.test/macro_f1"].is_monotonic_decreasing


def test_trials_are_steps_of_a_metric(client, folder, children):
    cell = folder.read_cell(0)
    history = client.get_metric_history(children[0].info.run_id, "search/score")
    assert {point.step: point.value for point in history} == {
        trial.number: trial.score for trial in cell.trials if trial.score is not None
    }
    best = client.get_metric_history(children[0].info.run_id, "search/best")
    assert max(best, key=lambda point: point.step).value == max(point.value for point in history)


@given(st.lists(st.floats(0, 1), min_size=1), st.sampled_from(["macro_f1", "log_loss"]))
def test_the_best_so_far_follows_the_metrics_direction(scores, metric):
    points = search_points([Trial(number, {}, score) for number, score in enumerate(scores)], metric)
    best = [point.value for point in points if point.name == "search/best"]
    pick = min if metric == "log_loss" else max
    assert best == [pick(scores[: end + 1]) for end in range(len(scores))]


def test_every_run_of_every_task_has_the_same_ascii_names(client, results, run, children):
    arabic = client.get_run(track(write_run(results, task="arabic", model="my.model", labels=ARABIC), client))
    for each in (arabic, *folds_of(client, arabic)):
        assert all(name.isascii() for name in (*each.data.metrics, *each.data.params))
    named = {f"class/{ascii_name(label)}/f1" for label in ARABIC}
    assert len(named) == 3
    assert named <= set(arabic.data.metrics)
    assert json.loads(arabic.data.tags["bench.labels"]) == {ascii_name(label): label for label in ARABIC}
    shared = {name for name in children[0].data.metrics if name.startswith(("test/", "class/", "inner/"))}
    assert shared <= set(run.data.metrics)


@given(st.text(min_size=1), st.text(min_size=1))
@example(".", "..")
@example("x" * 300, "x" * 301)
@example("a/../b", "b")
def test_names_are_ones_that_mlflow_takes_and_tell_labels_apart(first, second):
    for name in (ascii_name(first), ascii_name(second)):
        assert re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name)
        assert posixpath.normpath(f"class/{name}/f1") == f"class/{name}/f1"
    assert (ascii_name(first) == ascii_name(second)) == (first == second)


def test_runs_can_be_found_by_what_they_are(client, folder, run):
    tags = run.data.tags
    assert tags["bench.model"] == "logreg"
    assert tags["bench.task_digest"] == folder.read_record().task.digest
    assert tags["bench.features"] == "tfidf"
    assert tags["bench.estimator"] == "sklearn.linear_model.LogisticRegression"
    assert (tags["bench.group"], tags["bench.folds"]) == ("document", "5")
    assert tags["mlflow.source.git.commit"] == "0" * 40
    assert tags["mlflow.source.git.dirty"] == "false"
    query = "tags.`bench.search` = 'quick' and tags.`bench.seed` = '0' and params.`estimator.solver` = 'newton-cg'"
    assert run.info.run_id in {found.info.run_id for found in client.search_runs([run.info.experiment_id], query)}


def test_descriptions_say_what_it_is_how_it_did_against_the_majority_and_how_it_was_validated(client, folder, run):
    what, _, score, _, validation, *rest = run.data.tags["mlflow.note.content"].splitlines()
    assert what == "**logreg** on **denial**: Logistic regression."
    # The stored majority has the same predictions.
    told = folder.read_summary().scores["macro_f1"]
    assert score.startswith(f"macro_f1 **{told:.3f}** (")
    assert f"; **undecided** against the majority's {told:.3f}, difference +0.000 (-" in score
    assert validation.startswith("Validated on 150 examples by 5 outer folds")
    assert "- command: `bench run task=denial model=logreg`" in rest
    assert run.data.tags["bench.against_majority"] == "undecided"
    assert "150 examples" in client.get_experiment(run.info.experiment_id).tags["mlflow.note.content"]


def test_the_family_of_a_verdict_has_each_model_once(tmp_path):
    """New votes that change no label make a version of the task with runs of its own, as in `bench compare`."""
    both = {"a": 0.8, "majority": 0.3}
    older = store_contest(tmp_path, {**both, "b": 0.7})
    newer = store_contest(tmp_path, both, of_task={"version": 2}, started="2026-01-02T00:00:00Z")
    record = newer["a"].read_record()
    baseline = present(baseline_run(tmp_path, record))
    assert baseline.key == newer["majority"].key
    assert set(judge_all(tmp_path, record, baseline)) == {newer["a"].key, older["b"].key}


@pytest.mark.parametrize(("right", "verdict"), [(1.0, "better"), (0.0, "worse")])
def test_the_verdict_is_the_runs_own_whichever_of_the_two_is_ahead(tmp_path, right, verdict):
    baseline, run = write_run(tmp_path, model="majority"), write_run(tmp_path)
    for fold in run.folds():
        cell = run.read_cell(fold)
        others = {"denial": "none", "none": "non_confirmation", "non_confirmation": "denial"}
        predictions = cell.predictions.assign(
            predicted=present(cell.predictions)["label"] if right else present(cell.predictions)["label"].map(others)
        )
        run.write_cell(replace(cell, predictions=predictions, scores={**cell.scores, "macro_f1": right}))
    labels = run.read_record().task.labels
    run.write_summary(summarise([run.read_cell(fold) for fold in run.folds()], labels, MACRO_F1))
    judgement = judge_all(tmp_path, run.read_record(), baseline)[run.key]
    score = baseline.read_summary().scores["macro_f1"]
    assert judgement.verdict == verdict
    assert judgement.difference == pytest.approx(right - score)
    assert present(judgement.low) < judgement.difference < present(judgement.high)
    note = describe_run(run.read_record(), run.read_summary(), baseline.read_summary(), judgement)
    assert f"**{verdict}** than the majority's {score:.3f}, difference {right - score:+.3f} (" in note


@pytest.mark.slow
def test_mlflow_and_the_comparison_give_one_verdict_however_many_models_come_later(tmp_path):
    client = open_store(tracking_uri(tmp_path))
    made = store_contest(tmp_path, {"majority": 0.5, "close": 0.58})
    track(made["close"], client)

    def told(model):
        (run,) = client.search_runs(
            [client.get_experiment_by_name("denial").experiment_id],
            f"tags.`bench.key` = '{made[model].key}' and tags.`bench.level` = 'model'",
        )
        return run.data.tags

    def shown(model):
        pairs = compared(tmp_path, "task=denial").pairs
        (pair,) = [pair for pair in pairs if {pair.first, pair.second} == {model, "majority"}]
        return pair

    alone = shown("close")
    assert told("close")["bench.against_majority"] == alone.verdict
    made |= store_contest(tmp_path, {f"other-{n}": 0.5 for n in range(6)} | {"good": 0.9})
    track(made["good"], client)
    for model in ("close", "good"):
        now = shown(model)
        assert told(model)["bench.against_majority"] == now.verdict
        ends = f"({now.interval.low:+.3f} to {now.interval.high:+.3f})"
        assert ends in told(model)["mlflow.note.content"]
    assert shown("close").interval.low < alone.interval.low
    baseline = compared(tmp_path, "task=denial", "baseline=majority").pairs
    assert {frozenset((p.first, p.second)): (p.verdict, p.interval) for p in baseline}.items() <= {
        frozenset((p.first, p.second)): (p.verdict, p.interval) for p in compared(tmp_path, "task=denial").pairs
    }.items()


@pytest.mark.slow
def test_without_the_majority_there_is_no_verdict_and_once_it_is_stored_the_run_is_logged_anew(client, results):
    folder = write_run(results, task="alone")
    first = client.get_run(track(folder, client))
    assert "bench.against_majority" not in first.data.tags
    assert "majority" not in first.data.tags["mlflow.note.content"]
    baseline = write_run(results, task="alone", model="majority")
    second = client.get_run(track(folder, client))
    assert second.data.tags["bench.against_majority"] == "undecided"
    assert client.get_run(first.info.run_id).info.lifecycle_stage == "deleted"
    assert "bench.against_majority" not in client.get_run(track(baseline, client)).data.tags


@pytest.mark.slow
def test_no_run_is_logged_before_the_majority_of_every_task_is_stored(tmp_path, monkeypatch):
    stored_at_each = []

    class Seeing:
        def __init__(self, results):
            pass

        def open(self):
            pass

        def track(self, path):
            found = [folder for task in ("denial", "source-type") for folder in stored_runs(tmp_path, task)]
            stored_at_each.append({(each.task, each.model) for each in found if each.summarised})

        def close(self):
            return []

        def __enter__(self):
            return self

        def __exit__(self, *ended):
            pass

    class Observer(Quiet):
        def doing(self, what):
            pass

        def planned(self, plan, cells):
            pass

    monkeypatch.setattr(runner, "Tracker", Seeing)
    words = ["task=denial,source-type", "model=stratified,lexicon", "execution.workers=2"]
    runner.run(compose([*words, f"results={tmp_path}"]), Observer())
    assert len(stored_at_each) == 6
    assert all({("denial", "majority"), ("source-type", "majority")} <= stored for stored in stored_at_each)


def test_a_majority_under_another_protocol_gives_no_verdict(tmp_path):
    baseline, run = write_run(tmp_path, model="majority"), write_run(tmp_path)
    assert baseline_run(tmp_path, run.read_record()).path == baseline.path
    record = baseline.read_record()
    baseline.write_record(replace(record, seed=1))
    assert baseline_run(tmp_path, run.read_record()) is None
    baseline.write_record(replace(record, splits="another"))
    assert baseline_run(tmp_path, run.read_record()) is None


def test_the_tasks_data_is_named_by_its_digest_without_its_texts(folder, run):
    (given,) = run.inputs.dataset_inputs
    task = folder.read_record().task
    assert given.dataset.name == "denial"
    assert task.digest.startswith(given.dataset.digest)
    assert [column["name"] for column in json.loads(given.dataset.schema)["mlflow_colspec"]] == ["text", "label"]
    # Runs with repeats or a published split share the data's entry, so nothing in it depends on a run.
    profile = {"num_rows": task.n_examples, "num_groups": task.n_groups, "labels": list(task.labels)}
    assert json.loads(given.dataset.profile) == profile


def test_the_table_of_predictions_has_a_column_for_each_label_in_any_normal_form(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "target").mkdir()
    table = pd.DataFrame([["1", 0.25, 0.75]], columns=["id", "p_\u00e9", "p_e\u0301"])
    write_artifacts(tmp_path / "target", RunFolder(tmp_path), None, [CellResult(0, predictions=table)], "")
    predictions = json.loads((tmp_path / "target" / "predictions.json").read_text("utf-8"))
    assert predictions["columns"] == ["id", "p_\u00e9", "p_e\u0301", "fold"]
    assert predictions["data"] == [["1", 0.25, 0.75, 0]]


def test_shares_of_parts_are_a_table_and_those_of_archives_and_differences_are_metrics(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "target").mkdir()
    estimates = estimates_of()
    write_shares(RunFolder(tmp_path), estimates)
    write_shares(RunFolder(tmp_path), replace(estimates, by=None, parts=(), differences=()))
    write_artifacts(tmp_path / "target", RunFolder(tmp_path), None, [], "")
    tables = {path.name for path in (tmp_path / "target" / "shares").iterdir()}
    assert tables == {"archive.csv.csv", f"{ascii_name(estimates.title)}.csv"}
    table = pd.read_csv(tmp_path / "target" / "shares" / f"{ascii_name(estimates.title)}.csv")
    assert table["part"].fillna("").tolist() == [
        "",
        "",
        *(name for name in MONTHS for _ in "ab"),
        *2 * ["2024-10 - 2024-09"],
    ]
    points = share_points(read_shares(RunFolder(tmp_path)))
    assert len({point.name for point in points}) == len(points) == 2 * 3 * 2
    values = {point.name: point.value for point in points}
    between = f"shares/archive.csv/true/{ascii_name('2024-10 - 2024-09 by published:month')}"
    assert [values[f"{between}{end}"] for end in ("", "/low", "/high")] == pytest.approx([0.1234, 0.0679, 0.1789])
    assert values["shares/archive.csv/true"] == pytest.approx(1 / 3)


def test_artifacts_hold_the_tables(client, folder, run, children, tmp_path):
    target = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert (target / "summary.json").read_bytes() == (folder.path / "summary.json").read_bytes()
    predictions = json.loads((target / "predictions.json").read_text("utf-8"))
    table = pd.DataFrame(predictions["data"], columns=predictions["columns"])
    kept = pd.concat([folder.read_cell(fold).predictions for fold in folder.folds()], ignore_index=True)
    pd.testing.assert_frame_equal(table.drop(columns="fold"), kept, check_dtype=False, check_exact=True)
    confusion = pd.read_csv(target / "confusion.csv", index_col="true")
    assert confusion.to_numpy().tolist() == [list(row) for row in folder.read_summary().confusion]
    assert len(pd.read_csv(target / "search.csv")) == 60
    assert (target / "confusion.svg").read_text("utf-8").startswith("<svg")
    assert "predictions.csv" in {file.path for file in client.list_artifacts(children[0].info.run_id)}


def test_an_arabic_confusion_matrix_is_written_as_text_in_reading_order():
    svg = confusion_svg([[1, 0, 0], [0, 2, 0], [0, 0, 1]], ["نفي", "<b>", "لا نفي ولا تأكيد"], "t")
    assert ">نفي<" in svg
    assert ">لا نفي ولا…\u200f<" in svg
    assert "&lt;b&gt;" in svg


def test_the_logged_model_gives_the_labels_of_the_stored_one(results, folder, run, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri(results))
    stored = loads((folder.path / "final" / "model.skops").read_bytes())
    (output,) = run.outputs.model_outputs
    model = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    assert list(model.predict(TEXTS)) == list(stored.predict(TEXTS))
    assert model.metadata.signature.inputs.input_names() == ["text"]
    native = mlflow.sklearn.load_model(f"models:/{output.model_id}")
    assert (native.predict_proba(TEXTS) == stored.predict_proba(TEXTS)).all()
    logged = mlflow.get_logged_model(output.model_id)
    assert logged.metrics
    assert folder.read_record().model.description in logged.tags["mlflow.note.content"]
    answers = model.predict(TEXTS, params={"probabilities": True})
    assert answers["label"].tolist() == list(stored.predict(TEXTS))
    assert (answers[[f"p_{label}" for label in stored.classes_]].to_numpy() == stored.predict_proba(TEXTS)).all()


@pytest.mark.parametrize("damage", ["planted", "truncated"])
def test_a_model_that_is_not_loaded_is_left_out_with_the_reason_and_the_rest_is_logged(client, tmp_path, damage):
    folder = write_run(tmp_path, task=f"left-out-{damage}")
    good = folder.model_path().read_bytes()
    bad = planted(good, instance("scipy.stats._distn_infrastructure.rv_continuous", _parse_arg_template="1 / 0"))
    folder.model_path().write_bytes(bad if damage == "planted" else good[:-100])
    run = client.get_run(track(folder, client))
    reason = "rv_continuous" if damage == "planted" else "not readable as a model"
    assert reason in run.data.tags["bench.model_left_out"]
    assert not run.outputs.model_outputs
    assert run.info.status == "FINISHED"
    assert "test/macro_f1" in run.data.metrics


def test_tracking_again_makes_no_second_run(client, folder, run):
    assert track(folder, client) == run.info.run_id


@pytest.mark.slow
def test_changed_results_take_the_place_of_the_old_ones(client, results):
    folder = write_run(results, task="changing")
    old = client.get_run(track(folder, client))
    cell = folder.read_cell(0)
    folder.write_cell(replace(cell, scores={**cell.scores, "accuracy": 0.125}))
    new = client.get_run(track(folder, client))
    assert client.get_run(old.info.run_id).info.lifecycle_stage == "deleted"
    found = client.search_runs([new.info.experiment_id])
    assert len(found) == 6
    assert min(run.data.metrics["test/accuracy"] for run in found) == 0.125


@pytest.mark.slow
def test_a_run_that_was_not_logged_to_its_end_is_logged_anew(client, results, monkeypatch):
    folder = write_run(results, task="cut-short")

    def full(*args):
        raise OSError("No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("bench.tracking.run.write_artifacts", full)
        with pytest.raises(OSError, match="No space"):
            track(folder, client)
    run = client.get_run(track(folder, client))
    assert len(client.search_runs([run.info.experiment_id])) == 6


class Killed(BaseException):
    """A process that ends before what it was about to write."""


class KilledAt:
    """A client whose process is killed before, or right after, one of its writes."""

    def __init__(self, client, write, after=False):
        self.client, self.write, self.after, self.writes = client, write, after, []

    def __getattr__(self, name):
        found = getattr(self.client, name)
        if not callable(found) or name.startswith(("get_", "search_", "list_")):
            return found

        def written(*args, **kwargs):
            self.writes.append(name)
            if len(self.writes) == self.write and not self.after:
                raise Killed
            answer = found(*args, **kwargs)
            if len(self.writes) == self.write:
                raise Killed
            return answer

        return written


def assert_whole(client, folder, run_id):
    """The run stands once in MLflow, ended, with all its folds and figures, as it is stored."""
    run = client.get_run(run_id)
    found = client.search_runs([run.info.experiment_id], f"tags.`bench.key` = '{folder.key}'")
    assert len(found) == 1 + len(folder.folds())
    assert {each.info.status for each in found} == {"FINISHED"}
    assert run.data.tags["bench.content"]
    assert run.data.metrics["test/accuracy"] == folder.read_summary().scores["accuracy"]
    searched = client.get_metric_history(run_id, "search/score")
    assert len(searched) == sum(trial.score is not None for trial in folder.read_cell("final").trials)


def forget(client, run_id):
    """Delete all runs of a run's experiment, and give the experiment."""
    experiment = client.get_run(run_id).info.experiment_id
    for run in client.search_runs([experiment]):
        client.delete_run(run.info.run_id)
    return experiment


def long_search(folder, trials):
    """Give a run's final cell a search of more points than MLflow takes at once."""
    final = folder.read_cell("final")
    tried = [Trial(number, {"estimator.C": 1.0}, 0.5) for number in range(trials)]
    folder.write_cell(replace(final, trials=tried, estimator=(folder.path / "final/model.skops").read_bytes()))
    return folder


@pytest.mark.slow
def test_a_run_that_was_killed_before_its_mark_is_not_taken_for_whole(client, results):
    folder = long_search(write_run(results, task="killed", folds=2), 300)
    forget(client, track(folder, client))
    counting = KilledAt(client, 0)
    run_id = track(folder, counting)  # type: ignore[arg-type]
    # The mark is the last write, after the run's end; before it come two batches, of which the first is not the whole.
    assert counting.writes[-4:] == ["log_batch", "log_batch", "set_terminated", "set_tag"]
    for write in (len(counting.writes) - 2, len(counting.writes) - 1, len(counting.writes)):
        experiment = forget(client, run_id)
        with pytest.raises(Killed):
            track(folder, KilledAt(client, write))  # type: ignore[arg-type]
        assert track_again(results, client) == []
        (run,) = client.search_runs([experiment], "tags.`bench.level` = 'model'")
        run_id = run.info.run_id
        assert_whole(client, folder, run_id)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_a_run_is_whole_after_a_kill_at_any_write(client, results, after):
    folder = long_search(write_run(results, task=f"killed-{after}".lower(), folds=2), 300)
    forget(client, track(folder, client))
    counting = KilledAt(client, 0)
    run_id = track(folder, counting)  # type: ignore[arg-type]
    for write in range(1, len(counting.writes) + 1, scaled(3, 1)):
        forget(client, run_id)
        with pytest.raises(Killed):
            track(folder, KilledAt(client, write, after))  # type: ignore[arg-type]
        run_id = track(folder, client)
        assert_whole(client, folder, run_id)


@pytest.mark.slow
def test_a_damaged_run_does_not_keep_the_others_from_being_tracked(client, results):
    damaged, sound = (write_run(results, task="damage", seed=seed) for seed in (0, 1))
    (damaged.path / "final/model.skops").write_bytes((damaged.path / "final/model.skops").read_bytes()[:500])
    assert track_all([damaged, sound], client) == []
    experiment = client.get_experiment_by_name("damage").experiment_id
    found = client.search_runs([experiment], "tags.`bench.level` = 'model'")
    left_out = {run.data.tags["bench.key"]: run.data.tags.get(LEFT_OUT) for run in found}
    assert left_out.keys() == {damaged.key, sound.key}
    assert left_out[sound.key] is None
    assert "not readable as a model: " in left_out[damaged.key]


def test_a_failed_run_says_why(client, results):
    run = client.get_run(track(write_run(results, task="failing", failed_fold=2), client))
    assert run.info.status == "FAILED"
    assert "ValueError: the model broke" in run.data.tags["bench.error"]
    assert not any(name.startswith("test/") for name in run.data.metrics)
    folds = folds_of(client, run)
    assert [fold.info.status for fold in folds].count("FAILED") == 1
    assert "error.txt" in {file.path for file in client.list_artifacts(folds[2].info.run_id)}


@pytest.mark.slow
def test_four_processes_can_log_to_a_store_that_is_not_there_yet(tmp_path):
    folders = [write_run(tmp_path, model=name, folds=2) for name in ("a", "b", "c", "d")]
    trackers = [Tracker(tmp_path) for _ in folders]
    for tracker in trackers[:2]:
        tracker.open()
    for tracker, folder in zip(trackers, folders, strict=True):
        tracker.track(folder.path)
    assert [tracker.close() for tracker in trackers] == [[], [], [], []]
    client = open_store(tracking_uri(tmp_path))
    (experiment,) = [each for each in client.search_experiments() if each.name == "denial"]
    assert len(client.search_runs([experiment.experiment_id])) == 12


@pytest.mark.slow
def test_a_tracking_failure_is_told_and_never_raised(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://nowhere")
    with Tracker(tmp_path) as tracker:
        tracker.track(tmp_path / "task" / "model" / "key")
        (error,) = tracker.close()
    assert "nonsense://nowhere" in error


@pytest.mark.slow
def test_a_tracker_that_died_is_told(tmp_path):
    folder = write_run(tmp_path, folds=2)

    def kill_once_it_works():
        if wait_for((tmp_path / "mlflow.db").exists):
            for process in multiprocessing.active_children():
                process.kill()

    killing = threading.Thread(target=kill_once_it_works)
    with FileLock(folder.path / ".tracking.lock"), Tracker(tmp_path) as tracker:
        tracker.track(folder.path)
        killing.start()
        (error,) = tracker.close()
        killing.join()
    assert error == f"{folder.path}: the process that logs it was killed by signal 9 (out of memory?)"


def test_a_tracker_that_takes_too_long_is_stopped_and_told(tmp_path):
    folder = write_run(tmp_path, folds=2)
    with FileLock(folder.path / ".tracking.lock"), Tracker(tmp_path) as tracker:
        tracker.track(folder.path)
        assert tracker.close(timeout=0.5) == ["MLflow had not logged 1 of 1 runs after 0.5 s."]
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_a_tracker_that_was_not_told_to_open_leaves_no_store(tmp_path):
    with Tracker(tmp_path) as tracker:
        assert tracker.close() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_tracker_left_by_an_exception_stops_at_once_and_tracking_again_is_safe(tmp_path):
    folder = write_run(tmp_path, folds=2)
    with pytest.raises(KeyboardInterrupt), Tracker(tmp_path) as tracker:
        tracker.track(folder.path)
        raise KeyboardInterrupt
    assert multiprocessing.active_children() == []
    client = open_store(tracking_uri(tmp_path))
    run = client.get_run(track(folder, client))
    assert len(client.search_runs([run.info.experiment_id])) == 3


def test_starting_a_tracker_imports_none_of_mlflow():
    code = "import sys, bench.tracking; print(any(name.split('.')[0] in ('mlflow', 'pandas') for name in sys.modules))"
    env = {**os.environ, "PYTHONPATH": same_path()}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert shown.stdout == "False\n"


@pytest.mark.slow
def test_what_was_logged_of_a_deleted_run_folder_is_forgotten(tmp_path):
    kept, deleted = write_run(tmp_path, model="majority"), write_run(tmp_path)
    client = open_store(tracking_uri(tmp_path))
    ids = {folder.key: track(folder, client) for folder in (kept, deleted)}
    assert forget_deleted(tmp_path, client) == 0
    shutil.rmtree(deleted.path)
    assert forget_deleted(tmp_path, client) == 1
    experiment = client.get_run(ids[kept.key]).info.experiment_id
    left = client.search_runs([experiment])
    assert {run.data.tags["bench.key"] for run in left} == {kept.key}
    assert len(folds_of(client, client.get_run(ids[kept.key]))) == len(kept.folds())
    assert forget_deleted(tmp_path, client) == 0
