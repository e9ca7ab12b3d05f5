"""Scores by period: a table and sentences, the same in the terminal and on the page."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from bench.comparison.compare import ComparedRow, Comparison
from bench.metrics.registry import metric_title
from bench.reporting.terminal import console, narrowed, not_shown, wrapped
from bench.results.periods import absent_text, period_text, trend_text

CAUTION = (
    "Distance is the time from the end of the training part to a test example; each period has a level of its own. "
    "Texts may be harder later for other reasons than distance."
)
"""What a trend is of, and what it does not say."""


def trend_sentences(comparison: Comparison) -> list[str]:
    """Say of each model how its score changes with distance from training."""
    title = metric_title(comparison.metric, comparison.task)
    return [f"{row.name}: {trend_text(row.trend, title)}." for row in comparison.rows if row.trend is not None]


def with_periods(comparison: Comparison) -> list[ComparedRow]:
    """The runs that have a score for each of the comparison's periods; none without periods."""
    return [row for row in comparison.rows if row.by_period and len(row.by_period) == len(comparison.periods)]


def period_score(row: ComparedRow, number: int) -> str:
    """A run's score in a period, a dash if there is none."""
    score = row.by_period[number].score
    return "\u2013" if score is None else f"{score:.3f}"


def absent_sentences(comparison: Comparison) -> list[str]:
    """Say which periods have no score because a label is absent there; all models have the same examples."""
    return [
        f"{period_text(period)}: {absent_text(each.absent)}."
        for row in with_periods(comparison)[:1]
        for period, each in zip(comparison.periods, row.by_period, strict=True)
        if each.absent
    ]


def print_periods(comparison: Comparison) -> None:
    """Print the scores by period and their trends; nothing without periods."""
    rows = with_periods(comparison)
    if not rows:
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
        table.add_row(period_text(period), f"{period.n_test:,}", *(period_score(row, number) for row in rows))
    table, left_out = narrowed(table, out.width, [row.name for row in reversed(rows)])
    out.print(table)
    if left_out:
        out.print(not_shown(left_out, "; --format json has them"))
    for sentence in absent_sentences(comparison):
        out.print(Text(wrapped(sentence)))
    sentences = trend_sentences(comparison)
    if sentences:
        out.print()
        for sentence in sentences:
            out.print(Text(wrapped(sentence)))
        out.print(Text(wrapped(CAUTION), style="dim"))
