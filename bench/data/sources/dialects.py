"""The delimiters and quoting of tables with a delimiter."""

from __future__ import annotations

import re
from dataclasses import dataclass

NONE = "none"
"""The name of the quoting of a table whose quotation marks are part of the texts."""

QUOTES: dict[str, dict[str, object]] = {
    "double": {"quotechar": '"'},
    "single": {"quotechar": "'"},
    "backslash": {"quotechar": '"', "escapechar": "\\"},
}
"""Kinds of quoting, with the options of `csv.reader`: double marks that are doubled inside, single marks, or
double marks with a backslash before inner ones."""

QUOTINGS = (*QUOTES, NONE)

NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
"""The names of delimiters in messages."""

EXCEL_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""The line that tells Excel a table's delimiter."""


@dataclass(frozen=True)
class Dialect:
    """How the cells of a table are separated and quoted.

    Parameters
    ----------
    delimiter : str
        The delimiter.
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
