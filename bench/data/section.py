"""A mapping in a task's file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.published import PublishedFiles
from bench.errors import ConfigError, nearest
from bench.schema.dialect import place_of

DOWNLOAD = "with from (an address) and sha256 (of each file)"
"""What the section on published files looks like."""


@dataclass(frozen=True)
class Section:
    """A mapping in a task's file, read key by key with errors that name the key."""

    content: Mapping[Any, Any]
    name: str
    origin: Path
    definition: Mapping[str, Any] | None = None

    def where(self, key: str) -> str:
        """Name a key, with its line as far as it is known."""
        return f"{place_of(self.origin, self.definition, *self.name.split('.'), key)}: {self.name}.{key}"

    def check_keys(self, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
        """Raise a ConfigError if a key is unknown or missing."""
        known = (*required, *optional)
        for key in self.content:
            if key not in known:
                raise ConfigError(f"{self.origin}: unknown key '{self.name}.{key}'.", nearest(str(key), known))
        for key in required:
            if self.content.get(key) is None:
                raise ConfigError(f"{self.where(key)} is missing.")

    def text(self, key: str) -> str:
        """Return the text under `key`."""
        value = self.content[key]
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{self.where(key)} must be text, not {value!r}.")
        return value

    def flag(self, key: str) -> bool:
        """Return whether what stands under `key` is true; false where the key is absent."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            raise ConfigError(f"{self.where(key)} must be true or false, not {value!r}.")
        return value

    def texts(self, key: str) -> list[str]:
        """Return the list of texts under `key`; none where the key is absent."""
        value = [] if self.content.get(key) is None else self.content[key]
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{self.where(key)} must be a list of texts, not {value!r}.")
        return list(value)

    def texts_or_numbers(self, key: str) -> list[str]:
        """Return the list of texts or whole numbers under `key`, as texts; none where the key is absent."""
        value = [] if self.content.get(key) is None else self.content[key]
        if not isinstance(value, list | tuple) or not all(type(item) in (str, int) for item in value):
            raise ConfigError(f"{self.where(key)} must be a list of numbers, not {value!r}.")
        return [str(item) for item in value]

    def names(self, key: str) -> list[str]:
        """Return the name under `key`, or the list of names, as a list."""
        if isinstance(self.content[key], list | tuple) and self.content[key]:
            return self.texts(key)
        return [self.text(key)]

    def section(self, key: str, expected: str) -> Section:
        """Return the mapping under `key`; `expected` tells what it should look like."""
        value = self.content[key]
        if not isinstance(value, Mapping):
            raise ConfigError(f"{self.where(key)} must be a mapping, {expected}.")
        return Section(value, f"{self.name}.{key}", self.origin, self.definition)

    def file(self, name: str, mirror: Path | None) -> Path:
        """Return the place of a file: in the task's folder or, where ``download`` says where it is published, brought.

        Parameters
        ----------
        name : str
            The file's path relative to the task's folder, or below the address.
        mirror : pathlib.Path or None
            A folder to take published files from; see `bench.data.published`.
        """
        if self.content.get("download") is None:
            return self.path(name)
        return PublishedFiles.parse(self.section("download", DOWNLOAD)).bring(name, mirror)

    def path(self, relative: str) -> Path:
        """Return a path that is written relative to the task's folder."""
        return Path(os.path.normpath(self.origin.parent / relative))
