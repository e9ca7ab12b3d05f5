"""Places that a user names to be written to: files that appear whole or not at all, and what is said where none can.

A file or folder is written into a hidden folder beside its place, and renamed. What is written so has the permissions
that any new file has.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.errors import ConfigError, UserError

REFUSED = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG),
        *(errno.EACCES, errno.EPERM, errno.EROFS),
    }
)
"""What the operating system answers where nothing can be written at a place; a full disk is none of it."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What it answers, without naming a file, where what is written does not fit or the disk fails."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give the path of a file or folder to write, which takes the place of the target where all goes well.

    Where the target is a link, what it leads to is replaced. A file that is replaced passes its permissions on.

    Parameters
    ----------
    target : pathlib.Path
        The place, in a folder that is there; it holds a file or nothing.

    Raises
    ------
    bench.errors.UserError
        If nothing can be written there.
    OSError
        If writing fails for another reason; it names the target.
    """
    place = Path(os.path.realpath(target))
    if place.exists() and not (place.is_file() or place.is_dir()):
        raise UserError(f"{target}: cannot be written: it is no file.", "Name another place.")
    with folder_beside(place) as folder:
        beside = folder / place.name
        yield beside
        if place.is_file():
            shutil.copymode(place, beside)
        beside.replace(place)


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Make a hidden folder beside a place, to be removed at the end, and have errors name the place.

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
        raise _named(error, target) from error
    try:
        yield beside
    except OSError as error:
        if error.filename is None and error.errno not in NO_ROOM:
            raise
        if error.filename is not None and beside not in (Path(error.filename), *Path(error.filename).parents):
            raise
        raise _named(error, target) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_existing(target: Path, name: str) -> None:
    """Refuse to write over a file that is there; what is no regular file, such as ``/dev/null``, is let through.

    Parameters
    ----------
    target : pathlib.Path
        The place.
    name : str
        How the user named it.

    Raises
    ------
    bench.errors.ConfigError
        If a file stands there.
    """
    if target.is_file():
        raise ConfigError(f"{name}: there is already such a file.", "Name another one, or write over it with --force.")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where it is not there.

    Raises
    ------
    bench.errors.UserError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _named(error, folder) from error


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
            return _refusal(name, error.errno)
    return None


def _named(error: OSError, place: Path) -> Exception:
    """The error as one about the place."""
    if error.errno in REFUSED:
        return _refusal(str(place), error.errno)
    return OSError(error.errno, error.strerror, str(place))


def _refusal(name: str, number: int) -> UserError:
    # Where a folder is to be made, it is a file or a dangling link that exists.
    reason = os.strerror(errno.ENOTDIR if number == errno.EEXIST else number)
    return UserError(f"{name}: cannot be written: {reason}.", "Name another place, or see what stands there.")
