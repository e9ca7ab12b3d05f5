"""Workers start with what their first unit needs."""

from __future__ import annotations

import sys
from unittest.mock import patch

from bench.engines.engine import Unit, Value, outcome_of
from bench.planning.workers import open_engine


def further_work() -> tuple[int, list[str]]:
    """How often all installed packages are read by a first look at labels, and the modules that a cell would load."""
    from sklearn.utils.multiclass import type_of_target

    before = set(sys.modules)
    with patch("importlib.metadata.entry_points", return_value=[]) as read:
        type_of_target(["a", "b"])
        import bench.running.cells  # noqa: F401
    return read.call_count, sorted(set(sys.modules) - before)


def test_the_first_unit_of_a_worker_finds_the_libraries_loaded() -> None:
    with open_engine() as engine:
        assert outcome_of(engine, Unit(further_work)) == Value((0, []))
