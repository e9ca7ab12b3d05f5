"""A task made of a user's own data: what the data are, which column is what, and the files written of it."""

from bench.scaffold.request import Given, TaskRequest
from bench.scaffold.task import Scaffold, scaffold_task

__all__ = ["Given", "Scaffold", "TaskRequest", "scaffold_task"]
