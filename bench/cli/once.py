"""Reject repeated options that take one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from bench.errors import ConfigError


def refuse_repeats(command: click.Command, parent: click.Context, words: Sequence[str]) -> None:
    """Reject a repeated option that takes one value. Click would silently use the last one.

    Flags may be repeated because their meaning does not change.

    Parameters
    ----------
    command : click.Command
        The command of the words; for a group, its subcommand is examined.
    parent : click.Context
        The context of the command.
    words : sequence of str
        The words after the command's name.

    Raises
    ------
    bench.errors.ConfigError
        If an option is given several values.
    """
    context = click.Context(command, info_name=command.name, parent=parent)
    try:
        values, rest, order = command.make_parser(context).parse_args(list(words))
    except click.UsageError:
        return  # the real parser reports it better
    for option, times in Counter(order).items():
        if isinstance(option, click.Option) and times > 1 and not (option.multiple or option.is_flag or option.count):
            raise ConfigError(
                f"{option.opts[0]} is repeated {times} times, but takes one value.",
                f"Only the last, {values[option.name]!r}, would count. Give it once.",
            )
    if isinstance(command, click.Group) and rest and (inner := command.get_command(context, rest[0])) is not None:
        refuse_repeats(inner, context, rest[1:])
