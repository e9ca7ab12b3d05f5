"""Scores of bootstrap draws of whole groups, for every metric."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.evaluation.metrics import label_scores, losses, ranked
from bench.statistics.draws import affordable, drawn_weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 2_000
"""Draws of a difference; its standard error is then known to about 1.6 %."""

WORK, LEAST_DRAWS = 100_000_000, 200
"""Weights that all draws have together, beyond which there are fewer draws, and the fewest."""


class GroupBootstrap:
    """Draws of whole groups with replacement (Field and Welsh 2007), the same for all that is scored on them.

    Parameters
    ----------
    n_groups : int
        The number of groups.
    seed : int
        Seed of the draws.
    draws : int
        Their number.
    """

    def __init__(self, n_groups: int, seed: int, draws: int = DRAWS) -> None:
        self.n_groups, self._seed = n_groups, seed
        self.draws = affordable(draws, n_groups, WORK, LEAST_DRAWS)

    def weights(self) -> Iterator[Floats]:
        """How often each draw has each group, in parts of shape (n_part, n_groups)."""
        return drawn_weights(np.full(self.n_groups, 1.0 / self.n_groups), self.n_groups, self.draws, self._seed)

    def label_scores(self, confusions: NDArray[np.generic], metric: str) -> tuple[float, Floats]:
        """Score predicted labels.

        Parameters
        ----------
        confusions : ndarray of shape (n_groups, n_labels, n_labels) or (n_groups, n_labels, n_labels + 1)
            A confusion matrix for each group.
        metric : str
            One of `bench.evaluation.metrics.LABEL_METRICS`.

        Returns
        -------
        (float, ndarray of shape (n_draws,))
            The pooled score, and that of each draw.
        """
        matrices = np.asarray(confusions, dtype=np.float64)
        drawn = np.concatenate([np.tensordot(part, matrices, axes=1) for part in self.weights()])
        return float(label_scores(matrices.sum(axis=0), metric)[metric]), label_scores(drawn, metric)[metric]

    def probability_scores(
        self,
        probabilities: Floats,
        true: NDArray[np.intp],
        groups: NDArray[np.intp],
        metric: str,
        parts: NDArray[np.intp] | None = None,
    ) -> tuple[float, Floats]:
        """Score predicted probabilities; see `bench.evaluation.metrics.probability_scores`.

        Parameters
        ----------
        probabilities : ndarray of shape (n_rows, n_labels)
            Rows sum to 1.
        true, groups : ndarray of int, shape (n_rows,)
            Label indices and group indices.
        metric : str
            ``log_loss``, ``brier`` or ``average_precision``.
        parts : ndarray of int, shape (n_rows,), optional
            The test part of each row.

        Returns
        -------
        (float, ndarray of shape (n_draws,))
            The pooled score, and that of each draw.
        """
        if metric == "average_precision":
            parts = np.zeros(len(true), dtype=np.intp) if parts is None else parts
            return self._average_precision(probabilities, true, groups, parts)
        loss = losses(probabilities, true, metric)
        sums, counts = np.bincount(groups, loss, self.n_groups), np.bincount(groups, minlength=self.n_groups)
        return float(loss.mean()), np.concatenate([(part @ sums) / (part @ counts) for part in self.weights()])

    def _average_precision(
        self, probabilities: Floats, true: NDArray[np.intp], groups: NDArray[np.intp], parts: NDArray[np.intp]
    ) -> tuple[float, Floats]:
        labels = np.unique(true)
        observed, drawn = (
            np.array([_average_precisions(probabilities[:, k], true == k, groups, parts, draws()) for k in labels])
            for draws in (lambda: [np.ones((1, self.n_groups))], self.weights)
        )
        # A draw may hold no example of a label, which then does not count.
        return float(observed.mean()), np.nanmean(drawn, axis=0)


def _average_precisions(
    score: Floats,
    positive: NDArray[np.bool_],
    groups: NDArray[np.intp],
    parts: NDArray[np.intp],
    weights: Iterable[Floats],
) -> Floats:
    """Average precision of one label in each draw, NaN where it does not occur; shape (n_draws,)."""
    ranking = ranked(score, positive, parts)
    ends = np.flatnonzero(ranking.last_of_tie == np.arange(len(score)))
    starts = ranking.first_of_part[ends]
    result = []
    for weight in chain.from_iterable(weights):
        each = weight[groups[ranking.order]]
        hits, seen = (np.concatenate([[0.0], np.cumsum(values)]) for values in (each * ranking.positive, each))
        steps = np.diff(hits[ends + 1], prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found, among = hits[ends + 1] - hits[starts], seen[ends + 1] - seen[starts]
            result.append((steps * np.where(among > 0, found / among, 0.0)).sum() / hits[-1])
    return np.array(result)


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


def group_indices(groups: NDArray[Any]) -> tuple[list[str], NDArray[np.intp]]:
    """Group names in order, and each row's group as an index into them."""
    names, codes = np.unique(groups, return_inverse=True)
    return [str(name) for name in names], codes
