"""Published files: downloaded once, checked against their SHA-256, and kept in the cache.

A task's file gives the SHA-256 of each file. If its author could not know it, it is ``null``: the first downloaded
file is trusted, its SHA-256 is recorded next to it in the cache, and no other file is accepted from then on.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from filelock import FileLock

from bench.data.messages import listed
from bench.errors import ConfigError, DataError, nearest
from bench.support.cache import cache_folder
from bench.support.digests import file_digest
from bench.support.downloads import most_to_download, too_large
from bench.support.places import replacing, write_whole
from bench.support.process import setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.data.section import Section

MIRROR_VARIABLE = "BENCH_DATA_MIRROR"
"""The environment variable that names a folder to read published files from."""

PATIENCE = 30.0
"""Seconds to wait for a server's next bytes."""

WITHOUT_NETWORK = f"Download it where there is a network, and set data.mirror=FOLDER or {MIRROR_VARIABLE}."


DOWNLOAD = "with from (an address) and sha256 (of each file)"
"""The form of the section on published files."""


@dataclass(frozen=True)
class PublishedFiles:
    """Files at an address, each with its expected SHA-256, if known.

    Parameters
    ----------
    address : str
        The address of the folder with the files, at a fixed commit or version.
    sha256 : dict of str to (str or None)
        The digest of each file's bytes in hexadecimal, by its path below the address; None if it is unknown.
    origin : str
        The key of the task's file with the files, for errors.
    """

    address: str
    sha256: dict[str, str | None]
    origin: str

    @classmethod
    def parse(cls, section: Section) -> PublishedFiles:
        """Read the ``download`` section of a task's file: ``from``, and by file ``sha256``, ``null`` if unknown.

        Raises
        ------
        bench.errors.ConfigError
            If a key is unknown, missing or malformed.
        """
        section.check_keys(("from", "sha256"), ())
        address, digests = section.text("from"), section.content["sha256"]
        if not re.fullmatch(r"https?://\S+", address):
            raise ConfigError(f"{section.where('from')}: '{address}' is not an http or https address.")
        if not isinstance(digests, dict) or not digests:
            raise ConfigError(f"{section.where('sha256')} must be a mapping of each file to its SHA-256.")
        for name, digest in digests.items():
            path = PurePosixPath(str(name))
            if not isinstance(name, str) or not path.name or ".." in path.parts or path.is_absolute() or "\\" in name:
                raise ConfigError(f"{section.where('sha256')}: {name!r} is not a path below the address.")
            if digest is not None and not (isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest)):
                raise ConfigError(
                    f"{section.where('sha256')}.{name}: {digest!r} is not 64 hexadecimal digits.",
                    f"Compute it with: sha256sum {PurePosixPath(name).name}. With null, the first file is trusted.",
                )
        return cls(address.rstrip("/") + "/", digests, f"{section.origin}: {section.name}")

    def here(self, mirror: Path | None = None) -> bool:
        """Whether all files are in the cache or, by their names, in the mirror."""
        mirror = mirror or _named_mirror()
        return all(
            (self._cached(name).is_file() and self.digest(name) is not None)
            or (mirror is not None and any(mirror.rglob(PurePosixPath(name).name)))
            for name in self.sha256
        )

    def digest(self, name: str) -> str | None:
        """Return a file's expected SHA-256: the task's, else the recorded one; None before its first use."""
        pinned = self.sha256[name]
        if pinned is not None:
            return pinned
        try:
            recorded = self._record(name).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return None
        return recorded if re.fullmatch(r"[0-9a-f]{64}", recorded) else None

    def notes(self) -> list[str]:
        """List the files without a SHA-256 in the task's file, with the recorded digests."""
        unpinned = [name for name, digest in self.sha256.items() if digest is None]
        if not unpinned:
            return []
        which = listed([f"{PurePosixPath(name).name} {(self.digest(name) or '')[:12]}".rstrip() for name in unpinned])
        return [f"the task's file has no SHA-256 for these files, so the first download is trusted: {which}"]

    def bring(self, name: str, mirror: Path | None = None) -> Path:
        """Return a file's place in the cache, after copying it from the mirror or downloading it.

        Parameters
        ----------
        name : str
            The file's path below the address.
        mirror : pathlib.Path, optional
            A folder that has the file at any depth. It is searched instead of downloading. By default, the
            folder in ``$BENCH_DATA_MIRROR``.

        Raises
        ------
        bench.errors.ConfigError
            If no digest is known for the file.
        bench.errors.DataError
            If the file is in neither place, or has another digest. If the task's file gives no digest, a
            mirror whose file differs from that of the first use is also rejected.
        """
        if name not in self.sha256:
            raise ConfigError(f"{self.origin}.sha256 has no entry for '{name}'.", nearest(name, self.sha256))
        target = self._cached(name)
        mirror = mirror or _named_mirror()
        if self._is_good(name):
            if self.sha256[name] is None and mirror is not None:
                self._check_first_use(name, mirror)
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.parent.with_suffix(".lock")):  # another process may be downloading it
            if not self._is_good(name):
                self._bring(name, target, mirror)
        return target

    def _is_good(self, name: str) -> bool:
        target, digest = self._cached(name), self.digest(name)
        return digest is not None and target.is_file() and file_digest(target) == digest

    def _bring(self, name: str, target: Path, mirror: Path | None) -> None:
        digest = self.digest(name)
        if mirror is None:
            self._download(name, target, digest)
        else:
            source = self._in_mirror(name, mirror, digest)
            with replacing(target) as beside:
                shutil.copyfile(source, beside)
        if digest is None:
            write_whole(self._record(name), f"{file_digest(target)}\n".encode())

    def _cached(self, name: str) -> Path:
        """A file's place: under its digest or, if the task's file has none, under its address."""
        key = self.sha256[name] or hashlib.sha256((self.address + name).encode()).hexdigest()
        return cache_folder() / "data" / key[:16] / PurePosixPath(name).name

    def _record(self, name: str) -> Path:
        """The file that records the SHA-256 of a file's first use."""
        cached = self._cached(name)
        return cached.with_name(cached.name + ".sha256")

    def _in_mirror(self, name: str, mirror: Path, digest: str | None) -> Path:
        if not mirror.is_dir():
            raise DataError(f"data.mirror={mirror}: this folder does not exist.")
        found = self._files_in(mirror, name)
        if digest is None:
            return self._only(found, name, mirror)
        for path in found:
            if file_digest(path) == digest:
                return path
        others = f" ({found[0]} has another SHA-256)" if found else ""
        raise DataError(
            f"data.mirror={mirror}: it has no {PurePosixPath(name).name} with SHA-256 {digest}{others}.",
            self._published(name),
        )

    def _check_first_use(self, name: str, mirror: Path) -> None:
        """Reject a mirror whose file differs from that of the first use."""
        found, digest = self._files_in(mirror, name), self.digest(name) or ""
        if found and all(file_digest(path) != digest for path in found):
            raise DataError(
                f"{found[0]}: its SHA-256 is not the one recorded on first use ({digest[:12]}).",
                f"To use this file from now on, delete {self._cached(name).parent}",
            )

    def _files_in(self, mirror: Path, name: str) -> list[Path]:
        return sorted(path for path in mirror.rglob(glob.escape(PurePosixPath(name).name)) if path.is_file())

    def _only(self, found: list[Path], name: str, mirror: Path) -> Path:
        """The only file with a name, for files without a digest."""
        if not found:
            raise DataError(f"data.mirror={mirror}: it has no {PurePosixPath(name).name}.", self._published(name))
        if len(found) > 1:
            raise DataError(
                f"data.mirror={mirror}: it has several files named {PurePosixPath(name).name}, and none is known "
                f"to be the right one: {listed([str(path) for path in found], 3)}.",
                "Name a folder with this task's files only.",
            )
        return found[0]

    def _published(self, name: str) -> str:
        return f"Download it from {self.address}{name}"

    def _download(self, name: str, target: Path, digest: str | None) -> None:
        import pooch

        address, known = self.address + name, None if digest is None else f"sha256:{digest}"
        if known is None:
            target.unlink(missing_ok=True)  # pooch would take it for the requested file
        logger = pooch.get_logger()
        loader = pooch.HTTPDownloader(timeout=PATIENCE, progressbar=sys.stderr.isatty())
        try:
            with setting(lambda: logger.level, logger.setLevel, logging.ERROR):
                pooch.retrieve(address, known, target.name, target.parent, downloader=_bounded(loader))
        except ValueError as error:
            named = f"{self.origin}.sha256" if self.sha256[name] else f"its first use, recorded in {self._record(name)}"
            raise DataError(
                f"{address}: its SHA-256 is not {digest}, the one in {named}.",
                "The published file has changed. Do not trust it. Look for the original version.",
            ) from error
        except OSError as error:  # errors of requests are OSErrors
            raise DataError(f"{address}: cannot be downloaded: {_reason(error)}.", WITHOUT_NETWORK) from error


