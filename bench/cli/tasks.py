"""``bench tasks``."""

from __future__ import annotations

import click

from bench.cli.words import print_rows, table_or_json


@click.command(name="tasks", epilog="\b\nExamples:\n  bench tasks\n  bench tasks --format json")
@table_or_json("How the list is printed.")
def command(form: str) -> None:
    """List all tasks, with their origin."""
    from bench.data.definition import read_definition
    from bench.discovery import task_files
    from bench.errors import UserError
    from bench.reporting.terminal import short_path

    rows = []
    for name, path in task_files().items():
        try:
            description = str(read_definition(path).get("description", ""))
        except UserError as error:
            description = f"broken: {error.message}"
        rows.append((name, description, short_path(str(path))))
    print_rows(rows, ("name", "description", "origin"), form)
