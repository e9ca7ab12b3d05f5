"""The resolved configuration of a run: files, then what was typed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.discovery import config_files, defaults_folder, load_config, model_names, override, task_files
from bench.errors import ConfigError, nearest
from bench.overrides import GROUPS, MULTIPLE, TRAIN_ON, parse_overrides
from bench.schema.dialect import read_file

DEVICES = ("auto", "cpu", "cuda")
"""What torch can be told to compute on."""

SPLITS = ("published", "grouped")
"""How a task with a published split can be split."""

MIRROR = "data.mirror"
"""The key of a folder to take published data from; a configuration need not have it."""

ALMOST = 0.9
"""From this similarity on, of at most 1, an unknown name in a ``config.yaml`` is a misspelt group."""


@dataclass(frozen=True)
class Search:
    """The budget of the search in each outer fold.

    Parameters
    ----------
    name : str
        The name of its file, with what was changed on the command line.
    trials : int
        Settings to try; 0 takes the model's own and searches nothing.
    timeout : float or None
        Seconds after which no further setting is tried.
    """

    name: str
    trials: int
    timeout: float | None = None


@dataclass(frozen=True)
class Validation:
    """How examples are split.

    Parameters
    ----------
    name : str
        The name of its file.
    group : str or None
        The column that no split cuts through; None is the task's own.
    splits : {"published", "grouped"}
        Whether a task with a published split is split so, or its examples are pooled and dealt into folds.
    folds, inner_folds : int
        Outer and inner folds where there are more than ten groups, at least 2.
    repeats : int
        Repeats of the outer folds where there are more than ten groups, at least 1.
    """

    name: str
    group: str | None = None
    splits: str = "published"
    folds: int = 5
    inner_folds: int = 3
    repeats: int = 1


EXAMINE_TIMEOUT = 300.0
"""Seconds that looking at one model may take, where a file of ``configs/execution/`` does not say it."""


@dataclass(frozen=True)
class Execution:
    """Where cells run.

    Parameters
    ----------
    name : str
        The name of its file.
    workers : int or None
        Processes; None is one a core, or fewer where memory is short.
    cell_timeout : float or None
        Seconds after which a cell is stopped and stored as failed.
    examine_timeout : float or None
        Seconds that looking at one model may take before anything runs; one that takes longer is left out.
    device : {"auto", "cpu", "cuda"}
        What torch computes on; auto is a GPU where there is one.
    """

    name: str
    workers: int | None = None
    cell_timeout: float | None = None
    examine_timeout: float | None = EXAMINE_TIMEOUT
    device: str = "auto"


@dataclass(frozen=True)
class TrainOn:
    """Another task whose examples train.

    Parameters
    ----------
    task : str
        Its name.
    labels : mapping of str to str or None
        The task's label for each of the other's; None takes those of the same name.
    only : bool
        Whether the other task's examples train in the place of the task's own, rather than beside them.
    """

    task: str
    labels: Mapping[str, str] | None = None
    only: bool = False


@dataclass(frozen=True)
class RunConfig:
    """All that a run was asked to do.

    Parameters
    ----------
    tasks, models : tuple of str
        Names, in the order asked for.
    asked_for_models : bool
        Whether the models were named one by one, so that one that does not fit a task is an error.
    asked_for_tasks : bool
        Whether the tasks were named one by one, so that one whose published files are not here is brought.
    task_overrides, model_overrides : mapping of str to object
        Dotted keys of the tasks' and models' files with the values in their place.
    search, validation, execution : Search, Validation, Execution
        The chosen files with overrides applied.
    seed : int
        Every random choice is derived from it.
    force : bool
        Whether to run anew what is stored.
    tracking : bool
        Whether to log to MLflow.
    train_on : TrainOn or None
        Another task whose examples train.
    mirror : pathlib.Path or None
        A folder to take published files from, in the network's place.
    results : pathlib.Path
        The store.
    overrides : tuple of str
        What was typed.
    notes : tuple of str
        What was left out.
    """

    tasks: tuple[str, ...]
    models: tuple[str, ...]
    search: Search
    validation: Validation
    execution: Execution
    asked_for_models: bool = False
    asked_for_tasks: bool = True
    task_overrides: Mapping[str, Any] = field(default_factory=dict)
    model_overrides: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    force: bool = False
    tracking: bool = True
    train_on: TrainOn | None = None
    mirror: Path | None = None
    results: Path = Path("results")
    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def compose(words: Sequence[str], needs_task: bool = True) -> RunConfig:
    """Resolve the configuration for the words of a command line.

    Parameters
    ----------
    words : sequence of str
        Overrides such as ``task=stance``, ``model=logreg,linear-svm`` or ``search.trials=20``.
    needs_task : bool
        Whether it is an error to name no task.

    Returns
    -------
    RunConfig
        The result.

    Raises
    ------
    bench.errors.ConfigError
        If a key or name is unknown, or a value has the wrong type.
    """
    path, notes = config_path()
    settings = {MIRROR: None, TRAIN_ON: None, **read_file(path)}
    chosen = _defaults(settings.pop("defaults", []), path)
    changes: dict[str, dict[str, Any]] = {}
    given = parse_overrides(words)
    for key, value in given.items():
        head, _, rest = key.partition(".")
        if rest and head in (*GROUPS, *MULTIPLE, TRAIN_ON):
            changes.setdefault(head, {})[rest] = value
        elif key in (*GROUPS, *MULTIPLE):
            chosen[key] = value
        elif key in settings:
            settings[key] = value
        else:
            known = [*GROUPS, *MULTIPLE, *settings]
            raise ConfigError(f"{key}: unknown key.", nearest(key, known))
    top = _Fields(settings, "")
    if needs_task and chosen.get("task") in (None, []):
        raise ConfigError("No task was named.", f"Add task=NAME. {nearest('', task_files())}")
    groups = {group: _group(group, chosen.get(group), changes.get(group, {}), path) for group in GROUPS}
    search, validation, execution = groups["search"], groups["validation"], groups["execution"]
    mirror = top.text(MIRROR)
    run = RunConfig(
        tasks=_names("task", chosen.get("task"), list(task_files())),
        models=_names("model", chosen.get("model"), model_names()),
        asked_for_models="model" in given and chosen["model"] != "all",
        asked_for_tasks=chosen.get("task") != "all",
        search=Search(
            _search_name(search.name, changes.get("search", {})),
            trials=search.integer("trials", least=0),
            timeout=search.seconds("timeout"),
        ),
        validation=Validation(
            validation.name,
            group=validation.text("group"),
            folds=validation.integer("folds", least=2),
            inner_folds=validation.integer("inner_folds", least=2),
            repeats=validation.integer("repeats", least=1),
            splits=validation.choice("splits", SPLITS),
        ),
        execution=Execution(
            execution.name,
            workers=None if execution.get("workers") == "auto" else execution.integer("workers", least=1),
            cell_timeout=execution.seconds("cell_timeout"),
            examine_timeout=execution.seconds("examine_timeout", EXAMINE_TIMEOUT),
            device=execution.choice("device", DEVICES),
        ),
        task_overrides=changes.get("task", {}),
        model_overrides=changes.get("model", {}),
        seed=top.integer("seed", least=0),
        force=top.boolean("force"),
        tracking=top.boolean("tracking"),
        train_on=_train_on(top.text(TRAIN_ON), changes.get(TRAIN_ON, {})),
        mirror=Path(mirror).expanduser() if mirror else None,
        results=results_folder(top.get("results")),
        overrides=tuple(words),
        notes=notes,
    )
    for fields in (search, validation, execution, top):
        fields.reject_rest()
    return run


def _train_on(name: str | None, changes: Mapping[str, Any]) -> TrainOn | None:
    if name is None:
        if changes:
            raise ConfigError(f"{TRAIN_ON}.{next(iter(changes))}: no other task is named.", f"Add {TRAIN_ON}=NAME.")
        return None
    if name not in task_files():
        raise ConfigError(f"{TRAIN_ON}={name}: there is no task of that name.", nearest(name, task_files()))
    for key in changes:
        if key not in ("labels", "only"):
            raise ConfigError(f"{TRAIN_ON}.{key}: unknown key.", nearest(key, ("labels", "only")))
    labels = changes.get("labels")
    if labels is not None and not isinstance(labels, Mapping):
        hint = f'For example: "{TRAIN_ON}.labels={{agree: agree, other: unrelated}}"'
        raise ConfigError(f"{TRAIN_ON}.labels={labels}: expected a mapping of its labels to the task's.", hint)
    for raw, label in (labels or {}).items():
        if isinstance(label, bool) or not isinstance(label, str | int):
            hint = f"Quote it inside the braces: \"{TRAIN_ON}.labels={{{raw}: 'true'}}\""
            raise ConfigError(f"{TRAIN_ON}.labels.{raw}={json.dumps(label)}: expected a label's name.", hint)
    only = _Fields({"only": False, **changes}, f"{TRAIN_ON}.").boolean("only")
    return TrainOn(name, None if labels is None else {str(raw): str(label) for raw, label in labels.items()}, only)


def _search_name(name: str, changes: Mapping[str, Any]) -> str:
    """The name under which tables show a search: its file's, with what was changed."""
    return ", ".join([name, *(f"{key}={value}" for key, value in changes.items())])


