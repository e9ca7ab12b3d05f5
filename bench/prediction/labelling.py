"""Labelling rows in chunks, so that a large file does not fill memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from bench.errors import BenchError
from bench.prediction.fitted import FittedModel
from bench.prediction.reading import Row

CHUNK = 1000
"""Rows that are labelled at once."""


def label_rows(
    model: FittedModel, rows: Iterable[Row], columns: Mapping[str, str], answers: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """Label rows, in order.

    Parameters
    ----------
    model : FittedModel
        What labels.
    rows : iterable of (str, mapping)
        The rows with their places, as `bench.prediction.reading` yields them.
    columns : mapping of str to str
        The rows' column for each input of the model.
    answers : mapping of str to str, optional
        What each of the model's `columns` is called in the answer; by default as it is.

    Yields
    ------
    dict
        A row's own values, then those of the model's `columns`, called as `answers` says.

    Raises
    ------
    bench.errors.BenchError
        If the model fails; the message names the first of the rows that it was given.
    """
    import pandas as pd

    rows = iter(rows)
    names = [(answers or {}).get(name, name) for name in model.columns]
    while chunk := list(islice(rows, CHUNK)):
        frame = pd.DataFrame({name: [values[column] for _, values in chunk] for name, column in columns.items()})
        try:
            labelled = model.label(frame)
        except BenchError as error:
            raise type(error)(f"{chunk[0][0]} and after: {error.message}", error.hint) from error
        given = zip(*(labelled[name].tolist() for name in model.columns), strict=True)
        for (_, values), answer in zip(chunk, given, strict=True):
            yield {**values, **dict(zip(names, answer, strict=True))}
