"""A comparison in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bench.checks.finding import counted
from bench.comparison.across import Across
from bench.comparison.compare import ComparedRow, Comparison
from bench.comparison.pairs import Pair
from bench.metrics.registry import greater_is_better, metric_title
from bench.reporting.search import search_lines
from bench.reporting.terminal import STYLES, WIDTH, console, narrowed, not_shown, print_gains
from bench.reporting.wording import (
    ASSUMPTION,
    across_answer,
    needed_sentence,
    suspects_sentence,
    tied_text,
    wrapped_answer,
)
from bench.results.board import (
    RANKS,
    BoardRow,
    best_sentence,
    interval_text,
    published_rows,
    published_sources,
    ranks_text,
)
from bench.results.extent import extent, split_sizes

LEFT_OUT = ("p\nMcNem.", "P in %\n> = <", "p\nfolds", "p\ngroups", "95 %\ninterval", "differ-\nence")
"""Columns of the pairs, in the order in which a narrow terminal has no room for them; names and verdicts stay."""

LEFT_OUT_OF_RANKING = ("ranks", "95 % interval")
"""Columns of the ranking, in that order; the best first says most of the ranks."""

MOST_ADVICE = 3
"""For how many undecided pairs it is said what would decide them."""


def print_comparison(comparison: Comparison, with_pairs: bool = False) -> None:
    """Print a comparison: the answer, the ranking, what limits it, and the pairs with their tests on demand."""
    out = console()
    task = comparison.task
    out.print()
    folds = "" if split_sizes(task) or comparison.periods else f", {comparison.n_folds} folds"
    out.print(
        Text(task.name, style="bold"), f"{extent(task, comparison.periods)}{folds}, {comparison.seeds_text}", sep="  "
    )
    _print_block(out, Text("\n".join(wrapped_answer(comparison, min(out.width, WIDTH))), style="bold"))
    ranking, left_out = narrowed(_ranking(comparison), out.width, LEFT_OUT_OF_RANKING)
    _print_block(out, ranking)
    if left_out:
        out.print(not_shown(left_out))
    if any(row.tied for row in comparison.rows):
        out.print(Text(f"~ not distinguishable from {comparison.rows[0].name}, or practically equal", style="dim"))
    if any(row.ranks for row in comparison.rows) and "ranks" not in left_out:
        out.print(Text(RANKS, style="dim"))
    if comparison.seeds:
        told = (
            "scores are means over seeds, and intervals and verdicts are about these; sd of seeds: how far one is off"
        )
        out.print(Text(told, style="dim"))
    if flattered := best_sentence(comparison.best):
        out.print(Text(flattered))
    print_gains(comparison.gains)
    if sources := published_sources(published_rows(task, comparison.metric)):
        out.print(Text(f"published, not run here: {sources}", style="dim"))
    if comparison.pairs and with_pairs:
        _print_pairs(out, comparison)
    searched = {row.name: row.bought for row in comparison.rows if row.bought is not None}
    if searched and not comparison.seeds:
        _print_block(out, search_lines(searched, out.width))
    out.print()
    for warning in comparison.warnings:
        out.print(Text.assemble(("limitation: ", "yellow"), warning))
    suspicion = suspects_sentence(comparison.suspects)
    for note in (*([suspicion] if suspicion else []), *comparison.notes):
        out.print(Text(f"note: {note}"))
    if comparison.pairs and not with_pairs:
        n = counted(len(comparison.pairs), "pair")
        out.print(Text(f"--pairs prints the tests of {n}; --plot FILE.svg draws the differences", style="dim"))


def print_ranks(across: Across, comparisons: Sequence[Comparison]) -> None:
    """Print the answer over several tasks: mean ranks, and the best model of each task."""
    out = console()
    out.print()
    out.print(Text(counted(len(comparisons), "task"), style="bold"), ", ".join(across.tasks), sep="  ")
    _print_block(out, Text("\n".join(across_answer(across)), style="bold"))
    if across.rows:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
        table.add_column("model", overflow="fold")
        table.add_column("mean rank", justify="right")
        for row in across.rows:
            table.add_row(row.name, f"{row.rank:.2f}")
        _print_block(out, table)
    if across.critical_difference is not None:
        friedman = "" if across.p_value is None else f"; Friedman's test p {p_value(across.p_value)}"
        out.print(f"critical difference {across.critical_difference:.2f}{friedman}")
    best = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    best.add_column("task", overflow="fold")
    best.add_column("best model", overflow="fold")
    best.add_column("score", justify="right", no_wrap=True)
    best.add_column("metric", overflow="fold")
    best.add_column("not distinguishable", justify="right")
    for each in comparisons:
        first, title = each.rows[0], metric_title(each.metric, each.task)
        best.add_row(each.task.name, first.name, f"{first.score:.3f}", title, tied_text(each))
    shown, left_out = narrowed(best, out.width, ("metric", "not distinguishable"))
    _print_block(out, shown)
    if left_out:
        out.print(not_shown(left_out))


def _print_pairs(out: Console, comparison: Comparison) -> None:
    """Print the pairs with their tests, and what would decide the undecided ones of the best model."""
    pairs, left_out = narrowed(_pairs(comparison), out.width, LEFT_OUT)
    _print_block(out, pairs)
    if left_out:
        out.print(not_shown(left_out, "; --format csv has them"))
    _print_block(out, _legend(comparison))
    advice = _advice(comparison)
    if advice:
        _print_block(out, Text("\n".join(advice)))


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
    if comparison.seeds:
        table.add_column("sd of seeds", justify="right", no_wrap=True)
    blank = ("",) if comparison.seeds else ()
    for row in with_published(comparison):
        if isinstance(row, BoardRow):
            table.add_row(
                row.label, f"{row.scores[comparison.metric]:.3f}", "", "", "", *blank, style=STYLES["published"]
            )
        else:
            tied = "~" if row.tied else ""
            spread = () if row.seed_deviation is None else (f"{row.seed_deviation:.3f}",)
            table.add_row(
                row.name, f"{row.score:.3f}", interval_text(row.interval), ranks_text(row.ranks), tied, *spread
            )
    for reference in comparison.references:
        score = reference.scores.get(comparison.metric)
        if score is not None:
            interval = interval_text(reference.intervals.get(comparison.metric))
            table.add_row(f"{reference.name} vs others", f"{score:.3f}", interval, "", "", *blank, style="dim")
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
    for first in (row.name for row in comparison.rows):
        pairs = [pair for pair in comparison.pairs if pair.first == first]
        if pairs:
            table.add_row(Text(first, style="bold"))
        for pair in pairs:
            table.add_row(*_pair_row(pair, bool(by_fold)))
    return table


def _legend(comparison: Comparison) -> Text:
    family = (
        "all models against the baseline"
        if comparison.baseline is not None
        else "all pairs of models, or of models with the majority"
    )
    folds = (
        " p folds: corrected t-test over folds (Nadeau and Bengio), adjusted by Holm. P: the probability over folds "
        f"that the first is better by more than {comparison.rope:g}, that they differ by less, that the second is "
        "better."
        if comparison.n_folds > 1
        else " One test part has no folds to compare over."
    )
    return Text(
        f"p groups: paired bootstrap by group, corrected for refitting. It and the interval are adjusted for {family}; "
        f"the verdict rests on them. For equal models the interval is the 90 % one of two one-sided tests.{folds} "
        "McNem.: McNemar's test of the errors, as if examples were independent.",
        style="dim",
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
