"""What a worker process does: take a cell, evaluate it, send the result back."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from bench.errors import printable
from bench.results.cell import CellResult

if TYPE_CHECKING:
    from bench.evaluation.evaluation import Evaluation

PRELOADED = (
    "bench.evaluation.evaluate",
    "bench.planning.examine",
    "bench.features.cache",
    "sklearn.dummy",
    "sklearn.linear_model",
    "sklearn.pipeline",
)
"""Modules to import once, before worker processes are forked."""


def work(evaluations: Sequence[Evaluation], connection: Connection, environment: Mapping[str, str]) -> None:
    """Evaluate cells until the other end closes.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        What cells refer to by number.
    connection : multiprocessing.connection.Connection
        Cells come in as ``(number of the evaluation, fold)``, results go out.
    environment : mapping of str to str
        The environment variables; a process that is forked from a server has those of the server's start.
    """
    from bench.evaluation.evaluate import evaluate
    from bench.features.cache import FeatureCache

    _settle(environment)
    caches: dict[int, FeatureCache] = {}
    while True:
        try:
            number, fold = connection.recv()
        except EOFError:
            return
        evaluation = evaluations[number]
        cache = caches.setdefault(id(evaluation.task), FeatureCache(evaluation.task.frame))
        result = evaluate(evaluation, fold, cache)
        try:
            connection.send(result)
        except BrokenPipeError:
            return
        except Exception:
            connection.send(CellResult(fold=fold, status="failed", error=printable(traceback.format_exc())))


def answer(
    connection: Connection,
    function: Callable[..., object],
    args: tuple[object, ...],
    environment: Mapping[str, str],
    tells: bool = False,
) -> None:
    """Send what a function returns, as ``(True, value)``, or raises, as ``(False, error)``.

    One that tells what it does is given a further argument for it, and what it tells is sent as ``(None, what)``.
    """
    _settle(environment)
    try:
        telling = (lambda what: connection.send((None, what)),) if tells else ()
        reply = (True, function(*args, *telling))
    except Exception as error:
        reply = (False, error)
    with suppress(BrokenPipeError):
        connection.send(reply)


def _settle(environment: Mapping[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdout, sys.stderr = _Unfailing(sys.stdout), _Unfailing(sys.stderr)


class _Unfailing:
    """A stream that drops what cannot be written, so that a model which prints does not fail for it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
