"""Planning: what a configuration asks for, what of it is stored, and which cells are missing."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import platform
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from bench.catalogue import load_model, load_task
from bench.config import RunConfig
from bench.data.duplicates import duplicate_keys
from bench.data.task import Task
from bench.errors import ModelError
from bench.evaluation import splits
from bench.evaluation.cell import FINAL, Fold
from bench.evaluation.evaluate import Evaluation
from bench.evaluation.metrics import PROBABILITY_METRICS
from bench.models.model import Model
from bench.results.store import FORMAT, RunFolder, run_key
from bench.seeding import derive_seed
from bench.statistics.reference import agreement_scores

BASELINE = "majority"
"""The model that stands in every table."""

TRIED_ROWS = 5
"""Examples on which features are tried before anything runs."""

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
    """

    evaluation: Evaluation
    folder: RunFolder
    record: dict[str, Any]

    @property
    def all_folds(self) -> list[Fold]:
        """The folds of the run: the outer ones, then the final fit."""
        return [*range(len(self.evaluation.splits)), FINAL]

    def missing_folds(self) -> list[Fold]:
        """The folds that are not stored, or stored as failed."""
        return [fold for fold in self.all_folds if not self.folder.is_done(fold)]


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
    planned = Plan([])
    for name in config.tasks:
        task = load_task(name, config.task_overrides)
        if config.validation.group is not None:
            task = task.grouped_by(config.validation.group)
        planned.notes += [f"{task.name}: {note}" for note in task.notes]
        outer = splits.outer_splits(
            task.codes,
            task.groups,
            task.group,
            config.validation.folds,
            derive_seed(config.seed, task.name, "outer"),
            config.validation.repeats,
        )
        splits.verify(outer, task.groups, duplicate_keys(task.frame), task.ids)
        described = _describe_task(task)
        for model in _models_for(task, config, planned.notes):
            evaluation = Evaluation(task, model, outer, config.search, config.validation.inner_folds, config.seed)
            planned.runs.append(_plan_run(evaluation, described, config))
    return planned


def _models_for(task: Task, config: RunConfig, notes: list[str]) -> list[Model]:
    names = list(config.models)
    if BASELINE not in names:
        names.insert(0, BASELINE)
    models = []
    for name in names:
        overrides = {} if name == BASELINE and BASELINE not in config.models else config.model_overrides
        model = load_model(name, overrides)
        try:
            _check(model, task)
        except ModelError as error:
            if config.asked_for_models and name in config.models:
                raise
            notes.append(f"{task.name}: {name} is left out: {error.message}")
        else:
            models.append(model)
    return models


def _check(model: Model, task: Task) -> None:
    """Build the model once and hold the names and values of its search space against what it takes."""
    _try({}, model, task)
    if task.metric in PROBABILITY_METRICS and not hasattr(model.build_estimator({}, task, seed=0), "predict_proba"):
        raise ModelError(
            f"{model.name} gives no probabilities, which the task's metric {task.metric} needs.",
            "Choose another model, or task.metric=macro_f1.",
        )
    for name, dimension in model.search.dimensions.items():
        for value in dimension.ends():
            _try({name: value}, model, task)


def _try(params: dict[str, Any], model: Model, task: Task) -> None:
    """Build a setting and let its parts check their values, as they do when fitted."""
    features = model.build_features(params, task)
    estimator = model.build_estimator(params, task, seed=0)
    try:
        if features is not None and (not params or next(iter(params)).startswith("features.")):
            features.fit(task.frame.iloc[:TRIED_ROWS], task.y[:TRIED_ROWS])
        if hasattr(estimator, "_parameter_constraints"):
            estimator._validate_params()
    except (TypeError, ValueError) as error:
        setting = ", ".join(f"search.{name}: {value!r}" for name, value in params.items()) or "params"
        raise ModelError(f"{model.origin}: {setting}: {error}") from error


def _plan_run(evaluation: Evaluation, task: Mapping[str, Any], config: RunConfig) -> PlannedRun:
    model = evaluation.model
    described = {
        "name": model.name,
        "estimator": model.estimator,
        "features": model.features,
        "params": dict(model.params),
        "search": {name: dataclasses.asdict(spec) for name, spec in model.search.dimensions.items()},
        "source": _source_digest(model),
    }
    identity = {
        "task": {key: task[key] for key in ("name", "version", "digest", "labels", "inputs", "metric", "group")},
        "model": described,
        "validation": {key: value for key, value in dataclasses.asdict(config.validation).items() if key != "name"},
        "search": {"trials": config.search.trials, "timeout": config.search.timeout} if model.search else None,
        "seed": config.seed,
    }
    folder = RunFolder(config.results / evaluation.task.name / model.name / run_key(identity))
    record = {
        **identity,
        "format": FORMAT,
        "key": folder.key,
        "task": dict(task),
        "model": {**described, "description": model.description, "origin": model.origin},
        "validation": dataclasses.asdict(config.validation),
        "search": dataclasses.asdict(config.search),
        "folds": len(evaluation.splits),
        "splits": splits.digest(evaluation.splits, evaluation.task.ids),
        "environment": environment(),
        "command": shlex.join(["bench", "run", *config.overrides]),
    }
    return PlannedRun(evaluation, folder, record)


def _describe_task(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "version": task.version,
        "description": task.description,
        "digest": task.digest,
        "inputs": list(task.inputs),
        "labels": list(task.labels),
        "metric": task.metric,
        "group": task.group,
        "n_examples": len(task),
        "n_groups": len(set(task.groups.tolist())),
        "notes": list(task.notes),
        "origin": str(task.origin),
        "agreement": None if task.passes is None else agreement_scores(task.passes, task.labels),
    }


def _source_digest(model: Model) -> dict[str, str]:
    """Digests of the sources that no installed package versions, such as the user's own plug-in."""
    digests = {}
    for path in filter(None, (model.estimator, model.features)):
        module, _, _ = path.rpartition(".")
        file = inspect.getsourcefile(import_module(module)) if module and not module.startswith("bench.") else None
        if file is not None and "site-packages" not in file:
            digests[path] = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]
    return digests


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
