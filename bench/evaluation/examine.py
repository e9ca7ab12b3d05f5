"""Examining a model before anything runs: every name and value that its search could try."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from bench.data.task import Task
from bench.errors import ModelError
from bench.evaluation.metrics import PROBABILITY_METRICS
from bench.models.model import Model

TRIED_ROWS = 5
"""Examples on which features are tried first."""

KNOWN_PACKAGES = ("bench", "sklearn", "lightgbm")
"""Packages whose versions every run records."""


def examine_all(pairs: Sequence[tuple[Model, Task]]) -> list[dict[str, str] | ModelError]:
    """Examine several models; see `examine`.

    Returns
    -------
    list of dict or ModelError
        For each pair the versions of its sources, or what is wrong with it.
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
        By import path, the installed packages with their versions, or a digest of the source
        files, of what neither this package nor scikit-learn provides.

    Raises
    ------
    bench.errors.ModelError
        If a name or a value is wrong, or the model does not fit the task.
    """
    sources = _sources(model) | _try({}, model, task)
    if task.metric in PROBABILITY_METRICS and not hasattr(model.build_estimator({}, task, seed=0), "predict_proba"):
        raise ModelError(
            f"{model.name} gives no probabilities, which the task's metric {task.metric} needs.",
            "Choose another model, or task.metric=macro_f1.",
        )
    for name, dimension in model.search.dimensions.items():
        for value in dimension.ends():
            sources |= _try({name: value}, model, task)
    return sources


def _try(params: dict[str, Any], model: Model, task: Task) -> dict[str, str]:
    """Build a setting and let its parts check their values, as they do when fitted; returns what they say they rest on.

    A part that reads more than its parameters, such as the weights of an encoder, names it in a method ``sources``.
    """
    setting = ", ".join(f"search.{name}: {value!r}" for name, value in params.items()) or "params"
    try:
        features = model.build_features(params, task, seed=0)
        estimator = model.build_estimator(params, task, seed=0)
        if features is not None and (not params or next(iter(params)).startswith("features.")):
            _try_features(features, task)
        if hasattr(estimator, "_parameter_constraints"):
            estimator._validate_params()
        return {name: version for part in (features, estimator) for name, version in _declared(part).items()}
    except ModelError:
        raise
    except Exception as error:  # A plug-in may raise anything.
        raise ModelError(
            f"{model.origin}: {setting}: {error}", f"`bench show model={model.name}` prints it."
        ) from error


def _try_features(features: Any, task: Task) -> None:
    try:
        features.fit(task.frame.iloc[:TRIED_ROWS], task.y[:TRIED_ROWS])
    except Exception:  # A few rows may be too few for a sound transformer, all of them not.
        features.fit(task.frame, task.y)


def _declared(part: Any) -> dict[str, str]:
    return part.sources() if hasattr(part, "sources") else {}


def _sources(model: Model) -> dict[str, str]:
    """What versions the code of a model that is not this package's or a pinned library's."""
    sources = {}
    for path in filter(None, (model.estimator, model.features)):
        module, _, _ = path.rpartition(".")
        top = module.partition(".")[0]
        if not module or top in KNOWN_PACKAGES:
            continue
        file = Path(inspect.getsourcefile(import_module(module)) or "")
        distributions = metadata.packages_distributions().get(top, [])
        if distributions:
            sources[path] = ", ".join(f"{name} {metadata.version(name)}" for name in sorted(set(distributions)))
        else:
            files = sorted(file.parent.glob("*.py")) if "." in module else [file]
            sources[path] = hashlib.sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:12]
    return sources
