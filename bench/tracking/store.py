"""Opening an MLflow store."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from bench.errors import BenchError, one_line
from bench.support.process import is_own
from bench.tracking.uri import sqlite_path, sqlite_uri

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlflow import MlflowClient


DAMAGED = ("malformed", "not a database")
"""What SQLite says of a damaged file."""

OTHER = "Set MLFLOW_TRACKING_URI to another store, or unset it to use the one beside the results."


QUICK = 256 * 2**20
"""Bytes of a store up to which all of it is looked at before it is opened, which takes a second at most."""


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

    path = sqlite_path(uri)
    with damage_told(uri):
        if path is not None:
            check_database(path)
            _create(path)
        client = MlflowClient(uri)
        # Also makes MLflow load and compile what the first logged run needs.
        for experiment in client.search_experiments(max_results=1):
            client.search_runs([experiment.experiment_id], max_results=1)
    return client


@contextmanager
def damage_told(uri: str) -> Iterator[None]:
    """Say of a store that cannot be read what to do about it.

    Raises
    ------
    bench.errors.BenchError
        In place of what MLflow, SQLAlchemy and SQLite raise; of a SQLite file that is damaged that can be anything.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    path = sqlite_path(uri)
    try:
        yield
    except BenchError:
        raise
    except Exception as error:
        usual = isinstance(error, MlflowException | SQLAlchemyError | OSError)
        if path is None and not usual:
            raise
        damaged = path is not None and (not usual or any(words in str(error) for words in DAMAGED))
        raise BenchError(
            f"MLflow's store {uri} cannot be opened: {one_line(str(error), 300)}",
            _remade(path) if damaged and path is not None else OTHER,
        ) from error


def being_remade(path: Path) -> bool:
    """Whether a SQLite store is being made again from the stored runs, or that was stopped before its end."""
    return _marker(path).exists()


def remaking_begins(path: Path) -> None:
    """Remember that a SQLite store is not complete, until `remaking_ended`."""
    with suppress(OSError):
        _marker(path).touch()


def remaking_ended(path: Path) -> None:
    """Remember that a SQLite store is complete."""
    with suppress(OSError):
        _marker(path).unlink(missing_ok=True)


def _marker(path: Path) -> Path:
    return path.with_name(f".{path.name}.remaking")


def check_database(path: Path) -> None:
    """Refuse at once what is not an SQLite file or is damaged; MLflow would try again for a minute."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "no regular file"
        raise BenchError(f"{path}: this is {kind}, where MLflow's store is to be a file.", "Move it away.")
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as opened:
            opened.execute("SELECT count(*) FROM sqlite_master")
            if (
                path.stat().st_size <= QUICK
                and (found := opened.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok"
            ):
                raise sqlite3.DatabaseError(found)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        if isinstance(error, sqlite3.OperationalError) and not any(words in str(error) for words in DAMAGED):
            return
        raise BenchError(f"{path}: MLflow's store is damaged: {one_line(str(error), 300)}.", _remade(path)) from error


def _remade(path: Path) -> str:
    """What to do where a SQLite store is damaged."""
    if "MLFLOW_TRACKING_URI" in os.environ:
        return OTHER
    return f"Delete {path}: `bench ui` makes it again from the stored runs. They are not touched."


def _create(path: Path) -> None:
    """Create a SQLite store where there is none; its file appears whole or not at all."""
    from filelock import FileLock
    from mlflow import MlflowClient

    if path.exists():
        return
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
