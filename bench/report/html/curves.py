"""What the search of each run bought, and learning curves, as the page shows them."""

from __future__ import annotations

from typing import Any

from bench.comparison.compare import Comparison
from bench.comparison.importance import importance
from bench.comparison.predictions import ComparedRuns
from bench.metrics.registry import metric_title
from bench.report.html.charts import Line, line_chart
from bench.results.curves import Curve, stored_curves
from bench.results.protocol import same_table


def searches(runs: ComparedRuns, comparison: Comparison) -> list[dict[str, Any]]:
    """What `bench.comparison.search` says of each run that searched, with a chart."""
    found = []
    for run, row in zip(runs.runs, comparison.rows, strict=True):
        report = row.bought
        if report is None:
            continue
        expected, deviation, reached = report.curve.expected, report.curve.deviation, report.curve.reached
        trials = list(range(1, len(expected) + 1))
        known = [(trial, score) for trial, score in zip(trials, reached, strict=True) if score is not None]
        lines = [
            Line(
                "expected best of random draws",
                trials,
                list(expected),
                [mean - spread for mean, spread in zip(expected, deviation, strict=True)],
                [mean + spread for mean, spread in zip(expected, deviation, strict=True)],
                markers=False,
            ),
            Line("reached as it ran", [trial for trial, _ in known], [score for _, score in known]),
        ]
        caption, title = f"Search of {run.name}", report.title
        budget = "trials a fold" if comparison.n_folds > 1 else "trials"
        chart = line_chart([line for line in lines if line.x], caption, budget, f"inner {title}")
        parameters = importance(run.folder, run.record)
        found.append({"name": run.name, "report": report, "chart": chart, "parameters": parameters})
    return found


def learning_curves(runs: ComparedRuns) -> list[dict[str, Any]]:
    """The stored learning curves under the runs' protocol: ``name``, a chart for each axis, and the verdicts' texts."""
    newest = runs.runs[0]
    models = {run.record.model.name for run in runs.runs}
    results, task = newest.folder.path.parents[2], newest.folder.path.parents[1].name
    return [
        _learning_curve(curve)
        for curve in stored_curves(results, task)
        if same_table(curve.record, newest.record) and curve.record.model.name in models
    ]


def _learning_curve(curve: Curve) -> dict[str, Any]:
    record, summary = curve.record, curve.summary
    model, metric = record.model.name, summary.metric
    lines = []
    for axis, along in summary.axes.items():
        scored = [point for point in along if metric in point.scores]
        ends = [point.intervals.get(metric) for point in scored]
        bands = [end for end in ends if end is not None]
        banded = len(bands) == len(scored)
        if scored:
            lines.append(
                Line(
                    {"groups": "more groups", "examples": "more examples of each group"}[axis],
                    [point.n_examples for point in scored],
                    [point.scores[metric] for point in scored],
                    [end.low for end in bands] if banded else None,
                    [end.high for end in bands] if banded else None,
                )
            )
    worth = [summary.worth.text] if summary.worth is not None else []
    search = f", search: {record.search.name}" if record.model.search else ""
    return {
        "name": model,
        "search": search,
        "chart": line_chart(lines, f"Learning curve of {model}", "training examples", metric_title(metric, record.task))
        if lines
        else None,
        "verdicts": [
            *(f"More {axis}: {verdict.text}." for axis, verdict in summary.verdicts.items()),
            *(f"{text[:1].upper()}{text[1:]}." for text in worth),
        ],
    }
