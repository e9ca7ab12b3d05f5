"""A server on this machine that answers a request with any bytes, as many and as slowly as it likes."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
"""The first lines of an answer."""


def completion_of(content: str) -> bytes:
    """A whole answer of one completion."""
    body = json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}).encode()
    return OK + b"Content-Length: %d\r\n\r\n" % len(body) + body


def endless_body() -> Iterator[bytes]:
    yield OK + b"\r\n"
    yield from itertools.repeat(b" " * 2**16)


def endless_chunks() -> Iterator[bytes]:
    yield OK + b"Transfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"10000\r\n" + b" " * 2**16 + b"\r\n")


def endless_header() -> Iterator[bytes]:
    yield OK
    yield from (b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in itertools.count())


def endless_line() -> Iterator[bytes]:
    yield OK + b"X: "
    yield from itertools.repeat(b"y" * 2**16)


def slow_header() -> Iterator[bytes]:
    yield OK
    while True:
        time.sleep(0.05)
        yield b"X"


def slow_body() -> Iterator[bytes]:
    yield OK + b"Content-Length: 100000\r\n\r\n"
    while True:
        time.sleep(0.05)
        yield b" "


def silence() -> Iterator[bytes]:
    while True:
        time.sleep(0.05)
        yield b""


def compressed(times: int = 1, size: int = 2**30) -> Callable[[], Iterator[bytes]]:
    """Spaces, compressed so often; a gibibyte of them takes some 1 MiB, and 4 KiB compressed twice."""
    block = b" " * 2**20

    def answer() -> Iterator[bytes]:
        content = gzip.compress(block) * (size // 2**20)
        for _ in range(times - 1):
            content = gzip.compress(content)
        named = ", ".join(["gzip"] * times).encode()
        yield OK + b"Content-Encoding: " + named + b"\r\nContent-Length: %d\r\n\r\n" % len(content) + content

    return answer


@contextmanager
def serving(answer: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """Answer each request so while it is entered; gives what stands before /chat/completions."""
    ended = threading.Event()

    def one(connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            connection.settimeout(5)
            connection.recv(2**16)
            for part in answer():
                if ended.is_set():
                    return
                connection.sendall(part)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            ended.set()
