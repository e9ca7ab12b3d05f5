"""What columns mean is told by the names that people give them, else by what is in them; a choice is said first."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.column_names import fit, plain_name
from bench.errors import ConfigError
from bench.scaffold.columns import Chosen, choose_columns
from bench.scaffold.request import Given
from bench.scaffold.summary import summarise_columns

Bench = Callable[..., tuple[int, str, str]]

N_ROWS = 60
WORDS = (
    "نفى أكد أعلن الوزير المتحدث الخبر التقرير أمس اليوم موسكو كييف القاهرة مصدر بيان رسمي سعر نفط مباراة فريق".split()
)


def text(row: int, words: int = 9) -> str:
    return " ".join(WORDS[(row * 7 + place * (row % 5 + 1)) % len(WORDS)] for place in range(words)) + f" {row}"


def of(*values: str) -> Callable[[int], str]:
    """A column of few values."""
    return lambda row: values[row % len(values)]


def texts(words: int = 9, first: int = 0) -> Callable[[int], str]:
    return lambda row: text(row + first, words)


def number(row: int) -> str:
    return str(row + 1)


def link(row: int) -> str:
    return f"https://example.org/news/{row}/a-headline-of-some-words"


def date(row: int) -> str:
    return f"Mon Apr {row % 28 + 1:02d} 22:19:45 PDT 2009"


def person(row: int) -> str:
    return f"{WORDS[row % 7]} {WORDS[row % 11]}"


Form = dict[str, Callable[[int], str]]

FORMS: dict[str, tuple[Form, dict[str, str]]] = {
    "hotel reviews": (
        {
            "no": number,
            "Hotel name": person,
            "rating": of("1", "2", "4", "5"),
            "user type": of("family", "couple", "alone"),
            "room type": person,
            "nights": of("1", "2", "3"),
            "review": texts(30),
        },
        {"id": "no", "text": "review", "label": "rating"},
    ),
    "book reviews": (
        {
            "rating": of("1", "3", "5"),
            "review_id": number,
            "user_id": of("7", "9"),
            "book_id": of("1", "2"),
            "review": texts(40),
        },
        {"id": "review_id", "text": "review", "label": "rating"},
    ),
    "sarcasm, with four labels": (
        {
            "dialect": of("msa", "egypt", "gulf"),
            "original_sentiment": of("positive", "negative", "neutral"),
            "sarcasm": of("True", "False"),
            "sentiment": of("neutral", "negative"),
            "source": of("SemEval 2017", "ASTD"),
            "tweet": texts(),
        },
        {"text": "tweet", "label": "sentiment"},
    ),
    "a feed of tweets": (
        {"ID": number, "Feed": texts(), "Sentiment": of("Positive", "Negative")},
        {"id": "ID", "text": "Feed", "label": "Sentiment"},
    ),
    "camel case": (
        {"tweetId": number, "tweetText": texts(), "sentimentLabel": of("pos", "neg")},
        {"id": "tweetId", "text": "tweetText", "label": "sentimentLabel"},
    ),
    "reviews with a polarity": ({"text": texts(20), "polarity": of("1", "-1")}, {"text": "text", "label": "polarity"}),
    "true and fabricated claims": (
        {"claim_s": texts(), "fake_flag": of("0", "1")},
        {"text": "claim_s", "label": "fake_flag"},
    ),
    "claims with a label": (
        {"statement": texts(), "speaker": person, "claim_label": of("true", "half-true", "false")},
        {"text": "statement", "label": "claim_label"},
    ),
    "two sentences": (
        {"s1": texts(), "s2": texts(first=100), "stance": of("agree", "disagree", "other")},
        {"claim": "s1", "text": "s2", "label": "stance"},
    ),
    "premise and hypothesis": (
        {"premise": texts(), "hypothesis": texts(first=100), "label": of("entailment", "neutral")},
        {"claim": "hypothesis", "text": "premise", "label": "label"},
    ),
    "rumours and evidence": (
        {
            "rumor_id": of("1", "2", "3"),
            "rumor_text": lambda row: text(row % 20),
            "evidence_id": number,
            "evidence_text": texts(12, first=100),
            "stance": of("agree", "disagree", "other"),
        },
        {"claim": "rumor_text", "text": "evidence_text", "label": "stance"},
    ),
    "a headline and its article": (
        {"Headline": texts(), "articleBody": texts(60, first=100), "Stance": of("agree", "discuss", "unrelated")},
        {"claim": "Headline", "text": "articleBody", "label": "Stance"},
    ),
    "stance towards a target": (
        {"ID": number, "Target": of("Atheism", "Climate"), "Tweet": texts(), "Stance": of("FAVOR", "AGAINST", "NONE")},
        {"id": "ID", "text": "Tweet", "label": "Stance"},
    ),
    "news by category": (
        {
            "title": texts(8),
            "content": texts(90),
            "category": of("sport", "politics", "economy"),
            "url": link,
            "date": date,
        },
        {"text": "content", "label": "category"},
    ),
    "check-worthy tweets": (
        {
            "topic": of("covid-19"),
            "tweet_id": number,
            "tweet_url": link,
            "tweet_text": texts(),
            "class_label": of("0", "1"),
        },
        {"id": "tweet_id", "text": "tweet_text", "label": "class_label"},
    ),
    "check-worthiness beside a claim flag": (
        {"tweet_id": number, "tweet_text": texts(), "claim": of("0", "1"), "check_worthiness": of("0", "1")},
        {"id": "tweet_id", "text": "tweet_text", "label": "check_worthiness"},
    ),
    "Arabic names": (
        {"الرقم": number, "النص": texts(), "التصنيف": of("رياضة", "سياسة")},
        {"id": "الرقم", "text": "النص", "label": "التصنيف"},
    ),
    "Arabic names of two words": (
        {
            "رقم التغريدة": number,
            "اسم المستخدم": person,
            "تاريخ النشر": date,
            "نص التغريدة": texts(),
            "تصنيف المشاعر": of("إيجابي", "سلبي"),
        },
        {"text": "نص التغريدة", "label": "تصنيف المشاعر"},
    ),
    "three subtasks": (
        {
            "id": number,
            "tweet": texts(),
            "subtask_a": of("OFF", "NOT"),
            "subtask_b": of("TIN", "NULL", "UNT"),
            "subtask_c": of("IND", "NULL", "GRP"),
        },
        {"id": "id", "text": "tweet", "label": "subtask_a"},
    ),
    "annotators beside their majority": (
        {
            "Post": texts(),
            "annotation1": of("a", "b"),
            "annotation2": of("a", "b"),
            "annotation3": of("b", "a"),
            "Majority Vote": of("a", "b"),
        },
        {"text": "Post", "label": "Majority Vote"},
    ),
    "counts and scores": (
        {
            "text": texts(),
            "text_length": number,
            "sentiment_score": lambda row: f"0.{row}",
            "sentiment": of("pos", "neg"),
            "retweet_count": of("0", "1", "2"),
            "language": of("ar"),
        },
        {"text": "text", "label": "sentiment"},
    ),
    "Arabic names with marks": (
        {"التَّغريدة": texts(), "المشاعر": of("إيجابي", "سلبي")},
        {"text": "التَّغريدة", "label": "المشاعر"},
    ),
    "a pandas index": (
        {"Unnamed: 0": number, "comment": texts(), "y": of("0", "1", "2")},
        {"id": "Unnamed: 0", "text": "comment", "label": "y"},
    ),
    "upper case": ({"SENTENCE": texts(), "DIALECT": of("EGY", "LEV", "GLF")}, {"text": "SENTENCE", "label": "DIALECT"}),
    "sentiment of English tweets": (
        {"target": of("0", "4"), "ids": number, "date": date, "flag": of("NO_QUERY"), "user": person, "text": texts()},
        {"text": "text", "label": "target"},
    ),
    "no name that tells": ({"عمود أ": texts(), "عمود ب": of("نعم", "لا")}, {"text": "عمود أ", "label": "عمود ب"}),
    "numbered columns": ({"0": number, "1": texts(), "2": of("OFF", "NOT_OFF")}, {"text": "1", "label": "2"}),
    "no name, with links and dates": (
        {"col_a": link, "col_b": date, "col_c": texts(14), "col_d": of("x", "y", "z")},
        {"text": "col_c", "label": "col_d"},
    ),
    "no name, with authors": ({"x1": person, "x2": texts(20), "x3": of("1", "2")}, {"text": "x2", "label": "x3"}),
    "hate speech": (
        {"id": number, "post": texts(), "hateful": of("yes", "no"), "username": person},
        {"id": "id", "text": "post", "label": "hateful"},
    ),
    "a label that is no label": (
        {"text": texts(), "label": number, "sentiment": of("pos", "neg")},
        {"text": "text", "label": "sentiment"},
    ),
    "answers to a form": (
        {
            "Timestamp": date,
            "Email Address": lambda row: f"user{row % 7}@example.org",
            "اكتب النص هنا": texts(),
            "ما تصنيف هذا النص؟": of("رياضة", "سياسة", "اقتصاد"),
        },
        {"text": "اكتب النص هنا", "label": "ما تصنيف هذا النص؟"},
    ),
    "answers to a form in Arabic": (
        {
            "طابع زمني": date,
            "عنوان البريد الإلكتروني": lambda row: f"user{row % 7}@example.org",
            "النص": texts(),
            "رأيك": of("رياضة", "سياسة", "اقتصاد"),
        },
        {"text": "النص", "label": "رأيك"},
    ),
    "a text that is a number": (
        {"text": number, "tweet": texts(), "label": of("a", "b")},
        {"text": "tweet", "label": "label"},
    ),
    "annotators and what they agreed on": (
        {"text": texts(), "label1": of("x", "y"), "label2": of("x", "x", "y"), "majority": of("y", "x", "x")},
        {"text": "text", "label": "majority"},
    ),
    "numbered annotators and another name for what they agreed on": (
        {"text": texts(), "label_1": of("x", "y"), "label_2": of("x", "x", "y"), "agreed_label": of("y", "x", "x")},
        {"text": "text", "label": "agreed_label"},
    ),
    "an article's title beside its text": (
        {"العنوان": texts(5), "نص المقال": texts(40), "القسم": of("رياضة", "سياسة")},
        {"text": "نص المقال", "label": "القسم"},
    ),
    "cleaned beside original": (
        {"tweet": texts(), "clean_tweet": texts(8), "label": of("a", "b")},
        {"text": "tweet", "label": "label"},
    ),
}
"""Files in forms that people have: what is in each column, and what it is."""  # fmt: skip


def rows_of(form: Form, n_rows: int = N_ROWS) -> list[dict[str, str]]:
    return [{column: cell(row) for column, cell in form.items()} for row in range(n_rows)]


def chosen(form: Form, **options: Any) -> Chosen:
    rows = [(f"a.csv, line {line}", row) for line, row in enumerate(rows_of(form), start=2)]
    return choose_columns(summarise_columns(rows), Given(**options), "a.csv", has_split=False)


@pytest.mark.parametrize("name", FORMS)
def test_a_file_in_a_usual_form_needs_no_option(name: str) -> None:
    form, expected = FORMS[name]
    assert chosen(form).columns == expected


@pytest.mark.parametrize("name", FORMS)
def test_the_order_of_columns_does_not_matter(name: str) -> None:
    form, expected = FORMS[name]
    assert chosen(dict(reversed(form.items()))).columns == expected


def test_several_labels_are_said_with_the_way_to_another() -> None:
    form, _ = FORMS["sarcasm, with four labels"]
    assert chosen(form).choices == [
        "The label is in 'sentiment'. It could also be 'sarcasm' (2 values), 'dialect' (3 values) or "
        "'original_sentiment' (3 values): --label sarcasm chooses another."
    ]
    assert chosen(form, label="dialect").choices == []


def test_a_text_beside_a_longer_one_is_said_with_the_way_to_it() -> None:
    form: Form = {"text": lambda row: text(row)[:20] + "…", "full_text": texts(), "label": of("x", "y")}
    assert chosen(form).choices == [
        "The text is in 'text'. It could also be 'full_text': --text full_text chooses that."
    ]
    assert chosen({**form, "full_text": lambda row: text(row)[:15]}).choices == []


def test_a_pair_is_said_with_the_way_to_texts_alone() -> None:
    form, _ = FORMS["two sentences"]
    (choice,) = chosen(form).choices
    assert "the claim is in 's1', the text about it in 's2'" in choice
    assert choice.endswith("To use only the texts: --text s2")
    assert chosen(form, text="s2").columns == {"text": "s2", "label": "stance"}


def test_the_choice_is_printed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    monkeypatch.chdir(tmp_path)
    rows = rows_of(FORMS["sarcasm, with four labels"][0])
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    status, printed, _ = bench("new", "task", "mine", "--data", "a.csv")
    assert status == 0
    assert printed.startswith("The label is in 'sentiment'. It could also be 'sarcasm' (2 values),")
    assert bench("new", "task", "other", "--data", "a.csv", "--label", "dialect")[1].startswith("Wrote tasks/other")


ASKED: dict[str, tuple[Form, str, str]] = {
    "two texts and no name": (
        {"a": texts(), "b": texts(first=50), "label": of("x", "y")},
        "which column is the text? No column has a usual name for it, and 'a' and 'b' have long texts.",
        "Choose one: --text a, or for pairs --claim a --text b",
    ),
    "two columns of few values and no name": (
        {"text": texts(), "colour": of("red", "green"), "shape": of("round", "square", "flat")},
        "No column has a usual name for it, and 'colour' (2 values) and 'shape' (3 values) have few values.",
        "Choose one: --label colour",
    ),
    "no text": (
        {"a": number, "label": of("x", "y")},
        "the text? No column has a usual name for it",
        "a: '1'",
    ),
    "annotators": (
        {"text": texts(), "annotator1": of("x", "y"), "annotator2": of("x", "x", "y"), "annotator3": of("y", "x", "x")},
        "No column has a usual name for it; 'annotator1', 'annotator2', 'annotator3' seem to be annotators.",
        "--label annotator1",
    ),
    "numbered labels with the same values": (
        {"text": texts(), "label_1": of("x", "y"), "label_2": of("x", "x", "y"), "label_3": of("y", "x", "x")},
        "Those with its name have the same values; 'label_1', 'label_2', 'label_3' seem to be annotators.",
        "--label label_1",
    ),
    "no label": (
        {"text": texts(), "a": number},
        "the label? No column has a usual name for it",
        "text: '",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_neither_names_nor_cells_tell_is_asked_for(name: str) -> None:
    form, message, hint = ASKED[name]
    with pytest.raises(ConfigError) as error:
        chosen(form)
    assert message in error.value.message
    assert hint in str(error.value.hint)


SPELLINGS = [lambda name: name, str.upper, str.title, lambda name: name.replace("_", " "), lambda name: f" {name} "]
SPELLINGS += [
    lambda name: name.replace("_", "-"),
    lambda name: name.replace("_", ""),
    lambda name: name.title().replace("_", ""),
]


@settings(max_examples=50)
@given(
    st.sampled_from(["tweet_text", "review", "class_label", "gold_label", "document_id", "is_fake"]),
    st.sampled_from(SPELLINGS),
)
def test_case_and_signs_in_a_name_do_not_matter(name: str, spell: Callable[[str], str]) -> None:
    roles = ("text", "label", "id", "group", "other", "claim")
    assert plain_name(spell(name)) == plain_name(name)
    if "_" in spell(name) or not spell(name).islower():
        assert [fit(spell(name), role) for role in roles] == [fit(name, role) for role in roles]


@pytest.mark.parametrize(
    "name", ["tweet_id", "text_length", "tweet_url", "label_count", "user_name", "textDate", "word_count"]
)
def test_a_name_whose_last_word_says_otherwise_is_no_text_and_no_label(name: str) -> None:
    assert fit(name, "text") is None
    assert fit(name, "label") is None


def test_nothing_in_a_column_is_no_text(tmp_path: Path) -> None:
    form: dict[str, Any] = {"text": of(""), "body": texts(), "label": of("a", "b")}
    assert chosen(form).columns == {"text": "body", "label": "label"}


SPLITS: dict[str, Form] = {
    "in English": {"split": of("train", "train", "dev", "test")},
    "in another case": {"subset": of("Train", "TEST")},
    "in words": {"split": of("Train set", "Train set", "Test set")},
    "in Arabic": {"set": of("تدريب", "تدريب", "تطوير", "اختبار")},
    "in Arabic words": {"المجموعة": of("مجموعة التدريب", "بيانات الاختبار")},
    "Kaggle's": {"Usage": of("Training", "Training", "PublicTest", "PrivateTest")},
}


@pytest.mark.parametrize("name", SPLITS)
def test_parts_are_known_in_any_case_and_in_arabic(name: str) -> None:
    found = chosen({"text": texts(), "label": of("a", "b", "c"), **SPLITS[name]})
    assert found.columns["split"] in SPLITS[name]
    assert not any("is not used" in remark for remark in found.remarks)
    assert any("is read as follows" in remark for remark in found.remarks) is (
        name not in ("in English", "in another case")
    )


UNUSED_SPLITS: dict[str, tuple[Form, str]] = {
    "no part in some rows": (
        {"split": of("Train", "TEST", "")},
        "'split' is not used as a published split: 20 of 60 rows are in no part of it. --split split uses it and "
        "leaves the rows without a part out.",
    ),
    "a value that is no part": (
        {"split": of("train", "extra", "test")},
        "'split' is not used as a published split: 'extra' is not a part of a split. Write train, dev or test there, "
        "or nothing, which leaves the row out.",
    ),
    "numbers": (
        {"is_test": of("0", "1")},
        "'is_test' is not used as a published split: no value ('0', '1') is the name of a part. If it is a published "
        "split, write train, dev or test into it.",
    ),
    "a name that says nothing": (
        {"phase": of("Training", "Test")},
        "'phase' is not used as a published split: --split phase uses it.",
    ),
    "training alone": (
        {"Partition": of("Train")},
        "'Partition' is not used as a published split: no row is in 'test'.",
    ),
    "a second one": (
        {"split": of("train", "test"), "subset": of("test", "train")},
        "'subset' is not used as a published split: 'split' is used instead. --split subset uses it.",
    ),
}


@pytest.mark.parametrize("name", UNUSED_SPLITS)
def test_a_column_that_may_be_a_split_and_is_not_used_is_told(name: str) -> None:
    form, sentence = UNUSED_SPLITS[name]
    remarks = chosen({"text": texts(), "label": of("a", "b", "c", "d"), **form}).remarks
    assert any(sentence in remark for remark in remarks)


STANCES: dict[str, tuple[Form, str]] = {
    "by its name": ({"Target": of("Covid Vaccine", "Women"), "Tweet": texts(), "Stance": of("a", "b", "c")}, "Target"),
    "by its labels": (
        {"text": texts(), "topic": of("لقاح", "تعليم"), "label": of("FAVOR", "AGAINST", "NONE")},
        "topic",
    ),
    "in Arabic": ({"النص": texts(), "الموضوع": of("لقاح", "تعليم"), "الموقف": of("مؤيد", "معارض", "محايد")}, "الموضوع"),
    "no stance": ({"text": texts(), "topic": of("لقاح", "تعليم"), "label": of("true", "false", "other")}, ""),
    "a number": ({"text": texts(), "target": of("1", "2"), "stance": of("favor", "against", "none")}, ""),
}


@pytest.mark.parametrize("name", STANCES)
def test_what_a_stance_is_towards_is_told(name: str) -> None:
    form, target = STANCES[name]
    found = chosen(form)
    told = [remark for remark in found.remarks if "stance" in remark]
    assert len(told) == bool(target)
    if target:
        assert f"--claim {shlex.quote(target)} makes" in told[0]
        pairs = chosen(form, claim=target)
        assert (pairs.columns["claim"], pairs.columns["text"]) == (target, found.columns["text"])
        assert pairs.remarks == []
