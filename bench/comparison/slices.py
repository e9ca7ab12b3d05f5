"""Scores, differences and verdicts within the slices of a column, such as outlets, years or lengths of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.pairs import Pair, judged_pairs
from bench.comparison.slice_values import check_number, values_of
from bench.comparison.verdict import LEVEL
from bench.results.withheld import too_few
from bench.statistics.interval import Interval, Thin, reach_of_difference, together
from bench.statistics.paired import FEWEST_GROUPS, NO_VARIATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.metric import Metric
    from bench.metrics.outcomes import Outcomes

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Elsewhere:
    """A run's score in a slice against its score on all other examples.

    Parameters
    ----------
    difference : float
        Score in the slice minus score elsewhere.
    interval : Interval or None
        Adjusted for the number of judged slices; None where the groups do not allow one.
    p_value : float or None
        Of no difference, adjusted too.
    verdict : {"better", "worse", "undecided"}
        How the run does in the slice, at 5 %.
    """

    difference: float
    interval: Interval | None
    p_value: float | None
    verdict: Literal["better", "worse", "undecided"]


@dataclass(frozen=True)
class SliceScore:
    """A run in a slice.

    Parameters
    ----------
    name : str
        The run.
    score : float
        Its score on the slice's examples.
    interval : Interval or None
        The intervals of all judged slices hold together; None if the run predicts a label in too few groups.
    elsewhere : Elsewhere or None
        Against the other examples; None where there are none.
    """

    name: str
    score: float
    interval: Interval | None
    elsewhere: Elsewhere | None


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The examples with one value of the column.

    Parameters
    ----------
    value : str
        The value, or the band of lengths.
    n_examples, n_groups : int
        How many there are.
    too_small : str
        Why it is not judged; empty where it is.
    scores : tuple of SliceScore
        The best first; empty if it is not judged.
    pairs : tuple of Pair
        The runs compared on its examples, adjusted for all judged slices; empty if it is not judged.
    """

    value: str
    n_examples: int
    n_groups: int
    too_small: str = ""
    scores: tuple[SliceScore, ...] = ()
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sliced:
    """The slices of a column.

    Parameters
    ----------
    column : str
        The column.
    judged : int
        How many slices are judged, which everything is adjusted for.
    slices : tuple of Slice
        In the order of their values.
    """

    column: str
    judged: int
    slices: tuple[Slice, ...]

    def worst(self, name: str, sign: float) -> tuple[Slice, SliceScore] | None:
        """The judged slice with a run's worst score, None without two judged slices; `sign` is the metric's."""
        found = [(each, score) for each in self.slices for score in each.scores if score.name == name]
        return min(found, key=lambda pair: sign * pair[1].score) if len(found) > 1 else None


@dataclass(frozen=True, eq=False)
class _Within(ComparedRuns):
    """Runs on the examples of a slice, with what fitting adds as in all of them.

    Parameters
    ----------
    whole : ComparedRuns
        The runs on all examples.
    """

    whole: ComparedRuns = field(kw_only=True)

    def training_factor(self) -> float:
        """That of all examples: the test part of a slice is smaller, so it is rather too large."""
        return self.whole.training_factor()

    def fold_scores(self, run: ComparedRun) -> Floats:
        """None: a slice may be absent from a fold."""
        return np.empty(0)


def slice_by(runs: ComparedRuns, column: str, rope: float, baseline: str | None) -> Sliced:
    """Compare runs within the slices of a column.

    Parameters
    ----------
    runs : ComparedRuns
        The runs.
    column : str
        A column of the task's examples or another one of its source, also with a period of dates, or `LENGTH`.
    rope : float
        The region of practical equivalence.
    baseline : str or None
        The name of the run that the others are compared with; None compares each with each.

    Raises
    ------
    bench.errors.UserError
        If the task's data are not here, they have no such column, or it has too many values.
    """
    names, values = values_of(runs, column)
    check_number(runs, column, names, values)
    parts = [_within(runs, np.flatnonzero(values == code)) for code in range(len(names))]
    reasons = [_too_small(part) for part in parts]
    judged = sum(not reason for reason in reasons)
    slices = []
    for code, (name, part, reason) in enumerate(zip(names, parts, reasons, strict=True)):
        empty = Slice(value=name, n_examples=part.n_scored, n_groups=len(part.group_names), too_small=reason)
        if reason:
            slices.append(empty)
            continue
        place = None if baseline is None else [run.name for run in part.runs].index(baseline)
        elsewhere = against_the_rest(runs, values == code, judged)
        with together(judged):
            found = [(run, replace(run, outcomes=replace(run.outcomes)).interval(part.metric)) for run in part.runs]
        scores = [
            SliceScore(run.name, run.score, each if isinstance(each, Interval) else None, elsewhere[run.name])
            for run, each in found
        ]
        pairs = judged_pairs(part, rope, place, judged) if len(part.runs) > 1 else []
        slices.append(replace(empty, scores=tuple(scores), pairs=tuple(pairs)))
    return Sliced(column=column, judged=judged, slices=tuple(slices))


def _within(runs: ComparedRuns, rows: Codes) -> _Within:
    metric = runs.metric
    found = [_part(runs, run, rows) for run in runs.runs]
    groups = np.unique(runs.groups[rows])
    return _Within(
        task=runs.task,
        metric=metric,
        runs=sorted(found, key=lambda run: (-metric.sign * run.score, run.name)),
        ids=runs.ids[rows],
        group_names=[runs.group_names[code] for code in groups.tolist()],
        notes=[],
        seeds=runs.seeds,
        whole=runs,
    )


