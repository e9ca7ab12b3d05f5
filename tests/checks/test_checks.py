"""``bench check task=NAME`` finds each kind of fault, and finds none where there is none."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.checks import CHECKS, Finding, check_task, unreadable
from bench.checks.encoding import fault
from bench.checks.near import NEAR, components, jaccard, near_pairs
from bench.config import compose
from bench.data import Task
from bench.data.definition import build_task
from bench.errors import DataError
from bench.planning.plan import prepare
from bench.text.normalization import normalize

ROOT = Path(__file__).parents[2]
LETTERS = list("ابتثجحخدذرزسشصضطظعغفقكلمنهوي")
LABELS = ("agree", "disagree", "discuss")


def sentence(rng: np.random.Generator, words: int = 12) -> str:
    """Words that nobody has written before, so that no two sentences are alike."""
    return " ".join("".join(rng.choice(LETTERS, size=rng.integers(3, 8))) for _ in range(words)) + "."


def clean_table(seed: int = 0, rows: int = 120) -> pd.DataFrame:
    """A table in which there is nothing to find: 12 documents, every label in each."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": f"e{row}",
            "text": sentence(rng),
            "label": LABELS[row % len(LABELS)],
            "group": f"d{row // 10}",
        }
        for row in range(rows)
    )


def build(table: pd.DataFrame, folder: Path, labels: tuple[str, ...] = LABELS, **keys: Any) -> Task:
    """Build a task from a file, as a user's is."""
    path = folder / "table.csv"
    table.to_csv(path, index=False, quoting=csv.QUOTE_ALL)
    columns = {name: name for name in table.columns}
    definition = {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": path.name, "columns": columns},
        "inputs": [name for name in ("claim", "text") if name in columns],
        "labels": list(labels),
    }
    return build_task(definition | keys, folder / "task.yaml")


