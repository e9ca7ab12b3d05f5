"""Settings of all tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings
from spying import spy
from thoroughness import scaled

from bench.cli import main
from bench.in_memory import MODELS, TASKS
from bench.planning.workers import warm_up

__all__ = ["spy"]

settings.register_profile("few", deadline=None, max_examples=30, derandomize=True)
settings.register_profile("all", deadline=None, max_examples=200)
settings.load_profile(scaled("few", "all"))


@pytest.fixture(scope="session", autouse=True)
def _libraries_for_workers() -> None:
    """Start the server of workers with libraries, as commands do, before a test starts it without."""
    warm_up()


@pytest.fixture(autouse=True)
def _no_word_of_slow_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a phase takes so long that a command speaks of it depends on the machine."""
    for silence in ("FIRST", "NEXT"):
        monkeypatch.setattr(f"bench.reporting.status.{silence}", 3600.0)


@pytest.fixture(autouse=True)
def _nothing_left_in_memory() -> Iterator[None]:
    """Tasks and models that a test or a docstring's example defines without a file are no other test's."""
    yield
    TASKS.clear()
    MODELS.clear()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command: its exit status, what it printed, and what it said on standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return int(end.value.code or 0), printed.out, printed.err

    return run
