"""What annotation tools export is read as it was meant: who gave a label, and which one counts."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from denials import sentence
from label_studio import exported

from bench.catalogue import load_task
from bench.data.duplicates import duplicate_keys
from bench.data.sources.layout import Asked
from bench.data.votes import read_votes
from bench.errors import DataError
from bench.labelling.adding import Added, add_labels
from bench.labelling.drawn import text_digest
from bench.labelling.shown import print_added

HERE = Path("tasks/denials/task.yaml")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of twelve labelled sentences."""
    monkeypatch.chdir(tmp_path)
    Path("tasks/denials").mkdir(parents=True)
    rows = [{"key": f"e{k}", "text": sentence(k, k % 2 == 0), "label": label_of(k)} for k in range(12)]
    pd.DataFrame(rows).to_csv("tasks/denials/labels.csv", index=False)
    source = {"kind": "table", "path": "labels.csv", "columns": {"id": "key", "text": "text", "label": "label"}}
    definition = {"name": "denials", "version": 1, "description": "Whether somebody denies.", "source": source}
    definition |= {"inputs": ["text"], "labels": ["denial", "none"]}
    HERE.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")


def label_of(number: int) -> str:
    return "denial" if number % 2 == 0 else "none"


def other(label: str) -> str:
    return "none" if label == "denial" else "denial"


def text(number: int) -> str:
    return sentence(number, number % 2 == 0)


def table(rows: list[dict[str, Any]], name: str = "back.csv") -> Added:
    pd.DataFrame(rows).to_csv(name, index=False)
    return add_labels(Path(name), "denials")


def doccano(rows: list[dict[str, Any]], name: str = "back.jsonl") -> Added:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return add_labels(Path(name), "denials")


def studio(tasks: list[dict[str, Any]], name: str = "back.json") -> Added:
    Path(name).write_text(json.dumps(tasks), encoding="utf-8")
    return add_labels(Path(name), "denials")


def labels() -> dict[str, str]:
    examples = load_task("denials").examples
    return dict(zip(examples["id"], examples["label"], strict=True))


def votes_of(name: str) -> dict[str, str]:
    return read_votes(HERE, load_task("denials").version)[name]


def gzipped(frame: pd.DataFrame) -> str:
    frame.to_csv("back.csv.gz", index=False)
    return "back.csv.gz"


def zipped(frame: pd.DataFrame) -> str:
    frame.to_csv("back.zip", index=False, compression={"method": "zip", "archive_name": "back.csv"})
    return "back.zip"


def zipped_studio(frame: pd.DataFrame) -> str:
    tasks = []
    for row in frame.to_dict("records"):
        chosen = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [row["label"]]}}
        given = {"completed_by": row["annotator"], "result": [chosen]}
        tasks.append({"data": {"text": row["text"]}, "annotations": [given]})
    with zipfile.ZipFile("back.zip", "w") as archive:
        archive.writestr("back.json", json.dumps(tasks))
    return "back.zip"


def written(name: str, **options: Any) -> Callable[[pd.DataFrame], str]:
    def write(frame: pd.DataFrame) -> str:
        frame.to_csv(name, index=False, **options)
        return name

    return write


def in_parquet(frame: pd.DataFrame) -> str:
    frame.to_parquet("back.parquet")
    return "back.parquet"


def in_lines(frame: pd.DataFrame) -> str:
    frame.to_json("back.jsonl.gz", orient="records", lines=True)
    return "back.jsonl.gz"


FILES: dict[str, tuple[Callable[[pd.DataFrame], str], Asked]] = {
    "gzip": (gzipped, Asked()),
    "ZIP": (zipped, Asked()),
    "Label Studio in a ZIP": (zipped_studio, Asked()),
    "Parquet": (in_parquet, Asked()),
    "JSON Lines with gzip": (in_lines, Asked()),
    "text with tabs": (written("back.txt", sep="\t"), Asked()),
    "semicolons": (written("back.csv", sep=";"), Asked()),
    "Windows-1256": (written("back.csv", encoding="windows-1256"), Asked()),
    "another encoding": (written("back.csv", encoding="iso-8859-6"), Asked(encoding="iso-8859-6")),
    "another suffix": (written("back.data", sep="\t"), Asked(format="tsv")),
}


