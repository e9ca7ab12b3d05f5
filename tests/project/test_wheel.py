"""The wheel works away from the checkout: it carries the default tasks, configurations and documents."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel is unpacked, as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-w", str(folder)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def bench(site: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_the_main_job_runs_in_an_empty_folder(site: Path, tmp_path: Path) -> None:
    ended = bench(site, tmp_path, "run", "task=stance,denial,source-type", "model=lexicon", "tracking=false")
    assert ended.returncode == 0, ended.stderr
    assert [word for word in ("stance", "denial", "source-type") if word in ended.stdout] == [
        "stance",
        "denial",
        "source-type",
    ]
    assert str(ROOT) not in (tmp_path / "results/denial/leaderboard.json").read_text()


@pytest.mark.slow
def test_what_the_lists_name_comes_from_the_wheel(site: Path, tmp_path: Path) -> None:
    for command in ("tasks", "models"):
        listed = bench(site, tmp_path, command)
        assert listed.returncode == 0
        assert str(site / "bench" / "defaults") in listed.stdout
        assert str(ROOT / "tasks") not in listed.stdout


@pytest.mark.slow
def test_a_model_of_ones_own_is_started_checked_and_run_there(site: Path, tmp_path: Path) -> None:
    for words in (
        ["new", "model", "mine"],
        ["check", "model=mine"],
        ["run", "task=denial", "model=mine", "tracking=false"],
    ):
        ended = bench(site, tmp_path, *words)
        assert ended.returncode == 0, ended.stderr
