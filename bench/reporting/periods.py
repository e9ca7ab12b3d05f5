"""Scores by period: a table and sentences, the same in the terminal and on the page."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from bench.comparison.compare import Comparison
from bench.metrics.registry import metric_title
from bench.reporting.terminal import console, narrowed, not_shown, wrapped
from bench.results.periods import trend_text

CAUTION = (
    "Distance is the time from the end of the training part to a test example; each period has a level of its own. "
    "Texts may be harder later for other reasons than distance."
)
"""What a trend is of, and what it does not say."""


def trend_sentences(comparison: Comparison) -> list[str]:
    """Say of each model how its score changes with distance from training."""
    title = metric_title(comparison.metric, comparison.task)
    return [f"{row.name}: {trend_text(row.trend, title)}." for row in comparison.rows if row.trend is not None]


def print_periods(comparison: Comparison) -> None:
    """Print the scores by period and their trends; nothing without periods."""
    rows = [row for row in comparison.rows if len(row.by_period) == len(comparison.periods)]
    if not comparison.periods or not rows:
        return
    out = console()
    title = metric_title(comparison.metric, comparison.task)
    out.print()
    out.print(Text(f"{title} by period", style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("period", no_wrap=True)
    table.add_column("examples", justify="right", no_wrap=True)
    for row in rows:
        table.add_column(row.name, justify="right", no_wrap=True)
    for number, period in enumerate(comparison.periods):
        scores = [f"{row.by_period[number].score:.3f}" for row in rows]
        table.add_row(f"{period.tested_from} to {period.tested_to}", f"{period.n_test:,}", *scores)
    table, left_out = narrowed(table, out.width, [row.name for row in reversed(rows)])
    out.print(table)
    if left_out:
        out.print(not_shown(left_out, "; --format json has them"))
    sentences = trend_sentences(comparison)
    if sentences:
        out.print()
        for sentence in sentences:
            out.print(Text(wrapped(sentence)))
        out.print(Text(wrapped(CAUTION), style="dim"))
