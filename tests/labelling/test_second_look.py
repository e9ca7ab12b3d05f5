"""Labels that models contradict are written for a second look."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from denials import folder

from bench.labelling.adding import add_labels

Bench = Callable[..., tuple[int, str, str]]
__all__ = ["folder"]


@pytest.mark.slow
def test_a_wrong_label_is_found_exported_and_corrected(folder: Path, bench: Bench) -> None:
    labels = pd.read_csv("tasks/denials/labels.csv")
    labels.loc[labels["id"] == "e7", "label"] = "denial"  # its sentence says that somebody announced something
    labels.to_csv("tasks/denials/labels.csv", index=False)
    status, _, said = bench("run", "task=denials", "model=logreg,complement-nb", "search=quick", "tracking=false")
    assert status == 0, said
    words = ("suspects", "task=denials", "--export", "label-studio", "--output", "again.json")
    status, out, said = bench(*words)
    assert status == 0, said
    assert "e7" in out
    tasks = json.loads(Path("again.json").read_text(encoding="utf-8"))
    found = {task["data"]["example_id"]: task for task in tasks}
    assert found["e7"]["data"]["earlier_label"] == "denial"
    assert found["e7"]["predictions"][0]["result"][0]["value"]["choices"] == ["none"]
    assert Path("again.config.xml").is_file()
    assert bench(*words, "--blind", "--force")[0] == 0
    blind = json.loads(Path("again.json").read_text(encoding="utf-8"))
    assert {key for task in blind for key in (*task, *task["data"])} == {"data", "example_id", "text"}
    votes = [
        {"completed_by": who, "result": [{"type": "choices", "from_name": "label", "value": {"choices": ["none"]}}]}
        for who in (1, 2)
    ]
    Path("back.json").write_text(json.dumps([{"id": 1, **found["e7"], "annotations": votes}]), encoding="utf-8")
    added = add_labels(Path("back.json"), "denials")
    assert (added.again, added.changed) == (1, 1)
    assert bench("suspects", "task=denials")[0] == 2  # the runs are about other labels now
    assert bench(*words[:4])[0] == 2


def test_an_export_needs_a_file(folder: Path, bench: Bench) -> None:
    status, _, said = bench("suspects", "task=denials", "--export", "csv")
    assert status == 2
    assert "--output" in said
