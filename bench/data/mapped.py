"""Data frames of text in memory-mapped files, so that their texts need not fit into memory.

The files are Arrow IPC files in the cache folder. They are removed together with the object that reads them.
"""

from __future__ import annotations

import tempfile
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock, Timeout

from bench.errors import BenchError
from bench.support.cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

LARGE = 2**25
"""The size in bytes above which a table is kept in a file."""

_PART = 2**23
"""The bytes of a table to process at once."""

_MOST_ROWS = 10_000
"""The most rows to process at once."""


LEFT_BEHIND = 7 * 24 * 3600.0
"""Seconds after which a file counts as abandoned."""


class MappedFile:
    """A file of columns of text, written part by part and then mapped; it is removed with this object.

    Examples
    --------
    >>> file = MappedFile()
    >>> file.write({"text": ["نفى"]})
    >>> file.write({"text": ["أكد", "قال"]})
    >>> file.frame()["text"].tolist()
    ['نفى', 'أكد', 'قال']
    """

    def __init__(self) -> None:
        folder = cache_folder() / "tables"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            handle = tempfile.NamedTemporaryFile(dir=folder, suffix=".arrow", delete=False)  # noqa: SIM115
        except OSError as error:
            raise BenchError(
                f"{folder}: cannot store a large table here: {error.strerror}.", "Set BENCH_CACHE to another folder."
            ) from error
        self.path = Path(handle.name)
        self._handle = handle
        self._writer: Any = None
        lock = _lock(self.path)
        lock.acquire()
        weakref.finalize(self, _remove, self.path, lock)

    def write(self, columns: Mapping[str, Sequence[str]] | pd.DataFrame) -> None:
        """Add rows, by column.

        Parameters
        ----------
        columns : mapping of str to sequence of str
            Columns of equal length, the same ones in each call.

        Raises
        ------
        bench.errors.BenchError
            If the file cannot be written.
        """
        import pyarrow as pa

        batch = pa.table({str(name): pa.array(values, pa.large_string()) for name, values in columns.items()})
        try:
            if self._writer is None:
                self._writer = pa.ipc.new_file(self._handle, batch.schema)
            self._writer.write_table(batch)
        except OSError as error:
            raise BenchError(
                f"{self.path}: cannot be written: {error.strerror or error}.", "Set BENCH_CACHE to another folder."
            ) from error

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
            self._handle.close()
            self._writer = None

    def frame(self) -> pd.DataFrame:
        """Finish the file, and return its rows as a frame with a range index."""
        self.close()
        return read_mapped(self.path)


def read_mapped(path: Path) -> pd.DataFrame:
    """Map the file of a `MappedFile` into memory, as a frame with a range index."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        frame: pd.DataFrame = pa.ipc.open_file(source).read_all().to_pandas()
    return frame


def is_large(frame: pd.DataFrame) -> bool:
    """Whether a frame of text takes more than `LARGE` bytes."""
    return _size(frame) > LARGE


def _size(frame: pd.DataFrame) -> int:
    """The size in bytes of a frame's texts in Arrow format."""
    return int(frame.memory_usage(index=False).sum())


def select_rows(frame: pd.DataFrame, kept: NDArray[np.bool_]) -> pd.DataFrame:
    """Return some rows of a frame with a range index; write those of a large frame to a file instead of copying them.

    Arrow joins all parts of a column in memory before it selects rows, so this works by slices.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_rows, n_columns)
        Columns of text.
    kept : ndarray of bool, shape (n_rows,)
        The numbers of the rows.
    """
    if kept.all():
        return frame.reset_index(drop=True)
    if not is_large(frame):
        return frame[kept].reset_index(drop=True)
    return write_mapped(frame, kept).frame()


def write_mapped(frame: pd.DataFrame, kept: NDArray[np.bool_] | None = None) -> MappedFile:
    """Write a frame of text, or some rows of it, to a file."""
    file = MappedFile()
    for part in parts(frame):
        rows = frame.iloc[part]
        file.write(rows if kept is None else rows[kept[part]])
    return file


def parts(frame: pd.DataFrame) -> Iterator[slice]:
    """Cut a frame of text into parts whose texts fit into memory several times."""
    size = max(_size(frame), 1)
    step = max(min(len(frame) * _PART // size, _MOST_ROWS), 1)
    return (slice(start, start + step) for start in range(0, len(frame), step))


def _sweep(folder: Path) -> None:
    """Remove the files of killed processes. The system has released their locks."""
    for path in folder.glob("*.arrow"):
        with suppress(OSError, Timeout):
            if time.time() - path.stat().st_mtime > LEFT_BEHIND:
                lock = _lock(path)
                lock.acquire(timeout=0)
                _remove(path, lock)


def _lock(path: Path) -> FileLock:
    """The lock that a process holds while it needs the file."""
    return FileLock(f"{path}.lock")


def _remove(path: Path, lock: FileLock) -> None:
    lock.release()
    for each in (path, Path(lock.lock_file)):
        with suppress(OSError):
            each.unlink()
