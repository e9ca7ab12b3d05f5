"""Labels that are given again: whose vote a label is, and which one counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from denials import sentence
from label_studio import exported

from bench.catalogue import load_further, load_task
from bench.data.votes import read_votes
from bench.errors import DataError, UserError
from bench.labelling.adding import Added, add_labels

TASK = Path("tasks/denials/task.yaml")
KEYS = {"name": "denials", "version": 1, "description": "Whether somebody denies.", "inputs": ["text"]}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def text(number: int) -> str:
    return sentence(number, number % 2 == 0)


def label_of(number: int) -> str:
    return "denial" if number % 2 == 0 else "none"


def other(label: str) -> str:
    return "none" if label == "denial" else "denial"


def rows(n: int = 12) -> list[dict[str, Any]]:
    return [{"id": f"e{k}", "text": text(k), "label": label_of(k)} for k in range(n)]


def make(table: list[dict[str, Any]], columns: Mapping[str, Any] | None = None, **keys: Any) -> None:
    """A task of a table."""
    TASK.parent.mkdir(parents=True)
    pd.DataFrame(table).to_csv(TASK.with_name("labels.csv"), index=False)
    named = {"id": "id", "text": "text", "label": "label", **(columns or {})}
    source = {"kind": "table", "path": "labels.csv", "columns": named}
    content = {**KEYS, "labels": ["denial", "none"], "source": source, **keys}
    TASK.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def add(given: list[dict[str, Any]], name: str = "back.csv", annotator: str | None = None) -> Added:
    pd.DataFrame(given).to_csv(name, index=False)
    return add_labels(Path(name), "denials", annotator=annotator)


def studio(votes: Mapping[int, Mapping[str, str | None]], name: str = "back.json") -> Path:
    Path(name).write_text(json.dumps([exported(n, {"text": text(n)}, vote) for n, vote in votes.items()]), "utf-8")
    return Path(name)


def labels() -> dict[str, str]:
    examples = load_task("denials").examples
    return dict(zip(examples["id"], examples["label"], strict=True))


def votes_of(name: str) -> dict[str, str]:
    return read_votes(TASK, load_task("denials").version)[name]


@pytest.mark.parametrize("others", [(), ("b", "c")])
def test_who_corrects_a_project_that_the_task_was_made_from_corrects_the_task(
    bench: Callable[..., tuple[int, str, str]], others: tuple[str, ...]
) -> None:
    """The project's annotators are known by name, also if not all of them labelled every text."""
    first = {k: dict.fromkeys(("a", *others), label_of(k)) for k in range(12)}
    if others:
        del first[11]["b"]
    status, _, said = bench("new", "task", "denials", "--data", str(studio(first, "project.json")))
    assert status == 0, said
    corrected = {k: dict.fromkeys(votes, other(label_of(k)) if k < 3 else label_of(k)) for k, votes in first.items()}
    added = add_labels(studio(corrected), "denials")
    assert (added.again, added.changed) == (12, 3)
    assert list(labels().values()) == [other(label_of(k)) if k < 3 else label_of(k) for k in range(12)]
    # Two more annotators are two more votes, not a majority against one earlier label.
    add_labels(studio({5: {"d": other(label_of(5))}}, "more.json"), "denials")
    assert list(labels().values())[5] == label_of(5)


def test_a_pass_of_an_annotator_who_labels_again_has_the_new_labels() -> None:
    table = [{**row, "label@a": row["label"], "label@b": row["label"]} for row in rows()]
    make(table, {"passes": ["label@a", "label@b"]})
    added = add([{"text": text(k), "label": other(label_of(k)), "annotator": who} for k in (0, 1) for who in "ab"])
    assert added.changed == 2
    assert added.task.passes is not None
    assert added.task.passes["pass-1"].tolist() == added.task.y.tolist()


def test_labels_that_take_the_place_of_others_of_the_same_name_are_told() -> None:
    """Two people may have the same number in two installations of a tool."""
    make(rows())
    add([{"text": text(900 + k), "label": "denial", "annotator": "1"} for k in range(4)])
    added = add([{"text": text(900 + k), "label": "none", "annotator": "1"} for k in range(3)])
    (note,) = [note for note in added.notes if "earlier" in note]
    assert note.startswith("3 labels of 1 replace others that 1 gave earlier. If these are two people, undo")


def test_one_persons_export_can_be_given_another_name() -> None:
    make(rows())
    add([{"example_id": "x", "text": text(900), "label": "denial", "annotator": "1"}], annotator="sara")
    add([{"example_id": "x", "text": text(900), "label": "none", "annotator": "1"}], annotator="omar")
    assert votes_of("x") == {"sara": "denial", "omar": "none"}


def test_an_export_of_several_people_is_not_one_persons() -> None:
    make(rows())
    given = [{"text": text(900), "label": "denial", "annotator": who} for who in "ab"]
    with pytest.raises(DataError, match="it names 2 annotators, a, b, not only 'sara'") as error:
        add(given, annotator="sara")
    assert error.value.hint == "Leave --annotator out, or export one annotator's labels."


def test_corrections_without_a_name_ask_whose_they_are_and_then_count() -> None:
    """Monday's sheet, and Friday's with more labels and some corrected ones."""
    make(rows())
    sheet = [{"example_id": f"x{k}", "text": text(900 + k), "label": "denial", "annotator": ""} for k in range(4)]
    add(sheet[:2], "monday.csv")
    friday = [{**row, "label": "none"} for row in sheet]
    with pytest.raises(UserError, match="it names no annotator, and 2 of its labels differ") as error:
        add(friday, "friday.csv")
    assert load_task("denials").version == 2
    monday = next(iter(votes_of("x0")))
    assert f"add --annotator {monday};" in str(error.value.hint)
    add(friday, "friday.csv", annotator=monday)
    assert [labels()[f"x{k}"] for k in range(4)] == ["none"] * 4