@pytest.mark.parametrize("form", FILES)
def test_a_table_that_was_filled_in_is_read_in_every_format(form: str) -> None:
    write, asked = FILES[form]
    given = pd.DataFrame({"text": [text(900), text(901)], "label": ["denial", "none"], "annotator": ["sara", "sara"]})
    added = add_labels(Path(write(given)), "denials", None, asked)
    assert (added.new, added.unlabelled) == (2, 0)
    examples = load_task("denials").examples
    new = examples[~examples["id"].str.startswith("e")]
    assert list(zip(new["text"], new["label"], strict=True)) == list(zip(given["text"], given["label"], strict=True))


UNREAD: dict[str, Callable[[], str]] = {
    "two files of doccano in a ZIP": lambda: zipped_twice('{"text": "a", "label": []}\n'),
    "a database": lambda: put("back.sqlite", "SQLite format 3"),
    "a file that pandas reads": lambda: put("back.feather", "ARROW1"),
    "several lists in JSON": lambda: put("back.json", '{"a": [{"text": "a"}], "b": [{"text": "b"}]}'),
}


def put(name: str, content: str) -> str:
    Path(name).write_text(content, encoding="utf-8")
    return name


def zipped_twice(content: str) -> str:
    with zipfile.ZipFile("back.zip", "w") as archive:
        for name in ("sara.jsonl", "omar.jsonl"):
            archive.writestr(name, content)
    return "back.zip"


@pytest.mark.parametrize("name", UNREAD)
def test_what_to_do_about_an_export_that_is_not_read_names_no_option_of_another_command(name: str) -> None:
    with pytest.raises(DataError) as told:
        add_labels(Path(UNREAD[name]()), "denials")
    hint = " ".join(str(told.value.hint).split())
    assert "one by one" in hint or "Then use " in hint
    assert "--data" not in hint.partition("Only bench new task")[0]


def test_the_encoding_of_an_export_can_be_named(bench) -> None:
    rows = f"text,label\n{text(900)},denial\n{text(901)},none\n"
    Path("back.csv").write_bytes(rows.encode("cp720"))
    status, _, told = bench("add", "back.csv", "--to", "denials")
    assert (status, "use --encoding cp720" in " ".join(told.split())) == (2, True)
    status, _, told = bench("add", "back.csv", "--to", "denials", "--encoding", "cp720")
    assert status == 0, told
    assert {text(900), text(901)} <= set(load_task("denials").examples["text"])


@pytest.mark.parametrize("written", ["\u200fdenial", "\u202bdenial\u202c", "denial\u00a0", "denial\u0640"])
def test_a_label_that_differs_only_in_what_does_not_count_is_read_and_told(written: str) -> None:
    added = table([{"text": text(900), "label": written}, {"text": text(901), "label": "none"}])
    examples = load_task("denials").examples
    assert examples[examples["text"] == text(900)]["label"].tolist() == ["denial"]
    told = any(f"The label {written!r} is read as 'denial'." in note for note in added.notes)
    assert told == (written.strip() != "denial")


def test_a_table_without_a_column_of_labels_says_which_columns_it_has() -> None:
    with pytest.raises(DataError, match=r"back\.csv: there is no column 'label'") as told:
        table([{"text": text(900), "class": "denial"}])
    assert told.value.hint == "Its columns: 'text', 'class'. Rename the one with the labels to 'label'."


def test_a_table_may_have_the_columns_of_the_tasks_own_data() -> None:
    own = pd.read_csv("tasks/denials/labels.csv").rename(columns={"text": "tweet", "label": "polarity"})
    own.to_csv("tasks/denials/labels.csv", index=False)
    definition = yaml.safe_load(HERE.read_text("utf-8"))
    definition["source"]["columns"] |= {"text": "tweet", "label": "polarity"}
    HERE.write_text(yaml.safe_dump(definition, sort_keys=False), encoding="utf-8")
    added = table([{"tweet": text(k), "polarity": label_of(k)} for k in (50, 51)])
    now = dict(zip(added.task.examples["text"], added.task.examples["label"], strict=True))
    assert (added.new, now[text(50)], now[text(51)]) == (2, "denial", "none")


def test_a_text_that_is_empty_in_an_export_is_an_error_with_its_line() -> None:
    with pytest.raises(DataError, match=r"back.csv, line 3: 'text' is empty"):
        table([{"text": text(900), "label": "denial"}, {"text": " ", "label": "none"}])


