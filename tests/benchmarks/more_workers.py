"""How the wall time falls with the workers, for fits that only sleep, so that one machine stands for many.

One cell is searched (32 settings, 3 inner folds, in rounds of 8 and of 16), then seven models on five outer folds each
with their final fits, by one worker and by several. The results must be the same. The coordinating process's own
processor time is told beside the wall time.

    python tests/benchmarks/more_workers.py [--workers 16] [--seconds 0.2] [--engine local]
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
sys.path.insert(0, str(Path(__file__).parent))
os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from bench.config import Execution, Search
from bench.data import Task
from bench.data.splits import outer_splits
from bench.evaluation.evaluation import Evaluation
from bench.models import Model
from bench.results.cell import FINAL
from bench.running.cells import Cell, run_cells

ROWS, GROUPS, LABELS = 240, 24, ("no", "yes")


class Sleeps(ClassifierMixin, BaseEstimator):
    """Sleeps in ``fit``, and predicts what it draws."""

    def __init__(self, seconds: float = 0.2, skill: float = 0.5) -> None:
        self.seconds, self.skill = seconds, skill

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Sleeps:
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        numbers = X["text"].str.len().to_numpy()
        return np.where(numbers % 10 < 10 * self.skill, self.classes_[0], self.classes_[-1])


def evaluations(models: int, trials: int, batch: int, seconds: float) -> list[Evaluation]:
    """The same task for each of some models."""
    rng = np.random.default_rng(0)
    groups = np.repeat([f"g{number:02d}" for number in range(GROUPS)], ROWS // GROUPS)
    examples = pd.DataFrame(
        {
            "id": [str(row) for row in range(ROWS)],
            "text": ["ن" * int(n) for n in rng.integers(5, 60, ROWS)],
            "label": rng.choice(LABELS, ROWS),
            "group": groups,
        }
    )
    task = Task("sleeping", 1, "", ("text",), LABELS, "macro_f1", "group", examples)
    content = {
        "estimator": "more_workers.Sleeps",
        "params": {"seconds": seconds},
        "search": {"skill": {"low": 0.0, "high": 1.0}},
    }
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    first = Model.parse({"name": "m0", **content}, "more_workers.py", "m0")
    search = Search("benchmark", trials, None, batch)
    return [Evaluation(task, replace(first, name=f"m{number}"), splits, search, 3, 0) for number in range(models)]


def timed(given: list[Evaluation], cells: Iterable[Cell], workers: int, engine: str) -> tuple[float, float, object]:
    """Seconds of the wall and of this process, and what came out."""
    cells, found = list(cells), {}
    own = time.process_time()
    start = time.perf_counter()
    for cell, result in run_cells(given, cells, workers, Execution(engine, engine=engine)):
        assert result.status == "ok", result.error
        found[cell] = (result.trials, result.scores)
    return time.perf_counter() - start, time.process_time() - own, found


def main() -> None:
    """Run all, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--engine", default="local", choices=["local", "dask"])
    args = parser.parse_args()
    # The processes are started once before, and their server has its libraries.
    timed(evaluations(1, 1, 1, 0.0), [Cell(0, 0)], 2, args.engine)
    for batch in (8, 16):
        given = evaluations(1, 32, batch, args.seconds)
        one, _, expected = timed(given, [Cell(0, 0)], 1, args.engine)
        many, own, found = timed(given, [Cell(0, 0)], args.workers, args.engine)
        assert found == expected, "the results differ"
        print(
            f"one cell, rounds of {batch:>2}: {one:6.1f} s on 1 worker, {many:5.1f} s on {args.workers}: "
            f"{one / many:4.1f} times as fast; the driver {own / many:.0%} of its core",
            flush=True,
        )
    given = evaluations(7, 32, 8, args.seconds)
    cells = [Cell(number, fold) for number in range(7) for fold in (*range(5), FINAL)]
    fits = len(cells) * (32 * 3 + 1)
    many, own, _ = timed(given, cells, args.workers, args.engine)
    ideal = fits * args.seconds / args.workers
    print(f"seven models, {len(cells)} cells: {many:5.1f} s on {args.workers} workers, {ideal:.1f} s of sleep each")
    print(f"  efficiency {ideal / many:.2f}; the driver {own / many:.0%} of its core")
    print(f"largest memory of the driver {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
