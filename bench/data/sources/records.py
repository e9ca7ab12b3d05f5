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
        Columns ``id``, the inputs, ``label``, those that can serve as a group, and those named in `splits`.
    group : str
        The column that groups the examples where the task names none.
    passes : pandas.DataFrame or None
        Labels by annotation pass, one row an example in the same order.
    splits : tuple of str
        Columns of published splits: each says of every example whether it is in ``train``, ``dev`` or ``test``, or in
        none of them (an empty text).
    """

    examples: pd.DataFrame
    group: str
    passes: pd.DataFrame | None = None
    splits: tuple[str, ...] = ()
