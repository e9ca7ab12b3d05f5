"""How often the harness's 95 % intervals cover the truth, on a fixed grid of settings.

A data set is drawn from a population, labelled by the classifier that knows the population's mean, and given
intervals by `bench.statistics.interval`. The truth is the score of 1.2 million examples of the same population. The
grid is all combinations of

- groups: every example its own (200 and 1,000 of them), 3 and 5 groups of 100 examples, 5, 8, 20, 50, 200 and 1,000
  groups of 20, the sizes equal or by a power law (Pareto's with exponent 1.2, cut at 200 times the least);
- how much groups differ: not at all, moderately or strongly, in their labels' rates and in how hard they are;
- the labels' rates: 50/50, 90/10, 98/2, and nine labels of 30 to 2 %;
- the protocol: each example predicted once, and for some settings three times, as in a repeated cross-validation.

Printed is the page ``docs/coverage.md``: of each metric the share of intervals that hold the truth. The same arguments
print the same page::

    python tests/benchmarks/interval_coverage.py --repeats 500 > docs/coverage.md
    python tests/benchmarks/interval_coverage.py --repeats 100 --groups 5 20 --rates 98/2
"""

from __future__ import annotations

import argparse
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.metrics import grouped_confusion, label_scores, per_class, probability_scores
from bench.statistics.interval import Interval, label_score_intervals, probability_score_intervals

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

RATES: dict[str, tuple[float, ...]] = {
    "50/50": (0.5, 0.5),
    "90/10": (0.9, 0.1),
    "98/2": (0.98, 0.02),
    "nine": (0.30, 0.20, 0.14, 0.11, 0.08, 0.06, 0.05, 0.04, 0.02),
}
SEPARATION = {2: 2.0, 9: 2.6}
"""By the number of labels: how far the label shifts its column, whose noise has the deviation 1."""

EFFECTS = {"none": (0.0, np.inf), "moderate": (0.3, 20.0), "strong": (0.7, 4.0)}
"""The deviation of a group's shift of a column, and the concentration of its labels' rates (Dirichlet's)."""

GROUPS = ((200, 1), (1000, 1), (3, 100), (5, 20), (5, 100), (8, 20), (20, 20), (50, 20), (200, 20), (1000, 20))
"""How many groups, and their mean number of examples."""

LEAST, MOST = 0.93, 0.97
POPULATION = 1_200_000
AGAIN = 0.5
"""The deviation of what differs between repeats of one example's prediction."""

PAGE = """# How often intervals cover

Made by `tests/benchmarks/interval_coverage.py` with {repeats:,} data sets a row. The method is in
[statistics.md](statistics.md#intervals). Each cell is the share, in %, of the 95 % intervals that hold the population's
score. After a slash stands the share of data sets that were given an interval, where that is not all; `none` is less
than 5 %. **Bold** is less than 93 %, *italics* more than 97 %, where chance does not explain it (two standard errors).

- **groups**: how many, times the mean number of examples; `x 1` is every example by itself, as in a published split
  without groups. With `3 repeats` each example is predicted three times, as in a repeated cross-validation.
- **sizes**: equal, or by a power law (the largest group often has a fifth of the examples, and some data sets half).
- **differ**: how much groups differ in their labels' rates and in how hard they are.
- **labels**: the labels' rates; `nine` is nine labels of 30 to 2 %. The last three columns are the rarest label's.
"""

METRICS = ("macro_f1", "accuracy", "balanced_accuracy", "mcc", "log_loss", "brier", "average_precision")
OF_THE_RAREST = ("f1", "precision", "recall")


@dataclass(frozen=True)
class Setting:
    """A row of the table.

    Parameters
    ----------
    n_groups, size : int
        Groups, and their mean number of examples.
    sizes : {"equal", "power law"}
        How unequal they are.
    effect : str
        One of `EFFECTS`.
    rates : str
        One of `RATES`.
    repeats : int
        How often each example is predicted.
    """

    n_groups: int
    size: int
    sizes: str
    effect: str
    rates: str
    repeats: int = 1


