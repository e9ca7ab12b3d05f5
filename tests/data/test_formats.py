"""A table gives the same task in any format; exports of annotation tools give one label a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import Task
from bench.data.definition import build_task
from bench.data.sources.formats import Form
from bench.errors import ConfigError, DataError, UserError
from bench.scaffold.file_form import detect_form

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


def build(folder: Path, names: list[str], columns: dict[str, Any], **source: Any) -> Task:
    definition = {
        "name": "mine",
        "description": "A task.",
        "source": {"kind": "table", **source} | ({"columns": columns} if columns else {}),
        "inputs": ["text"],
        "labels": names,
    }
    return build_task(definition, folder / "task.yaml")


def rows(path: Path, format_name: str) -> list[dict[str, Any]]:
    return [dict(row) for _, row in Form(format_name).rows(path)]


def write_json(path: Path, objects: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(objects, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def write_lines(path: Path, objects: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in objects), encoding="utf-8")
    return path


# Tables


@settings(max_examples=20)
@given(st.lists(st.fixed_dictionaries({"text": TEXTS, "label": TEXTS}), min_size=1, max_size=6))
def test_every_format_reads_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, table: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("formats")
    pq.write_table(pa.Table.from_pylist(table), folder / "a.parquet")
    write_json(folder / "a.json", table)
    write_lines(folder / "a.jsonl", table)
    assert [rows(folder / f"a.{name}", name) for name in ("parquet", "json", "jsonl")] == [table] * 3


@settings(max_examples=20)
@given(st.lists(TEXTS.filter(lambda text: not set(text) & set('"\r\n\x00')), min_size=2, max_size=5))
def test_a_table_is_split_at_its_own_delimiter(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("delimiters")
    for name, delimiter in (("csv", ","), ("semicolon-csv", ";"), ("quoted-tsv", "\t")):
        path = folder / "a.csv"
        lines = [["text", "label", "place"], *([text, "yes", "Sanaa"] for text in texts)]
        quoted = "".join(delimiter.join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)
        path.write_text(quoted, encoding="utf-8", newline="")
        assert detect_form(path).form.format == name
        assert [row["text"] for row in rows(path, name)] == texts


def test_numbers_of_a_parquet_file_keep_every_digit(tmp_path: Path) -> None:
    from decimal import Decimal

    columns = {
        "big": pa.array([9007199254740993, 2**63 - 1]),
        "double": pa.array([0.1, 1e-7]),
        "single": pa.array([0.1, 16777216], pa.float32()),
        "decimal": pa.array([Decimal("1.10"), Decimal("0.05")]),
        "code": pa.array(["نعم", "لا"]).dictionary_encode(),
        "empty": pa.array([None, None], pa.int64()),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    first, second = rows(tmp_path / "a.parquet", "parquet")
    assert (first["big"], second["big"]) == ("9007199254740993", "9223372036854775807")
    assert (float(first["double"]), float(second["double"])) == (0.1, 1e-7)
    assert (first["single"], second["single"]) == ("0.1", "16777216")
    assert (first["decimal"], second["decimal"]) == ("1.10", "0.05")
    assert (first["code"], first["empty"]) == ("نعم", None)


def test_a_parquet_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    text = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xd9x")])
    pq.write_table(pa.table({"text": text, "label": ["yes"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="not a readable Parquet file: 'utf-8' codec can't decode"):
        build(tmp_path, ["yes", "no"], {"text": "text", "label": "label"}, path="a.parquet")


def test_lines_of_spaces_before_the_header_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("  \n\ntext,label\nنفى,yes\n", encoding="utf-8")
    assert list(detect_form(path).form.rows(path)) == [(f"{path}, line 4", {"text": "نفى", "label": "yes"})]


def test_labels_that_are_true_or_false_are_named_so(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["نفى", "أكد"], "label": [True, False]}), tmp_path / "a.parquet")
    task = build(tmp_path, ["true", "false"], {"text": "text", "label": "label"}, path="a.parquet")
    assert task.y.tolist() == ["true", "false"]


BROKEN: dict[str, tuple[str, bytes, str]] = {
    "no Parquet": ("a.parquet", b"text,label\n", "not a readable Parquet file"),
    "no array": ("a.json", b'{"text": "x"}', "a.json: it contains one JSON object without a table."),
    "an item that is no object": ("a.json", b'[{"text": "x"},\n 3]', "line 2: expected a JSON object, not int."),
    "a torn array": ("a.json", b'[{"text": "x"},\n{"text": ', "line 2: not valid JSON: Expecting value"),
    "an array without an end": ("a.json", b'[{"text": "x"}\n\n', "line 3: not valid JSON: expected , or ]."),
    "a key that stands twice": ("a.json", b'[\n{"text": "x", "text": "y"}]', "line 2: not valid JSON: the key 'text'"),
    "half a surrogate pair": (
        "a.json",
        b'[{"text": "\\ud83d", "label": "yes"}]',
        "line 1: column 'text' contains half a surrogate pair",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_an_error_that_names_the_place(tmp_path: Path, name: str) -> None:
    file, content, expected = BROKEN[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError) as error:
        build(tmp_path, ["yes", "no"], {"text": "text", "label": "label"}, path=file)
    assert expected in str(error.value)
    assert error.value.exit_status == 2


def test_several_columns_can_be_published_folds(tmp_path: Path) -> None:
    table = [
        {"text": f"نص {number}", "label": "yes" if number % 2 else "no", "a": role, "b": other}
        for number, (role, other) in enumerate([("train", "test"), ("train", ""), ("test", "train"), ("test", "train")])
    ]
    write_lines(tmp_path / "a.jsonl", table)
    task = build(tmp_path, ["yes", "no"], {"text": "text", "label": "label", "split": ["a", "b"]}, path="a.jsonl")
    assert task.splits == ("a", "b")
    assert task.examples[["a", "b"]].to_numpy().tolist() == [[row["a"], row["b"]] for row in table]
    with pytest.raises(ConfigError, match="none of several splits can be named 'label'"):
        build(tmp_path, ["yes", "no"], {"text": "text", "label": "label", "split": ["a", "label"]}, path="a.jsonl")


# Label Studio


def annotation(who: Any, *choices: str, control: str = "stance", **more: Any) -> dict[str, Any]:
    value = {"choices": list(choices)}
    return {
        "completed_by": who,
        "result": [{"type": "choices", "from_name": control, "to_name": "text", "value": value}],
        **more,
    }


def studio(*tasks: tuple[str, list[Any] | None]) -> list[dict[str, Any]]:
    return [
        {"id": number, "data": {"text": text, "outlet": "o"}, "annotations": annotations}
        for number, (text, annotations) in enumerate(tasks, start=1)
    ]


STUDIO = {"text": "text", "label": "stance", "id": "id"}


def test_label_studio_gives_what_most_annotators_chose(tmp_path: Path) -> None:
    tasks = studio(
        ("نفى الوزير", [annotation(1, "no"), annotation({"id": 2, "email": "b@c"}, "no"), annotation(3, "yes")]),
        ("أكد الوزير", [annotation(1, "yes"), annotation(2, "no", was_cancelled=True)]),
        ("قال الوزير", [annotation(1, "no"), annotation(2, "yes", ground_truth=True)]),
        ("لم يعلق", []),
        ("صمت", [{"completed_by": 1, "result": []}]),
    )
    tasks[1]["annotations"][0]["result"].append(
        {"type": "labels", "from_name": "span", "value": {"start": 0, "end": 3, "labels": ["WHO"]}}
    )
    path = write_json(tmp_path / "a.json", tasks)
    assert detect_form(path).form.format == "label-studio"
    task = build(tmp_path, ["yes", "no"], STUDIO, path="a.json", format="label-studio")
    assert task.y.tolist() == ["no", "yes", "yes"]
    assert task.ids.tolist() == ["1", "2", "3"]
    assert task.notes == ("2 of 5 rows are left out: no label (2).",)


def test_null_where_the_tool_has_nothing_to_say_is_no_label(tmp_path: Path) -> None:
    tasks = studio(
        ("نفى الوزير", [annotation(1, "no"), {"completed_by": 2, "result": None}, None]),
        ("أكد الوزير", [annotation(None, "yes")]),
        ("لم يعلق", None),
    )
    tasks[1]["annotations"][0]["result"] += [None, {"type": "choices", "from_name": "stance", "value": None}]
    write_json(tmp_path / "a.json", tasks)
    task = build(tmp_path, ["yes", "no"], STUDIO, path="a.json", format="label-studio")
    assert task.y.tolist() == ["no", "yes"]
    assert task.notes == ("1 of 3 rows is left out: no label (1).",)


@pytest.mark.parametrize("separator", [",", ",\n"])
def test_an_error_in_an_export_names_the_line_or_where_all_are_on_one_the_id(tmp_path: Path, separator: str) -> None:
    tasks = studio(("x", [annotation(1, "no")]), ("y", [annotation(1, "yes"), annotation(2, "no")]))
    (tmp_path / "a.json").write_text("[" + separator.join(map(json.dumps, tasks)) + "]")
    with pytest.raises(DataError, match="line 2: its" if "\n" in separator else f"id {tasks[1]['id']}: its annotators"):
        build(tmp_path, ["yes", "no"], STUDIO, path="a.json", format="label-studio")


def test_annotators_who_labelled_every_text_can_be_passes(tmp_path: Path) -> None:
    votes = [("no", "no"), ("yes", "yes"), ("yes", "yes")]
    tasks = studio(*((f"نص {number}", [annotation(1, a), annotation(2, b)]) for number, (a, b) in enumerate(votes)))
    write_json(tmp_path / "a.json", tasks)
    columns = STUDIO | {"passes": ["stance@1", "stance@2"]}
    task = build(tmp_path, ["yes", "no"], columns, path="a.json", format="label-studio")
    assert task.passes is not None
    assert task.passes.to_numpy().tolist() == [list(pair) for pair in votes]


UNDECIDED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a tie": (
        [annotation(1, "yes"), annotation(2, "no")],
        "line 2: its annotators are tied: yes (1), no (1).\nDecide it in the tool, and export again.",
    ),
    "several choices": ([annotation(1, "yes", "no")], "line 2: it has 2 labels: yes, no."),
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_is_no_one_label_is_an_error_that_names_the_line(tmp_path: Path, name: str) -> None:
    annotations, expected = UNDECIDED[name]
    lines = [json.dumps(task) for task in studio(("x", [annotation(1, "yes")]), ("y", annotations))]
    (tmp_path / "a.json").write_text("[" + ",\n".join(lines) + "]")
    with pytest.raises(DataError) as error:
        build(tmp_path, ["yes", "no"], STUDIO, path="a.json", format="label-studio")
    assert expected in str(error.value)


def test_a_tie_in_a_control_that_is_not_asked_for_is_no_error(tmp_path: Path) -> None:
    both = [annotation(1, "yes"), annotation(2, "yes")]
    for given_by, tone in zip(both, ("calm", "angry"), strict=True):
        given_by["result"] += annotation(0, tone, control="tone")["result"]
    write_json(tmp_path / "a.json", studio(("x", both), ("y", [annotation(1, "no")])))
    assert len(build(tmp_path, ["yes", "no"], STUDIO, path="a.json", format="label-studio")) == 2


def test_an_export_of_spans_is_refused(tmp_path: Path) -> None:
    spans = {"completed_by": 1, "result": [{"type": "labels", "from_name": "span", "value": {"start": 0, "end": 3}}]}
    write_json(tmp_path / "a.json", studio(("x", [spans])))
    with pytest.raises(DataError, match="no annotation has a choice of a Choices control"):
        build(tmp_path, ["yes", "no"], STUDIO, path="a.json", format="label-studio")


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4), min_size=1, max_size=5))
def test_both_forms_of_label_studio_give_the_same_labels(
    tmp_path_factory: pytest.TempPathFactory, votes: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("studio")
    tasks = studio(
        *((f"نص {n}", [annotation(who, vote) for who, vote in enumerate(given)]) for n, given in enumerate(votes))
    )
    short = [
        {"id": task["id"], **task["data"], "stance": vote, "annotator": who, "annotation_id": 10 * task["id"] + who}
        for task, given in zip(tasks, votes, strict=True)
        for who, vote in enumerate(given)
    ]
    full_path, short_path = write_json(folder / "a.json", tasks), write_json(folder / "b.json", short)
    assert detect_form(short_path).form.format == "label-studio-min"
    full, brief = rows(full_path, "label-studio"), rows(short_path, "label-studio-min")
    assert [(row["id"], row["text"], row["stance"]) for row in full] == [
        (row["id"], row["text"], row["stance"]) for row in brief
    ]
    for row, choices in zip(full, votes, strict=True):
        most = max("ab", key=choices.count)
        if choices.count("a") != choices.count("b"):
            assert row["stance"] == most
        else:
            assert "tied" in row["stance"].message


# doccano and Prodigy


def test_doccano_gives_the_one_label_of_a_text(tmp_path: Path) -> None:
    lines = [
        {"id": 1, "text": "نفى", "label": ["no"], "Comments": [], "outlet": "a"},
        {"id": 2, "data": "أكد", "label": ["yes"], "Comments": []},
        {"id": 3, "text": "قال", "label": [], "Comments": []},
    ]
    path = write_lines(tmp_path / "a.jsonl", lines)
    assert detect_form(path).form.format == "doccano"
    task = build(tmp_path, ["yes", "no"], {"text": "text", "label": "label"}, path="a.jsonl", format="doccano")
    assert (task.frame["text"].tolist(), task.y.tolist()) == (["نفى", "أكد"], ["no", "yes"])
    assert task.notes == ("1 of 3 rows is left out: no label (1).",)


DOCCANO: dict[str, tuple[dict[str, Any], str]] = {
    "spans": ({"text": "x", "label": [[0, 1, "PER"]]}, "line 2: 'label' has spans, such as [0, 1, 'PER']"),
    "entities": ({"text": "x", "entities": [], "relations": []}, "line 2: this labels spans and relations"),
    "several labels": ({"text": "x", "label": ["yes", "no"]}, "line 2: it has 2 labels: yes, no."),
    "no text": ({"label": ["yes"]}, "line 2: 'text' is missing."),
}


@pytest.mark.parametrize("name", DOCCANO)
def test_what_doccano_labels_other_than_texts_is_refused(tmp_path: Path, name: str) -> None:
    line, expected = DOCCANO[name]
    write_lines(tmp_path / "a.jsonl", [{"text": "a", "label": ["no"]}, line])
    with pytest.raises(DataError) as error:
        build(tmp_path, ["yes", "no"], {"text": "text", "label": "label"}, path="a.jsonl", format="doccano")
    assert expected in str(error.value)


def answer(text: str, given: str, **more: Any) -> dict[str, Any]:
    return {"text": text, "answer": given, "_input_hash": hash(text), **more}


def prodigy_rows(folder: Path, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    path = write_lines(folder / "a.jsonl", list(lines))
    assert detect_form(path).form.format == "prodigy"
    return rows(path, "prodigy")


def test_prodigy_gives_the_chosen_option(tmp_path: Path) -> None:
    found = prodigy_rows(
        tmp_path,
        answer("نفى", "accept", accept=["no"], meta={"outlet": "a"}),
        answer("أكد", "accept", accept=["yes"]),
        answer("قال", "accept", accept=["yes", "no"]),
        answer("صمت", "ignore", accept=[]),
    )
    assert [row["label"] for row in found[:2]] == ["no", "yes"]
    assert found[0]["meta.outlet"] == "a"
    assert "2 labels: yes, no" in found[2]["label"].message
    assert found[3]["label"].reason == "ignored"


@pytest.mark.parametrize("empty", [[], "", None])
def test_an_empty_label_beside_an_answer_in_prodigy_is_none(tmp_path: Path, empty: object) -> None:
    chosen = answer("نفى", "accept", label=empty, accept=["no"]), answer("صمت", "accept", label=empty, accept=[])
    found = prodigy_rows(tmp_path, *chosen, answer("قال", "reject", label=empty, accept=["no"]))
    assert found[0]["label"] == "no"
    assert [row["label"].reason for row in found[1:]] == ["no label", "rejected"]


def test_a_rejected_label_is_its_contrary_only_where_there_is_one_label(tmp_path: Path) -> None:
    yes, no = answer("نفى", "accept", label="denial"), answer("أكد", "reject", label="denial")
    assert [row["label"] for row in prodigy_rows(tmp_path, yes, no)] == ["denial", "not denial"]
    other = answer("قال", "accept", label="stance")
    labels = [row["label"] for row in prodigy_rows(tmp_path, yes, no, other)]
    assert (labels[0], labels[1].reason, labels[2]) == ("denial", "rejected", "stance")


def test_answers_of_several_annotators_are_one_text(tmp_path: Path) -> None:
    votes = [answer("نفى", "accept", accept=[choice], _session_id=f"db-{who}") for who, choice in enumerate("aab")]
    (row,) = prodigy_rows(tmp_path, *votes)
    assert row["label"] == "a"
    assert (row["label@db-0"], row["label@db-2"]) == ("a", "b")


# Spans of documents


def standoff(folder: Path, content: str, file: str = "labels.csv", **columns: str) -> Task:
    (folder / "docs").mkdir(exist_ok=True)
    (folder / "docs" / "a.txt").write_text("نفى 😀 الوزير. وأكد السفير.", encoding="utf-8")
    (folder / "docs" / "b.txt").write_text("قال السفير.", encoding="utf-8")
    (folder / "docs" / file).write_text(content, encoding="utf-8")
    source = {"kind": "standoff", "documents": "docs", "labels": f"docs/{file}"}
    return build(folder, ["yes", "no"], columns, **source)


def test_spans_count_code_points_and_are_grouped_by_document(tmp_path: Path) -> None:
    task = standoff(tmp_path, "document,start,end,label\na,0,13,no\na.txt,14,26,yes\nb,0,11,yes\n")
    assert task.frame["text"].tolist() == ["نفى 😀 الوزير.", "وأكد السفير.", "قال السفير."]
    assert task.group == "document"
    assert task.groups.tolist() == ["a", "a", "b"]


def test_spans_have_the_dates_of_their_rows(tmp_path: Path) -> None:
    content = "document,start,end,label,seen\na,0,13,no,2024/5/3\na,14,26,yes,2024-05-03\nb,0,11,yes,\n"
    assert standoff(tmp_path, content, date="seen").examples["date"].tolist() == ["2024-05-03", "2024-05-03", ""]


def test_a_document_without_a_labelled_span_is_counted(tmp_path: Path) -> None:
    task = standoff(tmp_path, "document,start,end,label\na,0,13,no\na.txt,14,26,yes\n")
    assert task.notes == ("1 of 2 documents has no labelled span: b.",)


SPANS = {
    "another text": ("a,1,4,no,نفى", "'a' has 'فى ' from 1 to 4, not 'نفى'.\nThis text is at 0 to 3"),
    "a text that is nowhere": ("a,0,3,no,كلا", "'a' has 'نفى' from 0 to 3, not 'كلا'.\nThe document does not contain"),
    "an end beyond the document": ("b,0,12,no,", "the span 0 to 12 is not in 'b', which has 11 characters."),
    "an end before the start": ("b,3,3,no,", "the span 3 to 3 is not in 'b'"),
    "no number": ("b,x,3,no,", "column 'start' must be a whole number from 0, not 'x'."),
    "a number of other digits": ("b,٣,5,no,", "column 'start' must be a whole number from 0, not '٣'."),
    "an unknown document": ("c,0,3,no,", "unknown document 'c'.\nChoose from: a, b."),
    "a span of white space": ('a,3,4,no," "', "the span 3 to 4 of 'a' is empty."),
    "a span that stands twice": ("b,0,3,yes,قال", "the span 0 to 3 of 'b' is repeated, first in"),
    "an unknown label": ("a,0,3,nope,نفى", "label 'nope' is not one of the task's labels.\nDid you mean 'no'?"),
}


@pytest.mark.parametrize("name", SPANS)
def test_a_span_that_does_not_fit_is_an_error_that_shows_what_is_there(tmp_path: Path, name: str) -> None:
    line, expected = SPANS[name]
    with pytest.raises(DataError) as error:
        standoff(tmp_path, f"document,start,end,label,text\nb,0,3,yes,قال\n{line}\n", text="text")
    assert "labels.csv, line 3: " in str(error.value)
    assert expected in str(error.value)


# Tables in several files

COLUMNS = {"text": "text", "label": "label"}


@settings(max_examples=10)
@given(st.lists(st.sampled_from("ab"), min_size=2, max_size=8).filter(lambda labels: len(set(labels)) == 2), st.data())
def test_the_pieces_of_a_table_are_read_as_the_whole(
    tmp_path_factory: pytest.TempPathFactory, labels: list[str], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    table = [{"text": f"نص {number}", "label": label} for number, label in enumerate(labels)]
    at = data.draw(st.integers(1, len(table) - 1))
    for name, some in (("all", table), ("first", table[:at]), ("second", table[at:])):
        write_lines(folder / f"{name}.jsonl", some)
    whole = build(folder, ["a", "b"], COLUMNS, path="all.jsonl")
    pieces = build(folder, ["a", "b"], COLUMNS, path=["first.jsonl", "second.jsonl"])
    assert pieces.examples.equals(whole.examples)


def test_the_labels_of_each_part_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    for part, texts, labels in (("train", "أ ب\nج د\n", "a\nb\n"), ("test", "ه و\n", "a\n")):
        (tmp_path / f"{part}.txt").write_text(texts, encoding="utf-8")
        (tmp_path / f"{part}.labels").write_text(labels, encoding="utf-8")
    path = {"train": "train.txt", "test": "test.txt"}
    beside = {"train": "train.labels", "test": "test.labels"}
    task = build(tmp_path, ["a", "b"], COLUMNS, format="lines", path=path, labels=beside)
    assert task.examples[["text", "label", "split"]].to_numpy().tolist() == [
        ["أ ب", "a", "train"],
        ["ج د", "b", "train"],
        ["ه و", "a", "test"],
    ]
    with pytest.raises(ConfigError, match=r"source\.labels\.test is missing"):
        build(tmp_path, ["a", "b"], COLUMNS, format="lines", path=path, labels={"train": "train.labels"})
    with pytest.raises(ConfigError, match=r"source\.path must be one file because its labels are in another one"):
        build(tmp_path, ["a", "b"], COLUMNS, format="lines", path=["train.txt", "test.txt"], labels="train.labels")
