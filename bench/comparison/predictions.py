"""The out-of-fold predictions of several runs, side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.comparison.selection import Selected, what_is_wrong
from bench.errors import BenchError
from bench.metrics.metric import Metric
from bench.metrics.outcomes import VALUE, Outcomes
from bench.metrics.registry import metric_of
from bench.models.space import Range
from bench.results.cell import CellRecord
from bench.results.extent import split_sizes
from bench.results.periods import DAYS, period_scores, trend_of
from bench.results.record import RunRecord, TaskRecord
from bench.results.store import RunFolder
from bench.results.summary import Summary
from bench.statistics.bootstrap import GroupBootstrap, group_indices
from bench.statistics.interval import Interval, Thin
from bench.statistics.training import training_factor, training_weight
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

ROUNDING = 1e-9
"""A stored score that is further from that of the stored predictions was changed."""

MOST_LEFT_OUT = 2_000
"""With more groups than these the jackknife is left out: it hardly differs from the bootstrap there."""


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """One run among those that are compared.

    Parameters
    ----------
    name : str
        Its name, unlike the others'.
    folder : RunFolder
        Where it is stored.
    record, summary : RunRecord, Summary
        What is stored of it.
    outcomes : Outcomes
        All its predictions, each outer fold a test part.
    score : float
        By the metric that is compared; over several seeds the mean of `seed_scores`.
    by_seed : tuple of Outcomes
        The predictions with each of several seeds, which `outcomes` has all together; empty for one seed.
    seed_scores : tuple of float
        The score with each of several seeds.
    """

    name: str
    folder: RunFolder
    record: RunRecord
    summary: Summary
    outcomes: Outcomes
    score: float
    by_seed: tuple[Outcomes, ...] = ()
    seed_scores: tuple[float, ...] = ()

    @property
    def each_seed(self) -> tuple[Outcomes, ...]:
        """The predictions with each seed."""
        return self.by_seed or (self.outcomes,)

    def interval(self, metric: Metric) -> Interval | Thin:
        """The interval of the score: over several seeds that of all predictions, moved to the mean."""
        found = metric.interval(self.outcomes)
        if not self.by_seed or isinstance(found, Thin):
            return found
        return found.moved(self.score - metric.score(self.outcomes), metric.bounds)

    @property
    def predicted(self) -> Codes:
        """Predicted label indices, of shape (n_rows,); `UNANSWERED` where there is no answer."""
        return self.outcomes.predicted

    @property
    def probabilities(self) -> Floats | None:
        """Predicted probabilities, of shape (n_rows, n_labels), where the model gives them."""
        return self.outcomes.probabilities


@dataclass(frozen=True, eq=False)
class ComparedRuns:
    """Runs with predictions for the same examples in the same outer folds.

    A row is one prediction: there are as many as examples, times the repeats of the outer folds.

    Parameters
    ----------
    task : TaskRecord
        The task.
    metric : Metric
        What is compared.
    runs : list of ComparedRun
        The best first.
    ids : ndarray of object, shape (n_rows,)
        The examples' ids.
    group_names : list of str
        The groups.
    repeats : int
        How often each example was predicted.
    notes : list of str
        What was left out.
    seeds : tuple of int
        The seeds that scores are averaged over; empty for one.
    """

    task: TaskRecord
    metric: Metric
    runs: list[ComparedRun]
    ids: NDArray[np.object_]
    group_names: list[str]
    repeats: int
    notes: list[str]
    seeds: tuple[int, ...] = ()

    @property
    def groups(self) -> Codes:
        """Each row's group as an index into `group_names`, of shape (n_rows,)."""
        return self.runs[0].outcomes.groups

    @property
    def folds(self) -> Codes:
        """Each row's outer fold, of shape (n_rows,)."""
        return self.runs[0].outcomes.parts

    @property
    def true(self) -> Codes:
        """Each row's label as an index into `labels`, of shape (n_rows,)."""
        return self.runs[0].outcomes.true

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels."""
        return self.task.labels

    @cached_property
    def bootstrap(self) -> GroupBootstrap:
        """The draws that all runs are scored on."""
        return GroupBootstrap(len(self.group_names), derive_seed(0, self.task.digest, "comparison"))

    def rows_of_seeds(self, rows: Codes) -> list[Codes]:
        """Some rows as those of the predictions with each seed."""
        n_seeds = max(len(self.seeds), 1)
        n = len(self.ids) // n_seeds
        return [rows[rows // n == seed] - seed * n for seed in range(n_seeds)]

    def first_seed(self) -> ComparedRuns:
        """The same runs with the predictions of the first seed alone."""
        if not self.seeds:
            return self
        runs = [
            replace(
                run,
                outcomes=run.by_seed[0],
                summary=run.folder.read_summary(),
                score=run.seed_scores[0],
                by_seed=(),
                seed_scores=(),
            )
            for run in self.runs
        ]
        n_seeds = len(self.seeds)
        ids = self.ids[: len(self.ids) // n_seeds]
        return replace(self, runs=runs, ids=ids, repeats=self.repeats // n_seeds, seeds=())

    def drawn_scores(self, run: ComparedRun) -> tuple[float, Floats]:
        """The run's pooled score, and that of each bootstrap draw of groups."""
        if run.name not in self._drawn:
            self._drawn[run.name] = _mean(run, lambda outcomes: self.metric.drawn(outcomes, self.bootstrap))
        return run.score, self._drawn[run.name]

    @cached_property
    def _drawn(self) -> dict[str, Floats]:
        """The drawn scores that were asked for already, by the run's name."""
        return {}

    def unseen_scores(self, run: ComparedRun) -> Floats:
        """The run's score of each draw on the groups that the draw left out, NaN where it left out none."""
        return _mean(run, lambda outcomes: self.metric.drawn(outcomes, self.bootstrap.complement()))

    def left_out_scores(self, run: ComparedRun) -> Floats | None:
        """The run's pooled score without each group, None where it takes too long."""
        return None if len(self.group_names) > MOST_LEFT_OUT else self.without_each(run)

    def without_each(self, run: ComparedRun) -> Floats | None:
        """The run's pooled score without each group, None if the metric has none, in any number of groups."""
        found = [self.metric.without_each(outcomes) for outcomes in run.each_seed]
        known = [each for each in found if each is not None]
        return np.mean(known, axis=0) if len(known) == len(found) else None

    def fold_scores(self, run: ComparedRun) -> Floats:
        """The run's score in each outer fold, of shape (n_folds,)."""
        return np.array([fold[self.metric.name] for fold in run.summary.folds])

    @cached_property
    def n_scored(self) -> int:
        """How many examples are scored."""
        return len(self.ids) // self.repeats

    def n_trained(self) -> float:
        """How many examples train a fold's model, on average.

        Periods train on unlike numbers: theirs is the one with which the examples that are tested for each that trains
        are as many.
        """
        if periods := self.runs[0].record.periods:
            tested = sum(period.n_test for period in periods)
            return tested / sum(period.n_test / period.n_train for period in periods)
        if sizes := split_sizes(self.task):
            return float(np.mean([size.train for size in sizes]))
        return float(self.task.n_examples - np.bincount(self.folds).mean())

    def test_share(self) -> float:
        """The share of a fold's examples that are in its test part, on average."""
        tested = float(np.bincount(self.folds).mean())
        return tested / (tested + self.n_trained())

    def training_factor(self) -> float:
        """What a standard error that takes the fitted models as given is multiplied by."""
        counts = np.bincount(self.true, minlength=len(self.labels)) / self.repeats
        fewest = float(counts.min()) * self.n_trained() / self.n_scored
        return training_factor(self.n_scored, self.n_trained(), training_weight(fewest))


