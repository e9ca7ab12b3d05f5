"""What the search of a stored run bought: budget, optimism, and edges."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from bench.metrics.registry import metric_of
from bench.models.space import Choice, Range
from bench.results.cell import CellRecord, Trial
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.results.summary import Summary
from bench.statistics.budget import deviation_of_best, expected_best

WITHIN = 0.01
"""How near the best inner score, in the metric's units, a shorter search counts as enough."""

EDGE = 0.05
"""The outermost part of a range that counts as its edge, at each end, on its logarithmic scale if it has one."""

BY_CHANCE = 0.05
"""An edge is noted where values drawn blindly would stand there in as many folds with at most this probability."""

End = Literal["bottom", "top"]


@dataclass(frozen=True)
class Stopped:
    """The trials that a search stopped before their last inner fold, in all folds: their number, and a sentence."""

    trials: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class SearchedFold:
    """The search of an outer fold.

    Parameters
    ----------
    fold, trials, failed : int
        The fold, its trials, and those that failed.
    inner, outer : float
        The inner score of the chosen setting, and the score on the fold's test part.
    """

    fold: int
    trials: int
    failed: int
    inner: float
    outer: float


@dataclass(frozen=True, kw_only=True)
class SearchCurve:
    """What more trials bring, as means over folds: place n - 1 is about n trials, up to the fewest of any fold.

    Parameters
    ----------
    expected : tuple of float
        `bench.statistics.budget.expected_best`.
    deviation : tuple of float
        The standard deviation of that mean over repeated draws.
    reached : tuple of (float or None)
        The best score of the first n trials as they ran; None while some fold has no score.
    """

    expected: tuple[float, ...]
    deviation: tuple[float, ...]
    reached: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class SearchedParameter:
    """A searched parameter.

    Parameters
    ----------
    name : str
        Its dotted name.
    chosen : tuple of object
        The chosen value of each fold.
    favourite, agreement : object, float or None
        Of a list of values: the most frequent of the chosen ones, and its share.
    spread : float or None
        Of a range: the part of it that the chosen values span, on its scale.
    """

    name: str
    chosen: tuple[Any, ...]
    favourite: Any = None
    agreement: float | None = None
    spread: float | None = None


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A parameter whose chosen value stands at an end of what was searched in more folds than chance explains.

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


@dataclass(frozen=True, kw_only=True)
class SearchReport:
    """What the search of a run bought.

    Parameters
    ----------
    model, key, metric, title : str
        Which run, and the metric's name and title.
    minimise : bool
        Whether less is better.
    trials, failed : int
        The most trials in a fold, and the failed ones of all folds.
    stopped : Stopped or None
        The trials that were stopped early.
    folds : tuple of SearchedFold
        The outer folds that were searched.
    curve : SearchCurve
        What more trials bring.
    enough, within : int or None, float
        The fewest trials after which the best score was at most ``within`` from its end.
    inner, outer, gap : float, float, float or None
        The mean inner score of the chosen settings, the score of the pooled out-of-fold predictions, and by how much
        the first looks better: positive for optimism, whether more or less is better. ``gap`` is None where some fold
        was not searched.
    parameters : tuple of SearchedParameter
        What was searched.
    edges : tuple of Edge
        Where a wider search may help.
    """

    model: str
    key: str
    metric: str
    title: str
    minimise: bool
    trials: int
    failed: int
    stopped: Stopped | None
    folds: tuple[SearchedFold, ...]
    curve: SearchCurve
    enough: int | None
    within: float
    inner: float
    outer: float
    gap: float | None
    parameters: tuple[SearchedParameter, ...]
    edges: tuple[Edge, ...]


def search_report(folder: RunFolder, record: RunRecord, summary: Summary) -> SearchReport | None:
    """Say what the search of a finished run bought; None where nothing was searched.

    Parameters
    ----------
    folder : RunFolder
        The run.
    record, summary : RunRecord, Summary
        What is stored of it.

    Raises
    ------
    bench.errors.UserError
        If a stored cell cannot be read.
    """
    cells = [folder.read_result(fold) for fold in folder.folds()]
    searched = [(cell, cell.inner_score) for cell in cells if cell.inner_score is not None]
    if not searched:
        return None
    cells = [cell for cell, _ in searched]
    metric = metric_of(record.task)
    minimise = not metric.greater_is_better
    sign = -1.0 if minimise else 1.0
    scores = [[trial.score for trial in cell.trials] for cell in cells]
    failed = [sum(trial.failed for trial in cell.trials) for cell in cells]
    inner, outer = _mean([score for _, score in searched]), summary.scores[metric.name]
    curve = _curve(scores, minimise)
    dimensions = searched_dimensions(record)
    return SearchReport(
        model=record.model.name,
        key=folder.key,
        metric=metric.name,
        title=metric.title,
        minimise=minimise,
        trials=max(map(len, scores)),
        failed=sum(failed),
        stopped=_stopped([trial for cell in cells for trial in cell.trials]),
        folds=tuple(
            SearchedFold(
                fold=int(cell.fold),
                trials=len(cell.trials),
                failed=failures,
                inner=score,
                outer=cell.scores[metric.name],
            )
            for (cell, score), failures in zip(searched, failed, strict=True)
        ),
        curve=curve,
        enough=_enough(curve.reached, sign),
        within=WITHIN,
        inner=inner,
        outer=outer,
        gap=sign * (inner - outer) if len(cells) == len(summary.folds) else None,
        parameters=tuple(_parameter(name, dimension, cells) for name, dimension in dimensions.items()),
        edges=tuple(
            edge
            for name, dimension in dimensions.items()
            if (edge := _edge(name, dimension, cells, record)) is not None
        ),
    )


