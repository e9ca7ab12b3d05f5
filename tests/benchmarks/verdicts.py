"""How often the verdict of a comparison is right, by simulation under the harness's own protocol.

Each repeat draws a data set, splits it with `bench.evaluation.splits.outer_splits`, evaluates every outer fold
of two models with `bench.evaluation.evaluate.evaluate`, and compares them with
`bench.comparison.compare.compare`. Both models are of one kind and see the same examples, each through a view of
its own. The two views are drawn from the same distribution, so the models are equally good by symmetry; half of the
variance of what shifts a group or an example is shared, so their errors are correlated. For the power, the
second view's signal is weakened until its macro-F1 on new groups is 10 points lower.

A label shifts three of ten columns, a group shifts all of them and has its own label rates, and groups differ up to
four times in size.

Printed is a Markdown table with exact binomial intervals of 95 % (Clopper and Pearson 1934) for the verdict "better"
(for the right model, where there is one), and shares of what other rules would say at 5 %. The same arguments
print the same table::

    python tests/benchmarks/verdicts.py
    python tests/benchmarks/verdicts.py --quick
"""

from __future__ import annotations

import argparse
import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import f1_score

from bench.comparison.compare import compare
from bench.comparison.predictions import ComparedRun, ComparedRuns
from bench.comparison.verdict import training_factor
from bench.config import Search
from bench.data import Task
from bench.evaluation.evaluate import Evaluation, evaluate
from bench.evaluation.scoring import label_codes, probability_columns, score_predictions
from bench.evaluation.splits import outer_splits
from bench.features.cache import FeatureCache
from bench.models import Model
from bench.results.store import RunFolder
from bench.seeding import derive_seed
from bench.statistics.bootstrap import group_indices

Floats = NDArray[np.float64]

LABELS = ("denial", "none", "unrelated")
RATES = np.array([0.5, 0.3, 0.2])
COLUMNS = 10
SIGNAL = 1.4
SHARED = 0.5
"""The share of the variance of groups' shifts and examples' noise that the two views have in common."""

ROPE = 0.01
LOSS = 0.10
"""How much worse the second model is, where one is: ten points of macro-F1."""

LEARNERS: dict[str, dict[str, Any]] = {
    "logistic regression": {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 200}},
    "decision tree": {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"min_samples_leaf": 5}},
    "logistic regression, C searched": {
        "estimator": "sklearn.linear_model.LogisticRegression",
        "params": {"max_iter": 200},
        "search": {"estimator.C": {"low": 1.0e-3, "high": 10.0, "log": True}},
    },
}
SEARCH = Search("simulation", trials=3)
FOLDS, INNER_FOLDS = 5, 3
LEVEL = 0.05


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


EFFECTS = {"weak": Effect(0.15, 100.0), "strong": Effect(0.40, 10.0), "none": Effect(0.0, np.inf)}


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
    n_examples : int
        Examples of a data set.
    n_models : int
        Models that are compared.
    loss : float
        How much lower the macro-F1 of the last model is.
    """

    learner: str
    n_groups: int | None
    effect: str
    n_examples: int = 1_000
    n_models: int = 2
    loss: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What one comparison said.

    Parameters
    ----------
    difference : float
        Pooled macro-F1 of the first model minus that of the last.
    called : dict of str to int
        By rule: 1 where it calls the first model better, -1 the last, 0 neither. With more than two models, 1 where it
        calls any pair different.
    """

    difference: float
    called: dict[str, int]


RULES = {
    "verdict": "**verdict**",
    "equal": "practically equal",
    "bootstrap": "bootstrap alone",
    "corrected": "corrected t",
    "plain": "plain t",
    "mcnemar": "McNemar",
}
"""The columns of the table by what each rule is called in the code."""


def draw(
    scenario: Scenario, signals: Sequence[float], rng: np.random.Generator
) -> tuple[list[Floats], NDArray[np.intp], NDArray[np.intp]]:
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
    n, effect = scenario.n_examples, EFFECTS[scenario.effect]
    n_groups = scenario.n_groups or n
    if scenario.n_groups is None:
        groups, rates = np.arange(n), np.tile(RATES, (n, 1))
    else:
        sizes = rng.uniform(15, 60, n_groups)
        groups = np.sort(np.append(np.arange(n_groups), rng.choice(n_groups, n - n_groups, p=sizes / sizes.sum())))
        rates = rng.dirichlet(RATES * effect.concentration, n_groups)
    labels = (rng.random((n, 1)) > rates[groups].cumsum(axis=1)[:, :-1]).sum(axis=1)

    def noise(rows: int) -> Floats:
        return rng.normal(size=(rows, COLUMNS))

    common_shift, common_noise = noise(n_groups), noise(n)
    a, b = np.sqrt([SHARED, 1 - SHARED])
    views = []
    for signal in signals:
        shift = effect.shift * (a * common_shift + b * noise(n_groups))
        view = shift[groups] + a * common_noise + b * noise(n)
        view[np.arange(n), labels] += signal
        views.append(view)
    return views, labels, groups


