"""How often a slice of the examples in which a model is worse is called so.

Each simulated data set has five slices of equally many groups. A model is right about 75 % of the examples, which
varies from group to group by up to 15 points to each side, and about fewer in the first slice. Its predictions are
drawn, and the interval has the factor of five folds for fitting, as in the harness.

Printed is a Markdown table, in percent of the data sets: how often the first slice is called worse than the rest, and
how often another slice is called better or worse than the rest, which has the first slice in it::

    PYTHONPATH=tests/helpers python tests/benchmarks/slice_verdicts.py [REPEATS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from stored import a_record, a_summary

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.slices import against_the_rest
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.results.store import RunFolder

SLICES = 5
FOLDS = 5
RIGHT = 0.75
VARIES = 0.15
METRIC = find_metric("accuracy")


def data_set(groups_of_slice: int, per_group: int, lost: float, rng: np.random.Generator) -> ComparedRuns:
    """A model's drawn predictions; the slice of a group is its number modulo `SLICES`."""
    n_groups = SLICES * groups_of_slice
    groups = np.repeat(np.arange(n_groups), per_group)
    right = RIGHT + rng.uniform(-VARIES, VARIES, n_groups) - lost * (np.arange(n_groups) % SLICES == 0)
    true = rng.integers(0, 2, len(groups))
    predicted = np.where(rng.random(len(groups)) < right[groups], true, 1 - true)
    outcomes = Outcomes(true, predicted, 2, groups, groups // SLICES % FOLDS)
    score = METRIC.score(outcomes)
    record = a_record({"labels": ["0", "1"], "n_examples": len(groups), "splits": {}}, name="model")
    run = ComparedRun("model", RunFolder(Path("model")), record, a_summary({"accuracy": score}, []), outcomes, score)
    return ComparedRuns(
        task=record.task,
        metric=METRIC,
        runs=[run],
        ids=np.arange(len(groups)).astype(object),
        group_names=[str(group) for group in range(n_groups)],
        notes=[],
    )


def called(groups_of_slice: int, per_group: int, lost: float, seed: int) -> tuple[bool, bool]:
    """Whether the first slice is called worse than the rest, and whether another is called anything."""
    runs = data_set(groups_of_slice, per_group, lost, np.random.default_rng([seed, groups_of_slice, per_group]))
    verdicts = []
    for number in range(SLICES):
        found = against_the_rest(runs, runs.groups % SLICES == number, SLICES)["model"]
        verdicts.append("undecided" if found is None else found.verdict)
    return verdicts[0] == "worse", any(verdict in ("better", "worse") for verdict in verdicts[1:])


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("| groups in each slice | examples of a group | points lost | called worse | another called |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for groups_of_slice, per_group in ((6, 20), (12, 20), (40, 5), (40, 20), (100, 5), (100, 1), (400, 1)):
        for lost in (0.0, 0.05, 0.10, 0.20):
            found = np.mean([called(groups_of_slice, per_group, lost, seed) for seed in range(repeats)], axis=0)
            shares = " | ".join(f"{100 * share:.1f}" for share in found)
            print(f"| {groups_of_slice} | {per_group} | {100 * lost:.0f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
