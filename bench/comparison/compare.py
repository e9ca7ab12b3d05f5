"""The comparison of stored runs: a ranked table, and every pair with its tests and a verdict."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.gains import gains
from bench.comparison.limitations import limitations
from bench.comparison.pairs import Pair, judged_pairs
from bench.comparison.ranking import corrected_best, rank_interval
from bench.comparison.search import SearchReport, search_report
from bench.comparison.slices import Sliced, slice_by
from bench.comparison.suspects import Suspect, suspects
from bench.comparison.task_now import task_now
from bench.config import Validation
from bench.errors import ConfigError, nearest
from bench.results.board import Best
from bench.results.gains import Gain
from bench.results.periods import FoldScore, Trend
from bench.results.protocol import model_name, search_name, seeds_text
from bench.results.record import Period, Reference, TaskRecord
from bench.statistics.interval import Interval
from bench.support.records import LEFT_OUT


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """A run in a comparison.

    Parameters
    ----------
    name : str
        Its name, unlike the others'.
    model, search, key : str, str or None, str
        What it is.
    score, interval : float, Interval or None
        By the metric that is compared.
    scores : mapping of str to float
        By all metrics.
    ranks : tuple of two ints, or None
        The ranks that cannot be excluded; None where all are compared with a baseline.
    tied : bool
        Whether it is not distinguishable from the best, or practically equal to it, where each is compared with each.
    bought : SearchReport or None
        What its search gained; None where nothing was searched. Of several seeds, with the first one.
    seed_scores : tuple of float
        The score with each of several seeds, of which `score` is the mean; empty for one.
    by_period : tuple of FoldScore
        The score of each of the comparison's `periods`.
    trend : Trend or None
        How the score changes with distance from training within them, if that can be estimated.
    """

    name: str
    model: str
    search: str | None
    key: str
    score: float
    interval: Interval | None
    scores: Mapping[str, float]
    ranks: tuple[int, int] | None
    tied: bool
    bought: SearchReport | None
    seed_scores: Annotated[tuple[float, ...], LEFT_OUT] = ()
    by_period: Annotated[tuple[FoldScore, ...], LEFT_OUT] = ()
    trend: Annotated[Trend | None, LEFT_OUT] = None

    @property
    def seed_deviation(self) -> float | None:
        """The standard deviation of the scores over seeds, None for one seed."""
        return statistics.stdev(self.seed_scores) if self.seed_scores else None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs compared with each other, or with a baseline.

    Parameters
    ----------
    task : TaskRecord
        The task as it is now.
    metric : str
        What is compared.
    seed, validation, n_folds : int, Validation, int
        The protocol.
    baseline : str or None
        The run that all others are compared with; None where each is compared with each.
    rope : float
        Differences up to this one are practically none.
    rows : tuple of ComparedRow
        The runs, the best first.
    best : Best or None
        The best score corrected for having been picked.
    references : tuple of Reference
        Annotation passes.
    pairs : tuple of Pair
        The pairs that were tested.
    warnings : tuple of str
        Limitations of the data.
    suspects : tuple of Suspect
        Labels that are worth a second look.
    notes : tuple of str
        What was left out.
    slices : Sliced or None
        The same within the slices of a column, if one was named.
    seeds : tuple of int
        The seeds that all scores are averaged over, and tests are about; empty for one.
    gains : tuple of Gain
        What labels bought that were added since an earlier version of the task, by the task's own metric.
    periods : tuple of Period
        The dates of the outer folds, if these train on earlier and test on later examples.
    """

    task: TaskRecord
    metric: str
    seed: int
    validation: Validation
    baseline: str | None
    rope: float
    n_folds: int
    rows: tuple[ComparedRow, ...]
    best: Best | None
    references: tuple[Reference, ...]
    pairs: tuple[Pair, ...]
    warnings: tuple[str, ...]
    suspects: tuple[Suspect, ...]
    notes: tuple[str, ...]
    slices: Annotated[Sliced | None, LEFT_OUT] = None
    seeds: Annotated[tuple[int, ...], LEFT_OUT] = ()
    gains: Annotated[tuple[Gain, ...], LEFT_OUT] = ()
    periods: Annotated[tuple[Period, ...], LEFT_OUT] = ()

    @property
    def searched(self) -> bool:
        """Whether any of the runs searched its settings."""
        return any(row.bought is not None for row in self.rows)

    @property
    def seeds_text(self) -> str:
        """The seed, or seeds, as texts name them."""
        return seeds_text(self.seeds or (self.seed,))


def compare(runs: ComparedRuns, rope: float, baseline: str | None = None, by: str | None = None) -> Comparison:
    """Compare runs with each other, or with a baseline.

    Parameters
    ----------
    runs : ComparedRuns
        At least two.
    rope : float
        The region of practical equivalence: differences up to this one are practically none.
    baseline : str or None
        The run that all others are compared with; None compares each with each.
    by : str or None
        A column of the examples, in whose slices the runs are compared too.

    Raises
    ------
    bench.errors.UserError
        If there is no run of the baseline's name, or no such column.
    """
    place = None if baseline is None else _place(runs, baseline)
    pairs = judged_pairs(runs, rope, place)
    best = runs.runs[0].name
    tied = {pair.second for pair in pairs if pair.first == best and pair.verdict != "better"}
    task = task_now([run.record for run in runs.runs])
    first = runs.runs[0].folder
    named = None if place is None else runs.runs[place].name
    return Comparison(
        task=task,
        metric=runs.metric.name,
        seed=runs.runs[0].record.seed,
        validation=runs.runs[0].record.validation,
        baseline=named,
        rope=rope,
        n_folds=len(set(runs.folds.tolist())) // max(len(runs.seeds), 1),
        rows=tuple(_row(runs, run, pairs, baseline is None, run.name in tied) for run in runs.runs),
        best=corrected_best(runs),
        references=task.references,
        pairs=tuple(pairs),
        warnings=tuple(limitations(runs)),
        suspects=tuple(suspects(runs)),
        notes=tuple(runs.notes),
        slices=None if by is None else slice_by(runs, by, rope, named),
        seeds=runs.seeds,
        gains=gains(first.results, [run.stored for run in runs.runs]),
        periods=runs.runs[0].record.periods,
    )


def _row(runs: ComparedRuns, run: ComparedRun, pairs: Sequence[Pair], every_pair: bool, tied: bool) -> ComparedRow:
    return ComparedRow(
        name=run.name,
        model=model_name(run.record),
        search=search_name(run.record),
        key=run.folder.key,
        score=run.score,
        interval=run.summary.intervals.get(runs.metric.name),
        scores=run.summary.scores,
        ranks=rank_interval(run.name, pairs, len(runs.runs)) if every_pair else None,
        tied=every_pair and tied,
        bought=search_report(run.folder, run.record, run.folder.read_summary() if runs.seeds else run.summary),
        seed_scores=run.seed_scores,
        by_period=run.summary.by_period,
        trend=run.summary.trend,
    )


def _place(runs: ComparedRuns, baseline: str) -> int:
    names = [run.name for run in runs.runs]
    models = [run.record.model.name for run in runs.runs]
    for known in (names, models):
        if baseline in known:
            return known.index(baseline)
    raise ConfigError(f"baseline={baseline}: it is not among the compared runs.", nearest(baseline, names))
