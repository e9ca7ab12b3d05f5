"""The resolved configuration of a run: files, then command-line overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.config_file import config_path, defaults
from bench.discovery import config_files, find, model_names, override, task_names
from bench.engines.slurm import Jobs
from bench.errors import ConfigError, nearest
from bench.overrides import GROUPS, MULTIPLE, TRAIN_ON, chosen_seeds, parse_overrides
from bench.schema.dialect import read_file

if TYPE_CHECKING:
    from bench.schema.check import Checked
    from bench.schema.run import SlurmFile


COMPARE = "Compare your file with `bench show config`."
"""The hint for a missing key."""


@dataclass(frozen=True)
class Search:
    """The budget of the search in each outer fold.

    Parameters
    ----------
    name : str
        The name of its file, with changes from the command line.
    trials : int
        Settings to try; 0 uses the model's own setting without a search.
    timeout : float or None
        Seconds of fitting after which no new setting is tried.
    batch : int
        Settings proposed at once, which can run in parallel.
    """

    name: str
    trials: int
    timeout: float | None = None
    batch: int = 1


@dataclass(frozen=True)
class Validation:
    """How to split examples.

    Parameters
    ----------
    name : str
        The name of its file.
    group : str or None
        The column of groups that stay together; None is the task's own.
    splits : {"published", "grouped", "forward"}
        Whether to keep a published split, to pool its examples and split them into folds, or to pool them and train on
        earlier and test on later ones.
    folds, inner_folds : int
        Outer and inner folds, at least 2, if there are more than ten groups; or points in time at which training ends.
    repeats : int
        Repeats of the outer folds, at least 1, if there are more than ten groups.
    """

    name: str
    group: str | None = None
    splits: str = "published"
    folds: int = 5
    inner_folds: int = 3
    repeats: int = 1

    @property
    def forward(self) -> bool:
        """Whether to train on earlier and test on later examples."""
        return self.splits == "forward"


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
        The time limit in seconds for examining a model before the run. A slower model is left out.
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
    slurm : Jobs or None
        The jobs of Slurm; None for another engine.
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
    slurm: Jobs | None = None


@dataclass(frozen=True)
class TrainOn:
    """Another task with extra training rows.

    Parameters
    ----------
    task : str
        Its name.
    labels : mapping of str to str or None
        The task's label for each of the other's; None maps labels of the same name.
    only : bool
        Whether the extra training rows replace the task's own, instead of being added to them.
    """

    task: str
    labels: Mapping[str, str] | None = None
    only: bool = False


@dataclass(frozen=True)
class RunConfig:
    """The complete configuration of a run.

    Parameters
    ----------
    tasks, models : tuple of str
        Names, in the requested order.
    asked_for_models : bool
        Whether models were named individually, so that one that does not fit a task is an error.
    asked_for_tasks : bool
        Whether tasks were named individually, so that their published files are downloaded.
    task_overrides, model_overrides : mapping of str to object
        Overrides of keys in the tasks' and models' files.
    search, validation, execution : Search, Validation, Execution
        The chosen files with overrides applied.
    seed : int
        The seed of all random choices.
    force : bool
        Whether to rerun what is stored.
    retry : "failed" or None
        Whether to rerun stored folds in which settings failed.
    tracking : bool
        Whether to log to MLflow.
    train_on : TrainOn or None
        Another task with extra training rows.
    mirror : pathlib.Path or None
        A folder to read published files from instead of downloading them.
    results : pathlib.Path
        The results folder.
    overrides : tuple of str
        The words from the command line.
    notes : tuple of str
        Notes on what was left out.
    """

    tasks: tuple[str, ...]
    models: tuple[str, ...]
    search: Search
    validation: Validation
    execution: Execution
    asked_for_models: bool = False
    asked_for_tasks: bool = True
    task_overrides: Mapping[str, object] = field(default_factory=dict)
    model_overrides: Mapping[str, object] = field(default_factory=dict)
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
        If a key or name is unknown, or a value is invalid.
    """
    from bench.schema.check import Place, check, keys_of
    from bench.schema.run import ExecutionFile, RunFile, SearchFile, ValidationFile

    path, notes = config_path()
    settings = read_file(path)
    chosen = defaults(settings, path)
    changes: dict[str, dict[str, object]] = {}
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
            slurm=_jobs(execution.slurm) if execution.engine == "slurm" else None,
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


