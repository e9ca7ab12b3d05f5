"""Spending limits, in calls and in tokens."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from bench.errors import BenchError
from bench.llm.completion import Completion

MOST_TOKENS = 2**40
"""More tokens than any response can use."""


class Budget:
    """Counts calls and tokens, and rejects another call once a limit is reached; safe with several threads.

    Parameters
    ----------
    max_calls : int or None
        The most calls, including retries.
    max_total_tokens : int or None
        Tokens of prompts and answers, as the endpoint counts them. They are known only after a call, so calls that
        are under way when the limit is reached go beyond it.

    Examples
    --------
    >>> budget = Budget(max_calls=1, max_total_tokens=None)
    >>> budget.take_call()
    >>> budget.take_call()
    Traceback (most recent call last):
    ...
    bench.errors.BenchError: The limit max_calls=1 is reached. Raise it to continue.
    """

    def __init__(self, max_calls: int | None, max_total_tokens: int | None) -> None:
        self.max_calls = max_calls
        self.max_total_tokens = max_total_tokens
        self.calls = 0
        self.tokens = 0
        self._lock = threading.Lock()

    def take_call(self) -> None:
        """Count a call before it is made.

        Raises
        ------
        bench.errors.BenchError
            If a limit is reached.
        """
        with self._lock:
            if self.max_calls is not None and self.calls >= self.max_calls:
                raise BenchError(f"The limit max_calls={self.max_calls} is reached. Raise it to continue.")
            if self.max_total_tokens is not None and self.tokens >= self.max_total_tokens:
                raise BenchError(
                    f"The limit max_total_tokens={self.max_total_tokens} is reached, with {self.tokens} used; "
                    "raise it to continue."
                )
            self.calls += 1

    def add_tokens(self, completion: Completion) -> None:
        """Count the tokens that a response reports.

        Raises
        ------
        bench.errors.BenchError
            If it does not report them, but tokens are limited.
        """
        usage = completion.get("usage")
        total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
        if not isinstance(total, int) or isinstance(total, bool) or not 0 <= total < MOST_TOKENS:
            if self.max_total_tokens is None:
                return
            raise BenchError(
                "The endpoint does not report how many tokens it used, so max_total_tokens cannot be enforced. "
                "Set it to null, and limit the spending with max_calls."
            )
        with self._lock:
            self.tokens += total
