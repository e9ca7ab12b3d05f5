"""What must be excluded before two models are called practically equal: differences that the data may not hold."""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING

import numpy as np

from bench.comparison.predictions import ComparedRun, ComparedRuns
from bench.comparison.verdict import LEVEL, POWER
from bench.evaluation.metrics import PROBABILITY_METRICS, label_scores, losses
from bench.statistics.paired import Difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ENOUGH_DISAGREEMENTS = 10
"""Where fewer groups than these hold a disagreement of two models, its rate is poorly known."""

UNSEEN = 3.0
"""Disagreements that cannot be excluded at 5 % where none was seen."""

FAILS = 0.5
"""A model fails in a group where it loses this share of the right answers that a model gives on average."""

PARTS = np.linspace(0.0, 1.5, 61)
"""What missing groups may make up of the region, the rest being a difference elsewhere, for or against them."""

MANY_LABELS = 20
"""With more labels than these not every wrong prediction is tried for the one that costs most."""

SHARES = np.geomspace(1e-5, 1.0, 2_000)
"""Shares of groups at which the cost of failing there is computed."""


def error_for_equality(
    runs: ComparedRuns, one: ComparedRun, other: ComparedRun, between: Difference, factor: float
) -> float | None:
    """The standard error with which two models may be called practically equal.

    That two models never disagreed is no proof that they never will: with n examples up to some 3/n of them may be
    predicted otherwise, with G groups up to 3/G of these. Where fewer than ten groups hold a disagreement, three more
    are allowed for, each of as many examples as a group with one has, and of the kind that moves the metric most.

    Parameters
    ----------
    runs : ComparedRuns
        All that is compared.
    one, other : ComparedRun
        The pair.
    between : Difference
        Its difference.
    factor : float
        What a standard error is multiplied by for the fitting.

    Returns
    -------
    float or None
        None where the models differ and the groups say nothing of how much they would elsewhere.
    """
    differ = _disagreements(runs, one, other)
    if between.standard_error is None and differ.any():
        return None
    error = between.standard_error or 0.0
    holding = len(np.unique(runs.groups[differ]))
    if holding >= min(ENOUGH_DISAGREEMENTS, len(runs.group_names)):
        return error
    rows = differ.sum() / max(holding, 1) or 1.0
    return math.hypot(error, math.sqrt(UNSEEN) * factor * rows * _largest_step(runs, one))


def failing_share(runs: ComparedRuns, run: ComparedRun, rope: float) -> float:
    """The share of groups in which a run must fail completely to lose the region of practical equivalence by it.

    Parameters
    ----------
    runs : ComparedRuns
        All that is compared.
    run : ComparedRun
        The run; in a group where it fails, it gets nothing right, and labels are as in the others.
    rope : float
        The region.
    """
    if runs.metric == "average_precision":
        return min(1.0, rope / run.summary["scores"][runs.metric])
    if runs.metric in PROBABILITY_METRICS:
        assert run.probabilities is not None
        loss = losses(run.probabilities, runs.true, runs.metric)
        room = float(loss.max() - loss.mean())
        return min(1.0, rope / room) if room > 0.0 else 1.0
    pooled = runs.confusions(run).sum(axis=0).astype(np.float64)
    n_labels = len(pooled)
    failed = np.zeros_like(pooled)
    if n_labels > 1:
        failed[:, :n_labels] = pooled.sum(axis=1, keepdims=True) / (n_labels - 1) * (1.0 - np.eye(n_labels))
    score = float(label_scores(pooled, runs.metric)[runs.metric])

    def costs_the_region(share: float) -> bool:
        mixed = (1.0 - share) * pooled + share * failed
        return score - float(label_scores(mixed, runs.metric)[runs.metric]) >= rope

    return float(SHARES[min(bisect.bisect_left(SHARES, True, key=costs_the_region), len(SHARES) - 1)])


