"""Fine-tuning on ``transformers.Trainer``: batches of like length, bfloat16, and the weights of the best epoch."""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import Sampler
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from bench.encoders.device import has_bfloat16, placed
from bench.encoders.transformer import infer
from bench.engines.sockets import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from bench.encoders.classifier import SequenceClassifier

Tokens = list[dict[str, list[int]]]
"""One example each, as from the tokenizer: ``input_ids`` and perhaps ``token_type_ids``, without padding."""

SORTED_BATCHES = 50
"""Batches' worth of examples, drawn at random, that are sorted by length together."""

PADDED_TO = 8
"""Batch lengths are multiples of this, since a CPU compiles and keeps kernels for each new length."""

DECAY = 0.99
"""Of the moving average of weights: each step counts a hundredth, those early on more."""

PREDICT_TOKENS = 4096
"""Tokens of a batch of predictions, padding included."""


@dataclass(frozen=True)
class Settings:
    """How a classifier is trained.

    Parameters
    ----------
    learning_rate : float
        The highest, reached after the warm-up; it falls to 0 in a straight line.
    epochs : int
        Passes over the examples, at most.
    batch_size : int
        Examples of a step.
    warmup : float
        The part of all steps over which the learning rate rises.
    weight_decay : float
        Of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101).
    patience : int
        Epochs without a better validation score after which it ends.
    average : bool
        Whether the weights are an exponential moving average of those after each step (Polyak and Juditsky 1992;
        Morales-Brotons, Vogels and Hendrikx 2024, arXiv:2411.18704), which is validated and kept.
    seed : int
        Of dropout and the order of examples.
    """

    learning_rate: float
    epochs: int
    batch_size: int
    warmup: float
    weight_decay: float
    patience: int
    average: bool
    seed: int


@dataclass
class Training:
    """How a training went.

    Parameters
    ----------
    best_epoch : int
        The epoch of the kept weights, counted from 1; the last one without validation.
    scores : list of float
        Macro-F1 on the validation examples after each epoch.
    seconds_a_step : float
        The median time of a step, including the batch and the update; NaN for fewer than three steps.
    """

    best_epoch: int
    scores: list[float]
    seconds_a_step: float


