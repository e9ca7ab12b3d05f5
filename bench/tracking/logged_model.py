"""Handing a stored fitted model to MLflow as it is, looked at and not loaded."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.engines.sockets import scratch
from bench.errors import ModelError, UserError
from bench.results.cell_files import MODEL
from bench.results.files import read_bytes
from bench.results.record import RunRecord
from bench.tracking.names import NOTE, ascii_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOADER = "bench.prediction.served"
"""The module that MLflow loads a logged model with."""

REQUIRED = {
    "bench": "bench-arabic",
    **{name: name for name in ("lightgbm", "mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops")},
}
"""Packages that a stored model may need, as run.json names them and as pip does."""


def log_model(
    client: MlflowClient,
    experiment: str,
    run_id: str,
    stored: Path,
    record: RunRecord,
    params: dict[str, str],
    note: str,
) -> str:
    """Log a stored model with its signature, under the ``sklearn`` and ``python_function`` flavors.

    `mlflow.sklearn.log_model` would load the model, write it again, load that to see whether
    it can be, and infer its requirements; here the file is looked at, and only copied.

    Parameters
    ----------
    client : mlflow.MlflowClient
        The store.
    experiment, run_id : str
        Where it belongs.
    stored : pathlib.Path
        The skops file.
    record : RunRecord
        What is stored of the run.
    params : dict of str to str
        The model's parameters.
    note : str
        What MLflow shows as the model's description.

    Returns
    -------
    str
        The logged model's id.

    Raises
    ------
    bench.errors.UserError
        If the model is not to be handed to MLflow; see `checked_types`.
    """
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model, ModelSignature
    from mlflow.pyfunc import add_to_model
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    data = read_bytes(stored)
    types = checked_types(data, str(record.model.name))
    tags = {NOTE: note, "bench.key": record.key, "bench.task": record.task.name}
    name = ascii_name(record.model.name).replace(".", "-")
    logged = client.create_logged_model(experiment, name, run_id, tags=tags, params=params, model_type="classifier")
    model = Model(
        artifact_path=logged.artifact_location,
        run_id=run_id,
        model_uuid=logged.model_id,
        model_id=logged.model_id,
        metadata={"labels": list(record.task.labels)},
    )
    model.signature = ModelSignature(
        inputs=Schema([ColSpec(DataType.string, name) for name in record.task.inputs]),
        outputs=Schema([ColSpec(DataType.string)]),
        params=ParamSchema([ParamSpec("probabilities", DataType.boolean, False)]),
    )
    versions = record.environment.packages
    pinned = {name: versions[key] for key, name in REQUIRED.items() if key in versions}
    pinned |= record.model.requirements
    # A local version, as of torch's builds for one processor, is on no index.
    required = [f"{name}=={version.partition('+')[0]}" for name, version in pinned.items()]
    add_to_model(model, loader_module=LOADER, model_path=MODEL, python_env="python_env.yaml", predict_fn="predict")
    model.add_flavor(
        "sklearn",
        pickled_model=MODEL,
        sklearn_version=versions["scikit-learn"],
        serialization_format="skops",
        skops_trusted_types=types,
    )
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        target = Path(folder)
        (target / MODEL).write_bytes(data)
        (target / "requirements.txt").write_text("\n".join(required) + "\n")
        environment = {"python": record.environment.python, "dependencies": ["-r requirements.txt"]}
        (target / "python_env.yaml").write_text(json.dumps(environment) + "\n")
        model.save(str(target / "MLmodel"))
        client.log_model_artifacts(logged.model_id, folder)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def checked_types(data: bytes, name: str) -> list[str]:
    """Check a stored model as `bench predict` does, and list the types that loading it must trust.

    MLflow loads a model without knowing which one it should be, so only one that was looked at is handed to it. One
    that asks a server is not: it is made of its definition here each time.

    Parameters
    ----------
    data : bytes
        The skops file.
    name : str
        The model's name; what it may hold is said by its definition here.

    Returns
    -------
    list of str
        Dotted names, sorted, without Python's own types.

    Raises
    ------
    bench.errors.UserError
        If no such model is defined here, or the file is another, is damaged or holds what is not loaded.
    """
    from bench.catalogue import load_model
    from bench.models.persistence import inspect

    model = load_model(name)
    if model.restores_from_definition:
        raise ModelError(f"'{name}' asks a server, so MLflow is not given it.", "Use bench predict.")
    try:
        types = inspect(data, model).types
    except UserError:
        raise
    except Exception as error:  # A damaged archive breaks in many ways.
        raise ModelError(f"not readable as a model: {type(error).__name__}: {error}.") from error
    return sorted(found for found in types if not found.startswith("builtins."))
