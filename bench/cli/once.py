"""Options that take one value are given once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from bench.errors import ConfigError


def refuse_repeats(command: click.Command, parent: click.Context, words: Sequence[str]) -> None:
    """Refuse an option that takes one value and is given several, of which click would take the last.

    Flags may be repeated, since they say the same each time.

    Parameters
    ----------
    command : click.Command
        The command that the words are for; of a group, its own command is looked at.
    parent : click.Context
        The context that the command is called in.
    words : sequence of str
        What follows the command's name.

    Raises
    ------
    bench.errors.ConfigError
        If an option is given several values.
    """
    context = click.Context(command, info_name=command.name, parent=parent)
    try:
        values, rest, order = command.make_parser(context).parse_args(list(words))
    except click.UsageError:
        return  # said better where the words are parsed for good
    for option, times in Counter(order).items():
        if isinstance(option, click.Option) and times > 1 and not (option.multiple or option.is_flag or option.count):
            raise ConfigError(
                f"{option.opts[0]} is given {times} times, but it takes one value.",
                f"Only the last, {values[option.name]!r}, would be taken. Give it once.",
            )
    if isinstance(command, click.Group) and rest and (inner := command.get_command(context, rest[0])) is not None:
        refuse_repeats(inner, context, rest[1:])
