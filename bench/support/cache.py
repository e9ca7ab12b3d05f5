"""Where what can be fetched or made again lies on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CACHE_VARIABLE = "BENCH_CACHE"
"""The environment variable that replaces the platform's cache folder."""


def cache_folder() -> Path:
    """The folder for what can be made or fetched again: weights, embeddings, published data.

    ``$BENCH_CACHE``, else ``bench-arabic`` in the platform's cache folder: ``$XDG_CACHE_HOME`` or ``~/.cache``,
    ``~/Library/Caches`` on macOS, ``%LOCALAPPDATA%`` on Windows.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "bench-arabic"
