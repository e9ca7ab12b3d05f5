"""A task's leaderboard with the ranks that cannot be excluded, and its best score corrected for having been picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.comparison.compared import ComparedRuns
from bench.comparison.gains import gains
from bench.comparison.pairs import judged_pairs
from bench.comparison.predictions import read_side_by_side
from bench.comparison.ranking import corrected_best, rank_interval
from bench.comparison.request import ROPE, CompareRequest, Filter
from bench.comparison.selection import Selected, select_runs, select_table
from bench.errors import BenchError
from bench.metrics.registry import metric_of
from bench.results.board import Leaderboard
from bench.results.gains import Gain
from bench.results.leaderboard import leaderboard, period_notes, refresh_leaderboard
from bench.results.record import RunRecord
from bench.results.store import StoredRun

MOST_GROUPS = 5_000
"""With more groups than these the best score is flattered little, and comparing the runs takes long."""


def corrected_leaderboard(results: Path, record: RunRecord) -> Leaderboard:
    """Gather the stored runs that compare with a given one, as `bench.results.leaderboard.leaderboard` does.

    Where there are two models whose predictions can be read, and not very many groups, these have the ranks that cannot
    be excluded, and the best of them its corrected score.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : RunRecord
        The run.
    """
    selected = select_table(results, record)
    board = leaderboard(results, record)
    board = replace(board, gains=_gains(board, results, [[run] for run in selected.runs]))
    runs = _side_by_side(selected, record)
    if runs is None:
        return board
    pairs = judged_pairs(runs, ROPE, None)
    ranks = {run.folder.key: rank_interval(run.name, pairs, len(runs.runs)) for run in runs.runs}
    rows = tuple(row if row.key is None else replace(row, ranks=ranks.get(row.key)) for row in board.rows)
    return replace(board, rows=rows, best=corrected_best(runs))


def seeds_leaderboard(results: Path, task: str, seeds: tuple[int, ...]) -> Leaderboard:
    """Gather the models that have a finished run with each of several seeds, with mean scores.

    Intervals and ranks are about the mean over seeds.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    task : str
        The task's name.
    seeds : tuple of int
        At least two seeds.

    Raises
    ------
    bench.errors.BenchError
        If no model has run with all of them, or the predictions of none can be read.
    """
    selected = select_runs(results, task, Filter(seeds=seeds))
    runs = read_side_by_side(selected)
    board = leaderboard(results, selected.runs[0][1])
    by_key = {run.folder.key: run for run in runs.runs}
    several = len(runs.runs) > 1 and board.task.n_groups <= MOST_GROUPS
    pairs = judged_pairs(runs, ROPE, None) if several else []
    sign = runs.metric.sign
    rows = []
    for row in board.rows:
        run = None if row.key is None else by_key.get(row.key)
        if run is None:
            rows += [row] if row.key is None else []
            continue
        rows.append(
            replace(
                row,
                scores=run.summary.scores,
                intervals=run.summary.intervals,
                notes=(*period_notes(run.record, run.summary), *run.summary.notes),
                seconds=sum(sum(folder.read_seconds().values()) for folder, _ in run.stored),
                ranks=rank_interval(run.name, pairs, len(runs.runs)) if several else None,
                seed_scores=run.seed_scores,
                further_keys=tuple(folder.key for folder, _ in run.further),
            )
        )
    scored = [row for row in rows if row.kind in ("model", "published")]
    scored.sort(key=lambda row: (-sign * row.scores[board.metric], row.model))
    return replace(
        board,
        rows=(*scored, *(row for row in rows if row.kind not in ("model", "published"))),
        left_out=tuple(runs.notes),
        best=corrected_best(runs) if several else None,
        gains=_gains(board, results, [run.stored for run in runs.runs]),
        seeds=seeds,
    )


def _gains(board: Leaderboard, results: Path, models: Sequence[Sequence[StoredRun]]) -> tuple[Gain, ...]:
    """What new labels bought the models of a table, the best first."""
    sign = metric_of(board.task).sign
    return tuple(sorted(gains(results, models), key=lambda gain: (-sign * gain.now.score, gain.model)))


def _side_by_side(selected: Selected, record: RunRecord) -> ComparedRuns | None:
    if len(selected.runs) < 2 or record.task.n_groups > MOST_GROUPS:
        return None
    try:
        runs = read_side_by_side(selected)
    except BenchError:
        # A leaderboard is made of the runs' summaries, and stands though their predictions are damaged.
        return None
    return runs if len(runs.runs) > 1 else None


def refresh_leaderboards(request: CompareRequest) -> None:
    """Make the leaderboards of the tasks that are compared again where they list a run which is gone."""
    for task in request.tasks:
        refresh_leaderboard(request.results, task, corrected_leaderboard)
