"""How often a 95 % interval of macro-F1 covers the truth, by simulation.

Data sets of a few groups are drawn from a population whose macro-F1 is known. Groups differ in size, in
their label rates and in how well the classifier does on them. Each data set gets four intervals:

- the harness's, from `bench.statistics.interval.label_score_intervals`;
- the same with the standard error of the bootstrap by group alone, and with that of the jackknife that leaves
  one group out alone, the harness taking the larger of the two;
- the percentile interval of the bootstrap by group.

Bootstraps have 2,000 draws here, to save time; the harness takes 10,000.

Printed is a Markdown table of the share of data sets whose interval holds the truth, with its binomial
standard error, and of the intervals' mean width. The same arguments print the same table::

    python tests/benchmarks/interval_coverage.py
    python tests/benchmarks/interval_coverage.py --groups 5 10 --repeats 200
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.metrics import label_scores
from bench.statistics import interval as harness
from bench.statistics.interval import bootstrap_error, group_interval, jackknife_error, label_score_intervals

RECALL = np.array([0.85, 0.60, 0.50])
"""The classifier's recall of each label in the population; its errors fall evenly on the other labels."""


@dataclass(frozen=True)
class Population:
    """Where groups come from.

    Parameters
    ----------
    rates : tuple of float
        The labels' rates.
    concentration : float
        Of the Dirichlet and beta distributions of a group's label rates and recalls; less is more variation.
    """

    rates: tuple[float, ...]
    concentration: float


EVEN, RARE = (0.60, 0.25, 0.15), (0.90, 0.08, 0.02)
POPULATIONS = {
    "strong": Population(EVEN, 5.0),
    "moderate": Population(EVEN, 20.0),
    "weak": Population(EVEN, 100.0),
    "moderate, a rare label": Population(RARE, 20.0),
}
"""By what a row of the table says of the variation between groups."""

LEVEL = 0.95
METHODS = ("harness", "bootstrap", "jackknife", "percentile")
DRAWS = 2_000


def draw_groups(n_groups: int, population: Population, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw groups of 15 to 59 examples, as confusion matrices of shape (n_groups, n_labels, n_labels)."""
    n_labels, concentration = len(RECALL), population.concentration
    sizes = rng.integers(15, 60, n_groups)
    supports = rng.multinomial(sizes, rng.dirichlet(np.array(population.rates) * concentration, n_groups))
    recalls = rng.beta(RECALL * concentration, (1 - RECALL) * concentration, (n_groups, n_labels))
    answers = np.repeat((1 - recalls)[:, :, None] / (n_labels - 1), n_labels, axis=2)
    diagonal = np.arange(n_labels)
    answers[:, diagonal, diagonal] = recalls
    return rng.multinomial(supports, answers).astype(np.float64)


def macro_f1(confusions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score confusion matrices of shape (..., n_labels, n_labels)."""
    return label_scores(confusions)["macro_f1"]


def harness_interval(groups: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """The interval of the leaderboard."""
    with mock.patch.object(harness, "DRAWS", DRAWS):
        interval = label_score_intervals(groups, seed)["macro_f1"]
    return interval.low, interval.high


def bootstrap_draws(groups: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The macro-F1 of each draw of whole groups, of shape (n_draws,)."""
    n_groups = len(groups)
    weights = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=DRAWS)
    return macro_f1(np.tensordot(weights.astype(np.float64), groups, axes=1))


def percentile_interval(groups: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Quantiles of a bootstrap by group (Efron and Tibshirani 1993, chapter 13)."""
    low, high = np.quantile(bootstrap_draws(groups, seed), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def bootstrap_interval(groups: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Student's interval on the logit scale with the bootstrap's standard error."""
    return _students(groups, bootstrap_error(bootstrap_draws(groups, seed), len(groups)))


def jackknife_interval(groups: NDArray[np.float64], _seed: int) -> tuple[float, float]:
    """Student's interval on the logit scale with the jackknife's standard error."""
    return _students(groups, jackknife_error(macro_f1(groups.sum(axis=0) - groups)))


def _students(groups: NDArray[np.float64], error: float) -> tuple[float, float]:
    interval = group_interval(float(macro_f1(groups.sum(axis=0))), error, len(groups), (0.0, 1.0), LEVEL)
    return interval.low, interval.high


def simulate(n_groups: int, variation: str, repeats: int, seed: int) -> dict[str, tuple[float, float]]:
    """Estimate coverage and mean width of each method.

    Parameters
    ----------
    n_groups : int
        Groups of each data set.
    variation : str
        The name of one of `POPULATIONS`.
    repeats : int
        Data sets.
    seed : int
        Seed of the whole simulation.

    Returns
    -------
    dict of str to (float, float)
        By method: the share of intervals that hold the truth, and their mean width.
    """
    population = POPULATIONS[variation]
    truth = float(macro_f1(draw_groups(100_000, population, np.random.default_rng(seed)).sum(axis=0)))
    rng = np.random.default_rng([seed, n_groups, list(POPULATIONS).index(variation)])
    functions = (harness_interval, bootstrap_interval, jackknife_interval, percentile_interval)
    methods = dict(zip(METHODS, functions, strict=True))
    ends = {name: np.empty((repeats, 2)) for name in methods}
    for repeat in range(repeats):
        groups = draw_groups(n_groups, population, rng)
        for name, interval in methods.items():
            ends[name][repeat] = interval(groups, repeat)
    return {
        name: (float(((low_high[:, 0] <= truth) & (truth <= low_high[:, 1])).mean()), float(np.ptp(low_high, 1).mean()))
        for name, low_high in ends.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Coverage and mean width of 95 %% intervals of macro-F1.")
    parser.add_argument("--groups", type=int, nargs="+", default=[5, 10, 20, 40], help="groups of a data set")
    parser.add_argument(
        "--variation", nargs="+", choices=list(POPULATIONS), default=list(POPULATIONS), help="how much groups differ"
    )
    parser.add_argument("--repeats", type=int, default=4000, help="data sets for each row of the table")
    parser.add_argument("--seed", type=int, default=0, help="seed of the simulation")
    chosen = parser.parse_args(arguments)
    if min(chosen.groups) < 2 or chosen.repeats < 1:
        parser.error("--groups must be at least 2 each, --repeats at least 1")
    print("| groups | variation | " + " | ".join(f"{name} | width" for name in METHODS) + " |")
    print("| ---: | --- |" + " ---: | ---: |" * len(METHODS))
    for n_groups in chosen.groups:
        for variation in chosen.variation:
            cells = []
            for coverage, width in simulate(n_groups, variation, chosen.repeats, chosen.seed).values():
                error = np.sqrt(coverage * (1 - coverage) / chosen.repeats)
                cells.append(f"{coverage:.1%} ± {error:.1%} | {width:.3f}".replace("%", " %"))
            print(f"| {n_groups} | {variation} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
