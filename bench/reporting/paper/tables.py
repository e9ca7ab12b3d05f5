"""What a comparison's tables for papers hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.comparison.across import Across
from bench.comparison.compare import Comparison
from bench.comparison.contrasts import contrasts, to_the_baseline
from bench.metrics.registry import metric_title
from bench.reporting.comparison import p_value, with_published
from bench.reporting.forest import WORDS, signed, signed_ends
from bench.reporting.periods import (
    CAUTION,
    absent_sentences,
    period_score,
    trend_sentences,
    with_periods,
)
from bench.reporting.slices import slice_rows, slices_told, worst_sentences
from bench.reporting.wording import protocol_sentence
from bench.results.board import BoardRow, published_rows, published_sources
from bench.results.periods import Trend, period_text, trend_unit
from bench.statistics.interval import Interval

TIED, EQUAL, ABOVE = "~", "=", "*"
"""The marks of scores: not distinguishable from the best, practically equal to it, better than the baseline."""


@dataclass(frozen=True)
class PaperCell:
    """A cell of a table: its text, whether it is bold, and its marks."""

    text: str = ""
    bold: bool = False
    marks: str = ""


@dataclass(frozen=True)
class PaperTable:
    """A table with its caption.

    Parameters
    ----------
    name : str
        What it is of, for its label.
    caption : str
        What it shows, and under which protocol.
    marks : dict of str to str
        What the marks mean that are in it.
    columns : tuple of str
        The headings; the first column names the rows.
    rows : list of list of PaperCell
        The rows; without any, only the caption is written.
    rest : int
        The last so many rows are set off by a line: they are not like the others.
    numbers : tuple of int
        The columns that are set flush right.
    """

    name: str
    caption: str
    marks: dict[str, str]
    columns: tuple[str, ...]
    rows: list[list[PaperCell]]
    rest: int = 0
    numbers: tuple[int, ...] = (1,)


def paper_tables(
    comparisons: Sequence[Comparison], across: Across | None = None, *, pairs: bool = False
) -> list[PaperTable]:
    """The tables of a comparison: one task in full, or models by tasks; then the periods, and the pairs on demand.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each task.
    across : Across or None
        Their mean ranks.
    pairs : bool
        Whether a table of each task's pairs follows.
    """
    tables = [_of_one(comparisons[0])] if len(comparisons) == 1 else [_of_several(comparisons, across)]
    tables += [_of_periods(each) for each in comparisons if with_periods(each)]
    return [*tables, *(_of_pairs(each) for each in comparisons if pairs and each.pairs)]


def _of_one(comparison: Comparison) -> PaperTable:
    metric = metric_title(comparison.metric, comparison.task)
    reference = comparison.baseline or comparison.rows[0].name
    against = {each.name: each for each in contrasts(comparison, reference)}
    marks = _marks(comparison)
    rows = []
    for row in with_published(comparison):
        if isinstance(row, BoardRow):
            published = PaperCell(f"{row.scores[comparison.metric]:.3f}")
            rows.append([PaperCell(row.label), published, *[PaperCell()] * 3])
            continue
        contrast = against.get(row.name)
        best = row.name == comparison.rows[0].name
        rows.append(
            [
                PaperCell(row.name, best),
                PaperCell(f"{row.score:.3f}", best, marks[row.name]),
                PaperCell(_ends(row.interval)),
                PaperCell("" if contrast is None else signed(contrast.difference)),
                PaperCell("" if contrast is None else signed_ends(contrast.interval)),
            ]
        )
    references = [each for each in comparison.references if comparison.metric in each.scores]
    for each in references:
        score, ends = each.scores[comparison.metric], each.intervals.get(comparison.metric)
        reached = [PaperCell(f"{each.name} vs others"), PaperCell(f"{score:.3f}"), PaperCell(_ends(ends))]
        rows.append([*reached, *[PaperCell()] * 2])
    return PaperTable(
        comparison.task.name,
        _caption([comparison], f"Differences are from {reference}." if comparison.pairs else ""),
        _meanings([comparison]),
        ("Model", metric, "95 % interval", "Difference", "Adjusted interval"),
        rows,
        len(references),
        (1, 3),
    )


def _of_several(comparisons: Sequence[Comparison], across: Across | None) -> PaperTable:
    ranks = {} if across is None else {row.name: row.rank for row in across.rows}
    names = list(dict.fromkeys(row.name for each in comparisons for row in each.rows))
    names.sort(key=lambda name: ranks.get(name, len(names)))
    found = [{row.name: row for row in each.rows} for each in comparisons]
    marks = [_marks(each) for each in comparisons]

    def cell(number: int, name: str) -> PaperCell:
        row = found[number].get(name)
        if row is None:
            return PaperCell("\u2013")
        return PaperCell(f"{row.score:.3f}", name == comparisons[number].rows[0].name, marks[number][name])

    n = len(comparisons)
    rows = [
        [
            PaperCell(name),
            *(cell(number, name) for number in range(n)),
            *([PaperCell(f"{ranks[name]:.2f}" if name in ranks else "\u2013")] if ranks else []),
        ]
        for name in names
    ]
    metrics = [metric_title(each.metric, each.task) for each in comparisons]
    alike = len(set(metrics)) == 1
    heads = [
        each.task.name if alike else f"{each.task.name} ({metric})"
        for each, metric in zip(comparisons, metrics, strict=True)
    ]
    note = f"Mean rank: {across.note}" if across is not None and ranks else ""
    return PaperTable(
        "-".join(each.task.name for each in comparisons),
        _caption(comparisons, note),
        _meanings(comparisons),
        ("Model", *heads, *(("Mean rank",) if ranks else ())),
        rows,
        numbers=tuple(range(1, n + 1 + bool(ranks))),
    )


def sliced_table(comparison: Comparison) -> PaperTable:
    """The table of judged slices, without rows if there are none."""
    found = slice_rows(comparison)
    column = "" if comparison.slices is None else comparison.slices.column
    said = [
        f"{metric_title(comparison.metric, comparison.task)} on {comparison.task.name} by {column}.",
        *worst_sentences(comparison),
        *slices_told(comparison),
    ]
    return PaperTable(
        f"{comparison.task.name}-by-{column}",
        " ".join(said),
        {},
        found.titles if found else (),
        [[PaperCell(cell) for cell in row] for row in found.rows] if found else [],
        numbers=(1, 2, 4),
    )


def _of_periods(comparison: Comparison) -> PaperTable:
    """The scores by period, and below them how they change with distance from training."""
    runs = with_periods(comparison)
    rows = [
        [
            PaperCell(period_text(period)),
            PaperCell(f"{period.n_test:,}"),
            *(PaperCell(period_score(run, number)) for run in runs),
        ]
        for number, period in enumerate(comparison.periods)
    ]
    trends = [run.trend for run in runs]
    over = next((trend_unit(trend) for trend in trends if trend is not None), None)
    if over is not None:
        changes = [PaperCell() if trend is None else PaperCell(_change(trend)) for trend in trends]
        rows.append([PaperCell(f"Change over {over}"), PaperCell(), *changes])
    title = metric_title(comparison.metric, comparison.task)
    said = [
        f"{title} on {comparison.task.name} by period, trained on what was earlier.",
        *absent_sentences(comparison),
        *([*trend_sentences(comparison), CAUTION] if over is not None else []),
    ]
    return PaperTable(
        f"{comparison.task.name}-by-period",
        " ".join(said),
        {},
        ("Period", "Examples", *(run.name for run in runs)),
        rows,
        0 if over is None else 1,
        tuple(range(1, len(runs) + 2)),
    )


def _change(trend: Trend) -> str:
    return f"{signed(trend.change)} {signed_ends(trend.interval)}".rstrip()


def _of_pairs(comparison: Comparison) -> PaperTable:
    rows = [
        [
            PaperCell(pair.first),
            PaperCell(pair.second),
            PaperCell(signed(pair.groups.difference)),
            PaperCell(signed_ends(pair.interval)),
            PaperCell("" if pair.interval is None else p_value(pair.p_groups)),
            PaperCell(WORDS[pair.verdict]),
        ]
        for pair in comparison.pairs
    ]
    metric = metric_title(comparison.metric, comparison.task)
    return PaperTable(
        f"{comparison.task.name}-pairs",
        f"Pairs of models on {comparison.task.name}, the one with the better {metric} first; intervals and p-values "
        f"are adjusted for {_family(comparison)}.",
        {},
        ("First", "Second", "Difference", "Adjusted interval", "p", "Verdict"),
        rows,
        numbers=(2, 4),
    )


def _marks(comparison: Comparison) -> dict[str, str]:
    """The marks of each model's score."""
    best = comparison.rows[0].name
    to_best = {} if comparison.baseline is not None else {each.name: each for each in contrasts(comparison, best)}
    above = {each.name for each in to_the_baseline(comparison) if each.standing == "better"}
    marks = {}
    for row in comparison.rows:
        standing = to_best[row.name].standing if row.name in to_best else None
        tied = {"undecided": TIED, "practically equal": EQUAL}.get(standing or "", "")
        marks[row.name] = f"{tied}{ABOVE if row.name in above else ''}"
    return marks


