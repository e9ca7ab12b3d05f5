"""Slices of a comparison: a table and sentences, the same in the terminal, in Markdown and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from bench.checks.finding import counted
from bench.comparison.compare import Comparison
from bench.comparison.pairs import Pair
from bench.comparison.slices import Slice, Sliced, SliceScore
from bench.metrics.registry import greater_is_better, metric_title
from bench.reporting.terminal import console, narrowed, not_shown, wrapped
from bench.results.board import interval_text
from bench.support.csv_text import csv_text

MOST_NAMED = 5
"""Slices that are too small and named; of more, it is said how many."""

LEFT_OUT = ("groups", "against the rest", "examples", "95 % interval")
"""Columns that a narrow terminal has no room for, in that order."""


@dataclass(frozen=True)
class SliceTable:
    """The judged slices as text: a row for each slice and run."""

    titles: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def slice_rows(comparison: Comparison) -> SliceTable | None:
    """The table of judged slices, None without any."""
    sliced = comparison.slices
    if sliced is None or not sliced.judged:
        return None
    reference = _reference(comparison)
    rows = []
    for each in sliced.slices:
        for number, score in enumerate(each.scores):
            about = (each.value, f"{each.n_examples:,}", f"{each.n_groups:,}") if number == 0 else ("", "", "")
            rest = score.elsewhere
            against = "" if rest is None else f"{rest.difference:+.3f} {_mark(rest.verdict)}".strip()
            pair = _pair(each, score.name, reference)
            verdict = "" if pair is None else _standing(pair, score.name)
            interval = interval_text(score.interval)
            rows.append((*about, score.name, f"{score.score:.3f}", interval, against, verdict))
    title = metric_title(comparison.metric, comparison.task)
    first = (sliced.column, "examples", "groups", "model", title, "95 % interval", "against the rest")
    return SliceTable((*first, f"against {reference}"), rows)


def worst_sentences(comparison: Comparison) -> list[str]:
    """Name the worst slice of the best run, with its interval, and say whether it is worse than the rest."""
    sliced = comparison.slices
    if sliced is None:
        return []
    name = comparison.rows[0].name
    worst = sliced.worst(name, _sign(comparison))
    if worst is None:
        return []
    each, score = worst
    said = f"{name} is worst on {sliced.column} {each.value}: {score.score:.3f} {interval_text(score.interval)}"
    rest = score.elsewhere
    if rest is None or rest.interval is None:
        return [f"{said}."]
    ends = f"{rest.difference:+.3f} [{rest.interval.low:+.3f}, {rest.interval.high:+.3f}] from the rest"
    known = "worse than on the rest" if rest.verdict == "worse" else "not distinguishable from the rest"
    return [f"{said}, {ends}: {known}."]


def slices_told(comparison: Comparison) -> list[str]:
    """Say what the slices are adjusted for, and which are too small to be judged."""
    sliced = comparison.slices
    if sliced is None:
        return []
    told = []
    if sliced.judged:
        told.append(
            f"Intervals and verdicts hold for {counted(sliced.judged, 'slice')} together. A slice may score lower "
            "because its labels are rarer, not because its texts are harder."
        )
    small = [each for each in sliced.slices if each.too_small]
    if small:
        named = [f"{each.value} ({_size(each)}: {each.too_small})" for each in small[:MOST_NAMED]]
        more = [f"{len(small) - MOST_NAMED:,} more"] if len(small) > MOST_NAMED else []
        told.append(f"Too small to be judged: {'; '.join([*named, *more])}.")
    return told


def print_slices(comparison: Comparison) -> None:
    """Print the slices of a comparison; nothing without any."""
    sliced = comparison.slices
    if sliced is None:
        return
    out = console()
    out.print()
    out.print(Text(f"{comparison.task.name} by {sliced.column}", style="bold"))
    for sentence in worst_sentences(comparison):
        out.print(Text(wrapped(sentence)))
    if (found := slice_rows(comparison)) is not None:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
        for number, title in enumerate(found.titles):
            right = number in (1, 2, 4)
            table.add_column(title, justify="right" if right else "left", no_wrap=right, overflow="fold")
        for row in found.rows:
            table.add_row(*(Text(cell) for cell in row))
        table, left_out = narrowed(table, out.width, LEFT_OUT)
        out.print()
        out.print(table)
        if left_out:
            out.print(not_shown(left_out, "; --format csv has them"))
        out.print()
    for sentence in slices_told(comparison):
        out.print(Text(wrapped(sentence), style="dim"))


def slices_to_csv(comparisons: Sequence[Comparison]) -> str:
    """All digits of the slices, a row for each slice and run."""
    records = (
        {"task": comparison.task.name, "metric": comparison.metric, **record}
        for comparison in comparisons
        for record in slice_records(comparison)
    )
    return csv_text(records, ("task", "metric"))


def slice_records(comparison: Comparison) -> list[dict[str, object]]:
    """One record for each slice and run; slices that are too small have one without scores."""
    sliced = comparison.slices
    return [] if sliced is None else [record for each in sliced.slices for record in _records(comparison, sliced, each)]


def _records(comparison: Comparison, sliced: Sliced, each: Slice) -> list[dict[str, object]]:
    reference = _reference(comparison)
    about: dict[str, object] = {"column": sliced.column, "slice": each.value}
    about |= {"examples": each.n_examples, "groups": each.n_groups}
    scores: Sequence[SliceScore | None] = each.scores or (None,)
    records = []
    for score in scores:
        pair = None if score is None else _pair(each, score.name, reference)
        rest = None if score is None else score.elsewhere
        turned = -1.0 if pair is not None and score is not None and pair.first != score.name else 1.0
        ends = None if pair is None or pair.interval is None else (pair.interval.low, pair.interval.high)
        low, high = (None, None) if ends is None else sorted(turned * end for end in ends)
        interval = None if score is None else score.interval
        records.append(
            {
                **about,
                "model": None if score is None else score.name,
                "score": None if score is None else score.score,
                "low": None if interval is None else interval.low,
                "high": None if interval is None else interval.high,
                "from_rest": None if rest is None else rest.difference,
                "from_rest_low": None if rest is None or rest.interval is None else rest.interval.low,
                "from_rest_high": None if rest is None or rest.interval is None else rest.interval.high,
                "from_rest_verdict": None if rest is None else rest.verdict,
                "reference": None if pair is None else reference,
                "from_reference": None if pair is None else turned * pair.groups.difference,
                "from_reference_low": low,
                "from_reference_high": high,
                "from_reference_verdict": None if pair is None or score is None else _standing(pair, score.name),
                "too_small": each.too_small,
            }
        )
    return records


def _reference(comparison: Comparison) -> str:
    return comparison.baseline or comparison.rows[0].name


def _sign(comparison: Comparison) -> float:
    return 1.0 if greater_is_better(comparison.metric) else -1.0


def _pair(each: Slice, name: str, reference: str) -> Pair | None:
    return next((pair for pair in each.pairs if {pair.first, pair.second} == {name, reference}), None)


def _standing(pair: Pair, name: str) -> str:
    """The verdict on a pair, seen from one of its runs."""
    if pair.verdict != "better":
        return pair.verdict
    return "better" if pair.first == name else "worse"


def _mark(verdict: str) -> str:
    return "" if verdict == "undecided" else verdict


def _size(each: Slice) -> str:
    return f"{counted(each.n_examples, 'example')} in {counted(each.n_groups, 'group')}"
