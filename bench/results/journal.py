"""The journal of a cell: each setting that its search has tried, so that an interrupted search can continue."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import UserError
from bench.results.files import is_stored, read_bytes, write_atomically
from bench.support.records import Count, from_json, plain

DIGITS = 16
"""Hexadecimal digits of a line's checksum."""


@dataclass(frozen=True)
class ScoredSetting:
    """A tried setting, from which a search continues.

    Parameters
    ----------
    number : int
        Its place in the search, from 0.
    encoded : dict
        The setting as Optuna keeps it; see `bench.models.space.SearchSpace.encode`.
    score : float or None
        The metric over the pooled predictions of all inner folds; None if it failed or was stopped.
    error : str or None
        Why it failed.
    steps : tuple of float
        The metric over the pooled predictions of the first inner fold, the first two, and so on, as far as it came;
        empty if the search stops no setting early.
    warnings : dict of str to int
        What its fits warned of, and how often.
    seconds : float
        What its fits took.
    processors : dict of str to int
        How many of its fits ran on which processor.
    """

    number: Count
    encoded: Mapping[str, object]
    score: float | None = None
    error: str | None = None
    steps: tuple[float, ...] = ()
    warnings: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    processors: Mapping[str, Count] = field(default_factory=dict)

    @property
    def stopped(self) -> bool:
        """Whether the search stopped it before the last inner fold."""
        return self.score is None and self.error is None


class Journal:
    """The journal of one cell: a file of lines, each with its own checksum.

    A line that a killed process has left half written, or that was changed, counts as not written.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends_well = False

    def read(self) -> list[ScoredSetting]:
        """The settings that were tried, by their numbers; of a setting that was tried twice the later result."""
        if not is_stored(self.path):
            return []
        try:
            lines = read_bytes(self.path).split(b"\n")
        except UserError:
            return []
        scored = {each.number: each for line in lines if (each := _read(line)) is not None}
        return [scored[number] for number in sorted(scored)]

    def append(self, scored: ScoredSetting) -> None:
        """Add a setting, and wait until the disk has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = _line(scored)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(self.path, flags, 0o644), "ab") as file:
            # A process that was killed may have left a line without its end.
            file.write(line if self._ends_well else b"\n" + line)
            file.flush()
            os.fsync(file.fileno())
        self._ends_well = True

    def keep(self, wanted: Callable[[ScoredSetting], bool]) -> None:
        """Drop all other settings."""
        before = self.read()
        kept = [each for each in before if wanted(each)]
        if len(kept) < len(before):
            write_atomically(self.path, b"".join(map(_line, kept)))

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


def _line(scored: ScoredSetting) -> bytes:
    content = json.dumps(plain(scored), ensure_ascii=True).encode()
    return b"%b %b\n" % (_digest(content).encode(), content)


def _read(line: bytes) -> ScoredSetting | None:
    digest, _, content = line.partition(b" ")
    if digest != _digest(content).encode():
        return None
    try:
        return from_json(ScoredSetting, content)
    except ValueError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]