def _part(runs: ComparedRuns, run: ComparedRun, rows: Codes) -> ComparedRun:
    """A run on some rows; over several seeds its score is the mean of theirs."""
    by_seed = tuple(outcomes.alone(own) for outcomes, own in zip(run.each_seed, runs.rows_of_seeds(rows), strict=True))
    scores = tuple(runs.metric.score(outcomes) for outcomes in by_seed)
    several = bool(runs.seeds)
    return replace(
        run,
        outcomes=run.outcomes.alone(rows),
        score=float(np.mean(scores)),
        by_seed=by_seed if several else (),
        seed_scores=scores if several else (),
    )


def _too_small(part: _Within) -> str:
    """Why a slice is not judged: with so few groups no score of a slice says anything of other groups."""
    if len(part.group_names) < FEWEST_GROUPS:
        return f"fewer than {FEWEST_GROUPS} groups"
    found = [part.metric.interval(run.outcomes) for run in part.runs]
    thin = [each for each in found if isinstance(each, Thin)]
    if len(thin) < len(found):
        return ""
    return too_few(thin[0], part.labels, part.runs[0].outcomes.value_names)


def against_the_rest(runs: ComparedRuns, inside: NDArray[np.bool_], judged: int) -> dict[str, Elsewhere | None]:
    """Hold each run's score in a slice against that on all other examples.

    Parameters
    ----------
    runs : ComparedRuns
        The runs.
    inside : ndarray of bool, shape (n_rows,)
        The rows of the slice.
    judged : int
        How many slices are judged, for which intervals and p-values are corrected.

    Returns
    -------
    dict of str to Elsewhere or None
        By the run's name; None if there is no other example.
    """
    if inside.all():
        return dict.fromkeys((run.name for run in runs.runs), None)
    rows = [np.flatnonzero(inside), np.flatnonzero(~inside)]
    sides = [_within(runs, side) for side in rows]
    fewest = min(len(side.group_names) for side in sides)
    found = dict[str, Elsewhere | None]()
    of_seeds = list(zip(*(runs.rows_of_seeds(side) for side in rows), strict=True))
    for run in runs.runs:
        of_sides = [next(each for each in side.runs if each.name == run.name) for side in sides]
        by_seed = [
            [outcomes.rows(side) for side in both] for outcomes, both in zip(run.each_seed, of_seeds, strict=True)
        ]
        reach = _reach(runs, of_sides, by_seed, judged) if fewest >= FEWEST_GROUPS else None
        difference = of_sides[0].score - of_sides[1].score
        found[run.name] = _elsewhere(difference, reach, fewest - 1, judged, runs.metric)
    return found


def _reach(
    runs: ComparedRuns, sides: Sequence[ComparedRun], by_seed: Sequence[Sequence[Outcomes]], judged: int
) -> tuple[float, float] | None:
    """How far the interval of a difference of scores reaches below and above it; None if a score has no interval.

    It is put together from the intervals of the two scores (Zou and Donner 2008), which are wide enough where a model
    is right about all examples of a small slice. A group may have examples on both sides, so they may be correlated.
    """
    with together(judged):
        found = [side.interval(runs.metric) for side in sides]
    known = [each for each in found if isinstance(each, Interval)]
    if len(known) < len(found):
        return None
    below = [side.score - each.low for side, each in zip(sides, known, strict=True)]
    above = [each.high - side.score for side, each in zip(sides, known, strict=True)]
    alike, factor = _correlation(runs, by_seed), runs.training_factor()
    low, high = ((below[0], above[1]), (above[0], below[1]))
    return factor * reach_of_difference(*low, alike), factor * reach_of_difference(*high, alike)


def _correlation(runs: ComparedRuns, by_seed: Sequence[Sequence[Outcomes]]) -> float:
    """The correlation of the scores of two sides over the groups, of which some may have examples in both."""
    one, other = by_seed[0]
    if not np.intersect1d(one.groups, other.groups).size:
        return 0.0
    moved = np.mean([_moved(runs, parts) for parts in by_seed], axis=0)
    moved = moved[:, np.isfinite(moved).all(axis=0)]
    moved -= moved.mean(axis=1, keepdims=True)
    spread = float(np.sqrt((moved[0] ** 2).sum() * (moved[1] ** 2).sum()))
    return float(moved[0] @ moved[1]) / spread if spread > NO_VARIATION else 0.0


def _moved(runs: ComparedRuns, parts: Sequence[Outcomes]) -> Floats:
    """The scores of two sides without each group, or in each draw of groups, of shape (2, n)."""
    without = [runs.metric.without_each(part) for part in parts]
    known = [each for each in without if each is not None]
    if len(known) < len(without):
        return np.stack([runs.metric.drawn(part, runs.bootstrap) for part in parts])
    # Groups after the last one of a side have no examples there, and change nothing by being left out.
    moved = np.array([np.full(len(runs.group_names), runs.metric.score(part)) for part in parts])
    for side, left_out in zip(moved, known, strict=True):
        side[: len(left_out)] = left_out
    return moved


def _elsewhere(difference: float, reach: tuple[float, float] | None, df: int, judged: int, metric: Metric) -> Elsewhere:
    from scipy.special import stdtr, stdtrit

    if reach is None:
        return Elsewhere(difference, None, None, "undecided")
    below, above = reach
    error = (below if difference > 0 else above) / float(stdtrit(df, 1.0 - LEVEL / 2.0 / judged))
    p_value = min(1.0, judged * 2.0 * float(stdtr(df, -abs(difference) / error))) if error > 0 else 1.0
    verdict: Literal["better", "worse", "undecided"] = "better" if metric.sign * difference > 0 else "worse"
    return Elsewhere(
        difference,
        Interval(difference - below, difference + above).within(metric.difference_bounds),
        p_value,
        verdict if p_value < LEVEL else "undecided",
    )
