"""LightGBM set up for small, sparse data."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class LightGBMClassifier(ClassifierMixin, BaseEstimator):
    """Gradient boosted trees (LightGBM, Ke et al. 2017) that give the same answer every time.

    One thread, LightGBM's deterministic mode and no printed output, none of which its own class has as
    parameters to be set by name; and no columns at all, as rare words may leave, are not an error.

    Parameters
    ----------
    n_estimators : int
        Rounds of boosting.
    learning_rate : float
        The weight of each round.
    num_leaves : int
        Leaves of a tree, at most.
    min_child_samples : int
        Examples of a leaf, at least.
    colsample_bytree : float
        Share of the features that each tree may use, above 0 and at most 1.
    reg_lambda : float
        L2 penalty on the leaves' values.
    max_bin : int
        Bins into which a feature's values are sorted, at most.
    class_weight : dict, "balanced" or None
        As in scikit-learn.
    random_state : int or None
        The seed.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    model_ : lightgbm.LGBMClassifier
        The fitted trees.

    Examples
    --------
    >>> X = np.repeat([[0.0], [1.0]], 10, axis=0)
    >>> LightGBMClassifier().fit(X, ["a"] * 10 + ["b"] * 10).predict([[0.0], [1.0]]).tolist()
    ['a', 'b']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "num_leaves": [Interval(Integral, 2, None, closed="left")],
        "min_child_samples": [Interval(Integral, 0, None, closed="left")],
        "colsample_bytree": [Interval(Real, 0, 1, closed="right")],
        "reg_lambda": [Interval(Real, 0, None, closed="left")],
        "max_bin": [Interval(Integral, 2, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_estimators: int = 60,
        learning_rate: float = 0.1,
        num_leaves: int = 7,
        min_child_samples: int = 5,
        colsample_bytree: float = 1.0,
        reg_lambda: float = 0.0,
        max_bin: int = 63,
        class_weight: Mapping[Any, float] | str | None = None,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.colsample_bytree = colsample_bytree
        self.reg_lambda = reg_lambda
        self.max_bin = max_bin
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike) -> LightGBMClassifier:
        """Fit the trees to a matrix of shape (n_examples, n_features), sparse or not."""
        from lightgbm import LGBMClassifier

        self._validate_params()
        fixed = {"deterministic": True, "force_row_wise": True, "n_jobs": 1, "verbosity": -1}
        self.model_ = LGBMClassifier(**{**self.get_params(), **fixed}).fit(_columns(X), np.asarray(y))
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities, of shape (n_examples, n_classes)."""
        check_is_fitted(self)
        return np.asarray(self.model_.predict_proba(_columns(X)))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each example."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def _columns(X: Any) -> Any:
    X = sparse.csr_matrix(X, dtype=np.float64)
    return X if X.shape[1] else sparse.csr_matrix((X.shape[0], 1))
