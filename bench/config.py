"""The resolved configuration of a run: files, then what was typed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.discovery import config_files, defaults_folder, find, model_names, override, task_names
from bench.engines.slurm import Jobs
from bench.errors import LONGEST_NAME, ConfigError, nearest
from bench.overrides import GROUPS, MULTIPLE, TRAIN_ON, parse_overrides
from bench.schema.dialect import Document, foreign_keys, place_of, read_file

if TYPE_CHECKING:
    from bench.schema.check import Checked
    from bench.schema.run import SlurmFile

MIRROR = "data.mirror"
"""The key of a folder to take published data from; a configuration need not have it."""

COMPARE = "Compare your file with `bench show config`."
"""What to do about a key that a file lacks."""

ALMOST = 0.9
"""From this similarity on, of at most 1, an unknown name in a ``config.yaml`` is a misspelt group."""


MOST_ENTRIES = 100
"""Entries of ``defaults`` that are looked at to tell whose a ``config.yaml`` is."""


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
        Seconds of fitting after which no further setting is tried.
    batch : int
        Settings that are proposed at once, and may be tried at the same time.
    """

    name: str
    trials: int
    timeout: float | None = None
    batch: int = 1


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
    engine : {"local", "dask", "slurm"}
        What runs them: processes of this machine, the workers of a Dask cluster, or jobs of Slurm.
    scheduler : str or None
        The address of a Dask scheduler; None is a cluster of this machine.
    certificates : pathlib.Path or None
        The folder with the certificate and the key of the cluster.
    insecure : bool
        Whether to reach a scheduler on another machine without encryption.
    slurm : Jobs
        The jobs of Slurm.
    """

    name: str
    workers: int | None = None
    cell_timeout: float | None = None
    examine_timeout: float | None = 300.0
    device: str = "auto"
    engine: str = "local"
    scheduler: str | None = None
    certificates: Path | None = None
    insecure: bool = False
    slurm: Jobs = field(default_factory=Jobs)


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
    retry : "failed" or None
        Whether to run stored folds again in whose search settings failed.
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
    retry: str | None = None
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
    from bench.schema.check import Place, check, keys_of
    from bench.schema.run import ExecutionFile, RunFile, SearchFile, ValidationFile

    path, notes = config_path()
    settings = read_file(path)
    chosen = _defaults(settings, path)
    changes: dict[str, dict[str, Any]] = {}
    given = parse_overrides(words)
    known = [key for key in keys_of(RunFile) if key != "defaults"]
    for key, value in given.items():
        head, _, rest = key.partition(".")
        if rest and head in (*GROUPS, *MULTIPLE, TRAIN_ON):
            changes.setdefault(head, {})[rest] = value
        elif key in (*GROUPS, *MULTIPLE):
            chosen[key] = value
        elif key in known:
            settings[key] = value
            settings.forget((key,))
        else:
            raise ConfigError(f"{key}: unknown key.", nearest(key, [*GROUPS, *MULTIPLE, *known]))
    if needs_task and chosen.get("task") in (None, []):
        raise ConfigError("No task was named.", f"Add task=NAME. {nearest('', task_names())}")

    def read(group: str, kind: type[Checked]) -> tuple[str, Checked]:
        return _group(group, kind, chosen.get(group), changes.get(group, {}), path)

    search_name, search = read("search", SearchFile)
    validation_name, validation = read("validation", ValidationFile)
    execution_name, execution = read("execution", ExecutionFile)
    top = check(RunFile, settings, Place(path, words=True, missing=COMPARE))
    return RunConfig(
        tasks=_names("task", chosen.get("task"), task_names()),
        models=_names("model", chosen.get("model"), model_names()),
        asked_for_models="model" in given and chosen["model"] != "all",
        asked_for_tasks=chosen.get("task") != "all",
        search=Search(_search_name(search_name, changes.get("search", {})), **search.model_dump()),
        validation=Validation(validation_name, **validation.model_dump()),
        execution=Execution(
            execution_name,
            workers=None if execution.workers == "auto" else execution.workers,
            certificates=Path(execution.certificates).expanduser() if execution.certificates else None,
            slurm=_jobs(execution.slurm),
            **execution.model_dump(exclude={"workers", "certificates", "slurm"}),
        ),
        task_overrides=changes.get("task", {}),
        model_overrides=changes.get("model", {}),
        seed=top.seed,
        force=top.force,
        retry=top.retry,
        tracking=top.tracking,
        train_on=_train_on(top.train_on, changes.get(TRAIN_ON, {})),
        mirror=Path(top.mirror).expanduser() if top.mirror else None,
        results=Path(top.results or "results").expanduser(),
        overrides=tuple(words),
        notes=notes,
    )


def _jobs(given: SlurmFile) -> Jobs:
    return Jobs(
        directives=tuple(given.directives),
        prologue=tuple(given.prologue),
        shared=Path(given.shared).expanduser() if given.shared else None,
        **given.model_dump(exclude={"directives", "prologue", "shared"}),
    )


def _train_on(name: str | None, changes: Mapping[str, Any]) -> TrainOn | None:
    if name is None:
        if changes:
            raise ConfigError(f"{TRAIN_ON}.{next(iter(changes))}: no other task is named.", f"Add {TRAIN_ON}=NAME.")
        return None
    if name not in task_names():
        raise ConfigError(f"{TRAIN_ON}={name}: there is no task of that name.", nearest(name, task_names()))
    from bench.schema.check import Place, check
    from bench.schema.run import TrainOnWords

    read = check(TrainOnWords, changes, Place("", f"{TRAIN_ON}.", words=True))
    return TrainOn(name, read.labels, read.only)


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
    keys = foreign_keys(path)
    if keys is None:  # Whoever wrote it is told what is wrong.
        return False
    if not keys:
        return True
    named = [name for name in keys.get("defaults", []) if len(name) <= LONGEST_NAME][:MOST_ENTRIES]
    ours = {"defaults", MIRROR, TRAIN_ON, *read_file(defaults_folder() / "configs" / "config.yaml")}
    has_ours = any(difflib.get_close_matches(name, GROUPS, cutoff=ALMOST) for name in named)
    return not has_ours and bool(keys.keys() - ours or set(named) - {*MULTIPLE})


def results_folder(given: Any) -> Path:
    """The folder that ``results=`` names; the default where that is None.

    Raises
    ------
    bench.errors.ConfigError
        If it is no name of a folder.
    """
    from bench.schema.check import Place, check
    from bench.schema.run import Store

    store = check(Store, {"results": given}, Place("", words=True))
    return Path(store.results or "results").expanduser()


def _defaults(settings: Document, path: Path) -> dict[str, Any]:
    """Take the files in force out of what ``config.yaml`` says."""
    entries, chosen = settings.pop("defaults", []), dict[str, Any]()
    where = place_of(path, settings, "defaults")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and len(entry) == 1 for entry in entries):
        raise ConfigError(f"{where}: 'defaults' must be a list of group: name.", "For example: - search: standard")
    for number, entry in enumerate(entries):
        ((group, name),) = entry.items()
        where = place_of(path, settings, "defaults", number)
        if group not in (*GROUPS, *MULTIPLE):
            raise ConfigError(f"{where}: defaults: unknown group '{group}'.", nearest(str(group), (*GROUPS, *MULTIPLE)))
        if group in chosen:
            raise ConfigError(f"{where}: defaults: {group} stands twice.", "Keep one of them.")
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


def _group(group: str, kind: type[Checked], name: Any, changes: Mapping[str, Any], path: Path) -> tuple[str, Checked]:
    """Read the chosen file of a group, with what was typed in its place, and give it with its name."""
    from bench.schema.check import Place, check

    if not isinstance(name, str):
        raise ConfigError(f"{path}: {group}: expected a name, not {name!r}.", nearest("", config_files(group)))
    found = find(name, config_files(group), group, f"configs/{group}")
    content = override(read_file(found), changes, group)
    return name, check(kind, content, Place(found, f"{group}.", words=True, missing=COMPARE))
