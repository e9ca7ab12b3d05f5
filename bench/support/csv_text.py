"""Tables as CSV with all digits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping


def csv_text(rows: Iterable[Mapping[str, object]], columns: Iterable[str] = ()) -> str:
    """Write rows as CSV, a line each, below a line with the columns' names.

    Parameters
    ----------
    rows : iterable of mapping of str to object
        The rows. None, and what a row does not have, is an empty cell.
    columns : iterable of str
        The first columns, which stand there without any row too; those that only rows have come after them.

    Examples
    --------
    >>> print(csv_text([{"label": "denial", "share": 0.25}, {"label": "other", "note": "a, b"}]), end="")
    label,share,note
    denial,0.25,
    other,,"a, b"
    """
    rows = list(rows)
    text = io.StringIO()
    names = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
