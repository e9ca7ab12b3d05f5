"""How much slow tests try: a part of all cases with every change, and all of them in ``make thorough``."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

THOROUGH = os.environ.get("THOROUGH") == "1"


def scaled(few: T, all_of_them: T) -> T:
    """What to try now: `few` with every change, and all in ``make thorough``."""
    return all_of_them if THOROUGH else few
