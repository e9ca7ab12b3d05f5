"""What a search of so many trials can be expected to find (Dodge et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def expected_best(scores: Sequence[float | None], minimise: bool = False) -> Floats:
    """The expected best score of n trials, for n from 1 to as many as there were.

    Dodge, Gururangan, Card, Schwartz and Smith (2019), "Show your work: improved reporting of
    experimental results", eq. 2: the expected maximum of n draws with replacement from the
    empirical distribution of the scores, computed exactly from its order statistics.

    A failed trial is a draw without a score: it uses budget but yields no score. The
    expectation is then the one given that at least one of the n draws scores, so that no score is
    invented for a failure.

    The formula is about a random search. The trials of TPE are not independent draws, since it
    moves to where the scores were good. What is computed for them is what a random search over the
    settings that were visited, each equally likely, would bring.

    Parameters
    ----------
    scores : sequence of float or None, shape (n_trials,)
        The trials' scores, None for one that failed; their order does not matter.
    minimise : bool
        Whether less is better.

    Returns
    -------
    ndarray of float, shape (n_trials,)
        At place n - 1 the expected best of n draws: never worse than at the place before.

    Raises
    ------
    ValueError
        If no trial scored.

    Examples
    --------
    >>> expected_best([0.0, 1.0])
    array([0.5 , 0.75])
    >>> expected_best([0.2, None, 0.2], minimise=True)
    array([0.2, 0.2, 0.2])
    """
    ordered, beyond = _chances_beyond(scores, minimise)
    return ordered[0] + beyond @ np.diff(ordered)


def deviation_of_best(scores: Sequence[float | None], minimise: bool = False) -> Floats:
    """The standard deviation of the best score of n trials, under the same draws.

    Parameters
    ----------
    scores : sequence of float or None, shape (n_trials,)
        The trials' scores, None for one that failed.
    minimise : bool
        Whether less is better.

    Returns
    -------
    ndarray of float, shape (n_trials,)

    Raises
    ------
    ValueError
        If no trial scored.

    Examples
    --------
    >>> deviation_of_best([0.0, 1.0])
    array([0.5      , 0.4330127])
    """
    ordered, beyond = _chances_beyond(scores, minimise)
    mean = ordered[0] + beyond @ np.diff(ordered)
    chances = -np.diff(beyond, axis=1, prepend=1.0, append=0.0)
    squared = (ordered - mean[:, None]) ** 2
    return np.sqrt(np.maximum((chances * squared).sum(axis=1), 0.0))


def _chances_beyond(scores: Sequence[float | None], minimise: bool) -> tuple[Floats, Floats]:
    """The scores from worst to best, and by n the chance that the best is better than each but the last.

    The chance has shape (n_trials, n_scored - 1) and is given that one of the n draws scores.
    """
    scored = np.array([score for score in scores if score is not None], dtype=np.float64)
    if not scored.size:
        raise ValueError("no trial has a score")
    ordered = np.sort(scored)[::-1] if minimise else np.sort(scored)
    n_trials, n_failed = len(scores), len(scores) - scored.size
    draws = np.arange(1, n_trials + 1, dtype=np.float64)[:, None]
    not_better = (n_failed + np.arange(1, scored.size)) / n_trials
    # 1 - q ** n without the loss of digits where q is near 1
    beyond = -np.expm1(draws * np.log(not_better))
    some_scores = 1.0 if n_failed == 0 else -np.expm1(draws * np.log(n_failed / n_trials))
    return ordered, beyond / some_scores
