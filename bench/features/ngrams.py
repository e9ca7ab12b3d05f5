"""N-gram counts of a text column: each length is counted once, ranges are merged from lengths.

N-grams of characters within words are counted in each distinct word once: a text's counts are the sum of its words'.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bench.features.columns import is_large_column, normalized_texts
from bench.text.normalization import WORD_PATTERN

ANALYZERS = ("word", "char", "char_wb")
"""The units of n-grams, as scikit-learn's ``CountVectorizer`` names them."""

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

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
        The distinct words, sorted, if n-grams consist of words.
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
            Its position, -1 if unknown.
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
    """How often each n-gram occurs in each text.

    Parameters
    ----------
    matrix : scipy.sparse.csr_matrix of uint8, uint16 or int32 of shape (n_texts, n_terms)
        The counts, in the narrowest type that fits, with sorted indices.
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
        The units of n-grams; ``char_wb`` pads each word with a space on both sides and
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
    kept: Memo = {} if is_large_column(frame) else memo
    if (*key, "tokens") not in kept:
        kept[*key, "tokens"] = _tokens(normalized_texts(frame, column, normalization, kept), analyzer)
    tokens: _Tokens = kept[*key, "tokens"]
    if key not in kept:
        kept[key] = tokens.padded_words().stream() if analyzer == "char_wb" else tokens.stream()
    stream: _Stream = kept[key]
    parts = [_short_words(stream, key, size, kept) for size in range(3, low)] if analyzer == "char_wb" else []
    parts += [_length(stream, key, size, kept) for size in range(low, high + 1)]
    merged = _merge([part for part in parts if len(part.vocabulary)], stream)
    memo[*key, low, high] = counts = tokens.sums(merged) if analyzer == "char_wb" else merged
    return counts


@dataclass(frozen=True)
class _Tokens:
    """Texts as sequences of tokens: words, or single characters.

    Parameters
    ----------
    symbols : ndarray of uint32 of shape (n_tokens,)
        All texts' tokens in a row: code points, or places in `words`, counted from 1.
    sizes : ndarray of int32 of shape (n_texts,)
        How many of them each text has.
    words : tuple of str or None
        The distinct words, sorted, where tokens are words.
    """

    symbols: NDArray[np.uint32]
    sizes: NDArray[np.int32]
    words: tuple[str, ...] | None

    def stream(self) -> _Stream:
        """The texts as segments, one each."""
        ends = np.cumsum(self.sizes, dtype=np.int32)
        row = np.repeat(np.arange(len(self.sizes), dtype=np.int32), self.sizes)
        return _Stream(self.symbols, row, _left(ends, self.sizes), ends - self.sizes, len(self.sizes), self.words)

    def padded_words(self) -> _Tokens:
        """The distinct words as texts of characters, with a space on both sides."""
        return _characters([f" {word} " for word in self.words or ()])

    def sums(self, counts: Counts) -> Counts:
        """Add up, for each text, the counts of its words."""
        most = int(self.sizes.max(initial=0)) * int(counts.matrix.data.max(initial=0))
        kind = _narrowest(most)
        indptr = np.concatenate([[0], np.cumsum(self.sizes)])
        words = sparse.csr_matrix(
            (np.ones(len(self.symbols), dtype=kind), self.symbols.astype(np.int32) - 1, indptr),
            shape=(len(self.sizes), len(counts)),
        )
        matrix = words @ counts.matrix.astype(kind)
        matrix.sort_indices()
        matrix.data = _narrowed(matrix.data)
        return Counts(matrix, counts.vocabulary)


def _tokens(ready: list[str], analyzer: str) -> _Tokens:
    if analyzer == "char":
        return _characters([_WHITESPACE_RUN.sub(" ", text) for text in ready])
    numbers, lengths, codes = _Numbers(), array("i"), array("I")
    lines: Iterable[list[str]] = map(_WORD.findall if analyzer == "word" else str.split, ready)
    for line in lines:
        lengths.append(len(line))
        codes.extend(map(numbers.__getitem__, line))
    words = tuple(sorted(numbers))
    rank = np.empty(len(words), dtype=np.uint32)
    rank[[numbers[word] for word in words]] = np.arange(1, len(words) + 1)
    return _Tokens(rank[np.asarray(codes)], np.asarray(lengths, dtype=np.int32), words)


def _characters(texts: list[str]) -> _Tokens:
    sizes = np.fromiter(map(len, texts), dtype=np.int32, count=len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return _Tokens(points.astype(np.uint32) + 1, sizes, None)


class _Numbers(dict[str, int]):
    """Words, numbered in the order of first use."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


def _left(ends: NDArray[np.int32], sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """The symbols from each place to its segment's end."""
    left = np.repeat(ends, sizes)
    left -= np.arange(len(left), dtype=np.int32)
    return left


def _narrowest(most: int) -> type[np.integer[Any]]:
    """The narrowest count type that fits a number."""
    return np.uint8 if most < 2**8 else np.uint16 if most < 2**16 else np.int32


def _narrowed(counts: NDArray[np.integer]) -> NDArray[np.integer]:
    return counts.astype(_narrowest(int(counts.max(initial=0))), copy=False)


def _level(stream: _Stream, key: tuple[Hashable, ...], size: int, memo: Memo) -> _Level:
    """Find the n-grams of one length by lengthening those that are one shorter; no packed key can overflow."""
    if (*key, "level", size) in memo:
        return memo[*key, "level", size]
    if size == 1:
        present = np.zeros(int(stream.symbols.max(initial=0)) + 1, dtype=bool)
        present[stream.symbols] = True
        ids = (np.cumsum(present, dtype=np.int32) - 1)[stream.symbols]
        distinct = np.flatnonzero(present).astype(np.uint32)
        level = _Level(np.arange(len(ids), dtype=np.int32), ids, distinct[:, None])
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
    matrix = sparse.csr_matrix((_narrowed(matrix.data), place[matrix.indices], matrix.indptr), shape=matrix.shape)
    matrix.sort_indices()
    return Counts(matrix, Vocabulary(symbols[order], stream.words))
