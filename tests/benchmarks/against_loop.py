"""Wall time of the harness against a hand-made scikit-learn and Optuna loop, in one run.

Both do the same: 5 outer and 3 inner stratified folds over pairs of texts, TF-IDF of words (1-2) and of
character n-grams within words (three ranges, three ``min_df``, sublinear or not), logistic
regression (C, class weight), TPE with the same seeds that is asked for eight settings at once, on two processes with
one BLAS thread each.
The scores of every trial and of every outer fold must agree to 1e-9.

    python tests/benchmarks/against_loop.py PAIRS.csv [--trials 30] [--two-columns] [--optuna-search-cv]

The two texts of a pair are joined, or with ``--two-columns`` have a vocabulary each. PAIRS.csv has the
columns s1, s2 and stance (the ``train.csv`` of github.com/latynt/ans).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np
import optuna
import pandas as pd
from joblib import Parallel, delayed
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict, cross_validate
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from bench.config import Execution, Search
from bench.data import Task
from bench.data.splits import outer_splits
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.models import Model
from bench.results.cell import CellResult
from bench.running.cells import Cell, run_cells
from bench.support.seeding import derive_seed
from bench.text.normalization import WORD_PATTERN

SPACE = {
    "estimator.C": {"low": 1e-2, "high": 3e1, "log": True},
    "estimator.class_weight": [None, "balanced"],
    "features.char.ngram_range": [[2, 4], [2, 5], [3, 5]],
    "features.char.min_df": [1, 2, 3],
    "features.char.sublinear_tf": [False, True],
}
MODEL = Model.parse(
    {
        "name": "loop",
        "features": "tfidf",
        "estimator": "sklearn.linear_model.LogisticRegression",
        "params": {
            "solver": "newton-cg",
            "max_iter": 300,
            "features.word.normalization": "none",
            "features.word.ngram_range": [1, 2],
            "features.char.normalization": "none",
            "features.char.analyzer": "char_wb",
        },
        "search": SPACE,
    },
    "against_loop.py",
    "loop",
)
OUTER, INNER, SEED, BATCH = 5, 3, 0, 8


def read_pairs(path: Path, two_columns: bool) -> Task:
    """Read the pairs as a task without groups."""
    pairs = pd.read_csv(path)
    columns = {"claim": pairs["s1"], "text": pairs["s2"]} if two_columns else {"text": pairs["s1"] + " " + pairs["s2"]}
    examples = pd.DataFrame({"id": [str(row) for row in range(len(pairs))], **columns, "label": pairs["stance"]})
    labels = tuple(sorted(set(examples["label"])))
    return Task("pairs", 1, "", tuple(columns), labels, "macro_f1", "id", examples)


def harness(task: Task, trials: int) -> list[CellResult]:
    """The harness: plan, processes, shared features."""
    seed = derive_seed(SEED, task.name, "outer")
    splits = outer_splits(task.codes, task.groups, task.group, OUTER, seed, 1)
    evaluation = Evaluation(task, MODEL, splits, Search("benchmark", trials, batch=BATCH), INNER, SEED)
    done = run_cells([evaluation], [Cell(0, fold) for fold in range(OUTER)], 2, Execution("local"))
    return sorted((result for _, result in done), key=lambda result: int(result.fold))


def pipeline(params: Mapping[str, Any], columns: tuple[str, ...], seed: int) -> Pipeline:
    """The same model as anybody would write it."""
    word = CountVectorizer(ngram_range=(1, 2), token_pattern=WORD_PATTERN, lowercase=False)
    char = CountVectorizer(
        analyzer="char_wb",
        lowercase=False,
        ngram_range=params["features.char.ngram_range"],
        min_df=params["features.char.min_df"],
    )
    blocks = []
    for column in columns:
        union = [
            ("word", Pipeline([("count", word), ("order", ORDER), ("weigh", TfidfTransformer())])),
            ("char", Pipeline([("count", char), ("order", ORDER), ("weigh", weigh_chars(params))])),
        ]
        blocks.append((column, FeatureUnion(union), column))
    estimator = LogisticRegression(
        solver="newton-cg",
        max_iter=300,
        C=params["estimator.C"],
        class_weight=params["estimator.class_weight"],
        random_state=seed,
    )
    return Pipeline([("features", ColumnTransformer(blocks)), ("estimator", estimator)])


def in_order(counts: Any) -> Any:
    """The same counts, each row's n-grams in the order of the vocabulary."""
    return counts.sorted_indices()


ORDER = FunctionTransformer(in_order, accept_sparse=True)
"""scikit-learn leaves a training row's n-grams in the order in which they were first met. Sums taken in another
order differ in their last bit, which now and then costs Newton's method a step more and turns a few
predictions of thousands; in one order, the scores can be held against each other to 1e-9."""


def weigh_chars(params: Mapping[str, Any]) -> TfidfTransformer:
    """The weights of character n-grams."""
    return TfidfTransformer(sublinear_tf=params["features.char.sublinear_tf"])


def by_hand(task: Task, trials: int) -> list[tuple[list[float], float]]:
    """The hand-made loop: outer folds in two processes, a pipeline fitted again for each inner fold."""
    seed = derive_seed(SEED, task.name, "outer")
    folds = StratifiedKFold(OUTER, shuffle=True, random_state=seed).split(task.frame, task.codes)
    return Parallel(n_jobs=2)(delayed(_outer_fold)(task, fold, *rows, trials) for fold, rows in enumerate(folds))


