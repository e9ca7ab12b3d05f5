"""What the search of a stored run gained: budget, optimism, and edges."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.comparison.edges import Edge, chosen_values, edge_of, place_on_scale
from bench.metrics.registry import metric_of
from bench.models.space import Choice, Range
from bench.results.cell import CellRecord, Trial
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.results.summary import Summary
from bench.statistics.budget import deviation_of_best, expected_best

WITHIN = 0.01
"""How near the best inner score, in the metric's units, a shorter search counts as enough."""


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
class SearchReport:
    """What the search of a run gained.

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
    """Say what the search of a finished run gained; None where nothing was searched.

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
            if (edge := edge_of(name, dimension, cells, record)) is not None
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
    """The fewest trials after which the search was within `WITHIN` of its final score."""
    end = reached[-1]
    if end is None:
        return None
    return next(
        n for n, score in enumerate(reached, start=1) if score is not None and sign * (end - score) <= WITHIN + 1e-12
    )


def _parameter(name: str, dimension: Choice | Range, cells: Sequence[CellRecord]) -> SearchedParameter:
    chosen = chosen_values(name, cells)
    if not chosen:
        return SearchedParameter(name=name, chosen=())
    if isinstance(dimension, Range):
        places = [place_on_scale(dimension, value) for value in chosen]
        return SearchedParameter(name=name, chosen=chosen, spread=max(places) - min(places))
    ((favourite, count),) = Counter(map(json.dumps, chosen)).most_common(1)
    return SearchedParameter(name=name, chosen=chosen, favourite=json.loads(favourite), agreement=count / len(chosen))
