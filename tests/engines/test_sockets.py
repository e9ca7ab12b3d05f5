"""Nothing of a command stays in the temporary folder, also where it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.engines.sockets import GRACE, HELD, PREFIX, remove_abandoned

SCRIPT = """
import os, sys
from bench.engines.engine import Unit, outcome_of
from bench.planning.workers import open_engine
with open_engine() as engine:
    print(outcome_of(engine, Unit(os.getpid)).value, flush=True)
    sys.stdin.read()
"""


def started(folder: Path) -> subprocess.Popen[str]:
    """A process that has started workers."""
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    return process


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.slow
def test_workers_start_where_the_temporary_folder_has_a_long_path(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    started(long).communicate("")
    assert list(long.iterdir()) == []


@pytest.mark.slow
def test_the_sockets_folder_goes_with_the_command_and_after_a_kill_with_the_next(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(short_folder))
    killed, running = started(short_folder), started(short_folder)
    assert len(list(short_folder.iterdir())) == 2
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    remove_abandoned()
    (kept,) = short_folder.iterdir()
    assert kept.name.startswith(PREFIX)
    running.communicate("")
    assert running.returncode == 0
    assert list(short_folder.iterdir()) == []


def test_a_folder_that_is_being_made_is_left_alone(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(short_folder))
    young, old, foreign = (short_folder / name for name in (f"{PREFIX}young", f"{PREFIX}old", "pymp-other"))
    for folder in (young, old, foreign):
        folder.mkdir()
    (old / f".{HELD}").touch()
    os.utime(old, (old.stat().st_mtime - 2 * GRACE,) * 2)
    remove_abandoned()
    assert {path.name for path in short_folder.iterdir()} == {young.name, foreign.name}
