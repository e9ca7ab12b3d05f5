"""Plan a configuration: build its runs, and find stored and missing cells."""

from __future__ import annotations

import dataclasses
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata

from bench.catalogue import load_model, load_task
from bench.config import Execution, RunConfig
from bench.data.task import Task
from bench.encoders.device import device_name
from bench.engines.engine import Died, Failed, TimedOut, Unit, Value, outcome_of, value_of
from bench.engines.processes import available_cores
from bench.errors import BenchError, ConfigError, ModelError, UserError
from bench.evaluation.evaluation import Evaluation
from bench.models.model import Model
from bench.models.space import Choice, Range
from bench.planning.estimate import time_notes
from bench.planning.examine import Examined, examine_pair
from bench.planning.memory import workers_within_memory
from bench.planning.planned import Plan, PlannedRun
from bench.planning.split_task import SplitTask, load_as_split, split_task, split_with_lent, tasks_to_load
from bench.planning.workers import open_engine
from bench.results.key import key_of
from bench.results.layout import run_folder
from bench.results.record import Environment, Git, ModelRecord, RunRecord
from bench.results.result_format import FORMAT
from bench.results.store import RunFolder
from bench.support.doing import Doing, unobserved
from bench.support.json_writing import spelled

BASELINE = "majority"
"""The model in every table."""

PACKAGES = ("scikit-learn", "numpy", "scipy", "pandas", "optuna", "camel-tools", "lightgbm", "mlflow", "skops")
"""Packages whose versions a run records."""


GIT = ("git", "-c", "core.fsmonitor=false", "--no-optional-locks")
"""The git command. It runs no program from a repository's settings and writes nothing."""


def plan(config: RunConfig, doing: Doing = unobserved) -> Plan:
    """Build tasks and models, split, check, and find what is already stored.

    Parameters
    ----------
    config : RunConfig
        The configuration.
    doing : callable
        Receives progress messages.

    Raises
    ------
    bench.errors.UserError
        If a task, model or split is invalid. Nothing has run then.
    """
    planned = prepare(config, doing)
    doing("looking for what is stored")
    for each in planned.runs:
        changed = older_versions(each.folder, each.record)
        if changed and each.missing_folds():
            each.anew = True
            planned.notes.append(f"{each.title}: stored folds used {changed}, so they are rerun instead of mixed")
        elif changed:
            planned.notes.append(f"{each.title}: stored with {changed}; force=true reruns it")
    planned.notes += time_notes(planned.runs, config, planned.workers, doing)
    return planned


def prepare(config: RunConfig, doing: Doing = unobserved) -> Plan:
    """Build tasks and models, split and check; the majority baseline is always among the models.

    Parameters
    ----------
    config : RunConfig
        The configuration.
    doing : callable
        Receives progress messages.

    Raises
    ------
    bench.errors.UserError
        If a task, model or split is invalid.
    """
    planned = Plan([], list(config.notes))
    _check_device(config.execution.device)
    asked = config.train_on
    if asked is not None:
        doing(f"reading the task {asked.task}")
    source = None if asked is None else load_task(asked.task, {}, config.mirror)
    own, lent = {}, {}
    left_out: list[BenchError] = []
    for name in tasks_to_load(config, planned.notes):
        doing(f"reading and checking the task {name}")
        notes: list[str] = []
        try:
            split = split_task(load_as_split(name, config), config, notes)
            lent[name] = split_with_lent(split, source, asked, notes)
        except BenchError as error:
            if config.asked_for_tasks:
                raise
            left_out.append(error)
            notes = [f"{name} is left out: {error.message}"]
        else:
            own[name] = split
        planned.notes += notes
    if left_out and not own:
        raise left_out[0]
    for task, model, examined in _fitting([each.task for each in lent.values()], config, planned.notes, doing):
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
            forward=config.validation.forward,
        )
        planned.runs.append(_plan_run(evaluation, split, examined, config))
    tasks = [split.task for split in lent.values()]
    planned.workers = config.execution.workers or workers_within_memory(tasks, available_cores(), planned.notes)
    return planned


