"""An OpenAI-compatible endpoint: where it is, the key for it, and one request with its retries.

The server is not trusted. So an answer is read up to a limit, counted after decompression, and a request
ends by its deadline whatever the server does: it may send a byte a minute, or a header that never ends.
"""

from __future__ import annotations

import json
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.errors import BenchError, ModelError
from bench.llm.completion import Completion

URL_VARIABLE = "OPENAI_BASE_URL"
"""The environment variable with the default address."""

DEFAULT_URL = "http://localhost:8000/v1"
"""The last default: a server on this machine, so that no text leaves it without consent."""

RETRIED = frozenset({408, 409, 429})
"""The statuses below 500 that are tried again."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before the first retry, doubled for each later one, and the maximum."""

LARGEST_ANSWER = 2**22
"""Bytes of an answer, decompressed, that are read; a chat completion of 100,000 words has some 600,000."""

_PART = 2**16
"""Bytes that are read at once, after decompression too."""

_JITTER = random.Random()

SHOWN = 300
"""Characters of a refusal that an error shows."""

SHORTEST_KEY = 8
"""The shortest key that counts as a secret. Placeholders such as ``EMPTY`` may be words of an answer."""


def chat_url(base_url: str | None) -> str:
    """The address of chat completions.

    Parameters
    ----------
    base_url : str or None
        The part before ``/chat/completions``; None is `URL_VARIABLE`, else `DEFAULT_URL`.

    Raises
    ------
    bench.errors.ModelError
        If it is not an http or https address, or may contain a secret. The value is not repeated.

    Examples
    --------
    >>> chat_url("https://api.example.org/v1/")
    'https://api.example.org/v1/chat/completions'
    """
    named = "params.base_url" if base_url else f"${URL_VARIABLE}"
    given = base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    try:
        parts = urlsplit(given)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if any(mark in given for mark in "@?#"):
        raise ModelError(
            f"llm: {named} must not contain a user, a password or a query, since it is stored with every run.",
            "A key belongs in the environment variable that params.api_key_env names.",
        )
    if not sound or any(character.isspace() for character in given):
        raise ModelError(f"llm: {named} is not an address.", f"Write it as {DEFAULT_URL}.")
    return f"{given.rstrip('/')}/chat/completions"


