"""Explain a linear model's wrong predictions by the features for and against them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from bench.results.cell import Explanation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

STRONGEST = 6
"""How many features are named for, and how many against, a prediction."""

DIGITS = 6
"""The significant digits of a contribution."""

NameFeatures = Callable[["NDArray[np.intp]"], Sequence[str] | None]
"""Names the columns at some places of a feature matrix; None where features have no names."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """The weights of a fitted linear classifier.

    Parameters
    ----------
    weights : ndarray of shape (n_classes, n_features)
        A class's decision value is the weighted sum of the features, plus a constant. Where two
        classes have one decision value between them, each has half of it, the first its negative, so that
        their difference is that value.
    classes : tuple of str
        The classes of the training part.
    """

    weights: Floats
    classes: tuple[str, ...]

    @classmethod
    def of(cls, estimator: Any, X: Any) -> LinearModel | None:
        """Read a fitted classifier's weights, None if its decision values are not weighted sums.

        That is put to the test: ``X @ coef_.T + intercept_`` must equal ``decision_function(X)``, which it
        does not where ``coef_`` means something else, as one class against one in ``sklearn.svm.SVC``.
        Of the naive Bayes classifiers, the multinomial and the complement one are linear: their
        decision values are joint log-likelihoods, and ``feature_log_prob_`` are the weights.

        Parameters
        ----------
        estimator : classifier
            Fitted, over a feature matrix.
        X : ndarray or sparse matrix of shape (n_samples, n_features)
            Rows to test it on.
        """
        from sklearn.naive_bayes import ComplementNB, MultinomialNB

        if isinstance(estimator, ComplementNB | MultinomialNB):
            return cls(estimator.feature_log_prob_, tuple(map(str, estimator.classes_)))
        weights = getattr(estimator, "coef_", None)
        if not isinstance(weights, np.ndarray) or weights.shape[-1:] != (X.shape[1],):
            return None
        weights = np.atleast_2d(weights)
        if not all(hasattr(estimator, name) for name in ("decision_function", "intercept_", "classes_")):
            return None
        classes = tuple(map(str, estimator.classes_))
        given = np.asarray(estimator.decision_function(X)).reshape(X.shape[0], -1)
        expected = np.asarray(X @ weights.T) + estimator.intercept_
        if given.shape != expected.shape or not np.allclose(given, expected, rtol=1e-5, atol=1e-6):
            return None
        if len(weights) == 1 and len(classes) == 2:
            weights = np.vstack([-weights, weights]) / 2
        return cls(weights, classes) if len(weights) == len(classes) else None

    def contrasts(self, predicted: Sequence[str], true: Sequence[str]) -> list[str | None]:
        """The class with which each predicted one is compared.

        It is the true one; of two classes, the other one; None where training lacked the true one.
        """
        if len(self.classes) == 2:
            return [self.classes[1 - self.classes.index(label)] for label in predicted]
        return [label if label in self.classes else None for label in true]

    def contributions(self, X: Any, predicted: Sequence[str], contrasts: Sequence[str | None]) -> sparse.csr_matrix:
        """Divide each row's difference of two decision values among its features.

        Feature j contributes ``x[j] * (weights[predicted, j] - weights[contrast, j])``. The sum over all
        features is the difference of the two classes' decision values, less that of their constants. With no
        contrast it is the predicted class's decision value, less its constant.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_samples, n_features)
            The rows.
        predicted : sequence of str
            Each row's predicted class.
        contrasts : sequence of (str or None)
            The class to compare each with; see `contrasts`.

        Returns
        -------
        scipy.sparse.csr_matrix of float64 of shape (n_samples, n_features)
            The contributions, with sorted indices.
        """
        rows = sparse.csr_matrix(X, dtype=np.float64, copy=True)
        rows.sum_duplicates()
        place = {label: number for number, label in enumerate(self.classes)}
        ahead = np.array([place[label] for label in predicted], dtype=np.intp)
        behind = np.array([-1 if label is None else place[label] for label in contrasts], dtype=np.intp)
        row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        weights = self.weights[ahead[row], rows.indices]
        weights -= np.where(behind[row] >= 0, self.weights[behind[row], rows.indices], 0.0)
        rows.data *= weights
        return rows


def explain_errors(
    estimator: Any,
    X: Any,
    ids: Sequence[str],
    predicted: Sequence[str],
    true: Sequence[str],
    name_features: NameFeatures,
) -> list[Explanation]:
    """List the strongest features for and against each wrong prediction of a linear model.

    The method is the exact linear decomposition of the difference between two decision values, the
    predicted label's and the true label's: see `LinearModel.contributions`. It explains this model's
    choice between the two, and no cause in the text; a feature that is correlated with others shares
    its weight with them.

    Parameters
    ----------
    estimator : classifier
        The fitted classifier that made the predictions.
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        The features of the predicted examples.
    ids, predicted, true : sequence of str of length n_samples
        The examples' ids, their predicted and their true labels; an empty
        predicted one is of an unanswered example.
    name_features : callable
        From places of columns of `X` to their names; called once, with those that are needed.

    Returns
    -------
    list of Explanation
        One a wrong prediction, in their order, but for unanswered examples. Its contrast is the true label, of two the
        other one, or None where training lacked the true one, so that the predicted label's decision value is used
        alone. Up to `STRONGEST` features count for and against it, a contribution with `DIGITS` significant digits.
        Empty if the model is not linear or its features have no names.
    """
    wrong = [place for place, (one, other) in enumerate(zip(predicted, true, strict=True)) if one and one != other]
    if not wrong or not (sparse.issparse(X) or isinstance(X, np.ndarray)) or X.ndim != 2:
        return []
    rows = (X.tocsr() if sparse.issparse(X) else X)[wrong]
    model = LinearModel.of(estimator, rows)
    if model is None:
        return []
    predicted, true = ([labels[place] for place in wrong] for labels in (predicted, true))
    contrasts = model.contrasts(predicted, true)
    shares = model.contributions(rows, predicted, contrasts)
    strongest = [_strongest(shares, row) for row in range(len(wrong))]
    places = np.unique(np.concatenate([shares.indices[at] for both in strongest for at in both]))
    names = name_features(places.astype(np.intp))
    if names is None:
        return []
    name = dict(zip(places.tolist(), names, strict=True))

    def pairs(chosen: NDArray[np.intp]) -> tuple[tuple[str, float], ...]:
        found = zip(shares.indices[chosen].tolist(), shares.data[chosen].tolist(), strict=True)
        return tuple((name[place], float(f"{share:.{DIGITS}g}")) for place, share in found)

    return [
        Explanation(
            id=ids[place],
            predicted=predicted[row],
            true=true[row],
            contrast=contrasts[row],
            speaks_for=pairs(strongest[row][0]),
            speaks_against=pairs(strongest[row][1]),
        )
        for row, place in enumerate(wrong)
    ]


def _strongest(shares: sparse.csr_matrix, row: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The positions in ``shares.data`` of a row's highest and lowest values, the earlier column first on a tie."""
    start, end = shares.indptr[row : row + 2]
    values = shares.data[start:end]
    highest, lowest = (np.argsort(signed, kind="stable")[:STRONGEST] for signed in (-values, values))
    return start + highest[values[highest] > 0], start + lowest[values[lowest] < 0]
