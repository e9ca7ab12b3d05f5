"""``bench models``."""

from __future__ import annotations

import click


@click.command(name="models", epilog="\b\nExample:\n  bench models")
def command() -> None:
    """List the models there are, with where each comes from."""
    from bench.catalogue import load_model, model_names
    from bench.errors import UserError
    from bench.report.terminal import print_list, short_path

    rows = []
    for name in model_names():
        try:
            model = load_model(name)
        except UserError as error:
            rows.append((name, f"broken: {error.message}", ""))
        else:
            rows.append((name, model.description, short_path(model.origin)))
    print_list(rows)
