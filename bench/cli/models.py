"""``bench models``."""

from __future__ import annotations

import click

from bench.cli.encoders import FETCH, fetch_encoder, list_encoders
from bench.cli.words import print_rows, table_or_json


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from bench.discovery import model_names
    from bench.encoders.registry import encoder_names

    return [name for name in (*model_names(), *encoder_names()) if name.startswith(incomplete)]


@click.command(
    name="models",
    epilog="""\b
Examples:
  bench models
  bench models --format json
  bench models fetch finetune
""",
)
@click.argument("action", required=False, metavar="[fetch", shell_complete=lambda ctx, param, incomplete: [FETCH])
@click.argument("name", required=False, metavar="MODEL]", shell_complete=_complete)
@table_or_json("How the list is printed.")
def command(action: str | None, name: str | None, form: str) -> None:
    """List the models, and where each comes from.

    `fetch MODEL` downloads the pretrained encoders that a model uses; `bench encoders` lists encoders. It
    also takes the name of an encoder.
    """
    if action is None:
        _list_models(form)
    elif action != FETCH:
        from bench.errors import ConfigError

        raise ConfigError(f"bench models {action}: unknown subcommand.", "`bench models` or `bench models fetch`.")
    elif name is None:
        list_encoders(form)
    else:
        for encoder in _encoders_of(name):
            fetch_encoder(encoder)


def _encoders_of(name: str) -> list[str]:
    """The encoders of a model, which may be none; a name of no model is taken for an encoder's."""
    from bench.discovery import model_names
    from bench.encoders.registry import encoder_names
    from bench.errors import ConfigError

    if name not in model_names() or name in encoder_names():
        return [name]
    from bench.catalogue import load_model
    from bench.models.parameter_names import encoders_of

    model = load_model(name)
    if not (found := encoders_of(model.params, model.search.dimensions)):
        raise ConfigError(f"{name}: it uses no pretrained encoder, so there is nothing to fetch.")
    return found


def _list_models(form: str) -> None:
    from bench.catalogue import load_model
    from bench.discovery import model_names
    from bench.errors import UserError
    from bench.reporting.terminal import short_path

    rows = []
    for name in model_names():
        try:
            model = load_model(name)
        except UserError as error:
            rows.append((name, f"broken: {error.message}", ""))
        else:
            rows.append((name, model.description, short_path(model.origin)))
    print_rows(rows, ("name", "description", "origin"), form)