def _outer_fold(task: Task, fold: int, train: Any, test: Any, trials: int) -> tuple[list[float], float]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = task.frame.iloc[train], task.y[train]
    inner = StratifiedKFold(INNER, shuffle=True, random_state=derive_seed(SEED, task.name, str(fold), "inner"))
    seed = derive_seed(SEED, task.name, MODEL.name, str(fold), "model")
    tried: list[Mapping[str, Any]] = []

    def score(params: Mapping[str, Any]) -> float:
        predicted = cross_val_predict(pipeline(params, task.inputs, seed), X, y, cv=inner)
        return f1_score(y, predicted, labels=list(task.labels), average="macro", zero_division=0.0)

    study = optuna.create_study(direction="maximize")
    while len(tried) < trials:
        purpose = (task.name, MODEL.name, str(fold), "search", len(tried) // BATCH)
        study.sampler = optuna.samplers.TPESampler(seed=derive_seed(SEED, *purpose))
        asked = [study.ask() for _ in range(min(BATCH, trials - len(tried)))]
        settings = [MODEL.search.suggest(trial) for trial in asked]
        for trial, params in zip(asked, settings, strict=True):
            study.tell(trial, score(params))
        tried += settings
    scores = [trial.values[0] for trial in study.trials]
    best = pipeline(tried[int(np.argmax(scores))], task.inputs, seed).fit(X, y)
    predicted = best.predict(task.frame.iloc[test])
    return scores, f1_score(task.y[test], predicted, labels=list(task.labels), average="macro", zero_division=0.0)


def by_optuna_search_cv(task: Task, trials: int) -> None:
    """`cross_validate` around `OptunaSearchCV`, whose objective is the mean of the inner folds."""
    from optuna.distributions import CategoricalDistribution as Choice
    from optuna.distributions import FloatDistribution
    from optuna_integration import OptunaSearchCV

    start = {"estimator.C": 1.0, "estimator.class_weight": None}
    chars = {"features.char.ngram_range": (2, 4), "features.char.min_df": 1, "features.char.sublinear_tf": False}
    space: dict[str, Any] = {
        "estimator__C": FloatDistribution(1e-2, 3e1, log=True),
        "estimator__class_weight": Choice([None, "balanced"]),
    }
    for column in task.inputs:
        space |= {
            f"features__{column}__char__count__ngram_range": Choice([(2, 4), (2, 5), (3, 5)]),  # type: ignore[list-item]
            f"features__{column}__char__count__min_df": Choice([1, 2, 3]),
            f"features__{column}__char__weigh__sublinear_tf": Choice([False, True]),
        }
    search = OptunaSearchCV(
        pipeline({**start, **chars}, task.inputs, 0),
        space,
        cv=INNER,
        n_trials=trials,
        scoring="f1_macro",
        random_state=0,
    )
    outer = StratifiedKFold(OUTER, shuffle=True, random_state=derive_seed(SEED, task.name, "outer"))
    cross_validate(search, task.frame, task.y, cv=outer, scoring="f1_macro", n_jobs=2)


def bare_fits(task: Task, trials: int) -> tuple[float, float]:
    """Seconds of one outer fold in this process, and the part of them spent in the estimator's `fit`."""
    splits = outer_splits(task.codes, task.groups, task.group, OUTER, derive_seed(SEED, task.name, "outer"), 1)
    evaluation = Evaluation(task, MODEL, splits, Search("benchmark", trials, batch=BATCH), INNER, SEED)
    spent, fit = [], LogisticRegression.fit

    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return fit(self, *args, **kwargs)
        finally:
            spent.append(time.perf_counter() - start)

    LogisticRegression.fit = timed
    try:
        start = time.perf_counter()
        evaluate(evaluation, 0, FeatureCache(task.frame))
        return time.perf_counter() - start, sum(spent)
    finally:
        LogisticRegression.fit = fit


def main() -> None:
    """Run all, compare the scores, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, metavar="PAIRS.csv")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--two-columns", action="store_true", help="a vocabulary for each text of a pair")
    parser.add_argument("--optuna-search-cv", action="store_true", help="time OptunaSearchCV too")
    args = parser.parse_args()
    task = read_pairs(args.pairs, args.two_columns)

    start = time.perf_counter()
    ours = harness(task, args.trials)
    ours_s = time.perf_counter() - start
    print(f"harness            {ours_s:8.1f} s", flush=True)
    start = time.perf_counter()
    theirs = by_hand(task, args.trials)
    theirs_s = time.perf_counter() - start
    print(f"hand-made loop     {theirs_s:8.1f} s   {theirs_s / ours_s:.2f} times the harness", flush=True)
    if args.optuna_search_cv:
        start = time.perf_counter()
        by_optuna_search_cv(task, args.trials)
        seconds = time.perf_counter() - start
        print(f"OptunaSearchCV     {seconds:8.1f} s   {seconds / ours_s:.2f} times the harness", flush=True)
    whole, fits = bare_fits(task, args.trials)
    print(f"one fold, one core {whole:8.1f} s   {whole / fits:.2f} times its bare fits ({fits:.1f} s)")
    worst = 0.0
    for mine, (trials, score) in zip(ours, theirs, strict=True):
        gaps = [float("inf") if a.score is None else abs(a.score - b) for a, b in zip(mine.trials, trials, strict=True)]
        worst = max(worst, *gaps, abs(mine.scores["macro_f1"] - score))
    print(f"largest difference of any of {OUTER * args.trials} trials' and {OUTER} folds' macro-F1: {worst:.1e}")
    if worst > 1e-9:
        raise SystemExit("the scores differ")


if __name__ == "__main__":
    main()
