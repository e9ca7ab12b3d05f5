"""Results that others published on a task, as its file lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, nearest
from bench.schema.dialect import place_of

if TYPE_CHECKING:
    from pathlib import Path

RANGES = {"mcc": (-1.0, 1.0), "brier": (0.0, 2.0), "log_loss": (0.0, float("inf"))}
"""Where a metric's values lie; those of the others from 0 to 1."""


@dataclass(frozen=True)
class PublishedFigure:
    """A result that was published on a task's own split, and not run here.

    Parameters
    ----------
    system : str
        What was scored.
    metric : str
        The metric's name, as in `bench.evaluation.metrics.METRICS`.
    value : float
        The score, a share rather than per cent.
    source : str
        Where it was published.
    """

    system: str
    metric: str
    value: float
    source: str


def read_figures(definition: Mapping[str, Any], origin: Path) -> tuple[PublishedFigure, ...]:
    """Read the ``published`` list of a task's file; empty where it has none.

    Raises
    ------
    bench.errors.ConfigError
        If it is no list of figures, a metric is unknown, a value cannot be, or a figure stands twice.
    """
    from bench.evaluation.metrics import METRICS
    from bench.schema.check import Place, check
    from bench.schema.task import Published

    given = check(Published, definition, Place(origin)).published or ()
    seen: dict[tuple[str, str, str], int] = {}
    for number, figure in enumerate(given):
        where = f"{place_of(origin, definition, 'published', number)}: published, item {number + 1}"
        if figure.metric not in METRICS:
            raise ConfigError(f"{where}: unknown metric '{figure.metric}'.", nearest(figure.metric, METRICS))
        low, high = RANGES.get(figure.metric, (0.0, 1.0))
        if not low <= figure.value <= high:
            raise ConfigError(
                f"{where}: the value of {figure.metric} must be a number from {low:g} to {high:g}, not {figure.value}.",
                "Write per cent as a share: 76.7 is 0.767.",
            )
        first = seen.setdefault((figure.system, figure.metric, figure.source), number)
        if first != number:
            raise ConfigError(f"{where}: {figure.metric} of '{figure.system}' stands twice, first as item {first + 1}.")
    return tuple(PublishedFigure(**figure.model_dump()) for figure in given)
