"""Compared runs in memory, of predictions that a test makes up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from stored import a_record, a_summary

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.results.store import RunFolder
from bench.statistics.interval import Interval


def side_by_side(
    metric: str, true: np.ndarray[Any, Any], chances: Mapping[str, np.ndarray[Any, Any]], n_groups: int | None = None
) -> ComparedRuns:
    """Runs of the models that `chances` names, with the probability of the second of two labels for each example.

    An example is a group of its own, or one of so many in turn; a fifth of the groups is a fold.
    """
    n, labels, measure = len(true), ("none", "denial"), find_metric(metric)
    n_groups = n_groups or n
    groups, runs = np.arange(n) % n_groups, []
    for name, second in chances.items():
        record = a_record({"labels": labels, "n_examples": n, "splits": {}}, name=name)
        probabilities = np.stack([1.0 - second, second], axis=1)
        outcomes = Outcomes(true, probabilities.argmax(axis=1), 2, groups, groups % 5, probabilities)
        score, interval = measure.score(outcomes), measure.interval(outcomes)
        summary = a_summary({metric: score}, [])
        if isinstance(interval, Interval):
            summary = replace(summary, intervals={metric: interval})
        runs.append(ComparedRun(name, RunFolder(Path(name)), record, summary, outcomes, score))
    runs.sort(key=lambda run: -measure.sign * run.score)
    ids = np.array([f"e{place}" for place in range(n)], dtype=object)
    return ComparedRuns(runs[0].record.task, measure, runs, ids, [str(group) for group in range(n_groups)], [])
