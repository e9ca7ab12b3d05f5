"""What learning curves say, from the stored cells alone: scores of their parts, and whether more labels would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.metrics.metric import Metric
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import metric_of
from bench.metrics.scoring import scores_with_intervals
from bench.planning.curve_parts import AXES, Axis
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


def summarise_curve(folder: RunFolder, record: Mapping[str, Any]) -> dict[str, Any]:
    """Sum up the stored cells of a learning curve.

    Parameters
    ----------
    folder : RunFolder
        The curve's folder; all its cells are stored, though some may have failed.
    record : mapping
        The curve's ``run.json``.

    Returns
    -------
    dict
        Plain data: ``metric``, ``n_groups`` (of the scored examples), ``axes``, ``verdicts``, ``worth`` and ``notes``.
        ``axes`` has for ``groups`` and ``examples`` the parts from small to all, each with ``name``, ``part``
        (such as ``1/2``), ``fraction``, ``n_groups`` and ``n_examples`` of the training part (means over folds),
        ``scores`` and ``intervals`` by metric (empty where a fold failed), and ``failed`` (folds).
        ``verdicts`` has for each axis what `curve_verdict` returns, and ``worth`` what `worth_of_groups` returns.
    """
    import pandas as pd

    task = record["task"]
    labels, seed = tuple(task["labels"]), record["seed"]
    metric = metric_of(task)
    points: dict[str, dict[str, Any]] = {}
    predictions: dict[str, pd.DataFrame] = {}
    noted: dict[str, dict[str, int]] = {}
    for part in record["parts"]:
        stored = RunFolder(folder.path / part["name"])
        cells = [stored.read_cell(fold) for fold in range(record["folds"])]
        failed = sum(cell.status == "failed" for cell in cells)
        point = {**part, "failed": failed, "scores": {}, "intervals": {}}
        if not failed:
            pooled = pd.concat([cell.predictions for cell in cells], keys=range(len(cells)), names=["part", None])
            pooled = pooled.reset_index("part").reset_index(drop=True)
            point |= scores_with_intervals(_outcomes(pooled, labels), metric)
            predictions[part["name"]] = pooled
        for cell in cells:
            for note in cell.notes:
                folds = noted.setdefault(note, {})
                folds[part["name"]] = folds.get(part["name"], 0) + 1
        points[part["name"]] = point
    axes = {axis: [point for point in points.values() if point["axis"] in (axis, None)] for axis in AXES}
    axes = {axis: along for axis, along in axes.items() if len(along) > 1}
    n_groups = next((frame["group"].nunique() for frame in predictions.values()), task["n_groups"])
    judged = judge_curve(axes, predictions, labels, metric, n_groups, derive_seed(seed, task["name"], "curve"))
    notes = [{"note": note, "folds": folds} for note, folds in noted.items()]
    return {"metric": metric.name, "n_groups": n_groups, "axes": axes, "notes": notes, **judged}


def judge_curve(
    axes: Mapping[Axis, list[dict[str, Any]]],
    predictions: Mapping[str, pd.DataFrame],
    labels: tuple[str, ...],
    metric: Metric,
    n_groups: int,
    seed: int,
) -> dict[str, Any]:
    """Give the verdicts of a curve: ``verdicts`` by axis, and ``worth``, None where there is one axis.

    Parameters
    ----------
    axes : mapping of axis to list of dict
        The parts from small to all, each with ``name``, ``axis``, ``part``, ``n_groups`` and ``n_examples``.
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
    compared = {"all", *(half["name"] for half in halves.values())} & predictions.keys()
    outcomes = {name: _outcomes(predictions[name], labels) for name in compared}

    def difference(one: str, other: str) -> Difference | None:
        if one not in predictions or other not in predictions:
            return None
        n_train = next(iter(axes.values()))[-1]["n_examples"]
        once = predictions[one].drop_duplicates("id")
        fewest = once["label"].value_counts().reindex(labels, fill_value=0).min() * n_train / len(once)
        inflation = training_factor(len(once), n_train, training_weight(fewest))
        return _difference(outcomes[one], outcomes[other], metric, inflation, derive_seed(seed, one, other))

    verdicts = {
        axis: curve_verdict(axis, half["part"], difference("all", half["name"]), metric, n_groups)
        for axis, half in halves.items()
    }
    weighed = None
    if len(halves) == 2:
        spread, bundled = halves["examples"], halves["groups"]
        counts = (spread["n_examples"], bundled["n_examples"])
        weighed = worth_of_groups(counts, difference(spread["name"], bundled["name"]), metric, n_groups)
    return {"verdicts": verdicts, "worth": weighed}


