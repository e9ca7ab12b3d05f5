"""Find the files of tasks, models and configurations.

What the program itself has made comes first (`bench.in_memory`), then the ``tasks/`` and ``configs/`` of the current
folder, then the defaults of the package, then, for models, the entry points ``bench.models`` of installed
packages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, nearest
from bench.in_memory import MODELS, TASKS

if TYPE_CHECKING:
    from bench.schema.dialect import Document

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


def task_names() -> list[str]:
    """The names of all tasks, sorted."""
    return sorted({*TASKS, *task_files()})


def model_names() -> list[str]:
    """The names of all models, sorted."""
    return sorted({*MODELS, *config_files("model"), *model_entry_points()})


def load_config(group: str, name: str) -> Document:
    """Read a file of a configuration group by name."""
    from bench.schema.dialect import read_file

    return read_file(find(name, config_files(group), group, f"configs/{group}"))


def override(
    content: Mapping[str, object], changes: Mapping[str, object], where: str, flat: Collection[str] = ()
) -> dict[str, object]:
    """Put new values at dotted keys of nested mappings.

    Parameters
    ----------
    content : mapping
        The mapping to change a copy of.
    changes : mapping of str to object
        New values by dotted key.
    where : str
        The place, for errors.
    flat : collection of str
        Keys of mappings whose own keys contain dots.

    Raises
    ------
    bench.errors.ConfigError
        If a key on the path is not a mapping.

    Examples
    --------
    >>> override({"a": {"b": 1, "c": 2}}, {"a.b": 3}, "here")
    {'a': {'b': 3, 'c': 2}}
    """
    from bench.schema.dialect import Document

    changed = content.copy() if isinstance(content, Document) else dict(content)
    for dotted, value in changes.items():
        head, _, rest = dotted.partition(".")
        if isinstance(changed, Document):
            changed.forget((head, rest) if head in flat and rest else tuple(dotted.split(".")))
        if not rest:
            changed[head] = value
            continue
        inner = changed.get(head) or {}
        if not isinstance(inner, Mapping):
            raise ConfigError(f"{where}: '{head}' is {inner!r}, so '{dotted}' cannot be set.")
        changed[head] = {**inner, rest: value} if head in flat else override(inner, {rest: value}, where)
    return changed


def _first_of(paths: Any, name: Any) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in (Path.cwd(), defaults_folder()):
        for path in sorted(paths(root)):
            found.setdefault(name(path), path)
    return dict(sorted(found.items()))


def find(name: str, known: Mapping[str, Path], what: str, folder: str) -> Path:
    """Return the file of a name, or raise an error with the nearest name and the `folder` for own files."""
    if name not in known:
        raise ConfigError(
            f"{what}={name}: unknown {what}.",
            f"{nearest(name, known)} Put your own into {folder}/ in the current folder.",
        )
    return known[name]


def model_entry_points() -> dict[str, EntryPoint]:
    """The models of installed packages, by name."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}
