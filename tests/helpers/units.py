"""Units of work that end in each way a unit can end, and a state that counts them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any


class OddError(Exception):
    """Cannot be made again of its message."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class Deadly:
    """Ends the process that pickles it."""

    def __reduce__(self) -> str:
        os._exit(5)


class Unreadable:
    """Pickles, and does not unpickle."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return int, ("no number",)


class Counting:
    """A state that counts its units."""

    def __init__(self, start: int) -> None:
        self.count, self.process = start, os.getpid()

    def next(self) -> tuple[int, int]:
        self.count += 1
        return self.count, self.process


def fail(kind: str) -> object:
    match kind:
        case "raises":
            raise ValueError("no such luck")
        case "oddly":
            raise OddError("one", "two")
        case "lambda":
            return lambda: 1
        case "deadly":
            return Deadly()
        case "unreadable":
            return Unreadable()
        case "exit":
            raise SystemExit(4)
        case "words":
            raise SystemExit("words")
        case "interrupt":
            raise KeyboardInterrupt
        case _:
            os._exit(int(kind)) if int(kind) >= 0 else os.kill(os.getpid(), -int(kind))
            return time.sleep(60)
