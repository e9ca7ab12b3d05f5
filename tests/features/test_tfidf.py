"""Our TF-IDF equals scikit-learn's on any corpus, for every setting offered."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from present import present
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer

from bench.errors import ConfigError, DataError
from bench.features.tfidf import Tfidf
from bench.text.normalization import WORD_PATTERN, normalize

WORDS = ["نفى", "نَفَتْ", "و", "في", "موسكو", "الموسكو", "a", "ab", "abc", "ABC", "12", "١٢", "b!c", "«ab»"]
WORDS += ["\x00", "\ud800", "é", "😀", "ﷺ", "ـــ", "\u200b"]
SPACES = st.sampled_from(["", " ", "  ", "\n", "\t \t", "\u00a0", "\u3000 ", "\x1c"])
TEXT = st.lists(st.tuples(st.sampled_from(WORDS), SPACES), max_size=8).map(
    lambda parts: "".join(w + s for w, s in parts)
)
CORPUS = st.lists(TEXT | st.text(max_size=12), min_size=1, max_size=7)
ODDITIES = [
    "a moskow",
    "ab c x ab",
    "",
    " ",
    "\n\t\n",
    "و في",
    "نفت\n موسكو  نفت",
    "\x00 a\x00b",
    "a",
    "moskow ab",
    "نفت c",
]
RANGES = st.permutations([(1, 1), (2, 4), (2, 5), (3, 5), (4, 4), (5, 6)])


@st.composite
def settings_offered(draw: st.DrawFn) -> dict[str, Any]:
    low = draw(st.integers(1, 5))
    return {
        "analyzer": draw(st.sampled_from(["word", "char", "char_wb"])),
        "ngram_range": (low, draw(st.integers(low, 6))),
        "min_df": draw(st.sampled_from([1, 2, 3, 0.0, 0.3, 0.5])),
        "max_df": draw(st.sampled_from([1.0, 0.6, 0.9, 3, 10])),
        "max_features": draw(st.none() | st.integers(1, 12)),
        "sublinear_tf": draw(st.booleans()),
        "binary": draw(st.booleans()),
        "use_idf": draw(st.booleans()),
        "smooth_idf": draw(st.booleans()),
        "norm": draw(st.sampled_from(["l2", "l1", None])),
    }


def by_scikit_learn(train: list[str], rows: list[str], preset: str, **setting: Any) -> tuple[Any, list[str]]:
    if setting["analyzer"] == "word":
        setting["token_pattern"] = WORD_PATTERN
    vectorizer = TfidfVectorizer(preprocessor=lambda text: normalize(text, preset), lowercase=False, **setting)
    try:
        vectorizer.fit(train)
    except ValueError:  # scikit-learn raises on an empty vocabulary
        return np.zeros((len(rows), 0)), []
    return vectorizer.transform(rows).toarray(), vectorizer.get_feature_names_out().tolist()


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(CORPUS, CORPUS, settings_offered(), st.sampled_from(["none", "light", "standard"]))
def test_equals_scikit_learn_on_any_corpus(
    train: list[str], test: list[str], setting: dict[str, Any], preset: str
) -> None:
    frame = pd.DataFrame({"text": pd.Series([*train, *test], dtype=object)})
    ours = Tfidf(normalization=preset, **setting)
    counts = ours.prepare(frame)
    rows = np.arange(len(train))
    expected, terms = by_scikit_learn(train, [*train, *test], preset, **setting)

    learned = ours.fit_transform(counts[rows])
    from_counts = ours.transform(counts)
    from_frame = clone(ours).fit(frame.iloc[rows]).transform(frame)

    assert [name.removeprefix("text__") for name in ours.get_feature_names_out()] == terms
    for matrix in (from_counts, from_frame):
        assert matrix.shape == expected.shape
        np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-12, atol=0)
        assert (matrix.toarray() != 0).sum() == matrix.nnz
    np.testing.assert_array_equal(learned.toarray(), from_counts.toarray()[rows])


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 2), (2, 5), (3, 5), (4, 5), (5, 6), (6, 6)])
@pytest.mark.parametrize("weighing", [{}, {"min_df": 2, "sublinear_tf": True}, {"max_features": 4, "max_df": 0.4}])
def test_equals_scikit_learn_on_oddities(analyzer: str, ngram_range: tuple[int, int], weighing: dict[str, Any]) -> None:
    setting = {"analyzer": analyzer, "ngram_range": ngram_range, **weighing}
    expected, terms = by_scikit_learn(ODDITIES[:8], ODDITIES, "none", **setting)
    ours = Tfidf(normalization="none", **setting).fit(pd.DataFrame({"text": ODDITIES[:8]}))
    assert [name.removeprefix("text__") for name in ours.get_feature_names_out()] == terms
    np.testing.assert_allclose(ours.transform(pd.DataFrame({"text": ODDITIES})).toarray(), expected, rtol=1e-12)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    CORPUS,
    st.sampled_from(["word", "char", "char_wb"]),
    st.permutations([(1, 1), (2, 4), (2, 5), (3, 5), (4, 4), (5, 6)]),
)
def test_counts_shared_between_ranges_are_those_counted_alone(
    corpus: list[str], analyzer: str, ranges: list[tuple[int, int]]
) -> None:
    frame = pd.DataFrame({"text": pd.Series(corpus, dtype=object)})
    memo: dict[Any, Any] = {}
    for ngram_range in ranges:
        ours = Tfidf(analyzer=analyzer, ngram_range=ngram_range)
        shared, alone = ours.prepare(frame, memo), ours.prepare(frame)
        assert (shared.columns[0].matrix != alone.columns[0].matrix).nnz == 0
        assert shared.columns[0].vocabulary.digest == alone.columns[0].vocabulary.digest


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
@pytest.mark.parametrize(("times", "kind"), [(10, np.uint8), (300, np.uint16), (70_000, np.int32)])
def test_counts_of_any_size_are_exact_and_as_narrow_as_they_can_be(analyzer: str, times: int, kind: type) -> None:
    frame = pd.DataFrame({"text": ["نفت " * times, "نفت"]})
    counts = Tfidf(analyzer=analyzer).prepare(frame).columns[0]
    assert counts.matrix.dtype == kind
    found = dict(zip(counts.vocabulary.terms.tolist(), counts.matrix.toarray()[0].tolist(), strict=True))
    assert found["نفت" if analyzer == "word" else "ن"] == times


FRAME = pd.DataFrame(
    {
        "claim": ["نفت موسكو الخبر", "قالت كييف", "", "نفت كييف"],
        "text": ["أكدت موسكو", "قالت موسكو الخبر", "قالت", "  "],
    }
)


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
def test_each_column_has_its_own_vocabulary_and_norm_side_by_side(analyzer: str) -> None:
    setting: dict[str, Any] = {"analyzer": analyzer, "ngram_range": (1, 2)}
    ours = Tfidf(columns=("claim", "text"), **setting)
    blocks = [by_scikit_learn(list(FRAME[c]), list(FRAME[c]), "standard", **setting) for c in FRAME.columns]
    np.testing.assert_allclose(ours.fit_transform(FRAME).toarray(), np.hstack([b[0] for b in blocks]), rtol=1e-12)
    names = [f"{column}__{term}" for column, block in zip(FRAME.columns, blocks, strict=True) for term in block[1]]
    assert ours.get_feature_names_out().tolist() == names


def test_output_is_canonical_float64_with_int32_indices() -> None:
    matrix = Tfidf(columns=("claim", "text"), analyzer="char_wb", ngram_range=(2, 5)).fit_transform(FRAME)
    assert isinstance(matrix, sparse.csr_matrix)
    assert matrix.dtype == np.float64
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
    assert matrix.has_canonical_format


@pytest.mark.parametrize("setting", [{"min_df": 5}, {"min_df": 4, "max_df": 1}, {"ngram_range": (9, 9)}])
def test_an_empty_vocabulary_gives_no_columns_and_no_error(setting: dict[str, Any]) -> None:
    ours = Tfidf(columns=("claim", "text"), **setting)
    assert ours.fit_transform(FRAME).shape == (4, 0)
    assert ours.transform(FRAME.iloc[:2]).shape == (2, 0)


def test_no_rows_are_weighed_to_no_rows() -> None:
    assert Tfidf(columns=("claim", "text")).fit(FRAME).transform(FRAME.iloc[:0]).shape[0] == 0


def test_nothing_is_learned_from_rows_outside_training() -> None:
    changed = FRAME.copy()
    changed.loc[3] = ["سر لا يعرفه أحد", "سر لا يعرفه أحد"]
    columns = ("claim", "text")
    fits = [Tfidf(columns).fit(Tfidf(columns).prepare(frame)[np.arange(3)]) for frame in (FRAME, changed)]
    assert fits[0].get_feature_names_out().tolist() == fits[1].get_feature_names_out().tolist()
    for one, other in zip(fits[0].idf_, fits[1].idf_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert b"\xd8\xb3\xd8\xb1" not in b"".join(" ".join(present(words)).encode() for words in fits[1].words_)


@pytest.mark.parametrize("analyzer", ["word", "char_wb"])
def test_a_fitted_one_survives_pickle_and_skops(analyzer: str) -> None:
    from skops import io

    ours = Tfidf(columns=("claim", "text"), analyzer=analyzer, ngram_range=(1, 3))
    counts = ours.prepare(FRAME)
    expected = ours.fit_transform(counts).toarray()
    stored = io.dumps(ours)
    unknown = io.get_untrusted_types(data=stored)
    assert all(name.startswith("bench.") for name in unknown), unknown
    for loaded in (pickle.loads(pickle.dumps(ours)), io.loads(stored, trusted=unknown)):
        np.testing.assert_array_equal(loaded.transform(FRAME).toarray(), expected)
        np.testing.assert_array_equal(loaded.transform(counts).toarray(), expected)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"analyzer": "chars"}, r"analyzer cannot be 'chars'(.|\n)*Did you mean 'char'"),
        ({"norm": "l3"}, "norm cannot be 'l3'"),
        ({"ngram_range": (3, 2)}, "ngram_range must be two whole numbers"),
        ({"ngram_range": (0, 2)}, "ngram_range must be two whole numbers"),
        ({"normalization": "ligt"}, r"unknown preset 'ligt'(.|\n)*Did you mean 'light'"),
        ({"columns": "text"}, "columns must be a sequence"),
    ],
)
def test_a_wrong_setting_is_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Tfidf(**setting).fit(FRAME)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"texts": ["ا"]}), r"no column 'text'(.|\n)*Did you mean 'texts'"),
        (
            pd.DataFrame({"text": pd.Series(["ا", None], dtype=object)}),
            "'text', row 1: expected text, found None",
        ),
        (["ا"], "not list"),
    ],
)
def test_wrong_data_is_named(data: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Tfidf().fit(data)


def test_weighing_counts_again_counts_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"text": ["نفى الوزير الخبر", "أكد الوزير الخبر", "لم يعلق الوزير"] * 5})
    ours = Tfidf(analyzer="char_wb", ngram_range=(3, 5))
    counts, rows = ours.prepare(frame), np.arange(10)
    expected = ours.fit_transform(frame.iloc[rows]).toarray()

    def no_more(*args: Any) -> None:
        raise AssertionError("counted again")

    monkeypatch.setattr("bench.features.tfidf.count_ngrams", no_more)
    assert np.array_equal(ours.fit_transform(counts[rows]).toarray(), expected)
    with pytest.raises(AssertionError, match="counted again"):
        ours.prepare(frame)
