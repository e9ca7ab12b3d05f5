"""The errors that `bench` reports to its user as one message, never as a traceback."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Characters that are not seen, or change how others are shown: control characters other than tab and line feed, line
separators, marks of writing direction, spaces without width, and halves of surrogate pairs."""

LONGEST = 2000
"""Characters of a message's line; of a longer one, which quotes a broken file at length, the middle is left out."""

MOST = 20_000
"""Characters of a whole message, as the traceback of a failed fold; of a longer one the middle is left out."""

LONGEST_NAME = 200
"""Characters of a name of which the nearest one is looked for, which takes their square in time."""

_HALVES = re.compile("[\ud800-\udfff]")


class BenchError(Exception):
    """Something failed while running; the command ends with exit status 1.

    Parameters
    ----------
    message : str
        What is wrong and where (file, line or key), and what was expected; it is made `printable`.
    hint : str, optional
        What to do about it.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(printable(message))
        self.message = printable(message)
        self.hint = None if hint is None else printable(hint)

    def __reduce__(self) -> tuple[type[BenchError], tuple[str, str | None]]:
        return type(self), (self.message, self.hint)

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class UserError(BenchError):
    """A mistake in what the user typed or wrote; the command ends with exit status 2."""

    exit_status = 2


class ConfigError(UserError):
    """A key, a name or a value in a configuration or on the command line is wrong."""


class DataError(UserError):
    """A task's data, labels or annotations break their contract."""


class LeakageError(DataError):
    """A split would let test examples be seen in training."""


class ModelError(UserError):
    """A model's definition cannot be built."""


def printable(text: str) -> str:
    r"""Write out the characters that would not be seen or would disturb a terminal, and shorten what is very long.

    Examples
    --------
    >>> printable("a\u202eb\x1b[2J")
    'a\\u202eb\\x1b[2J'
    """
    seen = escaped(_cut(text, 2 * MOST))
    if len(seen) <= LONGEST:
        return seen
    return _cut("\n".join(_cut(line, LONGEST) for line in seen.split("\n")), MOST)


def escaped(text: str) -> str:
    r"""Write out the characters that would not be seen or would disturb a terminal; all else stays, however long.

    Examples
    --------
    >>> escaped("نفى‮")
    'نفى\\u202e\\x07'
    """
    return HIDDEN.sub(_written_out, text)


def one_line(text: str, most: int = LONGEST) -> str:
    r"""Make a message `printable` on one line, such as a note or what a terminal shows of a traceback.

    Examples
    --------
    >>> one_line("first\nsecond")
    'first second'
    """
    return _cut(printable(text).strip().replace("\n", " "), most)


def without_halves(text: str) -> str:
    r"""Write out halves of surrogate pairs, which UTF-8 cannot hold, as file names of other encodings have them.

    Examples
    --------
    >>> without_halves("caf\udce9.txt")
    'caf\\udce9.txt'
    """
    return _HALVES.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-(most // 2) :]}"


def describe_os_error(error: OSError) -> str:
    """Say what the operating system refused, with the file where it names one."""
    where = f"{error.filename}: " if error.filename else ""
    return printable(f"{where}{error.strerror or error}.")


def nearest(name: str, choices: Iterable[str]) -> str:
    """Suggest the nearest right name, as a sentence to append to a message.

    Parameters
    ----------
    name : str
        What was given.
    choices : iterable of str
        What would have been right.

    Returns
    -------
    str
        A suggestion, or the list of choices where none is near.

    Examples
    --------
    >>> nearest("stanse", ["stance", "denial"])
    "Did you mean 'stance'?"
    >>> nearest("xyz", ["stance", "denial"])
    'Choose from: denial, stance.'
    """
    known = sorted(set(choices))
    if not known:
        return "There is none to choose from."
    short = [each for each in known if len(each) <= LONGEST_NAME]
    near = difflib.get_close_matches(name, short, n=1, cutoff=0.6) if len(name) <= LONGEST_NAME else []
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Choose from: {', '.join(known)}."
