"""No row is lost without a line that counts it: gaps, labels that only repeats have, inputs that repeat, ids twice."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_corpus import table_task

from bench.data import Task
from bench.data.definition import ManyRepeatsError, build_task
from bench.errors import ConfigError, DataError, UserError
from bench.scaffold import Given, TaskRequest, scaffold_task

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def rows(number: int = 12, **changes: dict[int, str]) -> list[dict[str, str]]:
    """Rows of texts with the labels a and b; `changes` has cells by column and row."""
    made = [{"text": f"نفى الوزير الخبر رقم {row}", "label": "ab"[row % 2]} for row in range(number)]
    for column, cells in changes.items():
        for row, cell in cells.items():
            made[row][column] = cell
    return made


def build(folder: Path, table: list[dict[str, str]], **keys: Any) -> Task:
    write(folder / "a.csv", table)
    columns = {name: name for name in table[0]}
    definition = {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": "a.csv", "columns": columns},
        "inputs": [name for name in ("claim", "text") if name in columns],
        "labels": list(dict.fromkeys(row["label"] for row in table if row["label"])),
    }
    return build_task(definition | keys, folder / "task.yaml")


# Gaps


def test_rows_without_a_text_or_a_label_are_left_out_counted_and_named(folder: Path) -> None:
    task = build(folder, rows(text={1: "", 5: " \u00a0", 6: "\u200b"}, label={8: ""}))
    assert task.notes == (
        "3 of 12 rows have an empty text and are left out: line 3, line 7, line 8.",
        "1 of 12 rows has no label and is left out: line 10.",
    )
    assert task.ids.tolist() == ["1", "3", "4", "5", "8", "10", "11", "12"]


def test_rows_in_no_part_of_a_split_are_left_out_counted_and_named(folder: Path) -> None:
    table = [{**row, "split": ("train", "test", "train", "")[number % 4]} for number, row in enumerate(rows())]
    write(folder / "a.csv", table)
    task = scaffold_task(TaskRequest("mine", "a.csv", Given(split="split")), folder).task
    assert "3 of 12 rows have no part in the published split and are left out: line 5, line 9, line 13." in task.notes
    assert task.examples["split"].value_counts().to_dict() == {"train": 6, "test": 3}


def test_an_unknown_part_is_refused_without_a_guess(folder: Path) -> None:
    write(folder / "a.csv", [{**row, "split": ("train", "test", "extra")[i % 3]} for i, row in enumerate(rows())])
    with pytest.raises(
        DataError, match=r"line 4: 'extra' is not a part of a split\.\nWrite train, dev or test there"
    ) as error:
        scaffold_task(TaskRequest("mine", "a.csv", Given(split="split")), folder)
    assert "Did you mean" not in str(error.value)


def test_strict_refuses_them(folder: Path, bench: Bench) -> None:
    table = rows(text={1: ""})
    with pytest.raises(
        DataError, match=r"task\.yaml: 1 of 12 rows has an empty text: line 3\.\nFill it in\. Without strict"
    ):
        build(folder, table, strict=True)
    status, printed, told = bench("new", "task", "mine", "--data", "a.csv", "--strict")
    assert (status, printed) == (2, "")
    assert "1 of 12 rows has an empty text: line 3." in told
    assert not (folder / "tasks").exists()
    write(folder / "a.csv", rows())
    assert bench("new", "task", "mine", "--data", "a.csv", "--strict")[0] == 0
    write(folder / "a.csv", table)
    assert bench("check", "task=mine")[0] == 1


@pytest.mark.slow
def test_what_is_left_out_is_said_by_new_check_run_and_the_card(folder: Path, bench: Bench) -> None:
    write(folder / "a.csv", rows(text={1: ""}))
    sentence = "1 of 12 rows has an empty text and is left out: line 3."
    assert sentence in bench("new", "task", "mine", "--data", "a.csv")[1]
    assert sentence in bench("check", "task=mine")[1]
    _, printed, told = bench("run", "task=mine", "model=majority", "tracking=false", "search=none")
    assert sentence in " ".join((printed + told).split())
    assert sentence in (folder / "tasks" / "mine" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("value", [None, "", " "])
def test_nothing_in_json_is_a_gap_too(folder: Path, value: str | None) -> None:
    lines = [{**row, "text": value if number == 3 else row["text"]} for number, row in enumerate(rows())]
    (folder / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    notes = scaffold_task(TaskRequest("mine", "a.jsonl"), folder).task.notes
    assert notes == ("1 of 12 rows has an empty text and is left out: line 4.",)


@pytest.mark.parametrize(
    ("column", "other"), [("text", "remove these rows"), ("label", "If an empty cell means a label")]
)
def test_a_column_that_is_mostly_empty_is_an_error(folder: Path, column: str, other: str) -> None:
    with pytest.raises(DataError) as error:
        build(folder, rows(12, **{column: dict.fromkeys(range(2, 10), "")}))
    assert f"a.csv, line 4: column '{column}' is empty, as in 8 of all 12 rows." in str(error.value)
    assert other in str(error.value)


def test_an_empty_label_that_has_a_name_is_no_gap(folder: Path) -> None:
    mapping = {"a": "a", "b": "b", "": "none"}
    task = build(folder, rows(label={8: ""}), labels=["a", "b", "none"], label_map=mapping)
    assert task.notes == ()
    assert task.y[8] == "none"


def test_a_list_without_a_label_is_counted(folder: Path) -> None:
    lines = [{**row, "label": [] if number == 3 else [row["label"]]} for number, row in enumerate(rows())]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    columns = {"text": "text", "label": "label"}
    definition = {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": "a.jsonl", "columns": columns},
        "inputs": ["text"],
        "labels": ["a", "b"],
    }
    (folder / "a.jsonl").write_text(text, encoding="utf-8")
    task = build_task(definition, folder / "task.yaml")
    assert task.notes == ("1 of 12 rows is left out: an empty list (1).",)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["", " ", "x", "y", "z"]), min_size=8, max_size=30), st.data())
def test_every_row_is_an_example_or_counted(tmp_path_factory: Any, cells: list[str], data: Any) -> None:
    labels = data.draw(st.lists(st.sampled_from(["a", "b", ""]), min_size=len(cells), max_size=len(cells)))
    table = [{"text": text, "label": label} for text, label in zip(cells, labels, strict=True)]
    table = [row for row in table if row["text"].strip() or row["label"]]  # a line of a delimiter alone is no row
    try:
        task = build(tmp_path_factory.mktemp("rows"), table, labels=["a", "b"], allow_repeats=True)
    except UserError:
        return
    told = [int(note.split(" ")[0]) for note in task.notes if "left out" in note and note[0].isdigit()]
    assert len(task) + sum(told) == len(table)


# Labels that only repeats have


def test_a_label_whose_only_example_repeats_is_left_out_with_both_named(folder: Path) -> None:
    task = build(folder, rows(text={11: "نفى الوزير الخبر رقم 2"}, label={11: "c"}))
    assert task.labels == ("a", "b")
    assert "The label 'c' is left out because its one example repeats another's input: 12 (c; 3: a)." in task.notes


def test_strict_refuses_that_and_names_both_too(folder: Path) -> None:
    with pytest.raises(DataError, match=r"all examples with the label 'c' repeat other inputs: 12 \(c; 3: a\)\."):
        build(folder, rows(text={11: "نفى الوزير الخبر رقم 2"}, label={11: "c"}), strict=True)


def test_what_is_said_of_a_label_that_is_left_out_goes_with_it(folder: Path, bench: Bench) -> None:
    task = build(
        folder,
        rows(text={11: "نفى الوزير الخبر رقم 2"}, label={11: "c"}),
        labels=["A", "B", "C"],
        label_map={"a": "A", "b": "B", "c": "C"},
        descriptions={"A": "one", "B": "two", "C": "three"},
    )
    assert (task.labels, dict(task.label_map)) == (("A", "B"), {"a": "A", "b": "B"})
    assert dict(task.descriptions) == {"A": "one", "B": "two"}


@pytest.mark.slow
def test_such_a_task_runs(folder: Path, bench: Bench) -> None:
    write(folder / "a.csv", rows(30, text={11: "نفى الوزير الخبر رقم 2"}, label={11: "c"}))
    assert bench("new", "task", "mine", "--data", "a.csv")[0] == 0
    status, printed, _ = bench("run", "task=mine", "model=stratified", "tracking=false", "search=none")
    assert status == 0, printed


def test_of_one_label_nothing_can_be_learned(folder: Path) -> None:
    table = [{"text": "نص", "label": "a"}, {"text": "نص", "label": "b"}, {"text": "آخر", "label": "a"}]
    with pytest.raises(DataError, match=r"all examples with the label 'b' repeat other inputs: 2 \(b; 1: a\)\."):
        build(folder, table)


# Many repeats


def headlines(number: int = 40, each: int = 10) -> list[dict[str, str]]:
    return [
        {
            "Headline": f"عنوان الخبر رقم {row // each}",
            "Body ID": str(row % each),
            "Stance": ("agree", "disagree", "discuss")[row % 3],
        }
        for row in range(number)
    ]


def test_a_file_of_which_most_inputs_repeat_asks_for_a_claim(folder: Path, bench: Bench) -> None:
    write(folder / "a.csv", headlines())
    status, printed, told = bench("new", "task", "mine", "--data", "a.csv")
    assert (status, printed) == (2, "")
    assert "a.csv: 36 of 40 examples repeat an earlier input, 24 of them with another label." in told
    assert "bench new task mine --data a.csv --text Headline --claim 'Body ID' --label Stance" in told
    assert "bench new task mine --data a.csv --allow-repeats" in told
    assert not (folder / "tasks").exists()
    assert bench("new", "task", "mine", "--data", "a.csv", "--claim", "Body ID")[0] == 0
    status, printed, _ = bench("new", "task", "other", "--data", "a.csv", "--allow-repeats")
    assert status == 0
    assert "36 of 40 examples repeat an earlier input and are left out" in printed
    assert bench("check", "task=other")[0] == 0


def test_a_task_file_needs_the_word_too(folder: Path) -> None:
    table = [{"text": row["Headline"], "label": row["Stance"]} for row in headlines()]
    with pytest.raises(ManyRepeatsError, match=r"allow_repeats: true"):
        build(folder, table)
    assert len(build(folder, table, allow_repeats=True)) == 4


def test_an_id_is_not_offered_as_the_claim(folder: Path) -> None:
    table = [{"id": f"e{number}", **row} for number, row in enumerate(headlines())]
    write(folder / "a.csv", table)
    with pytest.raises(DataError) as error:
        scaffold_task(TaskRequest("mine", "a.csv", Given(text="Headline", label="Stance")), folder)
    assert "--claim id" not in str(error.value)


@pytest.mark.parametrize(
    ("n_distinct", "labels", "refused"),
    [(25, "ab", True), (27, "ab", False), (25, "a", False), (20, "a", False), (19, "a", True)],
)
def test_the_shares_from_which_repeats_are_too_many(folder: Path, n_distinct: int, labels: str, refused: bool) -> None:
    """A half of all rows, or a third with another label."""
    table = [{"text": f"نص {row % n_distinct}", "label": labels[row % len(labels)]} for row in range(40)]
    table.append({"text": "آخر", "label": "b"})
    if refused:
        with pytest.raises(ManyRepeatsError):
            build(folder, table, labels=["a", "b"])
    else:
        build(folder, table, labels=["a", "b"])


def test_a_flag_is_true_or_false(folder: Path) -> None:
    for key in ("strict", "allow_repeats"):
        with pytest.raises(ConfigError, match=f"'{key}' must be true or false, not 'yes'"):
            build(folder, rows(), **{key: "yes"})


def test_train_examples_that_repeat_a_test_input_with_another_label_are_said(tmp_path: Path) -> None:
    content = "text,label,part\nنص,yes,train\nآخر,no,train\nنص.,no,test\nرابع,yes,test\n"
    task = table_task(tmp_path, "a.csv", content, split="part")
    assert "1 of these had another label than the copy that is kept: 1 (yes; 3: no)." in task.notes


# Ids that stand twice in a published fold


def folds(folder: Path, train: str, test: str, **more: str) -> Task:
    """Two published folds: what `train` and `test` have, with ``{n}`` for the fold; `more` has files of their own."""
    header = "rid\teid\tc\tt\tl\n"
    for fold in (1, 2):
        for part, content in (("train", train), ("test", test)):
            lines = more.get(f"{part}_{fold}", content).replace("{n}", str(fold)).strip().splitlines()
            path = folder / f"{part}_{fold}.tsv"
            path.write_text(
                header + "".join(line.strip().replace("|", "\t") + "\n" for line in lines), encoding="utf-8"
            )
    definition = {
        "name": "pf",
        "description": "Published folds.",
        "source": {
            "kind": "table",
            "path": {"train": "train_{fold}.tsv", "test": "test_{fold}.tsv"},
            "folds": [1, 2],
            "columns": {"id": ["rid", "eid"], "claim": "c", "text": "t", "label": "l", "group": "rid"},
        },
        "inputs": ["claim", "text"],
        "labels": ["no", "yes"],
    }
    return build_task(definition, folder / "task.yaml")


TWICE = "1|11|نفى الوزير|الخبر كاذب|no\n1|11|نفى الوزير|الخبر كاذب|yes\n"
ONCE = "2|21|فاز الفريق|مبروك للفريق|yes\n3|31|سقط المطر|الجو صحو|no\n"
OTHER = "1{n}|91|ارتفع السعر {n}|السعر ثابت {n}|no\n2{n}|81|زاد الطلب {n}|نعم زاد {n}|yes\n"


def test_a_pair_that_stands_twice_with_two_labels_trains_once_and_is_said(tmp_path: Path) -> None:
    task = folds(tmp_path, TWICE + ONCE, OTHER)
    assert task.notes[0] == (
        "1 id occurs several times in a fold: 1/11 (no, yes). Each row is a separate example: all count in a test "
        "part, but only the first of each input in a training part."
    )
    for fold in ("fold-1", "fold-2"):
        train = task.examples[task.examples[fold] == "train"]
        assert train["id"].tolist() == ["1/11", "2/21", "3/31"]
        assert (task.examples[fold] == "test").sum() == 2


def test_in_a_test_part_both_count_and_neither_trains_beside_them(tmp_path: Path) -> None:
    reversed_pair = "".join(f"{line}\n" for line in reversed(TWICE.splitlines()))
    task = folds(tmp_path, TWICE + ONCE, OTHER, train_2=ONCE, test_2=reversed_pair + OTHER)
    roles = task.examples.set_index("id")["fold-2"]
    assert roles[["1/11", "1/11#2", "2/21"]].tolist() == ["test", "test", "train"]
    assert dict(zip(task.ids, task.y, strict=True))["1/11#2"] == "yes"
    task = folds(tmp_path, TWICE + ONCE, OTHER + TWICE)
    for fold in ("fold-1", "fold-2"):
        assert (task.examples[fold] == "train").sum() == 2


def test_an_id_of_two_inputs_is_refused_with_what_helps(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        folds(tmp_path, TWICE.replace("كاذب|yes", "صادق|yes") + ONCE, OTHER)
    assert "train_1.tsv, line 3: id '1/11' is repeated in fold-1" in str(error.value)
    assert "List more columns in source.columns.id" in str(error.value)


def test_an_example_that_another_fold_has_otherwise_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the label of '2/21' differs from .*train_1\.tsv, line 2"):
        folds(tmp_path, ONCE, OTHER, train_2=ONCE.replace("للفريق|yes", "للفريق|no"))


# Labels

DIRTY: dict[str, tuple[dict[str, int], tuple[str, ...]]] = {
    "a space behind most": ({"رأي ": 5, "رأي": 2, "خبر": 4}, ("رأي", "خبر")),
    "a space behind all": ({"رأي ": 5, " خبر": 4}, ("رأي", "خبر")),
    "a space that does not break": ({"رأي\u00a0": 5, "رأي": 1, "رأي\u00a0عام": 4}, ("رأي", "رأي عام")),
    "numbers with a point in most rows": ({"1.0": 5, "1": 2, "2": 4}, ("1", "2")),
    "numbers with a point": ({"1.0": 5, "-1.0": 4}, ("1", "-1")),
    "fractions": ({"1.5": 5, "2.0": 4}, ("1.5", "2.0")),
    "marks of direction in some rows": ({"\u200fرأي\u200f": 5, "رأي": 4, "\u202bخبر\u202c": 3}, ("رأي", "خبر")),
    "an emoji": ({"❤\ufe0f": 5, "👎": 4}, ("❤\ufe0f", "👎")),
    "nothing to clean": ({"Opinion": 5, "مقال-رأي": 4}, ("Opinion", "مقال-رأي")),
}


@pytest.mark.parametrize("name", DIRTY)
def test_the_label_that_remains_is_the_clean_one_and_that_is_said(folder: Path, name: str) -> None:
    counts, expected = DIRTY[name]
    labels = [label for label, count in counts.items() for _ in range(count)]
    write(folder / "a.csv", [{"text": f"نفى الوزير {n}", "label": label} for n, label in enumerate(labels)])
    made = scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert made.task.labels == expected
    assert len(made.task) == len(labels)
    for label in counts.keys() - set(expected):
        assert any(repr(label) in remark and "label_map" in remark for remark in made.remarks)
    assert bool(made.task.label_map) is not (counts.keys() == set(expected))


def test_codes_of_a_parquet_file_become_the_names_that_it_has_for_them(folder: Path) -> None:
    features = {"label": {"names": ["سياسة", "رياضة"], "_type": "ClassLabel"}}
    table = pa.table({"text": [f"نفى الوزير {n}" for n in range(9)], "label": [0, 1, 0, 1, -1, 0, 1, 0, 1]})
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), folder / "a.parquet")
    made = scaffold_task(TaskRequest("mine", "a.parquet"), folder)
    assert made.task.y.tolist() == ["سياسة", "رياضة", "سياسة", "رياضة", "سياسة", "رياضة", "سياسة", "رياضة"]
    assert "1 of 9 rows has no label and is left out: row 5." in made.task.notes
    assert "The labels are the file's names for the codes of 'label': سياسة, رياضة." in made.remarks


def test_rows_whose_cells_are_shifted_are_refused_with_their_places(folder: Path) -> None:
    table = rows(30, label={row: f"بقية نص {row}" for row in (3, 9, 20)})
    write(folder / "a.csv", table)
    with pytest.raises(DataError, match=r"a\.csv: of 5 labels in the column 'label', 3 occur in one row each") as error:
        scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert "line 5 ('بقية نص 3'), line 11 ('بقية نص 9'), line 22 ('بقية نص 20')." in error.value.message
    assert not (folder / "tasks").exists()


def test_a_few_rare_labels_are_no_shifted_rows(folder: Path) -> None:
    write(folder / "a.csv", rows(30, label={3: "c", 5: "d"}))
    assert len(scaffold_task(TaskRequest("mine", "a.csv"), folder).task.labels) == 4


def test_shifted_rows_are_left_out_counted_and_listed_where_that_is_asked_for(folder: Path, bench: Bench) -> None:
    write(folder / "a.csv", rows(30, label={row: f"بقية نص {row}" for row in (3, 9, 20)}))
    _, _, told = bench("new", "task", "mine", "--data", "a.csv")
    assert "  bench new task mine --data a.csv --allow-shifted\n" in told
    _, printed, _ = bench("new", "task", "mine", "--data", "a.csv", "--allow-shifted")
    assert "3 of 30 rows have shifted cells and are left out: line 5, line 11, line 22." in printed
    status, printed, _ = bench("check", "task=mine")
    assert status == 0
    assert "27 examples" in printed
    assert "3 of 30 rows have shifted cells and are left out: line 5, line 11, line 22." in printed


@pytest.mark.parametrize(("mark", "name"), [(",", "a.csv"), ("\t", "a.tsv"), (";", "a.csv")])
def test_rows_of_another_number_of_cells_are_left_out_where_that_is_asked_for(
    folder: Path, mark: str, name: str
) -> None:
    lines = [mark.join(row.values()) for row in rows(30)]
    lines[4] += f"{mark}more"
    lines[7] = "نص بلا تسمية"
    (folder / name).write_text("\n".join([f"text{mark}label", *lines]), encoding="utf-8")
    with pytest.raises(DataError, match=rf"{name}, line 6: 3 cells, but the header has 2") as error:
        scaffold_task(TaskRequest("mine", name), folder)
    assert f"bench new task mine --data {name} --allow-shifted" in str(error.value.hint)
    task = scaffold_task(TaskRequest("mine", name, allow_shifted=True), folder).task
    assert len(task) == 28
    assert task.notes == ("2 of 30 rows have shifted cells and are left out: line 6, line 9.",)


def test_a_table_of_which_most_rows_are_shifted_is_refused_all_the_same(folder: Path) -> None:
    lines = [",".join(row.values()) + ",more" * (number > 5) for number, row in enumerate(rows(20))]
    (folder / "a.csv").write_text("\n".join(["text,label", *lines]), encoding="utf-8")
    with pytest.raises(DataError, match="the cells are shifted, as in 14 of all 20 rows"):
        scaffold_task(TaskRequest("mine", "a.csv", allow_shifted=True), folder)


def test_several_labels_in_many_cells_ask_which_is_meant(folder: Path, bench: Bench) -> None:
    write(folder / "a.csv", rows(30, label=dict.fromkeys(range(10), "a;b")))
    status, _, told = bench("new", "task", "mine", "--data", "a.csv")
    assert status == 2
    assert "10 of 30 rows have several labels in the column 'label': 'a;b'." in told
    assert "  bench new task mine --data a.csv --allow-several\n" in told
    assert not (folder / "tasks").exists()
    assert bench("new", "task", "mine", "--data", "a.csv", "--allow-several")[0] == 0
    assert bench("check", "task=mine")[0] == 0


def test_several_labels_in_a_few_cells_are_told(folder: Path) -> None:
    write(folder / "a.csv", rows(60, label={3: "a;b", 5: "b;a"}))
    made = scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert "2 labels look like several labels in one: 'a;b', 'b;a'." in [
        finding.message.partition(" Each")[0] for finding in made.findings
    ]


def test_numbers_with_a_decimal_comma_are_no_several_labels(folder: Path) -> None:
    write(folder / "a.csv", [{**row, "label": f"{'-01'[n % 3]}1,0"} for n, row in enumerate(rows(30))])
    made = scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert not [finding for finding in made.findings if finding.code == "D104"]
