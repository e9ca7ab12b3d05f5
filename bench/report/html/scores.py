"""Scores by label and by group, confusion matrices and calibration, as the page shows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.comparison.predictions import ComparedRuns
from bench.metrics.confusion import UNANSWERED, column_names
from bench.report.html.charts import Chart, Line, line_chart
from bench.statistics.calibration import reliability

MOST_GROUPS = 30
"""Groups whose scores are shown; of more, those with the lowest and the highest."""


def confusion_tables(runs: ComparedRuns) -> list[dict[str, Any]]:
    """The confusion matrix of each run, with the share of each true label."""
    tables = []
    for run in runs.runs:
        confusion = np.array(run.summary.confusion)
        support = confusion.sum(axis=1)
        tables.append(
            {
                "name": run.name,
                "columns": column_names(runs.labels, confusion.shape[1]),
                "rows": [
                    {
                        "label": label,
                        "support": int(of_label),
                        "cells": [
                            {"count": int(count), "share": count / of_label if of_label else 0.0} for count in counts
                        ],
                    }
                    for label, counts, of_label in zip(runs.labels, confusion, support, strict=True)
                ],
            }
        )
    return tables


def group_scores(runs: ComparedRuns) -> dict[str, Any]:
    """The score of each run in each group, over all the task's labels.

    Returns
    -------
    dict
        ``rows``, those first in which the best run scores worst, each with ``name``, ``examples``, ``labels`` (how
        many of the task's occur in it) and ``scores`` by run; and ``left_out``, the number of groups between the
        worst and the best ones.
    """
    by_run = [runs.metric.by_group(run.outcomes) for run in runs.runs]
    held = runs.runs[0].outcomes.by_group.sum(axis=2)
    order = np.argsort(by_run[0], kind="stable").tolist()
    if not runs.metric.greater_is_better:
        order.reverse()
    shown = order
    if len(order) > MOST_GROUPS:
        shown = [*order[: MOST_GROUPS // 2], *order[-MOST_GROUPS // 2 :]]
    return {
        "rows": [
            {
                "name": runs.group_names[place],
                "examples": int(held[place].sum()) // runs.repeats,
                "labels": int((held[place] > 0).sum()),
                "scores": [float(scores[place]) for scores in by_run],
            }
            for place in shown
        ],
        "left_out": len(order) - len(shown),
    }


def calibration(runs: ComparedRuns) -> list[dict[str, Any]]:
    """The reliability of each run that gives probabilities: ``name``, ``error``, ``interval``, ``bias``, ``chart``."""
    found = []
    for run in runs.runs:
        if run.probabilities is None or (run.predicted == UNANSWERED).all():
            continue
        answered = np.flatnonzero(run.predicted != UNANSWERED)
        confidence = run.probabilities[answered, run.predicted[answered]]
        curve = reliability(confidence, (run.predicted == runs.true)[answered], runs.groups[answered])
        low = min(float(curve.confidence.min()), float(curve.accuracy.min()))
        ends = (np.floor(low * 5) / 5, 1.0) if low < 1.0 else (0.0, 1.0)
        chart = line_chart(
            [Line(run.name, curve.confidence.tolist(), curve.accuracy.tolist())],
            f"Reliability of {run.name}",
            "mean probability of the predicted label",
            "share that is right",
            x_range=ends,
            y_range=ends,
            diagonal=True,
        )
        rows = [(*row, f"{count:,}") for row, count in zip(chart.rows, curve.counts.tolist(), strict=True)]
        chart = Chart(chart.svg, chart.caption, (*chart.columns, "predictions"), rows)
        found.append(
            {"name": run.name, "error": curve.error, "interval": curve.interval, "bias": curve.bias, "chart": chart}
        )
    return found
