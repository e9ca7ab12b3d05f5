"""Planning: what a configuration asks for, what of it is stored, and which cells are missing."""

from __future__ import annotations

import dataclasses
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from bench.catalogue import is_here, load_model, load_task
from bench.checks import check_task
from bench.config import RunConfig
from bench.data.duplicates import duplicate_keys
from bench.data.task import ROLES, Task
from bench.data.transfer import transfer
from bench.encoders.device import device_name
from bench.errors import ConfigError, DataError, ModelError, UserError
from bench.evaluation import splits
from bench.evaluation.cell import FINAL, Fold
from bench.evaluation.estimate import time_notes
from bench.evaluation.evaluate import Evaluation
from bench.evaluation.examine import Examined, examine_all
from bench.evaluation.execute import call
from bench.models.model import Model
from bench.results.protocol import deciding
from bench.results.store import FORMAT, RunFolder, run_key
from bench.seeding import derive_seed
from bench.statistics.reference import pass_scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BASELINE = "majority"
"""The model that stands in every table."""

IDENTIFYING = ("name", "version", "digest", "labels", "label_map", "inputs", "metric", "group")
"""What of a task's description decides numbers."""

PACKAGES = ("scikit-learn", "numpy", "scipy", "pandas", "optuna", "camel-tools", "lightgbm", "mlflow", "skops")
"""Packages whose versions a run records."""


@dataclass(eq=False)
class PlannedRun:
    """One model on one task.

    Parameters
    ----------
    evaluation : Evaluation
        What its cells share.
    folder : RunFolder
        Where it is stored.
    record : dict
        What ``run.json`` is to hold.
    anew : bool
        Whether stored folds are to be deleted first.
    final : bool
        Whether a last cell fits on all examples.
    estimates_time : bool
        Whether its estimator tells how long it takes.
    """

    evaluation: Evaluation
    folder: RunFolder
    record: dict[str, Any]
    anew: bool = False
    final: bool = True
    estimates_time: bool = False

    @property
    def all_folds(self) -> list[Fold]:
        """The folds of the run: the outer ones, then the final fit where there is one."""
        return [*self.outer_folds, FINAL] if self.final else [*self.outer_folds]

    @property
    def outer_folds(self) -> list[int]:
        """The folds that are scored."""
        return list(range(len(self.evaluation.splits)))

    def missing_folds(self) -> list[Fold]:
        """The folds that are not stored whole, or stored as failed."""
        return [fold for fold in self.all_folds if not self.folder.is_done(fold)]


@dataclass(frozen=True, eq=False)
class SplitTask:
    """A task with its outer splits, as the evaluations of all models share them.

    Parameters
    ----------
    task : Task
        The task; where another one's examples train too, these come after its own.
    splits : list of Split
        The outer splits.
    lent : ndarray of int, shape (n_lent,), or None
        The rows of another task's examples.
    described : dict
        The parts ``task`` and ``splits`` of a run's record, and ``train_on`` where there is another task.
    """

    task: Task
    splits: list[splits.Split]
    lent: NDArray[np.intp] | None
    described: dict[str, Any]


@dataclass(eq=False)
class Plan:
    """All runs of a command.

    Parameters
    ----------
    runs : list of PlannedRun
        In the order of tasks and models.
    notes : list of str
        What the user should know before anything runs.
    """

    runs: list[PlannedRun]
    notes: list[str] = field(default_factory=list)


def plan(config: RunConfig) -> Plan:
    """Build tasks and models, split, check, and find what is stored already.

    Raises
    ------
    bench.errors.UserError
        If a task, a model or a split is wrong; nothing has run then.
    """
    planned = prepare(config)
    for each in planned.runs:
        where = f"{each.evaluation.task.name}: {each.evaluation.model.name}"
        changed = older_versions(each.folder, each.record)
        if changed and each.missing_folds():
            each.anew = True
            planned.notes.append(f"{where}: stored folds of {changed} are not mixed in, but run anew")
        elif changed:
            planned.notes.append(f"{where}: stored with {changed}; force=true runs it anew")
    planned.notes += time_notes(planned.runs, config)
    return planned


def prepare(config: RunConfig) -> Plan:
    """Build tasks and models, split and check; the majority baseline is always among the models.

    Raises
    ------
    bench.errors.UserError
        If a task, a model or a split is wrong.
    """
    planned = Plan([])
    _check_device(config.execution.device)
    tasks = [load_as_split(name, config) for name in tasks_to_load(config, planned.notes)]
    own = {task.name: _split_task(task, config, planned.notes) for task in tasks}
    lent = {name: _with_lent(split, config, planned.notes) for name, split in own.items()}
    for task, model, examined in _fitting([each.task for each in lent.values()], config, planned.notes):
        split = own[task.name] if model.name == BASELINE else lent[task.name]
        evaluation = Evaluation(
            split.task,
            model,
            split.splits,
            config.search,
            config.validation.inner_folds,
            config.seed,
            keeps_model=len(split.splits) == 1,
            lent=split.lent,
        )
        planned.runs.append(_plan_run(evaluation, split, examined, config))
    return planned