def test_an_answer_that_rejects_a_label_in_prodigy_does_not_give_it() -> None:
    answers = [(900, "denial", "accept"), (901, "denial", "reject"), (902, "none", "accept"), (903, "none", "ignore")]
    added = doccano([{"text": text(k), "label": label, "answer": answer} for k, label, answer in answers])
    assert (added.new, added.unlabelled) == (2, 2)
    examples = load_task("denials").examples
    found = dict(zip(examples["text"], examples["label"], strict=True))
    assert {k: found.get(text(k)) for k, _, _ in answers} == {900: "denial", 901: None, 902: "none", 903: None}


def test_annotators_who_share_a_text_in_prodigy_keep_their_names() -> None:
    who = [("sara", "denial"), ("omar", "denial"), ("lina", "none")]
    rows = [
        {"text": text(900), "label": [], "_input_hash": 7, "_annotator_id": name, "answer": "accept", "accept": [label]}
        for name, label in who
    ]
    assert doccano(rows).new == 1
    (name,) = set(labels()) - {f"e{k}" for k in range(12)}
    assert votes_of(name) == dict(who)
    assert labels()[name] == "denial"


@pytest.mark.parametrize("form", ["csv", "doccano"])
def test_the_unnamed_annotators_of_two_files_are_two_people(form: str) -> None:
    def add(label: str, name: str, number: int = 900) -> Added:
        row = {"example_id": "x" if number == 900 else f"x{number}", "text": text(number), "label": label}
        if form == "csv":
            return table([{**row, "annotator": ""}], name)
        return doccano([{**row, "label": [label], "id": 1}], name)

    suffix = "csv" if form == "csv" else "jsonl"
    added = add("denial", f"one.{suffix}")
    assert any("does not name its annotators" in note for note in added.notes)
    add("denial", f"two.{suffix}")
    assert len(votes_of("x")) == 1  # the file is the same
    add("none", f"three.{suffix}", 901)
    assert votes_of("x").keys() != votes_of("x901").keys()


def test_the_unnamed_annotator_of_a_file_that_is_added_twice_is_one_person() -> None:
    row = {"example_id": "x", "text": text(900), "label": "denial"}
    table([row], "one.csv")
    Path("again.csv").write_bytes(Path("one.csv").read_bytes())
    add_labels(Path("again.csv"), "denials")
    assert len(votes_of("x")) == 1


def test_annotations_of_label_studio_without_a_person_are_of_their_file() -> None:
    for number in (1, 2):
        task = exported(number, {"example_id": "x", "text": text(900)}, {"a": "denial"})
        del task["annotations"][0]["completed_by"]
        studio([task], f"{number}.json")
    assert [*votes_of("x").values()] == ["denial", "denial"]


@pytest.mark.parametrize(("times", "told"), [(1, "1 row of the export repeats"), (2, "2 rows of the export repeat")])
def test_rows_that_repeat_a_label_of_the_same_annotator_are_counted(times: int, told: str) -> None:
    rows = [{"text": text(number), "label": label_of(number), "annotator": who} for number in (20, 21) for who in "ab"]
    added = table(rows + rows[1:2] * times)
    assert (added.new, [note for note in added.notes if "repeat" in note]) == (
        2,
        [f"{told} an earlier label of the same text and annotator, which counts once."],
    )
    assert not any("repeat" in note for note in table(rows, "other.csv").notes)


def test_named_annotators_need_no_note() -> None:
    assert not any(
        "does not name" in note for note in table([{"text": text(900), "label": "none", "annotator": 7}]).notes
    )


@pytest.mark.parametrize("column", ["username", "user", "label@sara", "completed_by"])
def test_a_column_of_the_archive_is_no_annotator(column: str) -> None:
    row = {"example_id": "x", "text": text(900), "label": "none", "annotator": "", column: "denial"}
    table([row])
    (who,) = votes_of("x")
    assert who.startswith("unnamed-")
    assert labels()["x"] == "none"
    doccano([{"example_id": "y", "text": text(901), "label": ["none"], column: "@tweets"}])
    assert [name.startswith("unnamed-") for name in votes_of("y")] == [True]


def truth(task: dict[str, Any], place: int) -> dict[str, Any]:
    task["annotations"][place]["ground_truth"] = True
    return task


def test_the_ground_truth_decides_new_and_old_examples_and_stays_when_others_vote() -> None:
    votes = {"a": "denial", "b": "denial", "c": "none"}
    old = {"a": "denial", "b": "denial", "c": "none"}
    added = studio(
        [
            truth(exported(1, {"example_id": "x", "text": text(900)}, votes), 2),
            truth(exported(2, {"example_id": "e0", "text": text(0)}, old), 2),
        ]
    )
    assert (added.new, added.again, added.changed) == (1, 1, 1)
    assert (labels()["x"], labels()["e0"]) == ("none", "none")
    assert votes_of("x") == votes
    table([{"text": text(number), "label": "denial", "annotator": who} for who in "def" for number in (900, 0)])
    assert (labels()["x"], labels()["e0"]) == ("none", "none")


