"""What is said of a task in its files now, where that is no part of a run's key.

Annotation passes may be redone without a change of the labels that models learn, and published results be corrected. So
what a stored run says of them can be out of date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.catalogue import is_here, load_task
from bench.data.definition import has_passes, read_definition
from bench.data.figures import read_figures
from bench.discovery import task_files
from bench.errors import UserError
from bench.in_memory import TASKS
from bench.planning.split_task import as_in_record, references
from bench.results.record import RunRecord, TaskRecord

if TYPE_CHECKING:
    from bench.data.task import Task


def task_now(records: Sequence[RunRecord]) -> TaskRecord:
    """Describe the task of some runs as it is now.

    Parameters
    ----------
    records : sequence of RunRecord
        The runs; all of one task, data and protocol.

    Returns
    -------
    TaskRecord
        The task of the run that was started last. Its ``references``, the scores of the annotation passes, are computed
        again where the task is here with the data of the runs, and its ``published`` results are read again where the
        task is here. Forward in time they stay as stored, since not all examples are tested.
    """
    newest = max(records, key=lambda record: record.started)
    task = newest.task
    path = task_files().get(task.name)
    if path is None or task.name in TASKS:
        return task
    try:
        definition = read_definition(path)
        published = read_figures(definition, path, task.labels) if task.published else ()
        scored = not newest.periods and bool(task.references or has_passes(definition))
        here = as_run(newest) if scored else None
    except UserError:  # it cannot be built now: `bench check` says why
        return task
    return replace(task, published=published, references=task.references if here is None else references(here))


def as_run(record: RunRecord) -> Task | None:
    """The task of a run, split and scored as the run was; None where it has other data now, or they are not here."""
    stored = record.task
    if not is_here(stored.name):
        return None
    task = as_in_record(load_task(stored.name), record)
    if task.digest != stored.digest or task.labels != stored.labels:
        return None
    return replace(task, metric=stored.metric, averaged_over=stored.averaged_over)
