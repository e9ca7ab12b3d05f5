"""The draws that labelled examples come from, and at what rate each was drawn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

PROBABILITY = "probability"
"""The column of examples with the rate at which each was drawn."""

STRATUM = "stratum"
"""The column of examples with the stratum that each was drawn from."""

NO_DRAW = -1
"""The number of what is of no draw that counts."""

_DRAW = re.compile(r"[0-9a-f]{8}(?![0-9a-f])")
"""How the strata of a draw begin."""

_ARCHIVE = re.compile(r"([0-9a-f]{8})-\d+")
"""The ids of drawn examples: the archive, and the number of the text in it."""


def draws_of(task: Task) -> Codes:
    """Number the draws that examples come from, in the order in which they were added.

    All examples are of one draw, 0, unless some have a known probability. Then the others are of none, since they are
    no random part of the archive, and so are draws from other archives than that of the last one.

    Parameters
    ----------
    task : Task
        The task.

    Returns
    -------
    ndarray of int, shape (n_examples,)
        `NO_DRAW` for examples of none.
    """
    if not drawn_by_text(task):
        return np.zeros(len(task), dtype=np.intp)
    drawn = np.flatnonzero(_given(task))
    strata = (task.examples[STRATUM] if STRATUM in task.examples else task.examples[PROBABILITY]).astype(str).tolist()
    names = [(_matched(_ARCHIVE, str(task.ids[row])), _matched(_DRAW, strata[row])) for row in drawn.tolist()]
    last, same = names[-1], [name for name in dict.fromkeys(names) if name[0] and name[0] == names[-1][0]]
    numbers = {name: number for number, name in enumerate(same or [last])}
    found = np.full(len(task), NO_DRAW)
    found[drawn] = [numbers.get(name, NO_DRAW) for name in names]
    return found


def _matched(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return "" if found is None else found[found.lastindex or 0]


def drawn_by_text(task: Task) -> bool:
    """Whether examples were drawn from the different texts of an archive at known rates, as ``bench sample`` does."""
    return PROBABILITY in task.examples and bool(_given(task).any())


def _given(task: Task) -> NDArray[np.bool_]:
    return (task.examples[PROBABILITY].astype(str) != "").to_numpy()


def weights_of(task: Task, rows: Codes, n_texts: float) -> Floats:
    """How many texts of an archive of `n_texts` each of these examples stands for, of shape (n_rows,).

    Raises
    ------
    bench.errors.DataError
        If a probability is no share above 0.
    """
    if drawn_by_text(task):
        try:
            drawn = task.examples[PROBABILITY].iloc[rows].astype(float).to_numpy(dtype=np.float64)
        except ValueError as error:
            raise DataError(f"{task.origin}: a {PROBABILITY} is not a number: {error}.") from None
        if not ((drawn > 0) & (drawn <= 1)).all():
            raise DataError(
                f"{task.origin}: each {PROBABILITY} of being drawn must be above 0 and at most 1.",
                "Correct the column, or rename it if it is something else.",
            )
        return np.asarray(1.0 / drawn)
    if task.weights is not None:
        return np.asarray(task.weights[rows])
    return np.full(len(rows), n_texts / len(rows))


def strata_of(task: Task, rows: Codes, groups: Codes) -> Codes | None:
    """The stratum of each group, if these examples were drawn by strata that divide no group.

    Parameters
    ----------
    task : Task
        The task.
    rows : ndarray of int, shape (n_rows,)
        The examples.
    groups : ndarray of int, shape (n_rows,)
        Their groups, from 0.
    """
    if STRATUM not in task.examples or not (task.population or drawn_by_text(task)):
        return None
    strata = np.unique(task.examples[STRATUM].iloc[rows].astype(str), return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, strata], axis=1), axis=0)
    return pairs[:, 1] if len(pairs) == groups.max() + 1 else None