def test_the_ground_truth_decides_with_weighed_annotators_too() -> None:
    HERE.write_text(HERE.read_text(encoding="utf-8") + "gold: dawid-skene\n", encoding="utf-8")
    votes = {"a": "denial", "b": "denial", "c": "none"}
    tasks = [exported(n, {"example_id": f"x{n}", "text": text(900 + n)}, votes) for n in range(6)]
    studio([truth(tasks[0], 2), *tasks[1:]])
    assert [labels()[f"x{n}"] for n in range(6)] == ["none", *["denial"] * 5]


@pytest.mark.parametrize("others", [{}, {"b": "none"}])
def test_an_annotator_with_two_choices_is_told(others: dict[str, str]) -> None:
    task = exported(1, {"text": text(900)}, {"sara": "none", **others})
    task["annotations"][0]["result"][0]["value"]["choices"] = ["none", "denial"]
    with pytest.raises(DataError, match="annotator sara: it has 2 labels"):
        studio([task])


def test_a_control_of_another_name_is_told_with_those_that_are_there() -> None:
    task = exported(1, {"text": text(900)}, {"sara": "none"})
    task["annotations"][0]["result"][0]["from_name"] = "sentiment"
    with pytest.raises(DataError, match=r"no control is named 'label'\. Its controls: 'sentiment'"):
        studio([task])


def weighed() -> None:
    HERE.write_text(HERE.read_text(encoding="utf-8") + "gold: dawid-skene\n", encoding="utf-8")


def rows_of(number: int, votes: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"example_id": f"x{number}", "text": text(900 + number), "label": v, "annotator": w} for w, v in votes.items()
    ]


def test_weighed_annotators_who_contradict_each_other_decide_nothing_as_a_majority_does() -> None:
    weighed()
    contradicting = [row for n in range(5) for row in rows_of(n, {"a": "denial", "b": "none"})]
    alike = [row for n in range(5, 20) for row in rows_of(n, dict.fromkeys("ab", label_of(n)))]
    added = table([*contradicting, *alike])
    assert (added.new, added.tied) == (15, tuple(f"x{n}" for n in range(5)))
    assert any("Only a, b gave labels. It takes at least three" in note for note in added.notes)


def test_a_tie_of_weighed_annotators_leaves_an_example_its_label() -> None:
    weighed()
    rows = [{"text": text(n), "label": v, "annotator": w} for n in (0, 1) for w, v in (("a", "denial"), ("b", "none"))]
    table([{**row, "label": other(str(row["label"]))} for row in rows])
    assert [labels()[f"e{n}"] for n in range(2)] == ["denial", "none"]


@pytest.mark.parametrize(("n", "told"), [(10, True), (30, False)])
def test_weighed_annotators_with_few_texts_in_common_are_told(n: int, told: bool) -> None:
    weighed()
    added = table([row for k in range(n) for row in rows_of(k, dict.fromkeys("abc", label_of(k)))])
    assert added.new == n
    assert any("fewer than 20 texts in common with others" in note for note in added.notes) == told


def test_the_agreement_with_an_own_earlier_vote_is_not_counted() -> None:
    task = [exported(n, {"example_id": f"x{n}", "text": text(900 + n)}, {"a": label_of(n)}) for n in range(6)]
    studio(task)
    again = [
        exported(n, {"example_id": f"x{n}", "text": text(900 + n)}, dict.fromkeys("ab", label_of(n))) for n in range(6)
    ]
    added = studio(again, "again.json")
    assert [(each.annotator, each.n) for each in added.agreement] == [("b", 6)]


def test_an_export_without_anything_new_makes_no_version() -> None:
    tasks = [
        exported(1, {"example_id": "x", "text": text(900)}, {"a": "denial"}),
        exported(2, {"example_id": "e0", "text": text(0)}, {"a": "denial"}),
    ]
    studio(tasks)
    before = {path: path.read_bytes() for path in HERE.parent.iterdir()}
    added = studio(tasks)
    assert (added.task.version, added.files, added.new, added.agreement) == (2, (), 0, ())
    assert {path: path.read_bytes() for path in HERE.parent.iterdir()} == before
    tied = exported(3, {"example_id": "y", "text": text(901)}, {"a": "denial", "b": "none"})
    assert studio([tied]).tied == ("y",)
    assert load_task("denials").version == 2
    # The truth is new, though the vote is not.
    assert studio([truth(tasks[1], 0)]).task.version == 3


