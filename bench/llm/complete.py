"""Many requests at a time: from the cache if possible, else from the endpoint within the budget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bench.errors import BenchError
from bench.llm.budget import Budget
from bench.llm.cache import ResponseCache, request_key
from bench.llm.completion import Completion
from bench.llm.endpoint import Endpoint

T = TypeVar("T")


def complete(
    bodies: Sequence[Mapping[str, object]],
    endpoint: Endpoint,
    cache: ResponseCache,
    budget: Budget,
    concurrency: int,
    read: Callable[[Completion], T],
) -> tuple[list[T], int]:
    """Answer requests, equal ones once.

    Parameters
    ----------
    bodies : sequence of mapping
        The requests' bodies.
    endpoint : Endpoint
        Where those go that the cache lacks.
    cache : ResponseCache
        Every response is stored as it comes.
    budget : Budget
        What may be spent.
    concurrency : int
        How many requests are made at the same time.
    read : callable
        Extracts the result from a response. The responses themselves, which may be large, stay on disk.

    Returns
    -------
    (list, int)
        What was read of the response to each request, and how many different requests the cache answered.

    Raises
    ------
    bench.errors.BenchError
        If a limit is reached, or the endpoint rejects or fails. It reports how many answers are kept.
    """
    keys = [request_key(endpoint.url, body) for body in bodies]
    requests = dict(zip(keys, bodies, strict=True))
    found = {key: read(response) for key, response in cache.read(list(requests))}
    missing = [key for key in requests if key not in found]
    made = set[bytes]()
    errors = list[Exception]()
    stop = threading.Event()

    def answer(key: bytes) -> None:
        if stop.is_set():
            return
        try:
            ask(key)
        except Exception as error:
            errors.append(error)
            stop.set()

    def ask(key: bytes) -> None:
        with cache.claimed(key):
            response = next((each for _, each in cache.read([key])), None)
            asked = response is None
            if response is None:
                response = endpoint.ask(requests[key], budget.take_call, stop)
                cache.write(key, response)
                made.add(key)
            found[key] = read(response)
        if asked:
            budget.add_tokens(response)

    with ThreadPoolExecutor(concurrency) as threads:
        for key in missing:
            threads.submit(answer, key)
    if errors:
        # The first, for the others may have been cut short by it.
        if not isinstance(errors[0], BenchError):
            raise errors[0]
        kept = f"{len(found)} of {len(requests)} requests are answered and kept in the cache"
        raise BenchError(f"{errors[0].message.rstrip('.')}. {kept}. Another run continues from there.") from None
    return [found[key] for key in keys], len(requests) - len(made)
