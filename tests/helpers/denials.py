"""A small task with an archive to draw from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

NAMES = ("الوزير", "المتحدث", "المدير", "الرئيس", "السفير", "النائب")
PLACES = ("موسكو", "كييف", "القاهرة", "بيروت", "عمان", "الرباط", "تونس", "صنعاء")


def sentence(number: int, denied: bool) -> str:
    verb = "نفى" if denied else "أعلن"
    return f"{verb} {NAMES[number % 6]} في {PLACES[number % 8]} خبر الرقم {number} أمس {number * 7919 % 1009}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task of 40 labelled sentences, and an archive of 300 others, with two repeats."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tasks" / "denials").mkdir(parents=True)
    labelled = [
        {
            "id": f"e{n}",
            "text": sentence(n, n % 2 == 0),
            "label": "denial" if n % 2 == 0 else "none",
            "group": f"g{n % 10}",
        }
        for n in range(40)
    ]
    pd.DataFrame(labelled).to_csv(tmp_path / "tasks/denials/labels.csv", index=False)
    definition = {
        "name": "denials",
        "version": 1,
        "description": "Whether somebody denies something.",
        "source": {
            "kind": "table",
            "path": "labels.csv",
            "columns": {"id": "id", "text": "text", "label": "label", "group": "group"},
        },
        "inputs": ["text"],
        "labels": ["denial", "none"],
        "descriptions": {"denial": "Somebody says that something is not true.", "none": "Nobody does."},
        "group": "group",
    }
    (tmp_path / "tasks/denials/task.yaml").write_text(yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8")
    rows = [{"text": sentence(n, n % 3 == 0), "outlet": f"o{n % 5}"} for n in range(40, 340)]
    rows += [{"text": rows[0]["text"] + " .", "outlet": "o9"}, {"text": labelled[3]["text"] + "!", "outlet": "o9"}]
    pd.DataFrame(rows).to_csv(tmp_path / "archive.csv", index=False)
    return tmp_path
