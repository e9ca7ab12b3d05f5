"""`bench new task` makes a task of a user's own data in one command, or says why not and writes nothing."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.catalogue import load_task
from bench.checks import Finding
from bench.data import Task
from bench.data.card import BEGIN, END
from bench.data.labels import label_key
from bench.errors import ConfigError, DataError
from bench.scaffold import Given, TaskRequest, scaffold_task
from bench.scaffold.columns import choose_columns
from bench.scaffold.summary import summarise_columns

Bench = Callable[..., tuple[int, str, str]]

ROWS = [
    {"id": f"e{number}", "text": f"{cue} الوزير الخبر رقم {number}", "label": label, "document": f"d{number % 12}"}
    for number in range(36)
    for cue, label in [(("نفى", "denial"), ("أكد", "none"), ("أعلن", "none"))[number % 3]]
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_csv(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def renamed(rows: list[dict[str, str]], **names: str) -> list[dict[str, str]]:
    return [{names.get(key, key): value for key, value in row.items()} for row in rows]


def definition(folder: Path, name: str = "mine") -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "tasks" / name / "task.yaml").read_text(encoding="utf-8"))
    return content


def test_one_command_makes_a_task_that_loads(folder: Path, bench: Bench) -> None:
    write_csv(folder / "labels.csv", ROWS)
    status, printed, _ = bench("new", "task", "mine", "--data", "labels.csv")
    assert status == 0
    for line in (
        "tasks/mine/task.yaml",
        "tasks/mine/README.md",
        "schemas/bench-task.json",
        "Next: bench run task=mine",
    ):
        assert line in printed
    assert "36 examples in 12 groups (group): none 24, denial 12." in printed
    assert "bench check task=mine" not in printed
    assert max(map(len, printed.splitlines())) <= 80
    task = load_task("mine")
    assert task.ids.tolist() == [row["id"] for row in ROWS]
    assert task.frame["text"].tolist() == [row["text"] for row in ROWS]
    assert task.y.tolist() == [row["label"] for row in ROWS]
    assert task.groups.tolist() == [row["document"] for row in ROWS]
    written = sorted(path.name for path in folder.rglob("*") if path.is_file())
    assert written == ["README.md", "bench-task.json", "labels.csv", "task.yaml"]


def test_what_it_writes_is_short_and_complete(folder: Path, bench: Bench) -> None:
    write_csv(folder / "data" / "labels.csv", ROWS)
    bench("new", "task", "mine", "--data", "data/labels.csv")
    text = (folder / "tasks" / "mine" / "task.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 25
    assert definition(folder) == {
        "name": "mine",
        "version": 1,
        "description": "The column label of labels.csv.",
        "source": {
            "kind": "table",
            "path": "../../data/labels.csv",
            "columns": {"id": "id", "text": "text", "label": "label", "group": "document"},
        },
        "inputs": ["text"],
        "labels": ["none", "denial"],
        "metric": "macro_f1",
    }
    card = (folder / "tasks" / "mine" / "README.md").read_text(encoding="utf-8")
    computed = card[card.index(BEGIN) : card.index(END)]
    assert "36 examples in 12 groups" in computed
    assert re.search(r"^\| denial \| .*\| 12 \|$", computed, re.MULTILINE)


def test_a_card_can_be_computed_anew(folder: Path, bench: Bench) -> None:
    from bench.data.card import main

    write_csv(folder / "labels.csv", ROWS)
    bench("new", "task", "mine", "--data", "labels.csv")
    card = folder / "tasks" / "mine" / "README.md"
    before = card.read_text(encoding="utf-8")
    assert main(["tasks/mine"]) == 0
    assert card.read_text(encoding="utf-8") == before


def test_data_with_an_error_end_with_the_status_of_the_checks(folder: Path, bench: Bench) -> None:
    write_csv(folder / "a.csv", [{**row, "text": row["text"].encode("cp1256").decode("latin-1")} for row in ROWS])
    status, printed, _ = bench("new", "task", "mine", "--data", "a.csv")
    assert status == bench("check", "task=mine")[0] == 1
    assert "D305  error" in printed
    assert printed.endswith("Fix the data, then run:\n      bench check task=mine\n")
    assert "bench run task=mine" not in printed


def test_where_a_check_fails_nothing_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(task: Task) -> list[Finding]:
        raise RuntimeError("a check")

    write_csv(folder / "a.csv", ROWS)
    monkeypatch.setattr("bench.scaffold.task.check_task", fail)
    with pytest.raises(RuntimeError, match="a check"):
        scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert not (folder / "tasks").exists()


def test_a_card_has_each_group_and_label_as_it_is_named(folder: Path) -> None:
    """Also names that make a table's cells, or its own heading."""
    names = ["\u00e9", "b", "a|b", "all"]
    rows = [{"text": row["text"], "label": name, "group": name} for row, name in zip(ROWS, names * 9, strict=True)]
    write_csv(folder / "a.csv", rows)
    scaffold_task(TaskRequest("mine", "a.csv", allow_several=True), folder)
    card = (folder / "tasks" / "mine" / "README.md").read_text(encoding="utf-8")
    assert "| label | all | a\\|b | b | \u00e9 | all |\n" in card
    assert "| a\\|b | 0 | 9 | 0 | 0 | 9 |\n| all | 9 | 0 | 0 | 0 | 9 |\n| all | 9 | 9 | 9 | 9 | 36 |\n" in card


