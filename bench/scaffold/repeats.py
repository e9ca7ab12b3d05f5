"""Suggest what is missing if most inputs of a user's data repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.data.duplicates import input_key
from bench.data.sources.gaps import is_empty
from bench.errors import DataError
from bench.scaffold.guess import is_coder

if TYPE_CHECKING:
    from bench.scaffold.columns import Chosen
    from bench.scaffold.found import Found
    from bench.scaffold.request import TaskRequest

_TELLS = 0.1
"""The share of repeated rows, with a column added, below which that column distinguishes them."""


def ask_for_a_claim(error: DataError, request: TaskRequest, found: Found, chosen: Chosen) -> DataError:
    """Ask whether another column is the claim, with the commands for yes and no.

    Parameters
    ----------
    error : DataError
        The error that counts repeated inputs.
    request : TaskRequest
        The user's request.
    found : Found
        The data.
    chosen : Chosen
        The roles of the columns.
    """
    lines = []
    if "claim" not in chosen.columns:
        used = {key: chosen.columns[key] for key in ("text", "label")}
        candidates = _telling_apart(found, chosen)
        for column, is_key in candidates[:2]:
            if is_key:
                told = f"'{column}' distinguishes these rows. Is it the claim, or does it refer to a text elsewhere?"
                lines.append(f"{told} Replace it by that text, or use it as it is:")
            else:
                lines.append(f"'{column}' distinguishes these rows. Is it the claim that each text is about?")
            lines.append(f"  {request.command({**used, 'claim': column})}")
        if not candidates:
            lines.append("No other column distinguishes these rows.")
    lines.append("If there is a row for each annotator, keep one row for each text, with the majority label.")
    lines.append("To continue with the first row of each input:")
    lines.append(f"  {request.command(None, 'allow-repeats')}")
    return DataError(error.message, "\n".join(lines))


def _telling_apart(found: Found, chosen: Chosen) -> list[tuple[str, bool]]:
    """The columns that, with the text, make rows differ, the longest texts first; with whether each is a mere key."""
    taken = {*chosen.columns.values(), *chosen.passes}
    together: dict[str, set[tuple[str, str]]] = {}
    values: dict[str, set[str]] = {}
    lengths: dict[str, int] = {}
    n_rows = 0
    for _, row in found.rows():
        text = row.get(chosen.columns["text"])
        if is_empty(text):
            continue
        n_rows += 1
        key = input_key(str(text))
        for column, value in row.items():
            if column not in taken and isinstance(value, str | int | float) and not is_empty(value):
                together.setdefault(column, set()).add((key, str(value)))
                values.setdefault(column, set()).add(str(value))
                lengths[column] = lengths.get(column, 0) + len(str(value).split())
    telling = [
        column
        for column, pairs in together.items()
        if len(pairs) >= (1 - _TELLS) * n_rows
        and not is_coder(column)
        and _is_no_id(len(values[column]), lengths[column], n_rows)
    ]
    telling.sort(key=lambda column: -lengths[column])
    return [(column, lengths[column] < 2 * n_rows) for column in telling]


def _is_no_id(n_values: int, n_words: int, n_rows: int) -> bool:
    """Whether a column with a different value in each row has texts."""
    return n_values < (1 - _TELLS) * n_rows or n_words >= 2 * n_rows
