"""Examining a model before anything runs: every name and value that its search could try."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.data.task import Task
from bench.errors import ModelError
from bench.evaluation.metrics import PROBABILITY_METRICS
from bench.models.model import Model

TRIED_ROWS = 5
"""Examples on which features are tried."""


def examine_all(pairs: Sequence[tuple[Model, Task]]) -> list[dict[str, str] | ModelError]:
    """Examine several models; see `examine`.

    Returns
    -------
    list of dict or ModelError
        For each pair the digests of its sources, or what is wrong with it.
    """
    found: list[dict[str, str] | ModelError] = []
    for model, task in pairs:
        try:
            found.append(examine(model, task))
        except ModelError as error:
            found.append(error)
    return found


def examine(model: Model, task: Task) -> dict[str, str]:
    """Build a model with its own values and with each end of its search space.

    Parameters
    ----------
    model : Model
        What is examined.
    task : Task
        What it is for.

    Returns
    -------
    dict of str to str
        Digests of the sources that no installed package versions, such as the user's own
        plug-in, by import path.

    Raises
    ------
    bench.errors.ModelError
        If a name or a value is wrong, or the model does not fit the task.
    """
    _try({}, model, task)
    if task.metric in PROBABILITY_METRICS and not hasattr(model.build_estimator({}, task, seed=0), "predict_proba"):
        raise ModelError(
            f"{model.name} gives no probabilities, which the task's metric {task.metric} needs.",
            "Choose another model, or task.metric=macro_f1.",
        )
    for name, dimension in model.search.dimensions.items():
        for value in dimension.ends():
            _try({name: value}, model, task)
    return _source_digests(model)


def _try(params: dict[str, Any], model: Model, task: Task) -> None:
    """Build a setting and let its parts check their values, as they do when fitted."""
    features = model.build_features(params, task)
    estimator = model.build_estimator(params, task, seed=0)
    try:
        if features is not None and (not params or next(iter(params)).startswith("features.")):
            features.fit(task.frame.iloc[:TRIED_ROWS], task.y[:TRIED_ROWS])
        if hasattr(estimator, "_parameter_constraints"):
            estimator._validate_params()
    except (TypeError, ValueError) as error:
        setting = ", ".join(f"search.{name}: {value!r}" for name, value in params.items()) or "params"
        raise ModelError(f"{model.origin}: {setting}: {error}") from error


def _source_digests(model: Model) -> dict[str, str]:
    digests = {}
    for path in filter(None, (model.estimator, model.features)):
        module, _, _ = path.rpartition(".")
        file = inspect.getsourcefile(import_module(module)) if module and not module.startswith("bench.") else None
        if file is not None and "site-packages" not in file:
            digests[path] = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]
    return digests
