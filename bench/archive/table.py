"""The list of stored runs, as a table for people and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from bench.archive.listing import StoredRun
from bench.reporting.terminal import console, narrowed
from bench.support.csv_text import csv_text

COLUMNS = (
    *("task", "model", "search", "seed", "started", "status", "metric", "score", "bytes", "key"),
    *("superseded_by", "problem", "curve", "imported", "path"),
)
"""The columns of the CSV."""

WIDE = 10_000
"""Characters of a line that no list needs."""

UNITS = ("B", "KB", "MB", "GB", "TB")


def size(count: float) -> str:
    """Bytes as people write them.

    Examples
    --------
    >>> size(999), size(1_500), size(25_000_000)
    ('999 B', '1.5 KB', '25 MB')
    """
    power = 0
    while count >= 1000 and power < len(UNITS) - 1:
        count, power = count / 1000, power + 1
    return f"{count:.0f} {UNITS[power]}" if power == 0 or count >= 10 else f"{count:.1f} {UNITS[power]}"


def how_many(runs: Sequence[StoredRun]) -> str:
    """How many runs and learning curves there are, in words."""
    curves = sum(run.curve for run in runs)
    counts = {"run": len(runs) - curves, "curve": curves}
    told = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in counts.items() if count]
    return " and ".join(told) or "0 runs"


def runs_csv(runs: Sequence[StoredRun]) -> str:
    """The runs as CSV, a line each."""
    return csv_text(({name: getattr(run, name) for name in COLUMNS} for run in runs), COLUMNS)


def print_runs(runs: Sequence[StoredRun], wide: bool = False) -> None:
    """Print the runs, a table for each task.

    Parameters
    ----------
    runs : sequence of StoredRun
        The runs.
    wide : bool
        Whether to print all columns, however narrow the terminal is.
    """
    out = console()
    if wide:
        out.width = WIDE
    for number, (task, group) in enumerate(groupby(runs, key=lambda run: run.task)):
        several = list(group)
        if number:
            out.print()
        total = size(sum(run.bytes for run in several))
        out.print(Text(task, style="bold"), f"{how_many(several)}, {total}", sep="  ")
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
        table.add_column("model", overflow="fold")
        replaced = ("replaced by",) if any(run.superseded_by for run in several) else ()
        headings = ("score", "search", "seed", "when", "size", "key", *replaced)
        for heading in headings:
            right = heading in ("score", "seed", "size")
            table.add_column(heading, justify="right" if right else "left", no_wrap=True)
        for run in several:
            table.add_row(*_cells(run)[: 1 + len(headings)], style="dim" if run.superseded_by else None)
        table, missing = narrowed(table, out.width, ["search", "size", "seed", "replaced by", "when"])
        out.print(table)
        if missing:
            out.print(
                Text(f"+{len(missing)} column{'s' * (len(missing) > 1)}: {', '.join(missing)}; --wide", style="dim")
            )
        for run in several:
            if run.problem:
                what = "cannot be read" if run.status == "unreadable" else f"is {run.status}"
                out.print(Text(f"{run.key} {what}: {run.problem}", style="dim"))


def _cells(run: StoredRun) -> list[str]:
    score = f"{run.score:.3f}" if run.score is not None and not run.problem else run.status
    seed = "" if run.seed is None else str(run.seed)
    when = run.started[:16].replace("T", " ")
    return [
        f"{run.model} (curve)" if run.curve else run.model,
        score,
        run.search or "",
        seed,
        when,
        size(run.bytes),
        run.key,
        (run.superseded_by or "")[:8],
    ]
