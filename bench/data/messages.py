"""Format places and lists in messages about data."""

from __future__ import annotations

import os
import re
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import HIDDEN, DataError

if TYPE_CHECKING:
    from collections.abc import Sequence


def place(path: Path, line: int) -> str:
    """Format the place of a line in a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> place(Path("labels.csv"), 3)
    'labels.csv, line 3'
    """
    return f"{path}, line {line}"


def free_name(name: str) -> str:
    """The name of a file for a command in a message to write in the current folder, where there is none of that name.

    Examples
    --------
    >>> free_name("no-such-file.csv")
    'no-such-file.csv'
    """
    path = Path(name)
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
    return str(next(each for each in chain([path], numbered) if not os.path.lexists(each)))


def check_name(name: str, where: str, what: str) -> None:
    """Reject a name with hidden characters, which would look like another name.

    Parameters
    ----------
    name : str
        An id, a label or another name.
    where : str
        The place of the name.
    what : str
        What kind of name it is.

    Raises
    ------
    bench.errors.DataError
        If it contains a character of `bench.errors.HIDDEN`, or a line end or tab.
    """
    found = HIDDEN.search(name) or _BREAK.search(name)
    if found:
        hint = "Remove it. Names that look the same must be the same."
        if "\x80" <= found[0] <= "\x9f":
            hint = "The data were probably decoded wrongly. Get the data again, and save them as UTF-8."
        raise DataError(f"{where}: the {what} {name!r} contains the hidden character U+{ord(found[0]):04X}.", hint)


_BREAK = re.compile("[\t\n]")


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Join the first `limit` names, and count the rest.

    Examples
    --------
    >>> listed(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def shortened(name: str, width: int = 60) -> str:
    """The beginning of a name that may be long.

    Examples
    --------
    >>> shortened("denial"), shortened("denial", width=4)
    ('denial', 'deni…')
    """
    return name if len(name) <= width else f"{name[:width]}…"


def not_text(value: object) -> tuple[str, str | None]:
    """Say that a value is not text, to follow its name, and what to do if it holds texts or labels.

    Examples
    --------
    >>> not_text(["a", "b"])
    ("must be text, not ['a', 'b'].", 'Join the items of each list into one text, or write one row for each item.')
    """
    hint = None
    if isinstance(value, list):
        hint = "Join the items of each list into one text, or write one row for each item."
    elif isinstance(value, dict):
        hint = "Write one column for each of its keys, or write one value into it."
    return f"must be text, not {shortened(repr(value))}.", hint
