"""A stored run's model labels new text: the right run, every row in order, the same labels wherever it is asked."""

from __future__ import annotations

import csv
import decimal
import io
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tasks import text_task
from stored import change_record, fitted, write_run

from bench.catalogue import load_model
from bench.data.dates import read_date
from bench.errors import DataError
from bench.models.persistence import dumps, loads
from bench.prediction import FittedModel, choose_run, load_fitted
from bench.prediction.blanks import Blanks
from bench.prediction.choice import parse_predict_request
from bench.prediction.labelling import CHUNK, label_rows
from bench.prediction.reading import WORDS, read_stream, read_texts, read_texts_file
from bench.prediction.writing import csv_lines, json_lines, write_answers
from bench.results.cell import FINAL, CellResult
from bench.results.store import RunFolder
from bench.scaffold import Given, TaskRequest, scaffold_task
from bench.tracking import tracking_uri
from bench.tracking.run import track
from bench.tracking.store import open_store

LABELS = ("denial", "none", "non_confirmation")
NEW = ["نفت الوزارة الخبر", "أعلن الوزير", "لم يصدر تعليق، أمس", 'قال "مصدر" حكومي', "نَفى", "NA", "007", "2024-01-02"]
PAIRS = [
    {"claim": "توفي الممثل", "text": "نفى الممثل خبر وفاته"},
    {"claim": "توفي الممثل", "text": "أعلن عن وفاة الممثل أمس"},
    {"claim": "فاز الفريق، أمس", "text": 'قال المدرب: "فاز الفريق"'},
    {"claim": "null", "text": "1e5"},
]


class Echo:
    """Labels a text by its length; gives no answer to a question mark where it may abstain."""

    classes_ = np.array(["even", "odd"])

    def __init__(self, abstains: bool = False) -> None:
        self.may_abstain = abstains
        if not abstains:
            self.predict_proba = lambda X: np.array(
                [[0.75, 0.25] if len(t) % 2 == 0 else [0.125, 0.875] for t in X.text]
            )

    def predict(self, X: pd.DataFrame) -> np.ndarray[Any, Any]:
        names = [None if self.may_abstain and t == "?" else ("odd" if len(t) % 2 else "even") for t in X["text"]]
        return np.array(names, dtype=object)


ECHO = FittedModel(("text",), ("odd", "even"), Echo())


@pytest.fixture(autouse=True)
def _no_other_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def denial(results: Path) -> RunFolder:
    return write_run(results)


@pytest.fixture(scope="module")
def pairs(results: Path) -> RunFolder:
    """A run of a task of pairs under a published split: it has no final cell, and fold 0 keeps its model."""
    return write_published(results)


