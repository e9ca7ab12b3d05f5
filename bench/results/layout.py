"""Where things lie in a results folder, and that none of it is a link.

::

    results/<task>/<model>/<key>/                a run
    results/<task>/curves/<model>/<key>/<part>/  a part of a learning curve
    results/<task>/leaderboard.json, .csv, .md   the task's table
    results/<task>/report.html                   the task's page

The results folder itself may be a link, since the user names it. Below it nothing that a link leads to is read, written
or deleted: the folder may come from somebody else.
"""

from __future__ import annotations

from pathlib import Path

from bench.errors import UserError

CURVES = "curves"
"""The folder of a task's learning curves; runs lie one level higher, so neither is taken for the other."""

RECORD, SUMMARY = "run.json", "summary.json"


def task_folder(results: Path, task: str) -> Path:
    """The folder of a task."""
    return unlinked(results, task)


def run_folder(results: Path, task: str, model: str, key: str) -> Path:
    """The folder of a run."""
    return unlinked(results, task, model, key)


def curve_folder(results: Path, task: str, model: str, key: str) -> Path:
    """The folder of a learning curve."""
    return unlinked(results, task, CURVES, model, key)


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
                f"{path}: it is a link, and links in a results folder are not followed.",
                "Put what it leads to in its place, or name another folder with results=FOLDER.",
            )
    return path


def run_folders(results: Path, task: str = "*") -> list[Path]:
    """The folders that hold a run, of a task or of all, in order; what is reached by a link is passed over."""
    return _holding(results, f"{task}/*/*/{RECORD}")


def curve_folders(results: Path, task: str) -> list[Path]:
    """The folders that hold a learning curve that was summed up, in order."""
    return _holding(results, f"{task}/{CURVES}/*/*/{SUMMARY}")


def stored_tasks(results: Path) -> list[str]:
    """The tasks of which a run is stored."""
    return sorted({folder.parents[1].name for folder in run_folders(results)})


def _holding(results: Path, pattern: str) -> list[Path]:
    found = sorted(path for path in results.glob(pattern) if not path.is_symlink())
    return [path.parent for path in found if not _linked(results, path.parent)]


def _linked(results: Path, folder: Path) -> bool:
    """Whether a folder below the results, or one between, is a link."""
    between = [folder, *folder.parents]
    return any(each.is_symlink() for each in between[: between.index(results)])
