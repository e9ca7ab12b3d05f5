"""Whether SetFit (Tunstall et al. 2022, arXiv:2209.11055) does better on small tasks than the models that are here.

Its encoder is trained to bring texts of one label together and those of different labels apart, then logistic
regression reads the embeddings. It is scored on each task's own outer folds, beside `encoder-logreg` and `finetune`,
nothing searched. Both learning rates were fixed before anything was scored: the default of the package ``setfit``, and
that of `finetune`. ``contrastive, 0 steps`` is the same without the training; ``balanced`` has class weights, since
SetFit's pairs are balanced over labels.

    python tests/benchmarks/contrastive.py denial source-type [--steps 100] [--seed 0] [--models PART,PART]

Wall time is that of a fit; CPU time, which other work on the machine changes less, is that of a whole fold.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import cosine_similarity, mse_loss, normalize

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from scores import confusion_by_group, drawn_label_scores

from bench.catalogue import load_model, load_task
from bench.config import Search
from bench.data.splits import Split, outer_splits
from bench.data.task import Task
from bench.encoders import find_encoder
from bench.encoders.classifier import SequenceClassifier
from bench.encoders.device import has_bfloat16, placed
from bench.encoders.training import seeded
from bench.encoders.transformer import batches, load_pretrained
from bench.encoders.weights import weights_folder
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.features.columns import column_texts
from bench.metrics.f1 import MACRO_F1
from bench.metrics.outcomes import label_codes
from bench.models.model import Model
from bench.results.cell import CellResult
from bench.results.summary import summarise
from bench.statistics.bootstrap import GroupBootstrap
from bench.statistics.paired import fold_test, group_difference, holm
from bench.statistics.training import RARE, training_factor
from bench.support.seeding import derive_seed

BATCH_TOKENS = 2048
ROPE = 0.01


class ContrastiveClassifier(ClassifierMixin, BaseEstimator):
    """An encoder trained on pairs of training texts, then logistic regression on its embeddings of length 1.

    As in the paper, every label has as many pairs as any other, half of them with another text of that label, whose
    cosine is to be 1, half with a text of another label, whose cosine is to be 0. A text that is in several pairs of a
    batch is embedded once. The word embeddings are not trained. A claim and a text are read together, as a pair of
    sentences.

    Parameters
    ----------
    encoder : str
        A name in ``configs/encoder/``, or a folder of weights.
    learning_rate : float
        The highest; it rises over the first tenth of the steps, then falls in a straight line.
    steps : int
        Batches of pairs; with 0 the encoder stays as it is.
    batch_size : int
        Pairs of a step.
    weight_decay : float
        Of AdamW.
    max_tokens : int
        Tokens after which a text is cut off.
    class_weight : "balanced" or None
        Of the logistic regression.
    inputs : sequence of str
        The columns to read: one, or a claim's and a text's.
    random_state : int
        Seed of the pairs and of dropout.
    """

    def __init__(
        self,
        encoder: str = "multilingual-e5-small-4bit",
        learning_rate: float = 2e-5,
        steps: int = 100,
        batch_size: int = 16,
        weight_decay: float = 0.01,
        max_tokens: int = 256,
        class_weight: str | None = None,
        inputs: tuple[str, ...] = ("text",),
        random_state: int = 0,
    ) -> None:
        self.encoder = encoder
        self.learning_rate = learning_rate
        self.steps = steps
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.max_tokens = max_tokens
        self.class_weight = class_weight
        self.inputs = inputs
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: NDArray[np.str_]) -> ContrastiveClassifier:
        self.classes_, classes = np.unique(np.asarray(y, dtype=str), return_inverse=True)
        definition = find_encoder(self.encoder)
        self._tokenizer, pretrained = load(self.encoder)
        shared = pretrained.get_input_embeddings().weight
        tokens = self._tokens(X)
        with seeded(self.random_state):
            own = copy.deepcopy(pretrained, {id(shared): shared})
            self._module = SequenceClassifier(own, definition.pooling, [1.0])
            self._module.freeze(0)
            with placed(self._module) as self._device:
                if self.steps:
                    self._train(tokens, classes)
                vectors = self._embed(tokens)
        self._head = LogisticRegression(class_weight=self.class_weight, max_iter=1000).fit(vectors, classes)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        with placed(self._module) as self._device:
            return self._head.predict_proba(self._embed(self._tokens(X)))

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _train(self, tokens: list[dict[str, list[int]]], classes: NDArray[np.intp]) -> None:
        parameters = [each for each in self._module.parameters() if each.requires_grad]
        optimizer = torch.optim.AdamW(parameters, self.learning_rate, weight_decay=self.weight_decay, fused=True)
        warmup = max(1, self.steps // 10)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min((step + 1) / warmup, (self.steps - step) / max(1, self.steps - warmup))
        )
        firsts, seconds, cosines = sample_pairs(classes, self.steps * self.batch_size, self.random_state)
        self._module.train()
        for start in range(0, len(firsts), self.batch_size):
            rows = slice(start, start + self.batch_size)
            texts, places = np.unique(np.concatenate([firsts[rows], seconds[rows]]), return_inverse=True)
            first, second = self._pooled([tokens[text] for text in texts])[places].chunk(2)
            loss = mse_loss(cosine_similarity(first, second), torch.as_tensor(cosines[rows], device=self._device))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()

    def _pooled(self, tokens: list[dict[str, list[int]]]) -> torch.Tensor:
        """Pool texts of a batch in two halves of like length, which pads less."""
        order = np.argsort([len(each["input_ids"]) for each in tokens], kind="stable")
        with autocast(self._device):
            made = torch.cat([self._forward([tokens[row] for row in half]) for half in np.array_split(order, 2)])
        return made.float()[np.argsort(order)]

    def _forward(self, tokens: list[dict[str, list[int]]]) -> torch.Tensor:
        return self._module.pooled(**self._tokenizer.pad(tokens, return_tensors="pt").to(self._device))

    def _embed(self, tokens: list[dict[str, list[int]]]) -> NDArray[np.float32]:
        self._module.eval()
        made = np.empty((len(tokens), self._module.head.in_features), dtype=np.float32)
        with torch.inference_mode(), autocast(self._device):
            for rows in batches([len(each["input_ids"]) for each in tokens], BATCH_TOKENS):
                made[rows] = normalize(self._forward([tokens[row] for row in rows]).float(), dim=1).cpu().numpy()
        return made

    def _tokens(self, X: pd.DataFrame) -> list[dict[str, list[int]]]:
        prefix = find_encoder(self.encoder).prefix
        texts = [[prefix + text for text in column_texts(X, column, {})] for column in self.inputs]
        made = self._tokenizer(*texts, truncation=True, max_length=self.max_tokens)
        return [{name: values[row] for name, values in made.items()} for row in range(len(X))]


def autocast(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bfloat16(device))


@lru_cache(maxsize=1)
def load(encoder: str) -> tuple[Any, Any]:
    """Load an encoder with the attention that is fastest on a CPU for short texts."""
    return load_pretrained(weights_folder(find_encoder(encoder)), attn_implementation="eager")


def sample_pairs(
    classes: NDArray[np.intp], n_pairs: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Draw pairs of rows, each label's in turn, every second one of rows with the same label.

    A row that is alone in its label is paired with itself.

    Returns
    -------
    (ndarray of int, ndarray of int, ndarray of float32), each of shape (n_pairs,)
        The two rows, and the cosine that they are to have.
    """
    rng = np.random.default_rng(seed)
    labels = np.unique(classes)
    turns = np.concatenate([rng.permutation(labels) for _ in range(-(-n_pairs // (2 * len(labels))))]).repeat(2)
    same = np.tile([True, False], len(turns) // 2)
    firsts = np.array([rng.choice(np.flatnonzero(classes == label)) for label in turns], dtype=np.intp)
    seconds = firsts.copy()
    for place, (label, alike, first) in enumerate(zip(turns, same, firsts, strict=True)):
        others = np.flatnonzero((classes == label) == alike)
        others = others[others != first]
        if len(others):
            seconds[place] = rng.choice(others)
    return firsts[:n_pairs], seconds[:n_pairs], same[:n_pairs].astype(np.float32)


def models(steps: int) -> list[Model]:
    def contrastive(label: str, **params: Any) -> Model:
        return Model(f"contrastive, {label}", f"{__name__}.ContrastiveClassifier", params={"steps": steps} | params)

    def balanced(name: str) -> Model:
        return replace(load_model(name, {"params.class_weight": "balanced"}), name=f"{name}, balanced")

    return [
        load_model("encoder-logreg", {}),
        balanced("encoder-logreg"),
        contrastive("0 steps", steps=0),
        contrastive("0 steps, balanced", steps=0, class_weight="balanced"),
        load_model("finetune", {}),
        balanced("finetune"),
        contrastive("1e-4", learning_rate=1e-4),
        contrastive("2e-5", learning_rate=2e-5),
    ]


def measure(task: Task, model: Model, splits: list[Split], seed: int) -> tuple[list[CellResult], float]:
    """Evaluate the outer folds, and return them with the CPU time of one."""
    evaluation = Evaluation(task, model, splits, Search("none", 0), 3, seed)
    cache, start, cells = FeatureCache(task.frame), time.process_time(), []
    for fold in range(len(splits)):
        cells.append(evaluate(evaluation, fold, cache))
        if cells[-1].status == "failed":
            raise SystemExit(f"{model.name}, fold {fold}:\n{cells[-1].error}")
        print(f"  {task.name}: {model.name}: fold {fold}: {cells[-1].seconds}", file=sys.stderr, flush=True)
    return cells, (time.process_time() - start) / len(splits)


def show(task: Task, name: str, cells: list[CellResult], cpu: float, seed: int) -> None:
    summary = summarise(cells, task.labels, MACRO_F1)
    score, interval = summary.scores["macro_f1"], summary.intervals["macro_f1"]
    wall = np.median([cell.seconds["fit"] for cell in cells])
    by_class = "  ".join(f"{label} {values['f1']:.2f}" for label, values in summary.per_class.items())
    print(
        f"{task.name:11} {name:30} {score:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
        f"  fit {wall:6.1f} s  CPU {cpu:6.1f} s  {by_class}",
        flush=True,
    )


def compare(task: Task, splits: list[Split], measured: dict[str, list[CellResult]], one: str) -> None:
    """Hold one model against every other, on the same draws of groups."""
    bootstrap = GroupBootstrap(len(set(task.groups.tolist())), derive_seed(0, task.digest, "comparison"))
    drawn, folds = {}, {}
    for name, cells in measured.items():
        predictions = pd.concat([cell.predictions for cell in cells], ignore_index=True)
        true, predicted = label_codes(predictions, task.labels)
        groups = predictions["group"].to_numpy(dtype=str)
        confusions = confusion_by_group(true, predicted, groups, len(task.labels))
        drawn[name] = drawn_label_scores(confusions, "macro_f1", bootstrap)
        folds[name] = np.array([cell.scores["macro_f1"] for cell in cells])
    share = float(np.mean([len(split.test) for split in splits])) / len(task)
    others = [name for name in measured if name != one]
    differences = [
        group_difference(
            [drawn[one][0], drawn[other][0]],
            [drawn[one][1], drawn[other][1]],
            bootstrap.n_groups,
            training_factor(len(task), len(task) * (1 - share), RARE),
        )
        for other in others
    ]
    adjusted = holm([1.0 if each.p_value is None else each.p_value for each in differences])
    for other, each, p_value in zip(others, differences, adjusted, strict=True):
        interval = "" if each.interval is None else f"[{each.interval.low:+.3f}, {each.interval.high:+.3f}]"
        p_folds = fold_test(folds[one] - folds[other], share, ROPE).p_value
        tests = f"p, Holm's, by group {p_value:.3f}; p by fold {p_folds:.3f}"
        print(f"{task.name:11} {one} - {other:30} {each.difference:+.3f} {interval}  {tests}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", help="only those whose name has one of these parts, given with commas between")
    options = parser.parse_args()
    parts = [""] if options.models is None else options.models.split(",")
    tasks = [load_task(name, {}) for name in options.tasks]
    measured: dict[str, dict[str, list[CellResult]]] = {task.name: {} for task in tasks}
    for model in models(options.steps):
        if not any(part in model.name for part in parts):
            continue
        for task in tasks:
            seed = derive_seed(options.seed, task.name, "outer")
            splits = outer_splits(task.codes, task.groups, task.group, 5, seed, 1)
            cells, cpu = measure(task, model, splits, options.seed)
            measured[task.name][model.name] = cells
            show(task, model.name, cells, cpu, options.seed)
            if model.name.startswith("contrastive") and model.params["steps"]:
                compare(task, splits, measured[task.name], model.name)


if __name__ == "__main__":
    main()
