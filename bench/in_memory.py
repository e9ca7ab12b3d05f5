"""Tasks and models that the running program has made: found by name before those in files, as long as it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Protocol


class Named(Protocol):
    """A task or a model; their classes stand in rooms above this one."""

    @property
    def name(self) -> str:
        """The name by which it is found."""


class Made(Mapping[str, Named]):
    """What the program has made, by name.

    A name means what the running thread made last under it. Names that it has not made are those of other threads, so
    that jobs in several threads do not get each other's data.
    """

    def __init__(self, called: str) -> None:
        self._shared: dict[str, Named] = {}
        self._own: ContextVar[Mapping[str, Named]] = ContextVar(called)

    def add(self, value: Named) -> str:
        """Make a value known by its name, in place of an earlier one of that name; returns the name."""
        self._shared[value.name] = value
        self._own.set({**self._own.get({}), value.name: value})
        return value.name

    def clear(self) -> None:
        """Forget everything that this thread can see."""
        self._shared.clear()
        self._own.set({})

    def __getitem__(self, name: str) -> Named:
        own = self._own.get({})
        return own[name] if name in own else self._shared[name]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._shared))

    def __len__(self) -> int:
        return len(self._shared)


TASKS = Made("tasks")
MODELS = Made("models")
