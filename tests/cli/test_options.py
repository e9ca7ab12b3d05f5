"""An option that takes one value refuses two, in every command."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
import pytest

from bench.cli import COMMANDS, cli

Bench = Callable[..., tuple[int, str, str]]


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands of a group and of the groups in it, each with its names."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield (*names, name), command


SINGLE = [
    (names, option)
    for names, command in commands(cli)
    for option in command.params
    if isinstance(option, click.Option) and not (option.multiple or option.is_flag or option.count)
]


def test_there_are_such_options_in_many_commands() -> None:
    assert len(SINGLE) >= 10
    assert {names[0] for names, _ in SINGLE} <= COMMANDS.keys()
    assert len({names for names, _ in SINGLE}) >= 4


@pytest.mark.parametrize(
    ("names", "option"), SINGLE, ids=[f"{' '.join(names)} {option.opts[0]}" for names, option in SINGLE]
)
def test_an_option_that_takes_one_value_refuses_two(bench: Bench, names: tuple[str, ...], option: click.Option) -> None:
    for words in ((option.opts[0], "a", option.opts[-1], "b"), (f"{option.opts[0]}=a", "x", f"{option.opts[0]}=a")):
        status, printed, told = bench(*names, *words)
        assert (status, printed) == (2, "")
        assert f"{option.opts[0]} is repeated 2 times, but takes one value." in told


def test_a_flag_may_be_repeated(bench: Bench) -> None:
    assert "--force is given" not in bench("new", "model", "--force", "--force", "No Name")[2]
