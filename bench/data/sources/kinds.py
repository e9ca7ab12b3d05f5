"""Reading a task's source by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.data.files import MissingFileError
from bench.data.sources.hub import from_hub
from bench.data.sources.sample import from_sample
from bench.data.sources.segments import from_segments
from bench.data.sources.standoff import from_standoff
from bench.data.sources.table import from_table

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet
    from bench.data.section import Section
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
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    mirror: Path | None = None,
    further: Further | None = None,
) -> Records:
    """Read a task's examples.

    Parameters
    ----------
    source : Section
        The ``source`` section of the task's file; its ``kind`` is one of `KINDS`.
    inputs : tuple of str
        The input columns.
    labels : LabelSet
        The task's labels.
    mirror : pathlib.Path, optional
        A folder to read published files from; see `bench.data.published`.
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
        return KINDS[source.text("kind")](source, inputs, labels, mirror, further)
    except MissingFileError as error:
        named = f"{source.origin} names it under source."
        raise MissingFileError(error.message, named if error.hint is None else f"{error.hint}\n{named}") from error
