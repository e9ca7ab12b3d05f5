"""Who may use MLflow's page, and which files it may reach: a token, the request's origin, and one folder of artifacts.

The loopback address is open to every user of a machine and to every page in a browser. So a request must bring the
token that `bench ui` printed, must have been meant for this address, and must not come from another page.
"""

from __future__ import annotations

import hmac
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"
"""The key of the token in the address that is opened."""

READING = ("GET", "HEAD", "OPTIONS")

NOT_OFFERED = (
    "mlflow-artifacts",
    "gateway",
    "webhooks",
    "workspaces",
    "assistant",
    "jobs",
    "prompt-optimization",
    "mcp-servers",
    "scorers",
)
"""Parts of MLflow's server that reach other machines, run programs or write files by path; they can be read only."""

LOCATIONS = {"experiments/create": "artifactlocation", "model-versions/create": "source"}
"""Requests that name a place of files, and the field that does."""

_LARGEST = 2**20
"""Bytes of a request that names a place."""


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


class Guard:
    """An ASGI application in front of another, which lets through what the owner of the token asks for.

    The token is in the address that is opened first, which sets a cookie; programs send it as
    ``Authorization: Bearer``, as MLflow's client does with ``MLFLOW_TRACKING_TOKEN``.

    Parameters
    ----------
    app : ASGI application
        MLflow's.
    token : str
        See `new_token`.
    port : int
        Where the page is served.
    root : pathlib.Path or None
        The folder of artifacts; None lets no request name a place.
    """

    def __init__(self, app: ASGIApp, token: str, port: int, root: Path | None) -> None:
        self._app, self._token, self._root = app, token, root
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        # Cookies are shared by all ports of an address.
        self._cookie = f"bench-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        opening = self._is_opening(scope)
        refusal = self._foreign(headers, opening) or self._unknown(headers, opening) or _not_offered(scope)
        if refusal is not None:
            await _refuse(scope, send, refusal)
            return
        if (field := _field(scope)) is not None:
            body = await _body(receive)
            if body is None or not self._is_inside(body, field):
                await _refuse(scope, send, "Artifacts lie in the results folder alone; leave the place out.")
                return
            receive = _again(body)
        await self._app(scope, receive, self._with_cookie(send) if opening else send)

    def _is_opening(self, scope: Scope) -> bool:
        """Whether it is the address that was printed."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] not in READING:
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get(TOKEN, [""])
        return self._is_token(given[0])

    def _foreign(self, headers: dict[str, str], opening: bool) -> str | None:
        """Why a request was not meant for this address by a page of it, None where it was."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return "This page is served under another name: open the address that bench ui printed."
        site = headers.get("sec-fetch-site", "none")
        if (origin is not None and origin != f"http://{host}") or (site not in ("same-origin", "none") and not opening):
            return "A request from another page is refused."
        return None

    def _unknown(self, headers: dict[str, str], opening: bool) -> str | None:
        """What to say to who does not bring the token, None to who does."""
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if opening or self._is_token(self._stored(headers)) or (kind.lower() == "bearer" and self._is_token(bearer)):
            return None
        return "Open the address that bench ui printed when it started; it ends in a token."

    def _stored(self, headers: dict[str, str]) -> str:
        # Other programs' cookies for this address may be in any form, which http.cookies would stop at.
        cookies = dict(part.strip().partition("=")[::2] for part in headers.get("cookie", "").split(";"))
        return cookies.get(self._cookie, "")

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _with_cookie(self, send: Send) -> Send:
        cookie = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(b"set-cookie", cookie.encode()), (b"referrer-policy", b"no-referrer")]
                message = {**message, "headers": [*message.get("headers", []), *added, (b"cache-control", b"no-store")]}
            await send(message)

        return sending

    def _is_inside(self, body: bytes, field: str) -> bool:
        """Whether a place that a request names, if any, is in the folder of artifacts."""
        try:
            content = json.loads(body or b"{}")
            content = json.loads(content) if isinstance(content, str) else content
        except (ValueError, RecursionError):
            return False
        if not isinstance(content, dict):
            return False
        # MLflow takes both artifact_location and artifactLocation.
        named = [value for key, value in content.items() if key.replace("_", "").lower() == field]
        return all(not value or is_inside(value, self._root) for value in named)


def is_inside(place: object, root: Path | None) -> bool:
    """Whether a place of artifacts is a folder in another, or one that MLflow resolves to a run or model of its own.

    Parameters
    ----------
    place : object
        A URI or a path.
    root : pathlib.Path or None
        The folder; None holds nothing.

    Examples
    --------
    >>> root = Path("/data/mlartifacts")
    >>> [is_inside(place, root) for place in ("file:///data/mlartifacts/1", "models:/m-1")]
    [True, True]
    >>> [is_inside(place, root) for place in ("/data/mlartifacts/../..", "file://host/data", "s3://bucket")]
    [False, False, False]
    """
    if not isinstance(place, str) or "\0" in place:
        return False
    parts = urlsplit(place)
    if parts.scheme in ("models", "runs"):
        return ".." not in unquote(unquote(parts.path)).split("/")
    if root is None or parts.scheme not in ("", "file") or parts.netloc not in ("", "localhost"):
        return False
    if parts.query or parts.fragment:
        return False
    path = unquote(parts.path) if parts.scheme else place
    return Path(path).is_absolute() and Path(path).resolve().is_relative_to(root.resolve())


def confine(root: Path) -> None:
    """Let MLflow, in this process, reach artifacts in one folder only, whatever its database says.

    A database may be another user's, or somebody may have written to it: the places in it are then of their choice.

    Parameters
    ----------
    root : pathlib.Path
        The folder.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry as registry
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    class Confined(LocalArtifactRepository):
        def __init__(self, artifact_uri: str, *rest: Any, **named: Any) -> None:
            super().__init__(artifact_uri, *rest, **named)
            if not Path(self.artifact_dir).resolve().is_relative_to(root.resolve()):
                _deny(artifact_uri)

    def _deny(artifact_uri: str, *rest: Any, **named: Any) -> Any:
        raise MlflowException(
            f"{artifact_uri} is outside of {root}, where the artifacts of stored runs are; it is not opened.",
            error_code=PERMISSION_DENIED,
        )

    for scheme in list(registry.get_registered_artifact_repositories()):
        if scheme in ("", "file"):
            registry.register(scheme, Confined)
        elif scheme not in ("runs", "models"):
            registry.register(scheme, _deny)


def _sections(scope: Scope) -> list[str]:
    return [part.lower() for part in unquote(scope["path"]).split("/") if part]


def _not_offered(scope: Scope) -> str | None:
    if scope["type"] != "http":
        return "This page has no such connections."
    found = set(_sections(scope)) & set(NOT_OFFERED)
    if scope["method"] not in READING and found:
        return f"bench ui shows stored runs; {', '.join(sorted(found))} of MLflow's server cannot be used here."
    return None


def _field(scope: Scope) -> str | None:
    """The field of a request that names a place, None where there is none."""
    if scope["method"] in READING:
        return None
    return LOCATIONS.get("/".join(_sections(scope)[-2:]))


async def _body(receive: Receive) -> bytes | None:
    """A request's whole body, None where it is too large or broken off."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _LARGEST:
            return None
    return body


def _again(body: bytes) -> Receive:
    """What gives a body that was read already."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return parts.pop() if parts else {"type": "http.disconnect"}

    return receive


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": f"{reason}\n".encode()})
