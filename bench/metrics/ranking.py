"""Examples ranked by how likely a label is, within each test part.

Probabilities of different fitted models are not on one scale, and where a test part has more of a label, the model
that was trained on the rest has seen less of it. Ranked together, even a constant is below chance. Examples are
therefore ranked within their test part (Forman and Scholz 2010; Airola et al. 2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The examples of each test part by falling score of one label; all arrays have the shape (n_examples,).

    Parameters
    ----------
    order : ndarray of int
        The examples, part after part. What follows is in this order, and places are places in it.
    positive : ndarray of bool
        Which examples have the label.
    first_of_part, last_of_part, first_of_tie, last_of_tie : ndarray of int
        The places of the first and the last example of the same part, and of the same part and score.
    """

    order: NDArray[np.intp]
    positive: NDArray[np.bool_]
    first_of_part: NDArray[np.intp]
    last_of_part: NDArray[np.intp]
    first_of_tie: NDArray[np.intp]
    last_of_tie: NDArray[np.intp]

    @property
    def seen(self) -> NDArray[np.intp]:
        """How many examples of its part are ranked as high as each, or higher."""
        return self.last_of_tie + 1 - self.first_of_part


def ranked(score: Floats, positive: NDArray[np.bool_], parts: NDArray[np.intp] | None = None) -> Ranking:
    """Rank examples within their test part.

    Parameters
    ----------
    score : ndarray of shape (n_examples,)
        The higher, the more likely the label.
    positive : ndarray of bool, shape (n_examples,)
        Which examples have the label.
    parts : ndarray of int, shape (n_examples,), optional
        The examples' test parts; one for all without it.
    """
    parts = np.zeros(len(score), dtype=np.intp) if parts is None else parts
    order = np.lexsort((-score, parts))
    other_part = np.diff(parts[order]) != 0
    other_score = other_part | (np.diff(score[order]) != 0)
    return Ranking(order, positive[order], *_runs(other_part), *_runs(other_score))


def _runs(changes: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first and the last place of the run that each place is in, given where one run changes into the next."""
    number = np.concatenate([[0], np.cumsum(changes)])
    ends = np.append(np.flatnonzero(changes), len(changes))
    return np.append(0, ends[:-1] + 1)[number], ends[number]
