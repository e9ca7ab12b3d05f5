"""The result of reading a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Records:
    """What a source yields.

    Parameters
    ----------
    examples : pandas.DataFrame
        Columns ``id``, the inputs, ``label``, those that can serve as a group, and those named in `splits`.
    group : str
        The default column of groups.
    passes : pandas.DataFrame or None
        Labels by annotation pass, one row for each example in the same order.
    splits : tuple of str
        Columns of published splits. Each gives the part of every example: ``train``, ``dev``, ``test``, or
        none of them (an empty string).
    population : dict of str to int
        For a stratified sample, how many texts each stratum has in the population it was drawn from; the examples then
        have a column ``stratum``. Otherwise empty.
    notes : tuple of str
        What was left out while reading, one sentence each.
    gaps : tuple of str
        Which rows had no text or no label, one sentence each.
    """

    examples: pd.DataFrame
    group: str
    passes: pd.DataFrame | None = None
    splits: tuple[str, ...] = ()
    population: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
