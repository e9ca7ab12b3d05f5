"""A task made of a user's own data: what the data are, which column is what, and the files written of it."""

from bench.scaffold.request import Given, Request
from bench.scaffold.task import Scaffold, scaffold_task

__all__ = ["Given", "Request", "Scaffold", "scaffold_task"]