def curve_verdict(axis: str, part: str, difference: Difference | None, metric: Metric, n_groups: int) -> dict[str, Any]:
    """Say whether a curve still rises.

    The step is the score with all less the score with about half, over the same test examples, with the 95 %
    interval of a paired bootstrap by group. The bootstrap takes the fitted models as given; for the luck of the
    training parts its standard error is multiplied as that of a comparison is
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

    Returns
    -------
    dict
        ``kind``, ``text``, ``from`` (the part) and ``difference`` (None where there is none).
    """
    kind = _kind(difference, metric, n_groups)
    if difference is None:
        return {"kind": kind, "text": "cannot be told: a fold failed", "from": part, "difference": None}
    more = "groups" if axis == "groups" else "examples of the same groups"
    step = f"{_signed(difference)} from {'half' if part == '1/2' else part} of the {axis} to all"
    text = {
        "rising": f"still rising: {step}; more {more} should help",
        "falling": f"falling: {step}; more {more} made it worse",
        "flat": f"flat: {step}; more {more} would bring little",
        "undecided": f"cannot be told with {n_groups} groups: {step}",
    }[kind]
    return {"kind": kind, "text": text, "from": part, "difference": asdict(difference)}


def worth_of_groups(
    counts: tuple[float, float], difference: Difference | None, metric: Metric, n_groups: int
) -> dict[str, Any]:
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

    Returns
    -------
    dict
        ``kind`` (``groups``, ``examples``, ``equal`` or ``undecided``), ``text`` and ``difference``.
    """
    low, high = sorted(counts)
    if high > SAME_SIZE * low:
        text = "new groups or more of the same: cannot be told, since no two parts hold as many examples"
        return {"kind": "undecided", "text": text, "difference": None}
    kind = {"rising": "groups", "falling": "examples", "flat": "equal"}.get(
        _kind(difference, metric, n_groups), "undecided"
    )
    size = f"{low:.0f}" if round(low) == round(high) else f"{low:.0f} to {high:.0f}"
    step = "" if difference is None else f": {_signed(difference)} with {size} examples of all groups than of a part"
    text = {
        "groups": f"new groups are worth more than more examples of the same{step}",
        "examples": f"more examples of the same groups are worth more than new groups{step}",
        "equal": f"new groups and more examples of the same are worth about as much{step}",
        "undecided": f"new groups or more of the same: cannot be told with {n_groups} groups{step}",
    }[kind]
    return {"kind": kind, "text": text, "difference": None if difference is None else asdict(difference)}


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


def _half(along: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The part of an axis nearest to half of it, by what was kept rather than by what was asked for."""
    *parts, whole = along
    counted = "n_groups" if parts and parts[0]["axis"] == "groups" else "n_examples"
    near = [part for part in parts if 0.3 <= part[counted] / whole[counted] <= 0.7]
    return min(near, key=lambda part: abs(part[counted] / whole[counted] - 0.5), default=None)


def _outcomes(predictions: pd.DataFrame, labels: tuple[str, ...]) -> Outcomes:
    return Outcomes.of(predictions, labels, predictions["part"].to_numpy(dtype=np.intp))


def _difference(one: Outcomes, other: Outcomes, metric: Metric, inflation: float, seed: int) -> Difference:
    """Test the difference of two models' outcomes for the same examples in the same order."""
    bootstrap = GroupBootstrap(one.n_groups, seed)
    scores = [metric.score(each) for each in (one, other)]
    return group_difference(scores, [metric.drawn(each, bootstrap) for each in (one, other)], one.n_groups, inflation)