def chance_unmet(
    runs: ComparedRuns, one: ComparedRun, other: ComparedRun, between: Difference, share: float, rope: float
) -> float:
    """The p-value that two models differ by the region, by groups in which one of them fails completely.

    No standard error tells of groups that are not in the data. It is the chance that so many groups hold no more of
    them than were met. Where none was met, it is multiplied by the chance that the difference elsewhere is as small as
    the one that was measured; what the missing groups do not make up of the region is a difference elsewhere, and the
    largest such chance is taken.

    Parameters
    ----------
    runs : ComparedRuns
        All that is compared.
    one, other : ComparedRun
        The pair.
    between : Difference
        Its difference.
    share : float
        The share of groups that costs the region; see `failing_share`.
    rope : float
        The region of practical equivalence.
    """
    from scipy.special import bdtr, stdtr

    n_groups = len(runs.group_names)
    met = _groups_failed(runs, one, other)
    if met or between.standard_error is None:
        return float(bdtr(met, n_groups, share))
    # Differences come in steps, and one of none at all is no rarity.
    reach = abs(between.difference) + _largest_step(runs, one) / 2
    elsewhere = rope * (1.0 - PARTS)
    small = np.subtract(*(stdtr(n_groups - 1, (end - elsewhere) / between.standard_error) for end in (reach, -reach)))
    return float(((1.0 - np.minimum(PARTS * share, 1.0)) ** n_groups * small).max())


def groups_to_meet(share: float, level: float = LEVEL) -> int:
    """The least number of groups with which models that are alike pass `chance_unmet` with a chance of 80 %.

    Examples
    --------
    >>> groups_to_meet(0.025), groups_to_meet(1.0)
    (110, 1)
    """
    return 1 if share >= 1.0 else math.ceil(math.log(level / POWER) / math.log1p(-share))


def _groups_failed(runs: ComparedRuns, one: ComparedRun, other: ComparedRun) -> int:
    """In how many more groups one of two runs fails, and not the other, than the reverse."""
    sizes = np.bincount(runs.groups)
    right = [np.bincount(runs.groups, run.predicted == runs.true) for run in (one, other)]
    apart = (right[0] - right[1]) / np.maximum(sizes, 1)
    enough = FAILS * max(each.sum() for each in right) / sizes.sum()
    if enough == 0.0:
        return 0
    return abs(int((apart >= enough).sum()) - int((apart <= -enough).sum()))


def _disagreements(runs: ComparedRuns, one: ComparedRun, other: ComparedRun) -> NDArray[np.bool_]:
    """The rows on which two runs differ, as far as the metric sees it."""
    if runs.metric not in PROBABILITY_METRICS:
        return one.predicted != other.predicted
    assert one.probabilities is not None
    assert other.probabilities is not None
    return np.asarray((one.probabilities != other.probabilities).any(axis=1))


def _largest_step(runs: ComparedRuns, run: ComparedRun) -> float:
    """How much a single row can move a run's score, at most."""
    if runs.metric == "average_precision":
        return 1.0 / float(np.bincount(runs.true)[np.unique(runs.true)].min())
    if runs.metric in PROBABILITY_METRICS:
        assert run.probabilities is not None
        return float(losses(run.probabilities, runs.true, runs.metric).max()) / len(runs.true)
    pooled = runs.confusions(run).sum(axis=0).astype(np.float64)
    n_labels, n_columns = pooled.shape
    columns = set(range(n_columns))
    if n_columns > MANY_LABELS:
        # A wrong prediction harms the rarest label most; F_AVG is about the first two.
        sizes = pooled.sum(axis=1) + pooled.sum(axis=0)[:n_labels]
        columns = {0, 1, n_columns - 1, *np.argsort(np.where(np.diagonal(pooled) > 0, sizes, np.inf))[:2].tolist()}
    moved = []
    for label in np.flatnonzero(np.diagonal(pooled)):
        for column in columns - {label}:
            other = pooled.copy()
            other[label, label] -= 1.0
            other[label, column] += 1.0
            moved.append(other)
    if not moved:
        return 1.0 / len(runs.true)
    scores = label_scores(np.array([pooled, *moved]), runs.metric)[runs.metric]
    return float(np.abs(scores[1:] - scores[0]).max())
