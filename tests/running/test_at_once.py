"""Several commands at once on one store: each ends well, and nothing is run twice or lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from small_project import make_folder, stored_bytes
from thoroughness import scaled

MODELS = ("slow", "logreg,slow", "slow,complement-nb", "lexicon") * scaled(1, 4)
"""Of each command: the same ones, overlapping ones, and others."""


def ways_that_work(log: Path) -> list[str]:
    """The fits of settings that do not fail; of one that does, chance decides how many fits begin."""
    return sorted(line for line in log.read_text().splitlines() if not line.startswith("raise"))


@pytest.mark.slow
def test_several_commands_at_once_lose_nothing_and_fit_nothing_twice(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "project", prune=False, seconds=0.05)
    command = [sys.executable, "-m", "bench", "run", "task=small", "execution.workers=2"]
    running = [
        subprocess.Popen(
            [*command, f"model={names}"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for names in MODELS
    ]
    for each in running:
        out, err = each.communicate(timeout=900)
        assert each.returncode == 0, err
        assert "Traceback" not in out + err
    log = folder / "fits.log"
    fits = ways_that_work(log)
    log.unlink()
    subprocess.run([*command, "model=slow", "results=alone"], cwd=folder, check=True, capture_output=True, timeout=900)
    alone = ways_that_work(log)
    assert fits == alone
    expected = {name: content for name, content in stored_bytes(folder, "alone").items() if name.startswith("small/")}
    together = stored_bytes(folder)
    assert {name: together[name] for name in expected} == expected
    runs = sorted(path.parent.parent.name for path in (folder / "results/small").glob("*/*/run.json"))
    assert len(runs) == len(set(runs))
    assert all('"complete"' in path.read_text() for path in (folder / "results/small").glob("*/*/run.json"))
