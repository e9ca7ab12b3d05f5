"""Which part of a score's variance is seed, fold and group, measured on stored runs of several seeds.

Printed is a Markdown table with standard deviations of the primary metric, a row for each model:

- seed: between the pooled scores of seeds, which deal other folds, and draw other settings in the search;
- fold: between the scores of one seed's outer folds, on average over seeds;
- group: the error of the mean over seeds, by the larger of the bootstrap and the jackknife over groups;
- seed's share: of the variance of one seed's score, the part that is not of groups::

    bench run task=denial-news model=logreg,lexicon,complement-nb search=quick seeds=5
    python tests/benchmarks/seed_variance.py task=denial-news seeds=5
"""

from __future__ import annotations

import sys

import numpy as np

from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.statistics.bootstrap import bootstrap_error, jackknife_error


def main() -> None:
    """Print the table."""
    (selected,) = select(parse_compare_request(sys.argv[1:], several_seeds=True))
    runs = read_side_by_side(selected)
    n_groups, n_seeds = len(runs.group_names), len(runs.seeds)
    print("| model | mean | seed | fold | group | seed's share |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for run in runs.runs:
        seed = float(np.std(run.seed_scores, ddof=1))
        by_seed = runs.fold_scores(run).reshape(n_seeds, -1)
        fold = float(np.sqrt(by_seed.var(axis=1, ddof=1).mean())) if by_seed.shape[1] > 1 else 0.0
        left_out = runs.left_out_scores(run)
        group = bootstrap_error(runs.drawn_scores(run)[1], n_groups)
        group = group if left_out is None else max(group, jackknife_error(left_out))
        share = seed**2 / (seed**2 + group**2)
        print(f"| {run.name} | {run.score:.3f} | {seed:.3f} | {fold:.3f} | {group:.3f} | {100 * share:.0f} % |")


if __name__ == "__main__":
    main()
