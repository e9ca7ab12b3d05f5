"""Ranks of models over several tasks, as Demšar (2006) compares classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENOUGH_TASKS = 10
"""Demšar trusts Friedman's test and the critical difference from about so many data sets on."""


@dataclass(frozen=True)
class Ranks:
    """Mean ranks, the best being 1.

    Parameters
    ----------
    means : tuple of float
        Each model's mean rank.
    p_value : float or None
        Of Friedman's test that all models are alike; None with too few tasks or models.
    critical_difference : float or None
        Mean ranks further apart differ at 5 % (Nemenyi); None with too few tasks.
    """

    means: tuple[float, ...]
    p_value: float | None
    critical_difference: float | None


def mean_ranks(scores: NDArray[np.float64]) -> Ranks:
    r"""Rank models on every task and take the mean.

    The critical difference is :math:`q_{0.05} \sqrt{k (k + 1) / 6 N}` for :math:`k` models on :math:`N`
    tasks, with the quantile of the studentised range over :math:`\sqrt 2`.

    Parameters
    ----------
    scores : ndarray of shape (n_tasks, n_models)
        More is better. Equal scores share their ranks.

    Examples
    --------
    >>> mean_ranks(np.array([[0.9, 0.8], [0.7, 0.6], [0.5, 0.6]])).means
    (1.3333333333333333, 1.6666666666666667)
    """
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    n_tasks, n_models = scores.shape
    means = tuple(float(rank) for rank in rankdata(-scores, axis=1).mean(axis=0))
    if n_tasks < ENOUGH_TASKS:
        return Ranks(means, None, None)
    p_value = float(friedmanchisquare(*scores.T).pvalue) if n_models > 2 else None
    quantile = float(studentized_range.ppf(0.95, n_models, np.inf)) / np.sqrt(2)
    return Ranks(means, p_value, float(quantile * np.sqrt(n_models * (n_models + 1) / (6 * n_tasks))))
