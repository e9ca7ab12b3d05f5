"""A task's leaderboard with the score of its best model corrected for having been picked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.comparison.predictions import read_side_by_side
from bench.comparison.ranking import corrected_best
from bench.comparison.request import CompareRequest
from bench.comparison.selection import select_table
from bench.errors import BenchError
from bench.results.board import Best, Leaderboard
from bench.results.leaderboard import leaderboard, refresh_leaderboard
from bench.results.record import RunRecord

MOST_GROUPS = 5_000
"""With more groups than these the best score is flattered little, and correcting it takes long."""


def corrected_leaderboard(results: Path, record: RunRecord) -> Leaderboard:
    """Gather the stored runs that compare with a given one, as `bench.results.leaderboard.leaderboard` does.

    The best of the models that can be read has its corrected score, where there are two, and not very many groups.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : RunRecord
        The run.
    """
    return replace(leaderboard(results, record), best=_best(results, record))


def _best(results: Path, record: RunRecord) -> Best | None:
    selected = select_table(results, record)
    if len(selected.runs) < 2 or record.task.n_groups > MOST_GROUPS:
        return None
    try:
        return corrected_best(read_side_by_side(selected))
    except BenchError:
        # A leaderboard is made of the runs' summaries, and stands though their predictions are damaged.
        return None


def refresh_leaderboards(request: CompareRequest) -> None:
    """Make the leaderboards of the tasks that are compared again where they list a run which is gone."""
    for task in request.tasks:
        refresh_leaderboard(request.results, task, corrected_leaderboard)
