"""What the transformers of features that need no fitting share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from bench.features.columns import is_large_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from bench.features.columns import Memo


_PART = 20_000
"""Rows of a large frame that are described at once."""


class RowFeatures(TransformerMixin, BaseEstimator):
    """Features of each row alone, in [0, 1]; nothing is learned.

    Parameters
    ----------
    columns : sequence of str
        The text columns of the frame.
    """

    columns: Sequence[str]

    @abstractmethod
    def describe(self, X: pd.DataFrame, memo: Memo) -> dict[str, NDArray[Any]]:
        """Compute the features of a frame's rows, by name, each of shape (n_rows,)."""

    def prepare(self, X: pd.DataFrame, memo: Memo | None = None) -> sparse.csr_matrix:
        """Compute the features of a frame's rows.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns)
            The text columns.
        memo : mutable mapping, optional
            Kept between calls on the same frame, by any transformer.

        Returns
        -------
        scipy.sparse.csr_matrix of float64 of shape (n_rows, n_features)
            Serves `fit` and `transform` in the frame's place, as do its rows.

        Raises
        ------
        bench.errors.DataError
            If a column is missing or has a value that is not text.
        """
        memo = {} if memo is None else memo
        key = (type(self).__qualname__, *self.columns)
        if key not in memo:
            parts = _parts(X) if is_large_column(X) else [(X, memo)]
            memo[key] = sparse.vstack([self._matrix(*part) for part in parts], format="csr")
        return memo[key]

    def fit(self, X: pd.DataFrame | sparse.csr_matrix, y: object = None) -> RowFeatures:
        """Learn nothing but the number of features, and return itself."""
        self.n_features_out_ = self._rows(X).shape[1]
        return self

    def transform(self, X: pd.DataFrame | sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the features of rows, of shape (n_rows, n_features)."""
        return self._rows(X)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the features' names, of shape (n_features,)."""
        return np.array(list(self.describe(pd.DataFrame({c: [""] for c in self.columns}), {})), dtype=object)

    def _matrix(self, X: pd.DataFrame, memo: Memo) -> sparse.csr_matrix:
        values = self.describe(X, memo).values()
        return sparse.csr_matrix(np.column_stack([np.asarray(v, dtype=np.float64) for v in values]))

    def _rows(self, X: pd.DataFrame | sparse.csr_matrix) -> sparse.csr_matrix:
        return X if sparse.issparse(X) else self.prepare(X)


def _parts(frame: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, Memo]]:
    """The rows of a large frame in parts, each with its own memo."""
    return ((frame.iloc[start : start + _PART], {}) for start in range(0, len(frame), _PART))
