"""Results that others published on a task, as its file lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("system", "metric", "value", "source")


@dataclass(frozen=True)
class PublishedFigure:
    """A result that was published on a task's own split, and not run here.

    Parameters
    ----------
    system : str
        What was scored.
    metric : str
        The metric's name, as in `bench.metrics.registry.METRICS`.
    value : float
        The score, a share rather than per cent.
    source : str
        Where it was published.
    """

    system: str
    metric: str
    value: float
    source: str


def read_figures(definition: Mapping[str, Any], origin: Path, labels: Sequence[str]) -> tuple[PublishedFigure, ...]:
    """Read the ``published`` list of a task's file; empty where it has none.

    Parameters
    ----------
    definition : mapping
        The content of the file.
    origin : pathlib.Path
        The file, named in errors.
    labels : sequence of str
        The task's labels.

    Raises
    ------
    bench.errors.ConfigError
        If it is no list of figures, or one of them lacks a key, has an unknown one or a value that cannot be.
    """
    given = [] if definition.get("published") is None else definition["published"]
    if not isinstance(given, list | tuple):
        raise ConfigError(f"{origin}: 'published' must be a list of figures, not {given!r}.", _FORM)
    where = f"{origin}: published, figure"
    figures = tuple(_figure(entry, f"{where} {number}", labels) for number, entry in enumerate(given, 1))
    seen: dict[tuple[str, str, str], int] = {}
    for number, figure in enumerate(figures, 1):
        first = seen.setdefault((figure.system, figure.metric, figure.source), number)
        if first != number:
            raise ConfigError(
                f"{origin}: published, figure {number}: {figure.metric} of '{figure.system}' stands twice, first as "
                f"figure {first}."
            )
    return figures


_FORM = "One figure is {system: BERT, metric: macro_f1, value: 0.767, source: Khouja 2020}."


def _figure(entry: object, where: str, labels: Sequence[str]) -> PublishedFigure:
    from bench.metrics.registry import find_metric

    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where} must be a mapping, not {entry!r}.", _FORM)
    for key in entry:
        if key not in KEYS:
            raise ConfigError(f"{where}: unknown key '{key}'.", nearest(str(key), KEYS))
    for key in KEYS:
        if entry.get(key) is None:
            raise ConfigError(f"{where}: '{key}' is missing.", _FORM)
    for key in ("system", "source"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise ConfigError(f"{where}: '{key}' must be text, not {entry[key]!r}.", "Quote it.")
    metric, value = find_metric(entry["metric"], labels, where), entry["value"]
    low, high = metric.bounds
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(
            f"{where}: the value of {metric.name} must be a number from {low:g} to {high:g}, not {value!r}.",
            "Write per cent as a share: 76.7 is 0.767.",
        )
    return PublishedFigure(entry["system"], metric.name, float(value), entry["source"])
