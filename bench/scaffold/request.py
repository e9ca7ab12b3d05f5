"""The request of ``bench new task``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.data.sources.layout import Asked

_FLAGS = ("force", "strict", "allow_repeats", "allow_several", "allow_shifted")


@dataclass(frozen=True)
class Given:
    """The columns that a user names; None if the column is to be guessed or absent.

    `day_first` says how to read dates such as 03/05/2024; None if their column says it.
    """

    text: str | None = None
    claim: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None
    date: str | None = None
    day_first: bool | None = None

    def columns(self) -> dict[str, str]:
        """The named columns by role."""
        return {name: column for name, column in vars(self).items() if isinstance(column, str)}


@dataclass(frozen=True)
class TaskRequest:
    """A request for a new task.

    Parameters
    ----------
    name : str
        The task's name: small Latin letters, digits, ``-`` and ``_``.
    data : str or sequence of str
        A file, the files of a published split, a folder, or ``owner/name`` of the Hugging Face Hub, with
        ``:configuration`` and ``@revision`` where needed.
    given : Given
        The columns that the user names; the others are guessed.
    asked : Asked
        The format that the user specifies.
    force : bool
        Whether to overwrite an existing task, and to allow the name of one in the package.
    strict : bool
        Whether rows without a text or a label, and labels that only repeated inputs have, are errors.
    allow_repeats : bool
        Whether to accept many repeated inputs, using the first of each.
    allow_several : bool
        Whether to treat several labels in one cell as one label.
    allow_shifted : bool
        Whether to leave out rows with shifted cells.
    """

    name: str
    data: str | Sequence[str]
    given: Given = field(default_factory=Given)
    asked: Asked = field(default_factory=Asked)
    force: bool = False
    strict: bool = False
    allow_repeats: bool = False
    allow_several: bool = False
    allow_shifted: bool = False

    @property
    def files(self) -> list[str]:
        """The values of ``--data``."""
        return [self.data] if isinstance(self.data, str) else list(self.data)

    def command(self, columns: Mapping[str, str] | None = None, *flags: str) -> str:
        """The same command with other columns and additional flags.

        Examples
        --------
        >>> request = TaskRequest("mine", "a b.csv", Given(text="Feed"), strict=True)
        >>> request.command({"claim": "rumour"}, "allow-repeats")
        "bench new task mine --data 'a b.csv' --text Feed --claim rumour --strict --allow-repeats"
        """
        written = {**vars(self.asked), "columns": ",".join(self.asked.columns)}
        named = self.given.columns() | dict(columns or {})
        given = {role: named[role] for role in vars(self.given) if role in named}
        options = [("data", each) for each in self.files]
        options += [(key, value) for key, value in (written | given).items() if value and isinstance(value, str)]
        set_already = [flag.replace("_", "-") for flag in _FLAGS if getattr(self, flag)]
        if self.given.day_first is not None:
            set_already.append("day-first" if self.given.day_first else "month-first")
        words = [f"--{key} {shlex.quote(value)}" for key, value in options]
        return " ".join(
            [f"bench new task {self.name}", *words, *(f"--{flag}" for flag in dict.fromkeys((*set_already, *flags)))]
        )
