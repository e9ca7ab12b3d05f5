"""Files that others publish: brought once, checked against their SHA-256, and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bench.cache import cache_folder
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from bench.data.sources.section import Section

MIRROR_VARIABLE = "BENCH_DATA_MIRROR"
"""The environment variable that names a folder to take published files from."""

PATIENCE = 30.0
"""Seconds to wait for a server's next bytes."""

WITHOUT_NETWORK = f"Fetch it where there is a network, and name its folder: data.mirror=FOLDER, or {MIRROR_VARIABLE}."


@dataclass(frozen=True)
class PublishedFiles:
    """Files at an address, each with the SHA-256 of what is meant.

    Parameters
    ----------
    address : str
        The address of the folder that they are published in, of one commit or version.
    sha256 : dict of str to str
        The digest of each file's bytes in hexadecimal, by its path below the address.
    origin : str
        The key of the task's file that names them, for errors.
    """

    address: str
    sha256: dict[str, str]
    origin: str

    @classmethod
    def parse(cls, section: Section) -> PublishedFiles:
        """Read the ``download`` section of a task's file: ``from``, and ``sha256`` by file.

        Raises
        ------
        bench.errors.ConfigError
            If a key is unknown, missing or malformed.
        """
        section.check_keys(("from", "sha256"), ())
        address, digests = section.text("from"), section.content["sha256"]
        if not re.fullmatch(r"https?://\S+", address):
            raise ConfigError(f"{section.where('from')}: '{address}' is no https address.")
        if not isinstance(digests, dict) or not digests:
            raise ConfigError(f"{section.where('sha256')} must be a mapping of each file to its SHA-256.")
        for name, digest in digests.items():
            if not isinstance(name, str) or ".." in PurePosixPath(name).parts or name.startswith("/"):
                raise ConfigError(f"{section.where('sha256')}: {name!r} is no path below the address.")
            if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
                raise ConfigError(
                    f"{section.where('sha256')}.{name}: {digest!r} is not 64 hexadecimal digits.",
                    f"Compute it with: sha256sum {PurePosixPath(name).name}",
                )
        return cls(address.rstrip("/") + "/", digests, f"{section.origin}: {section.name}")

    def here(self) -> bool:
        """Whether all files are in the cache."""
        return all(self._cached(name).is_file() for name in self.sha256)

    def bring(self, name: str, mirror: Path | None = None) -> Path:
        """Return a file's place in the cache, after copying it from the mirror or downloading it.

        Parameters
        ----------
        name : str
            The file's path below the address.
        mirror : pathlib.Path, optional
            A folder that holds the file, at any depth, and is looked through in the network's place; by default the
            one that ``$BENCH_DATA_MIRROR`` names.

        Raises
        ------
        bench.errors.ConfigError
            If no digest is known for the file.
        bench.errors.DataError
            If the file is in neither place, or what is there is another file.
        """
        if name not in self.sha256:
            raise ConfigError(f"{self.origin}.sha256 lacks '{name}'.", nearest(name, self.sha256))
        target = self._cached(name)
        if target.is_file() and _sha256(target) == self.sha256[name]:
            return target
        named = os.environ.get(MIRROR_VARIABLE)
        mirror = mirror or (Path(named).expanduser() if named else None)
        if mirror is None:
            self._download(name, target)
        else:
            _copy(self._in_mirror(name, mirror), target)
        return target

    def _cached(self, name: str) -> Path:
        return cache_folder() / "data" / self.sha256[name][:16] / PurePosixPath(name).name

    def _in_mirror(self, name: str, mirror: Path) -> Path:
        if not mirror.is_dir():
            raise DataError(f"data.mirror={mirror}: there is no such folder.")
        found = sorted(mirror.rglob(PurePosixPath(name).name))
        for path in found:
            if path.is_file() and _sha256(path) == self.sha256[name]:
                return path
        others = f" ({found[0]} has other bytes)" if found else ""
        raise DataError(
            f"data.mirror={mirror}: it holds no {PurePosixPath(name).name} of SHA-256 {self.sha256[name]}{others}.",
            f"It is published at {self.address}{name}",
        )

    def _download(self, name: str, target: Path) -> None:
        import pooch

        pooch.get_logger().setLevel("ERROR")
        address, digest = self.address + name, f"sha256:{self.sha256[name]}"
        loader = pooch.HTTPDownloader(timeout=PATIENCE, progressbar=sys.stderr.isatty())
        try:
            pooch.retrieve(address, digest, target.name, target.parent, downloader=loader)
        except ValueError as error:
            raise DataError(
                f"{address}: its SHA-256 is not the {self.sha256[name]} of {self.origin}.sha256.",
                "The file was changed where it is published. Do not trust it; look for the version that is meant.",
            ) from error
        except OSError as error:  # which those of requests are
            raise DataError(f"{address}: cannot be downloaded: {_reason(error)}.", WITHOUT_NETWORK) from error


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=target.parent)
    os.close(handle)
    try:
        shutil.copyfile(source, beside)
        Path(beside).replace(target)
    finally:
        Path(beside).unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: OSError) -> str:
    answer = getattr(error, "response", None)
    if answer is not None:
        return f"the server answers {answer.status_code} {answer.reason}".rstrip()
    cause = getattr(error.args[0], "reason", None) if error.args else None  # of urllib3, inside that of requests
    told = str(cause or error).rpartition(": ")[2]
    return told.splitlines()[0] if told else type(error).__name__
