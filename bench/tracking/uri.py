"""Where MLflow keeps what it shows."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

SQLITE = "sqlite:///"


def tracking_uri(results: Path) -> str:
    """The tracking URI: ``MLFLOW_TRACKING_URI`` where it is set, else a SQLite file beside the results.

    Parameters
    ----------
    results : pathlib.Path
        The results folder.
    """
    return os.environ.get("MLFLOW_TRACKING_URI") or sqlite_uri(results.resolve() / "mlflow.db")


def sqlite_uri(path: Path) -> str:
    """The URI of a SQLite file.

    A question mark would end the path there, and percent signs are taken for escapes, so a path with them is escaped.
    MLflow makes the folder in which such a file seems to lie; with the slashes escaped too, that is the current one.

    Examples
    --------
    >>> sqlite_uri(Path("/data/results/mlflow.db")), sqlite_uri(Path("/why?/mlflow.db"))
    ('sqlite:////data/results/mlflow.db', 'sqlite:///%2Fwhy%3F%2Fmlflow.db')
    """
    return f"{SQLITE}{quote(str(path), safe='') if set('%?') & set(str(path)) else path}"


def sqlite_path(uri: str) -> Path | None:
    """The file of a SQLite store, None for every other kind of store.

    Examples
    --------
    >>> sqlite_path("sqlite:////data/results/mlflow.db")
    PosixPath('/data/results/mlflow.db')
    >>> sqlite_path("sqlite:///%2Fwhy%3F%2Fmlflow.db")
    PosixPath('/why?/mlflow.db')
    >>> sqlite_path("https://mlflow.example.org") is None
    True
    """
    if not uri.startswith(SQLITE):
        return None
    path = uri.removeprefix(SQLITE)
    return Path(unquote(path) if path.upper().startswith("%2F") else path).resolve()


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
