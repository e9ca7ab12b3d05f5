"""The out-of-fold predictions of several runs, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bench.comparison.compared import ComparedRun, ComparedRuns, interval_around, with_own_folds
from bench.comparison.selection import Selected, what_is_wrong
from bench.errors import BenchError
from bench.metrics.metric import Metric
from bench.metrics.outcomes import VALUE, Outcomes
from bench.metrics.registry import metric_of
from bench.models.space import Range
from bench.results.cell import CellRecord
from bench.results.periods import DAYS, period_scores, trend_of
from bench.results.record import RunRecord
from bench.results.store import RunFolder, StoredRun
from bench.results.summary import Summary
from bench.statistics.bootstrap import group_indices
from bench.statistics.interval import Interval

ROUNDING = 1e-9
"""A stored score that is further from that of the stored predictions was changed."""


def read_side_by_side(selected: Selected, metric: str | None = None) -> ComparedRuns:
    """Read the predictions of runs that compare.

    Parameters
    ----------
    selected : Selected
        The runs.
    metric : str or None
        What is to be compared; None is the task's own metric.

    Raises
    ------
    bench.errors.BenchError
        If a stored file was changed or cannot be read, or the predictions are not for the same examples.
    """
    task = selected.runs[0][1].task
    asked = metric_of(task, metric)
    notes, runs = list(selected.notes), list[ComparedRun]()
    first: pd.DataFrame | None = None
    damaged: BenchError | None = None
    further = selected.further or [[] for _ in selected.runs]
    seeds = tuple(record.seed for _, record in [selected.runs[0], *further[0]]) if selected.further else ()
    for name, (folder, record), others in zip(selected.names(), selected.runs, further, strict=True):
        try:
            summary, frame, outcomes, *by_seed = _read_seeds([(folder, record), *others], asked)
        except BenchError as error:
            damaged = damaged or error
            if selected.named:
                raise
            notes.append(f"{name} is left out: {what_is_wrong(folder, error)}")
            continue
        if asked.needs_probabilities and outcomes.probabilities is None:
            notes.append(f"{name} is left out: it has no probabilities, which {asked.name} needs")
            continue
        if first is None:
            first = frame
        elif not frame[["id", "label", "fold"]].equals(first[["id", "label", "fold"]]):
            raise BenchError(
                f"{folder.path}: its predictions are for other examples than those of {runs[0].folder.path}.",
                "A stored file was changed. Delete the folder and run the same command again.",
            )
        if record.periods:
            summary = _by_period(summary, record, frame, outcomes, asked)
        seed_scores = tuple(asked.score(each) for each in by_seed)
        runs.append(
            ComparedRun(
                name,
                folder,
                record,
                summary,
                outcomes,
                score=summary.scores[asked.name],
                by_seed=tuple(by_seed),
                seed_scores=seed_scores,
                further=tuple(others),
            )
        )
    if first is None:
        if damaged is not None:
            raise damaged
        raise BenchError(
            f"No stored run of {task.name} has the metric {asked.name}.",
            f"Run a model that gives probabilities: bench run task={task.name} task.metric={asked.name}",
        )
    runs.sort(key=lambda run: (-asked.sign * run.score, run.name))
    names, _ = group_indices(first["group"].to_numpy(dtype=object))
    ids = first["id"].to_numpy(dtype=object)
    return ComparedRuns(
        task=task,
        metric=asked,
        runs=runs,
        ids=ids,
        group_names=names,
        notes=notes,
        seeds=seeds,
    )


def _read_seeds(
    seeds: Sequence[StoredRun], asked: Metric
) -> tuple[Summary, pd.DataFrame, Outcomes, *tuple[Outcomes, ...]]:
    """A run's summary and predictions with all seeds together, then the predictions with each of several seeds."""
    read = []
    for folder, record in seeds:
        summary, frame, outcomes = _read(folder, record, asked)
        known = asked.needs_probabilities and outcomes.probabilities is None
        read.append(
            (
                summary if known or asked.name in summary.scores else scored_by(asked, summary, outcomes),
                frame,
                outcomes,
            )
        )
    if len(read) == 1:
        return read[0]
    summaries, frames, parts = zip(*read, strict=True)
    tested = [sorted(zip(frame["id"], frame["label"], frame["group"], strict=True)) for frame in frames]
    for (folder, _), each in zip(seeds, tested, strict=True):
        if each != tested[0]:
            raise BenchError(
                f"{folder.path}: its predictions are for other examples than those of {seeds[0][0].path}.",
                "A stored file was changed. Delete the folder and run the same command again.",
            )
    frame = with_own_folds(frames)
    outcomes = Outcomes.of(frame, seeds[0][1].task.labels, frame["fold"].to_numpy(dtype=np.intp))
    return _over_seeds(summaries, outcomes, asked), frame, outcomes, *parts


