"""How the cells of tables with a delimiter are kept apart and quoted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

NONE = "none"
"""What the quoting of a table is called in which quotation marks are part of the texts."""

QUOTES: dict[str, dict[str, Any]] = {
    "double": {"quotechar": '"'},
    "single": {"quotechar": "'"},
    "backslash": {"quotechar": '"', "escapechar": "\\"},
}
"""How cells are quoted, with what `csv.reader` calls it: in double marks that are doubled within, in single ones, or in
double ones that have a backslash before them within."""

QUOTINGS = (*QUOTES, NONE)

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""The delimiters, as messages call them."""

EXCEL_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""The line by which Excel is told a table's delimiter."""


@dataclass(frozen=True)
class Dialect:
    """How the cells of a table are kept apart.

    Parameters
    ----------
    delimiter : str
        What stands between cells.
    quote : str
        One of `QUOTINGS`.
    """

    delimiter: str
    quote: str = "double"


DELIMITED = {
    "csv": Dialect(","),
    "tsv": Dialect("\t", NONE),
    "quoted-tsv": Dialect("\t"),
    "semicolon-csv": Dialect(";"),
    "pipe-csv": Dialect("|"),
}
"""The formats with a delimiter."""
