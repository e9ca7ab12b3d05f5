"""``bench ui``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bench.cli.words import results_named, words
from bench.reporting.output import say


@click.command(
    name="ui",
    epilog="""\b
Examples:
  bench ui
  bench ui --port 5001
  bench ui results=~/study/results
""",
)
@words()
@click.option("--results", "named", type=click.Path(path_type=Path), hidden=True)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The port.  [default: 5000, or a free one if that is taken]"
)
def command(words: tuple[str, ...], named: Path | None, port: int | None) -> None:
    """Open MLflow on the stored runs, for you alone on this machine.

    The printed address ends in a token, which a cookie then keeps; nobody has access without it.

    Runs are read from results, or from results=DIR. If MLFLOW_TRACKING_URI names a database, MLflow shows that one.
    """
    from bench.reporting.status import Status

    with Status("loading libraries"):
        from bench.errors import UserError
        from bench.results.layout import run_folders
        from bench.results.store import RunFolder
        from bench.tracking.guard import TOKEN, new_token
        from bench.tracking.page import HOST, application, first_page, listen, page_environment, serve
        from bench.tracking.store import being_remade, damage_told, open_store, remaking_begins, remaking_ended
        from bench.tracking.uri import sqlite_path, tracking_uri

        results = _store(words, named)
    uri = tracking_uri(results)
    if uri.startswith(("http://", "https://")):
        say(f"MLFLOW_TRACKING_URI names a server; its page is {uri}")
        return
    path = sqlite_path(uri)
    own = path == results.resolve() / "mlflow.db"
    remade = path is not None and (not path.exists() or (own and being_remade(path)))
    lost = run_folders(results) if remade else []
    if path is not None and not path.exists() and not lost:
        raise UserError(f"{results}: no runs are stored there.", "Run a task first: bench run task=stance")
    with listen(port) as listener:
        say("Starting MLflow's page…", err=True)
        state = "is not complete" if path is not None and path.exists() else "is missing"
        if own and lost and path is not None:
            remaking_begins(path)
        client = open_store(uri)
        from bench.tracking.logged import forget_deleted
        from bench.tracking.run import track_again, track_all

        if lost:
            assert path is not None
            say(f"{path} {state}; it is made again from {len(lost)} stored runs.", err=True)
            left_out = track_all((RunFolder(path) for path in lost), client)
            if own:
                remaking_ended(path)
        else:
            with damage_told(uri):
                forgotten = forget_deleted(results, client) if own else 0
                left_out = track_again(results, client)
            if forgotten:
                say(f"{forgotten} runs are left out: their folders are gone from {results}.", err=True)
        for reason in left_out:
            say(f"left out: {reason}", err=True)
        port, token = listener.getsockname()[1], new_token()
        address = f"http://{HOST}:{port}/?{TOKEN}={token}"
        os.environ.update(page_environment(uri))
        with damage_told(uri):  # A store that cannot be read fails here, not in the browser.
            first_page(client)
        app = application(uri, port, client, token)
        serve(app, listener, lambda: say(f"MLflow's page: {address}\nStop it with Ctrl-C."))
    say("Stopped.", err=True)


def _store(words: tuple[str, ...], named: Path | None) -> Path:
    """The results folder that was named, by a word or by the option of earlier versions."""
    from bench.errors import ConfigError

    if named is not None and words:
        raise ConfigError("The results folder is named twice.", "Write it once: results=DIR")
    return results_named(words) if named is None else named
