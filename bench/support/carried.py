"""Files that an object depends on, listed so that they can be sent to another machine with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CarriedFile:
    """A file that is part of an object, instead of its content.

    Parameters
    ----------
    path : pathlib.Path
        Where it is on this machine.
    """

    path: Path
