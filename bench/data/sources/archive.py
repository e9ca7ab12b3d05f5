"""Compressed files, and archives with one table in them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from bench.data.files import check_file
from bench.data.messages import listed
from bench.data.sources.bounds import most_of, too_large
from bench.data.sources.plain import is_hidden
from bench.errors import BenchError, DataError
from bench.support.cache import cache_folder
from bench.support.places import make_folder, place_error

COMPRESSED: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
"""The function that opens each kind of compressed file, by suffix."""

ARCHIVES = (*COMPRESSED, ".zip")
"""The suffixes of files that are unpacked."""

OTHER_ARCHIVES = (".tgz", ".tar", ".7z", ".rar", ".zst")
"""Suffixes of archives that are not unpacked here."""

_BROKEN = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""Errors of the standard library for archives that are broken, encrypted or of an unknown method."""


def is_archive(path: Path) -> bool:
    """Whether a file is unpacked by its suffix; ``.tar.gz`` is not."""
    return path.suffix.lower() in ARCHIVES and path.with_suffix("").suffix.lower() != ".tar"


@contextmanager
def unpacked(path: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Unpack a file into the cache folder. It stays there until this process ends.

    Errors about the unpacked file name the archive instead.

    Parameters
    ----------
    path : pathlib.Path
        The file; it is unpacked if `is_archive` is true for it.
    suffixes : tuple of str
        The suffixes of tables. Other files in an archive are ignored.

    Yields
    ------
    (pathlib.Path, str)
        The file to read, and the name of its content.

    Raises
    ------
    bench.errors.DataError
        If it is broken, or does not contain exactly one table.
    """
    if not is_archive(path):
        yield path, str(path)
        return
    check_file(path)
    state = path.stat()
    file, inner = _unpack(path, suffixes, state.st_ino, state.st_size, state.st_mtime_ns)
    shown = str(path) if inner is None else f"{path}: {inner}"
    try:
        yield file, shown
    except BenchError as error:
        hint = None if error.hint is None else error.hint.replace(str(file), shown)
        raise type(error)(error.message.replace(str(file), shown), hint) from error


def unread_in(path: Path, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    """Name the files of an archive beside its only table, in a sentence; nothing if there are none."""
    if path.suffix.lower() != ".zip":
        return ()
    with zipfile.ZipFile(path) as archive:
        tables, names = _tables(archive, suffixes), _names(archive)
    others = [name for name in names if name not in tables]
    return (f"These files of the archive are not read: {listed(others)}.",) if others else ()


@lru_cache(maxsize=8)
def _unpack(path: Path, suffixes: tuple[str, ...], number: int, size: int, changed: int) -> tuple[Path, str | None]:
    """The unpacked file, and its name in an archive; cached until the file changes."""
    try:
        if path.suffix.lower() != ".zip":
            with COMPRESSED[path.suffix.lower()](path) as content:
                return _copy(content, path, Path(path.stem).suffix), None
        with zipfile.ZipFile(path) as archive:
            tables = _tables(archive, suffixes)
            if len(tables) != 1:
                raise DataError(
                    f"{path}: it contains {f'{len(tables)} tables: {listed(tables, 5)}' if tables else 'no table'}.",
                    "Unpack it, and use its files one by one. Only bench new task also reads the folder: "
                    f"--data {path.with_suffix('')}",
                )
            with archive.open(tables[0]) as content:
                return _copy(content, path, PurePosixPath(tables[0]).suffix), tables[0]
    except _BROKEN as error:
        raise DataError(f"{path}: cannot be unpacked: {str(error).rstrip('.')}.", "Unpack it first.") from error


def _tables(archive: zipfile.ZipFile, suffixes: tuple[str, ...]) -> list[str]:
    return [name for name in _names(archive) if PurePosixPath(name).suffix.lower() in suffixes]


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if not name.endswith("/") and not is_hidden(Path(name))]


def _copy(content: Any, path: Path, suffix: str) -> Path:
    """Write the unpacked content to a new file, up to a size limit."""
    target = Path(_folder().name, f"{len(list(Path(_folder().name).iterdir()))}{suffix}")
    left = most = most_of(path)
    try:
        with target.open("wb") as file:
            while block := content.read(2**20):
                left -= len(block)
                if left < 0:
                    raise too_large(path, most, "If you trust it, unpack it, and use the file inside.")
                file.write(block)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    """The folder of this process, which is removed with it."""
    parent = cache_folder() / "unpacked"
    make_folder(parent)
    try:
        return tempfile.TemporaryDirectory(dir=parent)
    except OSError as error:
        raise place_error(error, parent) from error
