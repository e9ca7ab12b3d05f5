"""Files that an object rests on, named so that what sends the object to another machine can send them too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CarriedFile:
    """A file that is part of an object, in the place of what it holds.

    Parameters
    ----------
    path : pathlib.Path
        Where it is on this machine.
    """

    path: Path
