"""Paired tests of two models on the same examples and the same outer folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from bench.statistics.bootstrap import bootstrap_error, jackknife_error
from bench.statistics.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_GROUPS = 5
"""With fewer groups, nothing counts as different, since the simulations behind the tests have no fewer."""

NO_VARIATION = 1e-12
"""A standard error below this one is rounding error: the groups are not informative about the variance."""


@dataclass(frozen=True)
class Difference:
    """The difference of two models' pooled scores.

    Parameters
    ----------
    difference : float
        Score of the first minus score of the second.
    standard_error : float or None
        Of the difference between data sets of other groups; None if the groups show no variation: with a
        single group, or if all give the same difference.
    interval : Interval or None
        The 95 % interval; None without a standard error.
    p_value : float or None
        Two-sided, of no difference; None without a standard error.
    """

    difference: float
    standard_error: float | None
    interval: Interval | None
    p_value: float | None


@dataclass(frozen=True)
class FoldTest:
    """The tests of two models' differences over the outer folds.

    Parameters
    ----------
    mean : float
        The mean difference over folds, first minus second.
    standard_error : float
        With the correction for overlapping training parts.
    p_value : float
        Of the corrected resampled t-test, two-sided.
    first, equal, second : float
        The posterior probabilities that the first is better by more than the region of practical
        equivalence, that they differ by less, and that the second is better by more.
    """

    mean: float
    standard_error: float
    p_value: float
    first: float
    equal: float
    second: float


@dataclass(frozen=True)
class ErrorTest:
    """McNemar's test of the paired errors.

    Parameters
    ----------
    first_only, second_only : int
        Examples that only the first, or only the second, model gets right.
    p_value : float
        Exact and two-sided; it takes examples as independent, which those of one group are not.
    """

    first_only: int
    second_only: int
    p_value: float


def group_difference(
    scores: Sequence[float],
    drawn: Sequence[Floats],
    n_groups: int,
    inflation: float = 1.0,
    level: float = 0.95,
    left_out: Sequence[Floats] | None = None,
    bounds: tuple[float, float] = (-inf, inf),
) -> Difference:
    """Test a difference of pooled scores with a paired bootstrap by group.

    Both models are scored on the same draws of whole groups (`bench.statistics.bootstrap.GroupBootstrap`), so
    what makes a group hard for both cancels. The standard error is the larger of the bootstrap's and the jackknife's:
    the former alone is too small if a few groups have most examples. Student's distribution has one degree of
    freedom less than there are groups (Cameron, Gelbach and Miller 2008).

    Parameters
    ----------
    scores : sequence of two floats
        The two pooled scores.
    drawn : sequence of two ndarrays of shape (n_draws,)
        The two models' scores of each draw.
    n_groups : int
        The number of groups.
    inflation : float
        The factor of the standard error for variance that the bootstrap misses.
    level : float
        The coverage of the interval.
    left_out : sequence of two ndarrays of shape (n_groups,), optional
        The two models' scores without each group; the jackknife is left out without them.
    bounds : tuple of two floats
        The least and the greatest difference that the metric allows.
    """
    from scipy.special import stdtr, stdtrit

    difference = float(scores[0] - scores[1])
    error = 0.0
    if n_groups > 1:
        error = bootstrap_error(drawn[0] - drawn[1], n_groups)
        if left_out is not None:
            error = max(error, jackknife_error(left_out[0] - left_out[1]))
        error *= inflation
    if error < NO_VARIATION:
        return Difference(difference, None, None, None)
    half = float(stdtrit(n_groups - 1, (1 + level) / 2)) * error
    interval = Interval(difference - half, difference + half, level).within(bounds)
    return Difference(difference, error, interval, _two_sided(difference, error, n_groups - 1, stdtr))


def fold_test(differences: Floats, test_share: float, rope: float) -> FoldTest:
    r"""Test the differences of the outer folds, which are not independent.

    Training parts of different folds overlap, so the variance of the mean over :math:`J` folds is not
    :math:`s^2 / J`. Nadeau and Bengio (2003) correct it to :math:`s^2 (1/J + n_2/n_1)`, with :math:`n_2/n_1` the
    test part's size over the training part's. The Bayesian correlated t-test (Corani and Benavoli 2015) has the
    same form: its posterior is Student's with :math:`J - 1` degrees of freedom around the mean difference.

    Parameters
    ----------
    differences : ndarray of shape (n_folds,)
        Score of the first minus score of the second in each outer fold, more being better.
    test_share : float
        The share of the examples in a test part, on average.
    rope : float
        Differences up to this one are practically no difference: the region of practical equivalence.

    Examples
    --------
    >>> test = fold_test(np.array([0.04, 0.02, 0.05, 0.03, 0.04]), test_share=0.2, rope=0.01)
    >>> f"{test.p_value:.3f} {test.first:.3f} {test.equal:.3f} {test.second:.3f}"
    '0.009 0.986 0.012 0.002'
    """
    from scipy.special import stdtr

    n_folds = len(differences)
    mean = float(differences.mean())
    variance = float(differences.var(ddof=1)) * (1 / n_folds + test_share / (1 - test_share))
    error = float(np.sqrt(variance))
    df = n_folds - 1
    if error == 0.0:
        first, second = float(mean > rope), float(mean < -rope)
    else:
        first, second = (float(stdtr(df, (sign * mean - rope) / error)) for sign in (1, -1))
    return FoldTest(mean, error, _two_sided(mean, error, df, stdtr), first, 1.0 - first - second, second)


def error_test(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> ErrorTest:
    """Test with McNemar (1947) whether two models are wrong equally often.

    Parameters
    ----------
    right_a, right_b : ndarray of bool, shape (n_examples,)
        Whether each model is right.

    Examples
    --------
    >>> error_test(np.array([True] * 9 + [False]), np.array([False] * 9 + [True]))
    ErrorTest(first_only=9, second_only=1, p_value=0.021484375)
    """
    from scipy.special import bdtr

    first, second = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    n = first + second
    p_value = 1.0 if first == second else min(1.0, 2.0 * float(bdtr(min(first, second), n, 0.5)))
    return ErrorTest(first, second, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979), so that all verdicts together err at most so often.

    Examples
    --------
    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return adjusted


def _two_sided(value: float, error: float, df: int, stdtr: object) -> float:
    if error == 0.0:
        return 1.0 if value == 0.0 else 0.0
    return float(2.0 * stdtr(df, -abs(value) / error))  # type: ignore[operator]
