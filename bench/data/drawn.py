"""How examples were drawn from an archive, as ``bench sample`` writes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

PROBABILITY = "probability"
"""The column of examples with the rate at which each was drawn."""

STRATUM = "stratum"
"""The column of examples with the stratum that each was drawn from."""

NO_DRAW = -1
"""The number of what is of no draw that counts."""

_OWN = ("", "")
"""The archive and the draw of examples whose probability is not of ``bench sample``."""

_DIGITS = 8
"""The hexadecimal digits that name an archive, and a draw."""

_ID = re.compile(rf"[0-9a-f]{{{_DIGITS}}}-\d+")
"""The ids of drawn examples: the archive, and the number of the text in it."""

_STRATUM = re.compile(rf"[0-9a-f]{{{_DIGITS}}}/")
"""How the strata of a draw begin."""


def is_drawn_id(name: str) -> bool:
    """Whether an id is one that ``bench sample`` gives.

    Examples
    --------
    >>> is_drawn_id("0123abcd-17"), is_drawn_id("article-17")
    (True, False)
    """
    return _ID.fullmatch(name) is not None


def is_drawn_stratum(name: str) -> bool:
    """Whether a stratum's name is one that ``bench sample`` gives.

    Examples
    --------
    >>> is_drawn_stratum("0123abcd/denial/sure"), is_drawn_stratum("2024")
    (True, False)
    """
    return _STRATUM.match(name) is not None


def drawn_by_text(examples: pd.DataFrame) -> bool:
    """Whether examples were drawn from the different texts of an archive at known rates, as ``bench sample`` does."""
    return PROBABILITY in examples and bool(_given(examples).any())


def _given(examples: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray(examples[PROBABILITY].astype(str) != "")


def draws_of(examples: pd.DataFrame) -> NDArray[np.intp]:
    """Number the draws that examples come from, in the order in which they were added.

    All examples are of one draw, 0, unless some have a known probability. Then the others are of none, since they are
    no random part of the archive, and so are draws from other archives than that of the last one. Examples whose
    probabilities are the user's own are one draw, from the same archive; others have a stratum such as ``bench sample``
    gives.

    Returns
    -------
    ndarray of int, shape (n_examples,)
        `NO_DRAW` for examples of none.
    """
    if not drawn_by_text(examples):
        return np.zeros(len(examples), dtype=np.intp)
    drawn = np.flatnonzero(_given(examples))
    ids = examples["id"].astype(str).tolist()
    strata = (examples[STRATUM] if STRATUM in examples else examples[PROBABILITY]).astype(str).tolist()
    names = [
        (ids[row][:_DIGITS] if is_drawn_id(ids[row]) else "", strata[row][:_DIGITS])
        if is_drawn_stratum(strata[row])
        else _OWN
        for row in drawn.tolist()
    ]
    written = [name for name in names if name != _OWN]
    archive = written[-1][0] if written else ""
    counted = {_OWN, *written[-1:], *(name for name in written if archive and name[0] == archive)}
    numbers = {name: number for number, name in enumerate(name for name in dict.fromkeys(names) if name in counted)}
    found = np.full(len(examples), NO_DRAW)
    found[drawn] = [numbers.get(name, NO_DRAW) for name in names]
    return found


def labelled_since(draws: NDArray[np.intp]) -> NDArray[np.intp]:
    """From which draw on each example was known to be labelled when the draw was made.

    Examples are in the order in which they were labelled, so those before the first of a draw were.

    Examples
    --------
    >>> labelled_since(np.array([NO_DRAW, 0, 0, NO_DRAW, 1, 0])).tolist()
    [0, 1, 1, 1, 2, 2]
    """
    first = [int(np.flatnonzero(draws == draw)[0]) for draw in range(int(draws.max(initial=NO_DRAW)) + 1)]
    return np.searchsorted(first, np.arange(len(draws)), side="right")


def texts_drawn_for(examples: pd.DataFrame, origin: Path) -> NDArray[np.float64] | None:
    """How many texts of the archive each example stands for, of shape (n_examples,).

    It is the inverse of its probability, and 0 for examples of no draw; None if no example has a probability.

    Raises
    ------
    bench.errors.DataError
        If a probability is not one.
    """
    if not drawn_by_text(examples):
        return None
    rows = np.flatnonzero(draws_of(examples) != NO_DRAW)
    try:
        drawn = examples[PROBABILITY].iloc[rows].astype(float).to_numpy(dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{origin}: a {PROBABILITY} is not a number: {error}.") from None
    if not ((drawn > 0) & (drawn <= 1)).all():
        raise DataError(
            f"{origin}: each {PROBABILITY} of being drawn must be above 0 and at most 1.",
            "Correct the column, or rename it if it is something else.",
        )
    weights = np.zeros(len(examples))
    weights[rows] = 1.0 / drawn
    return weights


def last_draw_weights(examples: pd.DataFrame, origin: Path) -> NDArray[np.float64] | None:
    """How many texts of the archive each example of the last draw stands for, and 0 for others.

    Raises
    ------
    bench.errors.DataError
        If a probability is not one.
    """
    weights = texts_drawn_for(examples, origin)
    if weights is None:
        return None
    draws = draws_of(examples)
    return np.asarray(np.where(draws == draws.max(), weights, 0.0))


def weights_of_tested(
    weights: NDArray[np.float64], strata: Sequence[str], tested: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The weights with which the tested examples stand for all texts of their strata, of shape (n_examples,).

    All are 0 if no example of some stratum is tested, since the others do not stand for its texts.

    Examples
    --------
    >>> weights_of_tested(np.array([2.0, 2.0, 5.0]), ["a", "a", "b"], np.array([True, False, True])).tolist()
    [4.0, 0.0, 5.0]
    """
    names, codes = np.unique(np.asarray(strata, dtype=str), return_inverse=True)
    total, held = (np.bincount(codes, each, len(names)) for each in (weights, weights * tested))
    if ((total > 0) & (held <= 0)).any():
        return np.zeros_like(weights)
    return np.asarray(weights * tested * np.divide(total, held, out=np.ones_like(total), where=held > 0)[codes])
