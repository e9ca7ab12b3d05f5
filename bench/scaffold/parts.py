"""Find files that belong together, by name: pieces of a part, parts of a split, texts and labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.data.messages import listed
from bench.data.sources.formats import SUFFIXES
from bench.data.sources.roles import ROLE_NAMES
from bench.data.task import DEV, TEST, TRAIN
from bench.errors import DataError

IN_NAMES = ROLE_NAMES | {"trn": TRAIN, "tst": TEST, "trainset": TRAIN, "testset": TEST, "devset": DEV}
"""Words in file names that identify the parts of a published split."""

_LABELS = {"label", "labels", "target", "targets", "class", "classes", "gold", "y", "tags"}
"""Words in a file's name that identify the labels of texts in another file."""

_PIECE = re.compile(r"(?P<name>.*)-(?P<number>\d+)-of-(?P<total>\d+)(?P<suffix>\..+)?")
"""The name of a piece of a part, as `datasets` and the Hub have it."""


@dataclass(frozen=True)
class PartFiles:
    """The files of one part of a published split, or of all data.

    Parameters
    ----------
    files : tuple of pathlib.Path
        One file, or the pieces of a part in their order.
    labels : pathlib.Path or None
        The file with the labels of the texts, if separate.
    """

    files: tuple[Path, ...]
    labels: Path | None = None


def group_files(paths: Iterable[Path]) -> tuple[dict[str, PartFiles], list[Path]]:
    """Assign files to the parts of a published split, and list the unassigned files.

    Returns
    -------
    (dict of str to PartFiles, list of pathlib.Path)
        By part, or under an empty name if the files are not parts but belong together.

    Raises
    ------
    bench.errors.DataError
        If a piece of a part is missing.
    """
    by_role = files_by_role(paths)
    made = {role: part for role, files in by_role.items() if (part := _part(files)) is not None}
    if len(made) > 1:
        made.pop("", None)
    used = {path for part in made.values() for path in (*part.files, part.labels)}
    return made, [path for files in by_role.values() for path in files if path not in used]


def labels_beside(paths: Sequence[Path]) -> tuple[Path, Path] | None:
    """Which of two files holds texts, and which their labels, by a word in its name."""
    named = [path for path in paths if names_labels(path)]
    if len(paths) != 2 or len(named) != 1 or any(path.suffix.lower() in SUFFIXES for path in paths):
        return None
    return next(path for path in paths if path not in named), named[0]


def names_labels(path: Path) -> bool:
    """Whether a word in a file's name says that it has labels."""
    return not _LABELS.isdisjoint(_words(path))


def is_piece(path: Path) -> bool:
    """Whether a file's name says that it is one of several pieces of a table."""
    found = _PIECE.fullmatch(path.name)
    return found is not None and int(found["total"]) > 0


def _part(files: Sequence[Path]) -> PartFiles | None:
    """How files of one part belong together; None if unknown."""
    if (pair := labels_beside(files)) is not None:
        return PartFiles((pair[0],), pair[1])
    if len(files) == 1:
        return PartFiles((files[0],))
    return PartFiles(_ordered(files)) if all(map(is_piece, files)) else None


def _ordered(files: Sequence[Path]) -> tuple[Path, ...]:
    """The pieces of one part, in their order."""
    numbers: dict[int, Path] = {}
    wholes = set()
    for path in files:
        found = _PIECE.fullmatch(path.name)
        assert found is not None
        numbers[int(found["number"])] = path
        wholes.add((path.parent, found["name"], int(found["total"]), found["suffix"]))
    *_, total, _ = next(iter(wholes))
    start = 0 if 0 in numbers else 1
    lacking = [number for number in range(start, start + total) if number not in numbers]
    if len(wholes) > 1 or len(numbers) < len(files):
        raise DataError(
            f"{files[0].parent}: {listed([path.name for path in files], 5)} are not pieces of one table.",
            "Give the files of one data set only, or its folder.",
        )
    if lacking:
        raise DataError(
            f"{files[0].parent}: of {total} pieces of a table {len(lacking)} are missing, such as number {lacking[0]}.",
            "Download them too. Otherwise rows would be lost.",
        )
    return tuple(numbers[number] for number in sorted(numbers))


def files_by_role(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """The files of each part of a split, by a word in their names; those of none or several under an empty name."""
    by_role: dict[str, list[Path]] = {}
    for path in paths:
        by_role.setdefault(_role(path), []).append(path)
    return by_role


def _role(path: Path) -> str:
    """The part of a split from a word in a file's name; empty if none or several match."""
    roles = {IN_NAMES[word] for word in _words(path) if word in IN_NAMES}
    return roles.pop() if len(roles) == 1 else ""


def _words(path: Path) -> list[str]:
    return re.findall(r"[^\W\d_]+", path.name.casefold())
