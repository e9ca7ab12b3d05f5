"""Handing a stored fitted model to MLflow as it is, without loading it."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UserError
from bench.results.store import MODEL
from bench.tracking.names import ascii_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

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
    types: list[str],
    record: Mapping[str, Any],
    params: dict[str, str],
) -> str:
    """Log a stored model with its signature, under the ``sklearn`` and ``python_function`` flavors.

    `mlflow.sklearn.log_model` would load the model, write it again, load that to see whether
    it can be, and infer its requirements; the file is known to be good, so it is only copied.

    Parameters
    ----------
    client : mlflow.MlflowClient
        The store.
    experiment, run_id : str
        Where it belongs.
    stored : pathlib.Path
        The skops file.
    types : list of str
        The types in it, as `stored_types` gives them.
    record : mapping
        The content of ``run.json``.
    params : dict of str to str
        The model's parameters.

    Returns
    -------
    str
        The logged model's id.
    """
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model, ModelSignature
    from mlflow.pyfunc import add_to_model
    from mlflow.types import ColSpec, DataType, Schema

    tags = {"bench.key": record["key"], "bench.task": record["task"]["name"]}
    name = ascii_name(record["model"]["name"]).replace(".", "-")
    logged = client.create_logged_model(experiment, name, run_id, tags=tags, params=params, model_type="classifier")
    model = Model(
        artifact_path=logged.artifact_location, run_id=run_id, model_uuid=logged.model_id, model_id=logged.model_id
    )
    model.signature = ModelSignature(
        inputs=Schema([ColSpec(DataType.string, name) for name in record["task"]["inputs"]]),
        outputs=Schema([ColSpec(DataType.string)]),
    )
    versions = record["environment"]["packages"]
    pinned = {name: versions[key] for key, name in REQUIRED.items() if key in versions}
    pinned |= record["model"].get("requirements", {})
    # A local version, as of torch's builds for one processor, is on no index.
    required = [f"{name}=={version.partition('+')[0]}" for name, version in pinned.items()]
    add_to_model(
        model, loader_module="mlflow.sklearn", model_path=MODEL, python_env="python_env.yaml", predict_fn="predict"
    )
    model.add_flavor(
        "sklearn",
        pickled_model=MODEL,
        sklearn_version=versions["scikit-learn"],
        serialization_format="skops",
        skops_trusted_types=types,
    )
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch)
        shutil.copyfile(stored, target / MODEL)
        (target / "requirements.txt").write_text("\n".join(required) + "\n")
        environment = {"python": record["environment"]["python"], "dependencies": ["-r requirements.txt"]}
        (target / "python_env.yaml").write_text(json.dumps(environment) + "\n")
        model.save(str(target / "MLmodel"))
        client.log_model_artifacts(logged.model_id, scratch)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, "READY")
    return str(logged.model_id)


def stored_types(stored: Path) -> list[str]:
    """The types in a skops file, which loading it must trust, read without importing any of them.

    Parameters
    ----------
    stored : pathlib.Path
        The file.

    Returns
    -------
    list of str
        Dotted names, sorted, without Python's own types.

    Raises
    ------
    bench.errors.UserError
        If the file is no such archive.
    """
    found = set()

    def note(node: dict[str, Any]) -> dict[str, Any]:
        module, name = node.get("__module__"), node.get("__class__")
        if isinstance(module, str) and isinstance(name, str) and module != "builtins":
            found.add(f"{module}.{name}")
        return node

    try:
        with zipfile.ZipFile(stored) as archive:
            broken = archive.testzip()
            if broken is not None:
                raise ValueError(f"{broken} in it is damaged")
            json.loads(archive.read("schema.json"), object_hook=note)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, RecursionError, zlib.error) as error:
        raise UserError(
            f"{stored}: not readable as a model: {error}.", f"Delete {stored.parent} and run the same command again."
        ) from None
    return sorted(found)