def _over_seeds(summaries: Sequence[Summary], outcomes: Outcomes, metric: Metric) -> Summary:
    """The first seed's summary with the mean scores, and the intervals of all predictions moved to these."""
    named = [name for name in summaries[0].scores if all(name in each.scores for each in summaries)]
    scores = {name: float(np.mean([each.scores[name] for each in summaries])) for name in named}
    intervals = {}
    if metric.name in scores and outcomes.n_groups > 1:
        found = interval_around(scores[metric.name], metric, outcomes)
        if isinstance(found, Interval):
            intervals[metric.name] = found
    return replace(
        summaries[0],
        scores=scores,
        intervals=intervals,
        folds=tuple(fold for each in summaries for fold in each.folds),
        notes=tuple(dict.fromkeys(note for each in summaries for note in each.notes)),
    )


def _by_period(summary: Summary, record: RunRecord, frame: pd.DataFrame, outcomes: Outcomes, metric: Metric) -> Summary:
    """A summary with the scores by period, and their trend, of the metric and seeds that are compared."""
    n = len(record.periods)
    trend = None
    if DAYS in frame:
        trend = trend_of(outcomes, frame[DAYS].to_numpy(dtype=np.float64), metric, record.task.labels, n)
    return replace(summary, by_period=period_scores(outcomes, metric, record.task.labels, n), trend=trend)


def scored_by(metric: Metric, summary: Summary, outcomes: Outcomes) -> Summary:
    """A summary with the scores and the interval of a metric that the run was not scored by."""
    folds = [metric.score(outcomes.rows(np.flatnonzero(outcomes.parts == part))) for part in np.unique(outcomes.parts)]
    interval = metric.interval(outcomes) if outcomes.n_groups > 1 else None
    known = {metric.name: interval} if isinstance(interval, Interval) else {}
    return replace(
        summary,
        scores={**summary.scores, metric.name: metric.score(outcomes)},
        intervals={**summary.intervals, **known},
        folds=tuple({**fold, metric.name: score} for fold, score in zip(summary.folds, folds, strict=True)),
    )


def _read(folder: RunFolder, record: RunRecord, asked: Metric) -> tuple[Summary, pd.DataFrame, Outcomes]:
    """A run's summary and all its predictions, once its files are seen to fit together."""
    summary, folds, task = folder.read_summary(), folder.folds(), record.task
    cells = [folder.read_result(fold) for fold in folds]
    for fold in folds:
        folder.read_explanations(fold)
    frames = [folder.read_predictions(fold) for fold in folds]
    width = len(task.labels)
    sound = (
        len(folds) == len(summary.folds) > 0
        and all(fold.get(name) is not None for fold in summary.folds for name in summary.scores)
        and {*summary.per_class} == {*summary.class_intervals} == {*task.labels}
        and len(summary.confusion) == width
        and {len(row) for row in summary.confusion} in ({width}, {width + 1})
        and all(_could_be_drawn(cell, record) for cell in cells)
    )
    if not sound:
        raise _damaged(folder, "they do not match each other")
    try:
        frame = pd.concat([frame.assign(fold=n) for n, frame in zip(folds, frames, strict=True)], ignore_index=True)
        outcomes = Outcomes.of(frame, task.labels, frame["fold"].to_numpy(dtype=np.intp))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder, f"{type(error).__name__}: {error}") from error
    if task.averaged_over and (outcomes.values is None or frame[VALUE].isna().any()):
        raise _damaged(folder, "they do not match each other")
    if asked.name in summary.scores and not math.isclose(
        summary.scores[asked.name], asked.score(outcomes), rel_tol=ROUNDING, abs_tol=ROUNDING
    ):
        raise _damaged(folder, f"its {asked.name} is not that of its predictions")
    return summary, frame, outcomes


def _could_be_drawn(cell: CellRecord, record: RunRecord) -> bool:
    """Whether the numbers that a cell tried are of the ranges that were searched."""
    settings = [cell.params, *(trial.params for trial in cell.trials)]
    return all(
        type(setting[name]) in (int, float) and _within(setting[name], dimension)
        for name, dimension in record.model.search.items()
        if isinstance(dimension, Range)
        for setting in settings
        if name in setting
    )


def _within(value: float, dimension: Range) -> bool:
    # Rounding may put a value that was drawn on a logarithmic scale just beyond an end.
    low, high = dimension.low, dimension.high
    return low <= value <= high or math.isclose(value, low) or math.isclose(value, high)


def _damaged(folder: RunFolder, reason: str) -> BenchError:
    return BenchError(
        f"{folder.path}: its files were changed after they were stored: {reason}.",
        f"Delete {folder.path} and run the same command again.",
    )
