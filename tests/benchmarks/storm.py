"""Kill parts of runs at random instants, on this machine and on Dask, and see what one more run makes of it.

    python tests/benchmarks/storm.py [--kills 200] [--seed 0]

The small project of the tests runs again and again, on each engine in a store of its own. Every command is killed once
or more, with SIGKILL: the command itself, the server of workers, a worker, a worker of Dask or the process that logs to
MLflow. Dask's scheduler runs in the command. After each command no process of it may be left after 30 s; at the end one
more command on each engine has to give the bytes of an undisturbed run, leave no file over, and have exactly one
finished run a model in MLflow.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from left_over import half_written
from small_project import COMMAND, make_folder, stored_bytes

from bench.engines.dask_local_worker import NAME

MARK = "BENCH_STORM"
ENGINES = ("local", "dask")
ORPHANED = 30.0
"""Seconds after which no process of a killed command may be left."""

LONGEST = 300.0
"""Seconds that a command may take."""


class Storm:
    """One store, in which one engine's commands are killed.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder.
    engine : {"local", "dask"}
        The engine.
    """

    def __init__(self, folder: Path, engine: str) -> None:
        self.engine, self._temporary, self._cache = engine, folder / "tmp", folder / "cache"
        self._temporary.mkdir(parents=True)
        self.project = make_folder(folder / "project", prune=False, seconds=0.03)
        self._mark = f"{os.getpid()}-{engine}"

    def start(self) -> subprocess.Popen[str]:
        """Start the command."""
        environment = {**os.environ, MARK: self._mark, "TMPDIR": str(self._temporary), "BENCH_CACHE": str(self._cache)}
        environment.pop("MLFLOW_TRACKING_URI", None)
        return subprocess.Popen(
            [
                *(word for word in COMMAND if word != "tracking=false"),
                f"execution={self.engine}",
                "execution.workers=2",
            ],
            cwd=self.project,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def processes(self) -> dict[int, str]:
        """The processes of the command, and what each is."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self._mark}\0".encode() in (place / "environ").read_bytes():
                    line = (place / "comm").read_bytes() + (place / "cmdline").read_bytes()
                    parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                    found[int(place.name)] = line, parent
            except OSError:
                continue
        return {pid: self._kind(line, found.get(parent, (b"", 0))[0]) for pid, (line, parent) in found.items()}

    @staticmethod
    def _kind(line: bytes, parent: bytes) -> str:
        if line.startswith(NAME.encode()):
            return "worker of Dask"
        if b"-m\0bench\0" in line:
            return "command"
        if b"spawn_main" in line:
            return "MLflow"
        if b"forkserver" in line:
            return "worker" if b"forkserver" in parent else "server"
        return "other"

    def kill(self, drawn: random.Random) -> str | None:
        """Kill one process of a kind that there is; which kind it was."""
        there = self.processes()
        kinds = sorted(set(there.values()) - {"other"})
        if not kinds:
            return None
        kind = drawn.choice(kinds)
        try:
            os.kill(drawn.choice(sorted(pid for pid, what in there.items() if what == kind)), signal.SIGKILL)
        except ProcessLookupError:
            return None
        return kind

    def end(self, process: subprocess.Popen[str]) -> int:
        """Wait for the command, and see that no process of it is left."""
        _, told = process.communicate(timeout=LONGEST)
        deadline = time.monotonic() + ORPHANED
        while left := self.processes():
            assert time.monotonic() < deadline, f"{self.engine}: left after {ORPHANED:g} s: {left}"
            time.sleep(0.1)
        assert "Traceback" not in told, told
        assert process.returncode in (0, 1, 2, -signal.SIGKILL), (process.returncode, told)
        return process.returncode

    def left_over(self) -> list[str]:
        """The files that are neither results nor caches nor locks."""
        temporary = [path for path in self._temporary.rglob("*") if not path.is_dir()]
        states = [path for path in (self._cache / "states").rglob("*") if path.name != ".lock"]
        return [str(path) for path in (*temporary, *states, *half_written(self.project / "results"))]

    def numbers(self) -> dict[str, bytes]:
        """The stored files whose bytes must be the same, without MLflow's copies."""
        return {name: held for name, held in stored_bytes(self.project).items() if name.startswith("small/")}

    def logged(self) -> Counter[tuple[str, str]]:
        """The models' runs in MLflow by model and status."""
        with closing(sqlite3.connect(self.project / "results" / "mlflow.db")) as store:
            rows = store.execute(
                "SELECT model.value, runs.status FROM runs"
                " JOIN tags level ON level.run_uuid = runs.run_uuid AND level.key = 'bench.level'"
                " JOIN tags model ON model.run_uuid = runs.run_uuid AND model.key = 'bench.model'"
                " WHERE runs.lifecycle_stage = 'active' AND level.value = 'model'"
            ).fetchall()
        return Counter((str(name), str(status)) for name, status in rows)


def storm(kills: int, seed: int, folder: Path) -> Counter[str]:
    """Kill so many processes, and raise an AssertionError where a promise is broken.

    Parameters
    ----------
    kills : int
        Processes to kill.
    seed : int
        Of the kinds and instants.
    folder : pathlib.Path
        An empty folder.

    Returns
    -------
    Counter of str
        How many processes of each kind were killed.
    """
    drawn, killed = random.Random(seed), Counter[str]()
    undisturbed = Storm(folder / "undisturbed", "local")
    started = time.monotonic()
    assert undisturbed.end(undisturbed.start()) == 0
    whole = time.monotonic() - started
    expected, once = undisturbed.numbers(), undisturbed.logged()
    storms = [Storm(folder / engine, engine) for engine in ENGINES]
    number = 0
    while killed.total() < kills:
        each = storms[number % len(storms)]
        number += 1
        process = each.start()
        for _ in range(drawn.randint(1, 3)):
            time.sleep(drawn.uniform(0.1, whole * 0.6))
            if process.poll() is None and killed.total() < kills and (kind := each.kill(drawn)) is not None:
                killed[f"{each.engine}: {kind}"] += 1
        if drawn.random() < 0.7 and process.poll() is None:
            process.kill()
            killed[f"{each.engine}: command"] += 1
        each.end(process)

    for each in storms:
        process = each.start()
        assert each.end(process) == 0, each.engine
        got = each.numbers()
        assert not [name for name in expected.keys() | got.keys() if got.get(name) != expected.get(name)], each.engine
        assert each.left_over() == [], (each.engine, each.left_over())
        assert each.logged() == once, (each.engine, each.logged())
    assert set(once.values()) == {1}
    assert {status for _, status in once} == {"FINISHED"}
    return killed


def main() -> None:
    """Storm, and print what was killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        for kind, count in sorted(storm(args.kills, args.seed, Path(folder)).items()):
            print(f"{kind}: {count} killed")


if __name__ == "__main__":
    main()
