"""What a stress test says of models whose weakness is known."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from figures import figures_of, numbers_within
from quiet import Quiet

import bench
from bench.archive.listing import list_runs
from bench.archive.packing import pack_runs
from bench.archive.unpacking import import_runs
from bench.cli import main
from bench.config import compose
from bench.errors import UserError
from bench.results.store import RunFolder, stored_runs
from bench.results.stress import StressRow, StressSummary, read_stress_summary
from bench.running.runner import run
from bench.tracking.metrics import stress_points

MODELS = {
    "bare-cue": {"cue": "نفى", "ignores_marks": True},
    "marked-cue": {"cue": "نفى", "ignores_marks": False},
    "letter": {"cue": "أ", "ignores_marks": False},
}

CODE = """
import re
from pathlib import Path
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

class Cue(ClassifierMixin, BaseEstimator):
    def __init__(self, cue="x", ignores_marks=False):
        self.cue, self.ignores_marks = cue, ignores_marks

    def fit(self, X, y):
        self.classes_ = np.array(["denial", "other"])
        with open("fits.log", "a") as log:
            log.write("fit\\n")
        return self

    def predict_proba(self, X):
        texts = [re.sub("[\\u064b-\\u0652]", "", text) if self.ignores_marks else text for text in X["text"]]
        found = np.array([self.cue in text for text in texts]) != Path("moody").exists()
        return np.column_stack([np.where(found, 0.9, 0.2), np.where(found, 0.1, 0.8)])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
