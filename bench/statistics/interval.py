"""A confidence interval, and why a score may have none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

LEVEL = 0.95
"""The nominal coverage of every interval, or of several that hold together."""

_OF_ONE: ContextVar[float] = ContextVar("level", default=LEVEL)

FEWEST = 3.0
"""The fewest effective groups of each label. With fewer, scores that need the label have no interval."""


@contextmanager
def together(n: int) -> Iterator[None]:
    """Compute intervals so that so many hold together with `LEVEL`, by Bonferroni's bound.

    Examples
    --------
    >>> with together(5):
    ...     round(level_of_one(), 3)
    0.99
    """
    token = _OF_ONE.set(1.0 - (1.0 - LEVEL) / n)
    try:
        yield
    finally:
        _OF_ONE.reset(token)


def level_of_one() -> float:
    """The coverage of each interval that is computed now: `LEVEL`, or more within `together`."""
    return _OF_ONE.get()


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval.

    Parameters
    ----------
    low, high : float
        Its ends.
    level : float
        Its nominal coverage.
    """

    low: float
    high: float
    level: float = LEVEL

    def within(self, bounds: tuple[float, float]) -> Interval:
        """The part of the interval that is possible.

        Examples
        --------
        >>> Interval(-0.02, 1.07).within((-1.0, 1.0))
        Interval(low=-0.02, high=1.0, level=0.95)
        """
        least, greatest = bounds
        return Interval(max(self.low, least), min(self.high, greatest), self.level)

    def moved(self, by: float, bounds: tuple[float, float]) -> Interval:
        """The interval of another score, within the bounds of the metric."""
        return Interval(self.low + by, self.high + by, self.level).within(bounds)


def reach_of_difference(one: float, other: float, alike: float) -> float:
    """How far the interval of a difference reaches to one side, from those of the two scores (Zou and Donner 2008).

    Parameters
    ----------
    one, other : float
        How far the first score's interval reaches to that side, and the second's to the other.
    alike : float
        The correlation of the two scores.

    Examples
    --------
    >>> reach_of_difference(0.3, 0.4, 0.0), round(reach_of_difference(0.3, 0.4, 1.0), 3)
    (0.5, 0.1)
    """
    return math.sqrt(max(one**2 + other**2 - 2.0 * alike * one * other, 0.0))


@dataclass(frozen=True)
class Thin:
    """Why a score has no interval: too little data.

    Parameters
    ----------
    label : int or None
        The index of the label that is in the fewest groups; None if all labels together are in too few.
    groups : float
        In how many groups of equal size it is, in effect.
    predicted : bool
        Whether the model, not the data, has the label in so few groups.
    value : int or None
        The index of the value concerned, if a metric is averaged over values.
    """

    label: int | None
    groups: float
    predicted: bool = False
    value: int | None = None
