"""A comparison in the terminal."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bench.comparison.across import Across
from bench.comparison.compare import ComparedRow, Comparison
from bench.comparison.pairs import Pair
from bench.metrics.registry import greater_is_better, metric_title
from bench.reporting.search import search_lines
from bench.reporting.terminal import STYLES, console, narrowed, not_shown
from bench.reporting.wording import (
    ASSUMPTION,
    alone_sentence,
    answer,
    needed_sentence,
    ranks_text,
    suspects_sentence,
)
from bench.results.board import BoardRow, best_sentence, interval_text, published_rows, published_sources
from bench.results.extent import extent, split_sizes

MOST_MODELS = 10
"""Up to so many models, every pair is printed; the pairs of the best model always are."""

LEFT_OUT = ("p\nMcNem.", "P in %\n> = <", "p\nfolds", "p\ngroups", "95 %\ninterval", "differ-\nence")
"""Columns of the pairs, in the order in which a narrow terminal has no room for them; names and verdicts stay."""

LEFT_OUT_OF_RANKING = ("ranks", "95 % interval")
"""Columns of the ranking, in that order; the best first says most of the ranks."""

MOST_ADVICE = 3
"""How many undecided pairs are told what would decide them."""


def print_comparison(comparison: Comparison) -> None:
    """Print a comparison: ranking, pairs, verdicts, and what to be careful about."""
    out = console()
    task = comparison.task
    out.print()
    folds = "" if split_sizes(task) else f", {comparison.n_folds} folds"
    out.print(Text(task.name, style="bold"), f"{extent(task)}{folds}, seed {comparison.seed}", sep="  ")
    ranking, left_out = narrowed(_ranking(comparison), out.width, LEFT_OUT_OF_RANKING)
    _print_block(out, ranking)
    if left_out:
        out.print(not_shown(left_out))
    if any(row.tied for row in comparison.rows):
        out.print(Text(f"~ cannot be told from {comparison.rows[0].name}", style="dim"))
    if flattered := best_sentence(comparison.best):
        out.print(Text(flattered))
    if sources := published_sources(published_rows(task, comparison.metric)):
        out.print(Text(f"published, not run here: {sources}", style="dim"))
    _print_block(out, Text(answer(comparison), style="bold"))
    alone = alone_sentence(comparison)
    if alone is not None:
        out.print(Text(alone))
    if comparison.pairs:
        pairs, left_out = narrowed(_pairs(comparison), out.width, LEFT_OUT)
        _print_block(out, pairs)
        if left_out:
            out.print(not_shown(left_out, "; --format json has them"))
        _print_block(out, _legend(comparison))
    advice = _advice(comparison)
    if advice:
        _print_block(out, Text("\n".join(advice)))
    searched = {row.name: row.bought for row in comparison.rows if row.bought is not None}
    if searched:
        _print_block(out, search_lines(searched, out.width))
    out.print()
    for warning in comparison.warnings:
        out.print(Text.assemble(("thin ground: ", "yellow"), warning))
    suspicion = suspects_sentence(comparison.suspects)
    for note in (*([suspicion] if suspicion else []), *comparison.notes):
        out.print(Text(f"note: {note}"))


def print_ranks(across: Across) -> None:
    """Print mean ranks over several tasks."""
    out = console()
    out.print()
    out.print(Text("all tasks", style="bold"), ", ".join(across.tasks), sep="  ")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("model", overflow="fold")
    table.add_column("mean rank", justify="right")
    for row in across.rows:
        table.add_row(row.name, f"{row.rank:.2f}")
    _print_block(out, table)
    if across.critical_difference is not None:
        friedman = "" if across.p_value is None else f"; Friedman's test p {p_value(across.p_value)}"
        out.print(f"critical difference {across.critical_difference:.2f}{friedman}")
    out.print(Text(across.note))


def _print_block(out: Console, block: RenderableType) -> None:
    """Print something with an empty line before it."""
    out.print()
    out.print(block)


def _ranking(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("model", overflow="fold")
    table.add_column(metric_title(comparison.metric, comparison.task), justify="right", no_wrap=True)
    table.add_column("95 % interval", no_wrap=True, min_width=14)
    table.add_column("ranks" if comparison.baseline is None else "", justify="right", no_wrap=True)
    table.add_column("")
    for row in with_published(comparison):
        if isinstance(row, BoardRow):
            table.add_row(row.label, f"{row.scores[comparison.metric]:.3f}", "", "", "", style=STYLES["published"])
        else:
            tied = "~" if row.tied else ""
            table.add_row(row.name, f"{row.score:.3f}", interval_text(row.interval), ranks_text(row), tied)
    for reference in comparison.references:
        score = reference.scores.get(comparison.metric)
        if score is not None:
            interval = interval_text(reference.intervals.get(comparison.metric))
            table.add_row(f"{reference.name} vs others", f"{score:.3f}", interval, "", "", style="dim")
    return table


def with_published(comparison: Comparison) -> list[ComparedRow | BoardRow]:
    """The rows of a comparison, the best first, with the published results of its metric in their places."""
    metric = comparison.metric
    sign = -1.0 if greater_is_better(metric) else 1.0
    rows: list[ComparedRow | BoardRow] = [*comparison.rows, *published_rows(comparison.task, metric)]
    return sorted(rows, key=lambda row: sign * row.scores[metric])


def _pairs(comparison: Comparison) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("better score\n  against", overflow="fold")
    by_fold = ("p\nfolds", "P in %\n> = <") if comparison.n_folds > 1 else ()
    for title in ("differ-\nence", "95 %\ninterval", "p\ngroups", *by_fold, "p\nMcNem."):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("\nverdict", no_wrap=True)
    for first in _shown(comparison):
        pairs = [pair for pair in comparison.pairs if pair.first == first]
        if pairs:
            table.add_row(Text(first, style="bold"))
        for pair in pairs:
            table.add_row(*_pair_row(pair, bool(by_fold)))
    return table


def _shown(comparison: Comparison) -> list[str]:
    """The models whose pairs are printed."""
    models = [row.name for row in comparison.rows]
    return models if len(models) <= MOST_MODELS or comparison.baseline is not None else models[:1]


def _legend(comparison: Comparison) -> Text:
    left_out = len(comparison.rows) - len(_shown(comparison))
    more = f"Pairs of the other {left_out} models: name them with model=, or --format json.\n" if left_out else ""
    by_group = (
        "p groups: paired bootstrap by group, with the correction for refitting; p and interval are adjusted for all "
        "models against the baseline"
        if comparison.baseline is not None
        else "p groups: paired bootstrap by group, with the correction for refitting; p and interval are adjusted for "
        "all pairs of models, or of models with the majority"
    )
    ranks = "" if comparison.baseline is not None else " ranks: those that the verdicts leave open."
    equal = "Of equal models the interval is that of two one-sided tests, 90 %."
    folds = (
        " p folds: corrected t-test over folds (Nadeau and Bengio), adjusted by Holm. P: over folds, that the first is "
        f"better by more than {comparison.rope:g}, that they differ by less, that the second is."
        if comparison.n_folds > 1
        else " One test part has no folds to compare over."
    )
    return Text(
        f"{more}{by_group}. {equal}{ranks}{folds} McNemar: of the errors, as if examples were independent.", style="dim"
    )


def _pair_row(pair: Pair, by_fold: bool) -> list[str]:
    groups, folds, ends = pair.groups, pair.folds, pair.interval
    over_folds = [
        p_value(pair.p_folds) if folds is not None else "",
        "" if folds is None else " ".join(f"{100 * share:.0f}" for share in (folds.first, folds.equal, folds.second)),
    ]
    return [
        f"  {pair.second}",
        f"{groups.difference:.3f}",
        "" if ends is None else f"{ends.low:.3f} {ends.high:.3f}",
        p_value(pair.p_groups) if ends is not None else "",
        *(over_folds if by_fold else ()),
        p_value(pair.errors.p_value),
        "equal" if pair.verdict == "practically equal" else pair.verdict,
    ]


def p_value(p: float) -> str:
    """A p-value as tables show it.

    Examples
    --------
    >>> p_value(0.0312), p_value(0.0000002), p_value(1.0)
    ('0.031', '<.001', '1.000')
    """
    return "<.001" if p < 0.001 else f"{p:.3f}"


def _advice(comparison: Comparison) -> list[str]:
    best = comparison.baseline or comparison.rows[0].name
    said = [needed_sentence(pair, comparison.task) for pair in comparison.pairs if best in (pair.first, pair.second)]
    lines = [f"to decide {line}" for line in said if line is not None][:MOST_ADVICE]
    return [*lines, ASSUMPTION] if lines else []
