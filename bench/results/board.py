"""A leaderboard as a record, and how its parts are worded, the same wherever it is shown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from bench.config import Validation
from bench.metrics.registry import RankedTask, in_table_order, metric_names, metric_title
from bench.results.gains import Gain
from bench.results.protocol import seeds_text
from bench.results.record import Period, TaskRecord
from bench.statistics.interval import Interval
from bench.support.records import LEFT_OUT

POPULATION = "population"
"""Before a metric's name: the score reweighted to the population that a stratified sample was drawn from."""


@dataclass(frozen=True, kw_only=True)
class BoardRow:
    """A row of a leaderboard.

    Parameters
    ----------
    kind : str
        ``model``, ``published`` (by others), ``reference`` (an annotation pass), or the status of a run that is not
        finished.
    model : str
        The model, the system or the pass.
    label : str
        How tables name it, unlike the others.
    search, key : str or None
        The search and the key of a run that is stored.
    scores : mapping of str to float
        By metric; with `POPULATION` before the metric's name, reweighted.
    intervals : mapping of str to Interval
        By metric, if there is one.
    ranks : tuple of two ints, or None
        The best and the worst rank that cannot be excluded, if computed.
    notes : tuple of str
        What was out of the ordinary.
    seconds : float or None
        How long its cells took.
    seed_scores : tuple of float
        By the ranking metric, the score with each of several seeds, of which `scores` has the mean.
    further_keys : tuple of str
        The keys of the runs with further seeds.
    command : str
        The command that made it, if others have the same model and search.
    source : str
        Where it was published.
    """

    kind: str
    model: str
    label: str
    search: str | None = None
    key: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    ranks: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    seconds: float | None = None
    seed_scores: Annotated[tuple[float, ...], LEFT_OUT] = ()
    further_keys: Annotated[tuple[str, ...], LEFT_OUT] = ()
    command: Annotated[str, LEFT_OUT] = ""
    source: Annotated[str, LEFT_OUT] = ""

    @property
    def seed_deviation(self) -> float | None:
        """The standard deviation of the scores over seeds, None for one seed."""
        return statistics.stdev(self.seed_scores) if self.seed_scores else None


@dataclass(frozen=True)
class Best:
    """The best of several runs, and its score corrected for its having been picked.

    Parameters
    ----------
    name : str
        The run's name.
    of : int
        How many runs it is the best of.
    measured : float
        Its score as it is.
    score : float
        What it can be expected to score on other groups.
    low, high : float or None
        The interval of that score; None if groups are not informative.
    level : float
        The interval's nominal coverage.
    """

    name: str
    of: int
    measured: float
    score: float
    low: float | None
    high: float | None
    level: float


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """The runs of one table, ranked.

    Parameters
    ----------
    task : TaskRecord
        The task.
    metric : str
        What they are ranked by.
    validation, splits, seed : Validation, str, int
        The protocol.
    rows : tuple of BoardRow
        The best first, published results among them, then annotation passes and unfinished runs.
    left_out : tuple of str
        What cannot be read, a sentence each.
    best : Best or None
        The best model with its corrected score, if computed.
    seeds : tuple of int
        The seeds that scores are averaged over; empty for one.
    gains : tuple of Gain
        What labels bought that were added since an earlier version of the task.
    periods : tuple of Period
        The dates of the outer folds, if these train on earlier and test on later examples.
    """

    task: TaskRecord
    metric: str
    validation: Validation
    splits: str
    seed: int
    rows: tuple[BoardRow, ...]
    left_out: tuple[str, ...]
    best: Best | None = None
    seeds: Annotated[tuple[int, ...], LEFT_OUT] = ()
    gains: Annotated[tuple[Gain, ...], LEFT_OUT] = ()
    periods: Annotated[tuple[Period, ...], LEFT_OUT] = ()

    @property
    def seeds_text(self) -> str:
        """The seed, or seeds, as texts name them."""
        return seeds_text(self.seeds or (self.seed,))


def column_title(name: str, task: RankedTask) -> str:
    """How tables head a leaderboard's column of a metric, or of its score in the population."""
    return "in population" if name.startswith(f"{POPULATION}_") else metric_title(name, task)


