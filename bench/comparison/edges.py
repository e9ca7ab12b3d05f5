"""Where the chosen value of a searched parameter is at an end of what was searched, and what would widen it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bench.models.space import Choice, Range
from bench.results.cell import CellRecord
from bench.results.record import RunRecord

EDGE = 0.05
"""The outermost part of a range that counts as its edge, at each end, on its logarithmic scale if it has one."""


BY_CHANCE = 0.05
"""An edge is noted where values drawn at random would be there in as many folds with at most this probability."""


End = Literal["bottom", "top"]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A parameter whose chosen value is at an end of what was searched in more folds than chance explains.

    Parameters
    ----------
    name : str
        Its dotted name.
    end : {"bottom", "top", "both"}
        Which end.
    value : float or None
        That end; None for both.
    folds, of : int
        In how many of how many folds.
    override : str or None
        The command-line word that widens the search; None where that would not help or no wider one can be guessed.
    sentence : str
        All this in words.
    """

    name: str
    end: Literal["bottom", "top", "both"]
    value: float | None
    folds: int
    of: int
    override: str | None
    sentence: str


def chosen_values(name: str, cells: Sequence[CellRecord]) -> tuple[Any, ...]:
    """The value of a parameter that the search of each cell chose."""
    return tuple(cell.params[name] for cell in cells if name in cell.params)


def edge_of(name: str, dimension: Choice | Range, cells: Sequence[CellRecord], record: RunRecord) -> Edge | None:
    """Say at which end of what was searched the chosen values are, None where chance explains it."""
    chosen = chosen_values(name, cells)
    of = len(chosen)
    counts = _counts_at_ends(dimension, chosen)
    noted = [end for end, (count, chance) in counts.items() if _at_least(count, of, chance) <= BY_CHANCE]
    if not noted:
        return None
    if len(noted) == 2:
        low, high = counts["bottom"][0], counts["top"][0]
        sentence = (
            f"{name} is at the bottom of what was searched in {low} and at the top in {high} of {of} "
            "folds: the data do not settle it"
        )
        return Edge(name=name, end="both", value=None, folds=low + high, of=of, override=None, sentence=sentence)
    (end,) = noted
    if isinstance(dimension, Range):
        value, what = _end_of_range(dimension, end), f"the {end} of its range"
    else:
        numbers = _numbers(dimension)
        value = numbers[0] if end == "bottom" else numbers[-1]
        what = f"the {'smallest' if end == 'bottom' else 'largest'} of its values"
    override, advice = None, ""
    wider = _wider(dimension, end)
    if wider is not None and not record.model.origin.startswith("entry point"):
        override = f"model.search.{name}={wider}"
        advice = f": widen it with {shlex.quote(override)}"
    folds = counts[end][0]
    sentence = f"{name} is at {what} ({value:g}) in {folds} of {of} folds{advice}"
    return Edge(name=name, end=end, value=value, folds=folds, of=of, override=override, sentence=sentence)


def _counts_at_ends(dimension: Choice | Range, chosen: tuple[Any, ...]) -> dict[End, tuple[int, float]]:
    """In how many folds the chosen value is at each end, and the probability of that in one fold by chance."""
    ends: tuple[End, End] = ("bottom", "top")
    if isinstance(dimension, Range):
        return {
            end: (sum(_at_edge(dimension, value, end) for value in chosen), _chance_of_edge(dimension, end))
            for end in ends
        }
    numbers = _numbers(dimension)
    if len(numbers) < 3:
        return {}
    return {
        end: (chosen.count(number), 1 / len(numbers))
        for end, number in zip(ends, (numbers[0], numbers[-1]), strict=True)
    }


def _at_least(count: int, n: int, chance: float) -> float:
    """The probability that a binomial count of `n` is `count` or more."""
    return math.fsum(math.comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(count, n + 1))