def train(
    module: SequenceClassifier,
    tokenizer: Any,
    tokens: Tokens,
    classes: NDArray[np.intp],
    settings: Settings,
    validation: tuple[Tokens, NDArray[np.intp]] | None = None,
    steps: int | None = None,
) -> Training:
    """Train a classifier, and leave it with the weights of the best epoch.

    Parameters
    ----------
    module : SequenceClassifier
        What is trained, in place.
    tokenizer : transformers.PreTrainedTokenizerBase
        Pads batches.
    tokens : list of dict
        Each example's tokens.
    classes : ndarray of int of shape (n_examples,)
        Each example's class.
    settings : Settings
        How.
    validation : (tokens, classes), optional
        Examples on which every epoch is scored by macro-F1, then by log loss; without them the last epoch is kept.
    steps : int, optional
        Steps after which it ends, whatever the settings.
    """
    with placed(module) as device, tempfile.TemporaryDirectory(prefix="bench-", dir=scratch()) as files:
        watch = _Watch(module, settings.patience, _Average(module) if settings.average else None)
        arguments = TrainingArguments(
            output_dir=files,
            learning_rate=settings.learning_rate,
            num_train_epochs=settings.epochs,
            max_steps=-1 if steps is None else steps,
            per_device_train_batch_size=settings.batch_size,
            per_device_eval_batch_size=4 * settings.batch_size,
            warmup_steps=settings.warmup,
            weight_decay=settings.weight_decay,
            seed=settings.seed,
            use_cpu=device.type == "cpu",
            bf16=has_bfloat16(device),
            eval_strategy="no" if validation is None else "epoch",
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            log_level="error",
            dataloader_pin_memory=device.type == "cuda",
        )
        arguments._n_gpu = min(arguments.n_gpu, 1)  # more would share out each batch, and its size with it
        trainer = _Trainer(
            model=module,
            args=arguments,
            processing_class=tokenizer,
            data_collator=DataCollatorWithPadding(tokenizer, pad_to_multiple_of=PADDED_TO),
            train_dataset=_dataset(tokens, classes),
            eval_dataset=None if validation is None else _dataset(*validation),
            compute_metrics=_validation_scores,
            callbacks=[watch],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        watch.end()
    return Training(watch.best_epoch or round(trainer.state.epoch or 0), watch.scores, watch.seconds_a_step())


def start_from_probe(
    module: SequenceClassifier, tokenizer: Any, tokens: Tokens, classes: NDArray[np.intp], class_weight: Any
) -> None:
    """Initialise the linear layer as a logistic regression on the output of the untrained encoder.

    Kumar et al. (2022, arXiv:2202.10054): a layer that starts at random bends the encoder's features before it
    knows what for. The pooled vectors are centred, and scaled to a mean squared length of 1.

    Parameters
    ----------
    module : SequenceClassifier
        Its linear layer is changed.
    tokenizer, tokens, classes
        The training examples, as in `train`.
    class_weight : "balanced", mapping of class to float, or None
        As scikit-learn's classifiers take it.
    """
    present = np.unique(classes)
    if len(present) < 2:
        return
    vectors = _inferred(module, tokenizer, tokens, module.pooled)
    mean = vectors.mean(axis=0)
    scale = 1 / np.sqrt(np.mean(np.sum((vectors - mean) ** 2, axis=1)))
    probe = LogisticRegression(class_weight=class_weight, max_iter=1000).fit((vectors - mean) * scale, classes)
    weight, bias = probe.coef_ * scale, probe.intercept_
    if len(present) == 2:
        weight, bias = np.vstack([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    with torch.no_grad():
        module.head.weight[present] = torch.as_tensor(weight, dtype=torch.float32)
        module.head.bias[present] = torch.as_tensor(bias - weight @ mean, dtype=torch.float32)


def predict_logits(module: SequenceClassifier, tokenizer: Any, tokens: Tokens) -> NDArray[np.float64]:
    """Score examples with a trained classifier.

    Returns
    -------
    ndarray of float64 of shape (n_examples, n_classes)
        Logits. Their last bits depend on the other examples in a batch.
    """
    return _inferred(module, tokenizer, tokens, lambda **padded: module(**padded)["logits"])


def _inferred(
    module: SequenceClassifier, tokenizer: Any, tokens: Tokens, compute: Callable[..., torch.Tensor]
) -> NDArray[np.float64]:
    return infer(module.eval(), tokenizer, tokens, compute, PREDICT_TOKENS, PADDED_TO).astype(np.float64)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the generators of Python, NumPy and torch, and give them their own states back at the end."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


class _Trainer(Trainer):
    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        examples: Any = train_dataset or self.train_dataset
        lengths = [len(each["input_ids"]) for each in examples]
        return LikeLengths(lengths, self.args.train_batch_size, self.args.seed)


class LikeLengths(Sampler[int]):
    """Orders examples so that each batch has texts of similar length, and shuffles the batches.

    Unlike the Trainer's own, ``group_by_length``, whose batches go from long texts to short ones fifty batches long:
    if length correlates with the label, training oscillates.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each example.
    batch_size : int
        Examples of a batch; a smaller one comes last.
    seed : int
        Each pass over the examples has its own order.

    Examples
    --------
    >>> list(LikeLengths([5, 9, 5, 9, 7], batch_size=2, seed=0))
    [3, 1, 4, 2, 0]
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths, self._batch_size = np.asarray(lengths), batch_size
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        order = self._random.permutation(len(self))
        stretch = SORTED_BATCHES * self._batch_size
        parts = [order[start : start + stretch] for start in range(0, len(order), stretch)]
        order = np.concatenate([part[np.argsort(-self._lengths[part], kind="stable")] for part in parts])
        whole = len(order) // self._batch_size * self._batch_size
        rows = order[:whole].reshape(-1, self._batch_size)
        yield from self._random.permutation(rows).ravel().tolist()
        yield from order[whole:].tolist()


class _Average:
    """An exponential moving average of the weights that are trained."""

    def __init__(self, module: SequenceClassifier) -> None:
        self._module, self._steps = module, 0
        self._trained = {name: value for name, value in module.named_parameters() if value.requires_grad}
        self._mean = {name: value.detach().clone() for name, value in self._trained.items()}

    def update(self) -> None:
        """Take the weights after a step in."""
        self._steps += 1
        decay = min(DECAY, (1 + self._steps) / (10 + self._steps))
        current = [value.detach() for value in self._trained.values()]
        get_ema_multi_avg_fn(decay)(list(self._mean.values()), current, None)

    def swap(self) -> None:
        """Replace the weights by their average, or restore them."""
        with torch.no_grad():
            for name, value in self._trained.items():
                current = value.detach().clone()
                value.copy_(self._mean[name])
                self._mean[name] = current


class _Watch(TrainerCallback):
    """Keeps the weights of the best epoch, ends a training that does not improve, and takes the time of steps."""

    def __init__(self, module: SequenceClassifier, patience: int, average: _Average | None) -> None:
        self._module, self._patience, self._average = module, patience, average
        self._best: tuple[float, float] | None = None
        self._weights: dict[str, torch.Tensor] = {}
        self._times: list[float] = []
        self.best_epoch = 0
        self.scores: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._average is not None:
            self._average.update()
        self._times.append(time.perf_counter())

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._average is not None and control.should_evaluate:
            self._average.swap()

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        metrics: dict[str, float] = kwargs["metrics"]
        score = (metrics["eval_macro_f1"], -metrics["eval_log_loss"])
        self.scores.append(score[0])
        if self._best is None or score > self._best:
            self._best, self.best_epoch, self._weights = score, len(self.scores), self._module.trained()
        elif len(self.scores) - self.best_epoch >= self._patience:
            control.should_training_stop = True
        if self._average is not None:
            self._average.swap()

    def end(self) -> None:
        """Leave the classifier with the weights of the best epoch, or the last ones without validation."""
        if self.best_epoch:
            self._module.restore(self._weights)
        elif self._average is not None:
            self._average.swap()

    def seconds_a_step(self) -> float:
        return float(np.median(np.diff(self._times))) if len(self._times) > 2 else float("nan")


def _dataset(tokens: Tokens, classes: NDArray[np.intp]) -> list[dict[str, object]]:
    return [{**each, "labels": label} for each, label in zip(tokens, classes.tolist(), strict=True)]


def _validation_scores(given: Any) -> dict[str, float]:
    logits, classes = np.asarray(given.predictions, dtype=np.float64), given.label_ids
    every = np.arange(logits.shape[1])
    return {
        "macro_f1": float(f1_score(classes, logits.argmax(axis=1), labels=every, average="macro", zero_division=0.0)),
        "log_loss": float(log_loss(classes, softmax(logits, axis=1), labels=every)),
    }
