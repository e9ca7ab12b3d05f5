"""Cue features: words in a text that express denial, doubt and sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.features.columns import column_texts, normalized_texts
from bench.features.dense import RowFeatures
from bench.text.lexicons import lexicon, lexicon_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from bench.features.columns import Memo

_SIGNS = {
    "quotation": re.compile(r"[\"“”«»„‟]"),
    "opens_with_quotation": re.compile(r"\A\s*[\"“”«»„‟]"),
    "question": re.compile(r"[?؟]"),
    "exclamation": re.compile(r"!"),
    "colon": re.compile(r":"),
    "brackets": re.compile(r"[(\[]"),
    "digit": re.compile(r"\d"),
    "ends_as_sentence": re.compile(r"[.!?؟…][\"“”«»)\]\s]*\Z"),
    "latin": re.compile(r"[A-Za-z]"),
}
_FULL_LENGTH = 60
"""The words from which on a text counts as long."""
_HEADLINE_LENGTH = 15
"""The words that a headline has at most."""


class CueFeatures(RowFeatures):
    """Cues from every lexicon, marks and form of each text, in [0, 1].

    For each column and each lexicon of `bench.text.lexicons`: whether a cue is there, and how
    many as n / (n + 1); whether quotation marks, digits, a question and other marks are
    there; length; and whether it has a headline's form.

    Parameters
    ----------
    columns : sequence of str
        The text columns of the frame.

    Examples
    --------
    >>> import pandas as pd
    >>> features = CueFeatures().fit(pd.DataFrame({"text": [""]}))
    >>> row = features.transform(pd.DataFrame({"text": ["نفت موسكو ذلك"]})).toarray()[0]
    >>> float(row[features.get_feature_names_out().tolist().index("text__denial")])
    1.0
    """

    def __init__(self, columns: Sequence[str] = ("text",)) -> None:
        self.columns = columns

    def describe(self, X: pd.DataFrame, memo: Memo) -> dict[str, NDArray[Any]]:
        """Compute the features of a frame's rows, by name, each of shape (n_rows,)."""
        features: dict[str, NDArray[Any]] = {}
        for column in self.columns:
            texts = column_texts(X, column, memo)
            ready = normalized_texts(X, column, "standard", memo)
            for name in lexicon_names():
                found = lexicon(name).count(ready, normalized=True)
                features[f"{column}__{name}"] = found > 0
                features[f"{column}__{name}_often"] = found / (found + 1)
            for name, sign in _SIGNS.items():
                features[f"{column}__{name}"] = np.array([bool(sign.search(text)) for text in texts])
            length = np.array([len(text.split()) for text in texts])
            features[f"{column}__length"] = np.minimum(length / _FULL_LENGTH, 1)
            features[f"{column}__headline"] = (length <= _HEADLINE_LENGTH) & ~features[f"{column}__ends_as_sentence"]
        return features
