"""A fine-tuned transformer as a scikit-learn classifier over a task's input columns."""

from __future__ import annotations

import copy
import importlib.util
import json
import math
import time
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.validation import check_is_fitted

from bench.encoders.registry import find_encoder
from bench.encoders.transformer import MAX_TOKENS, TRANSFORMERS_EXTRA
from bench.encoders.weights import CONFIG, check_identity, identity, weights_folder
from bench.errors import ModelError, nearest
from bench.features.columns import column_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from bench.encoders.classifier import SequenceClassifier
    from bench.encoders.training import Tokens, Training

FEWEST_GROUPS = 11
"""The fewest groups for holding some out to stop early. With fewer, the held-out part would be uninformative."""

TRIED_STEPS = 6
"""Steps that an estimate of the time takes."""


class FineTunedClassifier(ClassifierMixin, BaseEstimator):
    """A sequence classifier on a pre-trained encoder, all of it trained but the word embeddings.

    The encoder's own pooling of the last layer, dropout and a linear layer; a claim and a text are read together, as a
    pair of sentences. It is trained by AdamW with a learning rate that rises, then falls in a straight line (Devlin et
    al. 2019, arXiv:1810.04805), on batches of texts of similar length, in bfloat16 where the processor has it; see
    `bench.encoders.training`.

    Parameters
    ----------
    encoder : str
        A name in ``configs/encoder/``, or a folder of weights; not an encoder inside a Python package.
    learning_rate : float
        The highest.
    epochs : int
        Passes over the training rows, at most.
    batch_size : int
        Rows of a step.
    frozen_layers : int
        Layers, from the first, that are not trained; with them the embeddings of positions.
    class_weight : {"balanced"}, mapping of label to float, or None
        Weights in the loss, as everywhere in scikit-learn.
    early_stopping : bool
        Whether to hold rows out (whole groups, if `fit` receives groups), score them after each epoch, and
        keep the weights of the best one. Ten groups or fewer are all trained on, for all epochs.
    validation_fraction : float
        The approximate share to hold out.
    n_iter_no_change : int
        Epochs without a better score after which training ends.
    average : bool
        Whether to keep a moving average of the weights rather than those after the last step; scikit-learn's
        `SGDClassifier` has the same under this name.
    warmup : float
        The share of steps in which the learning rate rises.
    weight_decay : float
        Of AdamW.
    max_tokens : int
        Tokens after which a text, or the longer one of a pair, is cut off; 512 at most.
    inputs : sequence of str
        The columns to read: one, or a claim's and a text's.
    random_state : int
        Seed of the linear layer, dropout, the order of rows and the rows held out.

    Attributes
    ----------
    classes_ : ndarray of str of shape (n_classes,)
        The labels that training had, sorted.
    weights_ : dict of str to ndarray of float32
        The trained parameters by name. All others are the encoder's own.
    identity_ : str
        Which encoder it was fitted with; another one of that name is refused.
    best_epoch_ : int
        The epoch whose weights were kept.
    validation_scores_ : list of float
        Macro-F1 of the rows held out, by epoch.
    """

    encoder_params: ClassVar[tuple[str, ...]] = ("encoder",)
    """Parameters that name encoders; a stored one's folder is read only if the definition also names it."""

    def __init__(
        self,
        encoder: str = "multilingual-e5-small-4bit",
        learning_rate: float = 1e-4,
        epochs: int = 6,
        batch_size: int = 16,
        frozen_layers: int = 0,
        class_weight: str | Mapping[str, float] | None = None,
        early_stopping: bool = True,
        validation_fraction: float = 0.15,
        n_iter_no_change: int = 2,
        average: bool = True,
        warmup: float = 0.1,
        weight_decay: float = 0.01,
        max_tokens: int = 256,
        inputs: Sequence[str] = ("text",),
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.frozen_layers = frozen_layers
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.average = average
        self.warmup = warmup
        self.weight_decay = weight_decay
        self.max_tokens = max_tokens
        self.inputs = inputs
        self.random_state = random_state

    def fit(
        self,
        X: pd.DataFrame,
        y: NDArray[np.str_],
        groups: NDArray[np.str_] | None = None,
        X_val: pd.DataFrame | None = None,
        y_val: NDArray[np.str_] | None = None,
    ) -> FineTunedClassifier:
        """Train on rows.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_rows, n_columns)
            Holds the columns named in `inputs`.
        y : ndarray of str of shape (n_rows,)
            Labels.
        groups : ndarray of shape (n_rows,), optional
            Groups to keep together when rows are held out.
        X_val, y_val : pandas.DataFrame and ndarray of str, optional
            Rows and labels for early stopping instead of held-out rows, as in scikit-learn's
            `HistGradientBoostingClassifier`. Those with a label that `y` lacks are passed over.

        Raises
        ------
        bench.errors.UserError
            If a value or a column is wrong, or the encoder is not here.
        """
        self.check_task()
        self.identity_ = identity(find_encoder(self.encoder))
        self.classes_, classes = np.unique(np.asarray(y, dtype=str), return_inverse=True)
        tokens = self._tokens(X)
        held_out = self._held_out(classes, groups)
        if self.early_stopping and X_val is not None and y_val is not None:
            known = np.isin(np.asarray(y_val, dtype=str), self.classes_)
            tokens += self._tokens(X_val.loc[known])
            classes = np.concatenate([classes, np.searchsorted(self.classes_, np.asarray(y_val, dtype=str)[known])])
            held_out = np.arange(len(classes)) >= len(X)
        self._module, training = self._train(tokens, classes, held_out)
        self.weights_ = {name: value.numpy() for name, value in self._module.trained().items()}
        self.best_epoch_, self.validation_scores_ = training.best_epoch, training.scores
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return each row's probabilities, of shape (n_rows, n_classes)."""
        from bench.encoders.training import predict_logits

        check_is_fitted(self)
        return softmax(predict_logits(self._restored(), self._pretrained()[0], self._tokens(X)), axis=1)

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Return each row's most probable label, of shape (n_rows,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def estimate_seconds(self, X: pd.DataFrame, y: NDArray[np.str_]) -> float:
        """Estimate how long `fit` takes on rows, by timing a few steps, without assuming early stopping.

        The rows that these steps take are spread over all. The pass over all rows before the first step, which trains
        nothing, takes a third of an epoch: a backward pass takes twice as long as a forward one.
        """
        from bench.encoders.device import on_device

        self.classes_, classes = np.unique(np.asarray(y, dtype=str), return_inverse=True)
        self._pretrained()
        rows = np.linspace(0, len(X) - 1, min(len(X), TRIED_STEPS * self.batch_size)).astype(int)
        with on_device():  # which may have to be waited for
            start = time.perf_counter()
            tokens = self._tokens(X.iloc[rows])
            _, training = self._train(tokens, classes[rows], np.zeros(len(rows), dtype=bool), TRIED_STEPS)
            spent = time.perf_counter() - start
        steps = math.ceil(len(X) / self.batch_size) * (self.epochs + 1 / 3)
        return spent + max(steps - TRIED_STEPS, 0) * training.seconds_a_step

    def check_task(self) -> None:
        """Check every value, and that the encoder is here.

        Raises
        ------
        bench.errors.UserError
            If a value is out of range, or the encoder's weights are missing.
        """
        for package in ("transformers", "accelerate"):
            if importlib.util.find_spec(package) is None:
                raise ModelError(
                    f"Fine-tuning needs the package {package}, which is not installed.", TRANSFORMERS_EXTRA
                )
        config = json.loads((weights_folder(find_encoder(self.encoder)) / CONFIG).read_text("utf-8"))
        whole = {"epochs": 1, "batch_size": 1, "frozen_layers": 0, "n_iter_no_change": 1, "max_tokens": 8}
        for name, least in whole.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise ModelError(f"estimator.{name} must be a whole number, at least {least}, not {value!r}.")
        for name in ("learning_rate", "validation_fraction", "warmup", "weight_decay"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
                raise ModelError(f"estimator.{name} must be a number from 0 to below 1, not {value!r}.")
        if not self.learning_rate:
            raise ModelError("estimator.learning_rate is 0, so nothing would be learned.")
        for name in ("early_stopping", "average"):
            if not isinstance(getattr(self, name), bool):
                raise ModelError(f"estimator.{name} must be true or false, not {getattr(self, name)!r}.")
        if self.class_weight not in (None, "balanced") and not isinstance(self.class_weight, Mapping):
            raise ModelError(
                f"estimator.class_weight must be null, balanced or a mapping of labels to weights, not "
                f"{self.class_weight!r}.",
                nearest(str(self.class_weight), ["balanced"]),
            )
        layers = config.get("num_hidden_layers", self.frozen_layers)
        if self.frozen_layers > layers:
            raise ModelError(
                f"estimator.frozen_layers is {self.frozen_layers}, but '{self.encoder}' has only {layers}.",
                "Freeze fewer, or change search.frozen_layers.",
            )

    def sources(self) -> dict[str, str]:
        """Say which weights the model starts from, so that a run from others is another run."""
        return {f"encoder {self.encoder}": identity(find_encoder(self.encoder))}

    def requirements(self) -> list[str]:
        """Name the packages that a fitted model needs."""
        return ["torch", "transformers", "accelerate"]

    def __getstate__(self) -> dict[str, object]:
        """Leave the torch module out: the weights are sufficient."""
        return {name: value for name, value in super().__getstate__().items() if name != "_module"}

    def _train(
        self, tokens: Tokens, classes: NDArray[np.intp], held_out: NDArray[np.bool_], steps: int | None = None
    ) -> tuple[SequenceClassifier, Training]:
        from bench.encoders.training import Settings, seeded, start_from_probe, train

        settings = Settings(
            self.learning_rate,
            self.epochs,
            self.batch_size,
            self.warmup,
            self.weight_decay,
            self.n_iter_no_change,
            self.average,
            int(self.random_state),
        )
        kept, validation = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        with seeded(settings.seed):
            module, tokenizer = self._new_module(classes[kept]), self._pretrained()[0]
            shown = [tokens[row] for row in kept], classes[kept]
            start_from_probe(module, tokenizer, *shown, self._class_weight(classes[kept]))
            training = train(
                module,
                tokenizer,
                *shown,
                settings,
                ([tokens[row] for row in validation], classes[validation]) if len(validation) else None,
                steps,
            )
        return module, training

    def _held_out(self, classes: NDArray[np.intp], groups: NDArray[np.str_] | None) -> NDArray[np.bool_]:
        """Mark the rows to validate on: whole groups, with a total nearest to the requested share.

        None if there are few groups, or a class would lose all its training rows.
        """
        held_out = np.zeros(len(classes), dtype=bool)
        groups = np.arange(len(classes)).astype(str) if groups is None else groups
        n_groups = len(np.unique(groups))
        if not self.early_stopping or not self.validation_fraction or n_groups < FEWEST_GROUPS:
            return held_out
        parts = min(max(2, round(1 / self.validation_fraction)), n_groups)
        if np.bincount(classes).max() < parts:
            return held_out
        folds = StratifiedGroupKFold(parts, shuffle=True, random_state=int(self.random_state))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a class may well have fewer rows than there are parts
            tests = [test for _, test in folds.split(classes, classes, groups)]
        whole = [test for test in tests if len(np.unique(np.delete(classes, test))) == len(np.unique(classes))]
        if whole:
            held_out[min(whole, key=lambda test: abs(len(test) / len(classes) - self.validation_fraction))] = True
        return held_out

    def _tokens(self, X: pd.DataFrame) -> Tokens:
        prefix = find_encoder(self.encoder).prefix
        texts = [[prefix + text for text in column_texts(X, column, {})] for column in self.inputs]
        tokenizer = self._pretrained()[0]
        limit = min(self.max_tokens, tokenizer.model_max_length, MAX_TOKENS)
        made = tokenizer(*texts, truncation=True, max_length=limit, padding=False, return_attention_mask=False)
        return [{name: values[row] for name, values in made.items()} for row in range(len(X))]

    def _pretrained(self) -> tuple[Any, Any]:
        encoder = find_encoder(self.encoder)
        return _load(weights_folder(encoder), identity(encoder))

    def _new_module(self, classes: NDArray[np.intp] | None = None) -> SequenceClassifier:
        """Make an untrained classifier, with class weights by the classes of the rows it is to train on."""
        from bench.encoders.classifier import SequenceClassifier

        encoder = self._pretrained()[1]
        shared = encoder.get_input_embeddings().weight
        own = copy.deepcopy(encoder, {id(shared): shared})
        weights = np.ones(len(self.classes_))
        for code, weight in self._class_weight(classes).items() if classes is not None else ():
            weights[code] = weight
        module = SequenceClassifier(own, find_encoder(self.encoder).pooling, weights.tolist())
        module.freeze(self.frozen_layers)
        return module

    def _class_weight(self, classes: NDArray[np.intp]) -> dict[int, float]:
        present = np.unique(classes)
        weights = compute_class_weight(self.class_weight, classes=self.classes_[present], y=self.classes_[classes])
        return dict(zip(present.tolist(), weights.tolist(), strict=True))

    def _restored(self) -> SequenceClassifier:
        """The trained module: the one from `fit`, or one rebuilt from the stored weights."""
        check_identity(self.encoder, self.identity_, identity(find_encoder(self.encoder)))
        if not hasattr(self, "_module"):
            self._module = self._new_module()
            self._module.restore(self.weights_)
        return self._module


@lru_cache(maxsize=1)
def _load(folder: Path, identity: str) -> tuple[Any, Any]:
    from bench.encoders.device import best_device
    from bench.encoders.transformer import load_pretrained

    # On a CPU and on texts of some ten words, a step takes some 7 % less time with plain attention.
    on_cpu = best_device().type == "cpu"
    return load_pretrained(folder, attn_implementation="eager" if on_cpu else "sdpa")
