"""Stored runs of a task that may be one which the program has made: those of its data only."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from bench.data.task import Task
from bench.discovery import task_names
from bench.errors import UserError, nearest
from bench.in_memory import TASKS
from bench.results.layout import stored_tasks
from bench.results.store import RunFolder, stored_runs


def runs_of(results: Path, task: str) -> list[RunFolder]:
    """The stored runs of a task; where the program has made it, without those of other data under its name.

    Runs that cannot be read are among them.
    """
    stored = stored_runs(results, task)
    if task not in TASKS or not stored:
        return stored
    made = cast("Task", TASKS[task])
    digests = {made.digest, made.without_splits().digest} if made.splits else {made.digest}
    return [folder for folder in stored if _digest(folder) in (None, *digests)]


def nothing_stored(results: Path, task: str) -> UserError:
    """The error where no run of a task is stored."""
    if stored_runs(results, task):
        return UserError(
            f"{results}: the stored runs of task '{task}' are of other data than the task has in this program.",
            "Run it with these data: bench.run(task, ...)",
        )
    tasks, again, said = stored_tasks(results), f"bench run task={task}", f"no run of task '{task}' is stored there."
    if task not in task_names() and task not in TASKS:  # It cannot be run either.
        return UserError(f"{results}: {said}", nearest(task, tasks or task_names()))
    return UserError(f"{results}: {said}", f"{nearest(task, tasks)} Or run it first: {again}" if tasks else again)


def _digest(folder: RunFolder) -> str | None:
    try:
        return folder.read_record().task.digest
    except UserError:
        return None
