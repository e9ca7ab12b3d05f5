"""A task's file, checked against its schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.data.section import Section
from bench.metrics.outcomes import VALUE
from bench.schema.dialect import place_of

if TYPE_CHECKING:
    from pathlib import Path

    from bench.schema.task import TaskFile

TABLE_KINDS = ("table", "hub")
"""The kinds of source whose other columns can be read by name."""


@dataclass(frozen=True)
class TaskDefinition:
    """What a task's file defines.

    Parameters
    ----------
    file : TaskFile
        Its keys.
    source : Section
        Where its examples are, with the column over whose values the metric is averaged.
    """

    file: TaskFile
    source: Section

    @classmethod
    def check(cls, content: Mapping[str, object], origin: Path) -> TaskDefinition:
        """Check the content of a task's file, with any overrides merged.

        Raises
        ------
        bench.errors.ConfigError
            If a key is unknown or missing, or a value has the wrong type.
        """
        from bench.schema.check import Place, check
        from bench.schema.task import TaskFile

        file, source = check(TaskFile, content, Place(origin)), content["source"]
        assert isinstance(source, Mapping)
        return cls(file, _with_value(Section(source, "source", origin, content), file.averaged_over))

    @property
    def origin(self) -> Path:
        """The file."""
        return self.source.origin

    @property
    def inputs(self) -> tuple[str, ...]:
        """The input columns."""
        return tuple(self.file.inputs)

    def where(self, *way: str | int) -> str:
        """Format the place of a key, with its line if known."""
        return place_of(self.origin, self.source.definition, *way)


def _with_value(source: Section, column: str | None) -> Section:
    """A source that also reads the column over whose values the metric is averaged."""
    columns = source.content.get("columns")
    if not column or source.content["kind"] not in TABLE_KINDS or not isinstance(columns, Mapping):
        return source
    if column in columns or VALUE in columns:
        return source
    return replace(source, content={**source.content, "columns": {**columns, VALUE: column}})
