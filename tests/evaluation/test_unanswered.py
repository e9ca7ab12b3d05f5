"""What a model leaves unanswered counts as wrong, in every score, interval and comparison, and is seen everywhere."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from present import present
from scores import (
    LABEL_METRICS,
    confusion_by_group,
    drawn_label_scores,
    label_intervals,
    label_scores,
    score_predictions,
)
from sklearn import metrics as reference
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from small_tasks import LABELS, text_task
from stored_task import write_task_runs

from bench.comparison.compare import compare
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import Filter
from bench.comparison.selection import select_runs
from bench.comparison.suspects import suspects
from bench.config import Search
from bench.data.splits import split_by_group
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.predictions import InvalidPredictionError, predict_codes
from bench.features.cache import FeatureCache
from bench.metrics.confusion import NO_ANSWER, UNANSWERED, confusion_matrix, per_class
from bench.metrics.f1 import MACRO_F1
from bench.models import Model
from bench.reporting.html import page as page_module
from bench.reporting.html.page import render_report
from bench.results.cell import CellResult
from bench.results.store import RunFolder
from bench.results.summary import summarise
from bench.statistics.bootstrap import GroupBootstrap
from bench.tracking.artifacts import write_artifacts
from bench.tracking.metrics import fold_points


class Hesitant(ClassifierMixin, BaseEstimator):
    """Finds the denials, and leaves unanswered what has an even number."""

    may_abstain = True

    def fit(self, X: pd.DataFrame, y: Any) -> Hesitant:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        answers = [
            None if int(text.rpartition("رقم")[2]) % 2 == 0 else "denial" if "نفى" in text else "none"
            for text in X["text"]
        ]
        self.unanswered_ = ["", "the text is too odd"] if None in answers else []
        self.notes_ = ["asked nobody"]
        return np.array(answers, dtype=object)


class Rash(Hesitant):
    """The same without leave to do so."""

    may_abstain = False


class Cautious(LogisticRegression):
    """Answers only where it is sure enough."""

    may_abstain = True

    def predict(self, X: Any) -> Any:
        sure = self.predict_proba(X).max(axis=1) > 0.5
        return np.where(sure, super().predict(X).astype(object), None)


@st.composite
def with_gaps(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """A number of labels, true and predicted codes with at least one gap, and groups."""
    n_labels, n = draw(st.integers(2, 4)), draw(st.integers(1, 40))
    true = draw(hnp.arrays(np.intp, n, elements=st.integers(0, n_labels - 1)))
    predicted = draw(hnp.arrays(np.intp, n, elements=st.integers(UNANSWERED, n_labels - 1)))
    predicted[draw(st.integers(0, n - 1))] = UNANSWERED
    return n_labels, true, predicted, draw(hnp.arrays(np.intp, n, elements=st.integers(0, 4)))


def scikit_learns(true: np.ndarray, predicted: np.ndarray, n_labels: int) -> dict[str, float]:
    """Scikit-learn's scores, with one more label, which is never true, for what is unanswered."""
    labels, answered = list(range(n_labels)), np.where(predicted == UNANSWERED, n_labels, predicted)
    recalls = reference.recall_score(true, answered, labels=labels, average=None, zero_division=0)
    return {
        "macro_f1": reference.f1_score(true, answered, labels=labels, average="macro", zero_division=0),
        "accuracy": reference.accuracy_score(true, answered),
        "balanced_accuracy": recalls[np.isin(labels, true)].mean(),
        "mcc": reference.matthews_corrcoef(true, answered),
    }


def as_frame(true: np.ndarray, predicted: np.ndarray, groups: np.ndarray, labels: tuple[str, ...]) -> pd.DataFrame:
    names = [*labels, ""]
    return pd.DataFrame(
        {
            "id": [f"e{n}" for n in range(len(true))],
            "group": [f"g{group}" for group in groups],
            "label": [labels[code] for code in true],
            "predicted": [names[code] for code in predicted],
        }
    )


