"""The labels of several annotators of different reliability, weighed by the model of Dawid and Skene (1979)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PRIOR = 0.01
"""What is added to every count, so that no annotator is taken to be infallible."""

_MOST_ROUNDS = 1000
_CLOSE = 1e-8


@dataclass(frozen=True, eq=False)
class DawidSkene:
    """What the labels say of the true labels and of the annotators.

    Parameters
    ----------
    posterior : ndarray of float, shape (n_units, n_labels)
        The probability of each label of each unit.
    shares : ndarray of float, shape (n_labels,)
        The share of each label.
    confusion : ndarray of float, shape (n_annotators, n_labels, n_labels)
        How often an annotator gives each label (last axis) where each is true (middle axis).
    log_likelihoods : tuple of float
        The log-likelihood of the given labels after each round; with a vanishing prior it never falls.
    """

    posterior: NDArray[np.float64]
    shares: NDArray[np.float64]
    confusion: NDArray[np.float64]
    log_likelihoods: tuple[float, ...]


def dawid_skene(codes: NDArray[np.intp], n_labels: int, prior: float = _PRIOR) -> DawidSkene:
    """Estimate true labels and annotators' reliability by expectation and maximisation, from the shares of votes.

    Parameters
    ----------
    codes : ndarray of int, shape (n_units, n_annotators)
        Labels as numbers from 0; -1 where an annotator gave none. Every unit has a label.
    n_labels : int
        How many labels there are.
    prior : float
        What is added to every count.

    References
    ----------
    A. P. Dawid and A. M. Skene (1979), Maximum likelihood estimation of observer error-rates using the EM algorithm.

    Examples
    --------
    >>> codes = np.array([[0, 0, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 0, 1], [1, 1, 0], [-1, 0, 1]])
    >>> dawid_skene(codes, 2).posterior.argmax(axis=1).tolist()
    [0, 1, 0, 1, 0, 1, 0]
    """
    given = (codes[:, :, None] == np.arange(n_labels)).astype(np.float64)
    posterior = given.sum(axis=1)
    posterior /= posterior.sum(axis=1, keepdims=True)
    told: list[float] = []
    while True:
        shares = posterior.sum(axis=0) + prior
        shares /= shares.sum()
        confusion = np.einsum("ut,ual->atl", posterior, given) + prior
        confusion /= confusion.sum(axis=2, keepdims=True)
        logs = np.log(shares) + np.einsum("ual,atl->ut", given, np.log(confusion))
        top = logs.max(axis=1, keepdims=True)
        posterior = np.exp(logs - top)
        sums = posterior.sum(axis=1, keepdims=True)
        posterior /= sums
        told.append(float((np.log(sums) + top).sum()))
        if len(told) > 1 and (abs(told[-1] - told[-2]) < _CLOSE or len(told) == _MOST_ROUNDS):
            return DawidSkene(posterior, shares, confusion, tuple(told))
