"""What counts as the same input, group, id or label does not depend on what nobody sees."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.catalogue import load_task
from bench.checks import check_task
from bench.data import Task
from bench.data.definition import build_task
from bench.data.duplicates import input_key
from bench.data.splits import outer_splits
from bench.data.transfer import transfer
from bench.errors import ConfigError, DataError
from bench.prediction.fitted import FittedModel
from bench.scaffold import TaskRequest, scaffold_task
from bench.text.identity import canonical, is_combining, is_unseen, name_key, text_key

WORDS = ("نفت موسكو الخبر", "رَفَضَتْ آل أحمد", "C++ و C#", "1.0", "-1", "٣", "❤", "!؟", "Émile ÇA ﬁn ﻻ")
TEXTS = st.sampled_from(WORDS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@cache
def unseen() -> list[str]:
    every = map(chr, (point for point in range(0x110000) if not 0xD800 <= point < 0xE000))
    marks = [c for c in every if unicodedata.category(c)[0] == "M" or unicodedata.category(c) == "Cf" or is_unseen(c)]
    return [*marks, *"\u0640\u06e5\u06e6", *map(chr, (*range(0xFE70, 0xFE80), *range(0xFC5E, 0xFC64)))]


UNSEEN = st.deferred(lambda: st.sampled_from(unseen()))


@pytest.mark.slow
@given(TEXTS, st.lists(st.tuples(st.integers(0, 99), UNSEEN), min_size=1, max_size=5))
def test_no_invisible_or_combining_character_makes_two_inputs_or_names_differ(
    text: str, inserted: list[tuple[int, str]]
) -> None:
    marked = text
    for place, mark in inserted:
        place %= len(marked) + 1
        marked = marked[:place] + mark + marked[place:]
    assert text_key(marked) == text_key(text)
    assert name_key(marked) == name_key(text)
    assert name_key(marked, fold_case=False) == name_key(text, fold_case=False)


@given(TEXTS)
def test_a_key_is_its_own_key(text: str) -> None:
    assert text_key(text_key(text)) == text_key(text)
    assert name_key(name_key(text)) == name_key(text)


@given(TEXTS, st.sampled_from(["\u00a0", "  ", "\t", "\u2003", "\u3000"]))
def test_the_kind_and_amount_of_white_space_make_no_difference(text: str, space: str) -> None:
    for key in (text_key, name_key):
        assert key(space + text.replace(" ", space) + space) == key(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "1.0", True),
        ("1", "١", True),
        ("1", "١٫٠".replace("٫", "."), True),
        ("+1", "1", True),
        ("\u22121", "-1", True),
        ("-1", "1", False),
        ("1", "10", False),
        ("1.5", "15", False),
        ("01", "1", False),
        ("C", "C++", False),
        ("C#", "C", False),
        ("a_b", "a-b", False),
        ("BBC", "bbc ", True),
        ("صحيفة ٠", "صحيفة 0", True),
        ("ﻻ", "لا", True),
        ("", "\u200f", True),
    ],
)
def test_names_are_the_same_where_only_their_spelling_differs(one: str, other: str, same: bool) -> None:
    assert (name_key(one) == name_key(other)) is same


def test_texts_of_punctuation_alone_stay_apart() -> None:
    assert len({input_key(text) for text in ("!", "؟", "!!", "…")}) == 4
    assert input_key("!\ufe0f") == input_key("!")


def test_texts_with_kinds_of_digits_are_the_same_and_other_numbers_are_not() -> None:
    assert input_key("قتل ٣ جنود") == input_key("قتل 3 جنود") == input_key("قتل ۳ جنود")
    assert input_key("قتل 3 جنود") != input_key("قتل 30 جنود")


def test_each_name_is_written_as_the_first_that_counts_as_the_same() -> None:
    assert canonical(["ب", "أ", "ب\u200f", "أ "]) == ["ب", "أ", "ب", "أ"]


def build(folder: Path, rows: list[dict[str, str]], **keys: Any) -> Task:
    table = pd.DataFrame(rows)
    table.to_csv(folder / "table.csv", index=False, quoting=csv.QUOTE_ALL)
    definition = {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": "table.csv", "columns": {name: name for name in table.columns}},
        "inputs": [name for name in ("claim", "text") if name in table.columns],
        "labels": list(dict.fromkeys(table["label"])),
    }
    return build_task(definition | keys, folder / "task.yaml")


SPELLINGS = ("{}", "{} ", " {}", "{}\u200f", "\u00a0{}", "{}\ufe0f", "{}\u064e", "{}\u00ad")


def grouped(folder: Path) -> Task:
    return build(
        folder,
        [
            {
                "text": f"خبر رقم {row}",
                "label": "أب"[row % 2],
                "group": SPELLINGS[row // 12].format(f"صحيفة {row % 12}"),
            }
            for row in range(96)
        ],
    )


def test_a_group_in_eight_spellings_is_one_and_never_on_both_sides_of_a_split(tmp_path: Path) -> None:
    task = grouped(tmp_path)
    assert len(set(task.groups.tolist())) == 12
    for split in outer_splits(task.codes, task.groups, task.group, 5, seed=0, repeats=1):
        sides = [{name_key(task.examples["group"][row]) for row in rows} for rows in (split.train, split.test)]
        assert not sides[0] & sides[1]
    (finding,) = [finding for finding in check_task(task, quick=True) if finding.code == "D207"]
    assert finding.severity == "warning"
    assert "12 groups of group are spelled in several ways" in finding.message
    assert r"صحيفة 0\u200f" in finding.examples[0]


def test_claims_that_count_as_the_same_are_one_group(tmp_path: Path) -> None:
    claims = ("نفت موسكو", "نفت موسكو.", "نَفَت موسكو\u200f", "أكدت كييف")
    rows = [{"claim": c, "text": f"نص {n}", "label": "أب"[n % 2], "group": str(n)} for n, c in enumerate(claims)]
    assert len(set(build(tmp_path, rows).grouped_by("claim").groups.tolist())) == 2


def test_another_task_does_not_lend_a_group_that_is_only_spelt_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    rows = [{"text": f"أخرى {n}", "label": "أب"[n % 2], "group": f"صحيفة\u00a0{n}\u200f"} for n in range(24)]
    target, source = (
        replace(task, examples=task.examples.rename(columns={"group": "outlet"}), group="outlet")
        for task in (grouped(tmp_path), build(tmp_path / "a", rows))
    )
    moved = transfer(target, source)
    assert moved.task.examples["text"].iloc[moved.lent].tolist() == [row["text"] for row in rows[12:]]


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("a", "a\ufe0f"), ("a b", "a\u00a0b"), ("٧", "7")])
def test_an_id_in_two_spellings_stands_twice_and_both_rows_are_named(tmp_path: Path, one: str, other: str) -> None:
    rows = [{"id": i, "text": f"نص {n}", "label": "أب"[n % 2]} for n, i in enumerate((one, "x", other))]
    with pytest.raises(DataError, match=r"table\.csv, line 4: id .* is repeated, first in .*table\.csv, line 2"):
        build(tmp_path, rows)


def test_ids_that_differ_in_case_are_two(tmp_path: Path) -> None:
    rows = [{"id": i, "text": f"نص {n}", "label": "أب"[n % 2]} for n, i in enumerate(("aB3", "Ab3"))]
    assert len(build(tmp_path, rows)) == 2


@pytest.mark.parametrize(("one", "other"), [("agree", "agree "), ("1", "1.0"), ("مؤيّد", "مؤيد"), ("❤", "❤\ufe0f")])
def test_a_label_in_two_spellings_is_refused(tmp_path: Path, one: str, other: str) -> None:
    rows = [{"text": f"نص {n}", "label": label} for n, label in enumerate((one, other))]
    with pytest.raises(ConfigError, match=r"labels: .* are spellings of the same label(.|\n)*label_map"):
        build(tmp_path, rows)


@pytest.mark.parametrize(("one", "other"), [("1", "-1"), ("C", "C++"), ("yes", "no")])
def test_labels_that_differ_in_what_counts_are_two(tmp_path: Path, one: str, other: str) -> None:
    rows = [{"text": f"نص {n}", "label": label} for n, label in enumerate((one, other))]
    assert build(tmp_path, rows).labels == (one, other)


def test_a_new_task_maps_the_spellings_of_a_label_to_the_commonest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = ["مؤيد", "مؤيد", "مؤيد ", "معارض", "مؤيّد", "معارض"]
    pd.DataFrame({"text": [f"نص {n}" for n in range(6)], "label": labels}).to_csv("t.csv", index=False)
    made = scaffold_task(TaskRequest("mine", "t.csv"), tmp_path)
    assert made.task.labels == ("مؤيد", "معارض")
    assert made.task.y.tolist().count("مؤيد") == 4
    assert any("'مؤيد ', 'مؤيّد'" in remark for remark in made.remarks)
    written = yaml.safe_load((tmp_path / "tasks/mine/task.yaml").read_text(encoding="utf-8"))
    assert set(written["label_map"]) == set(labels)
    assert load_task("mine").labels == made.task.labels


def test_a_model_of_words_gives_marked_texts_the_same_label() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from bench.features.sets import tfidf

    frame = pd.DataFrame({"text": ["نفت موسكو الخبر", "أكدت كييف النبأ", "نفت كييف", "أكدت موسكو"]})
    fitted = make_pipeline(tfidf(("text",)), LogisticRegression()).fit(frame, ["x", "y", "x", "y"])
    model = FittedModel(("text",), ("x", "y"), fitted)
    marks = list("\u200f\u200d\u200c\ufe0f\u034f\u00ad\u064e\u0640\u06d6\ufe76\u0301\u2066\U000e0041")
    marked = pd.DataFrame({"text": [f"ن{mark}ف{mark}ت مو{mark}سكو ال{mark}خبر" for mark in marks]})
    plain = pd.DataFrame({"text": ["نفت موسكو الخبر"] * len(marks)})
    pd.testing.assert_frame_equal(model.label(marked), model.label(plain))
    assert all(is_unseen(mark) or is_combining(mark) or mark == "\ufe76" for mark in marks)