@given(with_gaps())
def test_scores_equal_scikit_learns_with_one_more_label_that_is_never_true(case: Any) -> None:
    n_labels, true, predicted, groups = case
    expected = pytest.approx(scikit_learns(true, predicted, n_labels), abs=1e-12)
    confusion = confusion_matrix(true, predicted, n_labels)
    assert {name: float(score) for name, score in label_scores(confusion).items()} == expected
    labels = tuple("abcd"[:n_labels])
    assert score_predictions(as_frame(true, predicted, groups, labels), labels) == expected


@given(with_gaps())
def test_an_unanswered_example_is_in_the_support_of_its_label_and_in_no_labels_predictions(case: Any) -> None:
    n_labels, true, predicted, _ = case
    answered = np.where(predicted == UNANSWERED, n_labels, predicted)
    confusion = confusion_matrix(true, predicted, n_labels)
    assert np.array_equal(confusion, reference.confusion_matrix(true, answered, labels=range(n_labels + 1))[:n_labels])
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        true, answered, labels=range(n_labels), zero_division=0
    )
    found = per_class(confusion)
    for name, expected in {"precision": precision, "recall": recall, "f1": f1, "support": support}.items():
        assert found[name] == pytest.approx(expected, abs=1e-12)


@given(with_gaps())
def test_without_gaps_confusion_matrices_are_square_as_ever(case: Any) -> None:
    n_labels, true, predicted, groups = case
    answered = np.abs(predicted)
    assert confusion_matrix(true, answered, n_labels).shape == (n_labels, n_labels)
    assert confusion_by_group(true, answered, groups, n_labels).shape[1:] == (n_labels, n_labels)


@settings(max_examples=10)
@given(with_gaps(), st.integers(0, 2**31))
def test_every_bootstrap_draw_of_groups_is_scored_as_scikit_learn_scores_the_drawn_examples(
    case: Any, seed: int
) -> None:
    n_labels, true, predicted, groups = case
    codes = np.unique(groups, return_inverse=True)[1]
    bootstrap = GroupBootstrap(codes.max() + 1, seed, draws=3)
    confusions = confusion_by_group(true, predicted, groups, n_labels)
    found = {metric: drawn_label_scores(confusions, metric, bootstrap) for metric in LABEL_METRICS}
    expected = pytest.approx(scikit_learns(true, predicted, n_labels), abs=1e-12)
    assert {metric: observed for metric, (observed, _) in found.items()} == expected
    for draw, weights in enumerate(np.concatenate(list(bootstrap.weights())).astype(int)):
        rows = np.repeat(np.arange(len(true)), weights[codes])
        expected = pytest.approx(scikit_learns(true[rows], predicted[rows], n_labels), abs=1e-12)
        assert {metric: float(drawn[draw]) for metric, (_, drawn) in found.items()} == expected


@settings(max_examples=25)
@given(with_gaps())
def test_intervals_are_those_of_a_model_that_answers_as_wrongly(case: Any) -> None:
    n_labels, true, predicted, groups = case
    # Accuracy knows only right and wrong, so any wrong answer in a gap's place is as good.
    wrong = np.where(predicted == UNANSWERED, (true + 1) % n_labels, predicted)
    gaps, full = (label_intervals(confusion_by_group(true, of, groups, n_labels)).given for of in (predicted, wrong))
    assert ("accuracy" in gaps) == ("accuracy" in full)
    if "accuracy" in gaps:
        assert (gaps["accuracy"].low, gaps["accuracy"].high) == pytest.approx(
            (full["accuracy"].low, full["accuracy"].high), abs=1e-12
        )
    if "macro_f1" in gaps:
        score = scikit_learns(true, predicted, n_labels)["macro_f1"]
        assert gaps["macro_f1"].low - 1e-9 <= score <= gaps["macro_f1"].high + 1e-9


