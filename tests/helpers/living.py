"""Look at folders that other processes change meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from fnmatch import filter as matching
from pathlib import Path


def files_in(folder: Path, pattern: str) -> list[Path]:
    """The files below a folder whose names match; a folder that vanishes on the way is left out."""
    return [Path(place) / name for place, _, names in os.walk(folder) for name in matching(names, pattern)]


def wait_for(happened: Callable[[], object], seconds: float = 60, *, pause: float = 0.05) -> bool:
    """Wait until this has happened, and say whether it did."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
