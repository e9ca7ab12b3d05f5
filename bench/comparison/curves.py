"""What learning curves say, from the stored cells alone: scores of their parts, and whether more labels would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.comparison.compared import both_without_each
from bench.metrics.metric import Metric
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import metric_of
from bench.metrics.scoring import Scored, scored
from bench.results.curves import AXES, Axis, CurveNote, CurvePoint, CurveRecord, CurveSummary, CurveVerdict, PartRecord
from bench.results.store import RunFolder
from bench.statistics.bootstrap import GroupBootstrap
from bench.statistics.paired import FEWEST_GROUPS, Difference, group_difference
from bench.statistics.training import training_factor, training_weight
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    import pandas as pd

REGION = 0.02
"""A step that changes the score by less than this is flat."""

SAME_SIZE = 1.25
"""Two parts whose numbers of examples differ by no more than this factor count as equally large."""


def summarise_curve(folder: RunFolder, record: CurveRecord) -> CurveSummary:
    """Sum up the stored cells of a learning curve.

    Parameters
    ----------
    folder : RunFolder
        The curve's folder; all its cells are stored, though some may have failed.
    record : CurveRecord
        What it is a curve of.
    """
    import pandas as pd

    task = record.task
    metric = metric_of(task)
    points: dict[str, CurvePoint] = {}
    predictions: dict[str, pd.DataFrame] = {}
    noted: dict[str, dict[str, int]] = {}
    for part in record.parts:
        stored = RunFolder(folder.path / part.name)
        cells = [stored.read_cell(fold) for fold in range(record.folds)]
        failed = sum(cell.status == "failed" for cell in cells)
        known = Scored({}, {})
        if not failed:
            pooled = pd.concat([cell.predictions for cell in cells], keys=range(len(cells)), names=["part", None])
            pooled = pooled.reset_index("part").reset_index(drop=True)
            known = scored(_outcomes(pooled, task.labels), metric)
            predictions[part.name] = pooled
        for cell in cells:
            for note in cell.notes:
                folds = noted.setdefault(note, {})
                folds[part.name] = folds.get(part.name, 0) + 1
        points[part.name] = CurvePoint(**vars(part), failed=failed, scores=known.scores, intervals=known.intervals)
    axes = {axis: tuple(point for point in points.values() if point.axis in (axis, None)) for axis in AXES}
    axes = {axis: along for axis, along in axes.items() if len(along) > 1}
    n_groups = next((frame["group"].nunique() for frame in predictions.values()), task.n_groups)
    seed = derive_seed(record.seed, task.name, "curve")
    verdicts, worth = judge_curve(axes, predictions, task.labels, metric, n_groups, seed)
    return CurveSummary(
        metric=metric.name,
        n_groups=int(n_groups),
        axes=axes,
        verdicts=verdicts,
        worth=worth,
        notes=tuple(CurveNote(note, folds) for note, folds in noted.items()),
    )


def judge_curve(
    axes: Mapping[Axis, Sequence[PartRecord]],
    predictions: Mapping[str, pd.DataFrame],
    labels: tuple[str, ...],
    metric: Metric,
    n_groups: int,
    seed: int,
) -> tuple[dict[Axis, CurveVerdict], CurveVerdict | None]:
    """Give the verdicts of a curve by axis, and what new groups are worth, None where there is one axis.

    Parameters
    ----------
    axes : mapping of axis to sequence of PartRecord
        The parts from small to all.
    predictions : mapping of str to pandas.DataFrame
        By a part's name, its predictions for the same examples in the same order; without those of failed parts.
    labels : tuple of str
        The task's labels.
    metric : Metric
        The metric of the scores.
    n_groups : int
        Groups of the scored examples.
    seed : int
        Seed of the bootstraps.
    """
    halves = {axis: half for axis, along in axes.items() if (half := _half(along)) is not None}
    compared = {"all", *(half.name for half in halves.values())} & predictions.keys()
    outcomes = {name: _outcomes(predictions[name], labels) for name in compared}

    def difference(one: str, other: str) -> Difference | None:
        if one not in predictions or other not in predictions:
            return None
        n_train = next(iter(axes.values()))[-1].n_examples
        once = predictions[one].drop_duplicates("id")
        fewest = once["label"].value_counts().reindex(labels, fill_value=0).min() * n_train / len(once)
        inflation = training_factor(len(once), n_train, training_weight(fewest))
        return _difference(outcomes[one], outcomes[other], metric, inflation, derive_seed(seed, one, other))

    verdicts = {
        axis: curve_verdict(axis, half.part, difference("all", half.name), metric, n_groups)
        for axis, half in halves.items()
    }
    weighed = None
    if len(halves) == 2:
        spread, bundled = halves["examples"], halves["groups"]
        counts = (spread.n_examples, bundled.n_examples)
        weighed = worth_of_groups(counts, difference(spread.name, bundled.name), metric, n_groups)
    return verdicts, weighed


def curve_verdict(axis: Axis, part: str, difference: Difference | None, metric: Metric, n_groups: int) -> CurveVerdict:
    """Say whether a curve still rises.

    The step is the score with all less the score with about half, over the same test examples, with the 95 %
    interval of a paired bootstrap by group. The bootstrap takes the fitted models as given; its standard error is
    multiplied as in a comparison, because other training parts would give other models
    (`bench.statistics.training.training_factor`).

    Where the whole interval is an improvement the curve is ``rising``, where it is a loss, ``falling``, where it
    lies within `REGION` of no change, ``flat``, else ``undecided``; with fewer than five groups always so.

    Parameters
    ----------
    axis : {"groups", "examples"}
        What grows.
    part : str
        The smaller part, such as ``1/2``.
    difference : Difference or None
        All less part; None where a fold failed.
    metric : Metric
        The metric of the scores.
    n_groups : int
        Groups of the task.
    """
    kind = _kind(difference, metric, n_groups)
    if difference is None:
        return CurveVerdict(kind=kind, text="not known: a fold failed", difference=None, part=part)
    more = "groups" if axis == "groups" else "examples of the same groups"
    step = f"{_signed(difference)} from {'half' if part == '1/2' else part} of the {axis} to all"
    text = {
        "rising": f"still rising: {step}; more {more} should help",
        "falling": f"falling: {step}; more {more} made it worse",
        "flat": f"flat: {step}; more {more} would help little",
        "undecided": f"undecided with {n_groups} groups: {step}",
    }[kind]
    return CurveVerdict(kind=kind, text=text, difference=difference, part=part)


def worth_of_groups(
    counts: tuple[float, float], difference: Difference | None, metric: Metric, n_groups: int
) -> CurveVerdict:
    """Say whether new groups or more examples of the same groups are worth more.

    About half of the examples of all groups is compared with all examples of about half of the groups: the same
    number of labels, spread or bundled. The rule is that of `curve_verdict`.

    Parameters
    ----------
    counts : tuple of two floats
        The training examples of the spread and of the bundled part.
    difference : Difference or None
        Spread less bundled; None where a fold failed.
    metric : Metric
        The metric of the scores.
    n_groups : int
        Groups of the task.
    """
    low, high = sorted(counts)
    if high > SAME_SIZE * low:
        text = "new groups or more examples of the same: not known, since no two parts have about as many examples"
        return CurveVerdict(kind="undecided", text=text, difference=None)
    kind = {"rising": "groups", "falling": "examples", "flat": "equal"}.get(
        _kind(difference, metric, n_groups), "undecided"
    )
    size = f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
    step = "" if difference is None else f": {_signed(difference)} with {size} examples of all groups than of a part"
    text = {
        "groups": f"new groups are worth more than more examples of the same{step}",
        "examples": f"more examples of the same groups are worth more than new groups{step}",
        "equal": f"new groups and more examples of the same are worth about as much{step}",
        "undecided": f"new groups or more examples of the same: undecided with {n_groups} groups{step}",
    }[kind]
    return CurveVerdict(kind=kind, text=text, difference=difference)


def _kind(difference: Difference | None, metric: Metric, n_groups: int) -> str:
    if difference is None or difference.interval is None or n_groups < FEWEST_GROUPS:
        return "undecided"
    low, high = sorted((metric.sign * difference.interval.low, metric.sign * difference.interval.high))
    if low > 0:
        return "rising"
    if high < 0:
        return "falling"
    return "flat" if low >= -REGION and high <= REGION else "undecided"


def _signed(difference: Difference) -> str:
    interval = difference.interval
    ends = "" if interval is None else f" [{interval.low:+.3f}, {interval.high:+.3f}]"
    return f"{difference.difference:+.3f}{ends}"


def _half(along: Sequence[PartRecord]) -> PartRecord | None:
    """The part of an axis nearest to half of it, by what was kept rather than by what was asked for."""
    *parts, whole = along

    def share(part: PartRecord) -> float:
        if parts[0].axis == "groups":
            return part.n_groups / whole.n_groups
        return part.n_examples / whole.n_examples

    near = [part for part in parts if 0.3 <= share(part) <= 0.7]
    return min(near, key=lambda part: abs(share(part) - 0.5), default=None)


def _outcomes(predictions: pd.DataFrame, labels: tuple[str, ...]) -> Outcomes:
    return Outcomes.of(predictions, labels, predictions["part"].to_numpy(dtype=np.intp))


def _difference(one: Outcomes, other: Outcomes, metric: Metric, inflation: float, seed: int) -> Difference:
    """Test the difference of two models' outcomes for the same examples in the same order."""
    bootstrap = GroupBootstrap(one.n_groups, seed)
    scores = [metric.score(each) for each in (one, other)]
    drawn = [metric.drawn(each, bootstrap) for each in (one, other)]
    return group_difference(
        scores,
        drawn,
        one.n_groups,
        inflation,
        left_out=both_without_each(metric, [one], [other]),
        bounds=metric.difference_bounds,
    )
