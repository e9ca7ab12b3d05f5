"""What the runs' models found in archives, as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.comparison.compared import ComparedRuns
from bench.reporting.html.charts import Chart, Dot, dot_chart
from bench.reporting.shares import interval_words, percent, share_findings
from bench.results.shares import Estimates, LabelShare, PartDifference, read_shares, told_apart
from bench.statistics.sampled import Share

MOST_OF = 55.0
"""Shares above this many percent are drawn on an axis that reaches 100."""


@dataclass(frozen=True)
class ShownShares:
    """The shares of an archive: the run whose models predicted, charts, and what else to know."""

    name: str
    title: str
    facts: str
    charts: list[Chart]
    remarks: list[str]
    warnings: tuple[str, ...]


def archive_shares(runs: ComparedRuns) -> list[ShownShares]:
    """The shares that are stored with the runs."""
    found = [(run.name, each) for run in runs.runs for each in read_shares(run.folder)]
    stored = [each for _, each in found]
    titles = told_apart(stored, [each.title for each in stored])
    return [_shown(name, title, each) for (name, each), title in zip(found, titles, strict=True)]


def _shown(name: str, title: str, estimates: Estimates) -> ShownShares:
    parts = [("whole archive", estimates.whole), *((part.part or "", part) for part in estimates.parts)]
    facts = f"{estimates.whole.n_texts:,} texts, {estimates.whole.n_labelled:,} labelled examples"
    charts = [
        _chart([(part_title, part.shares[number]) for part_title, part in parts if part.shares], label)
        for number, label in enumerate(estimates.labels)
        if estimates.whole.shares
    ]
    charts += [_difference_chart(estimates.differences)] if estimates.differences else []
    return ShownShares(name, title, facts, charts, share_findings(estimates), estimates.warnings)


def _chart(shares: Sequence[tuple[str, LabelShare]], label: str) -> Chart:
    """The shares of a label in percent, as in the terminal; at least one."""
    dots = [_dot(title, each.powered) for title, each in shares]
    rows: list[tuple[str, ...]] = [
        (
            title,
            percent(each.powered.value),
            *_ends(each.powered),
            interval_words(each.labels_alone),
            interval_words(each.adjusted),
            "labels alone" if each.narrowest == "labels_alone" else "share",
            percent(each.counted),
        )
        for title, each in shares
    ]
    columns = ("", "share in %", "low", "high", "labels alone", "adjusted", "narrowest", "counted in % (biased)")
    whole = max(dot.value if dot.high is None else dot.high for dot in dots) > MOST_OF
    return dot_chart(
        dots, f"Share of {label}", f"share of {label} in %", columns, rows, always=(0.0, 100.0) if whole else (0.0,)
    )


def _difference_chart(differences: Sequence[PartDifference]) -> Chart:
    """The differences of the shares in parts, in points; at least one."""
    named = [(f"{each.one} - {each.other}, {each.label}", each.difference) for each in differences]
    rows: list[tuple[str, ...]] = [(title, percent(share.value), *_ends(share)) for title, share in named]
    columns = ("", "points", "low", "high")
    dots = [_dot(title, share) for title, share in named]
    return dot_chart(dots, "Differences of shares", "difference in points", columns, rows, always=(0.0,), zero=True)


def _dot(title: str, share: Share) -> Dot:
    value, interval = 100.0 * share.value, share.interval
    if interval is None:
        return Dot(title, percent(share.value), value, None, None, "s0", "circle")
    told = f"{percent(share.value)} [{', '.join(_ends(share))}]"
    return Dot(title, told, value, 100.0 * interval.low, 100.0 * interval.high, "s0", "circle")


def _ends(share: Share) -> tuple[str, str]:
    return ("", "") if share.interval is None else (percent(share.interval.low), percent(share.interval.high))
