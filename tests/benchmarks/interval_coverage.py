"""How often the harness's 95 % intervals cover the truth, on a fixed grid of settings.

A data set is drawn from a population, labelled by the classifier that knows the population's mean, and given
intervals by `bench.statistics.interval`. The truth is the score of 1.2 million examples of the same population. The
grid is all combinations of

- groups: every example its own (200 and 1,000 of them), 3 and 5 groups of 100 examples, 5, 8, 20, 50, 200 and 1,000
  groups of 20, the sizes equal or by a power law (Pareto's with exponent 1.2, cut at 200 times the least);
- how much groups differ: not at all, moderately or strongly, in their labels' rates and in how hard they are;
- the labels' rates: 50/50, 90/10, 98/2, and nine labels of 30 to 2 %;
- the protocol: each example predicted once, and for some settings three times, as in a repeated cross-validation.

A second part, "beyond the grid", has settings in which an interval is likely to fail: large groups that are harder
than small ones, groups of which now and then one is all wrong, many labels that are nearly all right, and calibration
errors of few or very sharp predictions.

The script makes ``docs/method/coverage.csv``, for each setting and metric the share of intervals that hold the truth,
and the page ``docs/method/coverage.md`` that sums it up. The same arguments give the same figures::

    python tests/benchmarks/interval_coverage.py --repeats 500 --write docs/method
    python tests/benchmarks/interval_coverage.py --repeats 100 --groups 5 20 --rates 98/2     # prints figures
    python tests/benchmarks/interval_coverage.py --figures docs/method/coverage.csv           # prints the page
"""

from __future__ import annotations

import argparse
import os
import sys

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from coverage_page import HIGHER, LOWER, NOMINAL, NONE, Figure, page, read_figures, replaced, write_figures
from numpy.typing import NDArray

from bench.metrics.confusion import per_class
from bench.metrics.f1 import MACRO_F1
from bench.metrics.metric import Metric
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.metrics.scoring import all_intervals, all_scores
from bench.statistics.calibration import BINS, FEWEST_IN_BIN, Reliability, reliability
from bench.statistics.interval import Interval

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

RATES: dict[str, tuple[float, ...]] = {
    "50/50": (0.5, 0.5),
    "90/10": (0.9, 0.1),
    "98/2": (0.98, 0.02),
    "nine": (0.30, 0.20, 0.14, 0.11, 0.08, 0.06, 0.05, 0.04, 0.02),
}
EASY: dict[str, tuple[float, ...]] = {"easy 50/50": (0.5, 0.5), "easy twenty": (0.05,) * 20}
"""Labels that are nearly all predicted right."""

SEPARATION = dict.fromkeys(RATES, 2.0) | {"nine": 2.6, "easy 50/50": 3.5, "easy twenty": 5.0}
"""How far the label shifts its column, whose noise has the deviation 1."""

HARDER = 0.25
"""Where large groups are harder, a group's separation falls with this power of its size."""

EFFECTS = {"none": (0.0, np.inf), "moderate": (0.3, 20.0), "strong": (0.7, 4.0)}
"""The deviation of a group's shift of a column, and the concentration of its labels' rates (Dirichlet's)."""

SOME_FAIL = "some fail"
FAILING = 0.05
"""The rate of groups whose predictions are all of another label, where some fail."""

GROUPS = ((200, 1), (1000, 1), (3, 100), (5, 20), (5, 100), (8, 20), (20, 20), (50, 20), (200, 20), (1000, 20))
"""How many groups, and their mean number of examples."""

LEAST, MOST = 0.93, 0.97
POPULATION = 1_200_000
AGAIN = 0.5
"""The deviation of what differs between repeats of one example's prediction."""

METRICS = ("macro_f1", "accuracy", "balanced_accuracy", "mcc", "log_loss", "brier", "average_precision", "macro_auroc")
METRIC_OF = {name: find_metric(name) for name in METRICS}
OF_THE_RAREST = {"f1": "rarest f1", "precision": "rarest precision", "recall": "rarest recall"}