def _check_device(device: str) -> None:
    if device == "cuda" and call(device_name) == "cpu":
        raise ConfigError(
            "execution.device=cuda: torch finds no GPU here.",
            "execution.device=auto takes the CPU where there is none.",
        )


def tasks_to_load(config: RunConfig, notes: list[str]) -> list[str]:
    """The tasks of a command: those that were named, or of all those whose files are on this machine."""
    if config.asked_for_tasks:
        return list(config.tasks)
    here = [name for name in config.tasks if is_here(name)]
    absent = [name for name in config.tasks if name not in here]
    if absent:
        notes.append(f"not on this machine, and brought when named with task=: {', '.join(absent)}")
    return here


def load_as_split(name: str, config: RunConfig) -> Task:
    """Build a task, with the group column and the published splits that the configuration asks for."""
    task = load_task(name, config.task_overrides, config.mirror)
    if config.validation.splits == "grouped" and task.splits:
        task = task.without_splits()
    return task if config.validation.group is None else task.grouped_by(config.validation.group)


def _split_task(task: Task, config: RunConfig, notes: list[str]) -> SplitTask:
    outer = _split(task, config)
    told = *task.notes, *_split_notes(task, outer), *_warnings(task, config.validation.folds)
    notes += [f"{task.name}: {note}" for note in told]
    return SplitTask(task, outer, None, {"task": _describe_task(task, outer), "splits": splits.digest(outer, task.ids)})


def _with_lent(own: SplitTask, config: RunConfig, notes: list[str]) -> SplitTask:
    """Lend a task another one's training examples, where that is asked for."""
    asked = config.train_on
    if asked is None:
        return own
    source = load_task(asked.task, {}, config.mirror)
    together = transfer(own.task, source, asked.labels)
    notes += [f"{own.task.name}: {asked.task}: {note}" for note in together.notes]
    outer = [splits.with_lent(split, together.lent, asked.only) for split in own.splits]
    splits.verify_inputs(outer, duplicate_keys(together.task.frame), together.task.ids)
    described = {"task": source.name, "digest": source.digest, "labels": together.labels, "only": asked.only}
    return SplitTask(together.task, outer, together.lent, {**own.described, "train_on": described})


def _split(task: Task, config: RunConfig) -> list[splits.Split]:
    validation = config.validation
    if task.splits:
        published = splits.published_splits([task.examples[column].to_numpy(dtype=object) for column in task.splits])
        splits.verify_inputs(published, duplicate_keys(task.frame), task.ids)
        return published
    seed = derive_seed(config.seed, task.name, "outer")
    outer = splits.outer_splits(task.codes, task.groups, task.group, validation.folds, seed, validation.repeats)
    splits.verify(outer, task.groups, duplicate_keys(task.frame), task.ids)
    return outer


def _split_notes(task: Task, outer: Sequence[splits.Split]) -> list[str]:
    """What is to be known of published splits: their sizes, and groups that stand on both sides."""
    if not task.splits:
        return []
    notes = []
    for column, split in zip(task.splits, outer, strict=True):
        dev = "" if split.dev is None else f", {len(split.dev):,} dev"
        sizes = f"{len(split.train):,} train{dev} and {len(split.test):,} test examples"
        shared = int(splits.shared_groups(split, task.groups).sum())
        which = "published split" if len(outer) == 1 else column
        also = f"; {shared:,} of test have a {task.group} that is in the others too" if shared else ""
        notes.append(f"{which}: {sizes}{also}")
    return notes


def _warnings(task: Task, folds: int) -> list[str]:
    """What the quick checks of a task's data warn of; an error that they find ends the run."""
    findings = check_task(task, folds, quick=True)
    for finding in findings:
        if finding.severity == "error":
            hint = f"`bench check task={task.name}` shows examples; {finding.page} says what to do."
            raise DataError(f"{task.origin}: {finding.message} ({finding.code})", hint)
    return [f"{finding.message} ({finding.code})" for finding in findings if finding.severity == "warning"]


