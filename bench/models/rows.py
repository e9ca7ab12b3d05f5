"""A classifier over an array, for tasks whose input is the number of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.metaestimators import available_if

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def _gives(method: str) -> Any:
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), method))


class OnRows(ClassifierMixin, BaseEstimator):
    """Give a classifier the rows of an array whose numbers a frame holds.

    Parameters
    ----------
    estimator : scikit-learn classifier
        The classifier.
    X : ndarray or sparse matrix of shape (n_rows, n_columns)
        The rows.
    column : str
        The column of the frame that holds numbers of rows, as text.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> model = OnRows(KNeighborsClassifier(1), np.array([[0.0], [1.0], [0.9]]))
    >>> model.fit(pd.DataFrame({"text": ["0", "1"]}), ["a", "b"]).predict(pd.DataFrame({"text": ["2"]})).tolist()
    ['b']
    """

    def __init__(self, estimator: Any = None, X: Any = None, column: str = "text") -> None:
        self.estimator, self.X, self.column = estimator, X, column

    def __getstate__(self) -> dict[str, Any]:
        """Leave the rows out once it is fitted: what it has learned is in the classifier."""
        state: dict[str, Any] = super().__getstate__()
        return state | {"X": None} if hasattr(self, "estimator_") else state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep` also those of the classifier, under its own names."""
        own: dict[str, Any] = super().get_params(deep=False)
        return own | self.estimator.get_params() if deep and self.estimator is not None else own

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of the classifier."""
        own = super().get_params(deep=False)
        super().set_params(**{name: value for name, value in params.items() if name in own})
        inner = {name: value for name, value in params.items() if name not in own}
        if inner:
            self.estimator.set_params(**inner)
        return self

    def fit(self, X: pd.DataFrame, y: NDArray[Any]) -> Self:
        """Fit a copy of the classifier."""
        self.estimator_ = clone(self.estimator).fit(self._rows(X), y)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        """Predict labels, of shape (n_rows,)."""
        return self.estimator_.predict(self._rows(X))

    @_gives("predict_proba")  # type: ignore[untyped-decorator]
    def predict_proba(self, X: pd.DataFrame) -> Any:
        """Predict probabilities, of shape (n_rows, n_labels)."""
        return self.estimator_.predict_proba(self._rows(X))

    @_gives("decision_function")  # type: ignore[untyped-decorator]
    def decision_function(self, X: pd.DataFrame) -> Any:
        """Return decision values."""
        return self.estimator_.decision_function(self._rows(X))

    def _rows(self, frame: pd.DataFrame) -> Any:
        return self.X[frame[self.column].astype(int).to_numpy()]