def write_published(results: Path) -> RunFolder:
    folder = write_run(results, task="claims", labels=("agree", "disagree"), folds=1)
    examples = text_task(n_groups=4, per_group=3).examples.assign(claim="أعلن الوزير")
    examples["label"] = np.where(examples["text"].str.startswith("أعلن"), "agree", "disagree")
    task = text_task(examples=examples, inputs=("claim", "text"), labels=("agree", "disagree"))
    estimator = load_model("logreg").build({}, task, 0).fit(task.frame, task.y)
    change_record(folder, task={"inputs": ["claim", "text"]})
    for path in folder.cell_path(FINAL).iterdir():
        path.unlink()
    folder.cell_path(FINAL).rmdir()
    folder.write_cell(replace(folder.read_cell(0), estimator=dumps(estimator)))
    return folder


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def feed(monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def texts(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as the suffix of a file says."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        elif path.suffix == ".txt":
            file.writelines(row["text"] + "\n" for row in rows)
        else:
            plain: dict[str, Any] = (
                {"delimiter": "\t", "quoting": csv.QUOTE_NONE, "quotechar": None} if path.suffix == ".tsv" else {}
            )
            writer = csv.writer(file, **plain)
            writer.writerows([list(rows[0]), *(list(row.values()) for row in rows)])
    return path


def expected(folder: RunFolder, frame: pd.DataFrame, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    """What scikit-learn answers for the stored file."""
    estimator = loads(folder.model_path().read_bytes())
    order = [list(estimator.classes_).index(label) for label in labels]
    probabilities = estimator.predict_proba(frame)[:, order]
    return [
        {"label": label, **{f"p_{name}": float(p) for name, p in zip(labels, row, strict=True)}}
        for label, row in zip(estimator.predict(frame), probabilities, strict=True)
    ]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_each_row_keeps_its_columns_and_gets_the_stored_models_label_and_probabilities(
    bench, results, denial, tmp_path, suffix, form
):
    rows = [{"n": str(number), "text": text, "note": "«a\\b»"} for number, text in enumerate(NEW)]
    source, target = texts(tmp_path / f"new.{suffix}", rows), tmp_path / "out" / f"labelled.{form}"
    target.parent.mkdir()
    status, out, err = bench(
        "predict", "task=denial", f"results={results}", "--input", str(source), "--output", str(target)
    )
    assert (status, out) == (0, "")
    assert "8 labelled: denial" in err
    answers = expected(denial, pd.DataFrame({"text": NEW}), LABELS)
    content = target.read_text(encoding="utf-8")
    got = read_csv(content) if form == "csv" else [json.loads(line) for line in content.splitlines()]
    if form == "csv":
        answers = [{name: value if name == "label" else repr(value) for name, value in row.items()} for row in answers]
    assert got == [row | answer for row, answer in zip(rows, answers, strict=True)]
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_plain_lines_on_standard_input_are_a_text_each(bench, results, denial, monkeypatch):
    feed(monkeypatch, "\ufeff" + "\r\n".join(NEW))
    status, out, _ = bench("predict", "task=denial", f"results={results}")
    assert status == 0
    assert [row["text"] for row in read_csv(out)] == NEW
    assert [row["label"] for row in read_csv(out)] == [
        row["label"] for row in expected(denial, pd.DataFrame({"text": NEW}), LABELS)
    ]


@pytest.mark.parametrize(
    ("words", "given", "columns"),
    [
        ([], 'claim,text\nأ,"نفى، ذلك"\n', {"claim": "أ", "text": "نفى، ذلك"}),
        ([], "text\tclaim\nنفى\tأ\n", {"text": "نفى", "claim": "أ"}),
        (
            [],
            '{"claim": "أ", "text": "نفى", "n": 12345678901234567890}\n',
            {"claim": "أ", "text": "نفى", "n": 12345678901234567890},
        ),
        (["--claim", "c", "--text", "headline"], "c,headline\nأ,نفى\n", {"c": "أ", "headline": "نفى"}),
    ],
)
def test_standard_input_is_read_as_what_its_first_line_says(bench, results, pairs, monkeypatch, words, given, columns):
    feed(monkeypatch, given)
    status, out, err = bench("predict", "task=claims", f"results={results}", *words)
    assert status == 0, err
    (row,) = [json.loads(out)] if given.startswith("{") else read_csv(out)
    assert {name: row.pop(name) for name in columns} == columns
    assert set(row) == {"label", "p_agree", "p_disagree"}


READ_AS = {
    "CSV": ("id,text\n1,نص\n", "new.csv"),
    "CSV with semicolons": ("id;text\n1;نص، نص\n", "new.csv"),
    "TSV": ('id\ttext\n1\t"نص" نص\n', "new.tsv"),
    "TSV with quotation marks": ('id\ttext\n1\t"نص"\n', "new.tab"),
    "JSON Lines": ('\n{"id": "1", "text": "نص"}\n', "new.ndjson"),
    "plain lines, one text each": ("قال, أمس, نص\n\nنفى, اليوم, نص\n", "new.txt"),
}


@pytest.mark.parametrize("name", READ_AS)
def test_a_file_and_standard_input_are_read_alike_and_it_is_said_as_what(tmp_path, name):
    content, file = READ_AS[name]
    (tmp_path / file).write_text("\ufeff" + content, encoding="utf-8")
    streamed = read_stream(io.BytesIO(content.encode()), {"text": "text"}, ECHO.columns)
    read = read_texts_file(tmp_path / file, {"text": "text"}, ECHO.columns)
    assert WORDS[streamed.kind] == WORDS[read.kind] == name
    rows, again = list(streamed.rows), list(read.rows)
    assert [values for _, values in rows] == [values for _, values in again]
    assert "نص" in str(rows[0][1]["text"])
    assert rows[-1][0] == f"standard input, line {content.rstrip().count(chr(10)) + 1}"


@pytest.mark.parametrize("suffix", ["json", "parquet"])
def test_an_array_and_parquet_are_read_and_their_columns_kept(bench, results, denial, tmp_path, suffix):
    path = tmp_path / f"new.{suffix}"
    rows = [{"n": 7, "text": text, "on": "2024-10-01"} for text in NEW]
    if suffix == "json":
        path.write_text(json.dumps(rows, indent=1))
    else:
        pd.DataFrame(rows).astype({"on": "datetime64[ms]"}).to_parquet(path)
    status, out, err = bench("predict", "task=denial", f"results={results}", "--input", str(path), "--format", "jsonl")
    assert status == 0, err
    assert f"Read as {'JSON' if suffix == 'json' else 'Parquet'}:" in err
    labelled = [json.loads(line) for line in out.splitlines()]
    answers = expected(denial, pd.DataFrame({"text": NEW}), LABELS)
    on = "2024-10-01" if suffix == "json" else "2024-10-01T00:00:00"
    assert labelled == [row | {"on": on} | answer for row, answer in zip(rows, answers, strict=True)]


def test_numbers_booleans_and_missing_values_of_parquet_stay_such_in_json_lines(bench, results, denial, tmp_path):
    numbers = {
        "small": [0.1, None],
        "large": [2**63 - 1, None],
        "price": [decimal.Decimal("1.10"), None],
        "endless": [math.inf, None],
        "known": [True, None],
        "code": ["007", None],
    }
    kinds = {"small": pa.float32(), "large": pa.int64()}
    columns = {name: pa.array(values, kinds.get(name)) for name, values in numbers.items()}
    pq.write_table(pa.table({"text": NEW[:2], **columns}), tmp_path / "new.parquet")
    asked = ("predict", "task=denial", f"results={results}", "--input", str(tmp_path / "new.parquet"))
    status, out, err = bench(*asked, "--format", "jsonl")
    assert status == 0, err
    kept = [{name: row[name] for name in numbers} for row in map(json.loads, out.splitlines())]
    one = {"small": 0.1, "large": 2**63 - 1, "price": "1.10", "endless": "inf", "known": True, "code": "007"}
    assert kept == [one, dict.fromkeys(numbers)]
    status, out, err = bench(*asked, "--format", "csv")
    kept = [{name: row[name] for name in numbers} for row in read_csv(out)]
    assert kept[0] == {name: json.dumps(value) if value is True else str(value) for name, value in one.items()}


def moments_in_parquet(moments: pd.Series[Any], path: Path) -> Path:
    pq.write_table(pa.table({"text": NEW[:2], "at": pa.array(moments)}), path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def moments_in_excel(moments: pd.Series[Any], path: Path) -> Path:
    pd.DataFrame({"text": NEW[:2], "at": moments}).to_excel(path.with_suffix(".xlsx"), index=False)
    return path.with_suffix(".xlsx")


def moments_in_memory(moments: pd.Series[Any], path: Path) -> pd.DataFrame:
    return pd.DataFrame({"text": NEW[:2], "at": moments})


@pytest.mark.parametrize("kept", [moments_in_parquet, moments_in_excel, moments_in_memory])
@pytest.mark.parametrize("times", ["datetime", "date"])
def test_dates_are_written_as_a_task_reads_them(tmp_path: Path, kept: Any, times: str) -> None:
    moments: Any = pd.Series(pd.to_datetime(["2023-08-21 00:00", "2023-08-22 18:30"]))
    if times == "date":
        moments = moments.dt.date
    if times == "date" and kept is moments_in_excel:
        pytest.skip("Excel has dates with times only")
    rows = [row for _, row in read_texts(kept(moments, tmp_path / "new"), {"text": "text"}).rows]
    expected = [read_date(moment, "row") for moment in moments]
    assert [row["at"] for row in read_csv("".join(csv_lines(rows)))] == expected
    assert [json.loads(line)["at"] for line in json_lines(rows)] == expected


HOW_WRITTEN = {
    "without a header": (
        ["--columns", "id,text"],
        "".join(f"{n}\t{text}\n" for n, text in enumerate(NEW)),
        "new.tsv",
        "TSV",
    ),
    "Windows-1256": (
        [],
        "id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(NEW)),
        "new.csv",
        "WINDOWS-1256",
    ),
    "another suffix": (["--input-format", "tsv"], "text\n" + "\n".join(NEW), "new.data", "TSV"),
    "marks in the texts": ([], 'id\ttext\n1\t"نفى\n2\tأكد"\n', "new.tsv", "part of the texts"),
}


@pytest.mark.parametrize("name", HOW_WRITTEN)
def test_how_a_file_is_written_is_told_or_said(bench, results, denial, tmp_path, name):
    options, content, file, told = HOW_WRITTEN[name]
    path = tmp_path / file
    path.write_text(content, encoding="windows-1256" if name == "Windows-1256" else "utf-8")
    status, out, err = bench("predict", "task=denial", f"results={results}", "--input", str(path), *options)
    assert status == 0, err
    assert told in " ".join(err.split())
    expected = ['"نفى', 'أكد"'] if name == "marks in the texts" else NEW
    assert [row["text"] for row in read_csv(out)] == expected


def test_what_is_said_of_standard_input_is_refused(bench, results, denial, monkeypatch):
    feed(monkeypatch, "نص\n")
    status, out, err = bench("predict", "task=denial", f"results={results}", "--quote", "none")
    assert (status, out) == (2, "")
    assert "Name a file: --input FILE" in err


NO_PLAIN_LINES: dict[str, tuple[str | bytes, str]] = {
    "a usual header": ("id,sentence\n1,نص\n2,نص, نص\n", "has no column 'text': id, sentence."),
    "an Arabic header": ("رقم;الجملة\n1;نص\n", "has no column 'text': رقم, الجملة."),
    "one column": ("Text\nنص\n", "has no column 'text': Text.\n       Did you mean"),
    "no header": ("1,نص\n2,نص\n", "has no column 'text': 1, نص."),
    "tabs": ("أ\tنص آخر\nب\tنص\n", "has no column 'text': أ, نص آخر."),
    "a JSON array": (
        '[\n{"text": "نص"}\n]\n',
        "standard input: it looks like JSON, but not with one object on each line.",
    ),
    "broken JSON": ('{"text": "نص\n', "standard input, line 1: not valid JSON"),
    "Windows-1256": ("نص\n".encode("cp1256"), "It is most likely Windows-1256: iconv"),
    "an archive": (b"PK\x03\x04", "standard input: this is a ZIP archive"),
}


@pytest.mark.parametrize("name", NO_PLAIN_LINES)
def test_a_table_or_json_on_standard_input_is_not_taken_for_plain_lines(bench, results, denial, monkeypatch, name):
    content, message = NO_PLAIN_LINES[name]
    feed(monkeypatch, content)
    status, out, err = bench("predict", "task=denial", f"results={results}")
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    "lines",
    [
        ["قال الوزير, أمس, إن الخبر كاذب", "نفى المتحدث, اليوم, ذلك"],
        ["بلغ العدد 1,200 شخص", "وصل 3,400 لاجئ"],
        ["بلغ العدد ١,٢٠٠ شخص", "وصل ٣,٤٠٠ لاجئ"],
        ["[عاجل] نفى الوزير", "[عاجل] أكد الوزير"],
        ["الخبر", "عنوان آخر"],
        ["نعم,لا"],
        ["قال: نعم; ثم سكت", "نفى; ثم سكت"],
        ["{كذا}", "«نص», قال"],
        ["كلمة " * 40_000, "نص"],
    ],
)
def test_ordinary_sentences_are_plain_lines(lines):
    new = read_stream(io.BytesIO("\n".join(lines).encode()), {"text": "text"}, ECHO.columns)
    assert new.kind == "lines"
    assert [values["text"] for _, values in new.rows] == lines


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
FULL = CELL.filter(str.strip)


@given(
    st.lists(st.tuples(FULL, CELL), min_size=1, max_size=8),
    st.sampled_from(["csv", "jsonl"]),
    st.sampled_from(["csv", "jsonl"]),
)
def test_any_text_comes_back_as_it_was_in_its_place_with_its_own_label(drawn, suffix, form):
    rows = [{"text": text, "other": other} for text, other in drawn]
    if suffix == "csv":
        buffer = io.StringIO()
        csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([["text", "other"], *drawn])
        given = buffer.getvalue()
    else:
        given = "".join(json.dumps(row) + "\n" for row in rows)
    new = read_stream(io.BytesIO(given.encode()), {"text": "text"}, ECHO.columns)
    lines = {"csv": csv_lines, "jsonl": json_lines}[form](label_rows(ECHO, new.rows, {"text": "text"}))
    answered = "".join(lines)
    got = read_csv(answered) if form == "csv" else [json.loads(line) for line in answered.split("\n")[:-1]]
    for row, back in zip(rows, got, strict=True):
        odd = len(row["text"]) % 2
        assert (back["text"], back["other"]) == (row["text"], row["other"])
        assert back["label"] == ("odd" if odd else "even")
        assert (float(back["p_odd"]), float(back["p_even"])) == ((0.875, 0.125) if odd else (0.25, 0.75))


def test_labels_are_written_while_the_rest_is_not_read_yet():
    read = 0

    def lines() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield f"نص {read}\n".encode()

    new = read_stream(lines(), {"text": "text"}, ECHO.columns)
    written = csv_lines(label_rows(ECHO, new.rows, {"text": "text"}))
    assert len(list(islice(written, CHUNK))) == CHUNK
    assert read == CHUNK
    further = [line.split(",")[0] for line in islice(written, CHUNK)]
    assert further == [f"نص {number}" for number in range(CHUNK, 2 * CHUNK)]


def test_a_text_that_the_model_does_not_answer_has_an_empty_label_and_no_probabilities():
    model = FittedModel(("text",), ("odd", "even"), Echo(abstains=True))
    assert model.columns == ("label",)
    rows = [("line 1", {"text": "?"}), ("line 2", {"text": "ab"})]
    assert "".join(csv_lines(label_rows(model, rows, {"text": "text"}))) == "text,label\n?,\nab,even\n"


def test_rows_without_a_text_stay_in_their_places_without_an_answer():
    texts_of_rows = ["" if n % 7 == 3 or CHUNK <= n < 2 * CHUNK else "ا" * (n % 5 + 1) for n in range(3 * CHUNK + 1)]
    rows = [(f"a, line {n}", {"n": n, "text": text}) for n, text in enumerate(texts_of_rows)]
    blanks = Blanks("a", {"text": "text"})
    labelled = list(label_rows(ECHO, rows, {"text": "text"}, blanks=blanks))
    assert [row["n"] for row in labelled] == list(range(3 * CHUNK + 1))
    for row, text in zip(labelled, texts_of_rows, strict=True):
        assert row["label"] == ("" if not text else "odd" if len(text) % 2 else "even")
        assert (row["p_odd"] is None) == (not text)
    assert len(blanks) == texts_of_rows.count("")
    assert blanks.told().startswith(f"{len(blanks):,} of {len(rows):,} rows have an empty text: line 3, line 10,")


BLANK = {
    "csv": 'id,text\n1,{0}\n2,\n3,{1}\n4," \u200f"\n',
    "jsonl": '{{"id": "1", "text": "{0}"}}\n{{"id": "2", "text": null}}\n{{"id": "3", "text": "{1}"}}\n'
    '{{"id": "4", "text": ""}}\n',
    "txt": "{0}\n\n{1}\n \nنفى\n\n\n",
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("suffix", BLANK)
def test_rows_without_a_text_are_kept_counted_and_named(
    bench, results, denial, tmp_path, monkeypatch, suffix, streamed
):
    content = BLANK[suffix].format(*NEW[:2])
    (tmp_path / f"new.{suffix}").write_text(content, encoding="utf-8")
    feed(monkeypatch, content)
    given = [] if streamed else ["--input", str(tmp_path / f"new.{suffix}")]
    status, out, err = bench("predict", "task=denial", f"results={results}", *given, "--format", "jsonl")
    assert status == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    answers = expected(denial, pd.DataFrame({"text": NEW[:2]}), LABELS)
    none = {"label": ""} | dict.fromkeys((f"p_{label}" for label in LABELS), None)
    for row, answer in zip(rows, [answers[0], none, answers[1], none], strict=False):
        assert {name: row[name] for name in answer} == answer
    assert len(rows) == (5 if suffix == "txt" else 4)
    first, last = {"csv": (3, 5), "jsonl": (2, 4), "txt": (2, 4)}[suffix]
    told = f"2 of {len(rows)} rows have an empty text: line {first}, line {last}. The output keeps them,"
    assert told in " ".join(err.split())
    assert f"{len(rows) - 2} labelled: " in err


def test_the_model_of_a_published_split_is_the_one_that_was_scored(bench, results, pairs, tmp_path):
    assert pairs.model_path() == pairs.cell_path(0) / "model.skops"
    source = texts(tmp_path / "new.jsonl", PAIRS)
    status, out, _ = bench("predict", "task=claims", f"results={results}", "--input", str(source))
    assert status == 0
    answers = expected(pairs, pd.DataFrame(PAIRS), ("agree", "disagree"))
    assert [json.loads(line) for line in out.splitlines()] == [
        row | answer for row, answer in zip(PAIRS, answers, strict=True)
    ]


def test_the_best_finished_run_is_taken_and_named(tmp_path):
    for model, score in [("a", 0.5), ("b", 0.9), ("c", 0.7)]:
        folder = write_run(tmp_path, model=model)
        summary = folder.read_summary()
        folder.write_summary(replace(summary, scores={**summary.scores, "macro_f1": score}))
    write_run(tmp_path, model="broken", failed_fold=0)
    chosen = choose_run(parse_predict_request(["task=denial", f"results={tmp_path}"]))
    assert chosen.record.model.name == "b"
    assert chosen.notes[0].startswith(f"b (search quick, seed 0), run {chosen.folder.key}: macro_f1 0.900 [")
    assert chosen.notes[0].endswith("], the best of 3 comparable stored runs.")
    assert any("broken is left out" in note for note in chosen.notes)
    chosen.folder.model_path().unlink()
    second = choose_run(parse_predict_request(["task=denial", f"results={tmp_path}"]))
    assert second.record.model.name == "c"
    assert "b (search quick, seed 0)" in second.notes[1]
    assert "skipped" in second.notes[1]


def test_of_equal_runs_the_newest_is_taken_and_a_key_names_another(tmp_path):
    for key, started in [("0123", "2024-01-01"), ("01e9", "2024-03-01"), ("4567", "2024-02-01")]:
        folder = write_run(tmp_path)
        change_record(folder, started=f"{started}T00:00:00+00:00")
        folder.path.rename(folder.path.with_name(key * 3))
    words = ["task=denial", "model=logreg", f"results={tmp_path}"]
    assert choose_run(parse_predict_request(words)).folder.key == "01e9" * 3
    # As numbers these would be 4567 and a power of ten.
    assert choose_run(parse_predict_request([*words, "run=4567"])).folder.key == "4567" * 3
    assert choose_run(parse_predict_request([*words, "run=01e9"])).folder.key == "01e9" * 3


def test_the_runs_own_record_says_the_labels_and_inputs_not_the_present_task(bench, tmp_path, monkeypatch):
    write_run(tmp_path, task="denial", labels=("نفي", "لا نفي", "عدم تأكيد"))
    feed(monkeypatch, "نفت الوزارة الخبر\n")
    status, out, _ = bench("predict", "task=denial", f"results={tmp_path}")
    assert status == 0
    (row,) = read_csv(out)
    assert row["label"] == "نفي"
    assert set(row) == {"text", "label", "p_نفي", "p_لا نفي", "p_عدم تأكيد"}


def test_other_versions_than_the_runs_are_told(bench, tmp_path, monkeypatch):
    folder = write_run(tmp_path)
    packages = folder.read_record().environment.packages
    change_record(folder, environment={"packages": {**packages, "scikit-learn": "0.1"}})
    feed(monkeypatch, "نص\n")
    _, _, err = bench("predict", "task=denial", f"results={tmp_path}")
    assert "warning: the run was stored with scikit-learn 0.1 (now" in err


BAD_TEXT = {
    "no column": ("a.csv", "id,txet\n1,نص\n", "a.csv, line 2: there is no column 'text'.\n       Did you mean 'txet'?"),
    "no header": ("a.csv", "7,نفى الوزير\n8,نص\n", "not a header: --columns column-1,text"),
    "no suffix": ("a", "text\nنص\n", "for example --input-format tsv"),
    "JSON as a table": ("a.csv", '{"text": "نص"}\n', "add --input-format jsonl"),
    "no column later": ("a.jsonl", '{"text": "نص"}\n{"tex": "نص"}\n', "a.jsonl, line 2: there is no column 'text'."),
    "no text": ("a.csv", "text\n", "a.csv: it contains no text."),
    "empty file": ("a.txt", "", "a.txt: the file is empty."),
    "other blanks": ("a.jsonl", "\u00a0\n", "a.jsonl: it contains no text."),
    "blank lines": ("a.jsonl", "\n \n", "a.jsonl: the file is empty."),
    "number": ("a.jsonl", '{"text": 5}\n', "a.jsonl, line 1: 'text' must be text, not 5."),
    "no object": ("a.json", '["نص"]\n', "a.json, line 1: expected a JSON object, not str."),
    "another column in JSON": ("a.json", '[{"txt": "نص"}]', "a.json, line 1: there is no column 'text'."),
    "another column in lines": ("a.txt", "id;txt\n1;نص\n", "a.txt, line 1: this looks like a table, but its first row"),
    "an archive": ("a.csv", b"PK\x03\x04", "a.csv: this is a ZIP archive"),
    "half a character": ("a.jsonl", '{"text": "\\ud83d"}\n', "a.jsonl, line 1: 'text' contains half a surrogate pair"),
    "cells": ("a.csv", "id,text\n1,نص,آخر\n", "a.csv, line 2: 3 cells, but the header has 2."),
    "quote": ("a.csv", 'id,text\n1,"نص\n2\n', "a.csv, line 2: not valid CSV"),
    "both labels": (
        "a.csv",
        "text,label,predicted_label\nنص,none,none\n",
        "a.csv, line 2: the column 'predicted_label' already exists",
    ),
    "gold label later": (
        "a.jsonl",
        '{"text": "نص"}\n{"text": "نص", "label": "none"}\n',
        "a.jsonl, line 2: the column 'label' already exists",
    ),
    "bytes": ("a.csv", b"text\n1\nx\xe9\xe8x\n", "a.csv, line 3: byte 2 of the line (0xe9) is not UTF-8."),
    "utf-16": ("a.csv", "text\nنص\n".encode("utf-16-le"), "it may be UTF-16: iconv -f UTF-16LE"),
    "suffix": ("a.ods", "نص\n", "a.ods: no format is known for '.ods'.\n       Save the sheet as .xlsx"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD_TEXT.values(), ids=list(BAD_TEXT))
def test_a_mistake_in_the_text_names_its_line_and_leaves_what_was_there(
    bench, results, denial, tmp_path, monkeypatch, name, content, message
):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    Path("labelled.csv").write_text("before")
    status, out, err = bench(
        "predict", "task=denial", f"results={results}", "--input", name, "--output", "labelled.csv", "--force"
    )
    assert (status, out) == (2, "")
    assert message in err
    assert Path("labelled.csv").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "labelled.csv"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["task=denail"], "task=denail: unknown task.\n       Did you mean 'denial'?"),
        (["task=stance"], "it has no run of task 'stance'."),
        (["task=denial", "model=logerg"], "Did you mean 'logreg'?"),
        (["task=denial", "run=zzzz"], "run=zzzz: no stored run of task 'denial' matches."),
        (["task=denial", "modle=logreg"], "modle: unknown key.\n       Did you mean 'model'?"),
        (["task=denial,claims"], "task takes one name here."),
        (["task=denial", "model=all"], "model takes one name here."),
        (["model=logreg"], "No task is named.\n       Add task=NAME. Choose from: claims, denial."),
        (["task=denial", "new.csv"], "For new text, use --input new.csv"),
        (["task=denial", "--input", "nwe.csv"], "nwe.csv: the file does not exist.\n       Did you mean 'new.csv'?"),
        (["task=denial", "--input", "."], ".: cannot be read: Is a directory."),
        (["task=denial", "--claim", "c"], "--claim c: the model does not read a claim, only text."),
        (["task=claims", "--text", "claim"], "cannot be both claim and text."),
        (["task=claims", "--input", "new.csv"], "new.csv, line 2: there is no column 'claim'."),
        (["task=claims"], "standard input, line 1: the first row has no column 'claim': نص."),
        (["task=denial", "--text", "txt"], "standard input, line 1: the first row has no column 'txt': نص."),
        (["task=denial", "--input", "new.csv", "--output", "x.tsv"], "write answers to a .csv or .jsonl file"),
        (
            ["task=denial", "--output", "x.jsonl", "--format", "csv"],
            "x.jsonl: its suffix means jsonl, but --format is",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_the_command_says_what_to_do(bench, results, denial, pairs, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    feed(monkeypatch, "نص\n")
    texts(tmp_path / "new.csv", [{"text": "نص"}])
    status, out, err = bench("predict", f"results={results}", *words)
    assert (status, out) == (2, "")
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_a_run_without_its_model_says_why_and_what_to_do(bench, tmp_path, monkeypatch):
    folder = write_run(tmp_path)
    note = "the fitted model cannot be stored: TypeError: a lambda"
    folder.write_cell(CellResult(FINAL, notes=[note]))
    feed(monkeypatch, "نص\n")
    status, _, err = bench("predict", "task=denial", f"results={tmp_path}")
    assert status == 2
    assert f"no fitted model is stored. T{note[1:]}." in err
    failed = write_run(tmp_path, task="other", failed_fold=0)
    status, _, err = bench("predict", "task=other", f"run={failed.key}", f"results={tmp_path}", "--input", "-")
    assert status == 2
    assert "bench run task=other model=logreg" in err


REMEMBERED = {
    "the task's own": ("headline,text\n{},متن\n", "headline"),
    "the model's": ("text\n{}\n", "text"),
    "the task's in JSON Lines": ('{{"headline": "{}", "text": "متن"}}\n', "headline"),
}


@pytest.mark.parametrize(("content", "column"), REMEMBERED.values(), ids=list(REMEMBERED))
@pytest.mark.parametrize("streamed", [False, True])
def test_the_columns_of_the_tasks_own_data_are_read_without_options(content, column, streamed, tmp_path):
    content = content.format("ab").encode()
    source = tmp_path / ("new.jsonl" if content.startswith(b"{") else "new.csv")
    source.write_bytes(content)
    remembered = {"text": "headline"}
    new = (
        read_stream(io.BytesIO(content), {"text": "text"}, ECHO.columns, remembered)
        if streamed
        else read_texts_file(source, {"text": "text"}, ECHO.columns, remembered)
    )
    assert new.columns == {"text": column}
    assert [values[column] for _, values in new.rows] == ["ab"]
    told = ("The text is read from 'headline', its name in the task's own data.",)
    assert new.remarks == (told if column != "text" else ())


def test_a_run_records_what_the_tasks_data_call_its_inputs(tmp_path, monkeypatch):
    from bench.config import compose
    from bench.planning.plan import plan

    monkeypatch.chdir(tmp_path)
    rows = [f"خبر رقم {n},{'sport' if n % 2 else 'economy'},{n % 5}" for n in range(40)]
    Path("news.csv").write_text("\n".join(["headline,topic,outlet", *rows]), encoding="utf-8")
    scaffold_task(TaskRequest("news", "news.csv", Given(text="headline", label="topic", group="outlet")), tmp_path)
    runs = {}
    for words in (["task=news"], ["task=denial"]):
        (planned,) = plan(compose([*words, "model=majority"])).runs
        runs[planned.record.task.name] = planned.record.task.columns
    assert runs == {"news": {"text": "headline"}, "denial": {}}


def test_plain_lines_are_read_where_the_task_has_a_column_of_another_name(tmp_path):
    new = read_stream(io.BytesIO("نفى ذلك\nقال\n".encode()), {"text": "text"}, ECHO.columns, {"text": "headline"})
    assert [values for _, values in new.rows] == [{"text": "نفى ذلك"}, {"text": "قال"}]


def test_a_missing_column_names_both_that_were_looked_for(tmp_path):
    (tmp_path / "new.csv").write_text("body\nab\n")
    new = read_texts_file(tmp_path / "new.csv", {"text": "text"}, ECHO.columns, {"text": "headline"})
    with pytest.raises(DataError, match="no column 'text' or 'headline', its name in the task's own data"):
        list(new.rows)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_with_labels_keeps_them_and_gets_the_answers_beside(bench, results, denial, tmp_path, form):
    rows = [{"headline": text, "label": "none"} for text in NEW]
    source = texts(tmp_path / f"new.{form}", rows)
    record = denial.read_record()
    denial.write_record(replace(record, task=replace(record.task, columns={"text": "headline"})))
    try:
        status, out, err = bench("predict", "task=denial", f"results={results}", "--input", str(source))
    finally:
        denial.write_record(record)
    assert status == 0
    assert "The text is read from 'headline'" in err
    assert "The column 'label' is kept. The answers are in predicted_label," in " ".join(err.split())
    got = read_csv(out) if form == "csv" else [json.loads(line) for line in out.splitlines()]
    answers = expected(denial, pd.DataFrame({"text": NEW}), LABELS)
    assert [row["label"] for row in got] == ["none"] * len(NEW)
    assert [row["predicted_label"] for row in got] == [answer["label"] for answer in answers]
    assert [float(row["predicted_p_none"]) for row in got] == [answer["p_none"] for answer in answers]


def test_an_output_that_is_there_is_written_over_with_force_alone(bench, results, denial, tmp_path):
    source, target = texts(tmp_path / "new.csv", [{"text": NEW[0]}]), tmp_path / "out.csv"
    words = ("predict", "task=denial", f"results={results}", "--input", str(source), "--output", str(target))
    target.write_text("before")
    status, _, err = bench(*words)
    assert status == 2
    assert f"--output {target}: the file already exists." in err
    assert "--force" in err
    assert target.read_text() == "before"
    assert bench(*words, "--force")[0] == 0
    assert target.read_text().startswith("text,label,p_")


def test_a_json_column_that_csv_has_no_place_for_is_told_and_nothing_is_left(bench, results, denial, tmp_path):
    source = texts(tmp_path / "new.jsonl", [{"text": "نص"}, {"text": "نص", "url": "x"}])
    words = ["task=denial", f"results={results}", "--input", str(source), "--output", str(tmp_path / "out.csv")]
    status, _, err = bench("predict", *words)
    assert status == 2
    assert "text 2: its column 'url' is not in the first one" in err
    assert [path.name for path in tmp_path.iterdir()] == ["new.jsonl"]


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_answers(["text,label\n"], pipe)
    reader.join()
    assert read == [b"text,label\n"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"no archive"])
def test_a_damaged_model_file_is_named(bench, tmp_path, monkeypatch, damage):
    folder = write_run(tmp_path)
    folder.model_path().write_bytes(damage)
    feed(monkeypatch, "نص\n")
    status, _, err = bench("predict", "task=denial", f"results={tmp_path}")
    assert status == 2
    assert "model.skops: not readable as a model" in err


PLUGIN = """
import numpy as np
from sklearn.dummy import DummyClassifier
from pathlib import Path
Path("imported").touch()

class Mine(DummyClassifier):
    pass
"""


def test_a_class_of_another_package_is_imported_only_where_the_users_own_file_names_it(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    folder = write_run(tmp_path / "results", model="mine")
    Path("strange_plugin.py").write_text(PLUGIN)
    from strange_plugin import Mine  # type: ignore[import-not-found]

    data = dumps(Mine().fit(pd.DataFrame({"text": ["a", "b"]}), ["none", "none"]))
    folder.write_cell(CellResult(FINAL, estimator=data))
    # The run's record comes with the model, so it is no reason to trust it.
    change_record(folder, model={"estimator": "strange_plugin.Mine", "features": None})
    del sys.modules["strange_plugin"]
    Path("imported").unlink()
    feed(monkeypatch, "نص\n")
    status, _, err = bench("predict", "task=denial")
    assert status == 2
    assert "no model 'mine' is defined here" in err
    assert "configs/model/mine.yaml" in err
    assert not Path("imported").exists()
    own = Path("configs/model/mine.yaml")
    own.parent.mkdir(parents=True)
    own.write_text("name: mine\nestimator: strange_plugin.Mine\n")
    feed(monkeypatch, "نص\n")
    status, out, _ = bench("predict", "task=denial")
    assert status == 0
    assert read_csv(out)[0]["label"] == "none"


def test_a_model_that_fails_says_at_which_text(bench, tmp_path, monkeypatch):
    folder = write_run(tmp_path)
    change_record(folder, task={"labels": ["other", "names"]})
    feed(monkeypatch, "نص\n")
    status, _, err = bench("predict", "task=denial", f"results={tmp_path}")
    assert status == 1
    assert "standard input, line 1 and after: the model cannot label these texts: InvalidPredictionError" in err


@pytest.fixture(scope="module")
def logged(results: Path, denial: RunFolder, pairs: RunFolder) -> dict[str, str]:
    """The addresses of both runs' models in MLflow's store."""
    client = open_store(tracking_uri(results))
    addresses = {}
    for folder in (denial, pairs):
        (output,) = client.get_run(track(folder, client)).outputs.model_outputs
        addresses[folder.path.parents[1].name] = f"models:/{output.model_id}"
    return addresses


@pytest.mark.slow
def test_the_model_of_a_published_split_is_logged_with_its_setting(results, pairs, logged):
    client = open_store(tracking_uri(results))
    model = client.get_logged_model(logged["claims"].rpartition("/")[2])
    assert float(model.params["estimator.C"]) == pairs.read_cell(0).params["estimator.C"]
    (run,) = client.search_runs([model.experiment_id], "tags.`bench.level` = 'model'")
    assert run.data.params["estimator.C"] == model.params["estimator.C"]
    assert "search/best" in run.data.metrics


def predicted(bench: Any, results: Path, task: str, rows: list[dict[str, str]], folder: Path) -> list[dict[str, Any]]:
    source = texts(folder / "new.jsonl", rows)
    status, out, err = bench("predict", f"task={task}", f"results={results}", "--input", str(source))
    assert status == 0, err
    answers = [json.loads(line) for line in out.splitlines()]
    return [{name: answer[name] for name in answer if name not in rows[0]} for answer in answers]


def ask(port: int, rows: list[dict[str, str]], **params: object) -> list[Any]:
    body = json.dumps({"dataframe_records": rows, **({"params": params} if params else {})}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["predictions"]


@contextmanager
def scoring_server(uri: str) -> Iterator[int]:
    """MLflow's own scoring server, in this process."""
    import mlflow
    import uvicorn
    from mlflow.pyfunc import scoring_server

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = scoring_server.init(mlflow.pyfunc.load_model(uri))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


ROWS = {"denial": [{"text": text} for text in NEW], "claims": PAIRS}


@pytest.mark.slow
@pytest.mark.parametrize("task", list(ROWS))
def test_mlflows_server_and_pyfunc_give_the_labels_and_probabilities_of_bench_predict(
    bench, results, logged, tmp_path, monkeypatch, task
):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri(results))
    monkeypatch.setenv("_MLFLOW_IS_IN_SERVING_ENVIRONMENT", "true")
    answers = predicted(bench, results, task, ROWS[task], tmp_path)
    labels = [answer["label"] for answer in answers]
    assert len(set(labels)) > 1
    assert mlflow.pyfunc.load_model(logged[task]).predict(pd.DataFrame(ROWS[task])).tolist() == labels
    with scoring_server(logged[task]) as port:
        assert ask(port, ROWS[task]) == labels
        assert ask(port, ROWS[task], probabilities=True) == answers


@pytest.mark.slow
@pytest.mark.parametrize("task", list(ROWS))
def test_mlflow_models_serve_gives_the_labels_and_probabilities_of_bench_predict(
    bench, results, logged, tmp_path, task
):
    answers = predicted(bench, results, task, ROWS[task], tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "mlflow", "models", "serve", "-m", logged[task], "--env-manager", "local", "--port", str(port)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "MLFLOW_TRACKING_URI": tracking_uri(results), "PATH": path}
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, *words], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            for _ in range(1200):
                assert server.poll() is None, (tmp_path / "log").read_text()
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.1)
            assert ask(port, ROWS[task]) == [answer["label"] for answer in answers]
            assert ask(port, ROWS[task], probabilities=True) == answers
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def test_from_python(denial):
    model = load_fitted(denial)
    answers = model.label(pd.DataFrame({"text": NEW}))
    assert answers.to_dict("records") == expected(denial, pd.DataFrame({"text": NEW}), LABELS)
    assert (model.inputs, model.labels) == (("text",), LABELS)
    assert fitted(LABELS).predict(pd.DataFrame({"text": NEW})).tolist() == answers["label"].tolist()


def test_a_function_of_numpy_that_only_computes_is_loaded() -> None:
    from sklearn.preprocessing import FunctionTransformer

    assert loads(dumps(FunctionTransformer(np.log1p))).transform(np.zeros((1, 1))).tolist() == [[0.0]]
