"""How often the verdict of a comparison is right, by simulation with real training.

Each repeat draws a data set, splits it (with `bench.data.splits.split_by_group`, or once into a training and a
test part, as published data are), fits two models on every training part, predicts, and asks
`bench.comparison.pairs.judged_pairs` for the verdict on the pooled predictions. Both models are of one kind and see
the same examples, each through a view of its own. The two views are drawn from the same distribution, so the models are
equally good by symmetry; a part of the variance of what shifts a group or an example is shared, so their errors are
correlated as those of real models are. Where one is to be better, the other's signal is weakened until its macro-F1 on
new groups is lower by the loss.

A label shifts one of ten columns (in one row there are more, of noise alone). Where the group effect is strong, a group
shifts all columns and has label rates of its own. Bootstraps have 400 draws here, to save time; the harness takes
2,000.

Printed is a Markdown table with exact binomial intervals of 95 % (Clopper and Pearson 1934) for the verdict "better"
(for the right model, where there is one), and shares in % of what other rules would say at 5 %. The same arguments
print the same table::

    python tests/benchmarks/verdicts.py                     # the table of docs/development/measurements.md
    python tests/benchmarks/verdicts.py --full              # every combination, which takes very long
    python tests/benchmarks/verdicts.py --rows 0 3 --repeats 2000
    python tests/benchmarks/verdicts.py --quick
    python tests/benchmarks/verdicts.py --write docs/development/measurements.md
"""

from __future__ import annotations

import argparse
import os
import sys

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

import math
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from scores import label_scores
from stored import a_record, a_summary

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.pairs import Pair, judged_pairs
from bench.comparison.verdict import groups_to_decide
from bench.data.splits import Split, n_dealt, split_by_group
from bench.metrics.confusion import confusion_matrix
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.results.store import RunFolder
from bench.statistics.bootstrap import GroupBootstrap, bootstrap_error, group_indices

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

DRAWS = 400
FOLDS = 5
LEVEL = 0.05
METRIC = "macro_f1"
TEST_SHARE = 0.3
"""The share of the groups that a published split tests on."""

RATES = {
    "50/50": np.array([0.5, 0.5]),
    "90/10": np.array([0.9, 0.1]),
    "nine": np.array([0.25, 0.20, 0.15, 0.10, 0.10, 0.07, 0.06, 0.04, 0.03]),
}
SIGNAL = {"50/50": 1.2, "90/10": 1.5, "nine": 2.2}
"""How far a label shifts its column, where an example's own noise has the deviation 1."""

LEARNERS: dict[str, tuple[type, dict[str, Any]]] = {
    "logistic regression": (LogisticRegression, {"solver": "newton-cholesky", "max_iter": 50, "tol": 1e-3}),
    "decision tree": (DecisionTreeClassifier, {"min_samples_leaf": 5, "random_state": 0}),
    "naive Bayes": (GaussianNB, {}),
}
"""The class of each model, and its parameters."""


@dataclass(frozen=True)
class Effect:
    """How much groups differ.

    Parameters
    ----------
    shift : float
        Standard deviation of a group's shift of a column, where that of an example's noise is 1.
    concentration : float
        Of the Dirichlet distribution of a group's label rates; less is more variation.
    """

    shift: float
    concentration: float


EFFECTS = {"none": Effect(0.0, math.inf), "strong": Effect(0.40, 10.0)}


@dataclass(frozen=True)
class Scenario:
    """One row of the table.

    Parameters
    ----------
    learner : str
        One of `LEARNERS`.
    n_groups : int or None
        None where every example is a group of its own.
    effect : str
        One of `EFFECTS`.
    sizes : {"equal", "power"}
        Whether groups are equally large, or the k-th has a share proportional to 1/k.
    labels : str
        One of `RATES`.
    n_examples : int
        Examples of a data set.
    protocol : {"folds", "split"}
        Cross-validation, or one published split.
    loss : float
        How much lower the macro-F1 of the last model is.
    shared : float
        The share of the variance of groups' shifts and examples' noise that the views have in common.
    n_models : int
        Models that are compared.
    n_columns : int
        Columns of a view, all but as many as there are labels of noise alone.
    rope : float
        The region of practical equivalence.
    failing : float
        The share of groups, on average, in which the last model gets nothing right.
    """

    learner: str
    n_groups: int | None
    effect: str
    sizes: str = "equal"
    labels: str = "50/50"
    n_examples: int = 1_000
    protocol: str = "folds"
    loss: float = 0.0
    shared: float = 0.5
    n_models: int = 2
    n_columns: int = 10
    rope: float = 0.02
    failing: float = 0.0

    @property
    def unequal(self) -> bool:
        """Whether the last model is worse."""
        return self.loss > 0.0 or self.failing > 0.0


