"""Logging stored runs where MLflow is in use for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.tracking.uri import sqlite_path, tracking_uri

if TYPE_CHECKING:
    from bench.results.store import RunFolder


def track_where_in_use(results: Path, folders: Sequence[RunFolder]) -> list[str]:
    """Log runs to the store of MLflow that is in use for a folder of results, if there is one.

    Parameters
    ----------
    results : pathlib.Path
        The folder of results.
    folders : sequence of RunFolder
        The runs.

    Returns
    -------
    list of str
        What was left out, and why.
    """
    uri = tracking_uri(results)
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        return []
    from bench.tracking.run import track_all
    from bench.tracking.store import open_store

    try:
        return [f"not in MLflow: {reason}" for reason in track_all(folders, open_store(uri))]
    except Exception as error:  # MLflow, a database and a server fail in many ways; the runs are stored already.
        return [f"MLflow's store {uri} does not have the runs: {error}"]
