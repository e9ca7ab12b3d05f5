"""Scores of bootstrap draws of whole groups, for every metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.evaluation.metrics import label_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 2_000
"""Draws of a difference; its standard error is then known to about 1.6 %."""


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
        rng = np.random.default_rng(seed)
        shares = np.full(n_groups, 1.0 / n_groups)
        self.weights: Floats = rng.multinomial(n_groups, shares, size=draws).astype(np.float64)

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
        drawn = label_scores(np.tensordot(self.weights, matrices, axes=1))[metric]
        return float(label_scores(matrices.sum(axis=0))[metric]), drawn

    def probability_scores(
        self, probabilities: Floats, true: NDArray[np.intp], groups: NDArray[np.intp], metric: str
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

        Returns
        -------
        (float, ndarray of shape (n_draws,))
            The pooled score, and that of each draw.
        """
        if metric == "average_precision":
            return self._average_precision(probabilities, true, groups)
        n_groups = self.weights.shape[1]
        losses = _losses(probabilities, true, metric)
        sums, counts = np.bincount(groups, losses, n_groups), np.bincount(groups, minlength=n_groups)
        return float(losses.mean()), (self.weights @ sums) / (self.weights @ counts)

    def _average_precision(
        self, probabilities: Floats, true: NDArray[np.intp], groups: NDArray[np.intp]
    ) -> tuple[float, Floats]:
        labels = np.unique(true)
        everything = np.ones((1, self.weights.shape[1]))
        observed, drawn = (
            np.array([_average_precisions(probabilities[:, k], true == k, groups, weights) for k in labels])
            for weights in (everything, self.weights)
        )
        # A draw may hold no example of a label, which then does not count.
        return float(observed.mean()), np.nanmean(drawn, axis=0)


def _losses(probabilities: Floats, true: NDArray[np.intp], metric: str) -> Floats:
    rows = np.arange(len(true))
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(probabilities[rows, true], np.finfo(np.float64).eps, 1.0)))
    truth = np.zeros_like(probabilities)
    truth[rows, true] = 1.0
    return np.asarray(((probabilities - truth) ** 2).sum(axis=1))


def _average_precisions(
    score: Floats, positive: NDArray[np.bool_], groups: NDArray[np.intp], weights: Floats
) -> Floats:
    """Average precision of one label in each draw, NaN where it does not occur; shape (n_draws,)."""
    order = np.argsort(-score, kind="stable")
    # The precision counts at the last of equal scores only.
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    result = np.empty(len(weights))
    for draw, weight in enumerate(weights):
        each = weight[groups[order]]
        hits = np.cumsum(each * positive[order])[last]
        seen = np.cumsum(each)[last]
        steps = np.diff(hits, prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(seen > 0, hits / seen, 0.0)
            result[draw] = (steps * precision).sum() / hits[-1]
    return result


def group_indices(groups: NDArray[Any]) -> tuple[list[str], NDArray[np.intp]]:
    """Group names in order, and each row's group as an index into them."""
    names, codes = np.unique(groups, return_inverse=True)
    return [str(name) for name in names], codes
