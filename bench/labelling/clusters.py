"""Group texts by their words, so that a draw covers all that an archive is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FITTED_ON = 20_000
"""The most texts from which the clusters are found."""

_DIMENSIONS = 50
_CHUNK = 5000
_MOST = 50


def clusters(
    read: Callable[[], Iterable[str]],
    size: int,
    n: int,
    seed: int,
    told: Callable[[int], None] = lambda number: None,
) -> NDArray[np.intp]:
    """Number each text's cluster: k-means of the leading components of TF-IDF.

    Parameters
    ----------
    read : callable
        Reads the texts; it is called twice.
    size : int
        How many there are.
    n : int
        How many texts are drawn, which limits the number of clusters.
    seed : int
        The seed of the clusters.
    told : callable
        Is called with how many texts are grouped so far.

    Returns
    -------
    ndarray of int, shape (size,)
        The cluster of each text.
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    step = -(-size // _FITTED_ON)
    some = [text for place, text in enumerate(read()) if place % step == 0]
    tfidf = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, max_features=20_000)
    width = len(tfidf.fit(some).vocabulary_)
    parts: list[object] = [tfidf]
    if width > _DIMENSIONS:
        parts += [TruncatedSVD(_DIMENSIONS, random_state=seed), Normalizer()]
    number = max(1, min(_MOST, n // 8, len(some)))
    found = make_pipeline(*parts, MiniBatchKMeans(number, random_state=seed, n_init=3)).fit(some)
    codes: list[int] = []
    chunk: list[str] = []
    for text in read():
        chunk.append(text)
        if len(chunk) == _CHUNK:
            codes += found.predict(chunk).tolist()
            chunk = []
            told(len(codes))
    codes += found.predict(chunk).tolist() if chunk else []
    return np.array(codes, dtype=np.intp)


def cluster_names(codes: Sequence[int]) -> list[str]:
    """Name clusters by their number."""
    return [f"cluster-{code + 1:02d}" for code in codes]
