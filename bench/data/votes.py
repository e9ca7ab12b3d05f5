"""The labels of each annotator that were added to a task, one file for each version.

A task comes from the versions that its file and the kept files before it name. The files of a version that was taken
back can still lie beside them, and do not count.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.data.definition import read_definition
from bench.data.json_reading import name_field, read_json_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = "examples-v{}.jsonl"
"""The file of the examples of a version that had labels added."""

_EXAMPLES = re.compile(r"(?:\./)?examples-v(\d{1,9})\.jsonl")

VOTES = "annotations-v{}.jsonl"
"""The file of the votes that a version added."""

POSTERIORS = "posteriors-v{}.jsonl"
"""The file of the probabilities of labels that a version has, where annotators are weighed."""

EARLIER = "earlier label"
"""The annotator of a label that an example without votes had."""

ADJUDICATED = "adjudicated label"
"""The annotator of a label that an example had, but that its votes do not give."""

NOBODY = (EARLIER, ADJUDICATED)
"""Annotators who are no people."""

GROUND_TRUTH = "ground_truth"
"""The key of a vote that is marked as the truth."""

TEXT = "text"
"""The key of a vote on a text that is no example yet, with the digest of the text."""

KEPT = "task-v{}.yaml"
"""The file of a task as it was in a version, once another one has labels added."""


def history(path: Path) -> set[int]:
    """Say which versions of a task, up to the present one, had labels added.

    Parameters
    ----------
    path : pathlib.Path
        The task's file.

    Raises
    ------
    bench.errors.DataError
        If a task's file cannot be read.
    """
    found: set[int] = set()
    while path.is_file() and (version := _made_by(path)) and version not in found:
        found.add(version)
        path = path.with_name(KEPT.format(version - 1))
        if not path.is_file():  # nothing says where the version came from
            found |= {*range(1, version)}
    return found


def _made_by(path: Path) -> int | None:
    """The version whose examples a task's file reads; None if no labels were added."""
    source = read_definition(path).get("source")
    made = _EXAMPLES.fullmatch(str(source.get("path"))) if isinstance(source, Mapping) else None
    return None if made is None else int(made[1])


@dataclass(frozen=True)
class Recorded:
    """What the versions that a task comes from have added.

    Parameters
    ----------
    votes : dict of str to dict of str to str
        The label of each annotator, by example.
    truth : dict of str to set of str
        Whose labels were marked as the truth when they were last given, by example.
    waiting : dict of str to list of str
        The names under which votes on texts without a majority wait, by the digest of the text.
    """

    votes: dict[str, dict[str, str]] = field(default_factory=dict)
    truth: dict[str, set[str]] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)


def read_recorded(path: Path, version: int) -> Recorded:
    """Read the votes of the versions that a task comes from.

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
    found = Recorded()
    for name, who, label, line in _lines(path, version):
        found.votes.setdefault(name, {})[who] = label
        truth = found.truth.setdefault(name, set())
        (truth.add if line.get(GROUND_TRUTH) is True else truth.discard)(who)
        if (text := str(line.get(TEXT, ""))) and name not in found.waiting.setdefault(text, []):
            found.waiting[text].append(name)
    return found


def read_votes(path: Path, version: int) -> dict[str, dict[str, str]]:
    """Read the label of each annotator alone, by example; see `read_recorded`."""
    return read_recorded(path, version).votes


def _lines(path: Path, version: int) -> Iterator[tuple[str, str, str, dict[str, object]]]:
    """Each recorded vote: example, annotator, label, which is empty if the task has one for no label, and the line."""
    for number in sorted(number for number in history(path) if number <= version):
        file = path.with_name(VOTES.format(number))
        for where, line in read_json_lines(file) if file.is_file() else ():
            name, who = (name_field(line, key, where) for key in ("example", "annotator"))
            label = "" if line.get("label") == "" else name_field(line, "label", where)
            yield name, who, label, line
