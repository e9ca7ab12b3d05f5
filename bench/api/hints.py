"""Errors of functions as a caller in Python reads them: `label="COLUMN"`, where the command line has `--label`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from bench.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")

_OPTION = re.compile(r"(?<![\w-])--(?P<name>[a-z]+(?:-[a-z]+)*)(?: (?P<value>'[^']*'|[^\s']+?(?=[.,:;]?(?:\s|$))))?")
_NUMBER = re.compile(r"-?\d+")
_NO_VALUES = ("and", "or", "compares")
"""Words that follow an option in a sentence."""


def in_python(function: Callable[P, R]) -> Callable[P, R]:
    """Have the errors of a function name its arguments instead of options of the command line."""
    flags = flags_of(function)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except UserError as error:
            error.message = as_arguments(error.message, flags)
            error.hint = None if error.hint is None else as_arguments(error.hint, flags)
            error.args = (error.message,)
            raise

    return called


def flags_of(function: Callable[..., object]) -> dict[str, bool]:
    """The names of a function's arguments, and whether each is true or false."""
    named = inspect.signature(function).parameters
    return {name: str(each.annotation).startswith("bool") for name, each in named.items()}


def as_arguments(told: str, flags: Mapping[str, bool]) -> str:
    """Write the options of a message as arguments.

    Parameters
    ----------
    told : str
        The message.
    flags : mapping of str to bool
        The names of the arguments, and whether each is true or false.

    Examples
    --------
    >>> as_arguments("Choose another with --label COLUMN.", {"label": False})
    'Choose another with label="COLUMN".'
    >>> as_arguments("Accept them with --allow-repeats, or convert it: iconv --text", {"allow_repeats": True})
    'Accept them with allow_repeats=True, or convert it: iconv --text'
    """

    def written(found: re.Match[str]) -> str:
        name, value = found["name"].replace("-", "_"), found["value"]
        negated = name == "month_first"
        name = "day_first" if negated else name
        if name not in flags:
            return found[0]
        after = "" if value is None else f" {value}"
        if flags[name]:
            return f"{name}={not negated}{after}"
        if value is None or value in _NO_VALUES:
            return f"{name}{after}"
        plain = value.strip("'")
        return f"{name}={plain}" if _NUMBER.fullmatch(plain) else f'{name}="{plain}"'

    return _OPTION.sub(written, told)
