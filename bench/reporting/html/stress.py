"""What perturbed texts cost the runs, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from bench.comparison.compared import ComparedRuns
from bench.errors import UserError
from bench.metrics.registry import metric_title
from bench.reporting.forest import WORDS, signed
from bench.reporting.html.charts import Chart, Dot, dot_chart
from bench.reporting.stress import stress_answer
from bench.results.stress import WITHOUT_INTERVAL, StressRow, StressSummary, read_stress_summary, worst_first

_MARKS = {
    "better": ("better", "triangle"),
    "worse": ("worse", "down"),
    "practically equal": ("s0", "square"),
}
"""The colour and the shape of each verdict; a ring for others."""


@dataclass(frozen=True)
class ShownStress:
    """The stress tests of a run: what they say, a chart of the drops, and the perturbations that changed no text."""

    name: str
    answer: str
    rope: float
    chart: Chart | None
    unchanged: list[str]


def stress_tests(runs: ComparedRuns) -> list[ShownStress]:
    """The stored stress tests of the runs; those that cannot be read are left out."""
    shown = []
    for run in runs.runs:
        try:
            summary = read_stress_summary(run.folder)
        except UserError:
            continue
        if summary is not None:
            shown.append(_shown(run.name, summary, metric_title(summary.metric, runs.task)))
    return shown


def _shown(name: str, summary: StressSummary, metric: str) -> ShownStress:
    rows = [row for row in worst_first(summary.rows) if row.standing != "unchanged"]
    # Rows at 0 without an interval show nothing; the table has them.
    drawn = [row for row in rows if row.standing not in WITHOUT_INTERVAL or row.drop != 0.0] or rows
    chart = None
    if rows:
        chart = dot_chart(
            [_dot(row) for row in drawn],
            f"What perturbed texts cost {name}",
            f"drop in {metric}; right of 0 is worse",
            ("", "flipped", "changed", "score", "drop", "low", "high", "verdict"),
            [_cells(row) for row in rows],
            always=(0.0,),
            zero=True,
            band=summary.rope,
        )
    unchanged = [row.name for row in summary.rows if row.standing == "unchanged"]
    return ShownStress(name, " ".join(stress_answer(summary).split()), summary.rope, chart, unchanged)


def _dot(row: StressRow) -> Dot:
    kind, shape = _MARKS.get(row.standing, ("undecided", "ring"))
    low, high = (None, None) if row.interval is None else _ends(row)
    ends = "" if low is None or high is None else f" [{signed(low)}, {signed(high)}]"
    told = f"{WORDS.get(row.told, row.told)} {signed(row.drop)}{ends}"
    return Dot(row.name, told, row.drop, low, high, kind, shape)


def _ends(row: StressRow) -> tuple[float, float]:
    assert row.interval is not None, "only rows with an interval have ends"
    return row.interval.low, row.interval.high


def _cells(row: StressRow) -> tuple[str, ...]:
    ends = ("", "") if row.interval is None else tuple(map(signed, _ends(row)))
    return (row.name, f"{row.flipped:,}", f"{row.changed:,}", f"{row.score:.3f}", signed(row.drop), *ends, row.told)
