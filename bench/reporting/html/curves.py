"""What the search of each run gained, and learning curves, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.comparison.compare import Comparison
from bench.comparison.compared import ComparedRuns
from bench.comparison.importance import Importance, importance
from bench.comparison.search import SearchReport
from bench.metrics.registry import metric_title
from bench.reporting.html.charts import Chart, Line, line_chart
from bench.results.curves import Curve, stored_curves
from bench.results.protocol import same_table


@dataclass(frozen=True)
class ShownSearch:
    """What the search of a run gained, with a chart, and which parameters mattered where that is known."""

    name: str
    report: SearchReport
    chart: Chart
    parameters: list[Importance] | None


@dataclass(frozen=True)
class ShownCurve:
    """A learning curve: the model, its search, a chart where something was scored, and the verdicts."""

    name: str
    search: str
    chart: Chart | None
    verdicts: list[str]


def searches(runs: ComparedRuns, comparison: Comparison) -> list[ShownSearch]:
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
        found.append(ShownSearch(run.name, report, chart, parameters))
    return found


def learning_curves(runs: ComparedRuns) -> list[ShownCurve]:
    """The stored learning curves under the runs' protocol."""
    newest = runs.runs[0]
    models = {run.record.model.name for run in runs.runs}
    return [
        _learning_curve(curve)
        for curve in stored_curves(newest.folder.results, newest.folder.task)
        if same_table(curve.record, newest.record) and curve.record.model.name in models
    ]


def _learning_curve(curve: Curve) -> ShownCurve:
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
    title = metric_title(metric, record.task)
    chart = line_chart(lines, f"Learning curve of {model}", "training examples", title) if lines else None
    verdicts = [f"More {axis}: {verdict.text}." for axis, verdict in summary.verdicts.items()]
    verdicts += [f"{text[:1].upper()}{text[1:]}." for text in worth]
    return ShownCurve(model, search, chart, verdicts)
