"""`finetune` on data sets with published splits: trained on train, the epoch chosen on dev, test scored once a seed.

    python tests/benchmarks/published_splits.py ans FOLDER [--seeds 0 1 2] [--set epochs=5 learning_rate=5e-5]
    python tests/benchmarks/published_splits.py ct25 FOLDER

FOLDER holds the files of github.com/latynt/ans (``data/stance``), or of CheckThat! 2025 subjectivity in Arabic. The
scores on test are shown only with ``--test``: choose everything before.
"""

from __future__ import annotations

import argparse
import csv
import os
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import yaml
from sklearn.metrics import accuracy_score, f1_score

from bench.encoders.training import predict_logits
from bench.models.finetune import FineTunedClassifier

PUBLISHED = {
    "ans": "BERT 0.767 (Khouja 2020), GPT-4 0.762 (LLMeBench)",
    "ct25": "the shared task's winner 0.69, second 0.59",
}


def read(name: str, folder: Path) -> tuple[dict[str, pd.DataFrame], tuple[str, ...]]:
    """The splits as frames with the input columns and ``label``."""
    if name == "ans":
        columns = {"s1": "claim", "s2": "text", "stance": "label"}
        frames = {split: pd.read_csv(folder / f"{split}.csv") for split in ("train", "dev", "test")}
        return {split: frame.rename(columns=columns) for split, frame in frames.items()}, ("claim", "text")
    files = {"train": "train_ar", "dev": "dev_ar", "test": "test_ar_labeled"}
    frames = {
        split: pd.read_csv(folder / f"{file}.tsv", sep="\t", quoting=csv.QUOTE_NONE).rename(
            columns={"sentence": "text"}
        )
        for split, file in files.items()
    }
    return {split: frame.dropna(subset=["label"]) for split, frame in frames.items()}, ("text",)


def codes(frame: pd.DataFrame, classes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.searchsorted(classes, frame["label"].to_numpy(str))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=PUBLISHED)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--test", action="store_true")
    options = parser.parse_args()
    changes = {name: yaml.safe_load(value) for name, _, value in (each.partition("=") for each in options.set)}
    splits, inputs = read(options.data, options.folder)
    found: dict[str, list[float]] = {}
    for seed in options.seeds:
        model = FineTunedClassifier(inputs=inputs, random_state=seed, **({"epochs": 4} | changes))
        model.check_task()
        model.classes_, _train = np.unique(splits["train"]["label"].to_numpy(str), return_inverse=True)
        examples = pd.concat([splits["train"], splits["dev"]], ignore_index=True)
        held_out = np.arange(len(examples)) >= len(splits["train"])
        module, training = model._train(model._tokens(examples), codes(examples, model.classes_), held_out)
        shown = ["dev", "test"] if options.test else ["dev"]
        for split in shown:
            true = codes(splits[split], model.classes_)
            logits = predict_logits(module, model._pretrained()[0], model._tokens(splits[split]))
            predicted = logits.argmax(axis=1)
            for metric, score in (
                ("macro-F1", f1_score(true, predicted, average="macro")),
                ("accuracy", accuracy_score(true, predicted)),
            ):
                found.setdefault(f"{split} {metric}", []).append(float(score))
        scores = ", ".join(f"{name} {values[-1]:.3f}" for name, values in found.items())
        print(f"seed {seed}: epoch {training.best_epoch} of {model.epochs}: {scores}", flush=True)
    for name, values in found.items():
        print(f"{name}: mean {np.mean(values):.3f} of {len(values)} seeds, {min(values):.3f} to {max(values):.3f}")
    print(f"published, macro-F1 on test: {PUBLISHED[options.data]}")


if __name__ == "__main__":
    main()