def above_notes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings if finding.severity != "note"}


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def with_split(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a published split by document: eight in training, two in dev, two in test."""
    number = table["group"].str[1:].astype(int)
    return table.assign(split=np.select([number < 8, number < 10], ["train", "dev"], "test"))


# Each plants one fault in the clean table, in place or in a copy.
def mistyped_label(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[[0, 30, 60, 90, 117], "label"] = "agre"
    return table


def label_in_another_case(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[table.index % 6 == 0, "label"] = "Agree"
    return table


def too_few(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[[3, 53, 83], "label"] = "rare_one"
    return table


def one_group(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[table.index < 8, "label"] = "local"
    return table


def copied(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[40, "text"] = str(table.loc[10, "text"]).replace(" ", "  ")
    table.loc[40, "label"] = str(table.loc[10, "label"])
    return table


def copied_with_another_label(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[41, "text"] = str(table.loc[10, "text"])
    return table


def reworded(table: pd.DataFrame, row: int, like: int) -> None:
    table.loc[row, "text"] = str(table.loc[like, "text"]).rstrip(".") + " أمس."


def nearly_copied(table: pd.DataFrame) -> pd.DataFrame:
    reworded(table, 40, 10)
    return table


def nearly_copied_in_its_group(table: pd.DataFrame) -> pd.DataFrame:
    reworded(table, 13, 10)
    return table


def nearly_copied_with_another_label(table: pd.DataFrame) -> pd.DataFrame:
    reworded(table, 11, 10)
    return table


def copied_group(table: pd.DataFrame) -> pd.DataFrame:
    for row in range(10, 18):
        table.loc[row + 60, ["text", "label"]] = table.loc[row, ["text", "label"]]
    return table


def respelled_group(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[5, "group"] = str(table.loc[5, "group"]) + "\u00a0"
    return table


def set_text(row: int, change: Callable[[str], str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def plant(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[row, "text"] = change(str(table.loc[row, "text"]))
        return table

    return plant


def some_glyphs(text: str) -> str:
    return text + " \ufe8d\ufedf\ufea8\ufe92\ufeae"


def joined_labels(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[table.index % 9 == 1, "label"] += "|discuss"
    return table


def listed_labels(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(label=table["label"].map(lambda label: f"['{label}']"))


def unknown_groups(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[table["group"].isin(["d0", "d1"]), "group"] = "N/A"
    return table


def in_all(change: Callable[[str], str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda table: table.assign(text=table["text"].map(change))


def marked_by_source(table: pd.DataFrame) -> pd.DataFrame:
    agreeing = table["label"] == "agree"
    table.loc[agreeing, "text"] = "رويترز: " + table.loc[agreeing, "text"]
    return table


def marked_at_the_end(table: pd.DataFrame) -> pd.DataFrame:
    discussing = table["label"] == "discuss"
    table.loc[discussing, "text"] = table.loc[discussing, "text"].str.rstrip(".") + "؟!"
    return table


def stopped(table: pd.DataFrame) -> pd.DataFrame:
    """A full stop ends all texts of one label only; it stands inside the others too."""
    others = table["label"] != "agree"
    table.loc[others, "text"] = table.loc[others, "text"].map(lambda text: text[:9] + "." + text[9:-1])
    return table


def longer(table: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    for row in table.index[table["label"] == "disagree"]:
        table.loc[row, "text"] += " " + sentence(rng, 14)
    return table


def leaking(table: pd.DataFrame) -> pd.DataFrame:
    reworded(table, 110, 11)
    return with_split(table)


def cut_group(table: pd.DataFrame) -> pd.DataFrame:
    table = with_split(table)
    table.loc[115, "group"] = "d0"
    return table


def absent_from_test(table: pd.DataFrame) -> pd.DataFrame:
    table = with_split(table)
    table.loc[(table["split"] == "test") & (table["label"] == "agree"), "label"] = "discuss"
    return table


def prepared_apart(table: pd.DataFrame) -> pd.DataFrame:
    """The test texts have spaces before their full stops, and diacritics less often than the others."""
    table = with_split(table)
    test = table["split"] == "test"
    table.loc[test, "text"] = table.loc[test, "text"].str.replace(".", " .")
    table.loc[~test & (table.index % 2 == 0), "text"] += "\u064e"
    return table


def dated(*dates: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The table with these dates in turn."""
    return lambda table: table.assign(date=[dates[row % len(dates)] for row in range(len(table))])


FAULTS: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "a mistyped label": ("D101", mistyped_label),
    "a label in another case": ("D101", label_in_another_case),
    "fewer examples than folds": ("D102", too_few),
    "a label that the published test part lacks": ("D102", absent_from_test),
    "a label in one group": ("D103", one_group),
    "several labels in one": ("D104", joined_labels),
    "lists for labels": ("D104", listed_labels),
    "dates of which some have a time zone": ("D105", dated("2024-05-03T10:00+03:00", "2024-05-03T12:30")),
    "the same input with different labels": ("D202", copied_with_another_label),
    "nearly the same text in two groups": ("D203", nearly_copied),
    "nearly the same text with different labels": ("D205", nearly_copied_with_another_label),
    "a group that was copied": ("D206", copied_group),
    "a group that is written in two ways": ("D207", respelled_group),
    "groups that nobody knows": ("D208", unknown_groups),
    "a text of nothing but marks": ("D301", set_text(5, lambda text: "…!؟")),
    "a text that swallowed many": ("D303", set_text(5, lambda text: f"{text}\n" * 20)),
    "a text in English": ("D304", set_text(5, lambda text: "The spokesman denied the report.")),
    "Windows-1256 read as Latin-1": ("D305", set_text(5, lambda text: text.encode("cp1256").decode("latin-1"))),
    "UTF-8 read as Latin-1": ("D305", set_text(5, lambda text: text.encode().decode("latin-1"))),
    "UTF-8 read as Windows-1252": ("D305", set_text(5, lambda text: text.encode().decode("cp1252", "replace"))),
    "UTF-8 read as Windows-1256": ("D305", set_text(5, lambda text: text.encode().decode("cp1256", "replace"))),
    "a lost byte": ("D305", set_text(5, lambda text: text[:9] + "\ufffd" + text[10:])),
    "a character for private use": ("D309", set_text(5, lambda text: text[:9] + "\ue012" + text[10:])),
    "letters lost to question marks": ("D305", set_text(5, lambda text: re.sub(r"[^\s.]", "?", text))),
    "glyphs in the place of letters": ("D306", lambda table: table.assign(text=table["text"].map(some_glyphs))),
    "a text of links and mentions only": ("D301", set_text(5, lambda text: "@someone https://t.co/aBcDeFgHiJ")),
    "characters of HTML": ("D310", in_all(lambda text: f"&quot;{text}&quot;")),
    "a tag of HTML": ("D310", in_all(lambda text: f"{text[:9]}<br/>{text[9:]}")),
    "letters by their numbers": ("D310", in_all(lambda text: text[:9] + "&#1575;" + text[10:])),
    "letters as a program escapes them": ("D310", in_all(lambda text: text[:9] + r"\u0631" + text[10:])),
    "quotation marks of a CSV file": ("D308", set_text(5, lambda text: f'"وقال ""{text}"" أمس"')),
    "a source that tells the label": ("D401", marked_by_source),
    "an ending that tells the label": ("D401", marked_at_the_end),
    "a full stop at the end that tells the label": ("D401", stopped),
    "a length that tells the label": ("D401", longer),
    "a test part that training has nearly seen": ("D601", leaking),
    "a group on both sides of the published split": ("D602", cut_group),
    "a test part that was prepared in another way": ("D603", prepared_apart),
}

