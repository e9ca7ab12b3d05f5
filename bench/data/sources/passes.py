"""The annotation passes that a source names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.data.annotations import AnnotatedUnits, gold_labels, read_adjudications, read_pass
from bench.errors import ConfigError

if TYPE_CHECKING:
    from bench.data.section import Section


def read_passes(source: Section, units: AnnotatedUnits) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Read a source's ``annotations``, and its ``adjudications`` if it has them.

    Parameters
    ----------
    source : Section
        The section of the task's file.
    units : AnnotatedUnits
        The units to label.

    Returns
    -------
    gold : dict of str to str
        The label of each unit that the passes decide.
    passes : list of dict of str to str
        The label of each unit in each pass.

    Raises
    ------
    bench.errors.UserError
        If there is no pass, or one is invalid.
    """
    passes = [read_pass(source.path(path), units) for path in source.texts("annotations")]
    if not passes:
        raise ConfigError(f"{source.where('annotations')} lists no pass.")
    named = source.content.get("adjudications") is not None
    adjudications = source.path(source.text("adjudications")) if named else None
    decisions = read_adjudications(adjudications, units) if adjudications else {}
    return gold_labels(passes, decisions, adjudications, units.noun), passes
