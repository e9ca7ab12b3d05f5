"""A task ready for evaluation: loaded, split, checked and described, perhaps with extra training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.catalogue import is_here, load_task
from bench.checks import check_task
from bench.config import RunConfig, TrainOn
from bench.data import splits
from bench.data.dates import Times, day_of
from bench.data.forward import outer_forward, verify_forward
from bench.data.task import ROLES, TEST, Task
from bench.data.transfer import transfer
from bench.errors import ConfigError, DataError
from bench.planning.reference import pass_scores
from bench.results.record import Lent, Period, Reference, RunRecord, SplitSizes, TaskRecord
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SplitTask:
    """A task with its outer splits, shared by the evaluations of all models.

    Parameters
    ----------
    task : Task
        The task; extra training rows come after its own.
    splits : list of Split
        The outer splits.
    lent : ndarray of int, shape (n_lent,), or None
        The numbers of the extra training rows.
    record : TaskRecord
        Its description in stored runs.
    digest : str
        Of the splits.
    train_on : Lent or None
        The other task's description in stored runs.
    periods : tuple of Period
        The dates of the splits, if they train on earlier and test on later examples.
    """

    task: Task
    splits: list[splits.Split]
    lent: NDArray[np.intp] | None
    record: TaskRecord
    digest: str
    train_on: Lent | None = None
    periods: tuple[Period, ...] = ()


def tasks_to_load(config: RunConfig, notes: list[str]) -> list[str]:
    """The tasks of a command: the named ones, or all whose files are on this machine."""
    if config.asked_for_tasks:
        return list(config.tasks)
    here = [name for name in config.tasks if is_here(name, config.mirror)]
    absent = [name for name in config.tasks if name not in here]
    if absent:
        notes.append(f"not on this machine; named with task=, they are downloaded: {', '.join(absent)}")
    return here


def load_as_split(name: str, config: RunConfig) -> Task:
    """Build a task, with the group column and the published splits from the configuration."""
    return as_split(load_task(name, config.task_overrides, config.mirror), config)


def as_split(task: Task, config: RunConfig) -> Task:
    """Give a task the group column and the published splits from the configuration."""
    if config.validation.splits != "published" and task.splits:
        task = task.without_splits()
    return task if config.validation.group is None else task.grouped_by(config.validation.group)


def as_in_record(task: Task, record: RunRecord) -> Task:
    """Give a task the group column and the published splits of a stored run."""
    if task.splits and not record.task.splits:
        task = task.without_splits()
    return task if task.group == record.task.group else task.grouped_by(record.task.group)


def split_task(task: Task, config: RunConfig, notes: list[str]) -> SplitTask:
    """Split a task and check it.

    Parameters
    ----------
    task : Task
        The task, as `load_as_split` gives it.
    config : RunConfig
        How to split it.
    notes : list of str
        Receives notes for the user.

    Raises
    ------
    bench.errors.DataError
        If it cannot be split, or its data are invalid.
    """
    outer = split_outer(task, config)
    periods = tuple(period_of(split, task.times) for split in outer) if config.validation.forward else ()
    told = (
        *task.notes,
        *_period_notes(periods, len(task), config),
        *_split_notes(task, outer),
        *_few_groups(task, config),
        *_warnings(task, config.validation.folds),
    )
    notes += [f"{task.name}: {note}" for note in told]
    return SplitTask(task, outer, None, _describe_task(task, outer), splits.digest(outer, task.ids), periods=periods)


def split_with_lent(own: SplitTask, source: Task | None, asked: TrainOn | None, notes: list[str]) -> SplitTask:
    """Add another task's extra training rows, if requested."""
    if source is None or asked is None:
        return own
    together = transfer(own.task, source, asked.labels)
    notes += [f"{own.task.name}: {asked.task}: {note}" for note in together.notes]
    outer = [splits.with_lent(split, together.lent, asked.only) for split in own.splits]
    splits.verify_inputs(outer, together.task.keys, together.task.ids)
    train_on = Lent(
        task=source.name,
        digest=source.digest,
        group=source.group,
        labels=together.labels,
        only=asked.only,
        n_examples=len(together.lent),
        notes=tuple(together.notes),
    )
    return replace(own, task=together.task, splits=outer, lent=together.lent, train_on=train_on)


def split_outer(task: Task, config: RunConfig) -> list[splits.Split]:
    """Deal a task's examples into outer folds, or take its published splits, and prove that nothing leaks.

    Parameters
    ----------
    task : Task
        The task, as `as_split` gives it.
    config : RunConfig
        How to split it.
    """
    validation = config.validation
    if validation.forward:
        return _split_forward(task, config)
    if task.splits:
        published = splits.published_splits([task.examples[column].to_numpy(dtype=object) for column in task.splits])
        splits.verify_inputs(published, task.keys, task.ids)
        return published
    seed = derive_seed(config.seed, task.name, "outer")
    outer = splits.outer_splits(task.codes, task.groups, task.group, validation.folds, seed, validation.repeats)
    splits.verify(outer, task.groups, task.keys, task.ids)
    return outer