@dataclass(frozen=True)
class Setting:
    """A setting of the simulation.

    Parameters
    ----------
    n_groups, size : int
        Groups, and their mean number of examples.
    sizes : {"equal", "power law", "large harder"}
        How unequal they are.
    effect : str
        One of `EFFECTS`, or `SOME_FAIL`.
    rates : str
        One of `RATES` or `EASY`.
    repeats : int
        How often each example is predicted.
    sure : float
        The factor of the logits; with 1 the probabilities are those of the population.
    """

    n_groups: int
    size: int
    sizes: str
    effect: str
    rates: str
    repeats: int = 1
    sure: float = 1.0


def settings() -> Iterator[Setting]:
    """The settings of the grid."""
    for n_groups, size in GROUPS:
        for sizes in ("equal",) if size == 1 else ("equal", "power law"):
            for effect in ("none",) if size == 1 else EFFECTS:
                for rates in RATES:
                    yield Setting(n_groups, size, sizes, effect, rates)
    for n_groups, size in ((1000, 1), (5, 100), (50, 20)):
        for rates in RATES:
            yield Setting(n_groups, size, "equal", "none" if size == 1 else "moderate", rates, repeats=3)


def beyond() -> Iterator[Setting]:
    """The settings beyond the grid."""
    for n_groups in (8, 15, 50):
        for rates in ("50/50", "90/10", "nine"):
            yield Setting(n_groups, 20, "large harder", "moderate", rates)
    for n_groups, size in ((400, 1), (1000, 1), (50, 20)):
        yield Setting(n_groups, size, "equal", "none", "easy twenty")
    for n_groups, size in ((60, 1), (100, 1), (200, 1), (1000, 1), (10, 20), (50, 20)):
        for rates in ("50/50", "easy 50/50", "nine"):
            for sure in (1.0, 2.0):
                yield Setting(n_groups, size, "equal", "none" if size == 1 else "moderate", rates, sure=sure)
    for n_groups, size in ((20, 20), (50, 20), (200, 20)):
        for rates in ("50/50", "90/10", "easy 50/50"):
            yield Setting(n_groups, size, "equal", SOME_FAIL, rates)


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of a data set; arrays have a row for each example and repeat."""

    groups: Codes
    true: Codes
    probabilities: Floats
    parts: Codes


def draw(setting: Setting, n_groups: int, rng: np.random.Generator) -> Predictions:
    """Draw a data set of so many groups, with predictions."""
    rates = np.array((RATES | EASY)[setting.rates])
    shift, concentration = EFFECTS["none" if setting.effect == SOME_FAIL else setting.effect]
    n_labels = len(rates)
    sizes = np.full(n_groups, setting.size)
    if setting.sizes != "equal":
        pareto = np.minimum(rng.pareto(1.2, n_groups) + 1.0, 200.0)
        sizes = np.maximum(1, np.round(pareto * setting.size / 4.0)).astype(int)
    groups = np.repeat(np.arange(n_groups), sizes)
    varied = not np.isinf(concentration)
    of_groups = rng.dirichlet(rates * concentration, n_groups) if varied else np.tile(rates, (n_groups, 1))
    true = (rng.random(len(groups))[:, None] > of_groups.cumsum(axis=1)[groups][:, :-1]).sum(axis=1)
    seen = rng.normal(size=(len(groups), n_labels))
    if shift:
        seen += (shift * rng.normal(size=(n_groups, n_labels)))[groups]
    separation = SEPARATION[setting.rates]
    easier = sizes[groups] ** -HARDER if setting.sizes == "large harder" else 1.0
    seen[np.arange(len(groups)), true] += separation * easier
    again = [
        seen + (AGAIN * rng.normal(size=seen.shape) if setting.repeats > 1 else 0.0) for _ in range(setting.repeats)
    ]
    logits = setting.sure * (separation * np.concatenate(again) + np.log(rates))
    if setting.effect == SOME_FAIL:
        fails = np.tile((rng.random(n_groups) < FAILING)[groups], setting.repeats)
        logits[fails] = np.where(np.eye(n_labels)[(true[fails] + 1) % n_labels] == 1, 5.0, -5.0)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    parts = np.repeat(np.arange(setting.repeats), len(groups))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return Predictions(np.tile(groups, setting.repeats), np.tile(true, setting.repeats), probabilities, parts)


def truth(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """The population's scores."""
    found = _population(setting, rng)
    outcomes = _outcomes(found)
    rarest = {title: float(per_class(outcomes.confusion)[name][-1]) for name, title in OF_THE_RAREST.items()}
    scores = {name: score for name, score in all_scores(outcomes, MACRO_F1).items() if name in METRICS} | rarest
    if setting in beyond():
        scores["calibration"] = _calibration(found, np.arange(len(found.true)) % 1000, _bins(setting)).error
    return scores


