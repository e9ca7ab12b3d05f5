"""``bench check``: whether models keep the rules, and what was done to a task's data."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import click

from bench.cli.words import words

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.models.model import Model

_WIDTH = 80


@click.command(
    name="check",
    epilog="""\b
Examples:
  bench check model=mine
  bench check model=logreg,linear-svm
  bench check model=logreg model.params.max_iter=50
  bench check model=all
  bench check task=stance
""",
)
@words()
def command(words: tuple[str, ...]) -> None:
    """Try the rules that every model must keep, or build a task and say what was done to its data.

    The exit status is 0 where every rule passes, 1 where one fails.
    """
    from bench.catalogue import load_model, load_task
    from bench.config import compose, parse_overrides
    from bench.errors import ConfigError

    named = parse_overrides(words).keys() & {"model", "task"}
    if not named:
        raise ConfigError("What is to be checked?", "bench check model=NAME or task=NAME")
    config = compose(words, needs_task=False)
    for name in config.tasks:
        _describe(load_task(name, config.task_overrides, config.mirror))
    if "model" in named:
        passed = [_check(load_model(name, config.model_overrides)) for name in config.models]
        sys.exit(0 if all(passed) else 1)


def _describe(task: Task) -> None:
    from bench.report.terminal import short_path

    counts = ", ".join(f"{label} {int((task.y == label).sum())}" for label in task.labels)
    click.echo(f"{click.style(task.name, bold=True)}  {short_path(str(task.origin))}")
    for line in (f"{len(task)} examples: {counts}.", *task.notes):
        click.echo(textwrap.fill(line, _WIDTH, initial_indent="- ", subsequent_indent="  "))


def _check(model: Model) -> bool:
    from bench.models.conformance import iter_checks
    from bench.report.terminal import short_path

    click.echo(f"{click.style(model.name, bold=True)}  {short_path(model.origin)}")
    failed = tried = 0
    for result in iter_checks(model):
        tried += 1
        failed += not result.passed
        verdict = click.style("pass", fg="green") if result.passed else click.style("FAIL", fg="red", bold=True)
        click.echo(f"{result.code}  {verdict}  {result.name}")
        for line in result.reason.splitlines():
            click.echo(textwrap.fill(line, _WIDTH, initial_indent=" " * 11, subsequent_indent=" " * 11))
    click.echo(f"{failed} of {tried} rules fail.\n" if failed else f"All {tried} rules pass.\n")
    return not failed
