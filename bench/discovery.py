"""Where the files of tasks, models and configurations are found, and how they are read.

The ``tasks/`` and ``configs/`` of the current folder come first, then the defaults that come with
the package, then, for models, the entry points ``bench.models`` of installed packages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from bench.errors import ConfigError, nearest

ENTRY_POINTS = "bench.models"


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
    return sorted({*config_files("model"), *model_entry_points()})


def load_config(group: str, name: str) -> dict[str, Any]:
    """Read a file of a configuration group by name."""
    return read_yaml(find(name, config_files(group), group, f"configs/{group}"))


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


def find(name: str, known: Mapping[str, Path], what: str, folder: str) -> Path:
    """The file of a name, or an error that has the nearest name and the `folder` for own files."""
    if name not in known:
        raise ConfigError(
            f"{what}={name}: there is no {what} of that name.",
            f"{nearest(name, known)} Your own go into {folder}/ of the current folder.",
        )
    return known[name]


def model_entry_points() -> dict[str, EntryPoint]:
    """The models of installed packages, by name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}
