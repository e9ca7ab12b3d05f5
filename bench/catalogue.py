"""Tasks and models by name, from wherever `bench.discovery` finds them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bench.discovery import config_files, find, model_entry_points, override, task_files
from bench.errors import ConfigError, ModelError, UserError
from bench.in_memory import MODELS, TASKS

if TYPE_CHECKING:
    from bench.data.sources import Further
    from bench.data.task import Task
    from bench.models.model import Model

TESTED = ("source", "inputs", "labels", "label_map", "averaged_over")
"""Keys of a task's file that define what is scored. If they change, published figures are not comparable."""


def load_task(name: str, overrides: Mapping[str, object] | None = None, mirror: Path | None = None) -> Task:
    """Build a task by name.

    Parameters
    ----------
    name : str
        The name of its folder in ``tasks/``.
    overrides : mapping of str to object, optional
        Dotted keys of the task's file with new values.
    mirror : pathlib.Path, optional
        A folder to read published files from instead of downloading them; see `bench.data.published`.

    Raises
    ------
    bench.errors.UserError
        If the task is unknown, or its definition or data are invalid.
    """
    if name in TASKS:
        _refuse_overrides("task", name, overrides)
        return cast("Task", TASKS[name])
    from bench.data.definition import build_task, read_definition

    path = find(name, task_files(), "task", "tasks")
    definition = override(read_definition(path), overrides or {}, f"task={name}")
    tested = (*TESTED, "metric") if definition.get("averaged_over") else TESTED
    if any(key.partition(".")[0] in tested for key in overrides or {}):
        definition.pop("published", None)
    task = build_task(definition, path, mirror)
    if task.name != name:
        raise ConfigError(
            f"{path}: its name is '{task.name}', but its folder is '{name}'.",
            "Give both the same name. Runs are stored under it.",
        )
    return task


def load_further(name: str, column: str) -> Further:
    """Read a column of a task's source that is no part of its examples.

    Of a task that was made in Python, it is read from the data that `bench.new_task` was given.

    Parameters
    ----------
    name : str
        The task's name.
    column : str
        The column's name in the source.

    Raises
    ------
    bench.errors.UserError
        If the task is unknown, or its definition or data are invalid.
    """
    from bench.data.definition import build_task, read_definition, read_further
    from bench.data.sources import Further

    path = task_files().get(name)
    if name in TASKS:
        task = cast("Task", TASKS[name])
        if task.further is not None:
            return cast("Further", task.further(column))
        if path is None or build_task(read_definition(path), path).digest != task.digest:
            return Further(column)
    path = find(name, task_files(), "task", "tasks")
    return read_further(read_definition(path), path, column)


def is_here(name: str, mirror: Path | None = None) -> bool:
    """Whether all files of a task are on this machine or in a mirror, so that nothing must be downloaded.

    A file that cannot be read counts as complete. Building the task reports the error.
    """
    if name in TASKS:
        return True
    from bench.data.definition import published_files, read_definition

    path = find(name, task_files(), "task", "tasks")
    try:
        files = published_files(read_definition(path), path)
    except UserError:
        return True
    return files is None or files.here(mirror)


def load_model(name: str, overrides: Mapping[str, object] | None = None) -> Model:
    """Build a model by name.

    Parameters
    ----------
    name : str
        The name of a YAML file in ``configs/model/`` or of an entry point.
    overrides : mapping of str to object, optional
        Dotted keys of the model's file with new values. A parameter
        that is set here is not searched.

    Raises
    ------
    bench.errors.UserError
        If the model is unknown, or its definition is invalid.
    """
    if name in MODELS:
        _refuse_overrides("model", name, overrides)
        return cast("Model", MODELS[name])
    from bench.models.model import Model
    from bench.models.parameter_names import canonical_name
    from bench.schema.dialect import read_file

    files, installed = config_files("model"), model_entry_points()
    if name not in files and name in installed:
        return _from_entry_point(installed[name], overrides or {})
    path = find(name, {**dict.fromkeys(installed, Path()), **files}, "model", "configs/model")
    content = read_file(path)
    for section in ("params", "search"):
        # An override replaces the file's parameter, however the file spells it.
        set_here = {key.partition(".")[2] for key in overrides or {} if key.startswith(f"{section}.")}
        replaced = set(map(canonical_name, set_here))
        if isinstance(content.get(section), Mapping):
            content[section] = {k: v for k, v in content[section].items() if canonical_name(str(k)) not in replaced}
    definition = override(content, overrides or {}, f"model={name}", flat=("params", "search"))
    fixed = {canonical_name(key.removeprefix("params.")) for key in overrides or {} if key.startswith("params.")}
    if isinstance(search := definition.get("search"), Mapping):
        definition["search"] = {key: value for key, value in search.items() if canonical_name(str(key)) not in fixed}
    return Model.parse(definition, str(path), name)


def _refuse_overrides(kind: str, name: str, overrides: Mapping[str, object] | None) -> None:
    if overrides:
        raise ConfigError(
            f"{kind}.{next(iter(overrides))}: the {kind} '{name}' was made in Python, so its keys cannot be set.",
            f"Make another {kind} with the values that you want.",
        )


def _from_entry_point(point: EntryPoint, overrides: Mapping[str, object]) -> Model:
    from dataclasses import replace

    from bench.models.model import Model

    package = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    origin = f"entry point {point.name} of {package}"
    try:
        loaded = point.load()
        model = loaded() if callable(loaded) and not isinstance(loaded, Model) else loaded
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"{origin}: {point.value} cannot be loaded: {type(error).__name__}: {error}.",
            "Reinstall or fix the package.",
        ) from error
    if not isinstance(model, Model):
        raise ModelError(f"{origin}: {point.value} gives {type(model).__name__}, expected bench.models.Model.")
    if overrides:
        raise ConfigError(
            f"model={point.name}: keys of a model from an installed package cannot be overridden.",
            "Write your own file in configs/model/ instead.",
        )
    return replace(model, name=point.name, origin=origin)
