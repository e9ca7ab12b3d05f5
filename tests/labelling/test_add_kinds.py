"""Labels are added to tasks of every kind of table, and each kind keeps what it is."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from denials import sentence

from bench.api.comparing import report
from bench.catalogue import load_further, load_task
from bench.data.definition import read_definition
from bench.data.votes import read_votes
from bench.errors import DataError, UserError
from bench.labelling.adding import Added, add_labels
from bench.labelling.own_table import how_to_add
from bench.labelling.shown import added_sentences
from bench.labelling.tools import choice_of

KEYS = {
    "name": "denials",
    "version": 1,
    "description": "Whether somebody denies something.",
    "inputs": ["text"],
    "labels": ["denial", "none"],
}


def make(rows: list[dict[str, Any]], columns: dict[str, Any], **keys: Any) -> Path:
    """A task of a table."""
    Path("tasks/denials").mkdir(parents=True)
    pd.DataFrame(rows).to_csv("tasks/denials/labels.csv", index=False)
    source = {"kind": "table", "path": "labels.csv", "columns": {"text": "body", "label": "class", **columns}}
    path = Path("tasks/denials/task.yaml")
    path.write_text(yaml.safe_dump({**KEYS, "source": source, **keys}, sort_keys=False), encoding="utf-8")
    return path


def rows(n: int = 12) -> list[dict[str, Any]]:
    return [
        {"key": f"e{k}", "body": sentence(k, k % 2 == 0), "class": "denial" if k % 2 == 0 else "none"} for k in range(n)
    ]


def add(*given: dict[str, Any]) -> Added:
    pd.DataFrame(given).to_csv("back.csv", index=False)
    return add_labels(Path("back.csv"), "denials")


def new(number: int, label: str = "denial", **further: Any) -> dict[str, Any]:
    return {"text": sentence(900 + number, label == "denial"), "label": label, "annotator": "a", **further}


def again(number: int, label: str, who: str) -> dict[str, Any]:
    return {"text": sentence(number, number % 2 == 0), "label": label, "annotator": who}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_tables_other_columns_are_kept_in_every_version_and_new_examples_have_theirs() -> None:
    table = [{**row, "outlet": f"o{k % 3}", "words": k} for k, row in enumerate(rows())]
    make(table, {"id": "key"})
    for number in (1, 2):
        add(new(number, outlet=f"n{number}", country="eg"))
    outlets, words = (load_further("denials", column).values for column in ("outlet", "words"))
    assert outlets == {
        **{f"e{k}": f"o{k % 3}" for k in range(12)},
        **{name: f"n{number}" for number, name in enumerate(load_task("denials").ids[12:].tolist(), start=1)},
    }
    assert [words[f"e{k}"] for k in range(12)] == [str(k) for k in range(12)]
    assert set(list(words.values())[12:]) == {""}
    assert [*load_further("denials", "country").values.values()] == [""] * 12 + ["eg"] * 2


def test_groups_dates_and_values_come_from_the_columns_of_the_first_table_in_every_version() -> None:
    table = [
        {**row, "outlet": f"o{k % 3}", "published": f"2024-01-0{k % 9 + 1}", "target": f"t{k % 2}"}
        for k, row in enumerate(rows())
    ]
    columns = {"id": "key", "group": "outlet", "date": "published"}
    path = make(table, columns, group="group", averaged_over="target")
    for number in (1, 2):
        add(new(number, outlet=f"n{number}", published=f"2024-02-0{number}", target="t1"))
        task = load_task("denials")
        assert task.version == number + 1
        last = task.examples.iloc[-1]
        assert (last["group"], last["date"], last["value"]) == (f"n{number}", f"2024-02-0{number}", "t1")
        assert task.examples["group"][:12].tolist() == [f"o{k % 3}" for k in range(12)]
        assert task.examples["date"][:12].tolist() == [f"2024-01-0{k % 9 + 1}" for k in range(12)]
        assert task.columns == {"text": "body"}
    assert read_definition(path)["source"]["columns"] == {**columns, "text": "body", "label": "class"}
    with pytest.raises(DataError, match="'target' is missing"):
        add(new(3, outlet="n3", published="2024-02-03"))
    assert load_task("denials").version == 3


def test_new_dates_are_read_in_the_order_of_the_first_table_in_every_version() -> None:
    table = [{**row, "published": f"0{k % 9 + 1}/12/2023"} for k, row in enumerate(rows())]
    path = make(table, {"id": "key", "date": "published"})
    definition = dict(read_definition(path))
    path.write_text(yaml.safe_dump({**definition, "source": {**definition["source"], "day_first": True}}))
    for number in (1, 2):
        add(new(number, published=f"0{number}/03/2024"))
        dates = load_task("denials").examples["date"].tolist()
        assert (dates[0], dates[-1]) == ("2023-12-01", f"2024-03-0{number}")


def test_examples_without_a_group_are_told() -> None:
    make([{**row, "outlet": f"o{k % 3}"} for k, row in enumerate(rows())], {"group": "outlet"}, group="group")
    added = add(new(1, outlet="o1"), new(2), new(3))
    assert any("2 new examples have no 'outlet'" in note for note in added.notes)
    assert added.task.groups[-3] == "o1"
    assert len(set(added.task.groups.tolist())) == 5


@pytest.mark.parametrize("form", ["csv", "doccano"])
def test_dates_of_an_archive_in_parquet_come_back_from_the_sheet(bench: Any, form: str) -> None:
    make([{**row, "day": "2024-01-02"} for row in rows()], {"id": "key", "date": "day"})
    texts = [sentence(900 + number, True) for number in range(3)]
    days = pd.to_datetime([f"2024-02-0{number + 1}" for number in range(3)])
    pd.DataFrame({"text": texts, "day": days}).to_parquet("archive.parquet")
    words = ("sample", "task=denials", "--input", "archive.parquet", "--by", "random", "--n", "3", "--format", form)
    assert bench(*words, "--output", "next.csv")[0] == 0
    if form == "csv":
        pd.read_csv("next.csv").assign(label="denial", annotator="a").to_csv("next.csv", index=False)
    else:
        lines = map(json.loads, Path("next.csv").read_text(encoding="utf-8").splitlines())
        content = "".join(json.dumps({**line, "label": ["denial"]}) + "\n" for line in lines)
        Path("next.jsonl").write_text(content, encoding="utf-8")
    added = add_labels(Path("next.csv" if form == "csv" else "next.jsonl"), "denials")
    dates = dict(zip(added.task.examples["text"], added.task.examples["date"], strict=True))
    assert [dates[text] for text in texts] == [f"2024-02-0{number + 1}T00:00:00" for number in range(3)]


def test_a_new_example_without_a_date_is_told_and_keeps_those_of_others() -> None:
    path = make([{**row, "day": "2024-01-02"} for row in rows()], {"id": "key", "date": "day"})
    added = add(new(1, day="2024-02-03"), new(2))
    assert added.task.examples["date"].tolist() == ["2024-01-02"] * 12 + ["2024-02-03", ""]
    assert any("1 new example has no 'day'" in note for note in added.notes)
    assert read_definition(path)["source"]["columns"]["date"] == "day"


def test_a_role_that_the_export_calls_by_its_own_name_is_read() -> None:
    table = [{**row, "outlet": f"o{k % 3}", "day": "2024-01-02"} for k, row in enumerate(rows())]
    make(table, {"id": "key", "group": "outlet", "date": "day"}, group="group")
    added = add(new(1, group="o1", date="2024-02-03"))
    assert (added.task.groups[-1], added.task.examples["date"].iloc[-1]) == ("o1", "2024-02-03")
    assert not any("'outlet'" in note or "'day'" in note for note in added.notes)


def test_one_column_can_be_the_group_and_the_value() -> None:
    table = [{**row, "target": f"t{k // 2 % 2}"} for k, row in enumerate(rows())]
    make(table, {"group": "target"}, group="group", averaged_over="target")
    task = add(new(1, target="t0")).task
    assert (task.groups[-1], task.examples["value"].iloc[-1]) == ("t0", "t0")
    assert {*pd.read_json("tasks/denials/examples-v2.jsonl", lines=True)} == {"id", "key", "body", "class", "target"}


@pytest.mark.parametrize(("n", "told"), [(1, "1 of them has another label"), (2, "2 of them have another label")])
def test_the_number_of_changed_labels_is_told_in_good_grammar(n: int, told: str) -> None:
    make(rows(), {"id": "key"})
    added = add(*(again(k, "none", who) for k in range(0, 2 * n, 2) for who in "ab"), again(10, "denial", "a"))
    assert any(told in each for each in added_sentences(added))


def finer() -> list[dict[str, Any]]:
    names = {"denial": ("refusal", "rebuttal"), "none": ("silence", "silence")}
    return [{**row, "class": names[row["class"]][k // 2 % 2]} for k, row in enumerate(rows())]


MAP = {"refusal": "denial", "rebuttal": "denial", "silence": "none"}


def test_labels_of_a_label_map_stay_as_fine_as_annotators_gave_them() -> None:
    path = make(finer(), {"id": "key"}, label_map=MAP)
    # Two of three votes are for a denial, of whatever kind; two votes make a refusal a rebuttal.
    votes = [again(1, "refusal", "a"), again(1, "rebuttal", "b"), again(0, "rebuttal", "a"), again(0, "rebuttal", "b")]
    added = add(new(1, "rebuttal"), *votes)
    assert (added.new, added.again, added.changed) == (1, 2, 1)
    stored = pd.read_json("tasks/denials/examples-v2.jsonl", lines=True)["class"]
    assert (stored[0], stored[1], stored[12]) == ("rebuttal", "refusal", "rebuttal")
    assert added.task.y[[0, 1, 12]].tolist() == ["denial"] * 3
    assert read_definition(path)["label_map"] == MAP
    assert {each.annotator: (each.same, each.n) for each in added.agreement} == {"a": (1, 2), "b": (1, 2)}
    assert read_votes(path, 2)["e1"] == {"earlier label": "silence", "a": "refusal", "b": "rebuttal"}


def test_the_tasks_own_labels_may_be_given_where_there_is_a_label_map() -> None:
    path = make(finer(), {"id": "key"}, label_map=MAP)
    task = add(new(1, "denial"), new(2, "none")).task
    assert task.y[-2:].tolist() == ["denial", "none"]
    assert read_definition(path)["label_map"] == {**MAP, "denial": "denial", "none": "none"}
    with pytest.raises(DataError, match="refusl"):
        add(new(3, "refusl"))


def test_a_predicted_label_is_shown_as_one_that_annotators_can_choose() -> None:
    make(finer(), {"id": "key"}, label_map=MAP)
    task = load_task("denials")
    assert (choice_of(task, "none"), choice_of(task, "denial")) == ("silence", None)


def passes() -> list[dict[str, Any]]:
    other = {"denial": "none", "none": "denial"}
    # The third pass contradicts the others on the first example, whose label is its own: somebody decided so.
    return [
        {**row, "p1": row["class"] if k else "none", "p2": row["class"] if k else "none", "p3": row["class"]}
        if k != 5
        else {**row, "p1": row["class"], "p2": row["class"], "p3": other[row["class"]]}
        for k, row in enumerate(rows())
    ]


def test_an_annotator_of_all_examples_is_one_more_pass() -> None:
    path = make(passes(), {"id": "key", "passes": ["p1", "p2", "p3"]})
    task = load_task("denials")
    assert task.passes is not None
    given = [again(k, label, "d@x.org") for k, label in enumerate(task.y.tolist())]
    added = add(*given)
    assert (added.again, added.changed) == (12, 0)
    assert added.task.passes is not None
    assert list(added.task.passes) == ["pass-1", "pass-2", "pass-3", "pass-4"]
    assert added.task.passes["pass-4"].tolist() == task.y.tolist()
    assert added.task.passes[["pass-1", "pass-2", "pass-3"]].equals(task.passes)
    assert "1 annotation pass is new." in added.notes
    # Passes and the decision between them are votes.
    votes = read_votes(path, 2)
    assert votes["e0"] == {
        "p1": "none",
        "p2": "none",
        "p3": "denial",
        "adjudicated label": "denial",
        "d@x.org": "denial",
    }
    assert votes["e1"] == {"p1": "none", "p2": "none", "p3": "none", "d@x.org": "none"}


def test_passes_that_do_not_cover_new_examples_are_kept_as_votes() -> None:
    path = make(passes(), {"id": "key", "passes": ["p1", "p2", "p3"]})
    added = add(new(1), again(5, "denial", "x"))
    assert added.task.passes is None
    assert any("kept as votes in annotations-v2.jsonl" in note for note in added.notes)
    assert added.task.examples.set_index("id")["label"]["e5"] == "none"  # two against two
    votes = read_votes(path, 2)
    assert {name for name in votes if name.startswith("e")} == {f"e{k}" for k in range(12)}
    assert votes["e7"] == {"p1": "none", "p2": "none", "p3": "none"}
    assert votes["e5"] == {"p1": "none", "p2": "none", "p3": "denial", "x": "denial"}
    # One more vote decides it, since those of the passes count.
    assert add(again(5, "denial", "y")).task.examples.set_index("id")["label"]["e5"] == "denial"


def test_new_examples_join_the_train_part_of_a_published_split() -> None:
    parts = ["train"] * 6 + ["dev"] * 2 + ["test"] * 4
    figures = [{"system": "BERT", "metric": "macro_f1", "value": 0.7, "source": "A paper"}]
    path = make(
        [{**row, "part": part} for row, part in zip(rows(), parts, strict=True)],
        {"id": "key", "split": "part"},
        published=figures,
    )
    added = add(new(1), new(2, "none"), again(0, "none", "a"))
    assert added.task.examples["split"].tolist() == [*parts, "train", "train"]
    assert any("train part" in note for note in added.notes)
    assert read_definition(path)["published"] == figures
    # A test label that changes is another test than the published one.
    added = add(*(again(10, "none", who) for who in "abc"))
    assert added.changed == 1
    assert any("1 test example has another label now. Published results" in note for note in added.notes)
    assert "published" not in read_definition(path)
    assert added.task.published == ()


def test_a_downloaded_task_says_what_to_do_instead() -> None:
    with pytest.raises(UserError, match="its examples are downloaded") as told:
        add_labels(Path("back.csv"), "ct25-subjectivity")
    assert "bench export task=ct25-subjectivity --to ct25-subjectivity.jsonl" in str(told.value.hint)
    assert "train part" in str(told.value.hint)


def test_votes_for_a_label_that_the_task_has_no_more_are_named() -> None:
    path = make(rows(), {"id": "key"})
    add(new(1))
    file = path.with_name("annotations-v2.jsonl")
    line = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**line, "label": "gone"}) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="gone"):
        add(new(2))


def drawn(number: int, label: str, stratum: str, probability: float) -> dict[str, Any]:
    return new(number, label, stratum=stratum, probability=probability)


def test_examples_of_the_last_draw_stand_for_the_archive_and_others_for_none_of_it() -> None:
    make(rows(), {"id": "key"})
    first = "0123abcd/denial"
    assert load_task("denials").weights is None
    add(drawn(1, "denial", first, 0.5), drawn(2, "none", first, 0.5))
    assert load_task("denials").weights is not None
    task = add(
        drawn(3, "denial", "89abcdef/denial/sure", 0.2), drawn(4, "none", "89abcdef/none/sure", 0.01), new(5, "none")
    ).task
    assert task.weights is not None
    assert task.weights.tolist() == [0.0] * 14 + [5.0, 100.0, 0.0]


def test_a_wrong_probability_is_named() -> None:
    table = [{**row, "p": 1.5, "s": "a"} for row in rows()]
    make(table, {"probability": "p", "stratum": "s"})
    with pytest.raises(DataError, match="must be above 0 and at most 1"):
        load_task("denials")


def test_what_comes_after_a_draw_is_told_for_every_task(tmp_path: Path, bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a task whose examples are not in a table of one's own, the commands that are named make one."""
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"text": [f"نفى الوزير الخبر رقم {n}" for n in range(20)], "label": ["denial", "none"] * 10})
    table.to_csv("mine.csv", index=False)
    assert bench("new", "task", "mine", "--data", "mine.csv")[0] == 0
    assert how_to_add("mine") == "Next: label it, export it, and run: bench add EXPORT --to mine"
    told = how_to_add("denial")
    assert told.startswith("Next: label it and export it. But labels can be added to a task of your own table only;")
    assert told.endswith("Then run: bench add EXPORT --to my-denial")
    for command in re.findall(r"bench ((?:export|new) .+?)[,.](?= )", told):
        status, _, said = bench(*shlex.split(command))
        assert status == 0, said
    pd.DataFrame({"text": ["نفى الوزير خبرا جديدا"], "label": ["denial"]}).to_csv("export.csv", index=False)
    assert bench("add", "export.csv", "--to", "my-denial")[0] == 0
    assert load_task("my-denial").version == 2


