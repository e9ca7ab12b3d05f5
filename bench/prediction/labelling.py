"""Labelling rows in chunks, so that a large file does not fill memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from bench.data.sources.cells import Row
from bench.errors import BenchError
from bench.prediction.blanks import Blanks
from bench.prediction.fitted import FittedModel

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 1000
"""Rows that are labelled at once."""


def label_rows(
    model: FittedModel,
    rows: Iterable[Row],
    columns: Mapping[str, str],
    answers: Mapping[str, str] | None = None,
    blanks: Blanks | None = None,
) -> Iterator[dict[str, object]]:
    """Label rows, in order. A row without a text stays, with an empty label.

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
    blanks : Blanks, optional
        Counts the rows without a text.

    Yields
    ------
    dict
        A row's own values, then those of the model's `columns`, with the names in `answers`.

    Raises
    ------
    bench.errors.BenchError
        If the model fails; the message names its first row.
    """
    import pandas as pd

    names = [(answers or {}).get(name, name) for name in model.columns]
    none = ["", *(None for _ in names[1:])]
    blanks = Blanks("", columns) if blanks is None else blanks
    for chunk in in_chunks(rows, CHUNK):
        lack = [blanks.lack(where, values) for where, values in chunk]
        filled = [row for row, lacks in zip(chunk, lack, strict=True) if not lacks]
        frame = pd.DataFrame({name: [values[column] for _, values in filled] for name, column in columns.items()})
        given: Iterator[Sequence[Any]] = iter(())
        if filled:
            labelled = label_chunk(model, frame, filled[0][0])
            given = zip(*(labelled[name].tolist() for name in model.columns), strict=True)
        for (_, values), lacks in zip(chunk, lack, strict=True):
            yield {**values, **dict(zip(names, none if lacks else next(given), strict=True))}


def in_chunks(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Rows in order, so many at a time."""
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk


def label_chunk(model: FittedModel, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """Label texts.

    Parameters
    ----------
    model : FittedModel
        What labels.
    frame : pandas.DataFrame of shape (n_texts, n_inputs)
        The texts.
    where : str
        The place of the first one, for errors.

    Raises
    ------
    bench.errors.BenchError
        If the model fails; the message names the place.
    """
    try:
        return model.label(frame)
    except BenchError as error:
        raise type(error)(f"{where} and after: {error.message}", error.hint) from error
