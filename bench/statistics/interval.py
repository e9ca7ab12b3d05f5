"""Confidence intervals of scores over groups of examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.evaluation.metrics import label_scores, probability_scores
from bench.statistics.draws import affordable, drawn_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 10_000
"""Bootstrap draws of an interval that needs confusion matrices only."""

DRAWS_OF_PROBABILITIES = 500
"""Bootstrap draws of an interval that needs every probability again."""

MANY_GROUPS = 1_000
"""Groups beyond which those with equal confusion matrices are drawn together, which is the same bootstrap."""

WORK = 20_000_000
"""Weights, or examples of probabilities, that all draws have together; beyond that there are fewer draws."""

LEAST_DRAWS = 500
LEAST_DRAWS_OF_PROBABILITIES = 50


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


def label_score_intervals(confusions: NDArray[np.generic], seed: int, metric: str = "macro_f1") -> dict[str, Interval]:
    """Intervals of every metric of predicted labels.

    The standard error is the larger of the bootstrap's and the jackknife's. Either alone is too small where a
    label is rare; with the larger one intervals are up to 9 % wider, and cover more evenly (``docs/statistics.md``).

    Parameters
    ----------
    confusions : ndarray of shape (n_groups, n_labels, n_labels) or (n_groups, n_labels, n_labels + 1)
        A confusion matrix for each group.
    seed : int
        Seed of the bootstrap.
    metric : str
        The metric that is wanted above all; see `bench.evaluation.metrics.label_scores`.

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
    n_groups = len(confusions)
    kinds, counts = _kinds(np.asarray(confusions, dtype=np.float64))
    draws = affordable(DRAWS, len(kinds), WORK, LEAST_DRAWS)
    drawn = label_scores(
        np.concatenate(
            [np.tensordot(part, kinds, axes=1) for part in drawn_weights(counts / n_groups, n_groups, draws, seed)]
        ),
        metric,
    )
    total = np.tensordot(counts, kinds, axes=1)
    observed, left_out = label_scores(total, metric), label_scores(total - kinds, metric)
    return {
        name: group_interval(
            float(observed[name]),
            max(bootstrap_error(drawn[name], n_groups), jackknife_error(np.repeat(left_out[name], counts))),
            n_groups,
            (-1.0 if name == "mcc" else 0.0, 1.0),
        )
        for name in drawn
    }


def _kinds(matrices: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The matrices, and how many groups have each: many groups are drawn by kind, for most are then alike."""
    if len(matrices) <= MANY_GROUPS:
        return matrices, np.ones(len(matrices), dtype=np.intp)
    kinds, counts = np.unique(matrices.reshape(len(matrices), -1), axis=0, return_counts=True)
    return kinds.reshape(-1, *matrices.shape[1:]), counts


def probability_score_intervals(
    probabilities: Floats, true: NDArray[np.intp], groups: NDArray[np.str_], seed: int
) -> dict[str, Interval]:
    """Intervals of every metric of predicted probabilities, with the bootstrap's standard error.

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
    n_draws = affordable(DRAWS_OF_PROBABILITIES, len(true), WORK, LEAST_DRAWS_OF_PROBABILITIES)
    draws = []
    for part in drawn_weights(np.full(len(names), 1.0 / len(names)), len(names), n_draws, seed):
        for weights in part.astype(np.intp):
            drawn = np.repeat(rows, weights[codes])
            draws.append(probability_scores(probabilities[drawn], true[drawn]))
    observed = probability_scores(probabilities, true)
    ranges = {"log_loss": (0.0, np.inf), "brier": (0.0, 2.0), "average_precision": (0.0, 1.0)}
    return {
        name: group_interval(
            observed[name], bootstrap_error(np.array([d[name] for d in draws]), len(names)), len(names), ranges[name]
        )
        for name in observed
    }


def bootstrap_error(drawn: Floats, n_groups: int) -> float:
    r"""The standard error of a bootstrap of whole groups (Field and Welsh 2007).

    The deviation of the draws is inflated by :math:`\sqrt{G / (G - 1)}`, as in Cameron, Gelbach and Miller (2008).

    Parameters
    ----------
    drawn : ndarray of shape (n_draws,)
        The score of each draw.
    n_groups : int
        The number of groups, at least 2.
    """
    return float(drawn.std(ddof=1) * np.sqrt(n_groups / (n_groups - 1)))


def jackknife_error(left_out: Floats) -> float:
    """The standard error of the jackknife (Efron and Tibshirani 1993, chapter 11).

    Parameters
    ----------
    left_out : ndarray of shape (n_groups,)
        The score without each group, of at least 2.
    """
    return float(np.sqrt((len(left_out) - 1) * left_out.var()))


def group_interval(
    observed: float, error: float, n_groups: int, bounds: tuple[float, float], level: float = 0.95
) -> Interval:
    """Student's interval on the logit scale, with one degree of freedom less than there are groups.

    Student's quantile makes up for few groups, as in Cameron, Gelbach and Miller (2008): the percentile
    interval of a bootstrap is much too narrow there (``docs/statistics.md``). The logit scale keeps the ends
    inside `bounds`.

    No interval reaches beyond the exact binomial one (Clopper and Pearson 1934) with the score as the share of
    successes and as many trials as groups: groups cannot vary more than if each were all right or all wrong. It is
    what a score at a bound gets, which has no standard error, and keeps the logit scale from reaching over the whole
    range where a score is close to a bound.

    Parameters
    ----------
    observed : float
        The score.
    error : float
        Its standard error between data sets of other groups.
    n_groups : int
        The number of groups, at least 2.
    bounds : tuple of float
        The least and the greatest value that the metric can take; the latter may be infinite.
    level : float
        The coverage.
    """
    from scipy.special import stdtrit

    low, high = bounds
    half = float(stdtrit(n_groups - 1, (1 + level) / 2)) * error
    widest = _binomial_interval(observed, n_groups, bounds, level)
    if observed in bounds:
        return widest
    if half == 0.0 or not low < observed < high:
        return Interval(float(max(observed - half, low)), float(min(observed + half, high)), level)
    forward, backward, slope = _log_scale(low) if np.isinf(high) else _logit_scale(low, high)
    with np.errstate(over="ignore"):
        centre, reach = forward(observed), half * slope(observed)
        return Interval(max(backward(centre - reach), widest.low), min(backward(centre + reach), widest.high), level)


def _binomial_interval(observed: float, n_groups: int, bounds: tuple[float, float], level: float) -> Interval:
    from scipy.special import betaincinv

    low, high = bounds
    if np.isinf(high):
        return Interval(low, high, level)
    hits, tail = n_groups * (observed - low) / (high - low), (1.0 - level) / 2.0
    first = 0.0 if observed <= low else float(betaincinv(hits, n_groups - hits + 1.0, tail))
    last = 1.0 if observed >= high else float(betaincinv(hits + 1.0, n_groups - hits, 1.0 - tail))
    return Interval(low + (high - low) * first, low + (high - low) * last, level)


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
