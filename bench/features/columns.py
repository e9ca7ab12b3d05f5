"""Text columns of a frame, checked and normalised once."""

from __future__ import annotations

from collections.abc import Hashable, MutableMapping
from typing import Any

import pandas as pd

from bench.errors import DataError, nearest
from bench.text.normalization import normalize

Memo = MutableMapping[Hashable, Any]
"""Results for one frame, by their inputs."""


MANY_ROWS = 100_000
"""Rows of a frame beyond which only finished features are kept between calls: what they are made of takes many times
as much memory."""


def is_large_column(frame: object) -> bool:
    """Whether a frame has more than `MANY_ROWS` rows."""
    return isinstance(frame, pd.DataFrame) and len(frame) > MANY_ROWS


def column_texts(frame: object, column: str, memo: Memo) -> list[str]:
    """Return a column's texts.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_rows, n_columns)
        The task's input columns.
    column : str
        The column to read.
    memo : mutable mapping
        Kept between calls on the same frame.

    Returns
    -------
    list of str
        One text a row.

    Raises
    ------
    bench.errors.DataError
        If `frame` is not a frame, lacks the column, or the column has a value that is not text.
    """
    if ("texts", column) in memo:
        return memo["texts", column]
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"Features need a pandas.DataFrame with the column '{column}', not {type(frame).__name__}.",
            "Wrap the texts, for example pandas.DataFrame({'text': texts}).",
        )
    if column not in frame.columns:
        raise DataError(f"The data has no column '{column}'.", nearest(column, map(str, frame.columns)))
    texts: list[str] = frame[column].tolist()
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(
                f"Column '{column}', row {row}: expected text, found {text!r}.",
                "Remove the row, or write an empty text.",
            )
    memo["texts", column] = texts
    return texts


def normalized_texts(frame: object, column: str, normalization: str, memo: Memo) -> list[str]:
    """Return a column's texts, normalised by a preset of `bench.text.normalization`; see `column_texts`."""
    key = ("normalized", column, normalization)
    if key not in memo:
        memo[key] = normalize(column_texts(frame, column, memo), normalization)
    return memo[key]
