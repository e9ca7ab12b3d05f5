"""Opening an MLflow store."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.support.process import is_own
from bench.tracking.uri import sqlite_path, sqlite_uri

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient


def load_mlflow() -> None:
    """Import what opening and filling a store needs, which takes seconds, without touching any store."""
    import mlflow.store.db.utils
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    if is_own():
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)


def open_store(uri: str) -> MlflowClient:
    """Open a store, and create it where it is a SQLite file that does not exist yet.

    MLflow fails where several processes create one SQLite store at once, so they take turns.

    Parameters
    ----------
    uri : str
        A tracking URI.

    Returns
    -------
    mlflow.MlflowClient

    Raises
    ------
    bench.errors.BenchError
        If the store cannot be opened.
    """
    load_mlflow()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        path = sqlite_path(uri)
        if path is not None:
            _create(path)
        client = MlflowClient(uri)
        # Also makes MLflow load and compile what the first logged run needs.
        for experiment in client.search_experiments(max_results=1):
            client.search_runs([experiment.experiment_id], max_results=1)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise BenchError(
            f"MLflow's store {uri} cannot be opened: {error}",
            "Set MLFLOW_TRACKING_URI to another store, or unset it to use the one beside the results.",
        ) from error
    return client


def _create(path: Path) -> None:
    """Create a SQLite store where there is none; its file appears whole or not at all."""
    from filelock import FileLock
    from mlflow import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.exists():
            return
        beside = path.with_name(f".{path.name}")
        beside.unlink(missing_ok=True)
        client = MlflowClient(sqlite_uri(beside))
        if "MLFLOW_TRACKING_URI" not in os.environ:
            # Nothing is logged to the experiment that MLflow makes itself; in a store of the user's own it stays.
            client.delete_experiment("0")
        beside.rename(path)