def published_rows(task: TaskRecord, metric: str) -> list[BoardRow]:
    """The results that others published for a metric, as rows of a leaderboard; they were not run here.

    Parameters
    ----------
    task : TaskRecord
        The task; it lists published results only with the published split.
    metric : str
        The metric that the table is ranked by.

    Returns
    -------
    list of BoardRow
        In the order of the task's file, one for each system and source, with all its published ``scores``.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for figure in task.published:
        found.setdefault((figure.system, figure.source), {})[figure.metric] = figure.value
    return [
        BoardRow(
            kind="published",
            model=system,
            label=f"published: {system}",
            scores=scores,
            notes=(f"published, not run here: {source}",),
            source=source,
        )
        for (system, source), scores in found.items()
        if metric in scores
    ]


def best_sentence(best: Best | None) -> str:
    """Give the expected score of the best model, corrected for its selection; empty if that changes nothing.

    Examples
    --------
    >>> best_sentence(Best(name="a", of=3, measured=0.467, score=0.4491, low=0.122, high=0.776, level=0.95))
    'Choosing the best of 3 inflates its score. With this corrected, a has 0.449 [0.122, 0.776] rather than 0.467.'
    >>> best_sentence(Best(name="a", of=3, measured=1.0, score=1.0, low=0.9, high=1.0, level=0.95))
    ''
    """
    if best is None or f"{best.score:.3f}" == f"{best.measured:.3f}":
        return ""
    ends = "" if best.low is None or best.high is None else f" [{best.low:.3f}, {best.high:.3f}]"
    return (
        f"Choosing the best of {best.of} inflates its score. With this corrected, {best.name} has "
        f"{best.score:.3f}{ends} rather than {best.measured:.3f}."
    )


def published_sources(rows: Iterable[BoardRow]) -> str:
    """Give the sources of published results in a leaderboard; empty if there are none.

    Examples
    --------
    >>> published_sources([BoardRow(kind="published", model="BERT", label="published: BERT", source="Khouja 2020")])
    'BERT: Khouja 2020'
    """
    by_source: dict[str, list[str]] = {}
    for row in rows:
        if row.kind == "published":
            by_source.setdefault(row.source, []).append(row.model)
    return "; ".join(f"{', '.join(systems)}: {source}" for source, systems in by_source.items())


def commands(rows: Iterable[BoardRow]) -> list[str]:
    """Give the commands of rows with the same model and search.

    Examples
    --------
    >>> command = "bench run task=denial model.params.C=1"
    >>> commands([BoardRow(kind="model", model="logreg", label="logreg #3cfa", command=command)])
    ['logreg #3cfa: bench run task=denial model.params.C=1']
    """
    return [f"{row.label}: {row.command}" for row in rows if row.command]


def columns(metric: str, scores: Iterable[Iterable[str]]) -> list[str]:
    """The metrics of some rows' scores, the one that they are ranked by first."""
    present = {name for of_row in scores for name in of_row} | {metric}
    first = [name for name in (metric, f"{POPULATION}_{metric}") if name in present]
    return [*first, *(name for name in in_table_order(present & {*metric_names()}) if name != metric)]


RANKS = (
    "ranks: those that cannot be excluded, with 95 % confidence for all models together; models that share ranks may "
    "be in any order"
)
"""What a column of ranks says."""


def ranks_text(ranks: tuple[int, int] | None) -> str:
    """The ranks that a model may have; empty where they are not known.

    Examples
    --------
    >>> ranks_text((1, 3)), ranks_text((4, 4)), ranks_text(None)
    ('1-3', '4', '')
    """
    if ranks is None:
        return ""
    first, last = ranks
    return str(first) if first == last else f"{first}-{last}"


NO_INTERVAL = "no interval"
"""The text in tables for a score with too little data for an interval."""


def interval_text(interval: Interval | None) -> str:
    """An interval as ``[low, high]``."""
    return NO_INTERVAL if interval is None else f"[{interval.low:.3f}, {interval.high:.3f}]"
