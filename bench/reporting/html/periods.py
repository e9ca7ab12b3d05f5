"""Scores by period, as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.comparison.compare import ComparedRow, Comparison
from bench.metrics.registry import metric_title
from bench.reporting.html.charts import Chart, Score, interval_chart
from bench.reporting.periods import with_periods
from bench.results.periods import FoldScore, period_text, trend_text


@dataclass(frozen=True)
class ShownPeriods:
    """The periods of a run: what is said of their trend, empty if there is none, and a chart of the scores."""

    name: str
    trend: str
    chart: Chart


def period_charts(comparison: Comparison) -> list[ShownPeriods]:
    """A chart of each run's scores by period, in order of time; none without periods."""
    title = metric_title(comparison.metric, comparison.task)
    rows = [row for row in with_periods(comparison) if any(each.score is not None for each in row.by_period)]
    ends = [end for row in rows for each in row.by_period for end in _ends(each)]
    return [
        ShownPeriods(
            row.name,
            "" if row.trend is None else f"{trend_text(row.trend, title)}.",
            _chart(comparison, row, title, ends),
        )
        for row in rows
    ]


def _ends(score: FoldScore) -> tuple[float, ...]:
    if score.interval is not None:
        return score.interval.low, score.interval.high
    return () if score.score is None else (score.score,)


def _chart(comparison: Comparison, row: ComparedRow, title: str, ends: Sequence[float]) -> Chart:
    scores = []
    for period, each in zip(comparison.periods, row.by_period, strict=True):
        if each.score is None:
            continue
        low, high = (None, None) if each.interval is None else (each.interval.low, each.interval.high)
        name = period_text(period)
        note = f"trained on {period.n_train:,}, tested on {period.n_test:,}"
        scores.append(Score(name, each.score, low, high, note))
    return interval_chart(scores, f"{title} of {row.name} by period", title, ends)
