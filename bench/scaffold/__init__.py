"""Create a task from a user's data: detect the format and the columns, and write the task's files."""

from bench.scaffold.request import Given, TaskRequest
from bench.scaffold.task import Scaffold, scaffold_task

__all__ = ["Given", "Scaffold", "TaskRequest", "scaffold_task"]