def examples(path: Path, version: int) -> list[dict[str, Any]]:
    text = path.with_name(f"examples-v{version}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def answers(*given: tuple[int, str, str]) -> Path:
    """Prodigy's answers: text, annotator, label."""
    lines = [
        {
            "text": sentence(number, True),
            "_input_hash": number,
            "accept": [label],
            "answer": "accept",
            "_annotator_id": who,
        }
        for number, who, label in given
    ]
    lines = [{**line, "options": [{"id": "denial"}, {"id": "none"}]} for line in lines]
    Path("answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return Path("answers.jsonl")


def test_who_alone_labelled_a_text_in_prodigy_is_named_too() -> None:
    """So that a later, fuller export does not count one person twice."""
    path = make(rows(), {"id": "key"})
    first = [(900, "sara", "denial"), (901, "omar", "denial")]
    add_labels(answers(*first), "denials")
    added = add_labels(answers(*first, (900, "omar", "none"), (902, "sara", "none")), "denials")
    votes = read_votes(path, added.task.version)
    assert sorted(sorted(each.items()) for each in votes.values()) == [
        [("omar", "denial")],
        [("omar", "none"), ("sara", "denial")],
        [("sara", "none")],
    ]
    assert not any("does not name its annotators" in note for note in added.notes)


def test_an_annotator_whose_name_is_written_in_two_ways_has_one_vote() -> None:
    path = make(rows(), {"id": "key"})
    add(new(1, "denial", annotator="سارة"), new(2, "denial", annotator="7"))
    added = add(new(1, "denial", annotator="سارة\u200f"), new(2, "denial", annotator="7.0"), new(3, annotator="7.0"))
    assert {who for each in read_votes(path, added.task.version).values() for who in each} == {"سارة", "7"}
    assert "The annotator '7.0' is taken for '7'." in added.notes


def test_a_column_of_probabilities_is_no_rate_where_no_draw_is_named() -> None:
    """Such as a model's confidence; it stays what it was, in old rows and new ones."""
    path = make([{**row, "probability": 0.9, "stratum": "x"} for row in rows()], {"id": "key"})
    added = add(new(1, "denial", probability=0.7), new(2, "none", probability=0.8))
    assert added.task.weights is None
    assert any("'probability' of 2 new examples is not taken for the rate of a draw" in note for note in added.notes)
    table = examples(path, 2)
    assert [row["probability"] for row in table] == ["0.9"] * 12 + ["0.7", "0.8"]
    assert [row["stratum"] for row in table[:12]] == ["x"] * 12
    added = add(drawn(3, "denial", "0123abcd/denial", 0.5))
    assert added.task.weights is not None
    table = examples(path, 3)
    assert [row["probability"] for row in table] == [""] * 14 + ["0.5"]
    assert [row["probability_"] for row in table] == ["0.9"] * 12 + ["0.7", "0.8", ""]


@pytest.mark.slow
def test_of_two_commands_at_once_the_second_adds_to_what_the_first_has_made() -> None:
    make(rows(), {"id": "key"})
    commands = []
    for number in range(3):
        table = [new(10 * number + each, "denial") for each in range(5)]
        pd.DataFrame(table).to_csv(f"back-{number}.csv", index=False)
        words = [sys.executable, "-m", "bench", "add", f"back-{number}.csv", "--to", "denials"]
        commands.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    for command in commands:
        said, _ = command.communicate(timeout=300)
        assert command.returncode == 0, said.decode()
    task = load_task("denials")
    assert (task.version, len(task)) == (4, 12 + 15)


def test_no_output_replaces_what_the_command_reads_or_a_tasks_own_data(bench: Any) -> None:
    table = pd.DataFrame({"text": [sentence(n, n % 2 == 0) for n in range(20)], "label": ["denial", "none"] * 10})
    table.to_json("mine.jsonl", orient="records", lines=True)
    pd.DataFrame({"text": [sentence(100 + n, True) for n in range(30)]}).to_csv("archive.csv", index=False)
    assert bench("new", "task", "mine", "--data", "mine.jsonl")[0] == 0
    for number, (text, label) in enumerate(zip(table["text"], table["label"], strict=True)):
        Path("news", label).mkdir(parents=True, exist_ok=True)
        Path("news", label, f"{number}.txt").write_text(text, encoding="utf-8")
    assert bench("new", "task", "other", "--data", "news")[0] == 0
    table.assign(annotator="a", label="denial").to_csv("back.csv", index=False)
    assert bench("add", "back.csv", "--to", "mine")[0] == 0
    assert bench("run", "task=mine", "model=majority", "search=none", "tracking=false")[0] == 0
    for name in ("page.svg", "runs.zip", "studies.db"):
        Path("tasks/mine", name).write_text("mine")
    kept = [path for path in Path.cwd().rglob("*") if path.is_file() and "results" not in path.parts]
    before = {path: path.read_bytes() for path in kept}
    draw = ("sample", "task=other", "--input", "archive.csv", "--n", "5", "--by", "random", "--format", "csv")
    predict = ("predict", "task=mine", "--input", "archive.csv", "--format")
    for command in (
        (*draw, "--output", "archive.csv"),
        (*draw, "--output", "mine.jsonl"),
        (*draw, "--output", "news/denial/0.txt"),
        ("suspects", "task=mine", "--export", "csv", "--output", "news/denial/0.txt"),
        ("export", "task=other", "--to", "mine.jsonl"),
        ("export", "results", "tasks/mine/runs.zip", "task=mine"),
        ("export", "studies", "tasks/mine/studies.db", "task=mine"),
        (*predict, "csv", "--output", "archive.csv"),
        (*predict, "jsonl", "--output", "mine.jsonl"),
        (*predict, "csv", "--output", "tasks/mine/task.yaml"),
        (*predict, "csv", "--output", "news/none/1.txt"),
        ("report", "task=mine", "--output", "mine.jsonl"),
        ("compare", "task=mine", "--plot", "tasks/mine/page.svg"),
        ("stress", "task=mine", "model=logreg", "--plot", "tasks/mine/page.svg"),
        ("estimate", "task=mine", "--input", "archive.csv", "--plot", "tasks/mine/page.svg"),
    ):
        status, _, said = bench(*command, "--force")
        assert status == 2, (command, said)
        assert "this file is read by a task or the command, so it stays" in " ".join(said.split()), (command, said)
    with pytest.raises(UserError, match="so it stays"):
        report("mine", "mine.jsonl", force=True)
    assert {path: path.read_bytes() for path in kept} == before


def test_a_task_with_added_labels_is_not_made_anew_over_them(bench) -> None:
    make(rows(), {"id": "key"})
    add(new(1))
    before = {path: path.read_bytes() for path in Path("tasks/denials").iterdir()}
    status, _, said = bench("new", "task", "denials", "--data", "tasks/denials/labels.csv", "--force")
    assert status == 2
    assert "bench add has made further versions of this task" in said
    assert {path: path.read_bytes() for path in Path("tasks/denials").iterdir()} == before


def test_columns_of_a_draw_are_known_with_other_capitals_and_spaces() -> None:
    path = make(rows(), {"id": "key"})
    row = drawn(1, "denial", "0123abcd/denial", 0.5)
    spelled = {"label": "Label ", "annotator": "ANNOTATOR", "stratum": " Stratum", "probability": "Probability"}
    added = add({spelled.get(name, name): value for name, value in row.items()})
    assert added.task.weights is not None
    assert list(read_votes(path, added.task.version).values()) == [{"a": "denial"}]
    with pytest.raises(DataError, match="is a title"):
        Path("back.csv").write_text("Labels of March,,\ntext,label,annotator\nنفى,denial,a\n", encoding="utf-8")
        add_labels(Path("back.csv"), "denials")


def test_a_group_that_lost_its_zeros_is_named() -> None:
    make([{**row, "doc": f"{k % 3:03}"} for k, row in enumerate(rows())], {"id": "key", "group": "doc"})
    with pytest.raises(DataError, match="the group is '1', which the task does not have, but it has '001'"):
        add(new(1, doc="1"))
    assert add(new(1, doc="001"), new(2, doc="17")).new == 2