@dataclass(frozen=True)
class Outcome:
    """What one comparison said.

    Parameters
    ----------
    difference : float
        Pooled macro-F1 of the first model minus that of the last.
    error : float
        The standard error of the bootstrap, without anything for the fitting.
    called : dict of str to int
        By rule: 1 where it calls the first model better, -1 the last, 0 neither. With more than two models, 1 where it
        calls any pair different.
    needed : int or None
        The groups that are named as the least that an undecided pair takes.
    """

    difference: float
    error: float
    called: dict[str, int]
    needed: int | None


RULES = {
    "verdict": "**better**",
    "equal": "practically equal",
    "full": "full term",
    "bootstrap": "bootstrap alone",
    "corrected": "corrected t",
    "mcnemar": "McNemar",
}
"""The columns of the table by what each rule is called in the code."""


def draw(scenario: Scenario, signals: Sequence[float], rng: np.random.Generator) -> tuple[list[Floats], Codes, Codes]:
    """Draw a data set.

    Parameters
    ----------
    scenario : Scenario
        What is drawn.
    signals : sequence of float
        By view, how far a label shifts its column.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    (list of ndarray of shape (n_examples, n_columns), ndarray of int, ndarray of int)
        The views, and each example's label and group.
    """
    n, effect, rates = scenario.n_examples, EFFECTS[scenario.effect], RATES[scenario.labels]
    groups = _groups(scenario, rng)
    n_groups = int(groups[-1]) + 1
    by_group = np.tile(rates, (n_groups, 1))
    if math.isfinite(effect.concentration):
        by_group = rng.dirichlet(rates * effect.concentration, n_groups)
    labels = (rng.random((n, 1)) > by_group[groups].cumsum(axis=1)[:, :-1]).sum(axis=1)

    def noise(rows: int) -> Floats:
        return rng.normal(size=(rows, scenario.n_columns))

    common_shift, common_noise = noise(n_groups), noise(n)
    a, b = np.sqrt([scenario.shared, 1 - scenario.shared])
    views = []
    for signal in signals:
        view = a * common_noise + b * noise(n)
        if effect.shift:
            view += effect.shift * (a * common_shift + b * noise(n_groups))[groups]
        view[np.arange(n), labels] += signal
        views.append(view)
    return views, labels, groups


def _groups(scenario: Scenario, rng: np.random.Generator) -> Codes:
    """Each example's group, in order; every group has at least one example."""
    n, n_groups = scenario.n_examples, scenario.n_groups
    if n_groups is None:
        return np.arange(n)
    if scenario.sizes == "equal":
        return np.sort(np.arange(n) % n_groups)
    shares = 1 / np.arange(1, n_groups + 1)
    return np.sort(np.append(np.arange(n_groups), rng.choice(n_groups, n - n_groups, p=shares / shares.sum())))


def splits_of(scenario: Scenario, labels: Codes, groups: Codes, seed: int) -> list[Split]:
    """The outer folds, or a published split by group."""
    if scenario.protocol == "folds":
        return split_by_group(labels, groups.astype(str), FOLDS, seed)
    names = np.unique(groups)
    tested = np.random.default_rng(seed).permutation(names)[: max(2, round(TEST_SHARE * len(names)))]
    of_test = np.isin(groups, tested)
    return [Split(np.flatnonzero(~of_test), np.flatnonzero(of_test))]


def fit_and_predict(learner: str, train: Floats, labels: Codes, test: Floats) -> Codes:
    """Fit a model and predict; a training part of one label predicts that one."""
    if (labels == labels[0]).all():
        return np.full(len(test), labels[0])
    kind, params = LEARNERS[learner]
    return np.asarray(kind(**params).fit(train, labels).predict(test))


