"""A task made of a user's own data: what the data are, which column is what, and the files written of it."""

from bench.data.scaffold.request import Given, Request
from bench.data.scaffold.task import Scaffold, scaffold_task

__all__ = ["Given", "Request", "Scaffold", "scaffold_task"]
