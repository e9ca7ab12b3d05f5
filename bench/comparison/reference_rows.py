"""How the annotation passes agree, as the task's files have them now.

The passes are no part of a run's key: they may be redone without a change of the labels that models learn. So what a
stored run says of them can be out of date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.catalogue import is_here, load_task, task_files
from bench.data.definition import has_passes, read_definition
from bench.errors import UserError
from bench.evaluation.split_task import as_in_record, references

if TYPE_CHECKING:
    from bench.data.task import Task


def reference_rows(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Score the annotation passes of the task of some runs.

    Parameters
    ----------
    records : sequence of mapping
        The contents of the runs' ``run.json``; all of one task, data and protocol.

    Returns
    -------
    list of dict
        As `bench.statistics.reference.pass_scores` gives them, computed from the task where its data are still those
        of the runs, else as the run that was started last has them.
    """
    newest = max(records, key=lambda record: str(record.get("started", "")))
    stored: list[dict[str, Any]] = newest["task"]["references"]
    task = _current(newest, bool(stored))
    return stored if task is None else references(task)


def _current(record: Mapping[str, Any], had_passes: bool) -> Task | None:
    """The task of a run as it is now, None where it is not here, has other data now, or never had passes."""
    name = record["task"]["name"]
    try:
        path = task_files().get(name)
        if path is None or not (had_passes or has_passes(read_definition(path))) or not is_here(name):
            return None
        task = as_in_record(load_task(name), record)
    except UserError:
        return None
    described = record["task"]
    if task.digest != described["digest"] or list(task.labels) != described["labels"]:
        return None
    return replace(task, metric=described["metric"])
