"""Peak memory and time of a task of a million rows: made, checked, and `logreg` trained with a fixed setting.

    python tests/benchmarks/million.py [--rows 1000000] [--folder FOLDER]

Memory is the sum over the command's processes of what each has for itself (its proportional set size), read every half
second.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

LABELS = ("economy", "politics", "sport")
COMMANDS = (
    ("new", "task", "million", "--data", "million.csv", "--text", "text", "--label", "label", "--group", "outlet"),
    ("check", "task=million"),
    (
        *("run", "task=million", "model=logreg", "search=none", "tracking=false", "validation.folds=2"),
        "execution.workers=1",
    ),
)


def write_rows(path: Path, rows: int) -> None:
    """Texts of some twenty words out of 30,000, of which each label has some of its own."""
    rng = np.random.default_rng(0)
    letters = list("ابتثجحخدذرزسشصضطظعغفقكلمنهوي")
    words = np.array(["".join(rng.choice(letters, size=rng.integers(3, 8))) for _ in range(30_000)])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "outlet"])
        for _ in range(rows):
            label = int(rng.integers(3))
            chosen = np.minimum((rng.pareto(1.0, size=20) * 50).astype(int), 29_999)
            chosen[:2] = 10_000 * label + rng.integers(10_000, size=2)
            writer.writerow([" ".join(words[chosen]), LABELS[label], f"outlet{rng.integers(500)}"])


def measure(command: tuple[str, ...], folder: Path) -> tuple[float, float, int]:
    """Seconds, GiB at the highest, and exit status."""
    start, peak = time.perf_counter(), 0
    process = subprocess.Popen([sys.executable, "-m", "bench", *command], cwd=folder)
    while process.poll() is None:
        peak = max(peak, sum(map(_proportional, _family(process.pid))))
        time.sleep(0.5)
    return time.perf_counter() - start, peak / 2**20, process.returncode


def _family(pid: int) -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(") ")[2].split()[1])
        except (OSError, ValueError):
            continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sorted(family)


def _proportional(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bench-million-"))
    folder.mkdir(exist_ok=True)
    write_rows(folder / "million.csv", options.rows)
    print(f"{options.rows:,} rows, {(folder / 'million.csv').stat().st_size / 2**20:,.0f} MiB")
    for command in COMMANDS:
        seconds, peak, status = measure(command, folder)
        print(f"bench {' '.join(command[:2])}: {seconds:.0f} s, {peak:.2f} GiB, status {status}", flush=True)


if __name__ == "__main__":
    main()
