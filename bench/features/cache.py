"""Features of one frame, computed once for each setting and split."""

from __future__ import annotations

from collections import OrderedDict
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import FeatureUnion

from bench.features.ngrams import Counts
from bench.features.stacking import stack_rows
from bench.features.tfidf import Tfidf

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from bench.features.columns import Memo

Split = tuple[Any, Any]
"""A feature matrix of the training rows and one of the test rows."""

BYTES_A_VALUE = 12
"""What a value of a sparse matrix takes: its float64, and its column as int32."""


class FeatureCache:
    """Fits transformers on some rows of one frame and applies them to others, without repeating work.

    The result equals the input of a classifier in a scikit-learn pipeline:
    ``clone(transformer).fit_transform(frame.iloc[train_rows])`` and ``.transform(frame.iloc[test_rows])``.
    Whatever is learned is learned from the training rows alone. Three things save work:

    - A transformer with a method ``prepare(frame, memo)`` computes there what depends on each row
      alone, once for the whole frame; it is fitted on and applied to rows picked from that.
    - A ``FeatureUnion`` is computed block by block, so that a block with unchanged settings is not computed again.
    - Blocks are kept by class, parameters and rows, until they exceed `max_bytes` together; then those
      that were not used for longest go first.

    Where the TF-IDF blocks of a union would exceed `max_bytes` by themselves, and every block is of a transformer with
    ``prepare``, the union's matrix is computed by parts of its rows, and only the prepared data stay in memory with
    it. Then ``fit`` and ``transform`` replace ``fit_transform``.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_rows, n_columns)
        The task's input columns.
    max_bytes : int
        How much memory kept blocks may take. What transformers prepare is not counted.

    Examples
    --------
    >>> import pandas as pd
    >>> from bench.features.tfidf import Tfidf
    >>> cache = FeatureCache(pd.DataFrame({"text": ["نفت موسكو", "قالت موسكو", "نفت كييف"]}))
    >>> train, test = cache.fit_transform(Tfidf(), [0, 1], [2])
    >>> train.shape, test.shape
    ((2, 3), (1, 3))
    """

    def __init__(self, frame: pd.DataFrame, max_bytes: int = 512 * 2**20) -> None:
        self.frame = frame
        self.max_bytes = max_bytes
        self.bytes = 0
        self._memo: Memo = {}
        self._blocks: OrderedDict[Hashable, Split] = OrderedDict()

    def fit_transform(
        self, transformer: BaseEstimator, train_rows: Any, test_rows: Any, y_train: NDArray[Any] | None = None
    ) -> Split:
        """Fit a copy of a transformer on training rows and apply it to them and to test rows.

        Parameters
        ----------
        transformer : estimator
            Any scikit-learn transformer over the frame; it is left as it is.
        train_rows, test_rows : array-like of int
            Places of rows in the frame.
        y_train : ndarray of shape (n_train_rows,), optional
            The training rows' labels, for transformers that are fitted with them.

        Returns
        -------
        (matrix of shape (n_train_rows, n_features), matrix of shape (n_test_rows, n_features))
            CSR or dense, as from the transformer. The caller may change it.
        """
        train, test = (np.asarray(rows, dtype=np.intp) for rows in (train_rows, test_rows))
        if (part_size := self._part_size(transformer)) is not None:
            matrix_of = self._fit_in_parts(clone(transformer), train, y_train, part_size)
            return matrix_of(train), matrix_of(test)
        made = self._make(transformer, train, test, y_train, joblib.hash((train, test, y_train)))
        return made if _divisible(transformer) else (made[0].copy(), made[1].copy())

    def fit(self, transformer: BaseEstimator, rows: Any, y: NDArray[Any] | None = None) -> Any:
        """Fit a transformer itself, as a model that is kept needs it, and apply it to the rows that it is fitted on.

        If the matrix is computed in parts, n-gram counts are not kept with it, since it is very large.

        Parameters
        ----------
        transformer : estimator
            Any unfitted scikit-learn transformer over the frame; it is fitted.
        rows : array-like of int
            Places of rows in the frame.
        y : ndarray of shape (n_rows,), optional
            Their labels.

        Returns
        -------
        matrix of shape (n_rows, n_features)
            The result of the transformer's ``fit_transform``. The caller may change it.
        """
        places = np.asarray(rows, dtype=np.intp)
        if (part_size := self._part_size(transformer)) is not None:
            matrix = self._fit_in_parts(transformer, places, y, part_size)(places)
            for key in [key for key, kept in self._memo.items() if isinstance(kept, Counts)]:
                del self._memo[key]
            return matrix
        if not _divisible(transformer):
            return transformer.fit_transform(self._rows(transformer)[places], y)
        weights = transformer.transformer_weights or {}
        blocks = [
            _weighted(self.fit(block, places, y), weights.get(name))
            for name, block in transformer.transformer_list
            if not isinstance(block, str)
        ]
        return _beside(blocks, len(places))

    def feature_names(
        self,
        transformer: BaseEstimator,
        train_rows: Any,
        places: NDArray[np.intp],
        y_train: NDArray[Any] | None = None,
    ) -> list[str] | None:
        """Name columns of the matrices from `fit_transform`.

        Fitted transformers are not kept, since they can be larger than their matrices. Copies are fitted again
        here, on rows that are prepared already, and transform nothing.

        Parameters
        ----------
        transformer : estimator
            Any scikit-learn transformer over the frame. Where it, or a block of it, has ``n_features_out_`` and
            ``name_features(places)``, those are used, else ``get_feature_names_out()``.
        train_rows : array-like of int
            Places of the training rows in the frame.
        places : ndarray of int of shape (n_places,)
            Places of columns.
        y_train : ndarray of shape (n_train_rows,), optional
            The training rows' labels.

        Returns
        -------
        list of str or None
            As scikit-learn names them: a block of a ``FeatureUnion`` puts ``block__`` before its names. None where
            a transformer does not name its features.

        Raises
        ------
        IndexError
            If a place has no column.
        """
        train = np.asarray(train_rows, dtype=np.intp)
        names = np.empty(len(places), dtype=object)
        end = 0
        for prefix, block in _blocks(transformer):
            fitted = clone(block)
            fitted.fit(self._rows(fitted)[train], y_train)
            asked = _names(fitted)
            if asked is None:
                return None
            width, name = asked
            start, end = end, end + width
            here = (places >= start) & (places < end)
            names[here] = [f"{prefix}{each}" for each in name(places[here] - start)]
        if len(places) and not 0 <= places.min() <= places.max() < end:
            raise IndexError(f"there are {end} features, so {places.min()} or {places.max()} is out of range")
        return names.tolist()

    def _make(
        self,
        transformer: BaseEstimator,
        train: NDArray[np.intp],
        test: NDArray[np.intp],
        y_train: NDArray[Any] | None,
        rows: str,
    ) -> Split:
        if _divisible(transformer):
            weights = transformer.transformer_weights or {}
            blocks = [
                [_weighted(matrix, weights.get(name)) for matrix in self._make(block, train, test, y_train, rows)]
                for name, block in transformer.transformer_list
                if not isinstance(block, str)
            ]
            return _beside([b[0] for b in blocks], len(train)), _beside([b[1] for b in blocks], len(test))
        fresh = clone(transformer)
        try:
            key = (joblib.hash(fresh), rows)
        except PicklingError:  # a transformer over a lambda cannot be identified
            return self._fit(fresh, train, test, y_train)
        if key in self._blocks:
            self._blocks.move_to_end(key)
            return self._blocks[key]
        made = self._fit(fresh, train, test, y_train)
        self._keep(key, made)
        return made

    def _fit(
        self, transformer: Any, train: NDArray[np.intp], test: NDArray[np.intp], y_train: NDArray[Any] | None
    ) -> Split:
        rows = self._rows(transformer)
        return transformer.fit_transform(rows[train], y_train), transformer.transform(rows[test])

    def _part_size(self, transformer: BaseEstimator) -> int | None:
        """The rows of a transformer's matrix to compute at once; None for all of them (see the class)."""
        blocks = [block for _, block in _blocks(transformer)]
        if _is_weighted(transformer) or not all(hasattr(block, "prepare") for block in blocks):
            return None
        size = sum(self._rows(block).size for block in blocks if isinstance(block, Tfidf))
        if size * BYTES_A_VALUE <= self.max_bytes:
            return None
        return max(len(self.frame) * self.max_bytes // (16 * BYTES_A_VALUE * size), 1)

    def _fit_in_parts(
        self, transformer: BaseEstimator, train: NDArray[np.intp], y_train: NDArray[Any] | None, part_size: int
    ) -> Callable[[NDArray[np.intp]], sparse.csr_matrix]:
        """Fit each block; return a function that computes the matrix of any rows, `part_size` of them at once."""
        blocks = [block for _, block in _blocks(transformer)]
        prepared = [self._rows(block) for block in blocks]
        everything = np.array_equal(train, np.arange(len(self.frame)))
        for block, rows in zip(blocks, prepared, strict=True):
            block.fit(rows if everything else rows[train], y_train)

        def matrix_of(places: NDArray[np.intp]) -> sparse.csr_matrix:
            parts = (places[start : start + part_size] for start in range(0, max(len(places), 1), part_size))
            return stack_rows(
                sparse.hstack(
                    [block.transform(rows[part]) for block, rows in zip(blocks, prepared, strict=True)], format="csr"
                )
                for part in parts
            )

        return matrix_of

    def _rows(self, transformer: Any) -> Any:
        """The source of a transformer's rows: the frame, or the prepared data."""
        return transformer.prepare(self.frame, self._memo) if hasattr(transformer, "prepare") else self.frame.iloc

    def _keep(self, key: Hashable, made: Split) -> None:
        size = sum(map(_size, made))
        if size > self.max_bytes:
            return
        self._blocks[key] = made
        self.bytes += size
        while self.bytes > self.max_bytes:
            _, oldest = self._blocks.popitem(last=False)
            self.bytes -= sum(map(_size, oldest))


def _divisible(transformer: BaseEstimator) -> bool:
    """Whether a transformer is a union whose blocks can be computed one by one."""
    if type(transformer) is not FeatureUnion:
        return False
    names, blocks = zip(*transformer.transformer_list, strict=True)
    strings = {block for block in blocks if isinstance(block, str)}
    return strings <= {"drop"} and set(transformer.transformer_weights or ()) <= set(names)


def _is_weighted(transformer: BaseEstimator) -> bool:
    """Whether a transformer is a union that multiplies any of its blocks."""
    if not _divisible(transformer):
        return False
    return bool(transformer.transformer_weights) or any(
        _is_weighted(block) for _, block in transformer.transformer_list if not isinstance(block, str)
    )


def _blocks(transformer: BaseEstimator) -> Iterator[tuple[str, BaseEstimator]]:
    """Yield the transformers that are computed separately, each with the prefix of its features' names."""
    if not _divisible(transformer):
        yield "", transformer
        return
    for name, block in transformer.transformer_list:
        if not isinstance(block, str):
            yield from ((f"{name}__{prefix}", part) for prefix, part in _blocks(block))


def _names(fitted: Any) -> tuple[int, Callable[[NDArray[np.intp]], Iterable[str]]] | None:
    """The number of a transformer's features, and a function that names those at given places."""
    if hasattr(fitted, "name_features"):
        return fitted.n_features_out_, fitted.name_features
    try:
        names = np.asarray(fitted.get_feature_names_out(), dtype=object)
    except AttributeError:  # it, or one of its steps, has no such method
        return None
    return len(names), names.__getitem__


def _weighted(matrix: Any, weight: float | None) -> Any:
    return matrix if weight is None else matrix * weight


def _beside(blocks: list[Any], n_rows: int) -> Any:
    """Put blocks side by side as ``FeatureUnion`` does."""
    if not blocks:
        return np.zeros((n_rows, 0))
    if len(blocks) == 1:
        return blocks[0].copy()
    if any(sparse.issparse(block) for block in blocks):
        return sparse.hstack(blocks, format="csr")
    return np.hstack(blocks)


def _size(matrix: Any) -> int:
    if sparse.issparse(matrix):
        matrix = matrix.tocsr()
        return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)
    return int(getattr(matrix, "nbytes", 0))