def place_on_scale(dimension: Range, value: float) -> float:
    """Where a value is in its range, from 0 to 1, on the range's scale."""
    low, high = dimension.low, _end_of_range(dimension, "top")
    if dimension.log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _end_of_range(dimension: Range, end: End) -> float:
    """The lowest or highest value that can be drawn; a step may keep the highest from the range's end."""
    if end == "bottom":
        return dimension.low
    if dimension.step is None:
        return dimension.high
    highest = dimension.low + dimension.step * math.floor((dimension.high - dimension.low) / dimension.step + 1e-9)
    return int(highest) if dimension.whole else highest


def _at_edge(dimension: Range, value: float, end: End) -> bool:
    place = place_on_scale(dimension, value)
    return (place if end == "bottom" else 1 - place) <= EDGE + 1e-9


def _chance_of_edge(dimension: Range, end: End) -> float:
    """The probability that a value drawn at random is at an edge, which whole numbers and steps raise."""
    low, high = dimension.low, _end_of_range(dimension, "top")
    if dimension.log:
        if not dimension.whole:
            return EDGE
        width = math.log((high + 0.5) / (low - 0.5))
        if end == "bottom":
            last = math.floor(low * (high / low) ** EDGE + 1e-9)
            return math.log((last + 0.5) / (low - 0.5)) / width
        first = math.ceil(high / (high / low) ** EDGE - 1e-9)
        return math.log((high + 0.5) / (first - 0.5)) / width
    step = dimension.step or (1 if dimension.whole else None)
    if step is None:
        return EDGE
    n_steps = round((high - low) / step)
    return (math.floor(EDGE * n_steps + 1e-9) + 1) / (n_steps + 1)


def _numbers(choice: Choice) -> list[float]:
    """The values in order where all are numbers, else none."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in choice.values):
        return []
    return sorted(set(choice.values))


def _wider(dimension: Choice | Range, end: End) -> str | None:
    """A wider range or list as the command line takes it, None where none can be guessed.

    A range grows tenfold on a logarithmic scale, else by its width; a list by one value that goes
    on in equal steps or equal ratios. Nothing positive becomes zero or negative, and what ends at 1 on
    a linear scale, as fractions do, or below 1, does not pass it.
    """
    if isinstance(dimension, Choice):
        numbers = _numbers(dimension)
        last, before = (numbers[0], numbers[1]) if end == "bottom" else (numbers[-1], numbers[-2])
        steps = np.diff(numbers)
        equal = bool(np.allclose(steps, steps[0])) or numbers[0] <= 0
        further = last + (last - before) if equal else last * last / before
        whole = all(isinstance(number, int) for number in numbers)
        new = _sensible(further, last, numbers[0], numbers[-1], whole, log=False)
        longer = [new, *numbers] if end == "bottom" else [*numbers, new]
        return None if new == last else f"[{','.join(map(repr, longer))}]"
    low, high = dimension.low, dimension.high
    last = low if end == "bottom" else high
    if dimension.log:
        further = low / 10 if end == "bottom" else high * 10
    else:
        further = low - (high - low) if end == "bottom" else high + (high - low)
    new = _sensible(further, last, low, high, dimension.whole, dimension.log)
    if new == last:
        return None
    grown = replace(dimension, low=new) if end == "bottom" else replace(dimension, high=new)
    rest = (",log:true" if grown.log else "") + (f",step:{grown.step!r}" if grown.step is not None else "")
    return f"{{low:{grown.low!r},high:{grown.high!r}{rest}}}"


def _sensible(further: float, last: float, low: float, high: float, whole: bool, log: bool) -> float:
    """A value beyond `last` that keeps the sign and the fractions of the numbers from `low` to `high`."""
    if low >= 0 and further <= 0:
        further = last / 2
    if not whole and low >= 0 and (high < 1 or (high == 1 and not log)):
        further = min(further, 1.0)
    return max(round(further), min(round(low), 1)) if whole else float(f"{further:.6g}")