SMALL = {
    "dates that are missing": ("D105", dated("2024-05-03", "")),
    "a copied input": ("D201", copied),
    "nearly the same text in one group": ("D204", nearly_copied_in_its_group),
    "a text of one word": ("D302", set_text(5, lambda text: text.split()[0])),
    "a mark of direction": ("D307", set_text(5, lambda text: "\u202b" + text)),
    "a null character": ("D307", set_text(5, lambda text: text[:5] + "\u0001" + text[5:])),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("published", [False, True])
def test_clean_data_have_nothing_to_find(seed: int, published: bool, tmp_path: Path) -> None:
    table = clean_table(seed)
    assert check_task(build(with_split(table) if published else table, tmp_path)) == []


@pytest.mark.parametrize(("code", "plant"), FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_the_one_that_is_found(code: str, plant: Callable[..., Any], tmp_path: Path) -> None:
    table = plant(clean_table())
    labels = tuple(dict.fromkeys(table["label"]))
    findings = check_task(build(table, tmp_path, labels))
    assert above_notes(findings) - related(code) == {code}
    assert all(finding.message for finding in findings)


def related(code: str) -> set[str]:
    """What a planted fault brings with it: a copied group is made of near repeats, or of inputs left out."""
    return {"D203"} if code == "D206" else set()


@pytest.mark.parametrize(("code", "plant"), SMALL.values(), ids=SMALL)
def test_what_is_only_good_to_know_is_a_note(code: str, plant: Callable[..., Any], tmp_path: Path) -> None:
    findings = check_task(build(plant(clean_table()), tmp_path))
    assert codes(findings) == {code}
    assert above_notes(findings) == set()


@pytest.mark.slow
def test_many_broken_texts_are_an_error_which_refuses_a_run(bench: Any, tmp_path: Path, monkeypatch: Any) -> None:
    table = clean_table()
    table["text"] = [text.encode("cp1256").decode("latin-1") for text in table["text"]]
    write_task(table, tmp_path, monkeypatch)
    status, out, _ = bench("check", "task=mine")
    assert status == 1
    assert "D305  error  Broken encoding" in out
    assert "Windows-1256 read as Latin-1 (120)" in " ".join(out.split())
    status, out, err = bench("run", "task=mine", "model=majority", "tracking=false")
    assert (status, out) == (2, "")
    assert "120 of 120 texts with broken characters" in " ".join(err.split())
    assert "bench check task=mine" in err
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_a_task_that_cannot_be_read_does_not_keep_the_others_from_being_checked(
    bench: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    write_task(clean_table(), tmp_path, monkeypatch)
    (tmp_path / "defaults").mkdir()
    (tmp_path / "defaults" / "configs").symlink_to(ROOT / "configs")
    monkeypatch.setattr("bench.discovery.defaults_folder", lambda: tmp_path / "defaults")
    broken = tmp_path / "tasks" / "broken" / "task.yaml"
    broken.parent.mkdir()
    for content, message in (
        ("name: [", "broken/task.yaml, line 1: not valid YAML"),
        ("nme: x\n", "unknown key 'nme'"),
    ):
        broken.write_text(content)
        for words in ("task=all", "task=broken,mine"):
            status, out, _ = bench("check", words, "--json")
            found = {task["task"]: task["findings"] for task in json.loads(out)["tasks"]}
            assert (status, list(found), found["mine"]) == (1, ["broken", "mine"], [])
            assert [(each["code"], each["severity"]) for each in found["broken"]] == [("D001", "error")]
            assert message in found["broken"][0]["message"]
        status, out, err = bench("check", "task=broken")
        assert (status, out) == (2, "")
        assert message in err
    status, out, err = bench("run", "task=all", "model=majority", "tracking=false")
    assert status == 0
    assert "mine" in out
    assert "tasks/broken/task.yaml, line 1: unknown key 'nme'" in err
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["mine"]


def test_a_run_tells_what_the_quick_checks_warn_of(tmp_path: Path, monkeypatch: Any) -> None:
    write_task(marked_by_source(copied_with_another_label(clean_table())), tmp_path, monkeypatch)
    notes = prepare(compose(["task=mine", "model=majority"])).notes
    assert notes[-1] == "mine: 1 input has different labels. (D202)"
    assert not any("D401" in note for note in notes)


def test_json_is_all_that_is_printed(bench: Any, tmp_path: Path, monkeypatch: Any) -> None:
    write_task(marked_by_source(clean_table()), tmp_path, monkeypatch)
    status, out, _ = bench("check", "task=mine", "--json")
    (task,) = json.loads(out)["tasks"]
    assert status == 0
    assert task["labels"] == dict.fromkeys(LABELS, 40)
    (finding,) = task["findings"]
    assert finding["code"] == "D401"
    assert "the word 'رويترز:' are labelled 'agree' with precision 1.00 and recall 1.00" in finding["message"]
    assert finding["page"].endswith("docs/reference/checks.md#d401-text-that-gives-its-label-away")
    assert 0 < len(finding["examples"]) <= 3


def test_data_that_cannot_be_read_are_a_finding(bench: Any, tmp_path: Path, monkeypatch: Any) -> None:
    table = clean_table()
    table.loc[5, "label"] = "agre"
    write_task(table, tmp_path, monkeypatch)
    status, out, _ = bench("check", "task=mine", "--json")
    (finding,) = json.loads(out)["tasks"][0]["findings"]
    assert (status, finding["code"], finding["severity"]) == (1, "D001", "error")
    assert "line 7" in finding["message"]
    assert "Did you mean 'agree'?" in finding["message"]
    status, out, _ = bench("check", "task=mine")
    assert status == 1
    assert "D001  error" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("task=mien",), "Did you mean 'mine'?"),
        (("task=mine", "validation.group=author"), "has no such column"),
        (("model=majority", "--json"), "--format json works with task=NAME"),
    ],
)
def test_mistakes_on_the_command_line_end_with_2(
    words: tuple[str, ...], message: str, bench: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    write_task(clean_table(), tmp_path, monkeypatch)
    status, out, err = bench("check", *words)
    assert (status, out) == (2, "")
    assert message in err


def write_task(table: pd.DataFrame, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a user's folder with the task ``mine``, and go there."""
    place = folder / "tasks" / "mine"
    place.mkdir(parents=True)
    table.to_csv(place / "table.csv", index=False)
    definition = {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": "table.csv", "columns": {name: name for name in table.columns}},
        "inputs": ["text"],
        "labels": list(LABELS),
    }
    (place / "task.yaml").write_text(yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8")
    monkeypatch.chdir(folder)


@pytest.mark.slow
def test_claims_and_texts_are_compared_as_pairs(tmp_path: Path) -> None:
    """One text beside many claims is no repeat; claim and text both nearly the same are one."""
    rng = np.random.default_rng(2)
    table = clean_table()
    table["claim"] = [sentence(rng) for _ in range(len(table))]
    table["text"] = [table["text"][row // 4] for row in range(len(table))]
    assert check_task(build(table, tmp_path)) == []
    table.loc[40, ["claim", "text", "label"]] = table.loc[10, ["claim", "text", "label"]]
    table.loc[40, "claim"] = str(table.loc[10, "claim"]).rstrip(".") + " أمس."
    findings = check_task(build(table, tmp_path))
    assert codes(findings) == {"D203"}
    assert "e10: «" in findings[0].examples[0]


def test_a_label_map_that_crosses_names_is_found(tmp_path: Path) -> None:
    table = clean_table().replace({"label": {"disagree": "agree ", "discuss": "other"}})
    mapping = {"agree": "yes", "agree ": "no", "other": "no"}
    findings = check_task(build(table, tmp_path, ("yes", "no"), label_map=mapping))
    assert above_notes(findings) == {"D101"}
    mapping = {"agree": "yes", "agree ": "yes", "other": "no"}
    assert above_notes(check_task(build(table, tmp_path, ("yes", "no"), label_map=mapping))) == set()


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (("agree", "disagree", "discuss", "unrelated"), False),
        (("denial", "non_confirmation", "none"), False),
        (("OBJ", "SUBJ"), False),
        (("class 1", "class 2"), False),
        (("moral", "amoral"), False),
        (("official", "unofficial"), False),
        (("رياضة", "سياسة"), False),
        (("رياضة", "رياضه"), True),
        (("non-confirmation", "non_confirmation"), True),
        (("government", "goverment"), True),
        (("denial", "denail"), True),
    ],
)
def test_only_names_that_are_one_name_mistyped_look_alike(labels: tuple[str, ...], found: bool) -> None:
    table = clean_table().assign(label=[labels[row % len(labels)] for row in range(120)])
    task = Task("mine", 1, "", ("text",), labels, "macro_f1", "group", table)
    assert ("D101" in codes(check_task(task, quick=True))) is found


def passes_of(table: pd.DataFrame, *errors: float, seed: int = 0) -> pd.DataFrame:
    """Annotation passes that each draw another label with a probability."""
    rng = np.random.default_rng(seed)
    gold = table["label"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            f"pass-{number}": np.where(rng.random(len(gold)) < error, rng.choice(LABELS, len(gold)), gold)
            for number, error in enumerate(errors, start=1)
        }
    )


@pytest.mark.parametrize(
    ("errors", "found"),
    [
        ((0.05, 0.05, 0.05), set()),
        ((0.12, 0.12, 0.12), set()),
        ((0.02, 0.02, 0.3), {"D501"}),
        ((0.9, 0.9), {"D502"}),
        ((0.9, 0.9, 0.9), {"D502"}),
    ],
)
def test_passes_that_stand_apart_or_disagree_are_found(errors: tuple[float, ...], found: set[str]) -> None:
    table = clean_table(rows=300)
    task = Task(
        "mine", 1, "", ("text",), LABELS, "macro_f1", "group", table, passes=passes_of(table, *errors).astype(str)
    )
    findings = check_task(task)
    assert above_notes(findings) == found
    if found == {"D501"}:
        assert findings[0].message.startswith("pass-3 stands apart")


def test_a_bad_pass_does_not_hide_another_one() -> None:
    table = clean_table(rows=300)
    passes = passes_of(table, 0.02, 0.02, 0.02, 0.15, 0.45).astype(str)
    task = Task("mine", 1, "", ("text",), LABELS, "macro_f1", "group", table, passes=passes)
    found = [finding.message for finding in check_task(task) if finding.code == "D501"]
    assert sorted(message.split()[0] for message in found) == ["pass-4", "pass-5"]


def test_of_two_labels_each_is_as_contested_as_both(tmp_path: Path) -> None:
    table = clean_table().assign(label=["agree", "discuss"] * 60)
    passes = pd.DataFrame({"pass-1": table["label"], "pass-2": table["label"][::-1].to_numpy()}).astype(str)
    task = Task("mine", 1, "", ("text",), ("agree", "discuss"), "macro_f1", "group", table, passes=passes)
    assert [finding.code for finding in check_task(task)] == ["D502"]


@pytest.mark.parametrize(("folds", "found"), [(5, False), (12, True), (20, True)])
def test_there_are_no_more_folds_than_groups(folds: int, found: bool) -> None:
    table = clean_table()
    table.loc[[*range(9), *range(20, 111, 10)], "label"] = "rare"
    table.loc[[*range(8)], "label"] = "agree"
    labels = (*LABELS, "rare")
    task = Task("mine", 1, "", ("text",), labels, "macro_f1", "group", table)
    told = [finding.message for finding in check_task(task, folds, quick=True) if finding.code == "D102"]
    assert told == (["'rare' has 11 examples, fewer than the 12 folds."] if found else [])


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([11], "1 example with a repeated input was left out, in the same group as the copy."),
        ([40], "1 example with a repeated input was left out, in a different group from the copy."),
        ([40, 11], "2 examples with a repeated input were left out, 1 of them in a different group from"),
    ],
)
def test_repeats_are_told_with_the_group_that_they_stood_in(tmp_path: Path, rows: list[int], told: str) -> None:
    table = clean_table()
    for column in ("text", "label"):
        table.loc[rows, column] = str(table.loc[10, column])
    assert check_task(build(table, tmp_path), quick=True)[0].message.startswith(told)


