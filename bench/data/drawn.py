"""How examples were drawn from an archive, as ``bench sample`` writes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

PROBABILITY = "probability"
"""The column of examples with the rate at which each was drawn."""

STRATUM = "stratum"
"""The column of examples with the stratum that each was drawn from."""

_DRAW = re.compile(r"[0-9a-f]{8}(?![0-9a-f])")
"""How the strata of a draw begin."""


def drawn_by_text(examples: pd.DataFrame) -> bool:
    """Whether examples were drawn from the different texts of an archive at known rates, as ``bench sample`` does."""
    return PROBABILITY in examples and bool((examples[PROBABILITY].astype(str) != "").any())


def of_last_draw(examples: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the examples that were drawn at a known rate, if there are any, in the last draw; all otherwise.

    The others are no random part of the archive. Earlier draws were from texts that later ones took some of.
    """
    if not drawn_by_text(examples):
        return np.ones(len(examples), dtype=bool)
    drawn = (examples[PROBABILITY].astype(str) != "").to_numpy()
    strata = examples[STRATUM].astype(str) if STRATUM in examples else examples[PROBABILITY].map(str)
    draws = np.array([found[0] if (found := _DRAW.match(name)) else "" for name in strata.tolist()], dtype=object)
    last = draws[np.flatnonzero(drawn)[-1]]
    return np.asarray(drawn & (draws == last))


def draw_weights(examples: pd.DataFrame, origin: Path) -> NDArray[np.float64] | None:
    """How many texts of the archive each example stands for, of shape (n_examples,).

    It is the inverse of the probability of an example of the last draw, and 0 for others; None without a draw.

    Raises
    ------
    bench.errors.DataError
        If a probability is not one.
    """
    if not drawn_by_text(examples):
        return None
    rows = np.flatnonzero(of_last_draw(examples))
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