def weaker_signal(scenario: Scenario) -> float:
    """Find the signal with which a model's mean macro-F1 on new groups is lower by the scenario's loss."""
    if not scenario.loss:
        return SIGNAL
    goal, low, high = _score_on_new_groups(scenario, SIGNAL) - scenario.loss, 0.0, SIGNAL
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if _score_on_new_groups(scenario, middle) < goal else (low, middle)
    return (low + high) / 2


def _score_on_new_groups(scenario: Scenario, signal: float) -> float:
    """The mean macro-F1 on 200 new groups of models fitted on as much as in an outer fold, always of the same draws."""
    folds = scenario.n_groups if scenario.n_groups is not None and scenario.n_groups <= 10 else 5
    share = 1 - 1 / folds
    n_groups = None if scenario.n_groups is None else round(scenario.n_groups * share)
    training = replace(scenario, n_examples=round(scenario.n_examples * share), n_groups=n_groups)
    test = replace(scenario, n_examples=4_000, n_groups=None if n_groups is None else 200)
    rng, scores = np.random.default_rng(0), []
    for _ in range(30):
        ((X,), y, _), ((X_test,), y_test, _) = (draw(drawn, [signal], rng) for drawn in (training, test))
        task = tasks_of([X], y, y)[0]
        estimator = model_of(scenario, 0).build({}, task, 0).fit(X, y)
        scores.append(f1_score(y_test, estimator.predict(X_test), average="macro"))
    return float(np.mean(scores))


def model_of(scenario: Scenario, number: int) -> Model:
    """One of the scenario's models, which differ in their names alone."""
    name = f"model-{number}"
    return Model.parse({"name": name, **LEARNERS[scenario.learner]}, "verdicts.py", name)


def tasks_of(views: Sequence[Floats], labels: NDArray[np.intp], groups: NDArray[np.intp]) -> list[Task]:
    """A task for each view; they differ in their input columns alone."""
    inputs = [[f"v{number}_{column}" for column in range(COLUMNS)] for number in range(len(views))]
    examples = pd.DataFrame(np.hstack(views), columns=[name for names in inputs for name in names])
    examples.insert(0, "id", [f"e{number}" for number in range(len(labels))])
    examples["label"] = np.array(LABELS)[labels]
    examples["document"] = [f"d{group}" for group in groups]
    return [Task("simulated", 1, "", tuple(names), LABELS, "macro_f1", "document", examples) for names in inputs]


def compare_once(scenario: Scenario, signal: float, seed: int) -> Outcome:
    """Draw a data set, evaluate the models on it and compare them.

    Parameters
    ----------
    scenario : Scenario
        The row of the table.
    signal : float
        The signal of the last model's view.
    seed : int
        Of the data and of the protocol.
    """
    signals = [SIGNAL] * (scenario.n_models - 1) + [signal]
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        runs = evaluate_models(scenario, tasks_of(*draw(scenario, signals, np.random.default_rng(seed))), seed)
    by_name = {run.name: run for run in runs.runs}
    called = [
        _calls(pair, by_name[pair["first"]], by_name[pair["second"]], runs) for pair in compare(runs, ROPE)["pairs"]
    ]
    first, last = by_name["model-0"], by_name[f"model-{scenario.n_models - 1}"]
    difference = first.summary["scores"]["macro_f1"] - last.summary["scores"]["macro_f1"]
    if len(called) > 1:
        return Outcome(difference, {rule: int(any(calls[rule] for calls in called)) for rule in RULES})
    sign = 1 if runs.runs[0] is first else -1
    return Outcome(difference, {rule: sign * call for rule, call in called[0].items()})


def evaluate_models(scenario: Scenario, tasks: Sequence[Task], seed: int) -> ComparedRuns:
    """Evaluate the model of each task, and put together what would be read of the runs, had they been stored."""
    task = tasks[0]
    splits = outer_splits(task.codes, task.groups, task.group, FOLDS, derive_seed(seed, task.name, "outer"), 1)
    runs = []
    for number, own in enumerate(tasks):
        evaluation = Evaluation(own, model_of(scenario, number), splits, SEARCH, INNER_FOLDS, seed)
        features = FeatureCache(own.frame)
        cells = [evaluate(evaluation, fold, features) for fold in range(len(splits))]
        failed = [cell.error for cell in cells if cell.error is not None]
        if failed:
            raise RuntimeError(failed[0])
        frame = pd.concat([cell.predictions for cell in cells], ignore_index=True)
        summary = {"scores": score_predictions(frame, LABELS), "intervals": {}, "folds": [c.scores for c in cells]}
        name = evaluation.model.name
        # Nothing is said to be searched, since what a search bought is read from stored trials.
        record = {"model": {"name": name, "search": {}}, "search": {"name": SEARCH.name}, "seed": seed}
        record["validation"] = {"folds": FOLDS, "inner_folds": INNER_FOLDS, "repeats": 1}
        predicted, probabilities = label_codes(frame, LABELS)[1], probability_columns(frame, LABELS)
        runs.append(ComparedRun(name, RunFolder(Path(name)), record, summary, predicted, probabilities))
    names, groups = group_indices(frame["group"].to_numpy(dtype=str))
    return ComparedRuns(
        task={
            "name": task.name,
            "labels": list(LABELS),
            "group": task.group,
            "digest": str(seed),
            "n_examples": len(task),
            "references": [],
        },
        metric=task.metric,
        runs=sorted(runs, key=lambda run: (-run.summary["scores"][task.metric], run.name)),
        ids=frame["id"].to_numpy(dtype=object),
        groups=groups,
        folds=np.repeat(np.arange(len(splits)), [len(split.test) for split in splits]),
        true=label_codes(frame, LABELS)[0],
        group_names=names,
        repeats=1,
        notes=[],
    )


