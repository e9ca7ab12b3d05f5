"""The cache gives what scikit-learn's own fit and transform give, and makes nothing twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from bench.features import FEATURE_SETS
from bench.features.cache import FeatureCache
from bench.features.cues import CueFeatures
from bench.features.pairs import PairFeatures
from bench.features.tfidf import Tfidf

WORDS = ["نفت", "قالت", "موسكو", "كييف", "الخبر", "جنود", "12", "في", "لم", "؟"]
RNG = np.random.default_rng(0)
BOTH = ("claim", "text")
FRAME = pd.DataFrame({c: [" ".join(RNG.choice(WORDS, RNG.integers(0, 7))) for _ in range(24)] for c in BOTH})
Y = np.array(["a", "b"] * 12)


class Lengths(TransformerMixin, BaseEstimator):
    """A transformer without `prepare`, which learns from its training rows."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Lengths:
        self.mean_ = X["text"].str.len().mean()
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        return (X["text"].str.len().to_numpy() - self.mean_)[:, None]


FITS: list[str] = []
"""What was fitted, in order: the names of columns."""


class CountedTfidf(Tfidf):
    """A `Tfidf` that says when it is fitted."""

    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        FITS.append(self.columns[0])
        return super().fit_transform(X, y)


@pytest.fixture
def fits() -> list[str]:
    FITS.clear()
    return FITS


TRANSFORMERS = {
    "words": Tfidf(BOTH, min_df=2),
    "tfidf": FEATURE_SETS["tfidf"](BOTH),
    "tfidf-cues": FEATURE_SETS["tfidf-cues"](BOTH),
    "cues": FEATURE_SETS["cues"](BOTH),
    "dropped": FEATURE_SETS["tfidf-cues"](BOTH).set_params(word="drop"),
    "only one left": FeatureUnion([("word", "drop"), ("char", Tfidf(analyzer="char"))]),
    "all dropped": FeatureUnion([("word", "drop")]),
    "without prepare": Lengths(),
    "mixed": FeatureUnion([("length", Lengths()), ("word", Tfidf())]),
    "dense": FeatureUnion([("one", Lengths()), ("other", Lengths())]),
    "weighted": FeatureUnion([("word", Tfidf()), ("cues", CueFeatures())], transformer_weights={"cues": 0.5}),
    "nested": FeatureUnion([("inner", FEATURE_SETS["tfidf"](BOTH)), ("pair", PairFeatures())]),
    "passthrough": FeatureUnion([("length", Lengths()), ("same", "passthrough")]),
    "pipeline": make_pipeline(Tfidf(), SelectKBest(k=3)),
    "scaled": make_pipeline(CueFeatures(), StandardScaler(with_mean=False)),
    "scikit-learn's own": ColumnTransformer([("text", TfidfVectorizer(), "text")]),
    "lambda": FunctionTransformer(lambda frame: frame["text"].str.len().to_numpy()[:, None]),
}


def dense(matrix: Any) -> Any:
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


@pytest.mark.parametrize("name", TRANSFORMERS)
@settings(deadline=None, max_examples=6)
@given(st.permutations(range(24)), st.integers(8, 20))
def test_equals_fit_and_transform_without_a_cache(name: str, order: list[int], cut: int) -> None:
    transformer = TRANSFORMERS[name]
    train, test = np.array(order[:cut]), np.array(order[cut:])
    cache = FeatureCache(FRAME)
    plain = clone(transformer)
    expected = plain.fit_transform(FRAME.iloc[train], Y[train]), plain.transform(FRAME.iloc[test])
    for _ in range(2):
        given_back = cache.fit_transform(transformer, train, test, Y[train])
        for ours, theirs in zip(given_back, expected, strict=True):
            assert sparse.issparse(ours) == sparse.issparse(theirs)
            assert ours.shape == theirs.shape
            np.testing.assert_array_equal(dense(ours), dense(theirs))


IN_PARTS = ("words", "tfidf", "tfidf-cues", "dropped", "only one left", "nested")
"""Those that are made part by part of their rows where they are large."""


@pytest.mark.parametrize("name", TRANSFORMERS)
@settings(deadline=None, max_examples=3)
@given(st.permutations(range(24)), st.integers(8, 20))
def test_a_large_matrix_made_in_parts_is_the_same(name: str, order: list[int], cut: int) -> None:
    transformer = TRANSFORMERS[name]
    train, test = np.array(order[:cut]), np.array(order[cut:])
    cache = FeatureCache(FRAME, max_bytes=0)
    assert (cache._part_size(transformer) == 1) is (name in IN_PARTS)
    whole = FeatureCache(FRAME).fit_transform(transformer, train, test, Y[train])
    for ours, theirs in zip(cache.fit_transform(transformer, train, test, Y[train]), whole, strict=True):
        assert type(ours) is type(theirs)
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        np.testing.assert_array_equal(dense(ours), dense(theirs))
        if name in IN_PARTS:
            np.testing.assert_array_equal(ours.indices, theirs.indices)


