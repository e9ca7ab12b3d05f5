"""A mapping in a task's file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import ConfigError, nearest
from bench.schema.dialect import place_of


@dataclass(frozen=True)
class Section:
    """A mapping in a task's file, of the form that `bench.schema.source` declares, read key by key.

    The reader checks what depends on the task's data or inputs, and gets the key's place from `where`.
    """

    content: Mapping[Any, Any]
    name: str
    origin: Path
    definition: Mapping[str, object] | None = None

    def where(self, key: str) -> str:
        """Format a key, with its line if known."""
        return f"{place_of(self.origin, self.definition, *self.name.split('.'), key)}: {self.name}.{key}"

    def check_keys(self, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
        """Raise a ConfigError if a key is unknown or missing in this task, whose inputs decide what it needs."""
        known = (*required, *optional)
        for key in self.content:
            if key not in known:
                at = place_of(self.origin, self.definition, *self.name.split("."), str(key))
                raise ConfigError(f"{at}: unknown key '{self.name}.{key}'.", nearest(str(key), known))
        for key in required:
            if self.content.get(key) is None:
                raise ConfigError(f"{self.where(key)} is missing.")

    def text(self, key: str) -> str:
        """Return the text under `key`."""
        return str(self.content[key])

    def flag(self, key: str) -> bool:
        """Return whether the value of `key` is true; false if the key is absent."""
        return bool(self.content.get(key, False))

    def choice(self, key: str) -> bool | None:
        """Return whether the value of `key` is true; None if the key is absent."""
        given = self.content.get(key)
        return None if given is None else bool(given)

    def texts(self, key: str) -> list[str]:
        """Return the list of texts under `key`; empty if the key is absent."""
        return list(self.content.get(key) or ())

    def texts_or_numbers(self, key: str) -> list[str]:
        """Return the list of texts or whole numbers under `key`, as texts; empty if the key is absent."""
        return list(map(str, self.texts(key)))

    def names(self, key: str) -> list[str]:
        """Return the name under `key`, or the list of names, as a list."""
        given = self.content[key]
        return [given] if isinstance(given, str) else list(given)

    def section(self, key: str, expected: str) -> Section:
        """Return the mapping under `key`; `expected` describes the expected form."""
        value = self.content[key]
        if not isinstance(value, Mapping):
            raise ConfigError(f"{self.where(key)} must be a mapping, {expected}.")
        return Section(value, f"{self.name}.{key}", self.origin, self.definition)

    def path(self, relative: str) -> Path:
        """Return a path, resolved relative to the task's folder."""
        return Path(os.path.normpath(self.origin.parent / relative))