@cache
def signals_of(scenario: Scenario) -> tuple[float, ...]:
    """By view, the signal; the last is weakened until its mean macro-F1 on new groups is lower by the loss."""
    most = SIGNAL[scenario.labels]
    low, high = (0.0, most) if scenario.loss else (most, most)
    goal = score_on_new_groups(scenario, most) - scenario.loss
    for _ in range(8 if scenario.loss else 0):
        middle = (low + high) / 2
        low, high = (middle, high) if score_on_new_groups(scenario, middle) < goal else (low, middle)
    return (*[most] * (scenario.n_models - 1), (low + high) / 2)


def score_on_new_groups(scenario: Scenario, signal: float) -> float:
    """The mean macro-F1 on new groups of models fitted on as much as in an outer fold, always of the same draws."""
    folds = FOLDS if scenario.n_groups is None else n_dealt(scenario.n_groups, FOLDS)
    share = 1 - TEST_SHARE if scenario.protocol == "split" else 1 - 1 / folds
    n_groups = None if scenario.n_groups is None else max(2, round(scenario.n_groups * share))
    training = replace(scenario, n_examples=round(scenario.n_examples * share), n_groups=n_groups)
    test = replace(scenario, n_examples=3_000, n_groups=None if n_groups is None else 150, sizes="equal")
    rng, scores = np.random.default_rng(0), []
    for _ in range(20):
        ((X,), y, _), ((X_test,), y_test, _) = (draw(drawn, [signal], rng) for drawn in (training, test))
        predicted = fit_and_predict(scenario.learner, X, y, X_test)
        scores.append(label_scores(confusion_matrix(y_test, predicted, len(RATES[scenario.labels])))[METRIC])
    return float(np.mean(scores))


def compare_once(scenario: Scenario, seed: int) -> Outcome:
    """Draw a data set, train the models on it and compare them.

    Parameters
    ----------
    scenario : Scenario
        The row of the table.
    seed : int
        Of the data and of the protocol.
    """
    runs = train_models(scenario, seed)
    by_name = {run.name: run for run in runs.runs}
    pairs = judged_pairs(runs, scenario.rope, None)
    called = [_calls(pair, by_name[pair.first], by_name[pair.second], runs) for pair in pairs]
    first, last = by_name["model-0"], by_name[f"model-{scenario.n_models - 1}"]
    scores = [runs.drawn_scores(run) for run in (first, last)]
    difference = scores[0][0] - scores[1][0]
    error = bootstrap_error(scores[0][1] - scores[1][1], len(runs.group_names))
    if len(called) > 1:
        return Outcome(difference, error, {rule: int(any(calls[rule] for calls in called)) for rule in RULES}, None)
    sign = 1 if runs.runs[0] is first else -1
    needed = pairs[0].needed
    return Outcome(
        difference,
        error,
        {rule: sign * call for rule, call in called[0].items()},
        None if needed is None else needed.groups,
    )


def train_models(scenario: Scenario, seed: int) -> ComparedRuns:
    """Draw a data set and train the models on it."""
    rng = np.random.default_rng([seed, 7])
    views, labels, groups = draw(scenario, signals_of(scenario), rng)
    splits = splits_of(scenario, labels, groups, seed)
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted = [
            np.concatenate(
                [
                    fit_and_predict(scenario.learner, view[split.train], labels[split.train], view[split.test])
                    for split in splits
                ]
            )
            for view in views
        ]
    tested = np.concatenate([split.test for split in splits])
    failed = (rng.random(groups[-1] + 1) < scenario.failing)[groups[tested]]
    predicted[-1] = np.where(failed, (labels[tested] + 1) % len(RATES[scenario.labels]), predicted[-1])
    return compared_runs(scenario, splits, labels, groups, predicted, seed)


