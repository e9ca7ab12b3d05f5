"""The errors that `bench` reports to its user as one message, never as a traceback."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Characters that are invisible or change how others are shown: control characters except tab and line feed, line
separators, direction marks, zero-width spaces, and halves of surrogate pairs."""

LONGEST = 2000
"""The most characters in a line of a message. Longer lines, such as quotes of broken files, are shortened."""

MOST = 20_000
"""The most characters in a message, such as a failed fold's traceback. Longer messages are shortened."""

LONGEST_NAME = 200
"""The longest name for which to find the nearest one, since that takes quadratic time."""

_HALVES = re.compile("[\ud800-\udfff]")


class BenchError(Exception):
    """A failure while running. The command ends with exit status 1.

    Parameters
    ----------
    message : str
        What is wrong, where (file, line or key), and what was expected. It is made `printable`.
    hint : str, optional
        What to do about it.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(printable(message))
        self.message = printable(message)
        self.hint = None if hint is None else printable(hint)

    def __reduce__(self) -> tuple[type[BenchError], tuple[str | None, ...]]:
        return type(self), (self.message, self.hint)

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


class UserError(BenchError):
    """A mistake by the user. The command ends with exit status 2."""

    exit_status = 2


class ConfigError(UserError):
    """A key, name or value in a configuration or on the command line is invalid."""


class DataError(UserError):
    """A task's data, labels or annotations are invalid."""


class LeakageError(DataError):
    """A split would leak test examples into training."""


class ModelError(UserError):
    """A model's definition is invalid."""


def printable(text: str) -> str:
    r"""Escape invisible characters and those that disturb a terminal, and shorten long text.

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
    r"""Escape invisible characters and those that disturb a terminal. Nothing is shortened.

    Examples
    --------
    >>> escaped("نفى‮")
    'نفى\\u202e\\x07'
    """
    return HIDDEN.sub(_written_out, text)


def one_line(text: str, most: int = LONGEST) -> str:
    r"""Make a message `printable` on one line, such as a note or the end of a traceback.

    Examples
    --------
    >>> one_line("first\nsecond")
    'first second'
    """
    return _cut(printable(text).strip().replace("\n", " "), most)


def without_halves(text: str) -> str:
    r"""Escape halves of surrogate pairs, which occur in file names of other encodings.

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
    """Describe an error of the operating system, with the file if it names one.

    Examples
    --------
    >>> describe_os_error(OSError(28, "No space left on device", "results/run.json"))
    'results/run.json: No space left on device.'
    >>> describe_os_error(TimeoutError())
    'TimeoutError.'
    """
    where = f"{error.filename}: " if error.filename else ""
    return printable(f"{where}{error.strerror or str(error) or type(error).__name__}.")


def first_line(error: BaseException) -> str:
    r"""The first line of what a library's error says, or its type if it says nothing.

    Examples
    --------
    >>> first_line(ValueError("no such column\nin the file")), first_line(KeyError())
    ('no such column', 'KeyError')
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def nearest(name: str, choices: Iterable[str]) -> str:
    """Suggest the nearest valid name, as a hint.

    Parameters
    ----------
    name : str
        The given name.
    choices : iterable of str
        The valid names.

    Returns
    -------
    str
        A suggestion, or the list of choices if none is similar.

    Examples
    --------
    >>> nearest("stanse", ["stance", "denial"])
    "Did you mean 'stance'?"
    >>> nearest("xyz", ["stance", "denial"])
    'Choose from: denial, stance.'
    """
    name, known = str(name), sorted(set(choices))
    if not known:
        return "There are none to choose from."
    short = [each for each in known if len(each) <= LONGEST_NAME]
    near = difflib.get_close_matches(name, short, n=1, cutoff=0.6) if len(name) <= LONGEST_NAME else []
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Choose from: {', '.join(known)}."
