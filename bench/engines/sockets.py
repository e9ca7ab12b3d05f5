"""The folder of the sockets by which worker processes are started: it goes with the command, also where that is killed.

Python's own would stay in the temporary folder forever after a kill. This one is locked as long as its
command lives, and every command removes unlocked ones.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from multiprocessing import process, util
from pathlib import Path
from typing import IO

PREFIX = "bench-sockets-"
"""How the folders' names begin."""

HELD = "held"
"""The file that is locked; it appears with its lock."""

LONGEST = 64
"""Characters of the temporary folder, above which a socket's path would be longer than the system allows."""

GRACE = 3600.0
"""Seconds after which a folder without that file counts as left by a killed command."""


def use_own_folder() -> None:
    """Put this process's sockets into a separate folder, and remove those of killed commands."""
    settings = process.current_process()._config  # type: ignore[attr-defined]
    if "tempdir" in settings:
        return
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))
    held = (folder / f".{HELD}").open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    (folder / f".{HELD}").rename(folder / HELD)
    settings["tempdir"] = str(folder)
    util.Finalize(None, _remove, args=(folder, held), exitpriority=-100)


def scratch() -> str | None:
    """The folder for temporary files that disappear with the command, even if killed; None for Python's default."""
    use_own_folder()
    folder = Path(process.current_process()._config["tempdir"])  # type: ignore[attr-defined]
    return str(folder) if folder.parent == Path(tempfile.gettempdir()) else None


def remove_abandoned() -> None:
    """Remove the folders without a process."""
    for folder in _place().glob(f"{PREFIX}*"):
        try:
            if _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # Another user's, or another command removes it at the same time.
            continue


def _place() -> Path:
    """The temporary folder, or the system's own where the path of that is too long for a socket."""
    chosen, short = Path(tempfile.gettempdir()), Path("/tmp")
    return short if len(str(chosen)) > LONGEST and os.access(short, os.W_OK | os.X_OK) else chosen


def _is_abandoned(folder: Path) -> bool:
    try:
        with (folder / HELD).open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > GRACE
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path, held: IO[str]) -> None:
    held.close()
    shutil.rmtree(folder, ignore_errors=True)
