"""What a user asks of ``bench new task``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bench.data.sources.layout import Asked

_FLAGS = ("force", "strict", "allow_repeats", "allow_several", "allow_shifted")


@dataclass(frozen=True)
class Given:
    """The columns that a user names, None where the name is to be guessed or there is none."""

    text: str | None = None
    claim: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class TaskRequest:
    """A new task as the user asks for it.

    Parameters
    ----------
    name : str
        The task's name: small Latin letters, digits, ``-`` and ``_``.
    data : str or sequence of str
        A file, the files of a published split, a folder, or ``owner/name`` of the Hugging Face Hub, with
        ``:configuration`` and ``@revision`` where needed.
    given : Given
        The columns that the user names; the others are told by their names.
    asked : Asked
        What the user says of how the files are written.
    force : bool
        Whether to write over a task that is there, and to take the name of one that comes with the package.
    strict : bool
        Whether rows without a text or a label, and labels that only repeated inputs have, are errors.
    allow_repeats : bool
        Whether most inputs may repeat, the first of each counting.
    allow_several : bool
        Whether several labels in one cell are a label of their own.
    allow_shifted : bool
        Whether rows whose cells are shifted are left out.
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
        """What ``--data`` is given, each time."""
        return [self.data] if isinstance(self.data, str) else list(self.data)

    def command(self, columns: Mapping[str, str] | None = None, *flags: str) -> str:
        """The command that asks for the same with other columns, and with further flags.

        Examples
        --------
        >>> request = TaskRequest("mine", "a b.csv", Given(text="Feed"), strict=True)
        >>> request.command({"claim": "rumour"}, "allow-repeats")
        "bench new task mine --data 'a b.csv' --text Feed --claim rumour --strict --allow-repeats"
        """
        written = {**vars(self.asked), "columns": ",".join(self.asked.columns)}
        given = {key: column for key, column in {**vars(self.given), **(columns or {})}.items() if column is not None}
        options = [("data", each) for each in self.files]
        options += [(key, value) for key, value in (written | given).items() if value and isinstance(value, str)]
        set_already = [flag.replace("_", "-") for flag in _FLAGS if getattr(self, flag)]
        words = [f"--{key} {shlex.quote(value)}" for key, value in options]
        return " ".join(
            [f"bench new task {self.name}", *words, *(f"--{flag}" for flag in dict.fromkeys((*set_already, *flags)))]
        )
