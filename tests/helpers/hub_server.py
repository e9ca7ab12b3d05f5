"""A server on this machine that answers as the Hugging Face Hub does, for one repository at one commit."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Repository(http.server.BaseHTTPRequestHandler):
    """The answers; `files` are what the repository has, and `sizes` what the Hub says of some of them."""

    kind: ClassVar[str] = "models"
    name: ClassVar[str] = "owner/bert"
    files: ClassVar[dict[str, bytes]] = {}
    sizes: ClassVar[dict[str, int]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = unquote(self.path.partition("?")[0])
        api, folder = f"/api/{self.kind}/{self.name}", "" if self.kind == "models" else f"/{self.kind}"
        if path in (api, f"{api}/revision/{COMMIT}"):
            listed = self._listed("rfilename")
            self._answer(json.dumps({"id": self.name, "sha": COMMIT, "siblings": listed, "tags": []}))
        elif path == f"{api}/tree/{COMMIT}":
            self._answer(json.dumps(self._listed("path")))
        elif path.startswith(f"{api}/tree/{COMMIT}/"):
            self._answer('{"error": "no such folder"}', 404, "EntryNotFound")
        elif path.startswith(f"{folder}/{self.name}/resolve/{COMMIT}/"):
            name = path.rpartition("/")[2]
            self._answer(self.files.get(name, b""), 200 if name in self.files else 404, "EntryNotFound")
        else:
            self._answer('{"error": "Repository not found"}', 404)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        self.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = json.loads(body) if body.startswith("{") else parse_qs(body)
        self._answer(json.dumps([each for each in self._listed("path") if each["path"] in given.get("paths", ())]))

    def _listed(self, key: str) -> list[dict[str, Any]]:
        return [
            {
                key: name,
                "type": "file",
                "size": self.sizes.get(name, len(content)),
                "oid": hashlib.sha1(content).hexdigest(),
            }
            for name, content in self.files.items()
        ]

    def _answer(self, content: str | bytes, status: int = 200, error: str = "RepoNotFound") -> None:
        body = content.encode() if isinstance(content, str) else content
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if status == 404:
            self.send_header("X-Error-Code", error)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(kind: str, name: str, files: Mapping[str, bytes]) -> Iterator[tuple[type[Repository], str]]:
    """Serve a repository; yields what answers, and the address."""

    class Answers(Repository):
        pass

    Answers.kind, Answers.name, Answers.files, Answers.sizes, Answers.asked = kind, name, dict(files), {}, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Answers, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
