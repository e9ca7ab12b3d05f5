"""The folder for the files of a state, which goes with its process, and with a later one if that was killed."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout


class StateFolder:
    """A new folder for the files of a state; it is locked as long as its process needs it.

    `remove_abandoned_states` removes those of processes that were killed.

    Parameters
    ----------
    within : pathlib.Path or None
        Where; None is the system's folder for temporary files.
    """

    def __init__(self, within: Path | None) -> None:
        within = Path(tempfile.gettempdir()) if within is None else within
        within.mkdir(parents=True, exist_ok=True)
        remove_abandoned_states(within)
        self.path = within / f"{_PREFIX}{uuid.uuid4().hex}"
        self._lock = FileLock(f"{self.path}{_LOCK}")
        self._lock.acquire()
        self.path.mkdir(mode=0o700)

    def remove(self) -> None:
        """Remove the folder and what is in it."""
        _remove(self.path, self._lock)


_PREFIX = "bench-state-"
_LOCK = ".lock"


def remove_abandoned_states(within: Path) -> None:
    """Remove the folders of processes that were killed.

    Parameters
    ----------
    within : pathlib.Path
        Where they are.
    """
    for path in within.glob(f"{_PREFIX}*{_LOCK}"):
        with suppress(OSError, Timeout):
            lock = FileLock(path)
            lock.acquire(timeout=0)
            _remove(path.with_suffix(""), lock)


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        Path(lock.lock_file).unlink()
    lock.release()
