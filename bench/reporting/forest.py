"""The forest plot of a comparison as data: the differences on which its verdicts rest, in panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bench.comparison.compare import Comparison
from bench.comparison.contrasts import Standing, to_the_baseline, to_the_best
from bench.metrics.registry import greater_is_better, metric_title
from bench.statistics.interval import Interval

WORDS = {"better": "better", "worse": "worse", "practically equal": "equal", "undecided": "undecided"}
"""How a picture names each verdict."""


class Drawn(Protocol):
    """A difference to draw, such as a `bench.comparison.contrasts.Contrast`."""

    @property
    def name(self) -> str:
        """What differs from the reference."""

    @property
    def difference(self) -> float:
        """By how much."""

    @property
    def interval(self) -> Interval | None:
        """Its interval."""

    @property
    def standing(self) -> Standing:
        """The verdict."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Differences of models from one reference.

    Parameters
    ----------
    title, axis : str
        What is drawn.
    reference : str
        The run at 0.
    rope : float
        The region of practical equivalence.
    rows : tuple of Drawn
        The differences, from the top, at least one.
    """

    title: str
    axis: str
    reference: str
    rope: float
    rows: tuple[Drawn, ...]


def forest_panels(comparison: Comparison) -> list[Panel]:
    """The panels of a comparison's forest plot: differences from the best model, and from the baseline.

    Parameters
    ----------
    comparison : Comparison
        The comparison.

    Returns
    -------
    list of Panel
        With a baseline that was named, its panel alone; without a majority baseline, that of the best model alone.
    """
    metric = metric_title(comparison.metric, comparison.task)
    side = "right" if greater_is_better(comparison.metric) else "left"
    axis = f"difference in {metric}; {side} of 0 is better"
    to_best, to_baseline = to_the_best(comparison), to_the_baseline(comparison)
    titled = (
        (to_best, lambda name: f"Difference from {name}, the best model"),
        (to_baseline, lambda name: f"Difference from {name}, the baseline"),
    )
    return [
        Panel(
            title=title(rows[0].reference),
            axis=axis,
            reference=rows[0].reference,
            rope=comparison.rope,
            rows=tuple(rows),
        )
        for rows, title in titled
        if rows
    ]


def difference_text(row: Drawn) -> str:
    """A difference with its interval, such as ``−0.034 [−0.078, +0.010]``."""
    return f"{signed(row.difference)} {signed_ends(row.interval)}".rstrip()


def signed_ends(interval: Interval | None) -> str:
    """The ends of a difference's interval, empty without one.

    Examples
    --------
    >>> signed_ends(Interval(-0.078, 0.0104))
    '[−0.078, +0.010]'
    """
    return "" if interval is None else f"[{signed(interval.low)}, {signed(interval.high)}]"


def signed(value: float) -> str:
    """A number with its sign.

    Examples
    --------
    >>> signed(0.0341), signed(-0.0341), signed(-0.0001)
    ('+0.034', '−0.034', '0.000')
    """
    text = f"{value:+.3f}".replace("-", "\u2212")
    return text[1:] if text[1:] == "0.000" else text
