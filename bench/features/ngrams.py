"""N-gram counts of a text column: each length is counted once, ranges are merged from lengths."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bench.features.columns import normalized_texts
from bench.text.normalization import WORD_PATTERN

ANALYZERS = ("word", "char", "char_wb")
"""The units that n-grams are made of, as scikit-learn's ``CountVectorizer`` names them."""

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd
    from numpy.typing import NDArray

    from bench.features.columns import Memo

_WORD = re.compile(WORD_PATTERN)
_WHITESPACE_RUN = re.compile(r"\s\s+")


@dataclass(frozen=True)
class Vocabulary:
    """Distinct n-grams in lexicographic order.

    Parameters
    ----------
    symbols : ndarray of uint32 of shape (n_terms, longest)
        Each n-gram's symbols counted from 1, then zeros. A symbol is a code point, or
        the place of a word in `words`.
    words : tuple of str or None
        The distinct words, sorted, where n-grams are made of words.
    """

    symbols: NDArray[np.uint32]
    words: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def keys(self) -> NDArray[np.bytes_]:
        """The n-grams as byte strings of shape (n_terms,) that sort as the n-grams do."""
        width = max(self.symbols.shape[1], 1)
        padded = np.zeros((len(self), width), dtype=">u4")
        padded[:, : self.symbols.shape[1]] = self.symbols
        return padded.view(f"S{4 * width}").ravel()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the n-grams, in hexadecimal."""
        content = hashlib.sha256(str(self.symbols.shape).encode())
        content.update(np.ascontiguousarray(self.symbols).data)
        if self.words is not None:
            content.update("\n".join(self.words).encode())
        return content.hexdigest()

    @cached_property
    def terms(self) -> NDArray[np.object_]:
        """The n-grams as text, of shape (n_terms,)."""
        if self.words is None:
            texts = ["".join(chr(symbol - 1) for symbol in row if symbol) for row in self.symbols.tolist()]
        else:
            texts = [" ".join(self.words[symbol - 1] for symbol in row if symbol) for row in self.symbols.tolist()]
        return np.array(texts, dtype=object)

    def take(self, places: NDArray[np.integer]) -> Vocabulary:
        """Return the n-grams at `places`, which are ascending, with no word that they do not use."""
        symbols = self.symbols[places]
        if self.words is None:
            return Vocabulary(symbols)
        used = np.zeros(len(self.words) + 1, dtype=bool)
        used[symbols] = True
        used[0] = False
        renumbered = np.cumsum(used, dtype=np.uint32) * used
        return Vocabulary(renumbered[symbols], tuple(self.words[i - 1] for i in np.flatnonzero(used).tolist()))

    def places(self, other: Vocabulary) -> NDArray[np.int32]:
        """Find each n-gram of `other` here.

        Returns
        -------
        ndarray of int32 of shape (len(other),)
            Its place, -1 where it is unknown.
        """
        if not len(self) or not len(other):
            return np.full(len(other), -1, dtype=np.int32)
        if self.words is not None and other.words is not None:
            rank = {word: place for place, word in enumerate(self.words, start=1)}
            unknown = len(self.words) + 1
            translated = np.array([0, *(rank.get(word, unknown) for word in other.words)], dtype=np.uint32)
            other = Vocabulary(translated[other.symbols])
        found = np.minimum(np.searchsorted(self.keys, other.keys), len(self) - 1)
        return np.where(self.keys[found] == other.keys, found, -1).astype(np.int32)


@dataclass(frozen=True)
class Counts:
    """How often each n-gram stands in each text.

    Parameters
    ----------
    matrix : scipy.sparse.csr_matrix of int32 of shape (n_texts, n_terms)
        The counts, with sorted indices.
    vocabulary : Vocabulary
        The columns' n-grams.
    """

    matrix: sparse.csr_matrix
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, rows: Any) -> Counts:
        return Counts(self.matrix[rows], self.vocabulary)


@dataclass(frozen=True)
class _Stream:
    """All texts' symbols in a row, cut into segments that no n-gram crosses."""

    symbols: NDArray[np.uint32]
    row: NDArray[np.int32]
    left: NDArray[np.int32]
    """The symbols from each place to its segment's end."""
    starts: NDArray[np.int32]
    """Where each segment starts."""
    n_rows: int
    words: tuple[str, ...] | None


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length: where each starts, and which of the sorted distinct ones it is."""

    places: NDArray[np.int32]
    ids: NDArray[np.int32]
    symbols: NDArray[np.uint32]


def count_ngrams(
    frame: pd.DataFrame, column: str, normalization: str, analyzer: str, ngram_range: tuple[int, int], memo: Memo
) -> Counts:
    """Count the n-grams of every length in a range, as scikit-learn's ``CountVectorizer`` does.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_texts, n_columns)
        Where the texts are.
    column : str
        Their column.
    normalization : str
        A preset of `bench.text.normalization`.
    analyzer : {"word", "char", "char_wb"}
        What n-grams are made of; ``char_wb`` pads each word with a space on both sides and
        counts a word that is shorter than the range once.
    ngram_range : (int, int)
        The least and the greatest length.
    memo : mutable mapping
        Kept between calls on the same frame, so that lengths and ranges are counted once.

    Returns
    -------
    Counts
        Of shape (n_texts, n_terms), n-grams in lexicographic order.
    """
    low, high = ngram_range
    key = ("ngrams", column, normalization, analyzer)
    if (*key, low, high) in memo:
        return memo[*key, low, high]
    if key not in memo:
        memo[key] = _stream(normalized_texts(frame, column, normalization, memo), analyzer)
    stream: _Stream = memo[key]
    parts = [_short_words(stream, key, size, memo) for size in range(3, low)] if analyzer == "char_wb" else []
    parts += [_length(stream, key, size, memo) for size in range(low, high + 1)]
    memo[*key, low, high] = merged = _merge([part for part in parts if len(part.vocabulary)], stream)
    return merged


def _stream(ready: list[str], analyzer: str) -> _Stream:
    words: tuple[str, ...] | None = None
    if analyzer == "word":
        tokens = [_WORD.findall(text) for text in ready]
        words = tuple(sorted({word for line in tokens for word in line}))
        rank = {word: place for place, word in enumerate(words, start=1)}
        sizes = np.fromiter(map(len, tokens), dtype=np.int32, count=len(tokens))
        symbols = np.fromiter((rank[word] for line in tokens for word in line), dtype=np.uint32, count=int(sizes.sum()))
    else:
        if analyzer == "char":
            ready = [_WHITESPACE_RUN.sub(" ", text) for text in ready]
        else:
            ready = ["".join(f" {word} " for word in text.split()) for text in ready]
        sizes = np.fromiter(map(len, ready), dtype=np.int32, count=len(ready))
        symbols = np.frombuffer("".join(ready).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32) + 1
    if analyzer == "char_wb":
        edges = np.flatnonzero(symbols == ord(" ") + 1)
        starts, ends = edges[::2], edges[1::2] + 1
    else:
        ends = np.cumsum(sizes)
        starts = ends - sizes
    left = np.repeat(ends, ends - starts) - np.arange(len(symbols))
    row = np.repeat(np.arange(len(ready), dtype=np.int32), sizes)
    return _Stream(symbols, row, left.astype(np.int32), starts.astype(np.int32), len(ready), words)


def _level(stream: _Stream, key: tuple[Hashable, ...], size: int, memo: Memo) -> _Level:
    """Find the n-grams of one length by lengthening those that are one shorter; no packed key can overflow."""
    if (*key, "level", size) in memo:
        return memo[*key, "level", size]
    if size == 1:
        distinct, ids = np.unique(stream.symbols, return_inverse=True)
        level = _Level(np.arange(len(ids), dtype=np.int32), ids.astype(np.int32), distinct[:, None])
    else:
        first, shorter = _level(stream, key, 1, memo), _level(stream, key, size - 1, memo)
        going_on = stream.left[shorter.places] >= size
        places = shorter.places[going_on]
        base = max(len(first.symbols), 1)
        pairs = shorter.ids[going_on].astype(np.int64) * base + first.ids[places + size - 1]
        distinct, ids = np.unique(pairs, return_inverse=True)
        symbols = np.hstack([shorter.symbols[distinct // base], first.symbols[distinct % base]])
        level = _Level(places, ids.astype(np.int32), symbols)
    memo[*key, "level", size] = level
    return level


def _length(stream: _Stream, key: tuple[Hashable, ...], size: int, memo: Memo) -> Counts:
    return _count(_level(stream, key, size, memo), stream)


def _short_words(stream: _Stream, key: tuple[Hashable, ...], size: int, memo: Memo) -> Counts:
    level = _level(stream, key, size, memo)
    whole = np.zeros(len(stream.symbols) + 1, dtype=bool)
    whole[stream.starts] = True
    whole[:-1] &= stream.left == size
    here = whole[level.places]
    distinct, ids = np.unique(level.ids[here], return_inverse=True)
    return _count(_Level(level.places[here], ids.astype(np.int32), level.symbols[distinct]), stream)


def _count(level: _Level, stream: _Stream) -> Counts:
    ones = np.ones(len(level.places), dtype=np.int32)
    shape = (stream.n_rows, len(level.symbols))
    matrix = sparse.coo_matrix((ones, (stream.row[level.places], level.ids)), shape=shape).tocsr()
    return Counts(matrix, Vocabulary(level.symbols, stream.words))


def _merge(parts: list[Counts], stream: _Stream) -> Counts:
    if not parts:
        symbols = np.zeros((0, 1), dtype=np.uint32)
        return Counts(sparse.csr_matrix((stream.n_rows, 0), dtype=np.int32), Vocabulary(symbols, stream.words))
    width = max(part.vocabulary.symbols.shape[1] for part in parts)
    symbols = np.vstack(
        [np.pad(part.vocabulary.symbols, ((0, 0), (0, width - part.vocabulary.symbols.shape[1]))) for part in parts]
    )
    order = np.argsort(Vocabulary(symbols).keys)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    matrix = sparse.hstack([part.matrix for part in parts], format="csr")
    indices, indptr = place[matrix.indices], matrix.indptr.astype(np.int32)
    matrix = sparse.csr_matrix((matrix.data, indices, indptr), shape=matrix.shape)
    matrix.sort_indices()
    return Counts(matrix, Vocabulary(symbols[order], stream.words))
