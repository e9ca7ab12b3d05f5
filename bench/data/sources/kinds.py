"""Reading a task's source by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.data.files import MissingFileError
from bench.data.section import Section
from bench.data.sources.hub import from_hub
from bench.data.sources.sample import from_sample
from bench.data.sources.segments import from_segments
from bench.data.sources.standoff import from_standoff
from bench.data.sources.table import from_table

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet
    from bench.data.sources.further import Further
    from bench.data.sources.records import Records

KINDS = {
    "segments": from_segments,
    "table": from_table,
    "sample": from_sample,
    "hub": from_hub,
    "standoff": from_standoff,
}
"""The reader of each kind of source."""


def read_source(
    source: Mapping[str, Any],
    inputs: tuple[str, ...],
    labels: LabelSet,
    origin: Path,
    mirror: Path | None = None,
    definition: Mapping[str, Any] | None = None,
    further: Further | None = None,
) -> Records:
    """Read a task's examples.

    Parameters
    ----------
    source : mapping of str to object
        The ``source`` section of the task's file; its ``kind`` is one of `KINDS`.
    inputs : tuple of str
        The input columns.
    labels : LabelSet
        The task's labels.
    origin : pathlib.Path
        The task's file; the paths in `source` are relative to its folder.
    mirror : pathlib.Path, optional
        A folder to read published files from; see `bench.data.published`.
    definition : mapping of str to object, optional
        The content of the task's file, which knows its line numbers.
    further : Further, optional
        Receives another column.

    Raises
    ------
    bench.errors.ConfigError
        If the section is malformed.
    bench.errors.DataError
        If the data are invalid.
    """
    try:
        return KINDS[source["kind"]](Section(source, "source", origin, definition), inputs, labels, mirror, further)
    except MissingFileError as error:
        named = f"{origin} names it under source."
        raise MissingFileError(error.message, named if error.hint is None else f"{error.hint}\n{named}") from error