def test_a_number_of_one_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    tied = exported(1, {"example_id": "y", "text": text(901)}, {"a": "denial", "b": "none"})
    skipped = exported(2, {"example_id": "z", "text": text(903)}, {"a": None})
    new = exported(3, {"example_id": "x", "text": text(905)}, {"a": "denial"})
    print_added(studio([tied, skipped, new]))
    said = " ".join(capsys.readouterr().out.split())
    assert "version 2: 1 new example, 13 in all." in said
    assert "1 text of the export has no label." in said
    assert "1 new text has no majority and is not added: y." in said
    print_added(studio([new]))
    assert "Nothing is added: denials stays version 2" in " ".join(capsys.readouterr().out.split())


ARCHIVE = "0123abcd"


def drawn(
    number: int, label: str | None, stratum: str = "89abcdef/none/sure", rate: object = 0.1, **further: Any
) -> Any:
    row = {"example_id": f"{ARCHIVE}-{number}", "text": text(900 + number), "stratum": stratum, "probability": rate}
    return {**row, "label": label, "annotator": "a", **further}


def rates() -> list[float | str]:
    """The probabilities of the new examples."""
    return [float(each) if each else "" for each in load_task("denials").examples["probability"][12:]]


@pytest.mark.parametrize("field", ["probability", "stratum"])
@pytest.mark.parametrize("how", ["no column", "empty"])
def test_a_drawn_text_that_lost_how_it_was_drawn_is_refused(field: str, how: str) -> None:
    row = drawn(1, "denial")
    with pytest.raises(DataError, match=rf"'0123abcd-1' is of a draw, but the field '{field}' is missing"):
        table([{**row, field: ""} if how == "empty" else {k: v for k, v in row.items() if k != field}])
    assert load_task("denials").version == 1


def test_a_text_without_a_probability_is_told() -> None:
    added = table([{"text": text(900), "label": "denial", "annotator": "a"}, drawn(1, "none")])
    assert any("1 new example has no drawing probability" in note for note in added.notes)
    assert rates() == ["", 0.1]


def test_examples_that_no_longer_correct_estimates_are_counted_with_the_first_draw() -> None:
    told = "From now on, bench estimate corrects the model by the drawn ones alone."
    before = len(load_task("denials").examples)
    (note,) = [note for note in table([drawn(1, "none")]).notes if told in note]
    assert note.startswith(f"{before} earlier examples have no drawing probability. {told}")
    assert note.endswith("write this as their 'probability' into examples-v2.jsonl.")
    assert not any(told in note for note in table([drawn(2, "none")]).notes)


@pytest.mark.parametrize("rate", ["0,0249", "0.0", "-0.1", "1.5", "2.49%", "nan", "often"])
def test_a_probability_that_is_none_is_refused_with_its_line(rate: str) -> None:
    with pytest.raises(
        DataError, match=rf"back.csv, line 3: the field 'probability' is '{rate}', not a number above 0"
    ):
        table([drawn(1, "denial"), drawn(2, "none", rate=rate)])


@pytest.mark.parametrize("as_text", [False, True])
def test_fields_under_meta_are_read(as_text: bool) -> None:
    row = drawn(1, "denial")
    meta = {name: row[name] for name in ("example_id", "stratum", "probability")}
    doccano([{"id": 7, "text": row["text"], "meta": json.dumps(meta) if as_text else meta, "labels": ["denial"]}])
    assert labels()[f"{ARCHIVE}-1"] == "denial"
    assert rates() == [0.1]


