"""Results that others published on a task, as its file lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import ConfigError
from bench.schema.dialect import place_of

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class PublishedFigure:
    """A published result on a task's own split, not reproduced here.

    Parameters
    ----------
    system : str
        What was scored.
    metric : str
        The metric's name, as in `bench.metrics.registry.METRICS`.
    value : float
        The score as a share, not in per cent.
    source : str
        Where it was published.
    """

    system: str
    metric: str
    value: float
    source: str


def read_figures(content: Mapping[str, object], origin: Path, labels: Sequence[str]) -> tuple[PublishedFigure, ...]:
    """Read the ``published`` list of a task's file; empty if it has none.

    Parameters
    ----------
    content : mapping
        The content of the file.
    origin : pathlib.Path
        The file, named in errors.
    labels : sequence of str
        The task's labels.

    Raises
    ------
    bench.errors.ConfigError
        If it is not a list of figures, a metric is unknown, a value is out of range, or a figure is repeated.
    """
    from bench.metrics.registry import find_metric
    from bench.schema.check import Place, check
    from bench.schema.task import Published

    given = check(Published, content, Place(origin)).published or ()
    seen: dict[tuple[str, str, str], int] = {}
    for number, figure in enumerate(given):
        where = f"{place_of(origin, content, 'published', number)}: published, item {number + 1}"
        low, high = find_metric(figure.metric, labels, where).bounds
        if not low <= figure.value <= high:
            raise ConfigError(
                f"{where}: the value of {figure.metric} must be a number from {low:g} to {high:g}, not {figure.value}.",
                "Write per cent as a share: 76.7 is 0.767.",
            )
        first = seen.setdefault((figure.system, figure.metric, figure.source), number)
        if first != number:
            raise ConfigError(f"{where}: {figure.metric} of '{figure.system}' is repeated, first in item {first + 1}.")
    return tuple(PublishedFigure(**figure.model_dump()) for figure in given)
