"""Removing stored runs: their folders, their rows in leaderboards, and what MLflow's store has of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.archive.listing import StoredRun
from bench.errors import BenchError, UserError, one_line
from bench.results.layout import unlinked
from bench.results.store import BusyError
from bench.tracking.uri import sqlite_path, tracking_uri


@dataclass
class Removed:
    """What became of runs that were to be removed.

    Parameters
    ----------
    runs : list of StoredRun
        Those that were removed.
    kept : list of str
        Those that were not, and why, a sentence each.
    in_mlflow : int
        How many were deleted in MLflow's store too.
    notes : list of str
        What else is to be said.
    """

    runs: list[StoredRun] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    in_mlflow: int = 0
    notes: list[str] = field(default_factory=list)


def remove_runs(results: Path, runs: Sequence[StoredRun]) -> Removed:
    """Remove stored runs.

    A run that another process works on is kept, as is one that lies behind a link. MLflow hides the runs that are
    deleted in its store, and ``mlflow gc`` removes them for good.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    runs : sequence of StoredRun
        Runs of it.
    """
    removed = Removed()
    for run in runs:
        try:
            _delete(results, run)
        except BusyError as error:
            removed.kept.append(f"{run.task}, {run.model}, {run.key} is kept: {error.message}")
        except (UserError, OSError) as error:
            reason = error.message if isinstance(error, BenchError) else error.strerror
            removed.kept.append(f"{run.task}, {run.model}, {run.key} is kept: {reason}")
        else:
            removed.runs.append(run)
    if removed.runs:
        _bring_up_to_date(results, removed)
        _forget(results, removed)
    return removed


def _delete(results: Path, run: StoredRun) -> None:
    folder = run.folder
    unlinked(results, *Path(run.path).relative_to(results).parts)
    if not folder.path.is_dir():
        raise UserError("it is no longer there")
    with folder.locked():
        folder.delete()
    if run.curve:
        with suppress(OSError):
            folder.path.parents[1].rmdir()


def _bring_up_to_date(results: Path, removed: Removed) -> None:
    from bench.comparison.board import corrected_leaderboard
    from bench.results.layout import REPORT, task_folder
    from bench.results.leaderboard import refresh_leaderboard

    for task in sorted({run.task for run in removed.runs}):
        refresh_leaderboard(results, task, corrected_leaderboard)
        folder = task_folder(results, task)
        if (folder / REPORT).is_file():
            removed.notes.append(f"{folder / REPORT} may still show them. Rerun: bench report task={task}")
        elif folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _forget(results: Path, removed: Removed) -> None:
    """Delete what was logged of the removed runs in MLflow's store, where there is one."""
    uri = tracking_uri(results)
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        return
    from bench.tracking.logged import forget_run
    from bench.tracking.store import open_store

    try:
        client = open_store(uri)
        removed.in_mlflow = sum(forget_run(client, results, run.task, run.key) for run in removed.runs if not run.curve)
    except Exception as error:  # MLflow, a database and a server fail in many ways; the files are gone already.
        removed.notes.append(
            f"MLflow's store {uri} still shows them: {one_line(str(error), 300)} "
            + ("`bench ui` leaves them out." if os.environ.get("MLFLOW_TRACKING_URI") is None else "")
        )