def _split_forward(task: Task, config: RunConfig) -> list[splits.Split]:
    validation = config.validation
    if validation.repeats > 1:
        raise ConfigError(
            f"validation.repeats={validation.repeats}: validation=forward has one split at each point in time.",
            "Remove it, or choose more points with validation.folds=N.",
        )
    if config.train_on is not None:
        raise ConfigError(
            f"train_on={config.train_on.task}: with validation=forward, extra training rows could be later than the "
            "test part.",
            "Remove train_on, or use validation=grouped.",
        )
    outer = outer_forward(task.codes, task.groups, task.group, task.times, validation.folds)
    splits.verify(outer, task.groups, task.keys, task.ids)
    verify_forward(outer, task.times, task.ids)
    return outer


def _split_notes(task: Task, outer: Sequence[splits.Split]) -> list[str]:
    """Notes on published splits: their sizes, and groups on both sides."""
    if not task.splits:
        return []
    notes = []
    for column, split in zip(task.splits, outer, strict=True):
        dev = "" if split.dev is None else f", {len(split.dev):,} dev"
        sizes = f"{len(split.train):,} train{dev} and {len(split.test):,} test examples"
        shared = int(task.shared_groups(column).sum())
        which = "published split" if len(outer) == 1 else column
        also = f"; {shared:,} test examples have a {task.group} that is also in another part" if shared else ""
        notes.append(f"{which}: {sizes}{also}")
    return notes


def period_of(split: splits.Split, times: Times) -> Period:
    """The dates of a split that trains on earlier and tests on later examples."""
    train, test = times[split.train], times[split.test]
    return Period(
        day_of(train.last.max()),
        day_of(test.first.min()),
        day_of(test.last.max()),
        len(split.train),
        len(split.test),
    )


def _period_notes(periods: Sequence[Period], n_examples: int, config: RunConfig) -> list[str]:
    """Note what is tested when, and whether there are fewer points in time than requested."""
    if not periods:
        return []
    tested = sum(period.n_test for period in periods)
    notes = [
        f"forward: trained to {periods[0].trained_to} or later, tested on {tested:,} of {n_examples:,} examples from "
        f"{periods[0].tested_from} to {max(period.tested_to for period in periods)}"
    ]
    if len(periods) < config.validation.folds:
        notes.append(
            f"validation.folds={config.validation.folds}, but the dates allow only {len(periods)} points in time"
        )
    sizes = [period.n_test for period in periods]
    if min(sizes) < tested / len(periods) / 2:
        notes.append(
            f"forward: the periods are of unlike size, with {min(sizes):,} to {max(sizes):,} test examples, because "
            "many examples have the same date or group"
        )
    return notes


def _few_groups(task: Task, config: RunConfig) -> list[str]:
    """Note if more folds were requested than there are groups."""
    if config.validation.forward:
        return []
    asked, groups = config.validation.folds, len(set(task.groups.tolist()))
    if task.splits or groups <= splits.FEW_GROUPS or asked <= groups:
        return []
    return [f"validation.folds={asked}, but there are {groups} groups, so each group is a fold"]


def _warnings(task: Task, folds: int) -> list[str]:
    """Warnings of the quick checks of a task's data. An error ends the run."""
    findings = check_task(task, folds, quick=True)
    for finding in findings:
        if finding.severity == "error":
            hint = f"`bench check task={task.name}` shows examples. {finding.page} explains what to do."
            raise DataError(f"{task.origin}: {finding.message} ({finding.code})", hint)
    return [f"{finding.message} ({finding.code})" for finding in findings if finding.severity == "warning"]


def _describe_task(task: Task, outer: Sequence[splits.Split]) -> TaskRecord:
    def sizes(column: str) -> SplitSizes:
        train, dev, test = (int((task.examples[column] == role).sum()) for role in ROLES)
        return SplitSizes(train, dev, test)

    return TaskRecord(
        name=task.name,
        version=task.version,
        description=task.description,
        digest=task.digest,
        inputs=tuple(task.inputs),
        columns=dict(task.columns),
        labels=tuple(task.labels),
        label_map=dict(task.label_map),
        metric=task.metric,
        averaged_over=task.averaged_over,
        group=task.group,
        population=dict(task.population),
        n_examples=len(task),
        n_groups=len(set(task.groups.tolist())),
        splits={column: sizes(column) for column in task.splits},
        published=tuple(task.published) if task.splits else (),
        notes=(*task.notes, *_split_notes(task, outer)),
        origin=str(task.origin),
        references=references(task, outer),
    )


def references(task: Task, outer: Sequence[splits.Split] = ()) -> tuple[Reference, ...]:
    """Score the passes of a task on the examples that models are scored on; see `pass_scores`.

    Without outer folds these are the test examples of published splits, or else all.
    """
    if task.passes is None:
        return ()
    scored = np.full(len(task), not outer)
    for split in outer:
        scored[split.test] = True
    if task.splits and not outer:
        scored = (task.examples[list(task.splits)] == TEST).any(axis=1).to_numpy()
    values = None if task.value_codes is None else task.value_codes[scored]
    passes = task.passes[scored].reset_index(drop=True)
    return pass_scores(passes, task.groups[scored], task.labels, task.scored_by, values)