def _check_device(device: str) -> None:
    if device != "cuda":
        return
    with open_engine() as engine:
        found = value_of(outcome_of(engine, Unit(device_name)))
    if found == "cpu":
        raise ConfigError(
            "execution.device=cuda: torch finds no GPU on this machine.",
            "execution.device=auto uses the CPU if there is none.",
        )


def _fitting(
    tasks: Sequence[Task], config: RunConfig, notes: list[str], doing: Doing
) -> list[tuple[Task, Model, Examined]]:
    """The models that fit each task, with what is known of them."""
    names = list(config.models) if BASELINE in config.models else [BASELINE, *config.models]
    overridden = {name for name in config.models if name != BASELINE or config.asked_for_models}
    models, left_out = [], list[BenchError]()
    for name in names:
        try:
            models.append(load_model(name, config.model_overrides if name in overridden else {}))
        except UserError as error:
            if name == BASELINE or config.asked_for_models:
                raise
            if config.model_overrides and _loads(name):
                raise _unfit({name: _reason(error, f"model={name}")}, config) from error
            left_out.append(error)
            notes.append(f"{name} is left out: {error.message}")
    pairs = [(model, task) for task in tasks for model in models]
    fitting = []
    doing("loading libraries")
    answers = _examined(pairs, config.execution, doing)
    if config.model_overrides and len(config.models) > 1:
        _check_overrides(pairs, answers, config, doing)
    for (model, task), found in zip(pairs, answers, strict=True):
        if not isinstance(found, ModelError):
            fitting.append((task, model, found))
        elif config.asked_for_models and config.asked_for_tasks and model.name in config.models:
            raise found
        else:
            left_out.append(found)
            reason = found.message.removeprefix(f"{model.name}: ")
            notes.append(f"{task.name}: {model.name} is left out: {reason}")
    if left_out and not any(model.name in config.models for _, model, _ in fitting):
        raise left_out[0]
    return fitting


def _examined(pairs: Sequence[tuple[Model, Task]], execution: Execution, doing: Doing) -> list[Examined | ModelError]:
    """Examine models in a worker, one after the other; one that hangs or crashes does not affect others."""
    found: list[Examined | ModelError] = []
    with open_engine(execution.device, state=Unit(tuple, (pairs,))) as engine:
        for number, (model, task) in enumerate(pairs):
            doing(f"examining {model.name} on {task.name} ({number + 1} of {len(pairs)})")
            unit = Unit(examine_pair, (number,), execution.examine_timeout)
            outcome = outcome_of(engine, unit)
            if isinstance(outcome, Died):
                # Try once more: the process may have ended for external reasons, not because of the model.
                outcome = outcome_of(engine, unit)
            match outcome:
                case Value(examined):
                    found.append(examined)
                case Failed(ModelError() as error):
                    found.append(error)
                case Failed(error):
                    raise error
                case (Died() | TimedOut()) as ended:
                    found.append(_no_answer(model, ended))
    return found


def _no_answer(model: Model, ended: Died | TimedOut) -> ModelError:
    if isinstance(ended, Died):
        return ModelError(
            f"{model.origin}: examining it ended its process, which {ended.told}.", "Fix the model's class."
        )
    return ModelError(
        f"{model.origin}: examining it hung: {ended.told}.",
        "Before anything runs, its parts are built and its features tested. Fix what takes so long there. If the model "
        "needs more time, for example for a download, set execution.examine_timeout=SECONDS.",
    )


def _check_overrides(
    pairs: Sequence[tuple[Model, Task]], answers: Sequence[Examined | ModelError], config: RunConfig, doing: Doing
) -> None:
    """Reject command-line overrides of models that break a model which works without them.

    Leaving it out with a note would give a table that seems complete.

    Raises
    ------
    bench.errors.ConfigError
        If an override breaks a model.
    """
    failed = {
        (model.name, task.name): (task, found)
        for (model, task), found in zip(pairs, answers, strict=True)
        if isinstance(found, ModelError) and model.name in config.models
    }
    if not failed:
        return
    plain = [(load_model(name), task) for (name, _), (task, _) in failed.items()]
    without = _examined(plain, config.execution, doing)
    reasons = {}
    for (model, task), found in zip(plain, without, strict=True):
        if not isinstance(found, ModelError):
            reasons[model.name] = _reason(failed[model.name, task.name][1], model.origin)
    if reasons:
        names = {name for name, _ in failed}
        raise _unfit(reasons, config, [name for name in config.models if name not in names and name != BASELINE])