def _meanings(comparisons: Sequence[Comparison]) -> dict[str, str]:
    """What the marks mean that are there."""
    marks = "".join(mark for each in comparisons for mark in _marks(each).values())
    baselines = dict.fromkeys(each[0].reference for each in map(to_the_baseline, comparisons) if each)
    meanings = {
        TIED: "not distinguishable from the best",
        EQUAL: f"practically equal to the best (within \u00b1 {comparisons[0].rope:g})",
        ABOVE: f"better than {' or '.join(baselines)}",
    }
    return {mark: meaning for mark, meaning in meanings.items() if mark in marks}


def _caption(comparisons: Sequence[Comparison], note: str) -> str:
    """The protocol, what is bold, and what tests and intervals are adjusted for."""
    said = [protocol_sentence(comparisons), "The best score is bold.", note]
    if any(each.pairs for each in comparisons):
        families = dict.fromkeys(map(_family, comparisons))
        said.append(f"Tests and adjusted intervals: paired bootstrap by group, adjusted for {' or '.join(families)}.")
    if len(comparisons) == 1:
        (only,) = comparisons
        source = published_sources(published_rows(only.task, only.metric))
        said.append(f"Published, not run here: {source}." if source else "")
    return " ".join(sentence for sentence in said if sentence)


def _family(comparison: Comparison) -> str:
    if comparison.baseline is not None:
        return f"all models against {comparison.baseline}"
    families = {pair.family for pair in comparison.pairs}
    pairs = "all pairs of models"
    return f"{pairs}, and apart from these for all models against the majority" if len(families) > 1 else pairs


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f"[{interval.low:.3f}, {interval.high:.3f}]".replace("-", "\u2212")
