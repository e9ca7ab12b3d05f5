"""A large task gets as many worker processes as fit into memory, and the user is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bench.data.task import Task
from bench.planning import memory
from bench.planning.memory import free_memory, workers_within_memory

TASK = Task("mine", 1, "", ("text",), ("a", "b"), "macro_f1", "id", pd.DataFrame({"text": ["نص" * 1000] * 6000}))


@pytest.mark.parametrize(("gib", "workers"), [(0.1, 1), (0.6, 1), (1.3, 2), (100.0, 4)])
def test_workers_that_do_not_fit_are_not_started(monkeypatch: pytest.MonkeyPatch, gib: float, workers: int) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: int(gib * 2**30))
    notes: list[str] = []
    assert workers_within_memory([replace(TASK, examples=TASK.examples[:1]), TASK], 4, notes) == workers
    assert len(notes) == (workers < 4)
    if notes:
        assert notes[0] == (
            f"{workers} of 4 workers: each may take 0.6 GiB for 12 million characters, and {gib:.1f} GiB are free. "
            "execution.workers=4 starts all of them anyway"
        )


def test_a_small_task_or_a_system_that_tells_nothing_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    monkeypatch.setattr(memory, "free_memory", lambda: 1)
    assert workers_within_memory([replace(TASK, examples=TASK.examples[:10])], 4, notes) == 4
    assert workers_within_memory([], 4, notes) == 4
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert workers_within_memory([TASK], 4, notes) == 4
    assert not notes


def test_the_limit_of_a_container_counts_without_what_can_be_reclaimed(tmp_path: Path) -> None:
    files = {"memory.max": "1000000", "memory.current": "900000", "memory.stat": "anon 1\ninactive_file 300000\n"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert free_memory(tmp_path) == 400_000
    (tmp_path / "memory.max").write_text("max\n")
    without = free_memory(tmp_path)
    assert without is None or without > 400_000
    group = tmp_path / "memory"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text("500\n")
    (group / "memory.usage_in_bytes").write_text("600\n")
    (group / "memory.stat").write_text("total_inactive_file 50\n")
    assert free_memory(tmp_path) == 0
