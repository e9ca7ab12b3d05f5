"""Documents, segments and claims are read exactly as they are; repeated inputs are recognised."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_corpus import DOCUMENTS, SmallCorpus

from bench.data.corpus import read_claims, read_documents, read_segments
from bench.data.duplicates import drop_repeats, duplicate_keys, input_key

ROOT = Path(__file__).parents[2]
SEEDS = {
    "000_40df3b39812d97cc.txt": "32b9386a526e1cd425b499237c75a10de4f0846c875eccd23403a80e2d842f1f",
    "001_d5d8f86437b76aec.txt": "08210a15a062cf59a909c91ef8feaa1a2a61adacaf34772770051e343def5c70",
    "002_c247dd1110d1901d.txt": "af3c781cb4b4f729b78dbe054fb416caf473052e00e0edf6d8b4bd8ec33a83f9",
    "003_98a60036945e7930.txt": "35fb280935118ad259c658d384bcbd790424487b8d14b3d89ac3afdb0bf23483",
    "004_ef5e51e9e0b70f63.txt": "3c5e810d6d5bda09be305f07baf86ef6010e6faf7604483bdc67cee7c90b702b",
}
ARABIC = st.text(st.sampled_from("أبتنهويةى آإلا ؟،.«»ـًَُّْ\u200f\u0654 A9٣\n"), max_size=12)


@pytest.mark.parametrize("name", SEEDS)
def test_the_documents_are_those_that_were_collected(name: str) -> None:
    assert hashlib.sha256((ROOT / "seeds" / name).read_bytes()).hexdigest() == SEEDS[name]


def test_line_ends_are_kept_so_that_offsets_stay_true(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    corpus.write()
    documents = read_documents(tmp_path / "documents")
    assert documents == DOCUMENTS
    for segment in read_segments(tmp_path / "segments.jsonl", documents):
        assert documents[segment.document][segment.start : segment.end] == segment.text


def test_every_segment_of_the_corpus_is_its_documents_text() -> None:
    documents = read_documents(ROOT / "seeds")
    segments = read_segments(ROOT / "tasks/corpus/segments.jsonl", documents)
    assert len(documents) == 5
    assert len(segments) == 151
    assert len(read_claims(ROOT / "tasks/corpus/claims.jsonl")) == 10


def test_segments_come_in_document_order_whatever_the_files_order(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    corpus.segments.reverse()
    corpus.write()
    segments = read_segments(tmp_path / "segments.jsonl", DOCUMENTS)
    assert [segment.id for segment in segments] == ["a-1", "a-2", "a-3", "b-1"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("رَفَضَتْ روسيا", "رفضت روسيا"),
        ("روســـيا", "روسيا"),
        ("قال: «لا»!", "قال لا"),
        ("ﻻ أحد", "لا أحد"),
        ("  NATO \n قال\u200f", "nato قال"),
        ("10,000", "10 000"),
    ],
)
def test_the_same_input_in_another_dress_is_the_same(one: str, other: str) -> None:
    assert input_key(one) == input_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("لم تؤكد", "تؤكد"), ("10", "11"), ("؟", "!"), ("لن يرسل", "لنيرسل"), ("3.5", "35")]
)
def test_another_input_is_another(one: str, other: str) -> None:
    assert input_key(one) != input_key(other)


def test_which_column_a_text_stands_in_matters() -> None:
    frame = pd.DataFrame({"claim": ["أ ب", "أ", "أ"], "text": ["ج", "ب ج", "ب\x1fج"]})
    first, second, third = duplicate_keys(frame)
    assert first != second
    assert second == third


@given(ARABIC, st.sampled_from([".", "،", "\u064b", "ـ", "  ", "\u200f", "»"]), st.integers(0, 12))
def test_marks_at_the_end_never_make_an_input_new(text: str, mark: str, times: int) -> None:
    words = text + "كلمة"
    assert input_key(words + mark * times) == input_key(words)


@given(ARABIC)
def test_a_composed_and_a_decomposed_text_are_the_same_input(text: str) -> None:
    assert input_key(unicodedata.normalize("NFD", text)) == input_key(unicodedata.normalize("NFC", text))


@given(st.lists(st.tuples(ARABIC, st.sampled_from("xy")), max_size=12))
def test_each_input_is_kept_once_at_its_first_place(rows: list[tuple[str, str]]) -> None:
    frame = pd.DataFrame(
        {"id": [str(n) for n in range(len(rows))], "text": [t for t, _ in rows], "label": [label for _, label in rows]}
    )
    expected, seen = [], set()
    for number, (text, _) in enumerate(rows):
        if input_key(text) not in seen:
            seen.add(input_key(text))
            expected.append(str(number))
    kept, passes, notes, _ = drop_repeats(frame, ("text",), frame[["label"]])
    assert kept["id"].tolist() == expected
    assert passes is not None
    assert passes["label"].tolist() == kept["label"].tolist()
    assert bool(notes) == (len(expected) < len(rows))
    assert len(set(duplicate_keys(kept[["text"]]))) == len(kept)


def test_a_dropped_copy_with_another_label_is_named() -> None:
    frame = pd.DataFrame({"id": ["p", "q", "r"], "text": ["نفى", "نفى!", "أكد"], "label": ["denial", "none", "none"]})
    notes = drop_repeats(frame, ("text",), None).notes
    assert notes == (
        "1 of 3 examples repeats the input of an earlier one and is left out: q (as p).",
        "1 of these had another label than the copy that is kept: q (none; p: denial).",
    )
