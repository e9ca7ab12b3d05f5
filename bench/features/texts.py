"""The texts themselves, for estimators that make their own features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from bench.features.columns import column_texts

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class Texts(TransformerMixin, BaseEstimator):
    """Give each row of a frame as one text: its columns, with a line feed between claim and text.

    Parameters
    ----------
    columns : sequence of str
        The columns, in this order.

    Examples
    --------
    >>> import pandas as pd
    >>> Texts().fit_transform(pd.DataFrame({"text": ["قال", "نفى"]})).tolist()
    ['قال', 'نفى']
    """

    def __init__(self, columns: Sequence[str] = ("text",)) -> None:
        self.columns = columns

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn nothing."""
        self.n_features_in_ = len(self.columns)
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.object_]:
        """Return the texts, of shape (n_rows,)."""
        columns = [column_texts(X, column, {}) for column in self.columns]
        texts = np.empty(len(X), dtype=object)
        texts[:] = ["\n".join(row) for row in zip(*columns, strict=True)]
        return texts
