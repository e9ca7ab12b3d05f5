"""What proposing settings in rounds costs the search, and what stopping them early costs, on a real task.

Each repeat has a seed of its own, and with it inner folds and settings of its own. With the same seed, one search of a
fold proposes its settings one by one and others in rounds; told is the mean best inner score after some settings, as
the difference to that of one by one, with its standard error over the repeats. With ``--prune``, searches that stop
settings early are held against those that do not, with the part of the fits that they did.

    python tests/benchmarks/batches.py TASK MODEL [--trials 30] [--repeats 10] [--batches 1,4,8,16] [--prune]
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np

from bench.config import Search, compose
from bench.evaluation.evaluate import fit_inner
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.rounds import Rounds
from bench.evaluation.search import Searched
from bench.features.cache import FeatureCache
from bench.planning.plan import prepare


def search(evaluation: Evaluation, fold: int, cache: FeatureCache) -> tuple[Searched, int]:
    """The search of a fold, and its number of fits."""
    rounds, fits = Rounds(evaluation, fold), 0
    while (found := rounds.searched) is None:
        fit = rounds.ready()[0]
        rounds.take([fit])
        rounds.tell(fit, fit_inner(evaluation, fold, fit.params, rounds.inner[fit.part], cache))
        fits += 1
    return found, fits


def best_after(found: Searched, counts: list[int], minimise: bool) -> list[float]:
    """The best score among the first settings."""
    scores = [np.nan if trial.score is None else trial.score for trial in found.trials]
    return [float((np.nanmin if minimise else np.nanmax)(scores[:count])) for count in counts]


def told(differences: np.ndarray) -> str:
    """A mean with its standard error."""
    return f"{differences.mean():+.4f} ± {differences.std(ddof=1) / np.sqrt(len(differences)):.4f}"


def main() -> None:
    """Search, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task")
    parser.add_argument("model")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--batches", default="1,4,8,16")
    parser.add_argument("--prune", action="store_true")
    args = parser.parse_args()
    planned = prepare(compose([f"task={args.task}", f"model={args.model}", "tracking=false"]))
    evaluation = planned.runs[-1].evaluation
    task, cache = evaluation.task, FeatureCache(evaluation.task.frame)
    minimise = not task.scored_by.greater_is_better
    counts = sorted({10, 20, 30, args.trials} & set(range(args.trials + 1)))
    batches = [int(each) for each in args.batches.split(",")]
    variants = [(batch, prune) for batch in batches for prune in ((False, True) if args.prune else (False,))]
    best = {variant: [] for variant in variants}  # type: dict[tuple[int, bool], list[list[float]]]
    fits = dict.fromkeys(variants, 0)
    for repeat in range(args.repeats):
        fold = repeat % len(evaluation.splits)
        for batch, prune in variants:
            model = replace(evaluation.model, prune=prune)
            changed = replace(evaluation, model=model, search=Search("b", args.trials, None, batch), seed=repeat)
            found, done = search(changed, fold, cache)
            best[batch, prune].append(best_after(found, counts, minimise))
            fits[batch, prune] += done
        print(f"repeat {repeat + 1} of {args.repeats}", flush=True)
    print(f"{args.task}, {args.model}: best inner {task.scored_by.title} after {counts} settings")
    reference = np.array(best[batches[0], False])
    print(f"batch {batches[0]:>3}         {' '.join(f'{mean:.4f}          ' for mean in reference.mean(axis=0))}")
    for variant in variants[1:]:
        batch, prune = variant
        against = np.array(best[batch, False]) if prune else reference
        row = "  ".join(told(column) for column in (np.array(best[variant]) - against).T)
        share = f"  {fits[variant] / fits[batch, False]:.2f} of the fits" if prune else ""
        print(f"batch {batch:>3} {'pruned' if prune else '      '}  {row}{share}")


if __name__ == "__main__":
    main()
