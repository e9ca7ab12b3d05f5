"""The layout of a results folder, and the check that none of it is a link.

::

    results/<task>/<model>/<key>/                a run
    results/<task>/<model>/<key>/stress/         its stress tests
    results/<task>/<model>/<key>/shares/         what its models found in archives
    results/<task>/curves/<model>/<key>/<part>/  a part of a learning curve
    results/<task>/leaderboard.json, .csv, .md   the task's table
    results/<task>/report.html                   the task's page

The results folder itself may be a link, since the user names it. Below it, nothing behind a link is read, written
or deleted: the folder may come from somebody else.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from bench.errors import UserError

CURVES = "curves"
"""The folder of a task's learning curves; runs are one level higher, so they cannot be confused."""

STRESS = "stress"
"""The folder of a run's stress tests, within the run's own: what is deleted of a run takes them with it."""

SHARES = "shares"
"""The folder of what a run's models found in archives, within the run's own."""

RECORD, SUMMARY = "run.json", "summary.json"

REPORT = "report.html"
"""The page beside a task's runs."""

KEY = re.compile("[0-9a-f]{12}")
"""What a run's key is like."""


def task_folder(results: Path, task: str) -> Path:
    """The folder of a task."""
    return unlinked(results, task)


def run_folder(results: Path, task: str, model: str, key: str) -> Path:
    """The folder of a run."""
    return unlinked(results, task, model, key)


def curve_folder(results: Path, task: str, model: str, key: str) -> Path:
    """The folder of a learning curve."""
    return unlinked(results, task, CURVES, model, key)


def stress_folder(run: Path, fold: str = "") -> Path:
    """The folder of a run's stress tests, or of those of one fold."""
    return unlinked(run.parent, run.name, STRESS, *filter(None, [fold]))


def shares_folder(run: Path) -> Path:
    """The folder of what a run's models found in archives."""
    return unlinked(run.parent, run.name, SHARES)


def unlinked(folder: Path, *names: str) -> Path:
    """A path below a folder.

    Raises
    ------
    bench.errors.UserError
        If a part of it is a link.
    """
    path = folder
    for name in names:
        path = path / name
        if path.is_symlink():
            raise UserError(
                f"{path}: this is a link, and links in a results folder are not followed.",
                "Replace it by its target, or use another folder with results=FOLDER.",
            )
    return path


def run_folders(results: Path, task: str = "*") -> list[Path]:
    """The folders of complete or partial runs, of a task or of all, in order; some may be links."""
    found = (path for path in results.glob(f"{task}/*/*") if path.parent.name != CURVES and path.is_dir())
    return sorted(path for path in found if os.path.lexists(path / RECORD) or _is_left_of_run(path))


def curve_folders(results: Path, task: str) -> list[Path]:
    """The folders of summarised learning curves, in order; some may be links."""
    return sorted(path.parent for path in results.glob(f"{task}/{CURVES}/*/*/{SUMMARY}"))


def begun_curve_folders(results: Path) -> list[Path]:
    """The folders of complete or partial learning curves of all tasks, in order; some may be links."""
    return sorted(path.parent for path in results.glob(f"*/{CURVES}/*/*/{RECORD}"))


def stored_tasks(results: Path) -> list[str]:
    """The tasks with stored runs."""
    return sorted({folder.parents[1].name for folder in run_folders(results)})


def _is_left_of_run(folder: Path) -> bool:
    """Whether a folder without a record has a key's name, and folds."""
    return KEY.fullmatch(folder.name) is not None and any(folder.glob("fold-*"))
