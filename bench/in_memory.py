"""Tasks and models that the running program has made: found by name before those in files, as long as it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Named(Protocol):
    """A task or a model; their classes stand in rooms above this one."""

    @property
    def name(self) -> str:
        """The name by which it is found."""


TASKS: dict[str, Named] = {}
MODELS: dict[str, Named] = {}

FURTHER: dict[str, Callable[[str], object]] = {}
"""By a task's digest, what reads another column of the data that it was made of."""


def add_task(task: Named) -> str:
    """Make a task known by its name, in place of an earlier one of that name; returns the name."""
    TASKS[task.name] = task
    return task.name


def add_model(model: Named) -> str:
    """Make a model known by its name, in place of an earlier one of that name; returns the name."""
    MODELS[model.name] = model
    return model.name