def compared_runs(
    scenario: Scenario, splits: Sequence[Split], labels: Codes, groups: Codes, predicted: Sequence[Codes], seed: int
) -> ComparedRuns:
    """Put together what would be read of the models' runs, had they been stored.

    Parameters
    ----------
    scenario : Scenario
        What was drawn.
    splits : sequence of Split
        The outer folds.
    labels, groups : ndarray of int, shape (n_examples,)
        Of all examples.
    predicted : sequence of ndarray of int
        By model, the predictions of the test parts, one after the other.
    seed : int
        Of the bootstrap.
    """
    n_labels = len(RATES[scenario.labels])
    tested = np.concatenate([split.test for split in splits])
    true = labels[tested]
    folds = np.repeat(np.arange(len(splits)), [len(split.test) for split in splits])
    names, of_group = group_indices(groups[tested])
    runs = []
    for number, of_model in enumerate(predicted):
        by_fold = [confusion_matrix(true[folds == k], of_model[folds == k], n_labels) for k in range(len(splits))]
        outcomes = Outcomes(true, of_model, n_labels, of_group, folds)
        score = find_metric(METRIC).score(outcomes)
        summary = a_summary(
            {METRIC: score}, [{METRIC: float(label_scores(confusion)[METRIC])} for confusion in by_fold]
        )
        name = f"model-{number}"
        runs.append(ComparedRun(name, RunFolder(Path(name)), a_record(name=name), summary, outcomes, score))
    sizes = {"train": len(splits[0].train), "dev": 0, "test": len(splits[0].test)}
    compared = ComparedRuns(
        task=a_record(
            {
                "labels": [str(code) for code in range(n_labels)],
                "n_examples": len(labels),
                "splits": {} if scenario.protocol == "folds" else {"split": sizes},
            }
        ).task,
        metric=find_metric(METRIC),
        runs=sorted(runs, key=lambda run: (-run.summary.scores[METRIC], run.name)),
        ids=tested.astype(object),
        group_names=names,
        notes=[],
    )
    vars(compared)["bootstrap"] = GroupBootstrap(len(names), seed, DRAWS)
    return compared


def _calls(pair: Pair, first: ComparedRun, second: ComparedRun, runs: ComparedRuns) -> dict[str, int]:
    """By rule: 1 where it calls the first of a pair better at 5 %, -1 the second, 0 neither."""
    folds, errors, n_groups = pair.folds, pair.errors, len(runs.group_names)
    (one, of_one), (other, of_other) = (runs.drawn_scores(run) for run in (first, second))
    difference, error = one - other, bootstrap_error(of_one - of_other, n_groups)

    def tested(inflation: float) -> int:
        if error == 0.0:
            return 0
        return _call(2 * stats.t.sf(abs(difference) / error / inflation, n_groups - 1), difference)

    return {
        "verdict": int(pair.verdict == "better"),
        "equal": int(pair.verdict == "practically equal"),
        "full": tested(math.sqrt(1 + runs.n_scored / runs.n_trained())),
        "bootstrap": tested(1.0),
        "corrected": 0 if folds is None else _call(folds.p_value, folds.mean),
        "mcnemar": _call(errors.p_value, errors.first_only - errors.second_only),
    }


def _call(p_value: float, difference: float) -> int:
    return int(np.sign(difference)) if p_value < LEVEL else 0


