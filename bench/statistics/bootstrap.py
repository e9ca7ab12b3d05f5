"""Scores of bootstrap draws of whole groups, for every metric."""

from __future__ import annotations

import warnings
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.evaluation.metrics import label_scores
from bench.statistics.draws import PART, affordable, drawn_weights

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
    out_of_bag : bool
        Whether a draw is scored on the groups that it left out, each once, rather than on those that it has.
    """

    def __init__(self, n_groups: int, seed: int, draws: int = DRAWS, out_of_bag: bool = False) -> None:
        self.n_groups, self._seed, self._out_of_bag = n_groups, seed, out_of_bag
        self.draws = affordable(draws, n_groups, WORK, LEAST_DRAWS)

    def complement(self) -> GroupBootstrap:
        """The same draws, scored on the groups that each left out; NaN where it left out none."""
        return GroupBootstrap(self.n_groups, self._seed, self.draws, out_of_bag=not self._out_of_bag)

    def weights(self) -> Iterator[Floats]:
        """How often each draw has each group, in parts of shape (n_part, n_groups)."""
        parts: Iterable[Floats]
        if self.n_groups * self.draws <= PART:
            parts = self._whole
        else:
            parts = drawn_weights(np.full(self.n_groups, 1.0 / self.n_groups), self.n_groups, self.draws, self._seed)
        return ((part == 0).astype(np.float64) for part in parts) if self._out_of_bag else iter(parts)

    @cached_property
    def _whole(self) -> list[Floats]:
        """The weights where they are few enough to be kept."""
        return list(drawn_weights(np.full(self.n_groups, 1.0 / self.n_groups), self.n_groups, self.draws, self._seed))

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
        scores = label_scores(drawn, metric)[metric]
        return float(label_scores(matrices.sum(axis=0), metric)[metric]), np.where(
            drawn.sum(axis=(1, 2)) > 0, scores, np.nan
        )

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
        losses = row_losses(probabilities, true, metric)
        sums, counts = np.bincount(groups, losses, self.n_groups), np.bincount(groups, minlength=self.n_groups)
        with np.errstate(invalid="ignore"):
            drawn = np.concatenate([(part @ sums) / (part @ counts) for part in self.weights()])
        return float(losses.mean()), drawn

    def _average_precision(
        self, probabilities: Floats, true: NDArray[np.intp], groups: NDArray[np.intp]
    ) -> tuple[float, Floats]:
        labels = np.unique(true)
        observed, drawn = (
            np.array([_average_precisions(probabilities[:, k], true == k, groups, draws()) for k in labels])
            for draws in (lambda: [np.ones((1, self.n_groups))], self.weights)
        )
        # A draw may hold no example of a label, which then does not count.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Mean of empty slice", category=RuntimeWarning)
            return float(observed.mean()), np.nanmean(drawn, axis=0)


def row_losses(probabilities: Floats, true: NDArray[np.intp], metric: str) -> Floats:
    """Each row's ``log_loss`` or ``brier``, whose means are the scores; shape (n_rows,)."""
    rows = np.arange(len(true))
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(probabilities[rows, true], np.finfo(np.float64).eps, 1.0)))
    truth = np.zeros_like(probabilities)
    truth[rows, true] = 1.0
    return np.asarray(((probabilities - truth) ** 2).sum(axis=1))


def _average_precisions(
    score: Floats, positive: NDArray[np.bool_], groups: NDArray[np.intp], weights: Iterable[Floats]
) -> Floats:
    """Average precision of one label in each draw, NaN where it does not occur; shape (n_draws,)."""
    order = np.argsort(-score, kind="stable")
    # The precision counts at the last of equal scores only.
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    result = []
    for weight in chain.from_iterable(weights):
        each = weight[groups[order]]
        hits = np.cumsum(each * positive[order])[last]
        seen = np.cumsum(each)[last]
        steps = np.diff(hits, prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(seen > 0, hits / seen, 0.0)
            result.append((steps * precision).sum() / hits[-1])
    return np.array(result)


def group_indices(groups: NDArray[Any]) -> tuple[list[str], NDArray[np.intp]]:
    """Group names in order, and each row's group as an index into them."""
    names, codes = np.unique(groups, return_inverse=True)
    return [str(name) for name in names], codes
