"""A benchmark harness for Arabic text classification on small labelled corpora."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.api.jobs import FailedRunWarning, run
    from bench.api.stored import Run, Runs, runs

__version__ = "0.1.0"

_HOMES = {
    "FailedRunWarning": "jobs",
    "Run": "stored",
    "Runs": "stored",
    "run": "jobs",
    "runs": "stored",
}
"""The module of `bench.api` that each public name is loaded from when it is first used."""

__all__ = ["FailedRunWarning", "Run", "Runs", "run", "runs"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bench' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"bench.api.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
