"""How far the score of the best of several models is from its true one, by simulation with real training.

Data sets are drawn and split as in ``verdicts.py``; eight models see them through views of their own. The true score of
the model that comes out best is the mean macro-F1 of its folds' models on 2,000 examples of new groups. ``equal``: all
views are alike. ``spread``: their signals go from a half to the whole. ``two``: half of the models see next to nothing.

Printed is a Markdown table: how much the score is above the true one on average, and in how many data sets its 95 %
interval holds it, for

- the score as it is, with Student's interval of the larger of the bootstrap's and the jackknife's error;
- the bootstrap bias-corrected one (Tsamardinos, Greasidou and Borboudakis 2018): the mean score of a draw's best model
  on the groups that the draw left out;
- the product's (`bench.statistics.winner.corrected_score`), which takes the same above the mean of all models, and
  whose interval has the factor for the fitting;
- the score less what a draw's best model gains in the draw over its score in all groups.

The last column has the share of data sets in which the intervals of all ranks hold the true ranks::

    python tests/benchmarks/winners.py
    python tests/benchmarks/winners.py --quick
    python tests/benchmarks/winners.py --write docs/development/measurements.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import sklearn
from verdicts import LEARNERS, METRIC, RATES, SIGNAL, Scenario, compared_runs, draw, splits_of, write

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from scores import label_scores

from bench.comparison.pairs import Pair, judged_pairs
from bench.comparison.ranking import corrected_best, rank_interval
from bench.metrics.confusion import confusion_matrix

MODELS = 8
SIGNALS = {
    "equal": np.ones(MODELS),
    "spread": np.linspace(0.5, 1.0, MODELS),
    "two": np.repeat([0.4, 1.0], MODELS // 2),
}
ROWS = (
    Scenario("logistic regression", None, "none", n_examples=300, n_models=MODELS),
    Scenario("logistic regression", 20, "strong", n_examples=300, n_models=MODELS),
    Scenario("decision tree", 50, "strong", "power", n_examples=300, n_models=MODELS),
    Scenario("naive Bayes", 20, "strong", labels="90/10", n_examples=1_000, n_models=MODELS),
    Scenario("logistic regression", 5, "strong", n_examples=300, n_models=MODELS),
)
TESTED = 2_000
METHODS = ("as it is", "bias-corrected", "**product**", "bias in the draw")


def simulate(scenario: Scenario, kind: str, seed: int) -> tuple[list[float], list[bool], bool]:
    """By method, how far the best score is above its true one and whether the interval holds that; and of the ranks."""
    rng = np.random.default_rng([seed, 11])
    signals = (SIGNAL[scenario.labels] * SIGNALS[kind]).tolist()
    views, labels, groups = draw(scenario, signals, rng)
    splits = splits_of(scenario, labels, groups, seed)
    more = replace(
        scenario, n_examples=TESTED, n_groups=None if scenario.n_groups is None else TESTED // 20, sizes="equal"
    )
    new_views, new_labels, _ = draw(more, signals, rng)
    n_labels = len(RATES[scenario.labels])
    model, params = LEARNERS[scenario.learner]
    predicted, true = [], []
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for view, new_view in zip(views, new_views, strict=True):
            fitted = [model(**params).fit(view[split.train], labels[split.train]) for split in splits]
            predicted.append(
                np.concatenate([each.predict(view[split.test]) for each, split in zip(fitted, splits, strict=True)])
            )
            scores = [
                label_scores(confusion_matrix(new_labels, each.predict(new_view), n_labels))[METRIC] for each in fitted
            ]
            true.append(float(np.mean(scores)))
    runs = compared_runs(scenario, splits, labels, groups, predicted, seed)
    best = runs.runs[0]
    truth = true[int(best.name.removeprefix("model-"))]
    corrected = corrected_best(runs)
    assert corrected is not None
    assert corrected.low is not None
    assert corrected.high is not None
    drawn = np.array([runs.drawn_scores(run)[1] for run in runs.runs])
    unseen = np.array([runs.unseen_scores(run) for run in runs.runs])
    usable = np.isfinite(unseen).all(axis=0)
    drawn, unseen = drawn[:, usable], unseen[:, usable]
    measured = np.array([run.summary.scores[METRIC] for run in runs.runs])
    picked, columns = drawn.argmax(axis=0), np.arange(drawn.shape[1])
    best_scores = [
        float(measured[0]),
        float(unseen[picked, columns].mean()),
        corrected.score,
        float(measured[0] - (drawn[picked, columns] - measured[picked]).mean()),
    ]
    half = (corrected.high - corrected.score) / runs.training_factor()
    reach = [half, half, half * runs.training_factor(), half]
    held = [bool(abs(score - truth) <= width) for score, width in zip(best_scores, reach, strict=True)]
    return (
        [score - truth for score in best_scores],
        held,
        _ranks_hold(runs.runs, judged_pairs(runs, 0.01, None), kind),
    )


def _ranks_hold(runs: Sequence[object], pairs: list[Pair], kind: str) -> bool:
    """Whether every model's interval of ranks holds its true rank; models of the same signal share theirs."""
    signals = SIGNALS[kind]
    for number, signal in enumerate(signals):
        low, high = rank_interval(f"model-{number}", pairs, len(runs))
        if low > 1 + int((signals > signal).sum()) or high < int((signals >= signal).sum()):
            return False
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Bias and coverage of the best score of eight models.")
    parser.add_argument("--repeats", type=int, default=200, help="data sets a row")
    parser.add_argument("--rows", type=int, nargs="+", default=list(range(len(ROWS))))
    parser.add_argument("--quick", action="store_true", help="10 data sets a row")
    parser.add_argument("--write", type=Path, help="a page with a place for the table")
    chosen = parser.parse_args(arguments)
    repeats = 10 if chosen.quick else chosen.repeats
    columns = [title for method in METHODS for title in (method, "covers")]
    lines = [
        f"| models | groups | labels | examples | who | {' | '.join(columns)} | ranks hold |",
        "| --- | ---: | --- | ---: | --- |" + " ---: |" * (2 * len(METHODS) + 1),
    ]
    print("\n".join(lines), flush=True)
    for place in chosen.rows:
        scenario = ROWS[place]
        for kind in SIGNALS:
            found = [simulate(scenario, kind, seed) for seed in range(repeats)]
            bias, covers = (np.mean([each[part] for each in found], axis=0) for part in (0, 1))
            cells = [f"{b:+.3f} | {100 * c:.1f}" for b, c in zip(bias, covers, strict=True)]
            groups = "each its own" if scenario.n_groups is None else str(scenario.n_groups)
            groups += ", power law" if scenario.sizes == "power" else ""
            about = f"{scenario.learner} | {groups} | {scenario.labels} | {scenario.n_examples} | {kind}"
            lines.append(f"| {about} | {' | '.join(cells)} | {100 * np.mean([each[2] for each in found]):.1f} |")
            print(lines[-1], flush=True)
    if chosen.write is not None:
        write(chosen.write, [("winners", line) for line in lines])


if __name__ == "__main__":
    main()
