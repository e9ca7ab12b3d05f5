"""How long the comparison and the report of many stored runs take, and how large the page is.

    python tests/benchmarks/report.py [--runs 20] [--examples 5000]

Writes a table task of texts of about 200 characters and stored runs with drawn predictions, explained as those of
linear models are, into a temporary folder; prints the seconds of ``bench compare`` and ``bench report``.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from stored_task import write_task_runs

from bench.catalogue import load_task

LABELS = ("denial", "non_confirmation", "none")
GROUPS = 50
TASK = """\
name: many
description: Texts of the corpus, repeated with numbers.
source:
  kind: table
  path: many.csv
  columns: {id: id, text: text, label: label, group: document}
inputs: [text]
labels: [denial, non_confirmation, none]
"""
CALL = "from bench.cli import main; main()"


def write_table(folder: Path, n_examples: int) -> tuple[str, ...]:
    """Write the task; returns n-grams of its texts."""
    corpus = load_task("denial").examples["text"].str[:180].tolist()
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(TASK, encoding="utf-8")
    with (folder / "many.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label", "document"])
        for number in range(n_examples):
            text = f"{corpus[number % len(corpus)]} {corpus[(7 * number + 1) % len(corpus)][:60]} ({number})"
            writer.writerow([f"e{number}", text[-220:], LABELS[rng.integers(3)], f"d{number % GROUPS}"])
    words = sorted({word for text in corpus for word in text.split()})
    pairs = [f"word__text__{one} {other}" for one, other in pairwise(words)]
    return tuple(f"word__text__{word}" for word in words) + tuple(pairs)


def timed(words: list[str], folder: str) -> tuple[float, str]:
    """Seconds that a command takes, and what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", CALL, *words], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return time.perf_counter() - start, ended.stdout


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--examples", type=int, default=5000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = write_table(Path(folder, "tasks", "many"), args.examples)
        here = Path.cwd()
        os.chdir(folder)
        task = load_task("many")
        os.chdir(here)
        models = {f"model-{number:02d}": 0.85 - 0.02 * number for number in range(args.runs)}
        write_task_runs(Path(folder, "results"), task, models, names=names)
        comparing, _ = timed(["compare", "task=many"], folder)
        reporting, _ = timed(["report", "task=many"], folder)
        size = Path(folder, "results", "many", "report.html").stat().st_size
    print(f"| {args.runs} runs of {len(task):,} examples | measured | allowed |")
    print("| --- | ---: | ---: |")
    print(f"| bench compare | {comparing:.1f} s | 5 s |")
    print(f"| bench report | {reporting:.1f} s | 20 s |")
    print(f"| the page | {size / 1e6:.2f} MB | 5 MB |")


if __name__ == "__main__":
    main()
