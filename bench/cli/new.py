"""``bench new``: start a model of one's own."""

from __future__ import annotations

import click


@click.group(name="new", epilog="\b\nExample:\n  bench new model mine")
def command() -> None:
    """Start something of your own in the current folder."""


@command.command(
    name="model",
    epilog="""\b
Examples:
  bench new model mine
  bench new model nearest-class --force
""",
)
@click.argument("name")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def model(name: str, force: bool) -> None:
    """Write a model: its YAML file, a small classifier in Python, and a test.

    All three work as written; change them step by step.
    """
    from pathlib import Path

    from bench.models.scaffold import scaffold_model

    folder = Path.cwd()
    definition, module, test = (path.relative_to(folder) for path in scaffold_model(name, folder, force))
    click.echo(f"Wrote {definition}\n      {module}\n      {test}\n")
    click.echo(f"Next: bench check model={name}\n      pytest {test}\n      bench run task=denial model={name}")
