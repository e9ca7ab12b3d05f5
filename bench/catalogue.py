"""Where tasks, models and configurations are found.

The ``tasks/`` and ``configs/`` of the current folder come first, then the defaults that come with
the package, then, for models, the entry points ``bench.models`` of installed packages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, ModelError, UserError, nearest

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.models.model import Model

ENTRY_POINTS = "bench.models"

TESTED = ("source", "inputs", "labels", "label_map")
"""Keys of a task's file that decide what is scored: with others in their place its published figures do not compare."""


def defaults_folder() -> Path:
    """The folder with the ``tasks/``, ``configs/`` and ``seeds/`` that come with the package."""
    package = Path(__file__).parent
    packaged = package / "defaults"
    return packaged if packaged.is_dir() else package.parent


def config_files(group: str) -> dict[str, Path]:
    """The YAML files of a configuration group, by name.

    Parameters
    ----------
    group : str
        ``model``, ``search``, ``validation`` or ``execution``.
    """
    return _first_of(lambda root: (root / "configs" / group).glob("*.yaml"), lambda path: path.stem)


def task_files() -> dict[str, Path]:
    """The ``task.yaml`` files, by the name of their folder."""
    return _first_of(lambda root: (root / "tasks").glob("*/task.yaml"), lambda path: path.parent.name)


def model_names() -> list[str]:
    """The names of all models, sorted."""
    return sorted({*config_files("model"), *_model_entry_points()})


def load_task(name: str, overrides: Mapping[str, Any] | None = None, mirror: Path | None = None) -> Task:
    """Build a task by name.

    Parameters
    ----------
    name : str
        The name of its folder in ``tasks/``.
    overrides : mapping of str to object, optional
        Dotted keys of the task's file with the values to put in their place.
    mirror : pathlib.Path, optional
        A folder to take published files from in the network's place; see `bench.data.published`.

    Raises
    ------
    bench.errors.UserError
        If there is no such task, or its definition or data are wrong.
    """
    from bench.data.definition import build_task, read_definition

    path = _find(name, task_files(), "task", "tasks")
    definition = override(read_definition(path), overrides or {}, f"task={name}")
    if any(key.partition(".")[0] in TESTED for key in overrides or {}):
        definition.pop("published", None)
    task = build_task(definition, path, mirror)
    if task.name != name:
        raise ConfigError(
            f"{path}: the task is called '{task.name}' there, and its folder '{name}'.",
            "Give both the same name: runs are stored and asked for by it.",
        )
    return task


def is_here(name: str, mirror: Path | None = None) -> bool:
    """Whether all that a task's file names is on this machine, or in a mirror, so that nothing is to be downloaded.

    A file that cannot be read names nothing; building the task says what is wrong with it.
    """
    from bench.data.definition import published_files, read_definition

    path = _find(name, task_files(), "task", "tasks")
    try:
        files = published_files(read_definition(path), path)
    except UserError:
        return True
    return files is None or files.here(mirror)


def load_model(name: str, overrides: Mapping[str, Any] | None = None) -> Model:
    """Build a model by name.

    Parameters
    ----------
    name : str
        The name of a YAML file in ``configs/model/`` or of an entry point.
    overrides : mapping of str to object, optional
        Dotted keys of the model's file with the values to put in their place. A parameter
        fixed so is not searched.

    Raises
    ------
    bench.errors.UserError
        If there is no such model, or its definition is wrong.
    """
    from bench.models.model import Model, canonical
    from bench.models.plugins import look_here_last

    look_here_last()
    files, installed = config_files("model"), _model_entry_points()
    if name not in files and name in installed:
        return _from_entry_point(installed[name], overrides or {})
    path = _find(name, {**dict.fromkeys(installed, Path()), **files}, "model", "configs/model")
    content = read_yaml(path)
    for section in ("params", "search"):
        # A parameter that is set takes the place of the file's, however that spells it.
        set_here = {key.partition(".")[2] for key in overrides or {} if key.startswith(f"{section}.")}
        replaced = set(map(canonical, set_here))
        if isinstance(content.get(section), Mapping):
            content[section] = {k: v for k, v in content[section].items() if canonical(str(k)) not in replaced}
    definition = override(content, overrides or {}, f"model={name}", flat=("params", "search"))
    fixed = {canonical(key.removeprefix("params.")) for key in overrides or {} if key.startswith("params.")}
    if isinstance(definition.get("search"), Mapping):
        definition["search"] = {k: v for k, v in definition["search"].items() if canonical(str(k)) not in fixed}
    return Model.parse(definition, str(path), name)


def load_config(group: str, name: str) -> dict[str, Any]:
    """Read a file of a configuration group by name."""
    return read_yaml(_find(name, config_files(group), group, f"configs/{group}"))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping.

    Raises
    ------
    bench.errors.ConfigError
        If the file is no mapping in UTF-8; the message names the line.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: cannot be read: it is no file.", "Move it away.")
    try:
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}).", "Save the file as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {error.problem}.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of keys to values.")
    return {str(key): value for key, value in content.items()}


def override(
    content: Mapping[str, Any], changes: Mapping[str, Any], where: str, flat: Collection[str] = ()
) -> dict[str, Any]:
    """Put new values at dotted keys of nested mappings.

    Parameters
    ----------
    content : mapping
        What is changed, in a copy.
    changes : mapping of str to object
        New values by dotted key.
    where : str
        Named in errors.
    flat : collection of str
        Keys whose mappings have dotted keys themselves.

    Raises
    ------
    bench.errors.ConfigError
        If a key on the way holds no mapping.

    Examples
    --------
    >>> override({"a": {"b": 1, "c": 2}}, {"a.b": 3}, "here")
    {'a': {'b': 3, 'c': 2}}
    """
    changed = dict(content)
    for dotted, value in changes.items():
        head, _, rest = dotted.partition(".")
        if not rest:
            changed[head] = value
            continue
        inner = changed.get(head) or {}
        if not isinstance(inner, Mapping):
            raise ConfigError(f"{where}: '{head}' holds {inner!r}, so '{dotted}' cannot be set.")
        changed[head] = {**inner, rest: value} if head in flat else override(inner, {rest: value}, where)
    return changed


def _first_of(paths: Any, name: Any) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in (Path.cwd(), defaults_folder()):
        for path in sorted(paths(root)):
            found.setdefault(name(path), path)
    return dict(sorted(found.items()))


def _find(name: str, known: Mapping[str, Path], what: str, folder: str) -> Path:
    if name not in known:
        raise ConfigError(
            f"{what}={name}: there is no {what} of that name.",
            f"{nearest(name, known)} Your own go into {folder}/ of the current folder.",
        )
    return known[name]


def _model_entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _from_entry_point(point: EntryPoint, overrides: Mapping[str, Any]) -> Model:
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
            "Reinstall or mend the package.",
        ) from error
    if not isinstance(model, Model):
        raise ModelError(f"{origin}: {point.value} gives {type(model).__name__}, expected bench.models.Model.")
    if overrides:
        raise ConfigError(
            f"model={point.name}: keys of a model from an installed package cannot be overridden.",
            "Write a configs/model/ file of your own instead.",
        )
    return replace(model, name=point.name, origin=origin)