def test_texts_without_a_label_raise_what_the_others_of_their_stratum_stand_for() -> None:
    other_stratum = "89abcdef/denial/sure"
    votes: list[dict[str, str | None]] = [
        {"a": label} for label in ("denial", "denial", "denial", None)
    ]  # one is skipped
    rows = [drawn(n, "", rate=0.2) for n in range(4)]
    tied = (drawn(4, "", rate=0.2), {"a": "denial", "b": "none"})
    complete = [(drawn(n, "", other_stratum, 0.5), {"a": "none"}) for n in range(5, 7)]
    lost = (drawn(8, "", "89abcdef/other", 0.3), {"a": None})
    tasks = [*zip(rows, votes, strict=True), tied, *complete, lost]
    export = [
        exported(n, {k: v for k, v in row.items() if k not in ("label", "annotator")}, vote)  # type: ignore[arg-type]
        for n, (row, vote) in enumerate(tasks)
    ]
    added = studio(export)
    assert rates() == pytest.approx([0.2 * 3 / 5] * 3 + [0.5] * 2)
    assert any("2 of 5 texts that were drawn from 1 stratum have no label yet" in note for note in added.notes)
    assert any("No text of these strata of the draw is labelled" in note for note in added.notes)
    # Once they are labelled, the probabilities are as drawn.
    for task in export:
        task["annotations"] = exported(task["id"], task["data"], {"c": "none"})["annotations"]
    added = studio(export)
    assert rates() == pytest.approx([0.2] * 3 + [0.5] * 2 + [0.2] * 2 + [0.3])
    assert not any("have no label" in note or "is labelled" in note for note in added.notes)


def test_texts_that_are_left_out_of_an_export_count_where_the_draw_says_how_many_there_were() -> None:
    rows = [drawn(n, label_of(n), stratum_drawn=6) for n in range(6)]
    added = table(rows[:2])
    assert rates() == pytest.approx([0.1 / 3] * 2)
    assert any("4 of 6 texts" in note for note in added.notes)
    added = table(rows[2:5], "more.csv")
    assert rates() == pytest.approx([0.1 * 5 / 6] * 5)
    assert table(rows[5:], "rest.csv").task.version == 4
    assert rates() == [0.1] * 6


def test_two_people_who_label_half_of_a_stratum_each_change_no_probability() -> None:
    table([drawn(n, label_of(n)) for n in range(3)])
    added = table([drawn(n, label_of(n), annotator="b") for n in range(3, 6)], "more.csv")
    assert rates() == [0.1] * 6
    assert added.notes == ()


def test_a_text_that_was_labelled_elsewhere_meanwhile_is_no_loss_of_its_stratum() -> None:
    table([{"text": text(901), "label": "none", "annotator": "a"}])
    table([drawn(n, label_of(n), stratum_drawn=3) for n in (1, 2, 3)])
    assert rates() == ["", 0.1, 0.1]


def test_an_id_with_two_texts_is_refused_with_both_lines() -> None:
    with pytest.raises(DataError, match=r"line 3: example '0123abcd-1' has another text than in back.csv, line 2"):
        table([drawn(1, "denial"), drawn(1, "denial", text=text(902))])
    swapped = [
        drawn(1, "denial"),
        drawn(2, "none"),
        drawn(1, "denial", text=text(902)),
        drawn(2, "none", text=text(901)),
    ]
    with pytest.raises(DataError, match=r"line 4: example '0123abcd-1' has another text than in back.csv, line 2"):
        table([{**row, "annotator": who} for row, who in zip(swapped, "aabb", strict=True)])


@pytest.mark.parametrize("label", ["none", ""])
def test_a_text_that_was_edited_or_swapped_since_the_draw_is_refused(label: str) -> None:
    digests = [text_digest(key) for key in duplicate_keys(pd.DataFrame({"text": [text(901), text(902)]})).tolist()]
    good = [drawn(1, "denial", text_digest=digests[0]), drawn(2, label, text_digest=digests[1])]
    swapped = [{**good[0], "text": good[1]["text"]}, {**good[1], "text": good[0]["text"]}]
    for rows, line in ((swapped, 2), ([good[0], {**good[1], "text": "نص آخر"}], 3)):
        with pytest.raises(DataError, match=rf"line {line}: its text is not the one that was drawn as '0123abcd-"):
            table(rows)
    assert table([good[0], {**good[1], "text": good[1]["text"] + " "}]).new == 1 + bool(label)


def test_the_csv_of_doccano_is_read() -> None:
    row = drawn(1, "denial")
    made = {
        "id": 1,
        "data": row["text"],
        "label": "denial",
        **{k: row[k] for k in ("example_id", "stratum", "probability")},
    }
    assert table([made]).new == 1
    assert rates() == [0.1]


def test_the_column_of_texts_can_be_named(bench: Callable[..., tuple[int, str, str]]) -> None:
    pd.DataFrame([{"matn": text(901), "text": "x", "label": "none", "annotator": "a"}]).to_csv("back.csv", index=False)
    status, _, said = bench("add", "back.csv", "--to", "denials", "--text", "matn")
    assert status == 0, said
    assert load_task("denials").examples["text"].iloc[-1] == text(901)
