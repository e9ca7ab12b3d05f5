"""Reading a task's source by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.data.files import MissingFileError
from bench.data.section import Section
from bench.data.sources.hub import from_hub
from bench.data.sources.sample import from_sample
from bench.data.sources.segments import from_segments
from bench.data.sources.standoff import from_standoff
from bench.data.sources.table import from_table
from bench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet
    from bench.data.sources.records import Records

KINDS = {
    "segments": from_segments,
    "table": from_table,
    "sample": from_sample,
    "hub": from_hub,
    "standoff": from_standoff,
}
"""What reads each kind of source."""


def read_source(
    source: object, inputs: tuple[str, ...], labels: LabelSet, origin: Path, mirror: Path | None = None
) -> Records:
    """Read a task's examples.

    Parameters
    ----------
    source : object
        The ``source`` section of the task's file; its ``kind`` is one of `KINDS`.
    inputs : tuple of str
        The input columns.
    labels : LabelSet
        The task's labels.
    origin : pathlib.Path
        The task's file; the paths in `source` are relative to its folder.
    mirror : pathlib.Path, optional
        A folder to take published files from; see `bench.data.published`.

    Raises
    ------
    bench.errors.ConfigError
        If the section is malformed.
    bench.errors.DataError
        If the data break their contract.
    """
    if not isinstance(source, Mapping):
        raise ConfigError(f"{origin}: 'source' must be a mapping, not {source!r}.", f"Its kinds: {', '.join(KINDS)}.")
    kind = source.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigError(f"{origin}: source.kind is {kind!r}.", nearest(str(kind), KINDS))
    try:
        return KINDS[kind](Section(source, "source", origin), inputs, labels, mirror)
    except MissingFileError as error:
        named = f"{origin} names it under source."
        raise MissingFileError(error.message, named if error.hint is None else f"{error.hint}\n{named}") from error
