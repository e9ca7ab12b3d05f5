"""Runs of one task side by side: their predictions on the same examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.metric import Metric
from bench.metrics.outcomes import Outcomes
from bench.results.extent import split_sizes
from bench.results.record import RunRecord, TaskRecord
from bench.results.store import RunFolder, StoredRun
from bench.results.summary import Summary
from bench.statistics.bootstrap import GroupBootstrap
from bench.statistics.interval import Interval, Thin
from bench.statistics.training import training_factor, training_weight
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


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
    further : tuple of StoredRun
        The stored runs with further seeds.
    """

    name: str
    folder: RunFolder
    record: RunRecord
    summary: Summary
    outcomes: Outcomes
    score: float
    by_seed: tuple[Outcomes, ...] = ()
    seed_scores: tuple[float, ...] = ()
    further: tuple[StoredRun, ...] = ()

    @property
    def stored(self) -> tuple[StoredRun, ...]:
        """The stored runs, one for each seed."""
        return (self.folder, self.record), *self.further

    @property
    def each_seed(self) -> tuple[Outcomes, ...]:
        """The predictions with each seed."""
        return self.by_seed or (self.outcomes,)

    def interval(self, metric: Metric) -> Interval | Thin:
        """The interval of the score: over several seeds that of all predictions, moved to the mean."""
        return interval_around(self.score, metric, self.outcomes) if self.by_seed else metric.interval(self.outcomes)

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

    @cached_property
    def largest_steps(self) -> dict[str, Floats]:
        """How much one example can move each run's score, by the run's name; see `Metric.largest_steps`."""
        return {run.name: self.metric.largest_steps(run.outcomes) for run in self.runs}

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
                further=(),
            )
            for run in self.runs
        ]
        n_seeds = len(self.seeds)
        ids = self.ids[: len(self.ids) // n_seeds]
        return replace(self, runs=runs, ids=ids, seeds=())

    def drawn_scores(self, run: ComparedRun) -> tuple[float, Floats]:
        """The run's pooled score, and that of each bootstrap draw of groups."""
        if run.name not in self._drawn:
            self._drawn[run.name] = mean_over_seeds(run.each_seed, lambda each: self.metric.drawn(each, self.bootstrap))
        return run.score, self._drawn[run.name]

    @cached_property
    def _drawn(self) -> dict[str, Floats]:
        """The drawn scores that were asked for already, by the run's name."""
        return {}

    def unseen_scores(self, run: ComparedRun) -> Floats:
        """The run's score of each draw on the groups that the draw left out, NaN where it left out none."""
        return mean_over_seeds(run.each_seed, lambda each: self.metric.drawn(each, self.bootstrap.complement()))

    def left_out_scores(self, run: ComparedRun) -> Floats | None:
        """The run's pooled score without each group, None where it takes too long."""
        return None if len(self.group_names) > MOST_LEFT_OUT else self.without_each(run)

    def without_each(self, run: ComparedRun) -> Floats | None:
        """The run's pooled score without each group, None if the metric has none, in any number of groups."""
        return without_each(self.metric, run.each_seed)

    def fold_scores(self, run: ComparedRun) -> Floats:
        """The run's score in each outer fold, of shape (n_folds,)."""
        return np.array([fold[self.metric.name] for fold in run.summary.folds])

    @cached_property
    def once(self) -> Codes:
        """The first row of each example, of shape (n_scored,)."""
        return np.unique(self.ids.astype(str), return_index=True)[1]

    @property
    def n_scored(self) -> int:
        """How many examples are scored."""
        return len(self.once)

    @property
    def repeats(self) -> float:
        """How often an example was predicted, on average."""
        return len(self.ids) / self.n_scored

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
        counts = np.bincount(self.true[self.once], minlength=len(self.labels))
        fewest = float(counts.min()) * self.n_trained() / self.n_scored
        return training_factor(self.n_scored, self.n_trained(), training_weight(fewest))


def mean_over_seeds(by_seed: Sequence[Outcomes], scores: Callable[[Outcomes], Floats]) -> Floats:
    """The mean over seeds of scores of the predictions with each."""
    return np.asarray(np.mean([scores(outcomes) for outcomes in by_seed], axis=0))


def without_each(metric: Metric, by_seed: Sequence[Outcomes]) -> Floats | None:
    """The mean score over seeds without each group, None if the metric has none."""
    found = [metric.without_each(outcomes) for outcomes in by_seed]
    known = [each for each in found if each is not None]
    return np.mean(known, axis=0) if len(known) == len(found) else None


def both_without_each(metric: Metric, one: Sequence[Outcomes], other: Sequence[Outcomes]) -> list[Floats] | None:
    """The mean scores of two models without each group; None in too many groups, or if the metric has none."""
    if one[0].n_groups > MOST_LEFT_OUT:
        return None
    found = [without_each(metric, by_seed) for by_seed in (one, other)]
    known = [each for each in found if each is not None]
    return known if len(known) == 2 else None


def with_own_folds(by_seed: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The predictions with several seeds together, where a fold of one seed is none of another's."""
    import pandas as pd

    starts = np.cumsum([0, *(int(frame["fold"].max()) + 1 for frame in by_seed)])
    moved = [frame.assign(fold=frame["fold"] + start) for frame, start in zip(by_seed, starts, strict=False)]
    return pd.concat(moved, ignore_index=True)


def interval_around(score: float, metric: Metric, together: Outcomes) -> Interval | Thin:
    """The interval of a mean score over seeds: that of the predictions with all of them together, moved to it."""
    found = metric.interval(together)
    return found if isinstance(found, Thin) else found.moved(score - metric.score(together), metric.bounds)