def _population(setting: Setting, rng: np.random.Generator) -> Predictions:
    return draw(setting, max(POPULATION // (setting.size * setting.repeats), 12_000), rng)


def _bins(setting: Setting) -> int:
    """The bins that a data set of a setting has; the population's error is by as many."""
    return max(1, min(BINS, setting.n_groups * setting.size // FEWEST_IN_BIN))


def _calibration(found: Predictions, groups: Codes, bins: int) -> Reliability:
    correct = found.probabilities.argmax(axis=1) == found.true
    return reliability(found.probabilities.max(axis=1), correct, groups, bins)


def intervals(found: Predictions, n_groups: int) -> dict[str, Interval | None]:
    """The harness's intervals."""
    outcomes = _outcomes(found)
    given, by_label = all_intervals(outcomes, MACRO_F1)[0], outcomes.shares.by_label()
    return {name: given.get(name) for name in METRICS} | {
        title: by_label[name][-1] for name, title in OF_THE_RAREST.items()
    }


def _outcomes(found: Predictions) -> Outcomes:
    predicted = found.probabilities.argmax(axis=1)
    return Outcomes(found.true, predicted, found.probabilities.shape[1], found.groups, found.parts, found.probabilities)


@dataclass(frozen=True)
class Coverage:
    """What the intervals of one metric did in one setting.

    Parameters
    ----------
    given : int
        Data sets with an interval.
    held : int
        Those of them whose interval holds the truth.
    width : float
        The mean width; NaN without any.
    """

    given: int
    held: int
    width: float

    @property
    def share(self) -> float:
        """The share of intervals that hold the truth."""
        return self.held / self.given


def coverage(setting: Setting, repeats: int, seed: int = 0, only: str | None = None) -> dict[str, Coverage]:
    """Draw data sets of one setting and count how often their intervals hold the truth, of all metrics or of one."""
    place = [*settings(), *beyond()].index(setting)
    rng = np.random.default_rng([seed, place])
    if only is not None:
        return _of_one(METRIC_OF[only], setting, repeats, rng)
    true = truth(setting, rng)
    found: dict[str, list[Interval]] = {name: [] for name in true}
    for _ in range(repeats):
        drawn = draw(setting, setting.n_groups, rng)
        given = intervals(drawn, setting.n_groups)
        if "calibration" in true:
            given["calibration"] = _calibration(drawn, drawn.groups, _bins(setting)).interval
        for name, interval in given.items():
            if interval is not None:
                found[name].append(interval)
    return {name: _held(all_of, true[name]) for name, all_of in found.items()}


def _of_one(metric: Metric, setting: Setting, repeats: int, rng: np.random.Generator) -> dict[str, Coverage]:
    """The same data sets as those of all metrics, and so the same figures."""
    true = metric.score(_outcomes(_population(setting, rng)))
    given = [metric.interval(_outcomes(draw(setting, setting.n_groups, rng))) for _ in range(repeats)]
    return {metric.name: _held([each for each in given if isinstance(each, Interval)], true)}


def _held(found: Sequence[Interval], true: float) -> Coverage:
    width = float(np.mean([each.high - each.low for each in found])) if found else float("nan")
    return Coverage(len(found), sum(each.low <= true <= each.high for each in found), width)


def every_row() -> Iterator[tuple[str, Setting]]:
    """The rows of both parts; some settings are in both."""
    yield from (("grid", setting) for setting in settings())
    yield from (("beyond", setting) for setting in beyond())


def head(part: str, setting: Setting) -> tuple[str, int, int, int, str, str, str]:
    """How the figures of a setting begin."""
    sizes = setting.sizes if setting.size > 1 else ""
    labels = setting.rates if setting.sure == 1.0 else f"{setting.rates}, too sure"
    return part, setting.n_groups, setting.size, setting.repeats, sizes, setting.effect, labels


def rated(found: Coverage, repeats: int) -> tuple[int, int, str]:
    """The share of data sets with an interval and that of intervals that hold, in %, and the verdict on the latter."""
    if found.given < 0.05 * repeats:
        return 0, 0, NONE
    verdict, tolerance = NOMINAL, 2.0 * np.sqrt(0.95 * 0.05 / found.given)
    if found.share < LEAST and found.share < 0.95 - tolerance:
        verdict = LOWER
    elif found.share > MOST and found.share > 0.95 + tolerance:
        verdict = HIGHER
    return int(f"{100 * found.given / repeats:.0f}"), int(f"{100 * found.share:.0f}"), verdict


def simulated(
    rows: Sequence[tuple[str, Setting]], repeats: int, seed: int, workers: int, only: str | None = None
) -> Iterator[Figure]:
    """The figures of these rows, as they come, of all metrics or of one."""
    with ProcessPoolExecutor(workers) as pool:
        count = partial(coverage, repeats=repeats, seed=seed, only=only)
        for (part, setting), found in zip(rows, pool.map(count, [setting for _, setting in rows]), strict=True):
            every = (*METRICS, *OF_THE_RAREST.values(), *(["calibration"] if part == "beyond" else []))
            for name in every if only is None else (only,):
                yield Figure(*head(part, setting), name, repeats, *rated(found[name], repeats))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print figures, or make the page and its table."""
    parser = argparse.ArgumentParser(description="Coverage of 95 %% intervals on a grid of settings.")
    parser.add_argument("--repeats", type=int, default=1000, help="data sets for each setting")
    parser.add_argument("--groups", type=int, nargs="+", help="only settings with so many groups")
    parser.add_argument("--rates", nargs="+", choices=list(RATES | EASY), help="only settings with these rates")
    parser.add_argument("--metric", choices=METRICS, help="only this metric; --write keeps the figures of the others")
    parser.add_argument("--seed", type=int, default=0, help="seed of the simulation")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write coverage.csv and coverage.md into a folder")
    parser.add_argument("--figures", type=Path, metavar="CSV", help="simulate nothing: print the page of these figures")
    chosen = parser.parse_args(arguments)
    if chosen.figures is not None:
        print(page(read_figures(chosen.figures)), end="")
        return
    if chosen.repeats < 1:
        parser.error("--repeats must be at least 1")
    if chosen.write is not None and (chosen.groups or chosen.rates):
        parser.error("--write takes all settings: leave out --groups and --rates")
    rows = [
        (part, setting)
        for part, setting in every_row()
        if (chosen.groups is None or setting.n_groups in chosen.groups)
        and (chosen.rates is None or setting.rates in chosen.rates)
    ]
    figures = simulated(rows, chosen.repeats, chosen.seed, chosen.workers, chosen.metric)
    if chosen.write is None:
        write_figures(figures, sys.stdout)
        return
    table = chosen.write / "coverage.csv"
    if chosen.metric is not None:
        figures = iter(replaced(read_figures(table), list(figures)))
    with table.open("w", encoding="utf-8", newline="") as file:
        write_figures(figures, file)
    (chosen.write / "coverage.md").write_text(page(read_figures(table)), encoding="utf-8")


if __name__ == "__main__":
    main()