@settings(max_examples=10)
@given(with_gaps())
def test_what_is_stored_is_read_back_with_its_gaps(tmp_path_factory: pytest.TempPathFactory, case: Any) -> None:
    n_labels, true, predicted, groups = case
    labels = tuple("abcd"[:n_labels])
    frame = as_frame(true, predicted, groups, labels)
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    cell = CellResult(0, predictions=frame, scores=score_predictions(frame, labels))
    folder.write_cell(cell)
    read = folder.read_predictions(0)
    assert read["predicted"].tolist() == frame["predicted"].tolist()
    assert summarise([cell], labels, MACRO_F1) == summarise([folder.read_cell(0)], labels, MACRO_F1)


def test_only_an_estimator_that_says_so_may_leave_examples_unanswered() -> None:
    frame = text_task().frame
    assert UNANSWERED in predict_codes(Hesitant(), frame, LABELS)
    with pytest.raises(InvalidPredictionError, match="'None', which is not one of the labels"):
        predict_codes(Rash(), frame, LABELS)


def test_a_label_named_none_is_not_taken_for_a_missing_answer() -> None:
    class Sure(Hesitant):
        def predict(self, X: pd.DataFrame) -> Any:
            return np.array(["None", None], dtype=object)

    assert predict_codes(Sure(), text_task().frame.iloc[:2], ("None", "some")).tolist() == [0, UNANSWERED]


def hesitant_fold() -> tuple[Any, CellResult]:
    task = text_task(n_groups=6)
    splits = split_by_group(task.codes, task.groups, 3, seed=0)
    model = Model("hesitant", f"{__name__}.Hesitant")
    evaluation = Evaluation(task, model, splits, Search("none", 1, None), 2, 0)
    return task, evaluate(evaluation, 0, FeatureCache(task.frame))


def test_a_fold_says_how_many_were_left_unanswered_and_the_first_reason() -> None:
    task, result = hesitant_fold()
    assert result.status == "ok", result.error
    predictions = present(result.predictions)
    missing = int((predictions["predicted"] == "").sum())
    assert 0 < missing < len(predictions)
    assert result.notes == [
        f"{missing} of {len(predictions)} examples were left unanswered: they count as wrong; the first: "
        "the text is too odd",
        "asked nobody",
    ]
    right = (predictions["predicted"] == predictions["label"]).mean()
    assert result.scores["accuracy"] == pytest.approx(right)
    summary = summarise([result], task.labels, MACRO_F1)
    assert summary.notes[0].startswith(f"{missing} of {len(predictions)} predictions are missing")
    assert np.array(summary.confusion).shape == (3, 4)
    assert np.array(summary.confusion)[:, -1].sum() == missing
    points = {point.name: point.value for point in fold_points(result, task.labels, "macro_f1")}
    assert points["test/accuracy"] == pytest.approx(right)


def test_a_model_with_probabilities_may_abstain_too_and_what_it_leaves_is_not_explained() -> None:
    task = text_task(n_groups=6, noise=0.4)
    splits = split_by_group(task.codes, task.groups, 3, seed=0)
    model = Model("cautious", f"{__name__}.Cautious", features="tfidf")
    result = evaluate(Evaluation(task, model, splits, Search("none", 1, None), 2, 0), 0, FeatureCache(task.frame))
    assert result.status == "ok", result.error
    frame = present(result.predictions)
    missing = frame["predicted"] == ""
    wrong = frame.loc[~missing & (frame["predicted"] != frame["label"]), "id"].tolist()
    assert missing.any()
    assert wrong
    assert [each.id for each in result.explanations] == wrong
    assert len(result.notes) == 1
    assert frame[[f"p_{label}" for label in LABELS]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert {"accuracy", "log_loss"} <= result.scores.keys()


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Any, Path]:
    """Runs of four models, of which one leaves every fourth example unanswered."""
    task = text_task(n_groups=8, per_group=12)
    folders = write_task_runs(tmp_path, task, {"gappy": 0.9, "fair": 0.8, "poor": 0.6, "majority": 0.3}, contested=8)
    folder = folders["gappy"]
    cells = [folder.read_cell(fold) for fold in folder.folds()]
    for cell in cells:
        gaps = [int(name[1:]) % 4 == 0 for name in present(cell.predictions)["id"]]
        cell.predictions.loc[gaps, "predicted"] = ""
        cell.scores = score_predictions(present(cell.predictions), task.labels)
        folder.write_cell(cell)
    folder.write_summary(summarise(cells, task.labels, MACRO_F1))
    return task, tmp_path