"""


def _rows() -> pd.DataFrame:
    rows = []
    for number in range(96):
        # Groups differ: without variation between them there is no verdict.
        denies = number % 2 == 0 or number % 12 == 1
        # Every 24th label is wrong, so that no score is perfect.
        label = "denial" if denies != (number % 24 == 7) else "other"
        text = f"نفى أحمد الخبر رقم {number}، اليوم" if denies else f"قال محمد الخبر رقم {number}، اليوم"
        rows.append({"id": f"e{number}", "text": text, "label": label, "document": f"d{number // 4}"})
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of models that look at one thing."""
    where = tmp_path_factory.mktemp("stress")
    definition = {
        "name": "known",
        "version": 1,
        "description": "Texts with a cue.",
        "source": {
            "kind": "table",
            "path": "labels.csv",
            "columns": {"id": "id", "text": "text", "label": "label", "group": "document"},
        },
        "inputs": ["text"],
        "labels": ["denial", "other"],
        "metric": "macro_f1",
        "group": "group",
    }
    written = {"tasks/known/task.yaml": yaml.safe_dump(definition), "plugins/cue.py": CODE}
    for name, params in MODELS.items():
        model = {"name": name, "estimator": "plugins.cue.Cue", "params": params}
        written[f"configs/model/{name}.yaml"] = yaml.safe_dump(model, allow_unicode=True)
    for path, content in written.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(content, encoding="utf-8")
    _rows().to_csv(where / "tasks/known/labels.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        done = run(compose(["task=known", f"model={','.join(MODELS)}", "tracking=false"]), Quiet())
    assert not done.failures
    return where


@pytest.fixture
def stress(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run the command in the project: its exit status, what it printed, and what it said on standard error."""
    monkeypatch.chdir(project)

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["bench", "stress", "task=known", "tracking=false", *words])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return command


def _folder(project: Path, model: str) -> RunFolder:
    (folder,) = [each for each in stored_runs(project / "results", "known") if each.model == model]
    return folder


def _summary(project: Path, model: str) -> StressSummary:
    summary = read_stress_summary(_folder(project, model))
    assert summary is not None
    return summary


def _row(project: Path, model: str, name: str) -> StressRow:
    (row,) = [each for each in _summary(project, model).rows if each.name == name]
    return row


@pytest.mark.slow
def test_a_model_that_ignores_diacritics_loses_exactly_nothing(stress: Callable[..., Any], project: Path) -> None:
    status, out, _ = stress("model=bare-cue", "--only", "diacritics-added,keyboard")
    assert status == 0
    row = _row(project, "bare-cue", "diacritics-added")
    assert (row.changed, row.flipped, row.drop) == (96, 0, 0.0)
    assert row.score == _summary(project, "bare-cue").score
    assert row.standing == "no label flipped"
    assert "no label flipped" in out


def test_every_output_says_that_no_label_flipped_and_gives_no_interval(
    stress: Callable[..., Any], project: Path
) -> None:
    words = ("model=bare-cue", "--only", "diacritics-added", "--format")
    (row,) = csv.DictReader(io.StringIO(stress(*words, "csv")[1]))
    assert (row["verdict"], row["low"], row["high"], row["p_value"]) == ("no label flipped", "", "", "")
    (row,) = json.loads(stress(*words, "json")[1])[0]["rows"]
    assert (row["standing"], row["interval"], row["p_value"]) == ("no label flipped", None, None)
    logged = {point.name.rpartition("/")[2] for point in stress_points(_summary(project, "bare-cue"))}
    assert not logged & {"drop_low", "drop_high"}


@pytest.mark.slow
def test_a_baseline_that_draws_labels_at_random_draws_the_same_ones(stress: Callable[..., Any], project: Path) -> None:
    words = ["task=known", "model=stratified", "tracking=false"]
    assert not run(compose(words), Quiet()).failures
    assert stress("model=stratified", "--only", "hamza-dropped,names-swapped,keyboard")[0] == 0
    assert {row.flipped for row in _summary(project, "stratified").rows} == {0}


@pytest.mark.slow
def test_a_model_that_reads_the_bare_word_is_broken_by_diacritics(stress: Callable[..., Any], project: Path) -> None:
    assert stress("model=marked-cue", "--only=diacritics-added,quotes")[0] == 0
    summary, row = _summary(project, "marked-cue"), _row(project, "marked-cue", "diacritics-added")
    # All are called other.
    assert (row.standing, row.flipped) == ("worse", 56)
    assert row.drop == summary.score - row.score > 0.5
    assert row.interval is not None
    assert 0 <= row.interval.low < row.drop < row.interval.high
    assert _row(project, "marked-cue", "quotes").standing == "unchanged"


@pytest.mark.slow
def test_a_model_keyed_on_one_letter_is_broken_by_its_spelling(stress: Callable[..., Any], project: Path) -> None:
    assert stress("model=letter")[0] == 0
    summary = _summary(project, "letter")
    assert [row.name for row in summary.rows if row.standing == "worse"] == [
        *("hamza-dropped", "presentation-forms", "names-swapped"),
    ]
    assert _row(project, "letter", "hamza-dropped").flipped == 56
    # The letter stays where only marks are added to it.
    assert _row(project, "letter", "diacritics-added").flipped == 0
    assert _row(project, "letter", "digits-latin").standing == "unchanged"
    assert _row(project, "letter", "digits-latin").changed == 0


def test_labels_ids_and_stored_predictions_are_never_changed(stress: Callable[..., Any], project: Path) -> None:
    folder = _folder(project, "letter").path
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and "stress" not in path.parts}
    assert stress("model=letter", "--only", "tatweel,truncated")[0] == 0
    assert {path: path.read_bytes() for path in before} == before
    assert before[folder / "fold-00" / "predictions.csv"]


def test_the_cost_is_told_before_anything_is_fitted(stress: Callable[..., Any], project: Path) -> None:
    fits = (project / "fits.log").read_text()
    status, out, said = stress("model=bare-cue", "--only", "zero-width", "--dry-run")
    assert (status, out) == (0, "")
    assert "5 folds are fitted again without search, and 96 changed texts are predicted: about" in " ".join(
        said.split()
    )
    assert (project / "fits.log").read_text() == fits


def test_the_same_command_fits_nothing_again_and_says_the_same(stress: Callable[..., Any], project: Path) -> None:
    first = stress("model=bare-cue", "--only", "tatweel", "--format", "json")
    fits = (project / "fits.log").read_text()
    again = stress("model=bare-cue", "--only", "tatweel", "--format", "json")
    assert again[:2] == first[:2]
    assert "all predictions are stored, so nothing is fitted" in " ".join(again[2].split())
    assert (project / "fits.log").read_text() == fits
    (told,) = json.loads(first[1])
    assert told["model"] == "bare-cue"
    assert told["rows"][0]["name"] == "tatweel"


@pytest.mark.slow
def test_a_damaged_answer_is_asked_for_again(stress: Callable[..., Any], project: Path) -> None:
    assert stress("model=bare-cue", "--only", "keyboard")[0] == 0
    path = _folder(project, "bare-cue").path / "stress" / "fold-02" / "keyboard.json"
    content = path.read_text()
    path.write_text(content[: len(content) // 2])
    assert stress("model=bare-cue", "--only", "keyboard")[0] == 0
    assert path.read_text() == content


def test_a_model_that_fits_otherwise_each_time_is_refused(stress: Callable[..., Any], project: Path) -> None:
    (project / "moody").touch()
    try:
        status, _, said = stress("model=marked-cue", "--only", "ya-as-maqsura,digits-arabic-indic")
    finally:
        (project / "moody").unlink()
    told = " ".join(said.split())
    assert status == 1
    assert "the model gives other predictions for" in told
    assert "fold" in told
    assert not list(_folder(project, "marked-cue").path.glob("stress/fold-*/digits-arabic-indic.json"))


def test_a_loss_that_rises_is_a_drop(stress: Callable[..., Any], project: Path) -> None:
    status, _, _ = stress("model=marked-cue", "metric=log_loss", "--only", "diacritics-added")
    assert status == 0
    summary, row = _summary(project, "marked-cue"), _row(project, "marked-cue", "diacritics-added")
    assert summary.metric == "log_loss"
    assert row.score > summary.score
    assert row.drop == pytest.approx(row.score - summary.score)
    assert row.standing == "worse"


@pytest.mark.slow
def test_tables_fit_into_80_columns_and_csv_has_all_digits(stress: Callable[..., Any], project: Path) -> None:
    _, out, _ = stress("model=letter,bare-cue", "--only", "hamza-dropped,presentation-forms")
    assert max(map(len, out.splitlines())) <= 80
    _, table, _ = stress("model=letter,bare-cue", "--only", "hamza-dropped,presentation-forms", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["model"], row["perturbation"]) for row in rows] == [
        (model, name) for model in ("bare-cue", "letter") for name in ("hamza-dropped", "presentation-forms")
    ]
    worse = next(row for row in rows if (row["model"], row["perturbation"]) == ("letter", "hamza-dropped"))
    assert float(worse["as_written"]) - float(worse["score"]) == float(worse["drop"])
    assert worse["verdict"] == "worse"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "No model was named"),
        (("model=lettre",), "Did you mean 'letter'"),
        (("model=letter", "--only", "tatwil"), "Did you mean 'tatweel'"),
        (("model=letter", "--only", ","), "names no perturbation"),
        (("model=letter", "baseline=letter"), "baseline: unknown key"),
        (("model=letter", "letter"), "not of the form key=value"),
        (("model=letter", "model.params.ignores_marks=true"), "add what the run had: model.params.ignores_marks=false"),
    ],
)
def test_mistakes_are_named(stress: Callable[..., Any], words: tuple[str, ...], said: str) -> None:
    status, _, message = stress(*words)
    assert status == 2
    assert said.lower() in " ".join(message.split()).lower()


def test_other_data_than_the_runs_are_refused(stress: Callable[..., Any], project: Path) -> None:
    path = project / "tasks/known/labels.csv"
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("رقم 5،", "رقم 500،"), encoding="utf-8")
    try:
        status, _, said = stress("model=letter", "--only", "tatweel")
    finally:
        path.write_text(content, encoding="utf-8")
    assert status == 2
    assert "the data of task 'known' have changed since the run" in " ".join(said.split())


@pytest.mark.slow
def test_of_several_runs_of_a_model_the_one_with_the_named_parameters_is_tested(
    stress: Callable[..., Any], project: Path
) -> None:
    word = "model.params.cue=الخبر"
    done = run(compose(["task=known", "model=letter", word, "tracking=false", "results=two"]), Quiet())
    done.failures += run(compose(["task=known", "model=letter", "tracking=false", "results=two"]), Quiet()).failures
    assert not done.failures
    tested = ("model=letter", "--only", "hamza-dropped", "results=two")
    flipped = {}
    for words in ((), (word,)):
        status, out, said = stress(*tested, *words, "--format", "json")
        assert status == 0
        assert "is left out: model=letter: its parameters here are not those of the run: cue" in " ".join(said.split())
        (told,) = json.loads(out)
        flipped[words] = told["rows"][0]["flipped"]
    assert flipped == {(): 56, (word,): 0}


@pytest.mark.slow
def test_the_report_shows_drops_and_how_to_get_them(
    stress: Callable[..., Any], project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stress("model=letter", "--only", "hamza-dropped,tatweel,digits-latin")
    for model in ("majority", "bare-cue"):
        of_model = _folder(project, model).path.relative_to(project / "results")
        shutil.copytree(project / "results" / of_model, project / "none" / of_model, ignore=lambda *_: ["stress"])

    def page(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["bench", "report", "task=known", "--output", "page.html", "--force", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code, capsys.readouterr().err
        return (project / "page.html").read_text(encoding="utf-8")

    shown = page("model=letter,bare-cue")
    assert "Worse under 1 of 2 perturbations: hamza-dropped. 1 of 2 flipped no label." in shown
    assert "No text was changed by digits-latin." in shown
    (figure,) = [each for each in figures_of(shown) if "What perturbed texts cost letter" in each]
    assert numbers_within(figure)
    # What flipped no label is in the table alone.
    drawn, _, table = figure.partition("</svg>")
    assert ("hamza-dropped" in drawn, "tatweel" in drawn, "tatweel" in table) == (True, False, True)
    without = page("model=majority,bare-cue", "results=none")
    assert "No stress test of these models is stored. To make one: <code>bench stress task=known model=" in without


def test_mlflow_gets_each_drop_under_its_own_name(stress: Callable[..., Any], project: Path) -> None:
    stress("model=letter", "--only", "hamza-dropped,digits-latin")
    row = _row(project, "letter", "hamza-dropped")
    points = {point.name: point.value for point in stress_points(_summary(project, "letter"))}
    assert points["stress/hamza-dropped/drop"] == row.drop
    assert points["stress/hamza-dropped/macro_f1"] == row.score
    assert points["stress/hamza-dropped/drop_low"] == row.interval.low
    assert not any("digits-latin" in name for name in points)
    assert stress_points(None) == []


@pytest.mark.slow
def test_the_stored_model_of_a_published_split_is_loaded(
    stress: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    definition = yaml.safe_load((project / "tasks/known/task.yaml").read_text(encoding="utf-8"))
    definition["name"] = "published"
    definition["source"]["columns"]["split"] = "split"
    (project / "tasks/published").mkdir()
    (project / "tasks/published/task.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    parts = ["train" if number < 48 else "test" for number in range(96)]
    _rows().assign(split=parts).to_csv(project / "tasks/published/labels.csv", index=False)
    assert not run(compose(["task=published", "model=letter", "tracking=false"]), Quiet()).failures
    fits = (project / "fits.log").read_text()
    words = ("stress", "task=published", "model=letter", "tracking=false", "--only=hamza-dropped", "--format=json")
    monkeypatch.setattr("sys.argv", ["bench", *words])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr()
    assert not end.value.code, printed.err
    (told,) = json.loads(printed.out)
    assert (told["models"], told["n_examples"], told["rows"][0]["flipped"]) == ("stored", 48, 28)
    assert "the stored model is loaded" in " ".join(printed.err.split())
    assert (project / "fits.log").read_text() == fits


@pytest.mark.slow
def test_a_run_in_mlflow_is_logged_again_with_its_drops(
    stress: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.tracking.store import open_store
    from bench.tracking.uri import sqlite_path, tracking_uri

    uri = tracking_uri(project / "results")
    store = sqlite_path(uri)
    assert store is not None

    def drop(*words: str) -> float | None:
        """What MLflow has after the command."""
        command = ["bench", "stress", "task=known", "model=letter", "--only=hamza-dropped", *words]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        if not store.exists():
            return None
        client = open_store(uri)
        experiment = client.get_experiment_by_name("known")
        key = _folder(project, "letter").key
        found = client.search_runs([experiment.experiment_id], f"tags.`bench.key` = '{key}'")
        (parent,) = [each for each in found if "mlflow.parentRunId" not in each.data.tags]
        return parent.data.metrics.get("stress/hamza-dropped/drop")

    # The runs were made without MLflow, and a test of one makes no store.
    assert drop() is None
    assert not store.exists()
    shutil.rmtree(_folder(project, "letter").path / "stress")
    assert not run(compose(["task=known", "model=letter"]), Quiet()).failures
    assert store.exists()
    assert drop("tracking=false") is None
    assert drop() == drop() == _row(project, "letter", "hamza-dropped").drop


@pytest.mark.slow
def test_python_gives_what_the_command_line_prints(stress: Callable[..., Any], project: Path) -> None:
    _, printed, _ = stress("model=letter,marked-cue", "--only=hamza-dropped,digits-latin", "--format=csv")
    tests = bench.stress("known", ["letter", "marked-cue"], only=["hamza-dropped", "digits-latin"], tracking=False)
    assert tests.to_frame().to_csv(index=False) == printed
    assert any("all predictions are stored, so nothing is fitted" in note for note in tests.notes)
    assert tests.answer[0] == "letter: Worse under 1 of 1 perturbation: hamza-dropped."
    assert repr(tests).startswith(tests.answer[0])
    assert tests.to_dict()["runs"][0]["rows"][0]["name"] == "hamza-dropped"
    # A panel for each run: one drop each, since no text has other digits.
    assert [[text.get_text() for text in ax.get_yticklabels()] for ax in tests.plot().axes] == [["hamza-dropped"]] * 2
    assert "data:image/svg+xml" in tests._repr_html_()
    unchanged = bench.stress("known", "letter", only="digits-latin", tracking=False)
    assert "data:image/svg+xml" not in unchanged._repr_html_()
    with pytest.raises(UserError, match="no drop to draw"):
        unchanged.plot()


def test_a_picture_of_the_drops_is_written(stress: Callable[..., Any], project: Path) -> None:
    words = ("model=letter", "--only=hamza-dropped", "--plot=drops.svg")
    status, _, said = stress(*words)
    assert status == 0
    assert "The picture is in drops.svg." in said
    assert (project / "drops.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert stress(*words)[0] == 2
    assert stress(*words, "--force")[0] == 0
    assert "the name must end in" in " ".join(stress("model=letter", "--plot=drops.gif")[2].split())


@pytest.mark.slow
def test_stress_tests_go_with_a_run_to_another_machine(stress: Callable[..., Any], project: Path) -> None:
    stress("model=marked-cue", "metric=log_loss", "--only=diacritics-added,quotes,keyboard")
    theirs = _folder(project, "marked-cue")
    assert (
        pack_runs([each for each in list_runs(theirs.results) if each.key == theirs.key], Path("m.zip")).left_out == []
    )
    (mine,) = import_runs(Path("m.zip"), project / "other").runs
    assert read_stress_summary(mine) == read_stress_summary(theirs)
    # Nothing is asked again there.
    status, out, said = stress("model=marked-cue", "--only=diacritics-added", "results=other", "--format=json")
    assert status == 0
    assert "all predictions are stored" in " ".join(said.split())
    assert json.loads(out)[0]["rows"][0]["flipped"] == 56


def test_answers_to_texts_that_are_not_changed_any_more_go(stress: Callable[..., Any], project: Path) -> None:
    stress("model=letter", "--only=digits-latin,hamza-dropped")
    folder = _folder(project, "letter")
    left = folder.path / "stress" / "fold-01" / "digits-latin.json"
    shutil.copyfile(left.with_name("hamza-dropped.json"), left)
    stress("model=letter", "--only=digits-latin,hamza-dropped")
    assert not left.exists()