def read_key(variable: str) -> str | None:
    """The key in an environment variable, None if it is not set.

    Raises
    ------
    bench.errors.BenchError
        If it is not valid in an HTTP header. The value is not repeated.
    """
    key = os.environ.get(variable, "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise BenchError(f"The environment variable {variable} has white space or letters that are not valid in a key.")
    return key or None


@dataclass(frozen=True)
class _Answer:
    """A response: its status, the bytes read, and its header ``Retry-After``."""

    status: int
    content: bytes
    retry_after: str | None


class Endpoint:
    """Chat completions at an address.

    The key is read when the endpoint is created, sent in a header, and removed from responses: some servers
    repeat a request's headers in their answers.

    Parameters
    ----------
    url : str
        The address from `chat_url`.
    api_key_env : str
        The environment variable with the key; without it, no header is sent, since local servers need none.
    timeout : float
        Seconds to wait for a connection, and for each part of a response.
    retries : int
        How many times to retry a request after a temporary failure: no connection, none to the end, status 408,
        409, 429 or 500 and above, or a body that is not a chat completion.
    connections : int
        How many requests are made at the same time.
    deadline : float
        Seconds that a request may take, with all its tries and the waits between them.
    """

    def __init__(
        self, url: str, api_key_env: str, timeout: float, retries: int, connections: int, deadline: float = 600.0
    ) -> None:
        import urllib3

        self.url = url
        self.api_key_env = api_key_env
        self.retries = retries
        self.deadline = deadline
        self._key = read_key(api_key_env)
        self._pool = urllib3.PoolManager(maxsize=connections, block=True, timeout=timeout, retries=False)

    def ask(self, body: Mapping[str, object], before: Callable[[], None], stop: threading.Event) -> Completion:
        """Make a request, with retries after temporary failures.

        Parameters
        ----------
        body : mapping
            The request's body.
        before : callable
            Called before each try; an exception ends the tries.
        stop : threading.Event
            Ends the waiting between tries when set.

        Returns
        -------
        Completion
            The body of the response.

        Raises
        ------
        bench.errors.BenchError
            If the endpoint refuses, or fails at every try; in one line, without the key.
        """
        from urllib3.exceptions import HTTPError

        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "bench-arabic"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        end = time.monotonic() + self.deadline
        problem = "no answer came"
        for number in range(self.retries + 1):
            before()
            asked_wait = None
            try:
                answer = self._answer(content, headers, end)
            except HTTPError as error:
                problem = f"{type(error).__name__}: {self._shown(str(error))}"
            else:
                if answer is None:
                    raise BenchError(f"{self.url} fails: {self._late(problem if number else None)}")
                if len(answer.content) > LARGEST_ANSWER:
                    raise BenchError(
                        f"{self.url} fails: its answer is larger than {LARGEST_ANSWER // 2**20} MiB, the limit of a "
                        "chat completion."
                    )
                text = self._without_key(answer.content.decode(errors="replace"))
                if 200 <= answer.status < 300:
                    completion = _completion(text)
                    if completion is not None:
                        return completion
                    problem = f"the response is not a chat completion: {self._shown(text)}"
                else:
                    problem = f"status {answer.status}: {self._shown(_message(text))}"
                    if answer.status not in RETRIED and answer.status < 500:
                        raise BenchError(f"{self.url} rejects the request: {problem}{self._about_key(answer.status)}")
                    asked_wait = _asked_wait(answer.retry_after)
            backoff = min(LONGEST_WAIT, FIRST_WAIT * 2**number) * _JITTER.uniform(0.5, 1.0)
            wait = backoff if asked_wait is None else asked_wait
            if number < self.retries and wait > end - time.monotonic():
                if asked_wait is not None:
                    raise BenchError(
                        f"{self.url} asks to wait for longer than params.deadline={self.deadline:g} allows: {problem}"
                    )
                raise BenchError(f"{self.url} fails: {self._late(problem)}")
            if number == self.retries or stop.wait(wait):
                break
        raise BenchError(f"{self.url} fails, tried {'once' if number == 0 else f'{number + 1} times'}: {problem}")

    def _answer(self, content: bytes, headers: Mapping[str, str], end: float) -> _Answer | None:
        """Make one try; None if it does not finish in time.

        The try runs in a thread that is then abandoned. A socket's time limit applies to each part that
        arrives, and an address lookup has none.
        """
        made: list[_Answer] = []
        failed: list[Exception] = []
        done, given_up = threading.Event(), threading.Event()

        def make() -> None:
            try:
                made.append(self._read(content, headers, given_up))
            except Exception as error:
                failed.append(error)
            done.set()

        threading.Thread(target=make, name="request", daemon=True).start()
        if not done.wait(max(end - time.monotonic(), 0.0)):
            given_up.set()
            return None
        if failed:
            raise failed[0]
        return made[0]

    def _read(self, content: bytes, headers: Mapping[str, str], given_up: threading.Event) -> _Answer:
        """Make one try, and read what comes back up to a little more than `LARGEST_ANSWER`."""
        response = self._pool.request(
            "POST", self.url, body=content, headers=headers, redirect=False, preload_content=False
        )
        parts, size = list[bytes](), 0
        try:
            while size <= LARGEST_ANSWER and not given_up.is_set():
                part = response.read1(_PART, decode_content=True)
                if not part:
                    response.release_conn()
                    break
                parts.append(part)
                size += len(part)
        finally:
            # A connection on which something is left to come is of no more use.
            response.close()
        return _Answer(response.status, b"".join(parts), response.headers.get("Retry-After"))

    def _late(self, problem: str | None) -> str:
        after = "" if problem is None else f"; before, {problem}"
        return f"no answer came within params.deadline={self.deadline:g} seconds, with all tries and waits{after}"

    def _shown(self, text: str) -> str:
        line = " ".join(self._without_key(text).split())
        return line[:SHOWN] + ("…" if len(line) > SHOWN else "")

    def _without_key(self, text: str) -> str:
        if self._key is None or len(self._key) < SHORTEST_KEY:
            return text
        escaped = json.dumps(self._key)[1:-1]
        for form in (escaped, escaped.replace("/", "\\/"), self._key):
            text = text.replace(form, "[key]")
        return text

    def _about_key(self, status: int) -> str:
        if status not in (401, 403):
            return ""
        state = "is not set" if self._key is None else "has a key that it does not accept"
        return f" (the environment variable {self.api_key_env} {state})"


def _completion(text: str) -> Completion | None:
    try:
        body: Completion = json.loads(text)
        message = body["choices"][0]["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return body if isinstance(message, dict) else None


def _message(text: str) -> str:
    """The message of a rejection in OpenAI's form, else its whole text."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return text


def _asked_wait(given: str | None) -> float | None:
    """The wait in seconds from ``Retry-After``; None without a valid one."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return None if given is None else float(Retry().parse_retry_after(given))
    except (InvalidHeader, ValueError, OverflowError):
        return None