def _bounded(loader: Callable[[str, Any, Any], None]) -> Callable[[str, str, Any], None]:
    """Limit a pooch downloader to the bytes that may be downloaded."""

    def load(address: str, output: str, of: Any) -> None:
        with Path(output).open("wb") as file:
            loader(address, _Counted(file, address), of)

    return load


class _Counted:
    """A file that accepts at most the bytes that may be downloaded."""

    def __init__(self, file: BinaryIO, address: str) -> None:
        self._file, self._address, self._left = file, address, most_to_download()
        self.flush = file.flush

    def write(self, part: bytes) -> int:
        self._left -= len(part)
        if self._left < 0:
            message, hint = too_large(self._address)
            raise DataError(message, f"{hint}, or download it yourself, then set data.mirror=FOLDER")
        return self._file.write(part)


def _named_mirror() -> Path | None:
    named = os.environ.get(MIRROR_VARIABLE)
    return Path(named).expanduser() if named else None


def _reason(error: OSError) -> str:
    answer = getattr(error, "response", None)
    if answer is not None:
        return f"the server answers {answer.status_code} {answer.reason}".rstrip()
    cause = getattr(error.args[0], "reason", None) if error.args else None  # urllib3's error inside that of requests
    told = str(cause or error).rpartition(": ")[2]
    return told.splitlines()[0] if told else type(error).__name__


def find_file(source: Section, name: str, mirror: Path | None) -> Path:
    """Return the path of a file: in the task's folder or, with ``download``, in the cache after downloading it.

    Parameters
    ----------
    source : Section
        The source section that names it.
    name : str
        The file's path relative to the task's folder, or below the address.
    mirror : pathlib.Path or None
        A folder to read published files from.
    """
    if source.content.get("download") is None:
        return source.path(name)
    return PublishedFiles.parse(source.section("download", DOWNLOAD)).bring(name, mirror)
