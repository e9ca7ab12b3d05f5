"""Names of features as a reader understands them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

By = Literal["word", "char", ""]

_SHARED = {
    "word": "words",
    "stem": "word stems",
    "bigram": "pairs of word stems",
    "char3": "three-letter parts",
    "char4": "four-letter parts",
}
_OVERLAP = {
    "jaccard": "{} in both, of all {}",
    "of_claim": "{} of the claim that are in the text",
    "of_text": "{} of the text that are in the claim",
    "overlap": "{} in both, of the shorter one's",
}
_PAIR = {
    **{
        f"{unit}_{kind}": told.format(units, units)
        for unit, units in _SHARED.items()
        for kind, told in _OVERLAP.items()
    },
    "subsequence": "word stems in the same order",
    "in_order": "shared word stems that keep their order",
    "length_ratio": "similar length",
    "text_longer": "text longer than claim",
    "equal": "same words in the same order",
    "same_words": "same word stems",
    "same_start": "same first word",
    "same_end": "same last word",
    "opposites": "words of opposite meaning",
    "number_in_claim": "number in the claim",
    "number_in_text": "number in the text",
    "number_shared": "same number in both",
    "number_conflict": "different numbers",
    "number_missing": "number of the claim missing from the text",
    **{
        f"only_{side}{amount}": f"{told} in the {side} alone"
        for side in ("claim", "text")
        for amount, told in (
            ("", "share of word stems"),
            ("_none", "no word stem"),
            ("_one", "one word stem"),
            ("_few", "two or three word stems"),
        )
    },
}
_CUES = {
    "quotation": "quotation marks",
    "opens_with_quotation": "begins with a quotation mark",
    "question": "question mark",
    "exclamation": "exclamation mark",
    "colon": "colon",
    "brackets": "brackets",
    "digit": "digits",
    "ends_as_sentence": "ends like a sentence",
    "latin": "Latin letters",
    "length": "length",
    "headline": "form of a headline",
}
_SIDES = {"claim": "in the claim", "text": "in the text", "one": "in only one of the two"}
_NEAR = re.compile(r"(.+)_near_(\d\.\d)\Z")
_CUE_IN = re.compile(r"(.+)_in_(claim|text|one)\Z")


@dataclass(frozen=True)
class NamedFeature:
    """A feature in words.

    Parameters
    ----------
    kind : str
        What it is about, such as ``word in text``.
    term : str
        The n-gram, or what is measured.
    column : str
        The input column in which an n-gram is; empty for other features.
    by : {"word", "char", ""}
        What an n-gram is made of; empty for other features.
    """

    kind: str
    term: str
    column: str = ""
    by: By = ""


def name_feature(name: str, inputs: tuple[str, ...]) -> NamedFeature:
    """Say what a feature is, by the name that its transformers give it.

    Parameters
    ----------
    name : str
        The name, with those of the blocks that it is in before it.
    inputs : tuple of str
        The task's input columns.

    Returns
    -------
    NamedFeature
        Of a feature that is not the package's own, the parts of its name.

    Examples
    --------
    >>> name_feature("word__text__نفى الخبر", ("claim", "text"))
    NamedFeature(kind='words in text', term='نفى الخبر', column='text', by='word')
    >>> name_feature("pair__opposites_times_overlap", ("claim", "text")).term
    'words of opposite meaning, times the shared word stems'
    """
    block, _, rest = name.partition("__")
    if block == "pair" and (told := _of_pair(rest)):
        return NamedFeature("claim and text", told)
    if block in inputs:
        block, rest = "word", name
    column, _, term = rest.partition("__")
    if column in inputs:
        if block == "word":
            return NamedFeature(f"{'words' if ' ' in term else 'word'} in {column}", term, column, "word")
        if block == "char":
            # Where an n-gram of letters begins or ends a word must be seen.
            return NamedFeature(f"letters in {column}", term.replace(" ", "\u2423"), column, "char")
        if block == "cues":
            return NamedFeature(f"cue in {column}", _of_cue(term))
    kind, _, term = name.rpartition("__")
    return NamedFeature(kind.replace("__", " "), term)


def _of_cue(name: str) -> str:
    if name in _CUES:
        return _CUES[name]
    often = name.endswith("_often")
    cue = name.removesuffix("_often").replace("_", " ")
    return f"number of {cue} cues" if often else f"{cue} cue"


def _of_pair(name: str) -> str:
    if name.endswith("_times_overlap"):
        told = _of_pair(name.removesuffix("_times_overlap"))
        return told and f"{told}, times the shared word stems"
    if near := _NEAR.fullmatch(name):
        told = _of_pair(near[1])
        return told and f"{told}: near {float(near[2]):.0%}".replace("%", "\u00a0%")
    if name in _PAIR:
        return _PAIR[name]
    if cue := _CUE_IN.fullmatch(name):
        return f"{cue[1].replace('_', ' ')} cue {_SIDES[cue[2]]}"
    return ""
