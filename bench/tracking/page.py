"""MLflow's page over a store, served in this process on the loopback address to who has the token."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import warnings
from collections.abc import Callable
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, UserError
from bench.metrics.registry import check_metric_name
from bench.tracking.guard import TOKEN, Guard, confine
from bench.tracking.uri import artifact_folder, artifact_root
from bench.tracking.views import page_storage

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
PORT = 5000
"""The port that MLflow's own command takes."""

OPENING = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>bench</title>
<meta name="storage" content="{storage}"><meta name="start" content="/#{start}"></head>
<body><script nonce="{nonce}">
const meta = name => document.querySelector(`meta[name=${{name}}]`).content;
try {{
  const {{settings, experiments}} = JSON.parse(meta("storage"));
  for (const [key, value] of Object.entries(settings)) localStorage.setItem(key, JSON.stringify(value));
  for (const [key, {{order, charts}}] of Object.entries(experiments)) {{
    const before = JSON.parse(localStorage.getItem(key) ?? "{{}}");
    localStorage.setItem(key, JSON.stringify({{...charts, ...before, ...order}}));
  }}
}} finally {{
  location.replace(meta("start"));
}}
</script><noscript>MLflow's page needs JavaScript.</noscript></body></html>
"""
"""What answers the address with the token: it leads to MLflow's page by one without, so that no bookmark keeps it.

It has every experiment open on its ranking; charts and pinned runs stay as they were left. A redirection would not do:
opened from another page, such as a terminal in the browser, it stays that page's request.
"""


def listen(port: int | None) -> socket.socket:
    """Take a port on the loopback address.

    Parameters
    ----------
    port : int or None
        The port; None takes `PORT`, or any free one where that is taken.

    Returns
    -------
    socket.socket

    Raises
    ------
    bench.errors.UserError
        If the port that was asked for is taken or not allowed.
    """
    for candidate in (PORT, 0) if port is None else (port,):
        taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((HOST, candidate))
            taken.listen()
        except OSError as error:
            taken.close()
            reason = error.strerror
        else:
            return taken
    raise UserError(f"--port {port}: {reason}.", "Choose another port, or leave --port out to take a free one.")


def ranked_experiments(client: MlflowClient) -> dict[str, str]:
    """The metric that ranks each task's experiment, by the experiment's id; other experiments are left out."""
    metrics = {}
    for experiment in client.search_experiments():
        with suppress(ConfigError):  # A store may hold experiments of others.
            metrics[str(experiment.experiment_id)] = check_metric_name(experiment.tags.get("bench.metric"), "metric")
    return metrics


def first_page(client: MlflowClient) -> str:
    """The part of the page that opens first: the ranking where there is one task, else the list of tasks."""
    experiments = client.search_experiments()
    if len(experiments) == 1 and "bench.task" in experiments[0].tags:
        return f"/experiments/{experiments[0].experiment_id}/runs"
    return "/experiments"


def opening_page(client: MlflowClient) -> tuple[str, str]:
    """The page that answers the address with the token, and its content security policy."""
    nonce = secrets.token_urlsafe(16)
    storage = json.dumps(page_storage(ranked_experiments(client)))
    page = OPENING.format(storage=escape(storage), nonce=nonce, start=escape(first_page(client)))
    return page, f"default-src 'none'; script-src 'nonce-{nonce}'"


def page_environment(uri: str) -> dict[str, str]:
    """The environment variables that MLflow's application reads, in a process that serves nothing else."""
    from mlflow.server.constants import ARTIFACT_ROOT_ENV_VAR, BACKEND_STORE_URI_ENV_VAR

    root = artifact_root(uri)
    return {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        BACKEND_STORE_URI_ENV_VAR: uri,
        **({ARTIFACT_ROOT_ENV_VAR: root} if root else {}),
    }


def application(uri: str, port: int, client: MlflowClient, token: str) -> ASGIApp:
    """Make MLflow's application over a store, behind a `bench.tracking.guard.Guard`; it reads its `environment`.

    Parameters
    ----------
    uri : str
        The tracking URI.
    port : int
        Where it is served.
    client : mlflow.MlflowClient
        The store, whose experiments open on their rankings.
    token : str
        What a request must bring.
    """
    # MLflow sets up its guards against requests from other sites only where it finds uvicorn imported.
    import uvicorn  # noqa: F401

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.server import app as flask
        from mlflow.server.fastapi_app import app
    from starlette.requests import Request
    from starlette.responses import FileResponse, HTMLResponse, Response
    from starlette.routing import Route

    # A store of the user's own may keep artifacts anywhere.
    folder = None if "MLFLOW_TRACKING_URI" in os.environ else artifact_folder(uri)
    if folder is not None:
        confine(folder)

    index = Path(str(flask.static_folder), "index.html")
    if index.is_file():

        def first(request: Request) -> Response:
            if TOKEN not in request.query_params:
                return FileResponse(index)
            page, policy = opening_page(client)
            return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

        app.router.routes.insert(0, Route("/", first))
    return Guard(app, token, port, folder)


def serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve MLflow's page until Ctrl-C.

    ``mlflow ui`` starts two processes and a pool of workers for a page that one person looks at;
    its application runs here instead, in half the time and memory.

    Parameters
    ----------
    app : ASGI application
        See `application`.
    listener : socket.socket
        Where to listen, as `listen` gives it.
    ready : callable
        Called once the page answers.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None, **settings: Any) -> None:
            await super().startup(sockets, **settings)
            if self.started:
                ready()

    config = uvicorn.Config(
        app, log_level="warning", access_log=False, proxy_headers=False, timeout_graceful_shutdown=2
    )
    server = Server(config)
    # Ctrl-C ends the server also while it starts, where an error would come out of the middle of it.
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run([listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
