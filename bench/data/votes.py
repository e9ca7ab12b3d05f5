"""The labels of each annotator that were added to a task, one file for each version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.data.json_text import name_field, read_json_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VOTES = "annotations-v{}.jsonl"
"""The file of the votes that a version added."""

GROUND_TRUTH = "ground_truth"
"""The key of a vote that is marked as the truth."""

KEPT = "task-v{}.yaml"
"""The file of a task as it was in a version, once another one has labels added."""


def read_votes(path: Path, version: int) -> dict[str, dict[str, str]]:
    """Read the labels of each annotator that the versions of a task have added, by example.

    Parameters
    ----------
    path : pathlib.Path
        The task's file.
    version : int
        The newest version to read.

    Raises
    ------
    bench.errors.DataError
        If a file is not as ``bench add`` writes it.
    """
    votes: dict[str, dict[str, str]] = {}
    for name, who, label, _ in _lines(path, version):
        votes.setdefault(name, {})[who] = label
    return votes


def read_ground_truth(path: Path, version: int) -> dict[str, set[str]]:
    """Read whose labels were marked as the truth when they were last given, by example.

    Parameters
    ----------
    path, version
        As `read_votes` takes them.

    Raises
    ------
    bench.errors.DataError
        As `read_votes`.
    """
    truth: dict[str, set[str]] = {}
    for name, who, _, true in _lines(path, version):
        given = truth.setdefault(name, set())
        (given.add if true else given.discard)(who)
    return {name: given for name, given in truth.items() if given}


def _lines(path: Path, version: int) -> Iterator[tuple[str, str, str, bool]]:
    """Each recorded vote: the example, the annotator, the label, and whether it is the truth."""
    for number in range(1, version + 1):
        file = path.with_name(VOTES.format(number))
        for where, line in read_json_lines(file) if file.is_file() else ():
            name, who, label = (name_field(line, key, where) for key in ("example", "annotator", "label"))
            yield name, who, label, line.get(GROUND_TRUTH) is True
