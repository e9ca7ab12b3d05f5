"""Pair features: the relation of a text to a claim."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import ConfigError
from bench.features.columns import normalized_texts
from bench.features.dense import RowFeatures
from bench.text.antonyms import count_opposites
from bench.text.lexicons import lexicon
from bench.text.normalization import WORD_PATTERN
from bench.text.stemming import light_stem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    import pandas as pd
    from numpy.typing import NDArray

    from bench.features.columns import Memo

_WORD = re.compile(WORD_PATTERN)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CUES = ("negation", "denial", "non_confirmation", "hedge")
_KNOTS = np.linspace(0, 1, 6)


class PairFeatures(RowFeatures):
    """Similarity, overlap, negation and contrast between a claim and a text, in [0, 1].

    Overlap of words, light stems and character n-grams as Jaccard index and as containment
    both ways; longest common subsequence of stems; lengths; numbers that agree or
    conflict; cues of negation, denial, non-confirmation and hedging on one side, the other or one alone;
    opposite words. Overlap enters also as a piecewise linear basis, and contrasts also
    multiplied by it, since a linear model cannot do that itself: a contrast is a contradiction
    only if the two are about the same thing.

    Parameters
    ----------
    columns : sequence of two str
        The claim's column and the text's.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"claim": ["ارتفاع الذهب"], "text": ["انخفاض الذهب"]})
    >>> features = PairFeatures().fit(frame)
    >>> dict(zip(features.get_feature_names_out(), features.transform(frame).toarray()[0].tolist()))["opposites"]
    0.5
    """

    def __init__(self, columns: Sequence[str] = ("claim", "text")) -> None:
        self.columns = columns

    def describe(self, X: pd.DataFrame, memo: Memo) -> dict[str, NDArray[Any]]:
        """Compute the features of a frame's rows, by name, each of shape (n_rows,)."""
        if isinstance(self.columns, str) or len(self.columns) != 2:
            raise ConfigError(f"PairFeatures compares two columns, claim and text, not {self.columns!r}.")
        claims, texts = (normalized_texts(X, c, "standard", memo) for c in self.columns)
        rows = [_compare(claim, text) for claim, text in zip(claims, texts, strict=True)]
        names = list(rows[0]) if rows else list(_compare("", ""))
        features = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
        features |= self._cues(claims, texts)
        same = features["stem_overlap"]
        for name in ("opposites", "number_conflict", *(f"{cue}_in_one" for cue in _CUES)):
            features[f"{name}_times_overlap"] = features[name] * same
        for name in ("stem_overlap", "stem_jaccard", "char3_jaccard", "subsequence"):
            for knot in _KNOTS:
                near = np.maximum(0, 1 - np.abs(features[name] - knot) * (len(_KNOTS) - 1))
                features[f"{name}_near_{knot:.1f}"] = near
        return features

    def _cues(self, claims: list[str], texts: list[str]) -> dict[str, NDArray[Any]]:
        features: dict[str, NDArray[Any]] = {}
        for cue in _CUES:
            claim, text = (lexicon(cue).count(side, normalized=True) > 0 for side in (claims, texts))
            features |= {f"{cue}_in_claim": claim, f"{cue}_in_text": text, f"{cue}_in_one": claim ^ text}
        return features


def _compare(claim: str, text: str) -> dict[str, float]:
    claim_words, text_words = _WORD.findall(claim), _WORD.findall(text)
    claim_stems, text_stems = [light_stem(w) for w in claim_words], [light_stem(w) for w in text_words]
    features: dict[str, float] = {}
    for name, left, right in (
        ("word", set(claim_words), set(text_words)),
        ("stem", set(claim_stems), set(text_stems)),
        ("bigram", set(_ngrams(claim_stems, 2)), set(_ngrams(text_stems, 2))),
        ("char3", _char_ngrams(claim_words, 3), _char_ngrams(text_words, 3)),
        ("char4", _char_ngrams(claim_words, 4), _char_ngrams(text_words, 4)),
    ):
        shared = len(left & right)
        features[f"{name}_jaccard"] = _ratio(shared, len(left | right))
        features[f"{name}_of_claim"] = _ratio(shared, len(left))
        features[f"{name}_of_text"] = _ratio(shared, len(right))
        features[f"{name}_overlap"] = _ratio(shared, min(len(left), len(right)))
    subsequence = _common_subsequence(claim_stems, text_stems)
    features["subsequence"] = _ratio(2 * subsequence, len(claim_stems) + len(text_stems))
    features["in_order"] = _ratio(subsequence, len(set(claim_stems) & set(text_stems)))
    features["length_ratio"] = _ratio(
        min(len(claim_words), len(text_words)), max(len(claim_words), len(text_words)), empty=1.0
    )
    features["text_longer"] = float(len(text_words) > len(claim_words))
    features["equal"] = float(claim_words == text_words)
    features["same_words"] = float(set(claim_stems) == set(text_stems))
    features["same_start"] = float(claim_stems[:1] == text_stems[:1])
    features["same_end"] = float(claim_stems[-1:] == text_stems[-1:])
    for stem, name in ((set(claim_stems) - set(text_stems), "claim"), (set(text_stems) - set(claim_stems), "text")):
        features[f"only_{name}_none"] = float(not stem)
        features[f"only_{name}_one"] = float(len(stem) == 1)
        features[f"only_{name}_few"] = float(2 <= len(stem) <= 3)
        features[f"only_{name}"] = len(stem) / (len(stem) + 3)
    opposites = count_opposites(set(claim_stems), set(text_stems))
    features["opposites"] = opposites / (opposites + 1)
    features |= _numbers(set(_NUMBER.findall(claim)), set(_NUMBER.findall(text)))
    return features


def _numbers(claim: AbstractSet[str], text: AbstractSet[str]) -> dict[str, float]:
    return {
        "number_in_claim": float(bool(claim)),
        "number_in_text": float(bool(text)),
        "number_shared": float(bool(claim & text)),
        "number_conflict": float(bool(claim and text and not claim & text)),
        "number_missing": float(bool(claim) and not text),
    }


def _ratio(part: int, whole: int, empty: float = 0.0) -> float:
    return min(part / whole, 1.0) if whole else empty


def _ngrams(items: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return list(zip(*(items[start:] for start in range(size)), strict=False))


def _char_ngrams(words: Sequence[str], size: int) -> set[str]:
    padded = [f" {word} " for word in words]
    return {word[i : i + size] for word in padded for i in range(max(len(word) - size + 1, 1))}


def _common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, bit-parallel (Hyyrö 2004)."""
    where: dict[str, int] = {}
    for place, item in enumerate(left):
        where[item] = where.get(item, 0) | 1 << place
    everywhere = (1 << len(left)) - 1
    row = everywhere
    for item in right:
        matched = row & where.get(item, 0)
        row = ((row + matched) | (row - matched)) & everywhere
    return len(left) - row.bit_count()
