"""Where MLflow keeps what it shows."""

from __future__ import annotations

import os
from pathlib import Path

SQLITE = "sqlite:///"


def tracking_uri(results: Path) -> str:
    """The tracking URI: ``MLFLOW_TRACKING_URI`` where it is set, else a SQLite file beside the results.

    Parameters
    ----------
    results : pathlib.Path
        The results folder.
    """
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{results.resolve() / 'mlflow.db'}"


def sqlite_path(uri: str) -> Path | None:
    """The file of a SQLite store, None for every other kind of store.

    Examples
    --------
    >>> sqlite_path("sqlite:////data/results/mlflow.db")
    PosixPath('/data/results/mlflow.db')
    >>> sqlite_path("https://mlflow.example.org") is None
    True
    """
    return Path(uri.removeprefix(SQLITE)).resolve() if uri.startswith(SQLITE) else None


def artifact_folder(uri: str) -> Path | None:
    """The folder of a SQLite store's artifacts; None where the store itself decides.

    Examples
    --------
    >>> artifact_folder("sqlite:////data/results/mlflow.db")
    PosixPath('/data/results/mlartifacts')
    """
    path = sqlite_path(uri)
    return None if path is None else path.parent / "mlartifacts"


def artifact_root(uri: str) -> str | None:
    """The folder of a SQLite store's artifacts, as a URI; None where the store itself decides.

    Examples
    --------
    >>> artifact_root("sqlite:////data/results/mlflow.db")
    'file:///data/results/mlartifacts'
    """
    folder = artifact_folder(uri)
    return None if folder is None else folder.as_uri()
