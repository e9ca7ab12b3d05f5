"""The processor of this machine, by name."""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
"""Where Linux names the processor."""


@cache
def processor_name() -> str:
    """The kind of this machine's processor and, where the system tells it, its name."""
    kind, name = platform.machine() or "unknown", ""
    with suppress(OSError, UnicodeDecodeError):
        lines = CPUINFO.read_text().splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{kind}, {name}" if name else kind
