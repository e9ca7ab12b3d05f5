"""Single files of the store: written completely or not at all, and read with clear errors."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from bench.errors import UserError, without_halves
from bench.results.layout import unlinked
from bench.support.json_writing import json_text
from bench.support.records import Record, from_json

NO_LINK, NO_WAIT = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK"))
"""How a file is opened; not every system has them."""


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a temporary file and rename it, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        raise UserError(f"{path}: this is a folder, not a file.", "Remove it, or move it to another folder.")
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(without_halves(content).encode() if isinstance(content, str) else content)
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def to_json(value: Any) -> str:
    """Write a value as an indented JSON document with sorted keys; see `bench.support.json_writing.json_text`."""
    return json_text(value, indent=1, sort_keys=True) + "\n"


def remove(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def opened(path: Path) -> BinaryIO:
    """Open a file of the store, unless it is a link or in a linked folder.

    Raises
    ------
    bench.errors.UserError
        If it is something else, or cannot be opened.
    """
    unlinked(path.parent.parent, path.parent.name, path.name)
    try:
        # Neither a link that was put there just now is followed, nor the writer of a pipe waited for.
        file = os.fdopen(os.open(path, os.O_RDONLY | NO_LINK | NO_WAIT), "rb")
    except FileNotFoundError:
        raise UserError(f"{path}: the file does not exist.", "Rerun the task to create it.") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise damaged(path, "it is not a file")
    return file


def read_bytes(path: Path) -> bytes:
    """Read a file of the store; see `opened`."""
    with opened(path) as file:
        try:
            return file.read()
        except MemoryError:
            raise damaged(path, f"its {path.stat().st_size:,} bytes do not fit into memory") from None
        except OSError as error:
            raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path}: cannot be read: {error.strerror}.", f"Check this file, or delete {path.parent}.")


def is_stored(path: Path) -> bool:
    """Whether a file of the store is there, and no link."""
    return path.is_file() and not path.is_symlink() and not path.parent.is_symlink()


def sha256(path: Path) -> str | None:
    """The digest of a file, None if there is none."""
    return hashlib.sha256(read_bytes(path)).hexdigest() if is_stored(path) else None


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_record(kind: type[Record], path: Path) -> Record:
    """Read a JSON file with a record.

    Raises
    ------
    bench.errors.UserError
        If it cannot be read, or has other content.
    """
    content = read_bytes(path)
    try:
        return from_json(kind, content)
    except ValueError as error:
        raise damaged(path, str(error)) from None


def damaged(path: Path, reason: str) -> UserError:
    """The error of a file that is not as it was stored."""
    return UserError(f"{path}: {reason}.", f"Delete {path.parent} and run the same command again.")
