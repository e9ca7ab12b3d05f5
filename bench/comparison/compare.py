"""The comparison of stored runs: a ranked table, every pair with its tests, and a verdict on each."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from bench.comparison.ground import thin_ground
from bench.comparison.predictions import ComparedRun, ComparedRuns
from bench.comparison.search import search_report
from bench.comparison.suspects import suspects
from bench.comparison.task_now import task_now
from bench.comparison.verdict import equal_over_groups, needed_to_decide, training_factor, verdict
from bench.errors import ConfigError, nearest
from bench.evaluation.metrics import PROBABILITY_METRICS
from bench.results.protocol import model_name, search_name
from bench.statistics.paired import error_test, fold_test, group_difference, holm


def compare(runs: ComparedRuns, rope: float, baseline: str | None = None) -> dict[str, Any]:
    """Compare runs with each other, or with a baseline.

    Parameters
    ----------
    runs : ComparedRuns
        At least two.
    rope : float
        The region of practical equivalence: differences up to this one are practically none.
    baseline : str or None
        The run that all others are compared with; None compares each with each.

    Returns
    -------
    dict
        Plain data: the ``task``, the ``metric``, ``rows`` (the runs, ranked; where each is compared with
        each, ``tied`` tells which cannot be told from the best), ``references``, ``pairs`` (the better score first),
        ``warnings`` where the ground is thin, ``suspects`` and ``notes``.

    Raises
    ------
    bench.errors.ConfigError
        If there is no run of the baseline's name.
    """
    place = None if baseline is None else _place(runs, baseline)
    pairs = _pairs(runs, rope, place)
    best = runs.runs[0].name
    tied = {pair["second"] for pair in pairs if pair["first"] == best and pair["verdict"] != "better"}
    task = task_now([run.record for run in runs.runs])
    return {
        "task": task,
        "metric": runs.metric,
        "seed": runs.runs[0].record["seed"],
        "validation": runs.runs[0].record["validation"],
        "baseline": None if place is None else runs.runs[place].name,
        "rope": rope,
        "n_folds": len(set(runs.folds.tolist())),
        "rows": [_row(runs, run, baseline is None and run.name in tied) for run in runs.runs],
        "references": task["references"],
        "pairs": pairs,
        "warnings": thin_ground(runs),
        "suspects": suspects(runs),
        "notes": runs.notes,
    }


def _row(runs: ComparedRuns, run: ComparedRun, tied: bool) -> dict[str, Any]:
    return {
        "name": run.name,
        "model": model_name(run.record),
        "search": search_name(run.record),
        "key": run.folder.key,
        "score": run.summary["scores"][runs.metric],
        "interval": run.summary["intervals"].get(runs.metric),
        "scores": run.summary["scores"],
        "tied": tied,
        "bought": search_report(run.folder, run.record, run.summary),
    }


def _pairs(runs: ComparedRuns, rope: float, place: int | None) -> list[dict[str, Any]]:
    """Every pair, or those with the run at one place, the better score first."""
    chosen = [pair for pair in combinations(range(len(runs.runs)), 2) if place is None or place in pair]
    drawn = [runs.drawn_scores(run) for run in runs.runs]
    by_fold = [runs.fold_scores(run) for run in runs.runs]
    right = [run.predicted == runs.true for run in runs.runs]
    # Each example once, for McNemar's test.
    once = np.unique(runs.ids.astype(str), return_index=True)[1]
    n_groups, share, n_folds = len(runs.group_names), runs.test_share(), len(by_fold[0])
    sign = -1.0 if runs.lower_is_better else 1.0
    factor = training_factor(share)
    pairs = []
    for a, b in chosen:
        between = group_difference([drawn[a][0], drawn[b][0]], [drawn[a][1], drawn[b][1]], n_groups, factor)
        pairs.append(
            {
                "first": runs.runs[a].name,
                "second": runs.runs[b].name,
                "groups": asdict(between),
                "folds": asdict(fold_test(sign * (by_fold[a] - by_fold[b]), share, rope)) if n_folds > 1 else None,
                "errors": asdict(error_test(right[a][once], right[b][once])),
                "identical": _identical(runs.metric, runs.runs[a], runs.runs[b]),
            }
        )
    _judge(runs, pairs, rope)
    return pairs


def _identical(metric: str, one: ComparedRun, other: ComparedRun) -> bool:
    """Whether two runs predict the same, as far as the metric sees it."""
    if metric not in PROBABILITY_METRICS:
        return np.array_equal(one.predicted, other.predicted)
    assert one.probabilities is not None
    assert other.probabilities is not None
    return np.array_equal(one.probabilities, other.probabilities)


def _judge(runs: ComparedRuns, pairs: list[dict[str, Any]], rope: float) -> None:
    """Adjust the p-values of all pairs for their number, and give each its verdict."""
    by_group = holm([1.0 if pair["groups"]["p_value"] is None else pair["groups"]["p_value"] for pair in pairs])
    by_fold = holm([1.0 if pair["folds"] is None else pair["folds"]["p_value"] for pair in pairs])
    for pair, p_groups, p_folds in zip(pairs, by_group, by_fold, strict=True):
        pair["p_groups"], pair["p_folds"] = p_groups, p_folds
        n_groups, n_examples = len(runs.group_names), len(runs.true) // runs.repeats
        over_folds = 0.0 if pair["folds"] is None else pair["folds"]["equal"]
        equal = 1.0 if pair["identical"] else min(over_folds, equal_over_groups(pair["groups"], n_groups, rope))
        pair["verdict"] = verdict(p_groups, equal, n_groups)
        pair["needed"] = None
        if pair["verdict"] == "undecided":
            pair["needed"] = needed_to_decide(pair["groups"], n_groups, n_examples, rope)


def _place(runs: ComparedRuns, baseline: str) -> int:
    names = [run.name for run in runs.runs]
    models = [run.record["model"]["name"] for run in runs.runs]
    for known in (names, models):
        if baseline in known:
            return known.index(baseline)
    raise ConfigError(f"baseline={baseline}: it is not among the compared runs.", nearest(baseline, names))