def searched_dimensions(record: RunRecord) -> dict[str, Choice | Range]:
    """What was searched, but for parameters with one possible value."""
    return {
        name: dimension
        for name, dimension in record.model.search.items()
        if len({json.dumps(end) for end in dimension.ends()}) > 1
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _stopped(trials: Sequence[Trial]) -> Stopped | None:
    counts = Counter(trial.stopped for trial in trials if trial.stopped is not None)
    if not counts:
        return None
    when = ", ".join(f"{count} {stopped}" for stopped, count in sorted(counts.items()))
    return Stopped(counts.total(), f"of {len(trials)} settings the search stopped {when}")


def _curve(scores: list[list[float | None]], minimise: bool) -> SearchCurve:
    n = min(map(len, scores))
    expected = np.array([expected_best(fold, minimise)[:n] for fold in scores])
    deviation = np.array([deviation_of_best(fold, minimise)[:n] for fold in scores])
    best = np.minimum if minimise else np.maximum
    worst = math.inf if minimise else -math.inf
    reached = np.array([best.accumulate([worst if s is None else s for s in fold])[:n] for fold in scores])
    means = reached.mean(axis=0).tolist()
    return SearchCurve(
        expected=tuple(expected.mean(axis=0).tolist()),
        deviation=tuple((np.sqrt((deviation**2).sum(axis=0)) / len(scores)).tolist()),
        reached=tuple(mean if math.isfinite(mean) else None for mean in means),
    )


def _enough(reached: Sequence[float | None], sign: float) -> int | None:
    """The fewest trials after which the search stood within `WITHIN` of where it ended."""
    end = reached[-1]
    if end is None:
        return None
    return next(
        n for n, score in enumerate(reached, start=1) if score is not None and sign * (end - score) <= WITHIN + 1e-12
    )


def _parameter(name: str, dimension: Choice | Range, cells: Sequence[CellRecord]) -> SearchedParameter:
    chosen = _chosen(name, cells)
    if not chosen:
        return SearchedParameter(name=name, chosen=())
    if isinstance(dimension, Range):
        places = [_place(dimension, value) for value in chosen]
        return SearchedParameter(name=name, chosen=chosen, spread=max(places) - min(places))
    ((favourite, count),) = Counter(map(json.dumps, chosen)).most_common(1)
    return SearchedParameter(name=name, chosen=chosen, favourite=json.loads(favourite), agreement=count / len(chosen))


def _chosen(name: str, cells: Sequence[CellRecord]) -> tuple[Any, ...]:
    return tuple(cell.params[name] for cell in cells if name in cell.params)


def _edge(name: str, dimension: Choice | Range, cells: Sequence[CellRecord], record: RunRecord) -> Edge | None:
    chosen = _chosen(name, cells)
    of = len(chosen)
    counts = _counts_at_ends(dimension, chosen)
    noted = [end for end, (count, chance) in counts.items() if _at_least(count, of, chance) <= BY_CHANCE]
    if not noted:
        return None
    if len(noted) == 2:
        low, high = counts["bottom"][0], counts["top"][0]
        sentence = (
            f"{name} stands at the bottom of what was searched in {low} and at the top in {high} of {of} "
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
    sentence = f"{name} stands at {what} ({value:g}) in {folds} of {of} folds{advice}"
    return Edge(name=name, end=end, value=value, folds=folds, of=of, override=override, sentence=sentence)


def _counts_at_ends(dimension: Choice | Range, chosen: tuple[Any, ...]) -> dict[End, tuple[int, float]]:
    """In how many folds the chosen value stands at each end, and the probability of that in one fold by chance."""
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


def _place(dimension: Range, value: float) -> float:
    """Where a value stands in its range, from 0 to 1, on the range's scale."""
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
    place = _place(dimension, value)
    return (place if end == "bottom" else 1 - place) <= EDGE + 1e-9


def _chance_of_edge(dimension: Range, end: End) -> float:
    """The probability that a value drawn blindly stands at an edge, which whole numbers and steps raise."""
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
