"""A task's leaderboard with the score of its best model corrected for having been picked."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.comparison.predictions import read_side_by_side
from bench.comparison.ranking import corrected_best
from bench.comparison.request import CompareRequest
from bench.comparison.selection import select_table
from bench.errors import BenchError
from bench.results.leaderboard import leaderboard, refresh_leaderboard

MOST_GROUPS = 5_000
"""With more groups than these the best score is flattered little, and correcting it takes long."""


def corrected_leaderboard(results: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Gather the stored runs that compare with a given one, as `bench.results.leaderboard.leaderboard` does.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : dict
        The content of a run's ``run.json``.

    Returns
    -------
    dict
        The leaderboard, and ``best``: the best of its models that can be read, with its corrected score (see
        `bench.comparison.ranking.Best`); None where there are no two, or very many groups.
    """
    return leaderboard(results, record) | {"best": _best(results, record)}


def _best(results: Path, record: dict[str, Any]) -> dict[str, Any] | None:
    selected = select_table(results, record)
    if len(selected.runs) < 2 or record["task"]["n_groups"] > MOST_GROUPS:
        return None
    try:
        best = corrected_best(read_side_by_side(selected))
    except BenchError:
        # A leaderboard is made of the runs' summaries, and stands though their predictions are damaged.
        return None
    return None if best is None else asdict(best)


def refresh_leaderboards(request: CompareRequest) -> None:
    """Make the leaderboards of the tasks that are compared again where they list a run which is gone."""
    for task in request.tasks:
        refresh_leaderboard(request.results, task, corrected_leaderboard)
