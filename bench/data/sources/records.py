"""What every kind of source yields."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Records:
    """What a source yields.

    Parameters
    ----------
    examples : pandas.DataFrame
        Columns ``id``, the inputs, ``label`` and those that can serve as a group.
    passes : pandas.DataFrame or None
        Labels by annotation pass, one row an example in the same order.
    group : str
        The column that groups the examples where the task names none.
    """

    examples: pd.DataFrame
    passes: pd.DataFrame | None
    group: str
