"""What the runs' models found in archives, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from bench.comparison.predictions import ComparedRuns
from bench.reporting.html.charts import Chart, Score, interval_chart
from bench.results.shares import Estimates, PartShares, read_shares


@dataclass(frozen=True)
class ShownShares:
    """The shares of an archive: the run whose models predicted, a chart for each label, and the warnings."""

    name: str
    title: str
    facts: str
    charts: list[Chart]
    warnings: tuple[str, ...]


def archive_shares(runs: ComparedRuns) -> list[ShownShares]:
    """The shares that are stored with the runs."""
    return [_shown(run.name, each) for run in runs.runs for each in read_shares(run.folder)]


def _shown(name: str, estimates: Estimates) -> ShownShares:
    parts = [("whole archive", estimates.whole), *((part.part or "", part) for part in estimates.parts)]
    facts = f"{estimates.whole.n_texts:,} texts, {estimates.whole.n_labelled:,} labelled examples"
    charts = [
        interval_chart(
            [score for title, part in parts if (score := _score(title, part, number)) is not None],
            f"Share of {label}",
            f"share of {label}",
        )
        for number, label in enumerate(estimates.labels)
        if estimates.whole.shares
    ]
    return ShownShares(name, estimates.title, facts, charts, estimates.warnings)


def _score(title: str, part: PartShares, number: int) -> Score | None:
    if not part.shares:
        return None
    share = part.shares[number]
    interval = share.powered.interval
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return Score(title, share.powered.value, low, high, f"counted: {share.counted:.3f} (biased)")
