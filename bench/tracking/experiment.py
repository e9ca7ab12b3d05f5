"""What MLflow is told of a run before any figure: its experiment, its data set, and the tags to find it by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.metrics.averaged import AVERAGED_OVER
from bench.results.record import RunRecord, TaskRecord
from bench.support.json_writing import json_text
from bench.tracking.description import describe_task
from bench.tracking.names import NOTE, ascii_name
from bench.tracking.uri import artifact_root
from bench.tracking.views import view_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset


def experiment_of(client: MlflowClient, task: TaskRecord) -> str:
    """The id of a task's experiment, which is made, or brought up to date."""
    from mlflow.exceptions import MlflowException

    name = ascii_name(task.name)
    tags = {
        NOTE: describe_task(task),
        "bench.task": task.name,
        "bench.metric": task.metric,
        **({f"bench.{AVERAGED_OVER}": task.averaged_over} if task.averaged_over else {}),
        # The page then offers what belongs to trained models rather than to chats.
        "mlflow.experimentKind": "custom_model_development",
        **view_tags(task.metric),
    }
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        root = artifact_root(client.tracking_uri)
        try:
            return str(client.create_experiment(name, None if root is None else f"{root}/{name}", tags))
        except MlflowException:
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                raise
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    for key, value in tags.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment.experiment_id, key, value)
    return str(experiment.experiment_id)


def dataset_of(task: TaskRecord) -> Dataset:
    """A task's data as MLflow names it: by its digest, without its texts.

    Runs share it, so it says nothing that depends on a run, such as which examples are tested and how often.
    """
    from mlflow.entities import Dataset

    columns = [{"name": name, "type": "string", "required": True} for name in (*task.inputs, "label")]
    profile = {"num_rows": task.n_examples, "num_groups": task.n_groups, "labels": task.labels}
    return Dataset(
        name=ascii_name(task.name),
        digest=task.digest[:12],
        source_type="local",
        source=json.dumps({"uri": task.origin}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json_text(profile),
    )


def tags_of(record: RunRecord) -> dict[str, str]:
    """The tags to find a run by."""
    task, search = record.task, record.search
    tags = {
        "bench.key": record.key,
        "bench.task": task.name,
        "bench.task_digest": task.digest,
        "bench.model": record.model.name,
        "bench.train_on": "none" if record.train_on is None else record.train_on.task,
        "bench.estimator": record.model.estimator,
        "bench.features": record.model.features or "none",
        "bench.seed": str(record.seed),
        "bench.search": search.name if record.model.search else "none",
        "bench.validation": record.validation.name,
        "bench.group": task.group,
        "bench.folds": str(record.folds),
        "bench.status": record.status,
        "mlflow.source.name": record.command,
        "mlflow.source.type": "LOCAL",
    }
    if git := record.environment.git:
        tags |= {"mlflow.source.git.commit": git.commit, "mlflow.source.git.dirty": str(git.dirty).lower()}
    renamed = {name: label for label in task.labels if (name := ascii_name(label)) != label}
    if renamed:
        tags["bench.labels"] = json_text(renamed)
    return tags
