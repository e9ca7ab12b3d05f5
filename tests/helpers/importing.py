"""Let other processes import what the tests import."""

from __future__ import annotations

import os
import sys


def same_path() -> str:
    """The value of PYTHONPATH with which another Python finds the modules that this one finds."""
    return os.pathsep.join(place for place in sys.path if place)
