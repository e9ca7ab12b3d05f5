"""A results folder that is taken away while a command works: what is missing is named, and the status says so."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from quiet import Quiet

from bench.config import compose
from bench.errors import BenchError
from bench.results.store import RunFolder
from bench.running.curve import run_curves
from bench.running.runner import run

WORDS = ("model=majority,complement-nb", "search=none", "tracking=false", "execution.workers=1")


class Disturbing(Quiet):
    """An observer that does something to the store after so many cells."""

    def __init__(self, after: int, disturb: Callable[[Path], object]) -> None:
        self._after, self._disturb = after, disturb
        self.count = 0
        self.planned_cells = 0

    def planned(self, plan: Any, cells: Sequence[Any]) -> None:
        self.planned_cells = len(cells)

    def finished(self, run: Any, result: Any) -> None:
        self.count += 1
        if self.count == self._after:
            self._disturb(Path("results"))


def move(results: Path) -> None:
    results.rename("moved")


def delete_one(results: Path) -> None:
    shutil.rmtree(next(results.glob("**/fold-*")))


def spoil_one(results: Path) -> None:
    next(results.glob("**/fold-*/predictions.csv")).write_text("")


COMMANDS = [run, pytest.param(run_curves, marks=pytest.mark.slow)]
DISTURBANCES = [move, shutil.rmtree, delete_one, spoil_one]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run stores."""
    results = tmp_path_factory.mktemp("whole")
    assert run(compose(["task=denial", *WORDS, f"results={results}"]), Disturbing(0, move)).failures == []
    return stored(results)


def stored(results: Path) -> dict[str, bytes]:
    kept = ("result.json", "predictions.csv", "summary.json")
    return {str(path.relative_to(results)): path.read_bytes() for path in results.rglob("*") if path.name in kept}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("disturb", DISTURBANCES)
def test_what_is_taken_away_is_named_and_the_same_command_makes_it_again(
    command: Any, disturb: Callable[[Path], object], here: Path, whole: dict[str, bytes]
) -> None:
    config = compose(["task=denial", *WORDS])
    outcome = command(config, Disturbing(3, disturb))
    assert any("not stored: " in failure for failure in outcome.failures)
    assert all("results/denial" in failure for failure in outcome.failures)
    again = Disturbing(0, move)
    assert command(config, again).failures == []
    assert again.planned_cells > 0
    if command is run:
        assert stored(here / "results") == whole


def test_the_command_ends_with_status_1(here: Path, bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote = RunFolder.write_cell

    def and_then(folder: RunFolder, result: Any) -> None:
        wrote(folder, result)
        if result.fold == 3:
            shutil.rmtree(folder.path)

    monkeypatch.setattr(RunFolder, "write_cell", and_then)
    status, _, said = bench("run", "task=denial", *WORDS)
    assert status == 1
    assert "failed: denial: complement-nb: not stored: " in said
    assert "Run the same command again to retry what is missing" in said


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_takes_no_more_ends_with_what_is_stored_and_missing(
    command: Any, number: int, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(results: Path) -> None:
        def raising(*args: object, **settings: object) -> None:
            raise OSError(number, os.strerror(number), "results")

        monkeypatch.setattr(RunFolder, "write_cell", raising)
        monkeypatch.setattr(RunFolder, "write_record", raising)

    config = compose(["task=denial", *WORDS])
    with pytest.raises(
        BenchError, match=f"{os.strerror(number)}. 3 finished folds are stored, [0-9]+ are missing"
    ) as end:
        command(config, Disturbing(3, refuse))
    assert end.value.exit_status == 1
    monkeypatch.undo()
    os.chdir(here)
    assert command(config, Disturbing(0, move)).failures == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "curve"])
def test_a_complete_store_that_cannot_be_written_is_shown_with_a_warning(
    command: str, here: Path, bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (command, "task=denial", *WORDS)
    assert bench(*words)[0] == 0
    _, table, _ = bench(*words)

    def refused(*args: object, **settings: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(args[0]))

    for writer in ("bench.results.leaderboard.write_atomically", "bench.results.store.write_atomically"):
        monkeypatch.setattr(writer, refused)
    status, printed, said = bench(*words)
    assert (status, printed) == (0, table)
    assert said.count("warning: ") == (1 if command == "run" else 2)
    assert "cannot be updated: Read-only file system" in said
