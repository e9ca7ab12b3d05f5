"""Labels come back from annotation tools into a task, and nothing that was there is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from denials import folder, sentence
from label_studio import exported

from bench.catalogue import load_task
from bench.checks import check_task
from bench.data.votes import read_votes
from bench.errors import DataError, UserError
from bench.labelling.adding import add_labels

Bench = Callable[..., tuple[int, str, str]]
__all__ = ["folder"]


def write(tasks: list[dict[str, Any]], name: str = "export.json") -> Path:
    Path(name).write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return Path(name)


@pytest.mark.slow
def test_the_whole_loop_from_an_archive_to_a_new_version_that_runs(folder: Path, bench: Bench) -> None:
    run = ("run", "task=denials", "model=logreg", "search=quick", "tracking=false")
    assert bench(*run)[0] == 0
    words = ("sample", "task=denials", "--input", "archive.csv", "--n", "40", "--output", "next.json")
    status, _, said = bench(*words)
    assert status == 0, said
    tasks = json.loads(Path("next.json").read_text(encoding="utf-8"))
    assert all(task["predictions"][0]["result"][0]["value"]["choices"] for task in tasks)
    truth = {task["data"]["example_id"]: "denial" if "نفى" in task["data"]["text"] else "none" for task in tasks}
    votes = [dict.fromkeys(("sara@x.org", "omar@x.org"), truth[task["data"]["example_id"]]) for task in tasks]
    votes[0]["sara@x.org"] = None  # type: ignore[assignment]
    write([exported(n, task["data"], vote) for n, (task, vote) in enumerate(zip(tasks, votes, strict=True), start=1)])
    before = {path: path.read_bytes() for path in Path("tasks/denials").iterdir()}
    status, out, said = bench("add", "export.json", "--to", "denials")
    assert status == 0, said
    assert "denials version 2: 40 new examples, 80 in all." in out
    task = load_task("denials")
    assert task.version == 2
    new = task.examples[task.examples["id"].isin(truth)]
    assert dict(zip(new["id"], new["label"], strict=True)) == truth
    drawn = {task["data"]["example_id"]: (task["data"]["stratum"], task["data"]["probability"]) for task in tasks}
    for name, stratum, probability in new[["id", "stratum", "probability"]].itertuples(index=False):
        assert (stratum, float(probability)) == drawn[name]
    assert set(task.examples["probability"][:40]) == {""}
    assert Path("tasks/denials/labels.csv").read_bytes() == before[Path("tasks/denials/labels.csv")]
    assert Path("tasks/denials/task-v1.yaml").read_bytes() == before[Path("tasks/denials/task.yaml")]
    assert bench(*run)[0] == 0
    status, out, said = bench("estimate", "task=denials", "model=logreg", "--input", "archive.csv", "--format", "json")
    assert status == 0, said
    found = json.loads(out)
    texts = pd.read_csv("archive.csv")["text"]
    share = next(each["powered"] for each in found["whole"]["shares"] if each["label"] == "denial")
    assert share["interval"]["low"] <= texts.str.contains("نفى").mean() <= share["interval"]["high"]
    assert found["whole"]["n_labelled"] == 40
    assert any("40 labelled examples were not drawn from this archive" in warning for warning in found["warnings"])
    status, out, said = bench(*words, "--force", "seed=1")
    assert status == 0, said
    further = json.loads(Path("next.json").read_text(encoding="utf-8"))
    assert not {task["data"]["text"] for task in tasks} & {task["data"]["text"] for task in further}
    labels = [{"sara@x.org": "denial" if "نفى" in task["data"]["text"] else "none"} for task in further]
    write(
        [exported(n, task["data"], vote) for n, (task, vote) in enumerate(zip(further, labels, strict=True), start=1)]
    )
    assert bench("add", "export.json", "--to", "denials")[0] == 0
    assert bench(*run)[0] == 0
    status, out, said = bench("estimate", "task=denials", "model=logreg", "--input", "archive.csv", "--format", "json")
    assert status == 0, said
    both = json.loads(out)["whole"]
    assert both["n_labelled"] == 80
    of_both = next(each["powered"] for each in both["shares"] if each["label"] == "denial")
    assert of_both["interval"]["low"] <= texts.str.contains("نفى").mean() <= of_both["interval"]["high"]


def test_an_example_that_is_labelled_again_gets_the_label_of_most_votes(folder: Path) -> None:
    old = load_task("denials").examples.set_index("id")
    labels = old["label"]
    assert (labels["e0"], labels["e1"], labels["e2"]) == ("denial", "none", "denial")
    votes = {"e0": {"a": "none"}, "e1": {"a": "denial", "b": "denial"}, "e2": {"a": "denial", "b": "none"}}
    tasks = [
        exported(n, {"example_id": name, "text": old["text"][name]}, vote)
        for n, (name, vote) in enumerate(votes.items())
    ]
    added = add_labels(write(tasks), "denials")
    assert (added.new, added.again, added.changed) == (0, 3, 1)
    now = added.task.examples.set_index("id")["label"]
    # One against one stays as it was, and two outvote one.
    assert (now["e0"], now["e1"], now["e2"]) == ("denial", "denial", "denial")
    assert [(each.annotator, each.same, each.n) for each in added.agreement] == [("a", 1, 3), ("b", 0, 2)]
    # Votes of all versions count: a second annotator now outvotes the first label of e0.
    add_labels(write([exported(9, {"text": old["text"]["e0"]}, {"c": "none"})]), "denials")
    task = load_task("denials")
    assert task.version == 3
    assert task.examples.set_index("id")["label"]["e0"] == "none"
    assert read_votes(task.origin, 3)["e0"] == {"earlier label": "denial", "a": "none", "c": "none"}


def test_a_tie_over_a_new_text_is_told_and_not_added(folder: Path) -> None:
    text = {"example_id": "x-1", "text": sentence(900, True)}
    tasks = [
        exported(1, text, {"a": "denial", "b": "none"}),
        exported(2, {"text": sentence(901, True)}, {"a": "denial"}),
    ]
    added = add_labels(write(tasks), "denials")
    assert (added.new, added.tied) == (1, ("x-1",))


def test_the_votes_of_a_tied_new_text_are_kept_for_the_annotator_who_decides(folder: Path) -> None:
    text = {"example_id": "x-1", "text": sentence(900, True)}
    other = exported(2, {"text": sentence(901, True)}, {"a": "denial"})
    add_labels(write([exported(1, text, {"a": "denial", "b": "none"}), other]), "denials")
    added = add_labels(write([exported(1, text, {"c": "denial"})]), "denials")
    assert (added.new, added.tied) == (1, ())
    assert load_task("denials").examples.set_index("id")["label"]["x-1"] == "denial"
    assert read_votes(added.task.origin, added.task.version)["x-1"] == {"a": "denial", "b": "none", "c": "denial"}
    # They weigh as much as those of an export with all three.
    again = add_labels(write([exported(1, text, {"d": "none"}), exported(1, text, {"e": "none"})]), "denials")
    assert again.changed == 1
    assert load_task("denials").examples.set_index("id")["label"]["x-1"] == "none"


def test_an_annotator_of_a_tied_new_text_who_changes_a_vote_decides(folder: Path) -> None:
    text = {"example_id": "x-1", "text": sentence(900, True)}
    other = exported(2, {"text": sentence(901, True)}, {"a": "denial"})
    add_labels(write([exported(1, text, {"a": "denial", "b": "none", "c": "none", "d": "denial"}), other]), "denials")
    added = add_labels(write([exported(1, text, {"a": "none"})]), "denials")
    assert added.new == 1
    assert load_task("denials").examples.set_index("id")["label"]["x-1"] == "none"


@pytest.mark.parametrize("form", ["csv", "doccano"])
def test_a_filled_in_table_and_doccano_come_back_too(folder: Path, bench: Bench, form: str) -> None:
    words = ("sample", "task=denials", "--input", "archive.csv", "--by", "random", "--n", "12")
    assert bench(*words, "--format", form, "--output", "next.csv")[0] == 0
    if form == "csv":
        rows = pd.read_csv("next.csv")
        rows["label"] = ["denial" if "نفى" in text else "none" for text in rows["text"]]
        rows.loc[0, "label"] = None
        pd.concat([rows.assign(annotator="a"), rows.assign(annotator="b")]).to_csv("back.csv", index=False)
        export, unlabelled = Path("back.csv"), 2
    else:
        lines = [json.loads(line) for line in Path("next.csv").read_text(encoding="utf-8").splitlines()]
        back = [{**row, "id": n, "label": ["none"] if n else []} for n, row in enumerate(lines)]
        export, unlabelled = Path("back.jsonl"), 1
        export.write_text("".join(json.dumps(row) + "\n" for row in back), encoding="utf-8")
    added = add_labels(export, "denials")
    assert (added.new, added.unlabelled) == (11, unlabelled)
    assert set(added.task.examples["probability"][40:].astype(float)) == {11 / 300}  # one has no label


def test_a_label_that_the_task_has_not_changes_nothing(folder: Path) -> None:
    before = {path: path.read_bytes() for path in Path("tasks/denials").iterdir()}
    with pytest.raises(DataError, match="maybe"):
        add_labels(write([exported(1, {"text": sentence(900, True)}, {"a": "maybe"})]), "denials")
    assert {path: path.read_bytes() for path in Path("tasks/denials").iterdir()} == before


def test_a_text_that_was_edited_in_the_tool_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="e3"):
        add_labels(write([exported(1, {"example_id": "e3", "text": "نص آخر"}, {"a": "none"})]), "denials")


def test_one_annotator_with_two_labels_for_a_text_is_refused(folder: Path) -> None:
    tasks = [exported(n, {"text": sentence(900, True)}, {"a": label}) for n, label in enumerate(["none", "denial"])]
    with pytest.raises(DataError, match="already labelled this text differently"):
        add_labels(write(tasks), "denials")


def test_a_task_file_that_changes_meanwhile_is_not_overwritten(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.labelling import adding

    path = Path("tasks/denials/task.yaml")
    build = adding.build_task  # type: ignore[attr-defined]

    def slow(definition: Mapping[str, Any], origin: Path) -> Any:
        if definition["version"] == 2:
            path.write_text(path.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
        return build(definition, origin)

    monkeypatch.setattr(adding, "build_task", slow)
    with pytest.raises(UserError, match="changed meanwhile"):
        add_labels(write([exported(1, {"text": sentence(900, True)}, {"a": "none"})]), "denials")
    assert path.read_text(encoding="utf-8").endswith("# mine\n")
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["version"] == 1
    assert sorted(file.name for file in path.parent.iterdir()) == ["labels.csv", "task.yaml"]


def test_dawid_skene_weighs_annotators_and_keeps_what_it_is_sure_of(folder: Path) -> None:
    path = Path("tasks/denials/task.yaml")
    path.write_text(path.read_text(encoding="utf-8") + "gold: dawid-skene\n", encoding="utf-8")
    tasks = []
    for n in range(60):
        true, wrong = ("denial", "none") if n % 2 else ("none", "denial")
        # Two are always right; two others are wrong together on every third text, where votes would be tied.
        other = wrong if n % 3 == 0 else true
        text = sentence(1000 + n, n % 2 == 1)
        votes = {"a": true, "b": true, "c": other, "d": wrong if n % 6 in (0, 3, 4) else true}
        tasks.append(exported(n, {"example_id": f"x-{n}", "text": text}, votes))
    added = add_labels(write(tasks), "denials")
    assert (added.new, added.tied) == (60, ())
    now = added.task.examples.set_index("id")["label"]
    assert all(now[f"x-{n}"] == ("denial" if n % 2 else "none") for n in range(60))
    lines = [json.loads(line) for line in (path.parent / "posteriors-v2.jsonl").read_text().splitlines()]
    assert [line["example"] for line in lines] == [f"x-{n}" for n in range(60)]
    assert all(line["denial"] + line["none"] == pytest.approx(1) for line in lines)


@pytest.mark.parametrize(("wrong", "named"), [(0.4, ["d"]), (0.05, [])])
def test_an_annotator_who_stands_apart_is_named(folder: Path, wrong: float, named: list[str]) -> None:
    rng = np.random.default_rng(0)
    tasks = []
    for n in range(150):
        other = {"denial": "none", "none": "denial"}
        true = "denial" if n % 2 else "none"
        rates = {"a": 0.05, "b": 0.05, "c": 0.05, "d": wrong}
        votes = {who: other[true] if rng.random() < rate else true for who, rate in rates.items()}
        tasks.append(exported(n, {"example_id": f"x-{n}", "text": sentence(1000 + n, n % 2 == 1)}, votes))
    task = add_labels(write(tasks), "denials").task
    found = [finding.message for finding in check_task(task) if finding.code == "D503"]
    assert [message.split()[1] for message in found] == named


def test_only_people_are_named_as_annotators_who_stand_apart(folder: Path) -> None:
    path = Path("tasks/denials/task.yaml")
    other = {"denial": "none", "none": "denial"}
    known = load_task("denials").examples
    tasks = [
        exported(n, {"example_id": name, "text": text}, dict.fromkeys("abc", other[label] if n < 20 else label))
        for n, (name, text, label) in enumerate(known[["id", "text", "label"]].itertuples(index=False))
    ]
    task = add_labels(write(tasks), "denials").task
    assert {who for votes in read_votes(path, 2).values() for who in votes} == {"a", "b", "c", "earlier label"}
    assert [finding.message for finding in check_task(task) if finding.code == "D503"] == []


def test_a_bad_annotator_does_not_hide_another_one(folder: Path) -> None:
    tasks = []
    for n in range(240):
        true, wrong = ("denial", "none") if n % 2 else ("none", "denial")
        bad, is_wrong = ("bob", n % 10 < 3) if n < 60 else ("c", n % 10 < 4)
        votes = {"a": true, "b": true, bad: wrong if is_wrong else true}
        tasks.append(exported(n, {"example_id": f"x-{n}", "text": sentence(1000 + n, n % 2 == 1)}, votes))
    task = add_labels(write(tasks), "denials").task
    found = [finding.message for finding in check_task(task) if finding.code == "D503"]
    assert [message.split()[1] for message in found] == ["bob", "c"]
    assert all("annotators who do not stand apart on 0 %" in message for message in found)