def config_path() -> tuple[Path, tuple[str, ...]]:
    """The ``config.yaml`` in force, the current folder's or else the packaged one, and what is to be said of that."""
    own, packaged = (folder / "configs" / "config.yaml" for folder in (Path(), defaults_folder()))
    if not own.is_file():
        return packaged, ()
    if _is_of_another_tool(own):
        known = ", ".join(GROUPS)
        return packaged, (f"{own} is left out: it is another tool's, since its defaults name none of {known}",)
    return own, ()


def _is_of_another_tool(path: Path) -> bool:
    """Whether a ``config.yaml`` has keys or groups that are not known here, and none like those that a run needs."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except Exception:  # Whoever wrote it is told what is wrong.
        return False
    if not isinstance(content, dict):
        return True
    entries = content.get("defaults")
    entries = entries if isinstance(entries, list) else []
    named = [str(key) for entry in entries for key in (entry if isinstance(entry, dict) else [entry])]
    ours = {"defaults", MIRROR, TRAIN_ON, *read_file(defaults_folder() / "configs" / "config.yaml")}
    has_ours = any(difflib.get_close_matches(name, GROUPS, cutoff=ALMOST) for name in named)
    return not has_ours and bool(content.keys() - ours or set(named) - {*MULTIPLE})


def results_folder(given: Any) -> Path:
    """The folder that ``results=`` names; the default where that is None.

    Raises
    ------
    bench.errors.ConfigError
        If it is no name of a folder.
    """
    return Path(_Fields({"results": given}, "").text("results") or "results").expanduser()


def _defaults(entries: Any, path: Path) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and len(entry) == 1 for entry in entries):
        raise ConfigError(f"{path}: 'defaults' must be a list of group: name.", "For example: - search: standard")
    for entry in entries:
        ((group, name),) = entry.items()
        if group not in (*GROUPS, *MULTIPLE):
            raise ConfigError(f"{path}: defaults: unknown group '{group}'.", nearest(str(group), (*GROUPS, *MULTIPLE)))
        if group in chosen:
            raise ConfigError(f"{path}: defaults: {group} stands twice.", "Keep one of them.")
        chosen[group] = name
    return chosen


def _names(group: str, given: Any, known: list[str]) -> tuple[str, ...]:
    if given == "all":
        return tuple(known)
    given = [] if given is None else given
    names = [str(name) for name in (given if isinstance(given, list) else [given])]
    if "all" in names:
        raise ConfigError(f"{group}={','.join(names)}: all stands by itself.", f"Write {group}=all, or names.")
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{group}={name}: there is no {group} of that name.",
                f"{nearest(name, known)} `bench {group}s` lists them.",
            )
    return tuple(dict.fromkeys(names))


def _group(group: str, name: Any, changes: Mapping[str, Any], path: Path) -> _Fields:
    if not isinstance(name, str):
        raise ConfigError(f"{path}: {group}: expected a name, not {name!r}.", nearest("", config_files(group)))
    content = load_config(group, name)
    for key in changes:
        if key not in content:
            raise ConfigError(f"{group}.{key}: unknown key.", nearest(key, content))
    return _Fields(override(content, changes, group), f"{group}.", name)


class _Fields:
    """The values of one mapping, read by type, with errors that name the key."""

    def __init__(self, content: Mapping[str, Any], prefix: str, name: str = "") -> None:
        self._content, self._prefix, self.name = dict(content), prefix, name
        self._read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self._read.add(key)
        if default is not None:
            return self._content.get(key, default)
        if key not in self._content:
            raise ConfigError(f"{self._prefix}{key} is missing.", "Compare your file with `bench show config`.")
        return self._content[key]

    def integer(self, key: str, least: int) -> int:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._wrong(key, f"a whole number, at least {least}")
        return value

    def seconds(self, key: str, default: float | None = None) -> float | None:
        value = self.get(key, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not value > 0):
            raise self._wrong(key, "a number of seconds above 0, or null")
        return None if value is None else float(value)

    def choice(self, key: str, values: Sequence[str]) -> str:
        value = self.get(key)
        if value not in values:
            raise self._wrong(key, f"one of {', '.join(values)}")
        return str(value)

    def boolean(self, key: str) -> bool:
        value = self.get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def text(self, key: str) -> str | None:
        value = self.get(key)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip()
        ):
            raise self._wrong(key, "one name; a number or true as a name is quoted, twice for the shell")
        return None if value is None else str(value)

    def reject_rest(self) -> None:
        for key in sorted(self._content.keys() - self._read):
            raise ConfigError(f"{self._prefix}{key}: unknown key.", nearest(key, self._read))

    def _wrong(self, key: str, expected: str) -> ConfigError:
        given = json.dumps(self._content[key], ensure_ascii=False, default=str)
        return ConfigError(f"{self._prefix}{key}={given}: expected {expected}.")