def _mean(run: ComparedRun, scores: Callable[[Outcomes], Floats]) -> Floats:
    """The mean over seeds of scores of the run's predictions."""
    return np.asarray(np.mean([scores(outcomes) for outcomes in run.each_seed], axis=0))


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
                name, folder, record, summary, outcomes, summary.scores[asked.name], tuple(by_seed), seed_scores
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
        repeats=round(len(ids) / len(set(ids.tolist()))),
        notes=notes,
        seeds=seeds,
    )


def _read_seeds(
    seeds: Sequence[tuple[RunFolder, RunRecord]], asked: Metric
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
    # A fold of one seed is none of another's.
    starts = np.cumsum([0, *(int(frame["fold"].max()) + 1 for frame in frames)])
    frame = pd.concat(
        [frame.assign(fold=frame["fold"] + start) for frame, start in zip(frames, starts, strict=False)],
        ignore_index=True,
    )
    outcomes = Outcomes.of(frame, seeds[0][1].task.labels, frame["fold"].to_numpy(dtype=np.intp))
    return _over_seeds(summaries, outcomes, asked), frame, outcomes, *parts


def _over_seeds(summaries: Sequence[Summary], outcomes: Outcomes, metric: Metric) -> Summary:
    """The first seed's summary with the mean scores, and the intervals of all predictions moved to these."""
    named = [name for name in summaries[0].scores if all(name in each.scores for each in summaries)]
    scores = {name: float(np.mean([each.scores[name] for each in summaries])) for name in named}
    intervals = {}
    if metric.name in scores and outcomes.n_groups > 1:
        found = metric.interval(outcomes)
        if isinstance(found, Interval):
            intervals[metric.name] = found.moved(scores[metric.name] - metric.score(outcomes), metric.bounds)
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
    return replace(summary, by_period=period_scores(outcomes, metric, n), trend=trend)


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
