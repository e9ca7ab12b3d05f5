"""What the harness costs beside fitting and predicting, and how fast the command answers.

    python tests/benchmarks/overhead.py [--suite]

Prints the seconds of ``bench run task=denial model=majority`` in an empty folder, the time of ``bench --help`` as
a multiple of ``python -c pass``, and with ``--suite`` the share of the wall time of ``bench run task=stance``
with the default suite in which the worker processes were not fitting or predicting.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKERS = 2
BENCH = [str(Path(sys.executable).with_name("bench"))]


def wall(command: list[str], cwd: str | None = None) -> float:
    """Seconds that a command takes."""
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)
    return time.perf_counter() - start


def help_ratio(runs: int = 15) -> float:
    """The median of ``bench --help`` over ``python -c pass``, taken in turns."""
    pairs = [(wall([*BENCH, "--help"]), wall([sys.executable, "-c", "pass"])) for _ in range(runs)]
    return statistics.median(a / b for a, b in pairs)


def busy_seconds(results: Path) -> float:
    """Seconds in which worker processes searched, fitted or predicted."""
    return sum(
        seconds
        for path in results.glob("*/*/*/*/timing.json")
        if not path.is_relative_to(results / "mlartifacts")
        for phase, seconds in json.loads(path.read_text()).items()
        if phase != "store"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", action="store_true", help="run the default suite on stance too (minutes)")
    args = parser.parse_args()
    print(f"bench --help: {help_ratio():.1f} times python -c pass", flush=True)
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            first = wall([*BENCH, "run", "task=denial", "model=majority"], folder)
            busy = busy_seconds(Path(folder, "results"))
            again = wall([*BENCH, "run", "task=denial", "model=majority", "force=true"], folder)
        print(
            f"bench run task=denial model=majority: {first:.1f} s in an empty folder, of it {busy:.1f} s in cells; "
            f"{again:.1f} s with MLflow's store there",
            flush=True,
        )
    if args.suite:
        with tempfile.TemporaryDirectory() as folder:
            whole = wall([*BENCH, "run", "task=stance", f"execution.workers={WORKERS}"], folder)
            busy = busy_seconds(Path(folder, "results")) / WORKERS
        print(f"bench run task=stance: {whole:.1f} s, {100 * (1 - busy / whole):.1f} % of it not fitting or predicting")


if __name__ == "__main__":
    main()
