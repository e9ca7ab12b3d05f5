"""How much the fitting adds to the standard error of a difference, measured on public data.

A data set of some thousand texts is cut into parts of 300 at random, again and again. Each part is a small corpus of
the same kind: models are cross-validated on it in five folds, and the deviation of their differences between the parts
is what a standard error should be. Printed is that deviation over the mean standard error of the bootstrap that takes
the fitted models as given (the larger of the bootstrap's and the jackknife's): the factor that is needed. Texts are
drawn one by one, so each must be a group of its own.

Beside it stands what could tell of it if the cross-validation were repeated once: in how many texts the two models'
predictions change, and the variance of their difference between the two repeats over that of the bootstrap.

The texts are read from a folder with one or several CSV or TSV files and are not part of the project::

    python tests/benchmarks/training_luck.py ans/claim --text claim_s --label fake_flag
    python tests/benchmarks/training_luck.py asnd --text Content --label Class --most 6
    python tests/benchmarks/training_luck.py ct25 --text sentence --label label
"""

from __future__ import annotations

import argparse
import os
import sys

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"

import csv
import warnings
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from scores import drawn_label_scores, label_scores

from bench.metrics.confusion import grouped_confusion
from bench.statistics.bootstrap import GroupBootstrap, bootstrap_error, jackknife_error
from bench.statistics.training import training_factor, training_weight

FOLDS = 5
DRAWS = 200
METRIC = "macro_f1"

FEATURES: dict[str, dict[str, Any]] = {
    "words": {"token_pattern": r"\w+", "sublinear_tf": True},
    "characters": {"analyzer": "char_wb", "ngram_range": (3, 3), "sublinear_tf": True},
}
MODELS: dict[str, tuple[type, dict[str, Any], str]] = {
    "SVM, words": (LinearSVC, {"C": 0.3}, "words"),
    "SVM, characters": (LinearSVC, {"C": 0.3}, "characters"),
    "naive Bayes, words": (ComplementNB, {}, "words"),
    "naive Bayes, characters": (ComplementNB, {}, "characters"),
    "tree, words": (DecisionTreeClassifier, {"min_samples_leaf": 3, "random_state": 0}, "words"),
}


def read_texts(folder: Path, text: str, label: str, most: int | None) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Read the texts and label codes of all tables in a folder: each text once, and only the most frequent labels."""
    frames = [
        pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE) if path.suffix == ".tsv" else pd.read_csv(path)
        for path in sorted([*folder.glob("*.csv"), *folder.glob("*.tsv")])
    ]
    rows = pd.concat(frames).dropna(subset=[text, label]).drop_duplicates(text)
    rows = rows[rows[label].isin(rows[label].value_counts().index[:most])]
    return rows[text].to_numpy(dtype=str), pd.factorize(rows[label])[0]


def predictions_of(texts: NDArray[Any], codes: NDArray[np.intp], seed: int) -> dict[str, NDArray[np.intp]]:
    """By model, the label of each text that the fold which held it out predicts."""
    features = {name: TfidfVectorizer(**settings).fit_transform(texts) for name, settings in FEATURES.items()}
    predicted = {name: np.empty(len(codes), dtype=np.intp) for name in MODELS}
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(codes, codes):
        for name, (model, params, kind) in MODELS.items():
            fitted = model(**params).fit(features[kind][train], codes[train])
            predicted[name][test] = fitted.predict(features[kind][test])
    return predicted


def confusions_of(predicted: dict[str, NDArray[np.intp]], codes: NDArray[np.intp], n_labels: int) -> dict[str, Any]:
    """By model, the confusion matrix of each text."""
    every = np.arange(len(codes))
    return {name: grouped_confusion(codes, of, every, len(codes), n_labels) for name, of in predicted.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--text", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--most", type=int, help="only the most frequent labels, so many")
    parser.add_argument("--size", type=int, default=300, help="texts of a part")
    parser.add_argument("--rounds", type=int, default=8, help="how often the data are cut")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    texts, codes = read_texts(chosen.folder, chosen.text, chosen.label, chosen.most)
    n_labels, size = int(codes.max()) + 1, chosen.size
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {pair: [] for pair in combinations(MODELS, 2)}
    rarest = []
    for round_ in range(chosen.rounds):
        order = np.random.default_rng(round_).permutation(len(codes))
        for start in range(0, len(codes) - size + 1, size):
            rows = order[start : start + size]
            rarest.append(np.bincount(codes[rows], minlength=n_labels).min())
            predicted, again = (predictions_of(texts[rows], codes[rows], seed) for seed in (0, 1))
            changed = {name: float((predicted[name] != again[name]).mean()) for name in MODELS}
            by_model = confusions_of(predicted, codes[rows], n_labels)
            repeated = {
                name: float(label_scores(each.sum(axis=0))[METRIC])
                for name, each in confusions_of(again, codes[rows], n_labels).items()
            }
            bootstrap = GroupBootstrap(size, start, DRAWS)
            scored = {name: drawn_label_scores(each, METRIC, bootstrap) for name, each in by_model.items()}
            without = {name: label_scores(each.sum(axis=0) - each)[METRIC] for name, each in by_model.items()}
            for one, other in found:
                error = max(
                    bootstrap_error(scored[one][1] - scored[other][1], size),
                    jackknife_error(without[one] - without[other]),
                )
                difference = scored[one][0] - scored[other][0]
                between = (difference - repeated[one] + repeated[other]) ** 2 / 2
                found[one, other].append((difference, error, (changed[one] + changed[other]) / 2, between))
    fewest = float(np.mean(rarest)) * (1 - 1 / FOLDS)
    factor = training_factor(size, size * (1 - 1 / FOLDS), training_weight(fewest))
    print(
        f"{len(rarest)} parts of {size} texts, {n_labels} labels, the rarest with {np.mean(rarest):.0f}; "
        f"the product's factor {factor:.2f}\n"
    )
    print("| one | other | difference | needed factor | predictions that change | variance between repeats |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    columns = []
    for (one, other), each in found.items():
        differences, errors, changes, between = np.array(each).T
        variance = (errors**2).mean()
        needed, change, repeats = differences.var(ddof=1) / variance, changes.mean(), between.mean() / variance
        columns.append((needed, change, repeats))
        cells = (f"{differences.mean():+.3f}", f"{np.sqrt(needed):.2f}", f"{100 * change:.1f} %", f"{repeats:.2f}")
        print(f"| {one} | {other} | {' | '.join(cells)} |")
    alike = np.corrcoef(np.array(columns).T)[0, 1:]
    print(f"\ncorrelations of the last two with the square of the needed factor: {alike[0]:+.2f}, {alike[1]:+.2f}")


if __name__ == "__main__":
    main()