def test_columns_are_as_named(folder: Path, bench: Bench) -> None:
    rows = [{**row, "headline": f"عنوان {row['id']}", "outlet": row["document"][-1]} for row in ROWS]
    write_csv(folder / "a.csv", rows)
    options = ["--text", "headline", "--claim", "text", "--group", "outlet"]
    assert bench("new", "task", "mine", "--data", "a.csv", *options)[0] == 0
    task = load_task("mine")
    assert task.inputs == ("claim", "text")
    assert task.examples["text"].tolist() == [row["headline"] for row in rows]
    assert task.groups.tolist() == [row["outlet"] for row in rows]


def test_a_published_split_is_found_by_its_name_and_values(folder: Path, bench: Bench) -> None:
    rows = [{**row, "split": ("train", "validation", "test")[number % 12 // 4]} for number, row in enumerate(ROWS)]
    write_csv(folder / "a.csv", rows)
    _, printed, _ = bench("new", "task", "mine", "--data", "a.csv")
    assert "The published split is used as it is: train 12, dev 12, test 12." in printed
    write_csv(folder / "b.csv", [{**row, "split": "north"} for row in ROWS])
    bench("new", "task", "other", "--data", "b.csv")
    assert load_task("other").splits == ()


@pytest.mark.parametrize(
    ("file", "format_name"),
    [
        ("a.csv", None),
        ("a.tsv", None),
        ("b.csv", "semicolon-csv"),
        ("a.txt", "tsv"),
        ("a.jsonl", None),
        ("a.json", None),
    ],
)
def test_the_format_is_told_by_name_and_content(folder: Path, file: str, format_name: str | None) -> None:
    if file.endswith("jsonl"):
        write_lines(folder / file, ROWS)
    elif file.endswith("json"):
        (folder / file).write_text(json.dumps(ROWS), encoding="utf-8")
    else:
        write_csv(folder / file, ROWS, {"a.csv": ",", "b.csv": ";"}.get(file, "\t"))
    task = scaffold_task(TaskRequest("mine", file), folder).task
    assert task.examples["text"].tolist() == [row["text"] for row in ROWS]
    assert definition(folder)["source"].get("format") == format_name


def test_exports_of_annotation_tools_need_no_option(folder: Path) -> None:
    studio = [
        {
            "id": number,
            "data": {"text": row["text"], "document": row["document"]},
            "annotations": [
                {
                    "completed_by": who,
                    "result": [{"type": "choices", "from_name": "deny", "value": {"choices": [label]}}],
                }
                for who, label in enumerate([row["label"], row["label"], "denial" if number % 5 else "none"])
            ],
        }
        for number, row in enumerate(ROWS)
    ]
    (folder / "studio.json").write_text(json.dumps([*studio, {"id": 99, "data": {"text": "x"}, "annotations": []}]))
    doccano = [{"id": row["id"], "text": row["text"], "label": [row["label"]], "Comments": []} for row in ROWS]
    prodigy = [
        {"text": row["text"], "accept": [row["label"]], "answer": "accept", "_input_hash": n}
        for n, row in enumerate(ROWS)
    ]
    write_lines(folder / "doccano.jsonl", doccano)
    write_lines(folder / "prodigy.jsonl", prodigy)
    labels = [row["label"] for row in ROWS]
    for name, file in (("a", "studio.json"), ("b", "doccano.jsonl"), ("c", "prodigy.jsonl")):
        assert scaffold_task(TaskRequest(name, file), folder).task.y.tolist() == labels
        assert load_task(name).y.tolist() == labels
    studied = load_task("a")
    assert studied.group == "group"
    assert studied.passes is not None
    assert studied.passes.shape == (36, 3)
    assert studied.notes == ("1 of 37 rows is left out: no label (1).",)


def test_a_folder_of_documents_is_a_task_of_its_spans(folder: Path) -> None:
    documents = folder / "documents"
    documents.mkdir()
    lines = []
    for number in range(4):
        text = f"نفى الوزير {number}. أكد السفير {number}."
        (documents / f"d{number}.txt").write_text(text, encoding="utf-8")
        middle = text.index(".") + 1
        lines += [(f"d{number}", 0, middle, "denial"), (f"d{number}", middle + 1, len(text), "none")]
    write_csv(
        documents / "labels.csv",
        [dict(zip(("doc", "start", "end", "label"), map(str, line), strict=True)) for line in lines],
    )
    task = scaffold_task(TaskRequest("mine", "documents"), folder).task
    assert task.group == "document"
    assert load_task("mine").examples["text"].tolist()[:2] == ["نفى الوزير 0.", "أكد السفير 0."]
    assert definition(folder)["source"]["columns"] == {"document": "doc"}


REFUSED: dict[str, tuple[list[str], str]] = {
    "no such file": (["--data", "lables.csv"], "lables.csv: the file does not exist.\nDid you mean 'labels.csv'?"),
    "no such column": (["--text", "txet"], "--text txet: labels.csv has no such column.\nDid you mean 'text'?"),
    "one column twice": (["--text", "text", "--label", "text"], "--text and --label are the same column, 'text'."),
    "ids for labels": (["--label", "id"], "the column 'id' has 72 different values, so it is not a column of labels."),
    "one label only": (
        ["--label", "constant"],
        "the column 'constant' has one value, so it is not a column of labels.",
    ),
    "a split of other words": (["--split", "document"], "'d0' is not a part of a split."),
    "a sheet": (
        ["--data", "labels.ods"],
        "no format is known for '.ods'.\nSave the sheet as .xlsx, or as CSV",
    ),
    "no workbook": (
        ["--data", "labels.xlsx"],
        "labels.xlsx: not a readable .xlsx workbook: File is",
    ),
    "other bytes": (["--data", "latin.csv"], "latin.csv, line 2: byte"),
    "an empty file": (["--data", "empty.csv"], "empty.csv: the file is empty."),
    "a text that is empty": (["--data", "gap.csv"], "gap.csv, line 3: column 'text' is empty, as in 1 of all 2 rows."),
    "a folder without labels": (["--data", "docs"], "a folder of documents needs .txt files and a file of labels"),
    "no name that tells": (
        ["--data", "plain.csv"],
        "plain.csv: which column is the text? No column has a usual name for it, and",
    ),
    "a text that is the group": (["--group", "text"], "or long texts.\n'text' is the group by --group."),
    "a split without a test part": (["--split", "half"], "--split half: no row of labels.csv is in 'test'."),
    "a gap in a column that was guessed": (
        ["--data", "gap.csv"],
        "Its text is in 'text' (recognised by its name). Choose another with --text COLUMN.",
    ),
    "a gap in the group": (
        ["--data", "gap.csv", "--group", "who"],
        "column 'who' is empty.\nEvery example needs a group.",
    ),
    "no data": (["--data", ""], "--data is empty."),
    "an address": (["--data", "https://example.org/a.csv"], "https://example.org/a.csv: addresses are not supported."),
    "the home of nobody": (["--data", "~nobody-here/a.csv"], "cannot be read: Could not determine home directory.\n"),
    "no suffix": (["--data", "labels"], "labels: its name has no suffix that tells its format."),
    "a label of one value beside several texts": (["--data", "many.csv"], "the column 'label' has one value"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_task_is_refused_and_nothing_is_written(folder: Path, bench: Bench, name: str) -> None:
    options, expected = REFUSED[name]
    rows = [{**row, "constant": "x", "id": f"e{n}", "half": "train"} for n, row in enumerate([*ROWS, *ROWS])]
    write_csv(folder / "labels.csv", rows)
    (folder / "labels").touch()
    (folder / "latin.csv").write_bytes("text,label\nété,a\n".encode("windows-1252"))
    (folder / "labels.ods").write_bytes(b"PK")
    (folder / "labels.xlsx").write_bytes(b"PK")
    (folder / "empty.csv").touch()
    (folder / "gap.csv").write_text("text,label,who\nx,a,\n ,b,me\n", encoding="utf-8")
    (folder / "docs").mkdir()
    write_csv(folder / "plain.csv", [{**row, "آخر": row["عمود"][::-1]} for row in renamed(ROWS, text="عمود")])
    write_csv(folder / "many.csv", [{"sentence": "x", "body": "y", "label": "z"}])
    before = sorted(folder.rglob("*"))
    data = [] if "--data" in options else ["--data", "labels.csv"]
    status, printed, told = bench("new", "task", "mine", *data, *options)
    assert (status, printed) == (2, "")
    assert " ".join(expected.split()) in " ".join(told.split())
    assert sorted(folder.rglob("*")) == before


def test_columns_that_do_not_tell_are_listed_with_their_values(folder: Path) -> None:
    write_csv(folder / "a.csv", [{**row, "آخر": row["عمود"][::-1]} for row in renamed(ROWS, text="عمود")])
    with pytest.raises(ConfigError) as error:
        scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert "Choose one: --text 'عمود', or for pairs --claim 'عمود' --text 'آخر'" in str(error.value)
    assert "عمود: 'نفى الوزير الخبر رقم 0', 'أكد" in str(error.value)
    assert "label: 'denial', 'none'" in str(error.value)


def test_a_task_that_is_there_is_kept_unless_forced(folder: Path) -> None:
    write_csv(folder / "a.csv", ROWS)
    write_csv(folder / "b.csv", ROWS[:30])
    scaffold_task(TaskRequest("mine", "a.csv"), folder)
    card = folder / "tasks" / "mine" / "README.md"
    card.write_text("precious", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"tasks/mine/task\.yaml, tasks/mine/README\.md"):
        scaffold_task(TaskRequest("mine", "b.csv"), folder)
    assert card.read_text(encoding="utf-8") == "precious"
    assert len(scaffold_task(TaskRequest("mine", "b.csv", force=True), folder).task) == 30
    assert "precious" not in card.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="A task 'stance' already exists"):
        scaffold_task(TaskRequest("stance", "a.csv"), folder)


NO_TEXTS = ("1e3", "null", "true", "1_0", "false")
"""Names that the command line takes for numbers and the like."""


@pytest.mark.parametrize(
    "name", [*("", "Mine", "a/b", "../up", "مهمة", "-a", ".hidden", "a.yaml", "all", "a b", "a\n"), *NO_TEXTS]
)
def test_a_bad_name_is_refused_and_nothing_is_written(folder: Path, name: str) -> None:
    write_csv(folder / "a.csv", ROWS)
    with pytest.raises(ConfigError, match="cannot be a task's name"):
        scaffold_task(TaskRequest(name, "a.csv", force=True), folder)
    assert not (folder / "tasks").exists()


@pytest.mark.parametrize("name", NO_TEXTS)
def test_a_task_file_whose_name_cannot_be_run_is_refused(folder: Path, name: str) -> None:
    write_csv(folder / "a.csv", ROWS)
    scaffold_task(TaskRequest("mine", "a.csv"), folder)
    with pytest.raises(ConfigError, match=rf"task\.yaml: name '{name}' cannot be a task's name: task={name} would be"):
        load_task("mine", {"name": name})


@pytest.mark.parametrize("file", ["task.yaml", "README.md"])
def test_a_folder_in_the_place_of_a_file_is_told_before_anything_is_replaced(folder: Path, file: str) -> None:
    write_csv(folder / "a.csv", ROWS)
    (folder / "tasks" / "mine" / file).mkdir(parents=True)
    other = folder / "tasks" / "mine" / ("README.md" if file == "task.yaml" else "task.yaml")
    other.write_text("precious", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"{file}: it is a folder, but a file goes there"):
        scaffold_task(TaskRequest("mine", "a.csv", force=True), folder)
    assert other.read_text(encoding="utf-8") == "precious"


def test_a_full_disk_leaves_nothing_half_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(folder / "a.csv", ROWS)
    write_text = Path.write_text

    def full(path: Path, *args: Any, **options: Any) -> int:
        if path.name == "README.md":
            raise OSError(28, "No space left on device", str(path))
        return write_text(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert list((folder / "tasks").iterdir()) == []


@pytest.mark.slow
@settings(max_examples=25)
@example(["0;0", "1"])
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=8),
        min_size=2,
        max_size=6,
        unique=True,
    )
)
def test_any_label_comes_through_the_file(tmp_path_factory: pytest.TempPathFactory, labels: list[str]) -> None:
    labels = [" ".join(label.split()) for label in labels if label.strip()] or ["yes"]
    labels = [*labels, "null", "1.5", "y: n", "${a}", "# no"]
    labels = list({label_key(label): label for label in reversed(labels)}.values())
    folder = tmp_path_factory.mktemp("labels")
    write_lines(folder / "a.jsonl", [{"text": f"نص {n}", "a\x85": label} for n, label in enumerate(labels)])
    # A label such as "0;0" looks like several.
    request = TaskRequest("mine", str(folder / "a.jsonl"), Given(label="a\x85"), allow_several=True)
    built = scaffold_task(request, folder)
    assert built.task.labels == tuple(labels)
    from bench.data.definition import build_task, read_definition

    origin = folder / "tasks" / "mine" / "task.yaml"
    assert build_task(read_definition(origin), origin).digest == built.task.digest
    assert len(origin.read_text(encoding="utf-8").splitlines()) <= 25


NAMES = ["text", "label", "sentence", "class", "split", "id", "document", "Text ", "النص", "التصنيف", "x", "y"]


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
def test_no_column_is_guessed_to_be_two_things(names: list[str]) -> None:
    rows = [("", {name: f"{name}{n}" for name in names}) for n in range(3)]
    try:
        columns = choose_columns(summarise_columns(rows), Given(), "a.csv", has_split=False)
    except ConfigError:
        return
    chosen = [column for column in columns.columns.values() if isinstance(column, str)]
    assert len(set(chosen)) == len(chosen)
    assert {"text", "label"} <= columns.columns.keys()


GUESSES: dict[str, tuple[list[dict[str, str]], list[str]]] = {
    "a group that nearly no row has": (
        [{**row, "document": row["document"] * (number in (0, 12))} for number, row in enumerate(ROWS)],
        ["The column 'document' is not used as the group: in a.csv, line 3 it is empty.", "36 groups (id)"],
    ),
    "a group that no two rows share": (
        [{**row, "document": row["id"] * (number != 4)} for number, row in enumerate(ROWS)],
        ["The column 'document' is not used as the group: in a.csv, line 6 it is empty.", "36 groups (id)"],
    ),
    "one of two groups": (
        [{**row, "doc_id": row["id"]} for row in ROWS],
        ["The group is in 'document'. It could also be 'doc_id': --group doc_id chooses that.", "12 groups (group)"],
    ),
    "an id that stands twice": (
        [{**row, "id": "x"} for row in ROWS],
        ["The column 'id' is not used as the id: in a.csv, line 3 it has 'x', which is repeated."],
    ),
    "an id with a hidden character": (
        [{**row, "id": f"{row['id']}\u200f"} for row in ROWS],
        ["The column 'id' is not used as the id: in a.csv, line 2 it has a hidden character."],
    ),
    "a split without a test part": (
        [{**row, "split": "train"} for row in ROWS],
        ["The column 'split' is not used as a published split: no row is in 'test'."],
    ),
    "labels that doccano's CSV joins": (
        [{**row, "label": f"{row['label']}#none" if row["id"] == "e0" else row["label"]} for row in ROWS],
        ["The label 'denial#none' looks like several in one, as in doccano's CSV."],
    ),
    "a row an annotation, as Label Studio's CSV has it": (
        [{**row, "annotation_id": row["id"], "annotator": "1"} for row in ROWS],
        ["This is Label Studio's CSV, with a row for each annotation"],
    ),
}


@pytest.mark.parametrize("name", GUESSES)
def test_what_is_not_used_as_its_name_tells_is_said(folder: Path, bench: Bench, name: str) -> None:
    rows, sentences = GUESSES[name]
    write_csv(folder / "a.csv", rows)
    status, printed, _ = bench("new", "task", "mine", "--data", "a.csv")
    assert status == 0
    for sentence in sentences:
        assert sentence in " ".join(printed.split())
    assert len(load_task("mine")) == len(ROWS)


def test_controls_of_an_annotation_tool_are_told_by_what_annotators_filled_in(folder: Path) -> None:
    def studio(*controls: str) -> str:
        tasks = [
            {"id": n, "data": {"text": row["text"]}, "annotations": [{"completed_by": 1, "result": [
                {"type": "choices", "from_name": control, "value": {"choices": [row["label"]]}} for control in controls
            ]}]}
            for n, row in enumerate(ROWS)
        ]  # fmt: skip
        (folder / f"{len(controls)}.json").write_text(json.dumps(tasks))
        return f"{len(controls)}.json"

    one = scaffold_task(TaskRequest("one", studio("deny")), folder)
    assert "label from 'deny' (the only one with annotations)" in one.reading
    two = scaffold_task(TaskRequest("two", studio("stance", "does it deny")), folder)
    assert "label from 'stance' (recognised by its name)" in two.reading
    assert "'does it deny' has annotations too: --label 'does it deny' makes a task of them." in two.remarks


# The Hugging Face Hub


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A stand-in for the Hub: data sets of the `datasets` package in memory, asked for as the real one is."""
    import datasets
    import huggingface_hub

    features = datasets.Features(
        {"content": datasets.Value("string"), "label": datasets.ClassLabel(names=["denial", "none"])}
    )
    rows = [{"content": row["text"], "label": row["label"]} for row in ROWS]
    cut = {"train": rows[:20], "validation": rows[20:28], "test": rows[28:]}
    splits = {name: datasets.Dataset.from_list(part, features=features) for name, part in cut.items()}
    asked: dict[str, Any] = {"splits": splits}

    class Builder:
        def as_dataset(self, split: str) -> Any:
            if split not in splits:
                raise ValueError(f'Unknown split "{split}". Should be one of {list(splits)}.')
            return splits[split]

    def prepared(dataset: str, config: str | None, revision: str, cache: Path) -> Builder:
        assert (dataset, revision) == ("owner/name", COMMIT)
        assert COMMIT in str(cache)
        asked["config"] = config
        return Builder()

    class Api:
        def dataset_info(self, dataset: str, revision: str | None = None) -> Any:
            asked["revision"] = revision
            return type("Info", (), {"sha": COMMIT})

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr("bench.data.sources.hub.prepared", prepared)
    monkeypatch.setattr(datasets, "get_dataset_config_names", lambda *_, **__: asked.get("configs", ["default"]))
    monkeypatch.setattr(datasets, "get_dataset_split_names", lambda *_, **__: list(splits))
    return asked


def test_a_data_set_of_the_hub_is_pinned_to_its_commit(folder: Path, hub: dict[str, Any], bench: Bench) -> None:
    status, printed, _ = bench("new", "task", "mine", "--data", "owner/name@main")
    assert status == 0, printed
    assert hub["revision"] == "main"
    assert definition(folder)["source"] == {
        "kind": "hub",
        "dataset": "owner/name",
        "revision": COMMIT,
        "split": {"train": "train", "dev": "validation", "test": "test"},
        "columns": {"text": "content", "label": "label"},
    }
    task = load_task("mine")
    assert task.y.tolist() == [row["label"] for row in ROWS]
    assert task.examples["split"].value_counts().to_dict() == {"train": 20, "dev": 8, "test": 8}


def test_a_data_set_without_a_test_part_is_split_by_the_harness(folder: Path, hub: dict[str, Any]) -> None:
    del hub["splits"]["test"]
    built = scaffold_task(TaskRequest("mine", "owner/name"), folder)
    assert "These splits of the data set are not read: validation." in built.remarks
    assert definition(folder)["source"]["split"] == "train"
    assert load_task("mine").splits == ()


def test_a_data_set_of_several_configurations_needs_a_name(folder: Path, hub: dict[str, Any]) -> None:
    hub["configs"] = ["arabic", "english"]
    with pytest.raises(ConfigError, match="has 2 configurations: arabic, english"):
        scaffold_task(TaskRequest("mine", "owner/name"), folder)
    with pytest.raises(ConfigError, match="Did you mean 'arabic'"):
        scaffold_task(TaskRequest("mine", "owner/name:arabi"), folder)
    scaffold_task(TaskRequest("mine", "owner/name:arabic"), folder)
    assert definition(folder)["source"]["config"] == "arabic"
    assert hub["config"] == "arabic"


def test_a_branch_in_a_task_file_is_refused(folder: Path, hub: dict[str, Any]) -> None:
    scaffold_task(TaskRequest("mine", "owner/name"), folder)
    with pytest.raises(ConfigError, match="'main' is not a commit of 40 hexadecimal digits"):
        load_task("mine", {"source.revision": "main"})
    with pytest.raises(DataError, match='cannot load it: Unknown split "dev"'):
        load_task("mine", {"source.split": "dev"})


def test_a_folder_of_the_same_name_is_not_read_in_the_hubs_place(folder: Path, hub: dict[str, Any]) -> None:
    scaffold_task(TaskRequest("mine", "owner/name"), folder)
    (folder / "owner" / "name").mkdir(parents=True)
    with pytest.raises(DataError, match="a local file or folder has this name"):
        load_task("mine")


def test_offline_it_says_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    import huggingface_hub
    from huggingface_hub.errors import OfflineModeIsEnabled

    def offline(*_: Any, **__: Any) -> Any:
        raise OfflineModeIsEnabled("offline mode is enabled")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", offline)
    status, _, told = bench("new", "task", "mine", "--data", "owner/name")
    assert status == 2
    assert "owner/name: the Hub is not reachable: offline mode is enabled." in told
    assert "Run this once where there is a network" in told
    assert not (folder / "tasks").exists()


def test_help_is_quick_to_load() -> None:
    show = "from bench.cli import cli; cli(['new', 'task', '--help'], standalone_mode=False)"
    code = f"import sys; {show}; print(sorted(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "bench new task topics --data headlines.csv" in printed
    for heavy in ("datasets", "pyarrow", "sklearn", "mlflow", "torch", "pandas"):
        assert f"'{heavy}'" not in printed


@pytest.mark.parametrize(("name", "first"), [("a.csv", 6), ("a.jsonl", 5)])
def test_a_group_that_a_few_rows_lack_is_an_error_unless_it_is_said_that_there_is_none(
    folder: Path, bench: Bench, name: str, first: int
) -> None:
    rows = [{**row, "document": row["document"] * (number not in (4, 8))} for number, row in enumerate(ROWS)]
    rows = [{key: value for key, value in row.items() if key != "id"} for row in rows]
    (write_csv if name == "a.csv" else write_lines)(folder / name, rows)
    status, _, errors = bench("new", "task", "mine", "--data", name)
    assert status == 2
    assert not (folder / "tasks").exists()
    for sentence in (
        f"{name}, line {first}: column 'document' is empty.",
        f"2 of 36 rows have no group: {name}, line {first}; {name}, line {first + 4}.",
        "If no two rows belong together, say so: --group id",
        "Its group is in 'document' (recognised by its name). Choose another with --group COLUMN.",
    ):
        assert sentence in errors
    status, printed, _ = bench("new", "task", "mine", "--data", name, "--group", "id")
    assert status == 0
    assert "36 examples in 36 groups (id)" in printed
    assert "No group column" not in printed


def test_a_row_that_is_left_out_needs_no_group(folder: Path, bench: Bench) -> None:
    rows = [dict(row) for row in ROWS]
    rows[20] |= {"text": "", "document": ""}
    write_csv(folder / "a.csv", rows)
    status, printed, _ = bench("new", "task", "mine", "--data", "a.csv")
    assert status == 0
    assert "35 examples in 12 groups (group)" in printed


def test_annotators_that_are_not_used_are_told(folder: Path) -> None:
    rows = [{"text": row["text"], "label": row["label"], "label@a": row["label"], "label@b": "none"} for row in ROWS]
    del rows[3]["label@b"]
    found = choose_columns(summarise_columns([("", row) for row in rows]), Given(), "a.jsonl", has_split=False)
    assert found.passes == []
    assert any("not used as passes: only 35 of 36 texts have one in 'label@b'." in remark for remark in found.remarks)


def test_a_split_that_not_every_row_has_is_not_used_and_that_is_said(folder: Path, bench: Bench) -> None:
    rows = [{**row, "split": ("train", "test", "")[number % 3]} for number, row in enumerate(ROWS)]
    write_csv(folder / "labels.csv", rows)
    status, printed, _ = bench("new", "task", "mine", "--data", "labels.csv")
    assert status == 0
    told = " ".join(printed.split())
    assert (
        "The column 'split' is not used as a published split: 12 of 36 rows are in no part of it. --split split uses "
        "it and leaves the rows without a part out."
    ) in told
    assert load_task("mine").splits == ()
