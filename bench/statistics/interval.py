"""Confidence intervals of scores over groups of examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.evaluation.metrics import label_scores, probability_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 10_000
"""Bootstrap draws of an interval that needs confusion matrices only."""

DRAWS_OF_PROBABILITIES = 500
"""Bootstrap draws of an interval that needs every probability again."""


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval.

    Parameters
    ----------
    low, high : float
        Its ends.
    level : float
        Its nominal coverage.
    """

    low: float
    high: float
    level: float = 0.95


def label_score_intervals(confusions: NDArray[np.generic], seed: int) -> dict[str, Interval]:
    """Intervals of every metric of predicted labels.

    Parameters
    ----------
    confusions : ndarray of shape (n_groups, n_labels, n_labels)
        A confusion matrix for each group.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Interval
        By metric; empty with fewer than two groups, which say nothing about a next one.

    See Also
    --------
    group_interval : The method.
    """
    if len(confusions) < 2:
        return {}
    matrices = np.asarray(confusions, dtype=np.float64)
    weights = _weights(len(matrices), DRAWS, seed)
    drawn = label_scores(np.tensordot(weights, matrices, axes=1))
    observed = label_scores(matrices.sum(axis=0))
    return {
        name: group_interval(float(observed[name]), drawn[name], len(matrices), (-1.0 if name == "mcc" else 0.0, 1.0))
        for name in drawn
    }


def probability_score_intervals(
    probabilities: Floats, true: NDArray[np.intp], groups: NDArray[np.str_], seed: int
) -> dict[str, Interval]:
    """Intervals of every metric of predicted probabilities, by the method of `group_interval`.

    Parameters
    ----------
    probabilities : ndarray of shape (n_examples, n_labels)
        Rows sum to 1.
    true : ndarray of int, shape (n_examples,)
        Label indices.
    groups : ndarray of str, shape (n_examples,)
        The examples' groups.
    seed : int
        Seed of the bootstrap.
    """
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return {}
    rows = np.arange(len(true))
    draws = []
    for weights in _weights(len(names), DRAWS_OF_PROBABILITIES, seed).astype(np.intp):
        drawn = np.repeat(rows, weights[codes])
        draws.append(probability_scores(probabilities[drawn], true[drawn]))
    observed = probability_scores(probabilities, true)
    ranges = {"log_loss": (0.0, np.inf), "brier": (0.0, 2.0), "average_precision": (0.0, 1.0)}
    return {
        name: group_interval(observed[name], np.array([d[name] for d in draws]), len(names), ranges[name])
        for name in observed
    }


def group_interval(
    observed: float, drawn: Floats, n_groups: int, bounds: tuple[float, float], level: float = 0.95
) -> Interval:
    r"""Student's interval on the logit scale with the standard error of a bootstrap by group.

    Whole groups are resampled (the cluster bootstrap of Field and Welsh 2007). Its standard error is
    inflated by :math:`\sqrt{G / (G - 1)}` and multiplied by Student's quantile with :math:`G - 1` degrees of
    freedom, as in Cameron, Gelbach and Miller (2008), because the percentile interval is much too
    narrow where groups are few: in simulations with 5 groups it covers 78 to 84 % where this one
    covers 92 to 96 % (``docs/statistics.md``). The logit scale keeps the ends inside `bounds`.

    A score at a bound leaves a bootstrap nothing to resample. Its interval then reaches as far as the
    exact binomial one (Clopper and Pearson 1934) of as many successes as there are groups.

    Parameters
    ----------
    observed : float
        The score.
    drawn : ndarray of shape (n_draws,)
        The score of each bootstrap draw.
    n_groups : int
        The number of groups, at least 2.
    bounds : tuple of float
        The least and the greatest value that the metric can take; the latter may be infinite.
    level : float
        The coverage.
    """
    from scipy.special import stdtrit

    low, high = bounds
    half = float(stdtrit(n_groups - 1, (1 + level) / 2)) * float(drawn.std(ddof=1)) * np.sqrt(n_groups / (n_groups - 1))
    if np.isfinite(high) and observed in bounds:
        reach = (high - low) * (1.0 - ((1.0 - level) / 2.0) ** (1.0 / n_groups))
        return Interval(max(observed - reach, low), min(observed + reach, high), level)
    if half == 0.0 or not low < observed < high:
        return Interval(float(max(observed - half, low)), float(min(observed + half, high)), level)
    if np.isinf(high):
        forward, backward, slope = _log_scale(low)
    else:
        forward, backward, slope = _logit_scale(low, high)
    with np.errstate(over="ignore"):
        centre, reach = forward(observed), half * slope(observed)
        return Interval(backward(centre - reach), backward(centre + reach), level)


Scale = tuple[Callable[[float], float], Callable[[float], float], Callable[[float], float]]


def _logit_scale(low: float, high: float) -> Scale:
    width = high - low
    return (
        lambda x: float(np.log((x - low) / (high - x))),
        lambda z: float(low + width / (1.0 + np.exp(-z))),
        lambda x: width / ((x - low) * (high - x)),
    )


def _log_scale(low: float) -> Scale:
    return lambda x: float(np.log(x - low)), lambda z: float(low + np.exp(z)), lambda x: 1.0 / (x - low)


def _weights(n_groups: int, draws: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=draws).astype(np.float64)
