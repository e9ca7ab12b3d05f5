"""Near repeats: texts that share nearly all of their character n-grams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

NEAR = 0.8
"""The least Jaccard similarity of near repeats."""

_LENGTH = 4
_BANDS, _ROWS = 20, 5
_CHUNK = 4096

_MOST = 10
"""The most texts that each text is compared with."""

_MARGIN = 0.15
"""How far a signature's estimate may fall below the true similarity: more than three standard errors."""


def near_pairs(texts: Sequence[str], least: float = NEAR) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find pairs of texts whose sets of character 4-grams have at least a given Jaccard similarity.

    Candidates come from MinHash signatures (Broder 1997) cut into 20 bands of 5 (Leskovec, Rajaraman and Ullman 2014,
    section 3.4). Each candidate is then verified on the sets themselves, so every returned pair is right. A pair of
    similarity 0.8 is missed with a probability of 0.0005. Where many texts are alike, each is compared with ten of
    them, not all, so that the time stays linear.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        Normalised texts, all different.
    least : float
        The least similarity, above 0.

    Returns
    -------
    pairs : ndarray of int, shape (n_pairs, 2)
        Sorted row numbers, the smaller of each pair first.
    similarities : ndarray of float, shape (n_pairs,)
        Their Jaccard similarities.

    Examples
    --------
    >>> text = "نفى المتحدث باسم الوزارة هذا الخبر"
    >>> pairs, similarities = near_pairs([text, f"{text} أمس", "أكد"])
    >>> pairs.tolist(), similarities.round(2).tolist()
    ([[0, 1]], [0.89])
    """
    found, similarities = [], []
    for first, second in _candidates(_signatures(texts), least - _MARGIN).tolist():
        similarity = jaccard(texts[first], texts[second])
        if similarity >= least:
            found.append((first, second))
            similarities.append(similarity)
    return np.array(found, dtype=np.intp).reshape(-1, 2), np.array(similarities)


class KnownTexts:
    """Known texts, which others are compared with.

    Parameters
    ----------
    texts : sequence of str
        Normalised texts.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        signatures = _signatures(texts) if texts else np.empty((0, _BANDS * _ROWS), dtype=np.uint32)
        keys = [_band_key(signatures, band) for band in range(_BANDS)]
        self._orders = [np.argsort(key, kind="stable") for key in keys]
        self._keys = [key[order] for key, order in zip(keys, self._orders, strict=True)]

    def candidates(self, texts: Sequence[str]) -> list[set[int]]:
        """List the known texts that each text may be a near repeat of, by their places.

        Those whose signature equals its own in a whole band; of each band, the first ten.

        Examples
        --------
        >>> known = KnownTexts(["نفى المتحدث باسم الوزارة هذا الخبر"])
        >>> known.candidates(["نفى المتحدث باسم الوزارة هذا الخبر أمس", "أكد الوزير"])
        [{0}, set()]
        """
        found: list[set[int]] = [set() for _ in texts]
        if not texts or not self.texts:
            return found
        signatures = _signatures(texts)
        for band, (keys, order) in enumerate(zip(self._keys, self._orders, strict=True)):
            key = _band_key(signatures, band)
            first, end = np.searchsorted(keys, key, side="left"), np.searchsorted(keys, key, side="right")
            for row in np.flatnonzero(end > first).tolist():
                found[row].update(order[first[row] : min(end[row], first[row] + _MOST)].tolist())
        return found


def jaccard(first: str, second: str) -> float:
    """The Jaccard similarity of two texts' sets of character 4-grams.

    Examples
    --------
    >>> jaccard("abcdef", "abcdefg"), jaccard("abc", "abc"), jaccard("abc", "xyz")
    (0.75, 1.0, 0.0)
    """
    a, b = _grams(first), _grams(second)
    common = len(a & b)
    return common / (len(a) + len(b) - common)


def components(size: int, pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Number the connected components of texts linked by pairs, in an array of shape (size,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    labels: NDArray[np.intp] = connected_components(graph, directed=False)[1]
    return labels


@lru_cache(maxsize=1024)
def _grams(text: str) -> frozenset[str]:
    return frozenset(text[start : start + _LENGTH] for start in range(max(len(text) - _LENGTH + 1, 1)))


def _signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    rng = np.random.default_rng(0)
    factors = rng.integers(1, 2**63, size=_BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    offsets = rng.integers(0, 2**63, size=_BANDS * _ROWS, dtype=np.uint64)
    signatures = np.empty((len(texts), _BANDS * _ROWS), dtype=np.uint32)
    for start in range(0, len(texts), _CHUNK):
        part = texts[start : start + _CHUNK]
        hashes, begins = _hashes(part)
        for column, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
            mixed = ((hashes * factor + offset) >> np.uint64(32)).astype(np.uint32)
            signatures[start : start + len(part), column] = np.minimum.reduceat(mixed, begins)
    return signatures


def _hashes(texts: Sequence[str]) -> tuple[Hashes, NDArray[np.intp]]:
    """Hash every 4-gram of the texts and return where each text starts. Shorter texts are padded with spaces."""
    filled = [text.ljust(_LENGTH) for text in texts]
    points = np.frombuffer("".join(filled).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in filled])
    hashes = np.zeros(len(points) - _LENGTH + 1, dtype=np.uint64)
    for place in range(_LENGTH):
        hashes = hashes * np.uint64(0x100000001B3) + points[place : len(points) - _LENGTH + 1 + place]
    hashes = (hashes ^ (hashes >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    hashes ^= hashes >> np.uint64(29)
    ends = np.cumsum(lengths)
    inside = np.ones(len(hashes), dtype=bool)
    for place in range(1, _LENGTH):  # 4-grams that cross the end of a text
        inside[ends[:-1] - place] = False
    begins = np.concatenate([[0], np.cumsum(lengths - _LENGTH + 1)[:-1]])
    return hashes[inside], begins


def _candidates(signatures: NDArray[np.uint32], least: float) -> NDArray[np.intp]:
    """Pairs of rows that agree in a whole band and in a share `least` overall, of shape (n_pairs, 2)."""
    size = len(signatures)
    found = np.empty(0, dtype=np.int64)
    for band in range(_BANDS):
        key = _band_key(signatures, band)
        order = np.argsort(key, kind="stable")
        parts = [found]
        for pairs in _neighbours(key[order], order, size):
            first, second = np.divmod(pairs, size)
            alike = np.count_nonzero(signatures[first] == signatures[second], axis=1) >= least * signatures.shape[1]
            parts.append(pairs[alike])
        found = np.unique(np.concatenate(parts))
        first = found // max(size, 1)
        found = found[np.arange(len(found)) - np.searchsorted(first, first) < _MOST]
    return np.stack(np.divmod(found, max(size, 1)), axis=1)


def _band_key(signatures: NDArray[np.uint32], band: int) -> Hashes:
    """One number for a band of each signature, equal for equal bands."""
    key = np.zeros(len(signatures), dtype=np.uint64)
    for column in range(band * _ROWS, (band + 1) * _ROWS):
        key = (key ^ signatures[:, column]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(32)
    return key


def _neighbours(key: Hashes, order: NDArray[np.intp], size: int) -> Iterator[NDArray[np.int64]]:
    """Pair each row with the next few rows of the same key, as first * size + second."""
    for shift in range(1, min(_MOST + 1, size)):
        same = np.flatnonzero(key[shift:] == key[:-shift])
        if not len(same):
            return
        for start in range(0, len(same), _CHUNK):
            part = same[start : start + _CHUNK]
            yield order[part].astype(np.int64) * size + order[part + shift]
