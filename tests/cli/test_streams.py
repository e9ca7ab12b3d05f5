"""The command line where a standard stream is closed or its reader gone, and where it is stopped early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from importing import same_path

COMMAND = f"{sys.executable} -m bench"
ENVIRONMENT = {**os.environ, "PYTHONPATH": same_path()}


def shell(words: str, cwd: Path) -> tuple[int, str, str]:
    """Run a line of bash in which ``bench`` stands for the command; its status and what it printed."""
    line = f'set -o pipefail; bench() {{ {COMMAND} "$@"; }}; {words}'
    done = subprocess.run(["bash", "-c", line], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stderr
    return done.returncode, done.stdout, done.stderr


CLOSED = "error: Standard output is closed, so nothing can be printed.\n"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ("bench tasks >&-", 2, CLOSED),
        ("bench --help >&-", 2, CLOSED),
        ("bench predict task=t <&-", 2, "error: Standard input is closed, so there is no text to label.\n"),
        ("bench tasks >/dev/full", 1, "error: No space left on device.\n"),
        ("bench tasks 2>&- >/dev/null", 0, ""),
        ("bench nothing 2>&-", 2, ""),
        ("bench models | head -1 >/dev/null", 0, ""),
    ],
)
def test_a_closed_or_full_stream_gets_a_message(tmp_path: Path, words: str, status: int, said: str) -> None:
    ended, _, messages = shell(words, tmp_path)
    assert ended == status
    assert messages.startswith(said)
    assert said or not messages


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os; from bench.cli.streams import prepare_streams; prepare_streams(); "
        f"number = os.open('{tmp_path / 'written'}', os.O_WRONLY | os.O_CREAT); os.write(number, str(number).encode())"
    )
    shell(f'{sys.executable} -c "{code}" <&- >&- 2>&-', tmp_path)
    assert (tmp_path / "written").read_text() == "3"


@pytest.mark.slow
def test_what_the_terminals_encoding_lacks_is_written_out(tmp_path: Path) -> None:
    (tmp_path / "configs" / "model").mkdir(parents=True)
    definition = "name: mine\ndescription: نفي\nestimator: a.B\n"
    (tmp_path / "configs" / "model" / "mine.yaml").write_text(definition, encoding="utf-8")
    status, printed, _ = shell("PYTHONIOENCODING=ascii bench models", tmp_path)
    assert status == 0
    assert "\\u0646\\u0641\\u064a" in printed


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_stopped_early_ends_with_one_line(tmp_path: Path, sent: signal.Signals) -> None:
    script = (
        "import time, bench.catalogue\n"
        "bench.discovery.task_files = lambda: [print('ready', flush=True), time.sleep(600)]\n"
        "from bench.__main__ import main\n"
        "main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "tasks"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, sent)
    printed, said = process.communicate(timeout=120)
    assert (process.returncode, printed, said) == (130, "", "Stopped.\n")
