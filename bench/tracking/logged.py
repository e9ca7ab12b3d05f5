"""The runs that MLflow already has of a stored run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results.layout import run_folders
from bench.tracking.names import ascii_name
from bench.tracking.origin import Origin, origin_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


CONTENT = "bench.content"
"""The tag with a digest of what was logged; nothing is written after it, so that a run without it is not whole."""

PARENT = "mlflow.parentRunId"


def logged_runs(client: MlflowClient, experiment: str, condition: str) -> list[Run]:
    """All runs of an experiment that meet a condition; MLflow gives them page by page."""
    found: list[Run] = []
    page = client.search_runs([experiment], condition)
    found += page
    while page.token:
        page = client.search_runs([experiment], condition, page_token=page.token)
        found += page
    return found


def own_runs(client: MlflowClient, experiment: str, condition: str, origin: Origin) -> list[Run]:
    """The runs among `logged_runs` that were logged of one results folder."""
    return [run for run in logged_runs(client, experiment, condition) if origin.owns(run.data.tags)]


def delete(client: MlflowClient, experiment: str, key: str, runs: Sequence[Run]) -> None:
    """Delete what was logged of a stored run, with its fitted models; MLflow hides them until ``mlflow gc``."""
    ids = {run.info.run_id for run in runs}
    for each in ids:
        client.delete_run(each)
    condition = f"tags.`bench.key` = '{key}'"
    page = client.search_logged_models([experiment], condition)
    models = [*page]
    while page.token:
        page = client.search_logged_models([experiment], condition, page_token=page.token)
        models += page
    for model in models:
        if model.source_run_id in ids:
            client.delete_logged_model(model.model_id)


def forget_run(client: MlflowClient, results: Path, task: str, key: str) -> bool:
    """Delete what was logged of a stored run, with its folds and its fitted model; whether there was any.

    What was logged of the same run in another results folder stays. MLflow hides what is deleted, and keeps it until
    ``mlflow gc``.
    """
    experiment = client.get_experiment_by_name(ascii_name(task))
    if experiment is None:
        return False
    origin = origin_of(results, client.tracking_uri)
    found = own_runs(client, experiment.experiment_id, f"tags.`bench.key` = '{key}'", origin)
    delete(client, experiment.experiment_id, key, found)
    return bool(found)


def forget_deleted(results: Path, client: MlflowClient) -> int:
    """Delete from the store beside the results what was logged of runs whose folders are gone.

    MLflow hides them, and keeps them until ``mlflow gc``.

    Parameters
    ----------
    results : pathlib.Path
        The results folder.
    client : mlflow.MlflowClient
        The store beside these results.

    Returns
    -------
    int
        The runs, without those of their folds.
    """
    stored = {path.name for path in run_folders(results)}
    origin, whole = origin_of(results, client.tracking_uri), 0
    for experiment in client.search_experiments():
        gone: dict[str, list[Run]] = {}
        for run in own_runs(client, experiment.experiment_id, "tags.`bench.key` != ''", origin):
            if (key := run.data.tags["bench.key"]) not in stored:
                gone.setdefault(key, []).append(run)
        for key, runs in gone.items():
            delete(client, experiment.experiment_id, key, runs)
            whole += sum(PARENT not in run.data.tags for run in runs)
    return whole
