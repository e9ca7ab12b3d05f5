"""What a killed or disturbed command leaves in a store."""

from __future__ import annotations

from pathlib import Path

from bench.results.asked import ASKED
from bench.tracking.origin import ID


def half_written(results: Path) -> list[Path]:
    """What is neither a stored file, a lock, the moment of a reuse nor the name of the folder in MLflow."""
    return [path for path in results.rglob(".*") if path.name not in (ASKED, ID) and not path.name.endswith(".lock")]
