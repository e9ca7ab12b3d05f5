"""Learning curves in the terminal: a table an axis, and the verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.metrics.registry import metric_title
from bench.reporting.terminal import console, narrowed, not_shown, short_path
from bench.results.board import interval_text
from bench.results.curves import AXES, Curve, CurvePoint, CurveRecord, CurveSummary
from bench.results.extent import extent

HEADINGS = {
    "groups": "More groups: whole groups are added",
    "examples": "More examples: all groups, a growing part of each",
}

BAR = 16
"""Characters of a bar that is full."""

NOTES = 4
"""Notes that are printed; the file holds all."""


def print_curve(curve: Curve) -> None:
    """Print a learning curve."""
    out = console()
    record, summary = curve.record, curve.summary
    task, metric = record.task, summary.metric
    out.print()
    search = f", search: {record.search.name}" if record.model.search else ""
    facts = f"{extent(task)}, seed {record.seed}{search}"
    out.print(Text(f"{task.name}: {record.model.name}", style="bold"), facts, sep="  ")
    for axis in (axis for axis in AXES if axis in summary.axes):
        out.print()
        out.print(Text(HEADINGS[axis], style="italic"))
        other = "examples" if axis == "groups" else "groups"
        table, left_out = narrowed(
            _table(summary.axes[axis], metric, metric_title(metric, task)),
            out.width,
            ["", other, "95 % interval", axis],
        )
        out.print(table)
        if left_out := [heading for heading in left_out if heading]:
            out.print(not_shown(left_out, "; summary.json has them"))
        if axis in summary.verdicts:
            out.print(Text(summary.verdicts[axis].text))
    out.print()
    if not summary.axes:
        out.print("No part of the training data is smaller than all of it: there is no curve.")
    if summary.worth is not None:
        out.print(Text(summary.worth.text))
    for note in _notes(summary, record):
        out.print(Text(f"note: {note}"))
    out.print(Text(f"Stored in {short_path(str(curve.path))}/", style="dim"), soft_wrap=True)


def _table(points: Sequence[CurvePoint], metric: str, title: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("part")
    for name in ("groups", "examples", title):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True, min_width=14)
    table.add_column("", no_wrap=True, min_width=BAR)
    scores = [point.scores[metric] for point in points if point.scores]
    full = max([1.0, *scores])
    for point in points:
        score = point.scores.get(metric)
        table.add_row(
            point.part,
            _mean(point.n_groups),
            _mean(point.n_examples),
            "failed" if score is None else f"{score:.3f}",
            "" if score is None else interval_text(point.intervals.get(metric)),
            "" if score is None else "█" * round(BAR * max(score, 0.0) / full),
        )
    return table


def _mean(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _notes(summary: CurveSummary, record: CurveRecord) -> list[str]:
    """Each note once, with the parts and the number of folds that it holds for."""
    lines = []
    for each in summary.notes:
        folds = each.folds
        where = [
            f"{part.part if part.axis is None else part.axis + ' ' + part.part}: {folds[part.name]}"
            for part in record.parts
            if part.name in folds
        ]
        several = f"folds of {record.folds}; " if record.folds > 1 else ""
        parts = where if several else [each.rpartition(":")[0] for each in where]
        lines.append(f"{each.note} ({several}{', '.join(parts)})")
    more = [f"{len(lines) - NOTES} more in summary.json"] if len(lines) > NOTES else []
    return lines[:NOTES] + more