def _fitting(tasks: Sequence[Task], config: RunConfig, notes: list[str]) -> list[tuple[Task, Model, Examined]]:
    """The models that fit each task, with what is known of them."""
    names = list(config.models) if BASELINE in config.models else [BASELINE, *config.models]
    overridden = {name for name in config.models if name != BASELINE or config.asked_for_models}
    models = [load_model(name, config.model_overrides if name in overridden else {}) for name in names]
    pairs = [(model, task) for task in tasks for model in models]
    fitting = []
    answers = call(examine_all, pairs, device=config.execution.device)
    for (model, task), found in zip(pairs, answers, strict=True):
        if not isinstance(found, ModelError):
            fitting.append((task, model, found))
        elif config.asked_for_models and model.name in config.models:
            raise found
        else:
            notes.append(f"{task.name}: {model.name} is left out: {found.message}")
    return fitting


def _plan_run(evaluation: Evaluation, split: SplitTask, examined: Examined, config: RunConfig) -> PlannedRun:
    model, task = evaluation.model, split.described["task"]
    described: dict[str, Any] = {
        "name": model.name,
        "estimator": model.estimator,
        "features": model.features,
        "params": dict(model.params),
        "search": {name: dataclasses.asdict(spec) for name, spec in model.search.dimensions.items()},
        "sources": examined.sources,
    }
    if model.prune:
        described["prune"] = True
    if model.first_setting is not None:
        described["first_setting"] = model.first_setting
    identity = {
        "task": {key: task[key] for key in (*IDENTIFYING, "population") if key in task},
        "model": described,
        "validation": deciding(dataclasses.asdict(config.validation)),
        "search": {"trials": config.search.trials, "timeout": config.search.timeout} if model.search else None,
        "seed": config.seed,
        **{key: value for key, value in split.described.items() if key != "task"},
    }
    folder = RunFolder(config.results / evaluation.task.name / model.name / run_key(identity))
    record = {
        **identity,
        "format": FORMAT,
        "key": folder.key,
        "task": dict(task),
        "model": {
            **described,
            "description": model.description,
            "origin": model.origin,
            "requirements": examined.requirements,
        },
        "validation": dataclasses.asdict(config.validation),
        "search": dataclasses.asdict(config.search),
        "folds": len(evaluation.splits),
        "environment": environment() | ({} if examined.device is None else {"device": examined.device}),
        "command": shlex.join(["bench", "run", *config.overrides]),
    }
    anew = config.force and model.name in config.models
    final = not evaluation.keeps_model
    return PlannedRun(evaluation, folder, record, anew, final, estimates_time=examined.estimates_time)


def older_versions(folder: RunFolder, record: Mapping[str, Any]) -> str | None:
    """Say which libraries, or device, were others when the folds in a folder were made, None where none were."""
    try:
        stored = folder.read_record()
        then = {**stored["environment"]["packages"], **stored["model"].get("requirements", {})}
    except (UserError, KeyError, TypeError):
        return None
    now = record["environment"]["packages"]
    if "requirements" in stored["model"]:
        now = {**now, **record["model"]["requirements"]}
    if {"device"} <= stored["environment"].keys() & record["environment"].keys():
        then["device"], now = stored["environment"]["device"], {**now, "device": record["environment"]["device"]}
    return (
        ", ".join(f"{name} {then.get(name)} (now {now[name]})" for name in now if then.get(name) != now[name]) or None
    )


def _describe_task(task: Task, outer: Sequence[splits.Split]) -> dict[str, Any]:
    seed = derive_seed(0, task.name, "interval")
    return {
        "name": task.name,
        "version": task.version,
        "description": task.description,
        "digest": task.digest,
        "inputs": list(task.inputs),
        "labels": list(task.labels),
        "label_map": dict(task.label_map),
        "metric": task.metric,
        "group": task.group,
        **({"population": dict(task.population)} if task.population else {}),
        "n_examples": len(task),
        "splits": {name: {role: int((task.examples[name] == role).sum()) for role in ROLES} for name in task.splits},
        "n_groups": len(set(task.groups.tolist())),
        "published": [dataclasses.asdict(figure) for figure in task.published] if task.splits else [],
        "notes": [*task.notes, *_split_notes(task, outer)],
        "origin": str(task.origin),
        "references": [] if task.passes is None else pass_scores(task.passes, task.groups, task.labels, seed),
    }


@cache
def environment() -> dict[str, Any]:
    """The versions of Python and the libraries, the platform and the git commit."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {"bench": metadata.version("bench-arabic"), **{name: metadata.version(name) for name in PACKAGES}},
        "git": _git(),
    }


def _git() -> dict[str, Any] | None:
    try:
        run = [
            subprocess.run(["git", *words], capture_output=True, text=True, check=True, timeout=5).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": run[0], "dirty": bool(run[1])}