def compose_each(words: Sequence[str]) -> list[RunConfig]:
    """Resolve the configuration for each of the seeds that words of a command line name.

    Parameters
    ----------
    words : sequence of str
        As for `compose`; ``seed=0,1,2`` names several seeds, ``seeds=3`` means the same.

    Returns
    -------
    list of RunConfig
        One for each seed, alike in all else.
    """
    from bench.schema.check import Place, check
    from bench.schema.requests import SeedWords

    of_seed = [word for word in words if word.partition("=")[0].strip() in ("seed", "seeds")]
    read = check(SeedWords, parse_overrides(of_seed, (*MULTIPLE, "seed")), Place("", words=True))
    seeds = chosen_seeds(read.seed, read.seeds)
    if not seeds:
        return [compose(words)]
    rest = [word for word in words if word not in of_seed]
    return [compose([*rest, f"seed={seed}"]) for seed in seeds]


def _jobs(given: SlurmFile) -> Jobs:
    return Jobs(
        directives=tuple(given.directives),
        prologue=tuple(given.prologue),
        shared=Path(given.shared).expanduser() if given.shared else None,
        **given.model_dump(exclude={"directives", "prologue", "shared"}),
    )


def _train_on(name: str | None, changes: Mapping[str, object]) -> TrainOn | None:
    if name is None:
        if changes:
            raise ConfigError(f"{TRAIN_ON}.{next(iter(changes))}: {TRAIN_ON} is not set.", f"Add {TRAIN_ON}=NAME.")
        return None
    if name not in task_names():
        raise ConfigError(f"{TRAIN_ON}={name}: unknown task.", nearest(name, task_names()))
    from bench.schema.check import Place, check
    from bench.schema.run import TrainOnWords

    read = check(TrainOnWords, changes, Place("", f"{TRAIN_ON}.", words=True))
    return TrainOn(name, read.labels, read.only)


def _search_name(name: str, changes: Mapping[str, object]) -> str:
    """The name of a search in tables: its file's name, with changes."""
    return ", ".join([name, *(f"{key}={value}" for key, value in changes.items())])


def results_folder(given: Any) -> Path:
    """The folder from ``results=``; the default if it is None.

    Raises
    ------
    bench.errors.ConfigError
        If it is not a name of a folder.
    """
    from bench.schema.check import Place, check
    from bench.schema.run import Store

    store = check(Store, {"results": given}, Place("", words=True))
    return Path(store.results or "results").expanduser()


def _names(group: str, given: Any, known: list[str]) -> tuple[str, ...]:
    if given == "all":
        return tuple(known)
    given = [] if given is None else given
    names = [str(name) for name in (given if isinstance(given, list) else [given])]
    if "all" in names:
        raise ConfigError(f"{group}={','.join(names)}: all excludes other names.", f"Write {group}=all, or names.")
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{group}={name}: unknown {group}.",
                f"{nearest(name, known)} `bench {group}s` lists them.",
            )
    return tuple(dict.fromkeys(names))


def _group(
    group: str, kind: type[Checked], name: Any, changes: Mapping[str, object], path: Path
) -> tuple[str, Checked]:
    """Read the chosen file of a group with its overrides, and return it with its name."""
    from bench.schema.check import Place, check

    if not isinstance(name, str):
        raise ConfigError(f"{path}: {group}: expected a name, not {name!r}.", nearest("", config_files(group)))
    found = find(name, config_files(group), group, f"configs/{group}")
    content = override(read_file(found), changes, group)
    return name, check(kind, content, Place(found, f"{group}.", words=True, missing=COMPARE))
