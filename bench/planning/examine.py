"""Examine a model before anything runs: check every name and value that its search could try."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal

from bench.data.task import Task
from bench.encoders.device import device_name
from bench.errors import ModelError
from bench.models.model import Model
from bench.models.sources import code_sources, file_sources

ORDERED: tuple[Literal["descriptions", "label_map"], ...] = ("descriptions", "label_map")
"""Mappings that an estimator can receive about its task."""

TRIED_ROWS = 5
"""Examples on which features are tried first."""


@dataclass(frozen=True)
class Examined:
    """What is known about a model before it runs.

    Parameters
    ----------
    sources : dict of str to str
        What its scores depend on apart from its parameters: its code (`bench.models.sources.code_sources`), the files
        that its parameters name, what it knows about the labels, and what its parts declare.
    requirements : dict of str to str
        The versions of packages that its parts require, apart from those that every run records.
    device : str or None
        The device of torch, if a part needs torch; see `bench.encoders.device.device_name`.
    estimates_time : bool
        Whether its estimator can estimate its time.
    """

    sources: dict[str, str]
    requirements: dict[str, str]
    device: str | None
    estimates_time: bool


def examine_pair(pairs: Sequence[tuple[Model, Task]], number: int) -> Examined:
    """Examine one of several models, each with its task; see `examine`."""
    return examine(*pairs[number])


def examine(model: Model, task: Task) -> Examined:
    """Build a model with its own values and with each end of its search space.

    Parameters
    ----------
    model : Model
        The model to examine.
    task : Task
        The task for it.

    Returns
    -------
    Examined

    Raises
    ------
    bench.errors.ModelError
        If a name or value is invalid, a package is missing, or the model does not fit the task.
    """
    sources, packages = _try({}, model, task)
    if task.scored_by.needs_probabilities and not hasattr(model.build_estimator({}, task, seed=0), "predict_proba"):
        raise ModelError(
            f"{model.name} gives no probabilities, but the task's metric {task.metric} needs them.",
            "Choose another model, or task.metric=macro_f1.",
        )
    for name, dimension in model.search.dimensions.items():
        for value in dimension.ends():
            more_sources, more_packages = _try({name: value}, model, task)
            sources |= more_sources
            packages |= more_packages
    requirements = _versions(packages, model)
    estimator = model.build_estimator({}, task, seed=0)
    code = code_sources((model.estimator, model.features))
    return Examined(
        sources=code | dict(model.own_code) | file_sources(_values(model)) | _told(estimator, task) | sources,
        requirements=requirements,
        device=device_name() if "torch" in requirements else None,
        estimates_time=hasattr(estimator, "estimate_seconds"),
    )


def _try(params: dict[str, object], model: Model, task: Task) -> tuple[dict[str, str], set[str]]:
    """Build a setting, and let its parts validate their values as in ``fit``.

    A part that depends on more than its parameters, such as an encoder's weights, lists it in a method ``sources``.
    One that needs additional packages lists them in a method ``requirements``. Both are returned.
    """
    setting = ", ".join(f"search.{name}: {value!r}" for name, value in params.items()) or "params"
    try:
        features = model.build_features(params, task, seed=0)
        estimator = model.build_estimator(params, task, seed=0)
        if features is not None and (not params or next(iter(params)).startswith("features.")):
            _try_features(features, task)
        if hasattr(estimator, "_parameter_constraints"):
            estimator._validate_params()
        parts = [part for whole in (features, estimator) if whole is not None for part in _parts(whole)]
        sources = {name: version for part in parts for name, version in _declared(part, "sources", {}).items()}
        return sources, {name for part in parts for name in _declared(part, "requirements", ())}
    except ModelError:
        raise
    except Exception as error:  # A plug-in may raise any error.
        raise ModelError(
            f"{model.origin}: {setting}: {error}", f"`bench show model={model.name}` prints it."
        ) from error


def _try_features(features: Any, task: Task) -> None:
    try:
        features.fit(task.frame.iloc[:TRIED_ROWS], task.y[:TRIED_ROWS])
    except Exception:  # A few rows may be too few for a valid transformer, but all rows are not.
        features.fit(task.frame, task.y)


def _told(estimator: Any, task: Task) -> dict[str, str]:
    """Digest what an estimator receives about its task that is not in the task's part of the key, in order."""
    asked = {name: task.context[name] for name in ORDERED if name in estimator.get_params(deep=False)}
    return {
        name: hashlib.sha256(json.dumps(list(told.items())).encode()).hexdigest()[:12]
        for name, told in asked.items()
        if told
    }


def _values(model: Model) -> Iterator[Any]:
    """All listed values of a model's parameters."""
    yield from model.params.values()
    for dimension in model.search.dimensions.values():
        yield from dimension.ends()


def _parts(whole: Any) -> list[Any]:
    """A part of a model, and the parts that it is made of."""
    return [whole, *(part for part in whole.get_params(deep=True).values() if hasattr(part, "get_params"))]


def _declared(part: Any, method: str, otherwise: Any) -> Any:
    return getattr(part, method)() if hasattr(part, method) else otherwise


def _versions(packages: set[str], model: Model) -> dict[str, str]:
    try:
        return {name: metadata.version(name) for name in sorted(packages)}
    except metadata.PackageNotFoundError as error:
        raise ModelError(
            f"{model.origin}: {model.name} needs the package {error.name}, which is not installed.",
            f"Install it: pip install {error.name}",
        ) from None
