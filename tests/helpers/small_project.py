"""A folder with a small task and a model of its own, whose fits take some time and of which some fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml
from living import files_in
from small_tasks import text_task

MODEL = """
name: slow
estimator: plugins.slow.Slow
params: {seconds: SECONDS}
prune: PRUNE
search:
  C: {low: 0.01, high: 10.0, log: true}
  way: [plain, raise, plain too, warn]
"""
COMMAND = [sys.executable, "-m", "bench", "run", "task=small", "model=slow", "tracking=false"]

CODE = """
import os, time, warnings
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

class Slow(LogisticRegression):
    def __init__(self, C=1.0, way="plain", seconds=0.0, random_state=None):
        super().__init__(C=C, random_state=random_state)
        self.way, self.seconds = way, seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        with open("fits.log", "a") as log:
            log.write(f"{self.way} {self.C}\\n")
        if self.way == "raise" and os.path.exists("closed"):
            raise ValueError("this way is closed")
        if self.way == "warn":
            warnings.warn("an odd way")
        self.tfidf_ = TfidfVectorizer().fit(X["text"])
        return super().fit(self.tfidf_.transform(X["text"]), y)

    def predict(self, X):
        return super().predict(self.tfidf_.transform(X["text"]))

    def predict_proba(self, X):
        return super().predict_proba(self.tfidf_.transform(X["text"]))
"""


def make_folder(where: Path, prune: bool, seconds: float = 0.02) -> Path:
    task = text_task(n_groups=4, per_group=9)
    columns = {"id": "id", "text": "text", "label": "label", "group": "group"}
    definition = {
        "name": "small",
        "version": 1,
        "description": "Small.",
        "source": {"kind": "table", "path": "labels.csv", "columns": columns},
        "inputs": ["text"],
        "labels": list(task.labels),
        "metric": "macro_f1",
        "group": "group",
    }
    written = {
        "tasks/small/task.yaml": yaml.safe_dump(definition),
        "configs/model/slow.yaml": MODEL.replace("SECONDS", str(seconds)).replace("PRUNE", str(prune).lower()),
        "plugins/slow.py": CODE,
        "closed": "",
    }
    for path, content in written.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(content, encoding="utf-8")
    task.examples.rename(columns={task.group: "group"}).to_csv(where / "tasks/small/labels.csv", index=False)
    return where


def stored_bytes(folder: Path, results: str = "results") -> dict[str, bytes]:
    """All files of a store whose bytes must not depend on how the run went."""
    root = folder / results
    decided = ("result.json", "predictions.csv", "summary.json", "explanations.json")
    return {str(path.relative_to(root)): path.read_bytes() for path in files_in(root, "*") if path.name in decided}


def bench(folder: Path, *words: str) -> None:
    """Run the command with more words, to its good end."""
    ended = subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
