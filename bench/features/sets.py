"""The feature sets that a model's file can name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sklearn.base import BaseEstimator
    from sklearn.pipeline import FeatureUnion

Inputs = tuple[str, ...]
"""A task's input columns: ``("text",)`` or ``("claim", "text")``."""


def texts(inputs: Inputs) -> BaseEstimator:
    """Make nothing of the texts, for estimators that make their own features."""
    from bench.features.texts import Texts

    return Texts(columns=inputs)


def words(inputs: Inputs) -> BaseEstimator:
    """Make TF-IDF of words, one vocabulary for each input column."""
    from bench.features.tfidf import Tfidf

    return Tfidf(columns=inputs)


def tfidf(inputs: Inputs) -> FeatureUnion:
    """Make TF-IDF of words (block ``word``) and of character n-grams within words (block ``char``)."""
    from sklearn.pipeline import FeatureUnion

    from bench.features.tfidf import Tfidf

    return FeatureUnion(
        [
            ("word", Tfidf(columns=inputs, ngram_range=(1, 2))),
            ("char", Tfidf(columns=inputs, analyzer="char_wb", ngram_range=(2, 5))),
        ]
    )


def cues(inputs: Inputs) -> FeatureUnion:
    """Make cue features of the text (block ``cues``) and, with a claim, of the pair (block ``pair``)."""
    from sklearn.pipeline import FeatureUnion

    from bench.features.cues import CueFeatures
    from bench.features.pairs import PairFeatures

    pair = [("pair", PairFeatures(columns=inputs))] if len(inputs) == 2 else []
    return FeatureUnion([*pair, ("cues", CueFeatures(columns=inputs[-1:]))])


def tfidf_cues(inputs: Inputs) -> FeatureUnion:
    """Make the blocks of `tfidf` and of `cues`, the character n-grams of the text alone.

    Character n-grams of a claim add nothing to its words and the pair features: on the
    development set of ANS stance they change the macro-F1 of logistic regression by less than 0.01 and
    double its time.
    """
    from sklearn.pipeline import FeatureUnion

    lexical = tfidf(inputs).set_params(char__columns=inputs[-1:])
    return FeatureUnion([*lexical.transformer_list, *cues(inputs).transformer_list])


def encoder(inputs: Inputs) -> BaseEstimator:
    """Make embeddings by a frozen sentence encoder, and with a claim of how the two compare."""
    from bench.features.encoder import EncoderFeatures

    return EncoderFeatures(columns=inputs)


FEATURE_SETS: dict[str, Callable[[Inputs], BaseEstimator]] = {
    "texts": texts,
    "words": words,
    "tfidf": tfidf,
    "tfidf-cues": tfidf_cues,
    "cues": cues,
    "encoder": encoder,
}
"""For each set's name, the function that builds its unfitted transformer for given input columns."""
