"""An OpenAI-compatible endpoint: where it is, the key for it, and one request with its retries."""

from __future__ import annotations

import json
import os
import random
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.errors import BenchError, ModelError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

URL_VARIABLE = "OPENAI_BASE_URL"
"""The environment variable with the address where a model's file has none."""

DEFAULT_URL = "http://localhost:8000/v1"
"""The address where there is no other: a server on this machine, so that no text leaves it unasked."""

RETRIED = frozenset({408, 409, 429})
"""The statuses below 500 that are tried again."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds before the first retry, doubled for each further one, and the most."""

LONGEST_ASKED_WAIT = 600.0
"""Seconds of a ``Retry-After`` that are waited; an endpoint that asks for more has refused."""

_JITTER = random.Random()

SHOWN = 300
"""Characters of a refusal that an error shows."""

SHORTEST_KEY = 8
"""Characters of the shortest key that is taken for a secret: stand-ins such as ``EMPTY`` may be words of an answer."""


def chat_url(base_url: str | None) -> str:
    """The address of chat completions.

    Parameters
    ----------
    base_url : str or None
        What stands before ``/chat/completions``; None is `URL_VARIABLE`, else `DEFAULT_URL`.

    Raises
    ------
    bench.errors.ModelError
        If it is no address of http or https, or could hold a secret. What was given is not repeated.

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
            f"llm: {named} must not hold a user, a password or a query: it is stored with every run.",
            "A key belongs in the environment variable that params.api_key_env names.",
        )
    if not sound or any(character.isspace() for character in given):
        raise ModelError(f"llm: {named} is no address.", f"Write it as {DEFAULT_URL}.")
    return f"{given.rstrip('/')}/chat/completions"


def read_key(variable: str) -> str | None:
    """The key in an environment variable, None where it is not set.

    Raises
    ------
    bench.errors.BenchError
        If it could not stand in a header of HTTP. What it is, is not repeated.
    """
    key = os.environ.get(variable, "").strip()
    if not re.fullmatch(r"[!-~]*", key):
        raise BenchError(f"The environment variable {variable} holds white space or letters that no key has.")
    return key or None


class Endpoint:
    """Chat completions at an address.

    The key is read when the endpoint is made, sent in a header, and taken out of all that comes back: some servers
    repeat a request's headers in what they answer.

    Parameters
    ----------
    url : str
        As `chat_url` gives it.
    api_key_env : str
        The environment variable with the key; no header is sent where it is not set, as local servers need none.
    timeout : float
        Seconds to wait for a connection, and for each part of a response.
    retries : int
        How often a request is made again after a failure that may pass: no connection, none to the end, status 408,
        409, 429 or 500 and above, or a body that is no chat completion.
    connections : int
        How many requests are made at the same time.
    """

    def __init__(self, url: str, api_key_env: str, timeout: float, retries: int, connections: int) -> None:
        import urllib3

        self.url = url
        self.api_key_env = api_key_env
        self.retries = retries
        self._key = read_key(api_key_env)
        self._pool = urllib3.PoolManager(maxsize=connections, block=True, timeout=timeout, retries=False)

    def ask(self, body: Mapping[str, Any], before: Callable[[], None], stop: threading.Event) -> dict[str, Any]:
        """Make a request, again where a failure may pass.

        Parameters
        ----------
        body : mapping
            The request's body.
        before : callable
            Called before each try; what it raises ends the tries.
        stop : threading.Event
            Ends the waiting between tries where it is set.

        Returns
        -------
        dict
            The body of the response: a chat completion.

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
        for number in range(self.retries + 1):
            before()
            asked_wait = None
            try:
                response = self._pool.request("POST", self.url, body=content, headers=headers, redirect=False)
            except HTTPError as error:
                problem = f"{type(error).__name__}: {self._shown(str(error))}"
            else:
                text = self._without_key(response.data.decode(errors="replace"))
                if 200 <= response.status < 300:
                    completion = _completion(text)
                    if completion is not None:
                        return completion
                    problem = f"the response is no chat completion: {self._shown(text)}"
                else:
                    problem = f"status {response.status}: {self._shown(_message(text))}"
                    if response.status not in RETRIED and response.status < 500:
                        raise BenchError(f"{self.url} refuses: {problem}{self._about_key(response.status)}")
                    asked_wait = _asked_wait(response)
            if asked_wait is not None and asked_wait > LONGEST_ASKED_WAIT:
                minutes = LONGEST_ASKED_WAIT / 60
                raise BenchError(f"{self.url} asks to wait for more than {minutes:.0f} minutes: {problem}")
            backoff = min(LONGEST_WAIT, FIRST_WAIT * 2**number) * _JITTER.uniform(0.5, 1.0)
            if number == self.retries or stop.wait(backoff if asked_wait is None else asked_wait):
                break
        raise BenchError(f"{self.url} fails, tried {'once' if number == 0 else f'{number + 1} times'}: {problem}")

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
        state = "is not set" if self._key is None else "holds a key that it does not take"
        return f" (the environment variable {self.api_key_env} {state})"


def _completion(text: str) -> dict[str, Any] | None:
    try:
        body = json.loads(text)
        message = body["choices"][0]["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return body if isinstance(message, dict) else None


def _message(text: str) -> str:
    """What a refusal says: the message in OpenAI's form, else its whole text."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return text


def _asked_wait(response: BaseHTTPResponse) -> float | None:
    """Seconds that ``Retry-After`` asks to wait, None without a sound one."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    given = response.headers.get("Retry-After")
    try:
        return None if given is None else float(Retry().parse_retry_after(given))
    except (InvalidHeader, ValueError, OverflowError):
        return None
