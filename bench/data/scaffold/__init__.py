"""A task made of a user's own data: what the data are, which column is what, and the files written of it."""

from bench.data.scaffold.columns import Given
from bench.data.scaffold.task import Scaffold, scaffold_task

__all__ = ["Given", "Scaffold", "scaffold_task"]