def scenarios() -> Iterator[Scenario]:
    """The rows of the table: a part of `every_scenario` that has each of its values, and where one model is better."""
    logistic, tree, bayes = LEARNERS
    for learner, n_groups, effect, sizes, labels, n in (
        (logistic, None, "none", "equal", "50/50", 300),
        (logistic, 5, "strong", "equal", "50/50", 300),
        (logistic, 20, "strong", "power", "50/50", 300),
        (tree, None, "none", "equal", "50/50", 300),
        (tree, 5, "strong", "equal", "50/50", 300),
        (bayes, None, "none", "equal", "90/10", 300),
        (bayes, 5, "strong", "equal", "90/10", 300),
        (bayes, 20, "strong", "power", "90/10", 300),
        (tree, None, "none", "equal", "nine", 300),
        (tree, 20, "strong", "power", "nine", 300),
        (logistic, 5, "none", "power", "90/10", 300),
        (tree, 5, "none", "power", "50/50", 300),
        (bayes, None, "none", "equal", "nine", 300),
        (logistic, 20, "strong", "equal", "50/50", 1_000),
        (tree, 20, "strong", "equal", "50/50", 1_000),
    ):
        yield Scenario(learner, n_groups, effect, sizes, labels, n)
    for learner, n_groups, effect, n in (
        (logistic, None, "none", 300),
        (tree, None, "none", 1_000),
        (logistic, 20, "strong", 1_000),
        (tree, 50, "strong", 1_000),
    ):
        yield Scenario(learner, n_groups, effect, n_examples=n, protocol="split")
    yield Scenario(logistic, 20, "strong", n_examples=300, n_models=5)
    # As many columns as training examples, where a linear model is least steady.
    yield Scenario(logistic, None, "none", n_examples=300, n_columns=240)
    # Models that seldom disagree, so that they can be called practically equal.
    yield Scenario(logistic, None, "none", n_examples=2_000, shared=0.99)
    for n_groups in (100, 150):
        yield Scenario(logistic, n_groups, "none", n_examples=20 * n_groups, shared=0.99)
    for loss in (0.10, 0.05):
        for learner, n_groups, effect, n in (
            (logistic, None, "none", 300),
            (logistic, 20, "strong", 300),
            (tree, 20, "strong", 300),
            (logistic, 20, "strong", 1_000),
            (tree, None, "none", 1_000),
        ):
            yield Scenario(learner, n_groups, effect, n_examples=n, loss=loss)
    # As far apart as the region of practical equivalence reaches: "practically equal" is wrong.
    yield Scenario(logistic, None, "none", n_examples=2_000, shared=0.99, loss=0.02)
    # Alike but for groups in which one model fails completely, and which the data may not hold.
    for n_groups in (40, 70, 100, 150, 200):
        yield Scenario(logistic, n_groups, "none", n_examples=20 * n_groups, shared=0.99, failing=0.025)


def every_scenario() -> Iterator[Scenario]:
    """All combinations: models, groups, group effects, sizes, labels, numbers of examples and protocols."""
    groups: list[tuple[int | None, str, str]] = [(None, "none", "equal")]
    groups += [(n, effect, sizes) for n in (5, 20, 50, 200) for effect in EFFECTS for sizes in ("equal", "power")]
    for loss, protocol, n, learner, labels, (n_groups, effect, sizes) in product(
        (0.0, 0.05, 0.10), ("folds", "split"), (300, 1_000, 2_000), LEARNERS, RATES, groups
    ):
        if n_groups is None or n_groups * 2 <= n:
            yield Scenario(learner, n_groups, effect, sizes, labels, n, protocol, loss)


def rate(count: int, total: int) -> str:
    """Format a share in % with its exact binomial interval."""
    found = stats.binomtest(count, total).proportion_ci(method="exact")
    return f"{100 * count / total:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


TITLES = ("models", "groups", "group effect", "labels", "examples", "difference", "needed factor", *RULES.values())


def row(scenario: Scenario, outcomes: Sequence[Outcome]) -> str:
    """A line of the table."""
    models = scenario.learner if scenario.n_models == 2 else f"{scenario.n_models} times {scenario.learner}"
    groups = "each its own" if scenario.n_groups is None else f"{scenario.n_groups}"
    if scenario.sizes == "power":
        groups += ", power law"
    examples = f"{scenario.n_examples}{', split' if scenario.protocol == 'split' else ''}"
    if scenario.n_columns != 10:
        models += f", {scenario.n_columns} columns"
    if scenario.failing:
        examples += f", fails in {100 * scenario.failing:g} % of groups"
    if scenario.shared != 0.5:
        examples += f", {scenario.shared:.0%} shared".replace("%", " %")
    differences = np.array([outcome.difference for outcome in outcomes])
    errors = np.array([outcome.error for outcome in outcomes])
    deviation = differences.std() if scenario.unequal else math.sqrt((differences**2).mean())
    factor = deviation / math.sqrt((errors**2).mean())
    # A difference that is there must be found for the right model; where there is none, either call is wrong.
    right = [{1} if scenario.unequal and rule != "equal" else {-1, 1} for rule in RULES]
    counts = [
        sum(outcome.called[rule] in calls for outcome in outcomes) for rule, calls in zip(RULES, right, strict=True)
    ]
    shares = [f"{100 * count / len(outcomes):.1f}" for count in counts[1:]]
    cells = [models, groups, scenario.effect, scenario.labels, examples, f"{differences.mean():+.3f}", f"{factor:.2f}"]
    return f"| {' | '.join([*cells, rate(counts[0], len(outcomes)), *shares])} |"