def test_comparisons_count_missing_answers_as_wrong_and_say_so(stored: tuple[Any, Path]) -> None:
    task, results = stored
    runs = read_side_by_side(select_runs(results, task.name, Filter()))
    gappy = next(run for run in runs.runs if run.name == "gappy")
    n_missing = int((gappy.predicted == UNANSWERED).sum())
    assert n_missing == len(task) // 4
    assert runs.drawn_scores(gappy)[0] == pytest.approx(scikit_learns(runs.true, gappy.predicted, 3)["macro_f1"])
    found = compare(runs, rope=0.01)
    assert f"gappy left {n_missing} of {len(task)} predictions unanswered; they count as wrong" in found.warnings
    fair = next(run for run in runs.runs if run.name == "fair")
    pair = next(pair for pair in found.pairs if {pair.first, pair.second} == {"gappy", "fair"})
    score = {run.name: scikit_learns(runs.true, run.predicted, 3)["macro_f1"] for run in (gappy, fair)}
    assert pair.groups.difference == pytest.approx(score[pair.first] - score[pair.second])
    right = {run.name: run.predicted == runs.true for run in (gappy, fair)}
    alone = int((right[pair.first] & ~right[pair.second]).sum())
    assert pair.errors.first_only == alone


def test_a_missing_answer_contradicts_no_label(stored: tuple[Any, Path]) -> None:
    task, results = stored
    runs = read_side_by_side(select_runs(results, task.name, Filter()))
    found = suspects(runs)
    assert found
    assert not {each.id for each in found} & {f"e{number}" for number in range(0, len(task), 4)}


@pytest.mark.slow
def test_the_report_shows_missing_answers_in_the_confusion_matrix_and_among_the_errors(
    stored: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    task, results = stored
    monkeypatch.setattr(page_module, "load_task", lambda name: task)
    runs = read_side_by_side(select_runs(results, task.name, Filter()))
    page = render_report(runs, compare(runs, rope=0.01))
    tables = re.findall(r'<table class="confusion">.*?</table>', page, re.DOTALL)
    with_column = [table for table in tables if f"<bdi>{NO_ANSWER}</bdi>" in table]
    assert len(with_column) == 1
    assert "gappy" in with_column[0]
    data = json.loads(present(re.search(r'id="errors-data"[^>]*>(.*?)</script>', page, re.DOTALL))[1])
    gappy = next(run for run in data["runs"] if run["name"] == "gappy")
    missing = [place for place, code in enumerate(gappy["predicted"]) if code == UNANSWERED]
    assert len(missing) == len(task) // 4
    # Nothing was sure there, so they come last.
    assert missing == list(range(len(gappy["predicted"]) - len(missing), len(gappy["predicted"])))
    assert "gappy left" in page


def test_mlflows_files_have_a_column_for_missing_answers(stored: tuple[Any, Path], tmp_path: Path) -> None:
    task, results = stored
    folder = next(run.folder for run in read_side_by_side(select_runs(results, task.name, Filter())).runs)
    for model, columns in (("gappy", [*task.labels, NO_ANSWER]), ("fair", [*task.labels])):
        folder = RunFolder(next((results / task.name / model).iterdir()))
        target = tmp_path / f"artifacts-{model}"
        target.mkdir()
        cells = [folder.read_cell(fold) for fold in folder.folds()]
        write_artifacts(target, folder, folder.read_summary(), cells, "title")
        header, *rows = csv.reader(io.StringIO((target / "confusion.csv").read_text(encoding="utf-8")))
        assert header == ["true", *columns]
        assert all(len(row) == len(header) for row in rows)
        picture = (target / "confusion.svg").read_text(encoding="utf-8")
        assert (NO_ANSWER in picture) is (model == "gappy")
        assert picture.count("<rect") == 1 + len(task.labels) * len(columns)
