"""What is said of a task in its files now, where that is no part of a run's key.

Annotation passes may be redone without a change of the labels that models learn, and published results be corrected. So
what a stored run says of them can be out of date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from bench.catalogue import is_here, load_task
from bench.data.definition import has_passes, read_definition
from bench.data.figures import read_figures
from bench.discovery import task_files
from bench.errors import UserError
from bench.metrics.averaged import AVERAGED_OVER
from bench.planning.split_task import as_in_record, references

if TYPE_CHECKING:
    from bench.data.task import Task


def task_now(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Describe the task of some runs as it is now.

    Parameters
    ----------
    records : sequence of mapping
        The contents of the runs' ``run.json``; all of one task, data and protocol.

    Returns
    -------
    dict
        The task's part of the record of the run that was started last. Its ``references``, the scores of the annotation
        passes, are computed anew where the task is here with the data of the runs, and its ``published`` results are
        read anew where the task is here.
    """
    newest = max(records, key=lambda record: str(record.get("started", "")))
    described: dict[str, Any] = dict(newest["task"])
    path = task_files().get(described["name"])
    if path is None:
        return described
    try:
        definition = read_definition(path)
        if described.get("published"):
            described["published"] = [asdict(figure) for figure in read_figures(definition, path, described["labels"])]
        task = _as_run(newest) if described["references"] or has_passes(definition) else None
    except UserError:  # it cannot be built now: `bench check` says why
        return described
    return described if task is None else {**described, "references": references(task)}


def _as_run(record: Mapping[str, Any]) -> Task | None:
    """The task of a run, split and scored as the run was; None where it has other data now, or they are not here."""
    described = record["task"]
    if not is_here(described["name"]):
        return None
    task = as_in_record(load_task(described["name"]), record)
    if task.digest != described["digest"] or list(task.labels) != described["labels"]:
        return None
    return replace(task, metric=described["metric"], averaged_over=described.get(AVERAGED_OVER, ""))
