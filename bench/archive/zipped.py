"""Reading the ZIP file of an archive: names, kinds, sizes and digests are held against its manifest."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bench.archive.manifest import MANIFEST, VERSION, Manifest, PackedFile, run_place
from bench.data.sources.bounds import most_of
from bench.errors import DataError, UserError
from bench.results.result_format import FORMAT
from bench.support.records import from_json

MOST_FILES = 1_000_000
"""Files of an archive, at most."""

LARGEST_MANIFEST = 2**28
"""Bytes of a manifest, at most."""

CHUNK = 2**20

SAME_VERSION = "Use the same version of bench on both machines."

AGAIN = "Export the runs again where they are stored: bench export results FILE.zip"


def read_manifest(archive: Path) -> Manifest:
    """Read what an archive says that it holds, and hold the names, kinds and sizes of its files against that.

    Raises
    ------
    bench.errors.UserError
        If the file is not such an archive, or holds what no stored run has.
    """
    with _read_errors(archive), zipfile.ZipFile(archive) as packed:
        return _read_manifest(archive, packed)


def extract(archive: Path, manifest: Manifest, folder: Path) -> None:
    """Write the files of an archive into an empty folder, and hold each against its size and digest.

    Raises
    ------
    bench.errors.UserError
        If a file is damaged, or another than the manifest says.
    """
    with _read_errors(archive), zipfile.ZipFile(archive) as packed:
        for each in manifest.files:
            _extract(archive, packed, each, folder)


@contextmanager
def _read_errors(archive: Path) -> Iterator[None]:
    """Say of a file that cannot be read what is wrong with it."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive}: not readable as a ZIP file: {error}.", AGAIN) from None
    except OSError as error:
        if error.filename is not None and Path(os.fsdecode(error.filename)) == archive:
            raise UserError(f"{archive}: cannot be read: {error.strerror}.", "Name the file to import.") from None
        raise


def _read_manifest(archive: Path, packed: zipfile.ZipFile) -> Manifest:
    """Read the manifest, and hold the names, kinds and sizes of all files against it."""
    entries = packed.infolist()
    if len(entries) > MOST_FILES:
        raise DataError(f"{archive}: it holds {len(entries):,} files, more than {MOST_FILES:,}.", AGAIN)
    for name, times in Counter(entry.filename for entry in entries).items():
        if times > 1:
            raise DataError(f"{archive}: {name}: it occurs {times} times.", AGAIN)
    if MANIFEST not in packed.NameToInfo:
        raise DataError(f"{archive}: it holds no {MANIFEST}, so bench did not write it.", AGAIN)
    for entry in entries:
        _check_kind(archive, entry)
    most = most_of(archive)
    content = _bounded(packed, MANIFEST, min(most, LARGEST_MANIFEST))
    if content is None:
        raise DataError(f"{archive}: {MANIFEST}: it is larger than its archive can hold.", AGAIN)
    try:
        manifest = from_json(Manifest, content)
    except ValueError as error:
        raise DataError(f"{archive}: {MANIFEST}: {error}.", AGAIN) from None
    if manifest.version != VERSION or manifest.format != FORMAT:
        raise DataError(
            f"{archive}: another version of bench wrote it (layout {manifest.version}, result format "
            f"{manifest.format}; this one reads layout {VERSION}, result format {FORMAT}).",
            SAME_VERSION,
        )
    described = Counter(each.name for each in manifest.files)
    for name, times in described.items():
        if times > 1:
            raise DataError(f"{archive}: {MANIFEST}: {name} is listed {times} times.", AGAIN)
        if name not in packed.NameToInfo:
            raise DataError(f"{archive}: {name}: it is listed in {MANIFEST}, but missing.", AGAIN)
        if run_place(name) is None:
            raise DataError(f"{archive}: {name}: no stored run has such a file.", AGAIN)
    for entry in entries:
        if entry.filename != MANIFEST and entry.filename not in described:
            raise DataError(f"{archive}: {entry.filename}: it is not listed in {MANIFEST}.", AGAIN)
    if sum(each.bytes for each in manifest.files) > most:
        size = archive.stat().st_size
        raise DataError(f"{archive}: its {size:,} bytes stand for more than {most:,}, as no stored runs do.", AGAIN)
    return manifest


def _check_kind(archive: Path, entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    if entry.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        kind = "a folder" if entry.is_dir() else "a link" if stat.S_ISLNK(mode) else "no regular file"
        raise DataError(f"{archive}: {entry.filename}: it is {kind}, and only files are read.", AGAIN)
    if entry.flag_bits & 1:
        raise DataError(f"{archive}: {entry.filename}: it is encrypted.", AGAIN)
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{archive}: {entry.filename}: it is compressed in a way that is not read here.", AGAIN)


def _bounded(packed: zipfile.ZipFile, name: str, most: int) -> bytes | None:
    """The content of a file, None where it is larger."""
    with packed.open(name) as file:
        content = file.read(most + 1)
    return content if len(content) <= most else None


def _extract(archive: Path, packed: zipfile.ZipFile, described: PackedFile, staging: Path) -> None:
    """Write a file below a folder, and hold it against its size and digest."""
    target = staging / described.name
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with packed.open(described.name) as file, _created(archive, target, described.name) as out:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            if size > described.bytes:
                break
            digest.update(chunk)
            out.write(chunk)
    if size != described.bytes or digest.hexdigest() != described.sha256:
        raise DataError(
            f"{archive}: {described.name}: its content is not what {MANIFEST} says: it was changed or damaged.", AGAIN
        )


@contextmanager
def _created(archive: Path, target: Path, name: str) -> Iterator[BinaryIO]:
    try:
        with target.open("xb") as out:
            yield out
    except FileExistsError:  # A file system that takes names for the same that differ in case.
        raise DataError(
            f"{archive}: {name}: another file there has the same name but for its spelling.", AGAIN
        ) from None
