"""The state that an engine's workers share, as files: written once, known by their digests, and mapped into memory.

The arrays of a state lie in its file as they lie in memory, so that all processes of a machine share one copy.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.engines.engine import Unit
from bench.support.carried import CarriedFile

ALIGNED = 64
"""The multiple of bytes at which an array begins."""

PIECE = 8 * 2**20
"""Bytes that are sent or read at once."""


@dataclass(frozen=True)
class SharedFile:
    """A file that workers need.

    Parameters
    ----------
    path : str
        Where it is on the client's machine.
    size : int
        Its bytes.
    digest : str
        The SHA-256 of its content.
    """

    path: str
    size: int
    digest: str

    def is_at(self, path: Path) -> bool:
        """Whether a path holds it."""
        try:
            return path.stat().st_size == self.size and digest_of(path) == self.digest
        except OSError:
            return False


def shared(path: Path) -> SharedFile:
    """What is said of a file to workers."""
    return SharedFile(str(path.resolve()), path.stat().st_size, digest_of(path))


def digest_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_state(state: Unit, path: Path) -> list[SharedFile]:
    """Write what makes a state into a file.

    Parameters
    ----------
    state : Unit
        The function and its arguments.
    path : pathlib.Path
        The new file.

    Returns
    -------
    list of SharedFile
        That file, and then those that the arguments rest on.

    Raises
    ------
    Exception
        If the function or an argument does not pickle.
    """
    with path.open("wb") as file:
        carried = _write(file, (state.function, state.args))
    return [shared(path), *(shared(each) for each in carried)]


def make_state(paths: Sequence[str]) -> Any:
    """Make the state of its files.

    Parameters
    ----------
    paths : sequence of str
        Where the files are on this machine, in the order of `write_state`.
    """
    with Path(paths[0]).open("rb") as file:
        function, args = _read(file, [Path(path) for path in paths[1:]])
    return function(*args)


def _write(file: IO[bytes], value: Any) -> list[Path]:
    """Write a pickle, with large arrays beside it; the files that the value rests on."""
    buffers: list[pickle.PickleBuffer] = []
    content = io.BytesIO()
    pickler = _Pickler(content, protocol=5, buffer_callback=buffers.append)
    pickler.dump(value)
    views = [buffer.raw() for buffer in buffers]
    head = pickle.dumps([content.tell(), *(view.nbytes for view in views)])
    file.write(len(head).to_bytes(8, "little"))
    file.write(head)
    file.write(content.getbuffer())
    for view in views:
        file.seek(_aligned(file.tell()))
        for start in range(0, view.nbytes, PIECE):
            file.write(view[start : start + PIECE])
    file.truncate()
    return pickler.files


def _read(file: IO[bytes], carried: Sequence[Path]) -> Any:
    size = int.from_bytes(file.read(8), "little")
    lengths = pickle.loads(file.read(size))
    mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    content, *buffers = _parts(mapped, 8 + size, lengths)
    unpickler = _Unpickler(io.BytesIO(content), buffers=buffers)
    unpickler.files = carried
    return unpickler.load()


def _parts(mapped: memoryview, start: int, lengths: Sequence[int]) -> list[memoryview]:
    parts = []
    for number, length in enumerate(lengths):
        start = _aligned(start) if number else start
        parts.append(mapped[start : start + length])
        start += length
    return parts


def _aligned(place: int) -> int:
    return -(-place // ALIGNED) * ALIGNED


class _Pickler(pickle.Pickler):
    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.files: list[Path] = []

    def persistent_id(self, value: Any) -> int | None:
        if not isinstance(value, CarriedFile):
            return None
        if value.path not in self.files:
            self.files.append(value.path)
        return self.files.index(value.path)


class _Unpickler(pickle.Unpickler):
    files: Sequence[Path] = ()

    def persistent_load(self, number: Any) -> CarriedFile:
        return CarriedFile(self.files[number])


def place_for(file: SharedFile, folder: Path) -> Path:
    """Where a worker that is sent a file keeps it."""
    return folder / file.digest


def write_piece(path: Path, start: int, data: bytes) -> None:
    """Write a piece of a file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.seek(start)
        file.write(data)
