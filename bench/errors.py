"""The errors that `bench` reports to its user as one message, never as a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Something failed while running; the command ends with exit status 1.

    Parameters
    ----------
    message : str
        What is wrong and where (file, line or key), and what was expected.
    hint : str, optional
        What to do about it.
    """

    exit_status = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

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


def describe_os_error(error: OSError) -> str:
    """Say what the operating system refused, with the file where it names one."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."


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
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Choose from: {', '.join(known)}."