def _calls(pair: dict[str, Any], first: ComparedRun, second: ComparedRun, runs: ComparedRuns) -> dict[str, int]:
    """By rule: 1 where it calls the first of a pair better at 5 %, -1 the second, 0 neither."""
    groups, folds, errors = pair["groups"], pair["folds"], pair["errors"]
    t = groups["difference"] / groups["standard_error"] * training_factor(runs.test_share())
    differences = runs.fold_scores(first) - runs.fold_scores(second)
    return {
        "verdict": int(pair["verdict"] == "better"),
        "equal": int(pair["verdict"] == "practically equal"),
        "bootstrap": _call(2 * stats.t.sf(abs(t), len(runs.group_names) - 1), groups["difference"]),
        "corrected": _call(folds["p_value"], folds["mean"]),
        "plain": _call(stats.ttest_1samp(differences, 0.0).pvalue, differences.mean()),
        "mcnemar": _call(errors["p_value"], errors["first_only"] - errors["second_only"]),
    }


def _call(p_value: float, difference: float) -> int:
    return int(np.sign(difference)) if p_value < LEVEL else 0


def scenarios() -> Iterator[Scenario]:
    """The rows of the table."""
    logistic, tree, searched = LEARNERS
    for learner in (logistic, tree):
        for n_groups in (5, 10, 20, 50):
            yield Scenario(learner, n_groups, "strong")
        yield Scenario(learner, 20, "weak")
        yield Scenario(learner, None, "none")
    yield Scenario(searched, 20, "strong")
    for n_groups in (5, 20):
        yield Scenario(logistic, n_groups, "strong", n_examples=300)
    yield Scenario(logistic, None, "none", n_examples=300)
    yield Scenario(logistic, 20, "strong", n_models=5)
    for n_groups in (5, 10, 20, 50):
        yield Scenario(logistic, n_groups, "strong", loss=LOSS)
    yield Scenario(logistic, 20, "weak", loss=LOSS)
    yield Scenario(logistic, None, "none", loss=LOSS)
    yield Scenario(tree, 20, "strong", loss=LOSS)


def rate(count: int, total: int) -> str:
    """Format a share with its exact binomial interval."""
    found = stats.binomtest(count, total).proportion_ci(method="exact")
    return f"{100 * count / total:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def row(scenario: Scenario, outcomes: Sequence[Outcome]) -> str:
    """A line of the table."""
    models = scenario.learner if scenario.n_models == 2 else f"{scenario.n_models} times {scenario.learner}"
    groups = "each its own" if scenario.n_groups is None else str(scenario.n_groups)
    difference = np.mean([outcome.difference for outcome in outcomes])
    # A difference that is there must be found for the right model; where there is none, either call is wrong.
    right = [{1} if scenario.loss and rule != "equal" else {-1, 1} for rule in RULES]
    counts = [
        sum(outcome.called[rule] in calls for outcome in outcomes) for rule, calls in zip(RULES, right, strict=True)
    ]
    shares = [f"{100 * count / len(outcomes):.1f} %" for count in counts[1:]]
    cells = [models, groups, scenario.effect, str(scenario.n_examples), f"{difference:+.3f}"]
    return f"| {' | '.join([*cells, rate(counts[0], len(outcomes)), *shares])} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How often the verdict 'better' comes for equal and unequal models.")
    parser.add_argument("--repeats", type=int, default=500, help="comparisons a row; two fifths where one is better")
    parser.add_argument("--rows", type=int, nargs="+", help="places of rows in the table, from 0; all by default")
    parser.add_argument("--seed", type=int, default=0, help="seed of a row's first comparison; the next has one more")
    parser.add_argument("--quick", action="store_true", help="20 comparisons a row")
    chosen = parser.parse_args(arguments)
    repeats = 20 if chosen.quick else chosen.repeats
    if repeats < 1:
        parser.error("--repeats must be at least 1")
    columns = ["models", "groups", "group effect", "examples", "mean difference", *RULES.values()]
    print(f"| {' | '.join(columns)} |")
    print("| --- | ---: | --- | ---: |" + " ---: |" * (len(columns) - 4))
    with ProcessPoolExecutor(2) as pool:
        for place, scenario in enumerate(scenarios()):
            if chosen.rows is not None and place not in chosen.rows:
                continue
            once = partial(compare_once, scenario, weaker_signal(scenario))
            n = repeats * 2 // 5 if scenario.loss and not chosen.quick else repeats
            print(row(scenario, list(pool.map(once, range(chosen.seed, chosen.seed + n), chunksize=5))), flush=True)


if __name__ == "__main__":
    main()
