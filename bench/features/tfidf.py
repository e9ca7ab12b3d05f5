"""TF-IDF that counts n-grams once for a corpus and reweights them for each training part."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.sparsefuncs_fast import inplace_csr_row_normalize_l1, inplace_csr_row_normalize_l2
from sklearn.utils.validation import check_is_fitted

from bench.errors import ConfigError, nearest
from bench.features.ngrams import ANALYZERS, Counts, Vocabulary, count_ngrams

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from bench.features.columns import Memo

_COUNTED_AT_ONCE = 2**24

_NORMS = {"l1": inplace_csr_row_normalize_l1, "l2": inplace_csr_row_normalize_l2}


@dataclass(frozen=True)
class TfidfCounts:
    """The n-gram counts of each column, indexable by row.

    Parameters
    ----------
    columns : tuple of Counts
        One for each text column, of the same number of rows.
    """

    columns: tuple[Counts, ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def size(self) -> int:
        """The most counts, and values of a matrix, to compute at once."""
        return sum(counts.matrix.nnz for counts in self.columns)

    def __getitem__(self, rows: Any) -> TfidfCounts:
        return TfidfCounts(tuple(counts[rows] for counts in self.columns))


class Tfidf(TransformerMixin, BaseEstimator):
    """TF-IDF of word or character n-grams, with a separate vocabulary for each text column.

    For each column, it equals scikit-learn's ``TfidfVectorizer`` with
    ``preprocessor`` set to the normalisation, ``token_pattern`` to
    `bench.text.normalization.WORD_PATTERN` and ``lowercase=False``. The one difference:
    a vocabulary that is empty after pruning gives no columns instead of an error, so that other
    features still work.

    Parameters
    ----------
    columns : sequence of str
        The text columns of the frame.
    normalization : {"none", "light", "standard", "morphological"}
        A preset of `bench.text.normalization`.
    analyzer : {"word", "char", "char_wb"}
        The units of n-grams: words, characters, or characters within words padded
        with a space on both sides.
    ngram_range : (int, int)
        The least and the greatest length of an n-gram.
    min_df, max_df : int or float
        The least number (or, as a float, share) of texts with a term,
        and the largest.
    max_features : int or None
        Keep that many terms, those with the highest counts.
    sublinear_tf : bool
        Replace a count c by 1 + ln(c).
    binary : bool
        Replace every count by 1.
    use_idf : bool
        Multiply by the inverse document frequency of the rows that `fit` saw, and of no others.
    smooth_idf : bool
        Add one to every document frequency and to the number of documents.
    norm : {"l2", "l1", None}
        The norm that each row of each column's block gets.

    Attributes
    ----------
    symbols_ : list of ndarray of uint32 of shape (n_terms, longest)
        For each column its terms, as rows of symbols (see `bench.features.ngrams.Vocabulary`).
    words_ : list of (tuple of str or None)
        For each column, the words of the symbols.
    idf_ : list of (ndarray of float64 of shape (n_terms,) or None)
        For each column the terms' weights.

    See Also
    --------
    bench.features.cache.FeatureCache : Keeps counts between settings and training parts.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"text": ["نفت موسكو", "قالت موسكو"]})
    >>> Tfidf().fit_transform(frame).toarray().round(2)
    array([[0.  , 0.58, 0.81],
           [0.81, 0.58, 0.  ]])
    """

    def __init__(
        self,
        columns: Sequence[str] = ("text",),
        normalization: str = "standard",
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 1),
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        sublinear_tf: bool = False,
        binary: bool = False,
        use_idf: bool = True,
        smooth_idf: bool = True,
        norm: str | None = "l2",
    ) -> None:
        self.columns = columns
        self.normalization = normalization
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.sublinear_tf = sublinear_tf
        self.binary = binary
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.norm = norm

    def prepare(self, X: pd.DataFrame, memo: Memo | None = None) -> TfidfCounts:
        """Count the n-grams of a frame's rows; nothing depends on more than one row.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns)
            The text columns.
        memo : mutable mapping, optional
            Kept between calls on the same frame, by any transformer; counts are found there
            again.

        Returns
        -------
        TfidfCounts
            Of length n_rows; it, and what its rows are picked into, serve `fit` and `transform`
            in the frame's place.

        Raises
        ------
        bench.errors.ConfigError
            If a parameter's value is not one of those above.
        bench.errors.DataError
            If a column is missing or has a value that is not text.
        """
        self._check()
        memo = {} if memo is None else memo
        low, high = self.ngram_range
        return TfidfCounts(
            tuple(
                count_ngrams(X, column, self.normalization, self.analyzer, (low, high), memo) for column in self.columns
            )
        )

    def fit(self, X: pd.DataFrame | TfidfCounts, y: object = None) -> Tfidf:
        """Learn vocabularies and document frequencies.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns) or TfidfCounts
            The training rows.
        y : object
            Not used.

        Returns
        -------
        Tfidf
            Itself.
        """
        self._learn(self._counts(X))
        return self

    def fit_transform(self, X: pd.DataFrame | TfidfCounts, y: object = None, **params: object) -> sparse.csr_matrix:
        """Learn from rows and weigh the same rows; see `fit` and `transform`."""
        counts = self._counts(X)
        self._learn(counts)
        return self._weigh(counts)

    def transform(self, X: pd.DataFrame | TfidfCounts) -> sparse.csr_matrix:
        """Weigh the n-grams of rows.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns) or TfidfCounts
            Any rows.

        Returns
        -------
        scipy.sparse.csr_matrix of float64 of shape (n_rows, n_features)
            The columns' blocks side by side, with sorted indices.
        """
        check_is_fitted(self, "idf_")
        return self._weigh(self._counts(X))

    @property
    def n_features_out_(self) -> int:
        """The number of features."""
        check_is_fitted(self, "idf_")
        return sum(map(len, self.symbols_))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the features' names, ``column__term``, of shape (n_features,)."""
        return self.name_features(np.arange(self.n_features_out_))

    def name_features(self, places: NDArray[np.intp]) -> NDArray[np.object_]:
        """Return the names of the features at `places`, in the same shape (n_places,), without computing others."""
        names = np.empty(len(places), dtype=object)
        end = 0
        for column, symbols, words in zip(self.columns, self.symbols_, self.words_, strict=True):
            start, end = end, end + len(symbols)
            here = (places >= start) & (places < end)
            terms = Vocabulary(symbols[places[here] - start], words).terms
            names[here] = [f"{column}__{term}" for term in terms]
        return names

    def _counts(self, X: pd.DataFrame | TfidfCounts) -> TfidfCounts:
        return X if isinstance(X, TfidfCounts) else self.prepare(X)

    def _check(self) -> None:
        if isinstance(self.columns, str) or not self.columns:
            raise ConfigError(f"columns must be a sequence of one or more column names, not {self.columns!r}.")
        for name, choices in (("analyzer", ANALYZERS), ("norm", tuple(_NORMS))):
            value = getattr(self, name)
            if value not in choices and not (name == "norm" and value is None):
                raise ConfigError(f"{name} cannot be {value!r}.", nearest(str(value), choices))
        ends = self.ngram_range
        if len(ends) != 2 or not all(isinstance(n, Integral) for n in ends) or not 1 <= ends[0] <= ends[1]:
            raise ConfigError(f"ngram_range must be two whole numbers, 1 <= low <= high, not {ends!r}.")

    def _learn(self, counts: TfidfCounts) -> None:
        n_rows = len(counts)
        self.kept_: list[NDArray[np.int32]] = []
        self.counted_: list[str] = []
        self.symbols_: list[NDArray[np.uint32]] = []
        self.words_: list[tuple[str, ...] | None] = []
        self.idf_: list[NDArray[np.float64] | None] = []
        for column in counts.columns:
            n_terms = len(column.vocabulary)
            frequency = _frequencies(column.matrix.indices, n_terms)
            kept = np.flatnonzero(self._select(column.matrix, frequency, n_rows)).astype(np.int32)
            vocabulary = column.vocabulary.take(kept)
            self.kept_.append(kept)
            self.counted_.append(column.vocabulary.digest)
            self.symbols_.append(vocabulary.symbols)
            self.words_.append(vocabulary.words)
            self.idf_.append(self._idf(frequency[kept], n_rows) if self.use_idf else None)

    def _select(self, matrix: sparse.csr_matrix, frequency: NDArray[np.intp], n_rows: int) -> NDArray[np.bool_]:
        least = self.min_df if isinstance(self.min_df, Integral) else self.min_df * n_rows
        most = self.max_df if isinstance(self.max_df, Integral) else self.max_df * n_rows
        mask: NDArray[np.bool_] = (frequency >= max(least, 1)) & (frequency <= most)
        if self.max_features is not None and mask.sum() > self.max_features:
            totals = frequency if self.binary else np.bincount(matrix.indices, matrix.data, len(frequency))
            # The same call on the same values as scikit-learn's, so that ties fall the same way.
            highest = (-totals[mask].astype(np.int64)).argsort()[: self.max_features]
            limited = np.zeros_like(mask)
            limited[np.flatnonzero(mask)[highest]] = True
            return limited
        return mask

    def _idf(self, frequency: NDArray[np.intp], n_rows: int) -> NDArray[np.float64]:
        smoothing = int(self.smooth_idf)
        return np.log((n_rows + smoothing) / (frequency.astype(np.float64) + smoothing)) + 1.0

    def _weigh(self, counts: TfidfCounts) -> sparse.csr_matrix:
        blocks = []
        fitted = zip(self.kept_, self.counted_, self.symbols_, self.words_, self.idf_, strict=True)
        for column, (kept, counted, symbols, words, idf) in zip(counts.columns, fitted, strict=True):
            if column.vocabulary.digest == counted:
                place = np.full(len(column.vocabulary), -1, dtype=np.int32)
                place[kept] = np.arange(len(kept), dtype=np.int32)
            else:
                place = Vocabulary(symbols, words).places(column.vocabulary)
            blocks.append(self._block(column.matrix, place, idf, len(symbols)))
        return blocks[0] if len(blocks) == 1 else sparse.hstack(blocks, format="csr")

    def _block(
        self, counts: sparse.csr_matrix, place: NDArray[np.int32], idf: NDArray[np.float64] | None, n_terms: int
    ) -> sparse.csr_matrix:
        indices, data, indptr = place[counts.indices], counts.data, counts.indptr
        known = indices >= 0
        if not known.all():
            indices, data = indices[known], data[known]
            before = np.zeros(len(known) + 1, dtype=indptr.dtype)
            np.cumsum(known, out=before[1:])
            indptr = before[indptr]
        if self.binary:
            values = np.ones(len(data))
        elif self.sublinear_tf:
            values = np.log(np.arange(1, int(data.max(initial=1)) + 1, dtype=np.float64))[data - 1] + 1.0
        else:
            values = data.astype(np.float64)
        if idf is not None:
            values *= idf[indices]
        block = sparse.csr_matrix((values, indices, indptr), shape=(counts.shape[0], n_terms))
        if self.norm is not None:
            _NORMS[self.norm](block)
        return block


def _frequencies(indices: NDArray[np.integer], n_terms: int) -> NDArray[np.intp]:
    """How often each term occurs in `indices`, counted part by part: `numpy.bincount` copies what it counts."""
    frequency = np.zeros(n_terms, dtype=np.intp)
    for start in range(0, len(indices), _COUNTED_AT_ONCE):
        frequency += np.bincount(indices[start : start + _COUNTED_AT_ONCE], minlength=n_terms)
    return frequency
