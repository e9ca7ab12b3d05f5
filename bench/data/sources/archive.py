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

COMPRESSED: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
"""What opens a file of each suffix that is one compressed file."""

ARCHIVES = (*COMPRESSED, ".zip")
"""The suffixes of files that are unpacked."""

OTHER_ARCHIVES = (".tgz", ".tar", ".7z", ".rar", ".zst")
"""Suffixes of files that hold others and are not unpacked here."""

_BROKEN = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
"""What the standard library raises for archives that are broken, encrypted or of an unknown method."""


def is_archive(path: Path) -> bool:
    """Whether a file is unpacked by its suffix; ``.tar.gz`` is not."""
    return path.suffix.lower() in ARCHIVES and path.with_suffix("").suffix.lower() != ".tar"


@contextmanager
def unpacked(path: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Unpack a file into the cache folder, where it stays as long as this process.

    Errors that name the unpacked file name the archive in its place.

    Parameters
    ----------
    path : pathlib.Path
        The file, which is read if `is_archive` says so of it.
    suffixes : tuple of str
        The suffixes of tables; of an archive's files those with one of them are looked at.

    Yields
    ------
    (pathlib.Path, str)
        The file to read, and what its content is called.

    Raises
    ------
    bench.errors.DataError
        If it is broken or holds no table, or several.
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


@lru_cache(maxsize=8)
def _unpack(path: Path, suffixes: tuple[str, ...], number: int, size: int, changed: int) -> tuple[Path, str | None]:
    """The unpacked file, and its name in an archive; done once for what the system says of the file."""
    try:
        if path.suffix.lower() != ".zip":
            with COMPRESSED[path.suffix.lower()](path) as content:
                return _copy(content, path, Path(path.stem).suffix), None
        with zipfile.ZipFile(path) as archive:
            tables = _tables(archive, suffixes)
            if len(tables) != 1:
                raise DataError(
                    f"{path}: it holds {f'{len(tables)} tables: {listed(tables, 5)}' if tables else 'no table'}.",
                    f"Unpack it, and name a file or the folder: --data {path.with_suffix('')}",
                )
            with archive.open(tables[0]) as content:
                return _copy(content, path, PurePosixPath(tables[0]).suffix), tables[0]
    except _BROKEN as error:
        raise DataError(f"{path}: it cannot be unpacked: {str(error).rstrip('.')}.", "Unpack it first.") from error


def _tables(archive: zipfile.ZipFile, suffixes: tuple[str, ...]) -> list[str]:
    names = [name for name in archive.namelist() if not name.endswith("/") and not is_hidden(Path(name))]
    return [name for name in names if PurePosixPath(name).suffix.lower() in suffixes]


def _copy(content: Any, path: Path, suffix: str) -> Path:
    """Write what is unpacked to a file of a name of our own, as far as it is not absurdly large."""
    target = Path(_folder().name, f"{len(list(Path(_folder().name).iterdir()))}{suffix}")
    left = most = most_of(path)
    try:
        with target.open("wb") as file:
            while block := content.read(2**20):
                left -= len(block)
                if left < 0:
                    raise too_large(path, most, "If you trust it, unpack it, and name the file that was in it.")
                file.write(block)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    """The folder of this process, which goes with it."""
    parent = cache_folder() / "unpacked"
    parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=parent)
