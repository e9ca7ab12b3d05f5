"""How often the verdicts of learning curves are right, on simulated tasks.

    python tests/benchmarks/curve_verdicts.py [--sets 200] [--groups 5 20]

``none``: the texts say nothing of the labels, so every verdict but flat and undecided is a mistake. ``words``: each
text has one of 150 words of its label, so that more labels make more words known, and groups are alike, so that
new groups and more examples of the same are worth as much. ``topics``: each group has 12 such words of its own and
shares half of its texts' words with the rest, so that new groups are worth more.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from fractions import Fraction
from multiprocessing import Pool

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import pandas as pd

from bench.comparison.curves import judge_curve
from bench.config import Search
from bench.data import Task
from bench.data.splits import outer_splits
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.metrics.f1 import MACRO_F1
from bench.models import Model
from bench.planning.curve_parts import curve_parts
from bench.results.curves import AXES

LABELS = ("economy", "sport")
SIZE = 40
"""Examples of a group."""

POPULATIONS = ("none", "words", "topics")


def draw_task(population: str, n_groups: int, seed: int) -> Task:
    """Draw a task of `n_groups` groups of `SIZE` texts."""
    rng = np.random.default_rng(seed)
    rows = []
    for group in range(n_groups):
        own = rng.integers(150, size=(len(LABELS), 12))
        for number in range(SIZE):
            code = int(rng.integers(len(LABELS)))
            word = rng.choice(own[code]) if population == "topics" and rng.random() < 0.5 else rng.integers(150)
            told = code if population != "none" else int(rng.integers(len(LABELS)))
            text = f"cue{told}x{word} " + " ".join(f"w{filler}" for filler in rng.integers(60, size=5))
            rows.append({"id": f"{group}-{number}", "text": text, "label": LABELS[code], "group": f"g{group:02d}"})
    return Task("simulated", 1, "", ("text",), LABELS, "macro_f1", "group", pd.DataFrame(rows))


def verdicts_of(population: str, n_groups: int, seed: int) -> dict[str, str]:
    """The kinds of the verdicts on one simulated task."""
    task = draw_task(population, n_groups, seed)
    definition = {"name": "bayes", "features": "words", "estimator": "sklearn.naive_bayes.ComplementNB"}
    model = Model.parse(definition, "simulated", "bayes")
    outer = outer_splits(task.codes, task.groups, task.group, 5, seed, 1)
    parts = [part for part in curve_parts(task, outer, seed) if part.fraction in (Fraction(1, 2), 1)]
    cache, predictions = FeatureCache(task.frame), {}
    for part in parts:
        evaluation = Evaluation(task, model, part.splits, Search("none", 1), 3, seed)
        frames = [evaluate(evaluation, fold, cache).predictions for fold in range(len(outer))]
        pooled = pd.concat(frames, keys=range(len(frames)), names=["part", None])
        predictions[part.name] = pooled.reset_index("part").reset_index(drop=True)
    described = [part.describe(task) for part in parts]
    axes = {axis: [part for part in described if part.axis in (axis, None)] for axis in AXES}
    verdicts, worth = judge_curve(axes, predictions, LABELS, MACRO_F1, n_groups, seed)
    assert worth is not None
    return {**{axis: verdicts[axis].kind for axis in AXES}, "worth": worth.kind}


def main() -> None:
    """Simulate and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=200, help="simulated tasks a row")
    parser.add_argument("--groups", type=int, nargs="+", default=[5, 20])
    args = parser.parse_args()
    print("| groups | population | verdict on | rising / groups | falling / examples | flat / equal | undecided |")
    print("| ---: | --- | --- | ---: | ---: | ---: | ---: |")
    with Pool(2) as pool:
        for n_groups in args.groups:
            for population in POPULATIONS:
                found = pool.starmap(verdicts_of, [(population, n_groups, seed) for seed in range(args.sets)])
                for asked in (*AXES, "worth"):
                    kinds = Counter(each[asked] for each in found)
                    named = ("groups", "examples", "equal") if asked == "worth" else ("rising", "falling", "flat")
                    shares = [kinds[kind] for kind in (*named, "undecided")]
                    cells = " | ".join(f"{100 * share / args.sets:.1f} %" for share in shares)
                    print(f"| {n_groups} | {population} | {asked} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
