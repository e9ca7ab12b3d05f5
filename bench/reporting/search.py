"""What the search of each run bought, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.comparison.search import SearchReport
from bench.reporting.terminal import narrowed


def search_lines(reports: Mapping[str, SearchReport], width: int = 80) -> Group:
    """Lay out what `bench.comparison.search.search_report` found for several runs.

    Parameters
    ----------
    reports : mapping of str to SearchReport
        At least one report, by the name that the run has in the tables around.
    width : int
        The columns of the terminal.

    Returns
    -------
    rich.console.Group
        A table that fits, what its columns mean, and lines on settings stopped early and on edges.
    """
    first = next(iter(reports.values()))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("model", overflow="fold")
    for title in ("trials", "inner", "outer", "gap", "enough at"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, report in reports.items():
        table.add_row(
            name,
            str(report.trials),
            f"{report.inner:.3f}",
            f"{report.outer:.3f}",
            "" if report.gap is None else f"{report.gap:+.3f}",
            "" if report.enough is None else str(report.enough),
        )
    table, _ = narrowed(table, width, ["enough at", "trials", "gap", "inner"])
    legend = (
        f"{first.title}: inner is the mean score of the chosen settings in the search, outer the "
        "pooled score on test parts, gap how much better the first looks. Enough at is the trial after which the "
        f"search stood within {first.within:g} of its end."
    )
    stopped = [Text(f"{name}: {it.stopped.sentence}.") for name, it in reports.items() if it.stopped]
    edges = [Text(f"{name}: {edge.sentence}") for name, report in reports.items() for edge in report.edges]
    return Group(Padding(table, (0, 0, 1, 0)), Text(legend, style="dim"), *stopped, *edges)
