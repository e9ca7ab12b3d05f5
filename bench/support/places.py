"""Output files named by a user: they appear complete or not at all, with clear errors.

A file or folder is written into a hidden folder beside its place, and renamed. What is written so has the permissions
that any new file has.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.errors import ConfigError, UserError
from bench.support.cache import CACHE_VARIABLE, cache_folder

OVERWRITE = "Choose another name, or overwrite it with --force."

REFUSED = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.EACCES, errno.EPERM, errno.EROFS),
    }
)
"""Errors of the operating system if nothing can be written at a place; a full disk is not one."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What it answers, without naming a file, where what is written does not fit or the disk fails."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give the path of a file or folder to write, which replaces the target on success.

    Where the target is a link, what it leads to is replaced. A file that is replaced passes its permissions on.

    Parameters
    ----------
    target : pathlib.Path
        The target: a file or nothing, in an existing folder.

    Raises
    ------
    bench.errors.UserError
        If nothing can be written there.
    OSError
        If writing fails for another reason; it names the target.
    """
    place = Path(os.path.realpath(target))
    if place.exists() and not (place.is_file() or place.is_dir()):
        raise UserError(f"{target}: cannot be written: it is not a file.", "Choose another name.")
    with folder_beside(place) as folder:
        beside = folder / place.name
        yield beside
        if place.is_file():
            shutil.copymode(place, beside)
        beside.replace(place)


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Make a temporary hidden folder next to a place, and mention the place in errors.

    Raises
    ------
    bench.errors.UserError
        If no file can be written there.
    OSError
        If writing fails for another reason.
    """
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise place_error(error, target) from error
    try:
        yield beside
    except OSError as error:
        if error.filename is None and error.errno not in NO_ROOM:
            raise
        if error.filename is not None and beside not in (Path(error.filename), *Path(error.filename).parents):
            raise
        raise place_error(error, target) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_read(target: Path, name: str, read: Iterable[Path]) -> None:
    """Do not overwrite a file that is read, or one of a folder that is read, whatever the user allows.

    Parameters
    ----------
    target : pathlib.Path
        The place.
    name : str
        How the user named it.
    read : iterable of pathlib.Path
        What is read.

    Raises
    ------
    bench.errors.ConfigError
        If it is one of these, or in one of these.
    """
    place = Path(os.path.realpath(target))
    if place.exists() and any(_holds(each, place) for each in read):
        raise ConfigError(f"{name}: this file is read by a task or the command, so it stays.", "Name another.")


def _holds(read: Path, place: Path) -> bool:
    try:
        return Path(os.path.realpath(read)) in place.parents or place.samefile(read)
    except (OSError, ValueError):  # nothing is there, or the text cannot name a file
        return False


def refuse_existing(target: Path, name: str) -> None:
    """Do not overwrite an existing file; anything but a regular file, such as ``/dev/null``, is allowed.

    Parameters
    ----------
    target : pathlib.Path
        The place.
    name : str
        How the user named it.

    Raises
    ------
    bench.errors.ConfigError
        If the file exists.
    """
    if target.is_file():
        raise ConfigError(f"{name}: the file already exists.", OVERWRITE)


def already_there(names: Iterable[str]) -> ConfigError:
    """Make the error about files that a command would overwrite."""
    named = list(names)
    return ConfigError(f"{', '.join(named)} already exist{'s' * (len(named) == 1)}.", OVERWRITE)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, and the folders that it is in where they are missing.

    Raises
    ------
    bench.errors.UserError
        If it cannot be written.
    OSError
        If writing fails for another reason; see `replacing`.
    """
    make_folder(path.parent)
    with replacing(path) as beside:
        beside.write_bytes(content)


def make_folder(folder: Path) -> None:
    """Create a folder, and those above it, if missing.

    Raises
    ------
    bench.errors.UserError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise place_error(error, folder) from error


def refused(error: OSError, places: Mapping[str, Path]) -> UserError | None:
    """Make the error for a place that the user named, where that is what the operating system refuses.

    Parameters
    ----------
    error : OSError
        What it answered.
    places : mapping of str to pathlib.Path
        The places by how the user named them, such as ``results=FOLDER``.

    Returns
    -------
    bench.errors.UserError or None
        None where it is about no such place, or of another kind.
    """
    if error.errno not in REFUSED or error.filename is None:
        return None
    at = Path(os.fsdecode(error.filename))
    for name, place in places.items():
        if at == place or place in at.parents or at in place.parents:
            return _refusal(name, place, error.errno)
    return None


def place_error(error: OSError, place: Path) -> Exception:
    """Make the error about a place that could not be written, for what the operating system answered."""
    if error.errno in REFUSED:
        return _refusal(str(place), place, error.errno)
    return OSError(error.errno, error.strerror, str(place))


def _refusal(name: str, place: Path, number: int) -> UserError:
    # If a folder must be created, a file or a dangling link is in the way.
    reason = os.strerror(errno.ENOTDIR if number == errno.EEXIST else number)
    cache = cache_folder()
    chosen = f"Set {CACHE_VARIABLE} to another folder" if cache in (place, *place.parents) else "Choose another place"
    return UserError(f"{name}: cannot be written: {reason}.", f"{chosen}, or check what is there.")