def settings() -> Iterator[Setting]:
    """The rows of the table."""
    for n_groups, size in GROUPS:
        for sizes in ("equal",) if size == 1 else ("equal", "power law"):
            for effect in ("none",) if size == 1 else EFFECTS:
                for rates in RATES:
                    yield Setting(n_groups, size, sizes, effect, rates)
    for n_groups, size in ((1000, 1), (5, 100), (50, 20)):
        for rates in RATES:
            yield Setting(n_groups, size, "equal", "none" if size == 1 else "moderate", rates, repeats=3)


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of a data set; arrays have a row for each example and repeat."""

    groups: Codes
    true: Codes
    probabilities: Floats
    parts: Codes


def draw(setting: Setting, n_groups: int, rng: np.random.Generator) -> Predictions:
    """Draw a data set of so many groups, with predictions."""
    rates = np.array(RATES[setting.rates])
    shift, concentration = EFFECTS[setting.effect]
    n_labels = len(rates)
    sizes = np.full(n_groups, setting.size)
    if setting.sizes == "power law":
        pareto = np.minimum(rng.pareto(1.2, n_groups) + 1.0, 200.0)
        sizes = np.maximum(1, np.round(pareto * setting.size / 4.0)).astype(int)
    groups = np.repeat(np.arange(n_groups), sizes)
    varied = not np.isinf(concentration)
    of_groups = rng.dirichlet(rates * concentration, n_groups) if varied else np.tile(rates, (n_groups, 1))
    true = (rng.random(len(groups))[:, None] > of_groups.cumsum(axis=1)[groups][:, :-1]).sum(axis=1)
    seen = rng.normal(size=(len(groups), n_labels))
    if shift:
        seen += (shift * rng.normal(size=(n_groups, n_labels)))[groups]
    separation = SEPARATION[n_labels]
    seen[np.arange(len(groups)), true] += separation
    again = [
        seen + (AGAIN * rng.normal(size=seen.shape) if setting.repeats > 1 else 0.0) for _ in range(setting.repeats)
    ]
    logits = separation * np.concatenate(again) + np.log(rates)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    parts = np.repeat(np.arange(setting.repeats), len(groups))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return Predictions(np.tile(groups, setting.repeats), np.tile(true, setting.repeats), probabilities, parts)


def truth(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """The population's scores."""
    n_groups = max(POPULATION // (setting.size * setting.repeats), 12_000)
    found = draw(setting, n_groups, rng)
    confusion = _by_group(found, 1, np.zeros_like(found.groups))[0]
    rarest = {name: float(per_class(confusion)[name][-1]) for name in OF_THE_RAREST}
    scores = {name: float(score) for name, score in label_scores(confusion).items()}
    return scores | probability_scores(found.probabilities, found.true, found.parts) | rarest


def intervals(found: Predictions, n_groups: int) -> dict[str, Interval | None]:
    """The harness's intervals."""
    of_labels = label_score_intervals(_by_group(found, n_groups, found.groups))
    of_probabilities = probability_score_intervals(found.probabilities, found.true, found.groups, found.parts)
    given = of_labels.given | of_probabilities.given
    return {name: given.get(name) for name in METRICS} | {name: of_labels.by_label[name][-1] for name in OF_THE_RAREST}


def _by_group(found: Predictions, n_groups: int, groups: Codes) -> NDArray[np.int64]:
    n_labels = found.probabilities.shape[1]
    return np.asarray(
        grouped_confusion(found.true, found.probabilities.argmax(axis=1), groups, n_groups, n_labels), dtype=np.int64
    )


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


def coverage(setting: Setting, repeats: int, seed: int = 0) -> dict[str, Coverage]:
    """Draw data sets of one setting and count how often their intervals hold the truth."""
    place = list(settings()).index(setting)
    rng = np.random.default_rng([seed, place])
    true = truth(setting, rng)
    found: dict[str, list[Interval]] = {name: [] for name in true}
    for _ in range(repeats):
        for name, interval in intervals(draw(setting, setting.n_groups, rng), setting.n_groups).items():
            if interval is not None:
                found[name].append(interval)
    return {
        name: Coverage(
            len(all_of),
            sum(each.low <= true[name] <= each.high for each in all_of),
            float(np.mean([each.high - each.low for each in all_of])) if all_of else float("nan"),
        )
        for name, all_of in found.items()
    }


def cell(found: Coverage, repeats: int) -> str:
    """A cell of the table."""
    if found.given < 0.05 * repeats:
        return "none"
    text, tolerance = f"{100 * found.share:.0f}", 2.0 * np.sqrt(0.95 * 0.05 / found.given)
    if found.share < LEAST and found.share < 0.95 - tolerance:
        text = f"**{text}**"
    elif found.share > MOST and found.share > 0.95 + tolerance:
        text = f"*{text}*"
    return text if found.given == repeats else f"{text} / {100 * found.given / repeats:.0f}"


def line_head(setting: Setting) -> str:
    """How the row of a setting begins."""
    groups = f"{setting.n_groups:,} x {setting.size}"
    protocol = "" if setting.repeats == 1 else f", {setting.repeats} repeats"
    sizes = setting.sizes if setting.size > 1 else ""
    return f"| {groups}{protocol} | {sizes} | {setting.effect} | {setting.rates} |"


def line(setting: Setting, found: Mapping[str, Coverage], repeats: int) -> str:
    """A row of the table."""
    cells = [cell(found[name], repeats) for name in (*METRICS, *OF_THE_RAREST)]
    return f"{line_head(setting)} {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Coverage of 95 %% intervals on a grid of settings.")
    parser.add_argument("--repeats", type=int, default=1000, help="data sets for each row of the table")
    parser.add_argument("--groups", type=int, nargs="+", help="only rows with so many groups")
    parser.add_argument("--rates", nargs="+", choices=list(RATES), help="only rows with these rates")
    parser.add_argument("--seed", type=int, default=0, help="seed of the simulation")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    chosen = parser.parse_args(arguments)
    if chosen.repeats < 1:
        parser.error("--repeats must be at least 1")
    rows = [
        setting
        for setting in settings()
        if (chosen.groups is None or setting.n_groups in chosen.groups)
        and (chosen.rates is None or setting.rates in chosen.rates)
    ]
    titles = ["groups", "sizes", "differ", "labels", *METRICS, *(f"rarest {name}" for name in OF_THE_RAREST)]
    print(PAGE.format(repeats=chosen.repeats))
    print(f"| {' | '.join(titles)} |")
    print("| --- | --- | --- | --- |" + " ---: |" * (len(titles) - 4))
    with ProcessPoolExecutor(chosen.workers) as pool:
        for setting, found in zip(
            rows, pool.map(partial(coverage, repeats=chosen.repeats, seed=chosen.seed), rows), strict=True
        ):
            print(line(setting, found, chosen.repeats), flush=True)


if __name__ == "__main__":
    main()
