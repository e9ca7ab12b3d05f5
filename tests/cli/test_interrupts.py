"""Ctrl-C at any moment of a command: status 130, one message, no traceback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from thoroughness import scaled

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
COMMANDS = (["tasks"], ["models"], ["check", "task=denial"], ["compare", "task=denial"], ["run", "--help"])

DISGUISED = """
import signal, sys
from pathlib import Path
from bench.interrupts import Interrupts
interrupts = Interrupts()
sys.path.append(sys.argv[1])
def command():
    import odd
    for _ in range(10**7): pass
    print("lost")
try:
    interrupts.call(command)
except KeyboardInterrupt:
    print("raised", sys.modules["odd"].done)
"""

ODD = {
    "in a class": """
import signal
class Odd:
    def __set_name__(self, owner, name):
        signal.raise_signal(signal.SIGINT)
        sum(range(1000))
class Owner:
    odd = Odd()
done = True
""",
    "in an import that is tried": """
import signal
try:
    signal.raise_signal(signal.SIGINT)
    sum(range(1000))
except BaseException:
    pass
done = True
""",
}


@pytest.mark.parametrize("kind", ODD)
def test_it_waits_for_the_end_of_an_import(kind: str, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD[kind])
    assert ran(DISGUISED, str(tmp_path)) == "raised True\n"


CALLBACK = """
import signal
from bench.interrupts import Interrupts
interrupts = Interrupts()
class Odd:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        for _ in range(1000): pass
def command():
    Odd()
    for _ in range(10**7): pass
    print("lost")
try:
    interrupts.call(command)
except KeyboardInterrupt:
    print("raised")
"""


def test_it_is_raised_again_where_python_drops_it() -> None:
    assert ran(CALLBACK) == "raised\n"


IGNORED = """
import signal
from bench.interrupts import Interrupts
signal.signal(signal.SIGINT, signal.SIG_IGN)
def command():
    signal.raise_signal(signal.SIGINT)
    print("goes on", flush=True)
    signal.raise_signal(signal.SIGTERM)
try:
    Interrupts().call(command)
except KeyboardInterrupt:
    print("stopped")
"""


def test_a_command_in_the_background_ignores_ctrl_c_and_takes_sigterm() -> None:
    assert ran(IGNORED) == "goes on\nstopped\n"


AROUND = """
import os, signal, sys
from bench.interrupts import Interrupts
interrupts = Interrupts()
if sys.argv[1] == "before":
    signal.raise_signal(signal.SIGINT)
try:
    interrupts.call(lambda: sys.exit(0))
except SystemExit:
    signal.raise_signal(signal.SIGINT)
print("lost")
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_before_and_after_the_command_it_ends_the_process(moment: str) -> None:
    """Between the command's end and the process's, nothing is left that would catch it."""
    done = subprocess.run(
        [sys.executable, "-c", AROUND, moment],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n")


def ran(script: str, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *args],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.slow
def test_commands_end_without_a_traceback_while_libraries_load(tmp_path: Path) -> None:
    """From the first of bench's own code on; what comes before is Python's start."""
    script = "import os; from bench.__main__ import main; os.write(1, b'.'); main()"
    drawn = random.Random(16)
    for number in range(scaled(15, 100)):
        words = COMMANDS[number % len(COMMANDS)]
        process = subprocess.Popen(
            [sys.executable, "-c", script, *words],
            cwd=tmp_path,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert process.stdout is not None
        process.stdout.read(1)
        time.sleep(0.005 + drawn.random() * (0.2 if number % 2 else 1.0))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
        assert process.returncode in (0, 2, 130), (words, said)
        assert b"Traceback" not in said
        assert process.returncode != 130 or said.strip().endswith(b"Stopped.")
