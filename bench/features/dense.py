"""What the transformers of features that need no fitting share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.features.columns import Memo


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
            If a column is missing or holds something that is no text.
        """
        memo = {} if memo is None else memo
        key = (type(self).__qualname__, *self.columns)
        if key not in memo:
            values = self.describe(X, memo).values()
            memo[key] = sparse.csr_matrix(np.column_stack([np.asarray(v, dtype=np.float64) for v in values]))
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

    def _rows(self, X: pd.DataFrame | sparse.csr_matrix) -> sparse.csr_matrix:
        return X if sparse.issparse(X) else self.prepare(X)
