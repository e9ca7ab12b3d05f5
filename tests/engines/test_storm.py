"""Kills, interruptions and lost disks at any moment of a run: it ends with the truth, and the next one completes it.

Every case draws its process, its signal and its moment from a fixed seed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from left_over import half_written
from thoroughness import scaled

WORDS = ("run", "task=denial", "model=majority,complement-nb", "search.trials=2", "execution.workers=2")
MARK = "BENCH_STORM"
ROOT = Path(__file__).parents[2]
VICTIMS = ("command", "server", "worker", "tracker", "group")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
DISTURBANCES = ("moved", "deleted", "fold deleted")
CASES = scaled(1, 34)
"""Folders that are stormed; all of them make a hundred kills, which takes half an hour."""

KILLS = 3
"""Of one command in a folder, which is started again each time."""

KILLS_OF_ALL = scaled(4, 100)
"""Of commands on each engine."""

LONGEST = 180.0
"""Seconds after which a command counts as one that hangs; undisturbed it takes 5 to 20, and more under load."""

ENDING = 30.0
"""Seconds in which the last process has to end; the server of workers loads its libraries to the end first."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


class Storm:
    """One command in a folder of its own."""

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.mark = folder, f"{os.getpid()}-{number}-{random.random()}"
        for name in ("work", "tmp", "said"):
            (folder / name).mkdir()
        self.work = folder / "work"

    def start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), MARK: self.mark, "TMPDIR": str(self.folder / "tmp")}
        environment.pop("MLFLOW_TRACKING_URI", None)
        with (self.folder / "said" / "out").open("wb") as out, (self.folder / "said" / "err").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "bench", *WORDS],
                cwd=self.work,
                env=environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    @property
    def said(self) -> str:
        return (self.folder / "said" / "err").read_text("utf-8")

    def processes(self) -> dict[int, str]:
        """The running processes of the command: what each of them is."""
        found = {}
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() not in (place / "environ").read_bytes():
                    continue
                command = (place / "cmdline").read_bytes().decode()
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if "-m\0bench" in command:
                kind = "command"
            elif "forkserver" in command:
                kind = "server" if self._is_command(parent) else "worker"
            else:
                kind = "tracker" if "spawn_main" in command else "other"
            found[int(place.name)] = kind
        return found

    @staticmethod
    def _is_command(pid: int) -> bool:
        try:
            return b"-m\0bench" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def hit(self, process: subprocess.Popen[bytes], victim: str, sent: signal.Signals, drawn: random.Random) -> None:
        if victim == "group":
            os.killpg(process.pid, sent)
            return
        until = time.monotonic() + 5
        while process.poll() is None and time.monotonic() < until:
            if chosen := sorted(pid for pid, kind in self.processes().items() if kind == victim):
                try:
                    os.kill(drawn.choice(chosen), sent)
                except ProcessLookupError:
                    continue
                return
            time.sleep(0.01)

    def end(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the command, and see that nothing of it goes on or stays."""
        status = process.wait(LONGEST)
        until = time.monotonic() + ENDING
        while left := self.processes():
            assert time.monotonic() < until, left
            time.sleep(0.05)
        assert "Traceback" not in self.said
        return status


def numbers(results: Path) -> dict[str, bytes]:
    kept = ("result.json", "predictions.csv", "summary.json")
    stored = (results / "denial").rglob("*")
    return {str(path.relative_to(results)): path.read_bytes() for path in stored if path.name in kept}


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[dict[str, bytes]]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        storm = Storm(Path(folder), -1)
        assert storm.end(storm.start()) == 0
        yield numbers(storm.work / "results")


def check(number: int, kills: int, undisturbed: dict[str, bytes]) -> None:
    drawn = random.Random(number)
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        storm = Storm(Path(place), number)
        untouched = Path(place, "work", "mine.txt")
        untouched.write_text("mine")
        results = storm.work / "results"
        for kill in range(kills):
            victim = drawn.choice([*VICTIMS, "disk"])
            process = storm.start()
            time.sleep(drawn.uniform(0.2, 5.0))
            if victim != "disk":
                storm.hit(process, victim, drawn.choice(SIGNALS), drawn)
            else:
                disturb(results, drawn.choice(DISTURBANCES), f"moved-{kill}", drawn)
            status = storm.end(process)
            assert status in (0, 1, 130, -signal.SIGKILL) or (victim == "server" and status == 2), storm.said
            if status == 0:
                assert numbers(results) == undisturbed
            elif status > 0:
                assert storm.said.strip()
        assert storm.end(storm.start()) == 0, storm.said
        assert numbers(results) == undisturbed
        assert half_written(results) == []
        assert list((storm.folder / "tmp").iterdir()) == []
        assert untouched.read_text() == "mine"
        assert {path.name.partition("-")[0] for path in storm.work.iterdir()} <= {"results", "moved", "mine.txt"}


def disturb(results: Path, how: str, moved: str, drawn: random.Random) -> None:
    if not results.exists():
        return
    if how == "moved":
        results.rename(results.with_name(moved))
    elif how == "deleted":
        shutil.rmtree(results, ignore_errors=True)
    elif folds := sorted(results.glob("*/*/*/fold-*")):
        shutil.rmtree(drawn.choice(folds), ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(CASES))
def test_many_kills(number: int, undisturbed: dict[str, bytes]) -> None:
    check(number, KILLS, undisturbed)


@pytest.mark.slow
def test_a_few_kills_on_each_engine() -> None:
    script = Path(__file__).parents[1] / "benchmarks" / "storm.py"
    pytest.importorskip("distributed")
    ended = subprocess.run(
        [sys.executable, str(script), "--kills", str(KILLS_OF_ALL)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert sum(int(line.split()[-2]) for line in ended.stdout.splitlines()) >= KILLS_OF_ALL
