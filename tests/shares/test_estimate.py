"""`bench estimate`: how much of an archive has each label."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figures import figures_of, numbers_within

from bench.api.archives import estimate
from bench.catalogue import load_task
from bench.cli import main
from bench.prediction.choice import choose_run, parse_predict_request
from bench.prediction.fold_models import models_of
from bench.prediction.rebuilt import model_of_run, rebuilt
from bench.reporting.shares import interval_words
from bench.results.files import to_json
from bench.results.shares import read_shares
from bench.shares import totals
from bench.shares.totals import DEALT, FoldModel, read_archive
from bench.support.records import plain
from bench.tracking.metrics import share_points

SAID = {"denial": ["نفت", "كذبت", "أنكرت"], "none": ["أعلنت", "أكدت", "قالت"]}
WHO = ["الوزارة", "الحكومة", "الشركة", "البلدية", "الهيئة", "النقابة"]
WHAT = ["إغلاق المطار", "رفع الأسعار", "بيع المصنع", "تأجيل الامتحان", "فتح الحدود", "نقل المدرسة"]


def archive(n: int = 900) -> pd.DataFrame:
    """An archive in which a quarter of the reports denies something, in October a half."""
    draw = np.random.default_rng(0)
    rows = []
    for number in range(n):
        month = 9 + number % 2
        label = "denial" if draw.random() < (0.5 if month == 10 else 0.1) else "none"
        said = draw.choice(SAID[label if draw.random() < 0.9 else "none"])
        text = f"{said} {draw.choice(WHO)} أمس {draw.choice(WHAT)} رقم {number}"
        rows.append((f"n{number}", text, label, f"2024-{month:02d}-{number % 27 + 1:02d}", f"g{number // 2}"))
    return pd.DataFrame(rows, columns=["id", "text", "label", "published", "document"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive, a task made of a random sample of it, and a run of a model."""
    where = tmp_path_factory.mktemp("estimate")
    texts = archive()
    sample = texts.sample(150, random_state=1)
    sample[["id", "text", "label"]].to_csv(where / "labels.csv", index=False)
    texts.drop(columns="label").to_csv(where / "archive.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(where)
        for words in (
            ["new", "task", "mine", "--data", "labels.csv"],
            ["run", "task=mine", "model=logreg", "search=none", "tracking=false"],
        ):
            patch.setattr(sys, "argv", ["bench", *words])
            with pytest.raises(SystemExit) as end:
                main()
            assert not end.value.code
    return where


@pytest.fixture(autouse=True)
def _there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def estimated(bench, *words: str) -> dict:
    status, printed, said = bench("estimate", "task=mine", "model=logreg", *words, "--format", "json")
    assert status == 0, said
    return json.loads(printed)


@pytest.mark.slow
def test_the_interval_holds_the_share_that_is_known(bench) -> None:
    found = estimated(bench, "--input", "archive.csv")
    true = (archive()["label"] == "denial").mean()
    denial = found["whole"]["shares"][found["labels"].index("denial")]
    interval = denial["powered"]["interval"]
    assert interval["low"] <= true <= interval["high"]
    assert found["whole"]["n_texts"] == 900
    assert found["whole"]["n_labelled"] == found["n_found"] == 150
    assert found["warnings"] == []
    assert sum(each["powered"]["value"] for each in found["whole"]["shares"]) == pytest.approx(1)


@pytest.mark.parametrize(("n_labelled", "copies"), [(20, 1), (150, 1), (150, 3)])
def test_no_more_labels_are_asked_for_than_there_are_other_texts(bench, n_labelled: int, copies: int) -> None:
    """Most of the labelled texts may not be in the archive, and each text may stand there several times."""
    texts = archive().drop(columns="label")
    here = texts["text"].isin(pd.read_csv("labels.csv")["text"])
    pd.concat([texts[~here].head(40), texts[here].head(n_labelled)] * copies).to_csv("small.csv", index=False)
    further = estimated(bench, "--input", "small.csv", "--within", "0.01")["further"]
    assert set(further.values()) <= {39, 40}


@pytest.mark.slow
def test_rows_without_a_text_are_left_out_of_the_shares_and_counted(bench) -> None:
    texts = archive().drop(columns="label")
    blank = texts.iloc[[2, 700]].assign(text=["", "\u200f "])
    pd.concat([texts[:2], blank[:1], texts[2:], blank[1:]]).to_csv("blank.csv", index=False)
    status, printed, said = bench("estimate", "task=mine", "model=logreg", "--input", "blank.csv", "--format", "json")
    assert status == 0, said
    assert "2 of 902 rows have an empty text and are left out: line 4, line 903." in " ".join(said.split())
    assert json.loads(printed)["whole"] == estimated(bench, "--input", "archive.csv")["whole"]


def test_an_archive_without_any_text_is_refused(bench) -> None:
    archive(9).assign(text="").to_csv("blank.csv", index=False)
    status, _, said = bench("estimate", "task=mine", "model=logreg", "--input", "blank.csv")
    assert (status, "blank.csv: 'text' is empty in all 9 rows, so there is no text." in said) == (2, True)


@pytest.mark.slow
def test_months_of_dates_with_the_day_first_are_those_of_the_iso_dates(bench) -> None:
    texts = archive().drop(columns="label")
    months = sorted(texts["published"].str[:7].unique())
    for form in ("%d/%m/%Y", "%m-%d-%Y"):
        texts.assign(published=pd.to_datetime(texts["published"]).dt.strftime(form)).to_csv("turned.csv", index=False)
        found = estimated(bench, "--input", "turned.csv", "--by", "published:month")
        assert [part["part"] for part in found["parts"]] == months
        assert [part["n_texts"] for part in found["parts"]] == [(texts["published"].str[:7] == m).sum() for m in months]
    first = texts[texts["published"].str[8:] <= "12"]
    first.assign(published=pd.to_datetime(first["published"]).dt.strftime("%d/%m/%Y")).to_csv("turned.csv", index=False)
    words = ("estimate", "task=mine", "model=logreg", "--input", "turned.csv", "--by", "published:month")
    status, _, said = bench(*words)
    told = " ".join(said.split())
    assert status == 2
    assert "turned.csv, line 2, column 'published': the date '01/09/2024' is ambiguous" in told
    assert "No date of the column shows which. Write dates as year-month-day" in told


@pytest.mark.slow
def test_parts_are_those_of_the_rows_in_which_labelled_texts_are(bench) -> None:
    found = estimated(bench, "--input", "archive.csv", "--by", "published:month", "--difference", "2024-10", "2024-09")
    parts = {part["part"]: part for part in found["parts"]}
    texts = archive()
    sample = texts.sample(150, random_state=1)
    for name, part in parts.items():
        here = texts["published"].str.startswith(name)
        assert part["n_texts"] == here.sum()
        assert part["n_labelled"] == sample["published"].str.startswith(name).sum()
    assert sum(part["n_labelled"] for part in parts.values()) == 150
    difference = next(each for each in found["differences"] if each["label"] == "denial")["difference"]
    shares = [
        texts[texts["published"].str.startswith(f"2024-{month}")]["label"].eq("denial").mean() for month in (10, "09")
    ]
    assert difference["interval"]["low"] <= shares[0] - shares[1] <= difference["interval"]["high"]
    assert difference["interval"]["low"] > 0


@pytest.mark.slow
def test_parts_can_be_numbers_of_a_json_file(bench) -> None:
    texts = archive()
    texts["october"] = texts["published"].str.startswith("2024-10").astype(int)
    texts.drop(columns="label").to_json("numbered.jsonl", orient="records", lines=True, force_ascii=False)
    found = estimated(bench, "--input", "numbered.jsonl", "--by", "october", "--difference", "1", "0")
    sizes = {part["part"]: part["n_texts"] for part in found["parts"]}
    assert sizes == {"0": (texts["october"] == 0).sum(), "1": (texts["october"] == 1).sum()}


def test_a_folds_model_fitted_again_gives_the_stored_predictions() -> None:
    chosen = choose_run(parse_predict_request(["task=mine", "model=logreg"]))
    evaluation = rebuilt(chosen.record, model_of_run(chosen.record, {}))
    task, models = evaluation.task, models_of(chosen.folder, evaluation, {})
    for fold, split in enumerate(evaluation.splits):
        stored = chosen.folder.read_predictions(fold)
        answers = models.model(fold).label(task.frame.iloc[split.test])
        assert answers["label"].tolist() == stored["predicted"].tolist()
        for label in task.labels:
            assert answers[f"p_{label}"].tolist() == pytest.approx(stored[f"p_{label}"].tolist())


def test_a_text_that_is_labelled_counts_as_its_label_however_often_it_stands_there(bench, folder: Path) -> None:
    labels = pd.read_csv("labels.csv")
    pd.concat([labels, labels])[["text"]].to_csv("twice.csv", index=False)
    found = estimated(bench, "--input", "twice.csv")
    for label, each in zip(found["labels"], found["whole"]["shares"], strict=True):
        true = (labels["label"] == label).mean()
        assert each["powered"] == {"value": pytest.approx(true), "interval": each["powered"]["interval"]}
        assert each["powered"]["interval"]["low"] == pytest.approx(each["powered"]["interval"]["high"])


@pytest.mark.slow
def test_where_nothing_can_be_stored_the_shares_are_printed_all_the_same(bench, folder: Path, monkeypatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("bench.shares.request.write_shares", refused)
    status, printed, said = bench("estimate", "task=mine", "model=logreg", "--input", "archive.csv")
    assert status == 0, said
    assert "Of the archive, " in printed
    assert "The estimates could not be stored in results/" in " ".join((printed + said).split())
    assert "Read-only file system" in " ".join((printed + said).split())


def test_a_run_that_tests_only_later_examples_estimates_nothing(bench, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    texts = archive(200)
    texts.to_csv("labels.csv", index=False)
    assert bench("new", "task", "dated", "--data", "labels.csv", "--group", "document")[0] == 0
    words = ("model=majority", "search=none", "tracking=false", "validation=forward", "validation.group=id")
    status, _, said = bench("run", "task=dated", *words)
    assert status == 0, said
    status, _, said = bench("estimate", "task=dated", "model=majority", "--input", "labels.csv")
    assert status == 2
    assert "tests only examples that are later than others" in " ".join(said.split())
    assert "bench run task=dated validation=grouped" in said


def test_an_archive_from_elsewhere_is_warned_of(bench, folder: Path) -> None:
    others = [f"سجل اللاعب هدفا رائعا في المباراة رقم {number} من البطولة" for number in range(200)]
    pd.DataFrame({"text": others}).to_csv("sport.csv", index=False)
    warnings = " ".join(estimated(bench, "--input", "sport.csv")["warnings"])
    assert "None of the 150 labelled texts is in this archive" in warnings
    assert "A classifier distinguishes labelled texts from the archive's (AUROC 1.00" in warnings


@pytest.mark.slow
def test_a_large_archive_gives_nearly_the_same_shares_as_when_all_models_predict_each_text(bench, monkeypatch) -> None:
    one = estimated(bench, "--input", "archive.csv")
    monkeypatch.setattr("bench.shares.totals.DEALT", 100)
    assert DEALT > 900
    other = estimated(bench, "--input", "archive.csv")
    for first, second in zip(one["whole"]["shares"], other["whole"]["shares"], strict=True):
        assert second["powered"]["value"] == pytest.approx(first["powered"]["value"], abs=0.02)
        widths = [each["powered"]["interval"]["high"] - each["powered"]["interval"]["low"] for each in (first, second)]
        assert (
            widths[0] <= widths[1] < 1.3 * widths[0]
        )  # the archive is small, so it is uncertain which model got which text


@pytest.mark.slow
def test_as_text_it_names_the_assumption_and_the_bias(bench) -> None:
    status, printed, _ = bench(
        "estimate", "task=mine", "model=logreg", "--input", "archive.csv", "--by", "published:month"
    )
    assert status == 0
    assert max(map(len, printed.splitlines())) <= 80
    for words in ("Of the archive, ", "counted\n", "(biased)", "assumption: ", "2024-09", "2024-10", "For ± 2 points"):
        assert words in printed or words.strip() in printed


@pytest.mark.slow
def test_as_csv_it_has_a_line_for_each_label_and_part(bench) -> None:
    status, printed, _ = bench(
        "estimate", "task=mine", "model=logreg", "--input", "archive.csv", "--by", "published:month", "--format", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert status == 0
    assert [(row["part"], row["label"]) for row in rows] == [
        (part, label) for part in ("", "2024-09", "2024-10") for label in ("none", "denial")
    ]
    assert all(float(row["share_low"]) <= float(row["share"]) <= float(row["share_high"]) for row in rows)


@pytest.mark.slow
def test_it_is_drawn(bench, tmp_path: Path) -> None:
    path = tmp_path / "shares.svg"
    status, _, said = bench("estimate", "task=mine", "model=logreg", "--input", "archive.csv", "--plot", str(path))
    assert status == 0
    assert f"The picture is in {path}" in said
    assert path.read_text().startswith("<?xml")
    again, _, said = bench("estimate", "task=mine", "model=logreg", "--input", "archive.csv", "--plot", str(path))
    assert again == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--by", "publishd"], ["there is no column 'publishd'", "published"]),
        (["--by", "published:monht"], ["'monht' is not a period", "month"]),
        (["--by", "document:month"], ["line 2, column 'document': 'g0' is not a date", "--by document"]),
        (["--by", "document"], ["more than 400 values"]),
        (
            ["--by", "published:month", "--difference", "2024-10", "2024-08"],
            ["--difference 2024-08", "no such part", "2024-10"],
        ),
        (["--difference", "a", "b"], ["--by COLUMN"]),
        (["--within", "0"], ["--within 0"]),
    ],
)
def test_mistakes_are_named_with_what_to_do(bench, words: list[str], told: list[str]) -> None:
    status, printed, said = bench("estimate", "task=mine", "model=logreg", "--input", "archive.csv", *words)
    assert status == 2
    assert printed == ""
    for part in told:
        assert part in said


def test_a_task_whose_data_have_changed_is_refused(bench, folder: Path) -> None:
    content = (folder / "labels.csv").read_text()
    try:
        (folder / "labels.csv").write_text(content.rsplit("\n", 2)[0] + "\n")
        status, _, said = bench("estimate", "task=mine", "model=logreg", "--input", "archive.csv")
    finally:
        (folder / "labels.csv").write_text(content)
    assert status == 2
    assert "the data of task 'mine' have changed since the run" in said
    assert "bench run" in said


@pytest.mark.slow
def test_it_is_stored_beside_the_run_and_shown_in_the_report(bench, folder: Path) -> None:
    words = ("--by", "published:month", "--difference", "2024-10", "2024-09")
    found = estimated(bench, "--input", "archive.csv", *words)
    chosen = choose_run(parse_predict_request(["task=mine", "model=logreg"]))
    stored = next(each for each in read_shares(chosen.folder) if each.title == "archive.csv by published:month")
    assert json.loads(to_json(plain(stored))) == json.loads(to_json(found))
    status, _, _ = bench("report", "task=mine")
    page = (folder / "results" / "mine" / "report.html").read_text(encoding="utf-8")
    assert status == 0
    assert "What archives hold" in page
    assert "archive.csv by published:month" in page
    for part in (stored.whole, *stored.parts):
        assert f">{100 * part.shares[0].powered.value:.1f}<" in page
    figures = [figure for figure in figures_of(page) if "share in %" in figure]
    assert len(figures) >= len(stored.labels)
    assert all("counted in % (biased)" in figure and numbers_within(figure) for figure in figures)
    for each in stored.whole.shares:
        assert f">{interval_words(each.labels_alone)}<" in page
        assert f">{interval_words(each.adjusted)}<" in page
        assert f"{each.label} {stored.further[each.label]:,}" in page
    (differences,) = [figure for figure in figures_of(page) if "2024-10 - 2024-09" in figure]
    for change in stored.differences:
        assert f"2024-10 - 2024-09, {change.label}</bdi>" in differences
        assert f">{100 * change.difference.value:.1f}<" in differences


def test_archives_of_the_same_file_name_are_kept_shown_and_logged_side_by_side(bench, folder: Path) -> None:
    """One that is estimated again, by whatever path, replaces what was found in it before."""
    texts = archive().drop(columns="label")
    sizes = {"a/same.csv": 900, "b/same.csv": 500, "c/same.csv": 500}
    for name, size in sizes.items():
        Path(name).parent.mkdir(exist_ok=True)
        texts.tail(size).to_csv(name, index=False)
        found = [estimated(bench, "--input", path) for path in (name, f"{folder}/../{folder.name}/{name}")]
        assert found[0] == found[1]
    estimated(bench, "--input", "b/same.csv", "--by", "published:month")
    chosen = choose_run(parse_predict_request(["task=mine", "model=logreg"]))
    stored = [each for each in read_shares(chosen.folder) if each.archive == "same.csv"]
    assert sorted(each.whole.n_texts for each in stored) == [500, 500, 500, 900]
    assert not any(str(folder) in to_json(plain(each)) for each in stored)
    names = {point.name.split("/")[1] for point in share_points(stored)}
    assert len(names) == 3
    assert any("900-texts" in name for name in names)
    assert bench("report", "task=mine")[0] == 0
    page = (folder / "results" / "mine" / "report.html").read_text(encoding="utf-8")
    titles = re.findall(r"<h3><bdi>(same\.csv[^<]*)</bdi></h3>", page)
    assert len(set(titles)) == 4
    assert {"same.csv, 900 texts", "same.csv by published:month"} <= {*titles}
    assert sum("500 texts, " in title for title in titles) == 2


def test_columns_of_one_file_and_different_data_frames_are_estimated_apart(bench) -> None:
    texts = archive().drop(columns="label")
    texts.assign(headline=texts["text"].str[::-1]).to_csv("columns.csv", index=False)
    chosen = choose_run(parse_predict_request(["task=mine", "model=logreg"]))

    def n_stored(name: str) -> int:
        return sum(each.archive == name for each in read_shares(chosen.folder))

    for column in ("text", "headline", "headline"):
        estimated(bench, "--input", "columns.csv", "--text", column)
    assert n_stored("columns.csv") == 2
    for frame in (texts, texts, texts.head(700)):
        estimate("mine", frame, model="logreg")
    assert n_stored("data frame") == 2


@pytest.mark.slow
def test_its_shares_are_metrics_of_mlflow(bench) -> None:
    found = estimated(bench, "--input", "archive.csv")
    chosen = choose_run(parse_predict_request(["task=mine", "model=logreg"]))
    points = {point.name: point.value for point in share_points(read_shares(chosen.folder))}
    for each in found["whole"]["shares"]:
        assert points[f"shares/archive.csv/{each['label']}"] == pytest.approx(each["powered"]["value"])
        assert points[f"shares/archive.csv/{each['label']}/low"] == pytest.approx(each["powered"]["interval"]["low"])


@pytest.mark.parametrize("column", ["document", "group"])
def test_a_group_is_known_by_the_name_of_its_column_in_the_tasks_table(bench, tmp_path, monkeypatch, column) -> None:
    """However its name is written, its other texts are predicted by the model that has not seen the group."""
    monkeypatch.chdir(tmp_path)
    texts = archive()
    texts.groupby("document").head(1).head(120)[["text", "label", "document"]].to_csv("labels.csv", index=False)
    assert bench("new", "task", "mine", "--data", "labels.csv", "--group", "document")[0] == 0
    renamed = texts.rename(columns={"document": column}).assign(**{column: texts["document"].str.upper()})
    rows = [(f"line {number}", row) for number, row in enumerate(renamed.to_dict("records"))]
    asked: list[int] = []

    def predict(models, weights, frame, folds, *others):
        asked.extend(folds.tolist())
        return np.zeros((2, len(frame), 2))

    monkeypatch.setattr(totals, "_predict", predict)
    new: Any = SimpleNamespace(rows=iter(rows), columns={"text": "text"})
    model: Any = None
    models = [FoldModel(model, np.arange(0, 120, 2)), FoldModel(model, np.arange(1, 120, 2))]
    read_archive(new, load_task("mine"), models, None, len(rows), 0, lambda told: None)
    assert [asked.count(fold) for fold in (0, 1, -1)] == [60, 60, 660]


def test_each_folds_model_counts_in_the_archive_as_much_as_its_errors_do(bench, tmp_path, monkeypatch) -> None:
    """A model that says "denial" of everything tested a tenth of the examples, one that never says it the others."""
    monkeypatch.chdir(tmp_path)
    texts = archive()
    texts.head(100)[["text", "label"]].to_csv("labels.csv", index=False)
    assert bench("new", "task", "mine", "--data", "labels.csv")[0] == 0
    task = load_task("mine")

    def says(label: str) -> Any:
        return SimpleNamespace(label=lambda frame: pd.DataFrame({"label": [label] * len(frame)}))

    models = [FoldModel(says("denial"), np.arange(10)), FoldModel(says("none"), np.arange(10, 100))]
    rows = [(f"line {number}", row) for number, row in enumerate(texts.iloc[100:].to_dict("records"))]
    for dealt in (len(rows), DEALT):
        new: Any = SimpleNamespace(rows=iter(rows), columns={"text": "text"})
        read = read_archive(new, task, models, None, dealt, 0, lambda told: None)
        share = read.whole.archive.predicted[task.labels.index("denial")]
        assert share == pytest.approx(0.1, abs=1e-9 if dealt < DEALT else 0.04)