@pytest.mark.parametrize("max_bytes", [0, 2**30])
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_that_is_kept_is_fitted_as_by_itself(name: str, max_bytes: int) -> None:
    ours, theirs = clone(TRANSFORMERS[name]), clone(TRANSFORMERS[name])
    rows = np.arange(24)[::-1] if max_bytes else np.arange(24)
    matrix = FeatureCache(FRAME, max_bytes).fit(ours, rows, Y[rows])
    np.testing.assert_array_equal(dense(matrix), dense(theirs.fit_transform(FRAME.iloc[rows], Y[rows])))
    np.testing.assert_array_equal(dense(ours.transform(FRAME)), dense(theirs.transform(FRAME)))


def test_a_large_frame_gives_the_same_features_and_keeps_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    union = FEATURE_SETS["tfidf-cues"](BOTH)
    train, test = np.arange(16), np.arange(16, 24)
    expected = FeatureCache(FRAME).fit_transform(union, train, test)
    monkeypatch.setattr("bench.features.columns.MANY_ROWS", 5)
    monkeypatch.setattr("bench.features.dense._PART", 7)
    cache = FeatureCache(FRAME)
    for ours, theirs in zip(cache.fit_transform(union, train, test), expected, strict=True):
        np.testing.assert_array_equal(dense(ours), dense(theirs))
    keys: list[Any] = list(cache._memo)
    assert not {key[0] for key in keys} & {"texts", "normalized"}


def test_a_block_whose_settings_stay_is_not_made_again(fits: list[str]) -> None:
    union = FeatureUnion([("one", CountedTfidf(["claim"])), ("other", CountedTfidf(["text"]))])
    cache = FeatureCache(FRAME)
    train, test = np.arange(16), np.arange(16, 24)
    cache.fit_transform(union, train, test)
    assert fits == ["claim", "text"]
    cache.fit_transform(clone(union).set_params(other__min_df=2), train, test)
    assert fits == ["claim", "text", "text"]
    cache.fit_transform(clone(union).set_params(one="drop"), train, test)
    assert fits == ["claim", "text", "text"]
    cache.fit_transform(union, train[1:], test)
    cache.fit_transform(union, train, test[1:])
    assert fits == ["claim", "text", "text", *["claim", "text"] * 2]


def test_each_row_is_prepared_once_for_all_splits_and_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.features import columns

    read: list[int] = []
    monkeypatch.setattr(columns, "normalize", lambda texts, preset: read.append(len(texts)) or list(texts))
    cache = FeatureCache(FRAME)
    for rows in (np.arange(16), np.arange(8, 24)):
        for high in (3, 4):
            cache.fit_transform(Tfidf(analyzer="char", ngram_range=(2, high)), rows, np.arange(8))
    assert read == [len(FRAME)]


def test_other_labels_are_not_mistaken_for_the_same() -> None:
    cache = FeatureCache(FRAME)
    train, test = np.arange(16), np.arange(16, 24)
    select = make_pipeline(Tfidf(), SelectKBest(k=1))
    for labels in (FRAME["text"].str.contains("نفت"), FRAME["text"].str.contains("كييف")):
        y = labels.to_numpy()[train]
        expected = clone(select).fit_transform(FRAME.iloc[train], y)
        np.testing.assert_array_equal(dense(cache.fit_transform(select, train, test, y)[0]), dense(expected))


@pytest.mark.parametrize("name", ["words", "only one left", "without prepare", "tfidf-cues"])
def test_what_the_caller_does_to_a_matrix_does_not_reach_the_cache(name: str) -> None:
    cache = FeatureCache(FRAME)
    rows = np.arange(16), np.arange(16, 24)
    first = cache.fit_transform(TRANSFORMERS[name], *rows)
    kept = dense(first[0]).copy()
    (first[0].data if sparse.issparse(first[0]) else first[0])[:] = 7
    np.testing.assert_array_equal(dense(cache.fit_transform(TRANSFORMERS[name], *rows)[0]), kept)


def test_the_least_recently_used_goes_first_and_the_limit_holds(fits: list[str]) -> None:
    rows = np.arange(16), np.arange(16, 24)
    probe = FeatureCache(FRAME)
    probe.fit_transform(CountedTfidf(), *rows)
    cache = FeatureCache(FRAME, max_bytes=int(probe.bytes * 2.5))
    fits.clear()
    one, two, three = (CountedTfidf(max_features=n) for n in (100, 101, 102))
    for setting in (one, two, one, three, one):
        cache.fit_transform(setting, *rows)
        assert 0 < cache.bytes <= cache.max_bytes
    assert len(fits) == 3
    cache.fit_transform(two, *rows)
    assert len(fits) == 4


def test_what_exceeds_the_limit_alone_is_given_and_not_kept() -> None:
    cache = FeatureCache(FRAME, max_bytes=10)
    train, _ = cache.fit_transform(Tfidf(), np.arange(16), np.arange(16, 24))
    assert train.nnz
    assert cache.bytes == 0
