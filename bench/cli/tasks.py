"""``bench tasks``."""

from __future__ import annotations

import click


@click.command(name="tasks", epilog="\b\nExample:\n  bench tasks")
def command() -> None:
    """List the tasks there are, with where each comes from."""
    from bench.data.definition import read_definition
    from bench.discovery import task_files
    from bench.errors import UserError
    from bench.reporting.terminal import print_list, short_path

    rows = []
    for name, path in task_files().items():
        try:
            description = str(read_definition(path).get("description", ""))
        except UserError as error:
            description = f"broken: {error.message}"
        rows.append((name, description, short_path(str(path))))
    print_list(rows)