def least_is_right(scenario: Scenario, outcomes: Sequence[Outcome]) -> str:
    """A line on the numbers of groups that undecided pairs are told, where one model is better.

    The number that it truly takes is that for the true difference, with its deviation between the data sets.
    """
    deviation = float(np.std([outcome.difference for outcome in outcomes]))
    n_groups = scenario.n_groups or scenario.n_examples
    true = groups_to_decide(scenario.loss / deviation / math.sqrt(n_groups))
    told = [outcome.needed for outcome in outcomes if outcome.needed is not None]
    if true is None or not told:
        return ""
    held = sum(least <= max(true, n_groups) for least in told)
    middle = f"{np.median(told):.0f}"
    cells = [
        scenario.learner,
        str(n_groups),
        scenario.effect,
        str(scenario.n_examples),
        f"{scenario.loss:g}",
        str(true),
    ]
    return f"| {' | '.join([*cells, str(len(told)), middle, rate(held, len(told))])} |"


ADVICE = ("models", "groups", "group effect", "examples", "true loss", "groups it takes", "undecided", "median told")


def tables(chosen: Sequence[Scenario], repeats: int, seed: int, workers: int) -> Iterator[tuple[str, str]]:
    """Simulate, and give each line with the name of the table that it belongs to."""
    for name in ("equal", "power"):
        yield name, f"| {' | '.join(TITLES)} |"
        yield name, "| --- | ---: | --- | --- | ---: |" + " ---: |" * (len(TITLES) - 5)
    yield "advice", f"| {' | '.join(ADVICE)} | least is not too many |"
    yield "advice", "| --- | ---: | --- |" + " ---: |" * 6
    with ProcessPoolExecutor(workers) as pool:
        for scenario in chosen:
            n = max(repeats // 2, 1) if scenario.loss or scenario.n_models > 2 else repeats
            signals_of(scenario)
            outcomes = list(pool.map(partial(compare_once, scenario), range(seed, seed + n), chunksize=5))
            yield "power" if scenario.unequal else "equal", row(scenario, outcomes)
            if scenario.loss and (advice := least_is_right(scenario, outcomes)):
                yield "advice", advice


def write(path: Path, lines: Sequence[tuple[str, str]]) -> None:
    """Put the tables in their places in a page, between ``<!-- verdicts: NAME -->`` and ``<!-- end -->``."""
    text = path.read_text(encoding="utf-8")
    for name in dict.fromkeys(name for name, _ in lines):
        head, _, rest = text.partition(f"<!-- verdicts: {name} -->\n")
        table = "".join(f"{line}\n" for of, line in lines if of == name)
        text = f"{head}<!-- verdicts: {name} -->\n{table}{rest[rest.index('<!-- end -->') :]}"
    path.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="How often the verdict 'better' comes for equal and unequal models.")
    parser.add_argument("--repeats", type=int, default=240, help="comparisons a row; half with a loss or many models")
    parser.add_argument("--full", action="store_true", help="all combinations")
    parser.add_argument("--rows", type=int, nargs="+", help="places of rows, from 0; all by default")
    parser.add_argument("--seed", type=int, default=0, help="seed of a row's first comparison; the next has one more")
    parser.add_argument("--quick", action="store_true", help="20 comparisons a row")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--write", type=Path, help="a page with places for the tables")
    chosen = parser.parse_args(arguments)
    repeats = 20 if chosen.quick else chosen.repeats
    if repeats < 1:
        parser.error("--repeats must be at least 1")
    every = list(every_scenario() if chosen.full else scenarios())
    lines = []
    for name, line in tables(
        [every[place] for place in chosen.rows or range(len(every))], repeats, chosen.seed, chosen.workers
    ):
        print(f"{name:6} {line}", flush=True)
        lines.append((name, line))
    if chosen.write is not None:
        write(chosen.write, lines)


if __name__ == "__main__":
    main()
