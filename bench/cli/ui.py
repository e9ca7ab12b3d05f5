"""``bench ui``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    name="ui",
    epilog="""\b
Examples:
  bench ui
  bench ui --port 5001
  bench ui --results ~/study/results
""",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Where runs are stored.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), help="The port.  [default: 5000, or a free one where that is taken]"
)
def command(results: Path, port: int | None) -> None:
    """Open MLflow's page over the stored runs, on this machine only.

    Where MLFLOW_TRACKING_URI names a database, the page is over that one.
    """
    from bench.report.status import Status

    with Status("loading libraries"):
        from bench.errors import UserError
        from bench.results.store import RunFolder
        from bench.tracking.page import HOST, first_page, listen, serve
        from bench.tracking.store import open_store
        from bench.tracking.uri import sqlite_path, tracking_uri

    uri = tracking_uri(results)
    if uri.startswith(("http://", "https://")):
        click.echo(f"MLFLOW_TRACKING_URI names a server; its page is {uri}")
        return
    path = sqlite_path(uri)
    lost = [] if path is None or path.exists() else sorted(results.glob("*/*/*/run.json"))
    if path is not None and not path.exists() and not lost:
        raise UserError(f"{results}: no runs are stored there.", "Run a task first: bench run task=stance")
    with listen(port) as listener:
        click.echo("Starting MLflow's page…", err=True)
        client = open_store(uri)
        if path == results.resolve() / "mlflow.db" and not lost:
            from bench.tracking.run import forget_deleted

            if forgotten := forget_deleted(results, client):
                click.echo(f"{forgotten} runs are left out: their folders are gone from {results}.", err=True)
        if lost:
            from bench.tracking.run import track

            click.echo(f"{path} is missing; it is made again from {len(lost)} stored runs.", err=True)
            for record in lost:
                try:
                    track(RunFolder(record.parent), client)
                except UserError as error:
                    click.echo(f"left out: {error.message}", err=True)
        address = f"http://{HOST}:{listener.getsockname()[1]}"
        serve(uri, listener, first_page(client), lambda: click.echo(f"MLflow's page: {address}\nStop it with Ctrl-C."))
    click.echo("Stopped.", err=True)
