"""What a stored run was: its task, its outer folds and its model, built again and compared with what was stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bench.catalogue import load_model, load_task
from bench.config import Execution, RunConfig, TrainOn
from bench.discovery import model_names
from bench.errors import UserError
from bench.evaluation.evaluation import Evaluation
from bench.models.model import Model
from bench.planning.split_task import as_in_record, split_task, split_with_lent
from bench.prediction.fitted import changed_code
from bench.results.record import RunRecord
from bench.support.json_writing import spelled


class OtherParametersError(UserError):
    """A model has other parameters here than in a stored run."""


def rebuilt(record: RunRecord, model: Model, mirror: Path | None = None) -> Evaluation:
    """Build what the cells of a stored run shared.

    Parameters
    ----------
    record : RunRecord
        The run.
    model : Model
        Its model, as `model_of_run` gives it.
    mirror : pathlib.Path, optional
        A folder to read published files from instead of downloading them.

    Raises
    ------
    bench.errors.UserError
        If the task or its folds are not those of the run any more.
    """
    config = RunConfig(
        (record.task.name,),
        (record.model.name,),
        record.search,
        record.validation,
        Execution("local"),
        seed=record.seed,
        train_on=_lender(record),
    )
    task = as_in_record(load_task(record.task.name, mirror=mirror), record)
    if task.digest != record.task.digest or task.labels != record.task.labels or task.inputs != record.task.inputs:
        raise _changed(record, f"the data of task '{record.task.name}' have changed since the run")
    split = split_task(replace(task, metric=record.task.metric, averaged_over=record.task.averaged_over), config, [])
    if split.digest != record.splits:
        raise _changed(record, "the outer folds would be others than those of the run")
    if config.train_on is not None:
        split = split_with_lent(split, load_task(config.train_on.task, mirror=mirror), config.train_on, [])
        if split.train_on is None or record.train_on is None or split.train_on.digest != record.train_on.digest:
            raise _changed(record, f"the data of task '{config.train_on.task}' have changed since the run")
    return Evaluation(
        split.task,
        model,
        split.splits,
        record.search,
        record.validation.inner_folds,
        record.seed,
        lent=split.lent,
        forward=record.validation.forward,
    )


def model_of_run(record: RunRecord, overrides: Mapping[str, object]) -> Model:
    """Build the model of a stored run, as it is defined here.

    Parameters
    ----------
    record : RunRecord
        The run.
    overrides : mapping of str to object
        Dotted keys of the model's definition here with the values to put in their place.

    Raises
    ------
    OtherParametersError
        If its parameters here are others.
    bench.errors.UserError
        If it is not defined here, or otherwise, or its code has changed.
    """
    stored = record.model
    if stored.name not in model_names():
        raise UserError(
            f"model={stored.name}: it is not defined here, so the run's models cannot be fitted again.",
            f"Put its definition into configs/model/{stored.name}.yaml in the current folder.",
        )
    model = load_model(stored.name, overrides)
    if (model.estimator, model.features) != (stored.estimator, stored.features):
        raise _changed(record, f"the model '{stored.name}' is defined differently here than in the run")
    now, then = spelled(model.written_params), stored.params
    if now != then:
        names = [name for name in {**then, **now} if name not in then or now.get(name, _ABSENT) != then[name]]
        words = " ".join(f"model.params.{name}={then[name]}" for name in names if name in then)
        raise OtherParametersError(
            f"model={stored.name}: its parameters here are not those of the run: {', '.join(names)}.",
            f"Add what the run had: {words}" if words else f"Rerun it: {record.command}",
        )
    if changed := changed_code(record):
        raise _changed(record, changed)
    return model


def _lender(record: RunRecord) -> TrainOn | None:
    lent = record.train_on
    return None if lent is None else TrainOn(lent.task, lent.labels, lent.only)


_ABSENT = object()


def _changed(record: RunRecord, what: str) -> UserError:
    return UserError(f"{record.task.name}, {record.model.name}, run {record.key}: {what}.", f"Rerun: {record.command}")
