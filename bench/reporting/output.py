r"""The one way in which text goes to standard output and standard error, beside the tables of `bench.reporting.terminal`.

Names and texts may be somebody else's: of a results folder, a task, an endpoint. What in them would move a terminal's
cursor, ring its bell or turn the order of its letters round is written out (``\x1b``, ``\u202e``), also where the
output is a file or a pipe, which somebody reads in a terminal later. Letters of every script stay as they are.
"""

from __future__ import annotations

import warnings
from typing import Any, TextIO

import click

from bench.errors import HIDDEN, escaped


class Styled(str):
    """A text with colours, made by `styled`: what it held is written out already."""


def styled(text: str, **style: Any) -> Styled:
    """Give a text colours, as `click.style` takes them."""
    return Styled(click.style(escaped(text), **style))


def say(*parts: str, err: bool = False, nl: bool = True, file: TextIO | None = None) -> None:
    """Print a text.

    Parameters
    ----------
    *parts : str
        What it is made of; those that are not `Styled` are written out.
    err : bool
        Whether it goes to standard error.
    nl : bool
        Whether the line ends after it.
    file : file, optional
        Where it goes instead.
    """
    text = "".join(part if isinstance(part, Styled) else escaped(part) for part in parts)
    click.echo(text, file=file, nl=nl, err=err)


def in_quotes(text: str) -> str:
    r"""Write out what JSON and YAML in double quotes can write as an escape, which means the same.

    Examples
    --------
    >>> in_quotes('{"text": "a\u202eb"}')
    '{"text": "a\\u202eb"}'
    """
    return HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def escape_warnings() -> None:
    """Let warnings of libraries, which may quote names, go the same way."""
    usual = warnings.formatwarning
    warnings.formatwarning = lambda *told, **also: escaped(usual(*told, **also))
