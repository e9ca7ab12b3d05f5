"""Telling what is being done while it is done."""

from __future__ import annotations

from collections.abc import Callable

Doing = Callable[[str], None]
"""Is told what is being done, in a few words."""


def unobserved(what: str) -> None:
    """Tell nobody what is being done."""
