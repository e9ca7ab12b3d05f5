"""Scores by label and by group, confusion matrices and calibration, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.comparison.compared import ComparedRuns
from bench.metrics.confusion import UNANSWERED, column_names
from bench.reporting.html.charts import Chart, Line, line_chart
from bench.statistics.calibration import reliability
from bench.statistics.interval import Interval

MOST_GROUPS = 30
"""Groups whose scores are shown; of more, those with the lowest and the highest."""


@dataclass(frozen=True)
class ConfusionCell:
    """How many examples of a label were given another, and their share of the label."""

    count: int
    share: float


@dataclass(frozen=True)
class ConfusionRow:
    """The examples of a label, by the label that they were given."""

    label: str
    support: int
    cells: list[ConfusionCell]


@dataclass(frozen=True)
class ConfusionTable:
    """The confusion matrix of a run."""

    name: str
    columns: list[str]
    rows: list[ConfusionRow]


@dataclass(frozen=True)
class GroupRow:
    """A group: its examples, how many of the task's labels occur in it, and the score of each run."""

    name: str
    examples: int
    labels: int
    scores: list[float]


@dataclass(frozen=True)
class GroupScores:
    """The groups, those first in which the best run scores worst, and how many between them are left out."""

    rows: list[GroupRow]
    left_out: int


@dataclass(frozen=True)
class Calibration:
    """How far a run's probabilities can be believed; see `bench.statistics.calibration.reliability`."""

    name: str
    error: float
    interval: Interval | None
    bias: float
    chart: Chart


def confusion_tables(runs: ComparedRuns) -> list[ConfusionTable]:
    """The confusion matrix of each run, with the share of each true label."""
    tables = []
    for run in runs.runs:
        confusion = run.summary.confusion
        rows = []
        for label, counts in zip(runs.labels, confusion, strict=True):
            support = sum(counts)
            cells = [ConfusionCell(count, count / support if support else 0.0) for count in counts]
            rows.append(ConfusionRow(label, support, cells))
        tables.append(ConfusionTable(run.name, list(column_names(runs.labels, len(confusion[0]))), rows))
    return tables


def group_scores(runs: ComparedRuns) -> GroupScores:
    """The score of each run in each group, over all the task's labels; none where each group is one example."""
    by_run = [runs.metric.by_group(run.outcomes) for run in runs.runs]
    held = runs.runs[0].outcomes.by_group.sum(axis=2)
    examples = np.bincount(runs.groups[runs.once], minlength=len(runs.group_names))
    if examples.max() <= 1:
        return GroupScores([], 0)
    order = np.argsort(by_run[0], kind="stable").tolist()
    if not runs.metric.greater_is_better:
        order.reverse()
    shown = order
    if len(order) > MOST_GROUPS:
        shown = [*order[: MOST_GROUPS // 2], *order[-MOST_GROUPS // 2 :]]
    rows = [
        GroupRow(
            name=runs.group_names[place],
            examples=int(examples[place]),
            labels=int((held[place] > 0).sum()),
            scores=[float(scores[place]) for scores in by_run],
        )
        for place in shown
    ]
    return GroupScores(rows, len(order) - len(shown))


def calibration(runs: ComparedRuns) -> list[Calibration]:
    """The reliability of each run that gives probabilities."""
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
        found.append(Calibration(run.name, curve.error, curve.interval, curve.bias, chart))
    return found
