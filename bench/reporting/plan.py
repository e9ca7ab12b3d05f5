"""What a command would run, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from bench.checks.finding import counted
from bench.reporting.terminal import console, duration, narrowed, not_shown

if TYPE_CHECKING:
    from bench.config import Execution
    from bench.planning.planned import Plan, PlannedRun

OPTIONAL = ("time", "stored")
"""Columns that go first where the terminal is narrow."""


def print_plan(plan: Plan, execution: Execution) -> None:
    """Print the runs of a plan with their folds and fits, and where they would run."""
    out = console()
    for note in plan.notes:
        out.print(Text(f"note: {note}"))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("task", "model"):
        table.add_column(name)
    for name in ("folds", "fits", "stored", "time"):
        table.add_column(name, justify="right")
    total, times = 0, list[str]()
    for run in plan.runs:
        folds = run.all_folds if run.anew else run.folds_to_run()
        fits = sum(run.evaluation.fits_of(fold) for fold in folds)
        total += fits
        stored = len(run.all_folds) - len(folds)
        times.append(_time(run, len(folds)))
        named = run.evaluation.task.name, run.evaluation.model.name
        table.add_row(*named, f"{len(folds)}", f"{fits:,}", f"{stored}", times[-1])
    shown, left_out = narrowed(table, out.width, OPTIONAL)
    out.print(shown)
    if left_out:
        out.print(not_shown(left_out))
    workers = counted(plan.workers, "worker")
    here = f"{workers} on this machine" if execution.engine == "local" else f"{execution.engine}, {workers}"
    where = execution.scheduler or here
    out.print(Text(f"{total:,} fits, on {where}; nothing was run"))
    out.print(Text("fits: at most, since a search that stops settings early does fewer", style="dim"))
    if any(times):
        out.print(Text("time: estimated from the stored folds of the run, for one worker", style="dim"))


def _time(run: PlannedRun, folds: int) -> str:
    """The time of the folds to run, by those that are stored."""
    fold = run.folder.seconds_a_fold() if folds and not run.anew else None
    return "" if fold is None else f"about {duration(fold * folds)}"