@pytest.mark.parametrize("seed", range(5))
def test_chance_gives_no_label_away(seed: int) -> None:
    """Few examples and many words: some word is in all texts of a label by chance."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(LETTERS, size=4)) for _ in range(400)]
    table = clean_table(rows=24).assign(
        text=[" ".join(rng.choice(words, size=60)) for _ in range(24)], label=["agree", "discuss"] * 12
    )
    task = Task("mine", 1, "", ("text",), ("agree", "discuss"), "macro_f1", "id", table)
    assert "D401" not in codes(check_task(task))


@pytest.mark.parametrize("length", [1, 2, 4, 5])
def test_texts_shorter_than_the_runs_of_characters_are_checked(length: int) -> None:
    texts = [chr(0x4E00 + row) * length for row in range(120)]
    task = Task("mine", 1, "", ("text",), LABELS, "macro_f1", "group", clean_table().assign(text=texts))
    assert codes(check_task(task)) == {"D302", "D304"}


@pytest.mark.parametrize(
    "around",
    [
        "{} https://t.co/aBcDeFgHiJ https://t.co/kLmNoPqRsT",
        "@some_user @other_user: {}",
        "RT @SomeAgency: {} pic.twitter.com/aBcDeFgHiJ",
        "{} #Breaking #LatestNewsToday www.some-agency.example/news",
        "{} write-to-the-editor@some-agency.example",
        "{} youtu.be/aBcDeFgHiJk :smiling_face_with_heart_eyes:",
        "<p class='news-item'>{}</p>&nbsp;&quot;",
        "USER USER {} URL HTTPURL",
    ],
)
def test_links_mentions_and_markup_do_not_make_a_text_foreign(around: str, tmp_path: Path) -> None:
    table = clean_table()
    table["text"] = [around.format(f"{text.split()[0]} {text.split()[1]}") for text in table["text"]]
    assert "D304" not in codes(check_task(build(table, tmp_path)))
    table.loc[5, "text"] = around.format("The spokesman denied the report that was published this morning in London")
    assert "D304" in codes(check_task(build(table, tmp_path)))


def test_characters_for_private_use_are_a_warning_however_many_texts_have_them(tmp_path: Path) -> None:
    table = clean_table()
    table["text"] = table["text"] + " \ue415\U000f0001"
    found = [each for each in check_task(build(table, tmp_path), quick=True) if each.severity != "note"]
    assert [(each.code, each.severity) for each in found] == [("D309", "warning")]
    assert "120 of 120 texts with private-use characters" in found[0].message


@pytest.mark.parametrize(
    "labels",
    [
        *("1 -1", "1 \u22121", "+ -", "<5 >5", "C C++", "C C#", "1.5 15", "A A-", "1/2 12", "5% 5"),
        *("\U0001f600 \U0001f621", ":) :(", "★★ ★★★", "$ €", "≤5 ≥5"),
    ],
)
def test_a_sign_that_means_something_tells_labels_apart(labels: str) -> None:
    rows, names = clean_table(), tuple(labels.split())
    task = Task("mine", 1, "", ("text",), names, "macro_f1", "group", rows.assign(label=np.resize(names, len(rows))))
    assert "D101" not in codes(check_task(task, quick=True))


@pytest.mark.parametrize(
    "labels",
    [("-1", "\u22121"), ("1", "1.0"), ("1", "+1"), ("Non-news", "non news"), ("#topic", "topic"), ("10-20", "10 – 20")],
)
def test_one_label_in_two_spellings_is_reported(labels: tuple[str, str]) -> None:
    rows = clean_table()
    task = Task("mine", 1, "", ("text",), labels, "macro_f1", "group", rows.assign(label=np.resize(labels, len(rows))))
    assert "D101" in codes(check_task(task, quick=True))


word = st.text("ابتثجحخدذ", min_size=2, max_size=6)


@settings(max_examples=60)
@given(st.lists(st.lists(word, min_size=1, max_size=12).map(" ".join), unique=True, min_size=2, max_size=12), st.data())
def test_near_pairs_are_those_of_a_plain_comparison(texts: list[str], data: st.DataObject) -> None:
    changed = [text + " " + data.draw(word) for text in texts]
    texts = list(dict.fromkeys([*texts, *changed]))
    pairs, similarities = near_pairs(texts)
    expected = {
        (a, b): jaccard(texts[a], texts[b])
        for a in range(len(texts))
        for b in range(a + 1, len(texts))
        if jaccard(texts[a], texts[b]) >= NEAR + 0.05  # nearer to the bound one in 2,500 may be missed
    }
    found = dict(zip(map(tuple, pairs.tolist()), similarities.tolist(), strict=True))
    assert expected.items() <= found.items()
    assert all(jaccard(texts[a], texts[b]) == similarity >= NEAR for (a, b), similarity in found.items())
    numbers = components(len(texts), pairs)
    assert all(numbers[a] == numbers[b] for a, b in pairs.tolist())


def test_many_near_copies_of_one_text_are_one_family() -> None:
    text = sentence(np.random.default_rng(0), 40)
    texts = [f"{text} {number}" for number in range(300)]
    pairs, _ = near_pairs(texts)
    assert len(set(components(300, pairs).tolist())) == 1
    assert len(pairs) <= 300 * 10


@given(st.text("ابتثجحخدذرزسشصضعغفقكلمنهويةىءأإآؤئ ،؟.«»0123456789abcXYZ\n\u200c", max_size=80))
def test_sound_text_has_no_broken_encoding(text: str) -> None:
    assert fault(text) == ""


@pytest.mark.parametrize(
    "text",
    ["Le général déclara à l'Élysée: été, naïveté", "ظطظطظطظ", "هل حقا؟؟؟ لماذا???", "café", "Müller"],
)
def test_accents_and_unusual_marks_are_no_broken_encoding(text: str) -> None:
    assert fault(text) == ""


@pytest.mark.parametrize("name", ["stance", "denial", "source-type"])
def test_the_tasks_that_come_with_the_package_have_no_false_alarm(name: str) -> None:
    from bench.catalogue import load_task

    expected = {"D103"} if name == "source-type" else set()  # its three experts stand in one document
    assert above_notes(check_task(load_task(name))) == expected


@pytest.mark.slow
def test_habits_that_differ_by_no_more_than_chance_are_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for draw in range(20):
        table = with_split(clean_table(draw))
        table.loc[rng.random(len(table)) < 0.5, "text"] += "\u064e"
        assert "D603" not in codes(check_task(build(table, tmp_path), quick=True))


@pytest.mark.slow
def test_a_text_that_stands_in_many_pairs_counts_once(tmp_path: Path) -> None:
    """Few documents, each against many claims, are as easily apart by chance as few texts are."""
    rng = np.random.default_rng(0)
    for draw in range(20):
        texts = [sentence(rng)[: None if rng.random() < 0.5 else -1] for _ in range(35)]
        table = pd.DataFrame(
            {
                "claim": sentence(rng),
                "text": text,
                "label": LABELS[claim % 3],
                "split": "train" if number < 30 else "test",
                "group": f"d{number}",
            }
            for number, text in enumerate(texts)
            for claim in range(6)
        )
        assert "D603" not in codes(check_task(build(table, tmp_path), quick=True)), draw


def test_the_checks_in_the_document_are_the_checks() -> None:
    text = (ROOT / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (D\d{3}) (.+)$", text, re.MULTILINE)
    assert headings == [
        ("D001", unreadable(DataError("")).title),
        *((check.code, check.title) for check in CHECKS.values()),
    ]
    named = {code for code, check in CHECKS.items() if check.quick}
    (sentence_on_quick,) = re.findall(
        r"^Every run makes the quick ones first: (.+?)\.$", text, re.MULTILINE | re.DOTALL
    )
    assert set(re.findall(r"D\d{3}", sentence_on_quick)) == named


def test_normalised_text_is_what_words_are_counted_in(tmp_path: Path) -> None:
    """The label is given away by one word in several spellings."""
    table = clean_table()
    spellings = ["إعلان", "اعلان", "أعلان", "إعـلان"]
    assert len(set(normalize(spellings))) == 1
    agreeing = table.index[table["label"] == "agree"]
    for place, row in enumerate(agreeing):
        table.loc[row, "text"] = f"{table.loc[row, 'text'][:-1]} {spellings[place % 4]} {table.loc[row, 'id']}"
    assert "the word 'اعلان'" in next(f.message for f in check_task(build(table, tmp_path)) if f.code == "D401")


JOINED: dict[str, tuple[tuple[str, ...], bool]] = {
    "a bar": (("سياسة", "رياضة", "رياضة|رأي"), True),
    "a semicolon and no label alone": (("سياسة;رأي", "رأي;سياسة"), True),
    "an Arabic comma": (("سياسة", "رأي", "سياسة، رأي"), True),
    "numbers": (("1", "2", "1,2"), True),
    "a name with a slash": (("سياسة", "فن/ثقافة", "n/a"), False),
    "names with commas": (("news, local", "opinion"), False),
    "a list": (("['سياسة']", "['رأي', 'سياسة']"), True),
    "brackets": (("politics (local)", "[sic] politics"), False),
}


@pytest.mark.parametrize("name", JOINED)
def test_several_labels_in_one_cell_are_told_from_names(name: str, tmp_path: Path) -> None:
    labels, found = JOINED[name]
    table = clean_table()
    table["label"] = [labels[row % len(labels)] for row in range(len(table))]
    findings = check_task(build(table, tmp_path, labels), quick=True)
    assert ("D104" in codes(findings)) is found


def test_texts_written_by_the_numbers_of_their_letters_are_escaped_and_not_links(tmp_path: Path) -> None:
    table = clean_table()
    table["text"] = table["text"].map(lambda text: "".join(f"&#{ord(c)};" if c.isalpha() else c for c in text))
    found = codes(check_task(build(table, tmp_path), quick=True))
    assert "D310" in found
    assert "D301" not in found


def test_a_line_end_of_another_system_is_no_broken_character(tmp_path: Path) -> None:
    table = in_all(lambda text: f"{text[:9]}\x85{text[9:]}")(clean_table())
    assert "D305" not in codes(check_task(build(table, tmp_path), quick=True))