def _loads(name: str) -> bool:
    """Whether a model's definition is valid without overrides."""
    try:
        load_model(name)
    except UserError:
        return False
    return True


def _reason(error: UserError, origin: str) -> str:
    message = error.message.removeprefix(f"{origin}: ")
    return message if error.hint is None else f"{message} {error.hint}"


def _unfit(reasons: Mapping[str, str], config: RunConfig, fits: Sequence[str] = ()) -> ConfigError:
    typed = " ".join(word for word in config.overrides if word.startswith("model."))
    lines = [f"{name}: {reason}" for name, reason in reasons.items()]
    if fits:
        lines.append(f"Name the models that it fits: model={','.join(fits)}")
    return ConfigError(f"{typed} does not fit {', '.join(reasons)}.", "\n".join(lines))


def _plan_run(evaluation: Evaluation, split: SplitTask, examined: Examined, config: RunConfig) -> PlannedRun:
    model = evaluation.model
    described = ModelRecord(
        name=model.name,
        description=model.description,
        estimator=model.estimator,
        features=model.features,
        params=spelled(model.written_params),
        search={name: _spelled_dimension(dimension) for name, dimension in model.search.dimensions.items()},
        order=tuple(model.search.dimensions),
        sources=examined.sources,
        prune=model.prune,
        first_setting=model.first_setting,
        origin=model.origin,
        requirements=examined.requirements,
    )
    record = RunRecord(
        format=FORMAT,
        key="",
        task=split.record,
        model=described,
        train_on=split.train_on,
        splits=split.digest,
        validation=config.validation,
        search=config.search,
        seed=config.seed,
        folds=len(evaluation.splits),
        periods=split.periods,
        environment=dataclasses.replace(environment(), device=examined.device),
        command=shlex.join(["bench", "run", *config.overrides]),
    )
    record = dataclasses.replace(record, key=key_of(record))
    folder = RunFolder(run_folder(config.results, evaluation.task.name, model.name, record.key))
    anew = config.force and model.name in config.models
    final = not evaluation.keeps_model
    return PlannedRun(
        evaluation,
        folder,
        record,
        anew,
        final,
        estimates_time=examined.estimates_time,
        retries=config.retry is not None and model.name in config.models,
    )


def _spelled_dimension(dimension: Choice | Range) -> Choice | Range:
    return Choice(tuple(spelled(dimension.values))) if isinstance(dimension, Choice) else dimension


def older_versions(folder: RunFolder, record: RunRecord) -> str | None:
    """List libraries, or the device, that have changed since the folds in a folder were made; None if none."""
    try:
        stored = folder.read_record()
    except UserError:
        return None
    then = {**stored.environment.packages, **stored.model.requirements}
    # Unknown for runs stored before requirements were recorded.
    now = {**record.environment.packages, **(record.model.requirements if stored.model.requirements else {})}
    if stored.environment.device and record.environment.device:
        then["device"], now["device"] = stored.environment.device, record.environment.device
    return (
        ", ".join(f"{name} {then.get(name)} (now {now[name]})" for name in now if then.get(name) != now[name]) or None
    )


@cache
def environment() -> Environment:
    """The versions of Python and the libraries, the platform and the git commit."""
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        packages={"bench": metadata.version("bench-arabic"), **{name: metadata.version(name) for name in PACKAGES}},
        git=_git(),
    )


def _git() -> Git | None:
    try:
        commit, changes = (
            subprocess.run([*GIT, *words], capture_output=True, text=True, check=True, timeout=5).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--untracked-files=no"])
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Git(commit, dirty=bool(changes))
