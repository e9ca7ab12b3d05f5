"""A real server of chat completions on this machine, which can fail in all the ways that servers do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What is sent back: a body as it stands, after a while, once `until` requests came; status 0 drops the line."""

    body: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    until: int = 0


def completion(content: str | None, tokens: int | None = 10, finish: str = "stop") -> Reply:
    """A chat completion as OpenAI's interface has it."""
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish}],
    }
    if tokens is not None:
        body["usage"] = {"total_tokens": tokens}
    return Reply(json.dumps(body))


class ChatServer:
    """Answers on a free port while it is entered; keeps each request's body and headers, and when it came."""

    def __init__(self, reply: Callable[[dict[str, Any]], Reply]) -> None:
        self.reply = reply
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._first: list[Reply] = []

    def fail_first(self, *replies: Reply) -> None:
        """Send these before the ordinary ones."""
        self._first = list(replies)

    @property
    def url(self) -> str:
        """What stands before /chat/completions."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ChatServer:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Note a request, and say what is sent back."""
        request = json.loads(body)
        with self._lock:
            self.bodies.append(request | {"path": path})
            self.headers.append(headers)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            reply = self._first.pop(0) if self._first else None
        reply = reply or self.reply(request)
        time.sleep(reply.after)
        while len(self.bodies) < reply.until:
            time.sleep(0.01)
        with self._lock:
            self._at_once -= 1
        return reply


def _handler(chat: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            headers = dict(self.headers.items())
            reply = chat.answer(self.path, headers, self.rfile.read(int(self.headers["Content-Length"])))
            if reply.status == 0:
                self.close_connection = True
                return
            content = reply.body.replace("$AUTHORIZATION", headers.get("Authorization", "")).encode()
            with suppress(OSError):
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *words: object) -> None:
            pass

    return Handler
