"""Progress messages."""

from __future__ import annotations

from collections.abc import Callable

Doing = Callable[[str], None]
"""Receives the current activity, in a few words."""


def unobserved(what: str) -> None:
    """Tell nobody what is being done."""