@pytest.mark.parametrize("gold", ["majority", "dawid-skene"])
def test_a_label_that_was_corrected_in_the_table_stays_until_somebody_votes_again(gold: str) -> None:
    make(rows(), gold=gold)
    export = [{"example_id": f"x{k}", "text": text(900 + k), "label": "denial", "annotator": "a"} for k in range(3)]
    add(export)
    table = TASK.with_name("examples-v2.jsonl")
    lines = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    lines = [{**line, "label": "none"} if line["id"] == "x0" else line for line in lines]
    table.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    seen = {"text": text(0), "label": "denial", "annotator": "a"}
    added = add([*export, seen], "cumulative.csv")
    assert (added.again, added.changed, labels()["x0"]) == (4, 0, "none")
    if gold == "majority":  # one more vote for the corrected label, against the annotator's
        add([{"text": text(900), "label": "none", "annotator": "b"}], "again.csv")
        assert labels()["x0"] == "none"


def test_a_text_that_stands_in_train_and_test_gets_the_vote_in_both() -> None:
    """The copy in train is left out of the task."""
    table = [{**row, "part": "train" if k < 8 else "test"} for k, row in enumerate(rows())]
    table.insert(0, {**table[-1], "id": "copy", "part": "train"})
    make(table, {"split": "part"})
    assert "copy" not in labels()
    added = add([{"text": text(11), "label": "denial", "annotator": who} for who in "ab"])
    assert (added.again, added.changed, labels()["e11"]) == (1, 1, "denial")
    assert any("1 test example" in note for note in added.notes)
    written = TASK.with_name("examples-v2.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["label"] for line in written if json.loads(line)["id"] in ("copy", "e11")} == {"denial"}


def test_votes_of_a_tie_count_also_if_the_text_comes_back_under_another_id() -> None:
    make(rows())
    tied = [{"example_id": "x-1", "text": text(900), "label": label, "annotator": who} for who, label in TIE.items()]
    add([*tied, {"text": text(901), "label": "none", "annotator": "a"}])
    added = add([{"text": text(900), "label": "none", "annotator": "c"}], "third.csv")
    (name,) = added.task.examples["id"][13:]
    assert (added.new, labels()[name]) == (1, "none")
    assert votes_of(name) == {**TIE, "c": "none"}


TIE = {"a": "denial", "b": "none"}


def test_an_adjudicated_label_that_is_confirmed_is_not_outvoted_by_weighed_annotators() -> None:
    """Three passes agree with each other, and the label contradicts two of them in some rows."""
    table = [{**row, "p1": row["label"], "p2": row["label"], "p3": row["label"]} for row in rows(60)]
    for row in table[:8]:
        row["p1"] = row["p2"] = other(row["label"])
    make(table, {"passes": ["p1", "p2", "p3"]}, gold="dawid-skene")
    before = labels()
    added = add([{"text": text(k), "label": label_of(k), "annotator": "huda"} for k in range(8)])
    assert (added.again, added.changed) == (8, 0)
    assert labels() == before


def test_a_task_with_a_label_for_no_label_takes_labels_again_and_again() -> None:
    table = rows()
    table[3]["label"] = ""
    make(table, labels=["denial", "none"], label_map={"denial": "denial", "none": "none", "": "none"})
    for number in range(3):
        add([{"text": text(3), "label": "denial", "annotator": f"a{number}"}], f"{number}.csv")
    assert load_task("denials").version == 4
    assert labels()["e3"] == "denial"


def test_the_archives_own_ids_and_line_breaks_are_kept() -> None:
    make([{**row, "note": "one\nline  each"} for row in rows()])
    for number in (1, 2):
        given = {"example_id": f"x{number}", "id": f"tweet-{number}", "text": text(900 + number), "label": "none"}
        add([{**given, "annotator": "a", "note": "two\nlines"}], f"{number}.csv")
    written = TASK.with_name("examples-v3.jsonl").read_text(encoding="utf-8").splitlines()
    found = {line["id"]: line for line in map(json.loads, written)}
    assert (found["x1"]["id_"], found["x2"]["id_"], found["e0"]["id_"]) == ("tweet-1", "tweet-2", "")
    assert (found["x1"]["note"], found["e0"]["note"]) == ("two\nlines", "one\nline  each")
    assert load_further("denials", "note").values["x1"] == "two lines"


def test_json_min_is_read_with_its_annotators_and_without_skipped_texts() -> None:
    make(rows())
    items: list[dict[str, Any]] = [
        {"id": 1, "text": text(900), "annotator": 1, "annotation_id": 11, "lead_time": 2.5},
        {"id": 2, "text": text(901), "annotator": 1, "annotation_id": 12, "lead_time": 2.5, "label": "none"},
        {"id": 2, "text": text(901), "annotator": 2, "annotation_id": 13, "lead_time": 2.5, "label": "none"},
    ]
    Path("min.json").write_text(json.dumps(items), encoding="utf-8")
    added = add_labels(Path("min.json"), "denials")
    assert (added.new, added.unlabelled) == (1, 1)
    assert votes_of(added.task.examples["id"].iloc[-1]) == {"1": "none", "2": "none"}
    items[0]["label"] = {"choices": ["none", "denial"]}
    Path("min.json").write_text(json.dumps(items), encoding="utf-8")
    with pytest.raises(DataError, match="it has 2 labels"):
        add_labels(Path("min.json"), "denials")
