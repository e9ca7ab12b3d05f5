"""Find the column with the parts of a published split."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data.sources.roles import ROLE_NAMES, role_of
from bench.data.task import DEV, TEST, TRAIN
from bench.errors import ConfigError
from bench.scaffold.profile import MOST_LABELS, Profile
from bench.scaffold.summary import SHOWN_VALUES, ColumnSummary, says

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class SplitColumn:
    """The parts of a published split in a column.

    Parameters
    ----------
    roles : frozenset of str
        The parts.
    others : tuple of str
        The values that are not a part.
    n_blank : int
        The rows with an empty cell.
    n_rows : int
        All rows.
    """

    roles: frozenset[str]
    others: tuple[str, ...]
    n_blank: int
    n_rows: int

    @classmethod
    def of(cls, found: ColumnSummary, column: str) -> SplitColumn:
        """Detect the parts from the values of a column."""
        profile = found.profiles.get(column, Profile())
        roles = frozenset(role for value in profile.values if (role := role_of(value)))
        others = tuple(sorted(value for value in profile.values if not role_of(value)))
        return cls(roles, others, max(found.n_rows - profile.filled, 0), found.n_rows)

    @property
    def missing(self) -> str | None:
        """A required part that no cell names."""
        return next((role for role in (TRAIN, TEST) if role not in self.roles), None)

    @property
    def problem(self) -> str:
        """Why the column is not used as a published split by default, and what to do; empty if it is."""
        if not self.roles:
            more = " …" if len(self.others) > SHOWN_VALUES else ""
            shown = f" ({', '.join(map(repr, self.others[:SHOWN_VALUES]))}{more})" if self.others else ""
            return (
                f"no value{shown} is the name of a part. If it is a published split, write {TRAIN}, {DEV} or {TEST} "
                "into it."
            )
        if self.others:
            return (
                f"{self.others[0]!r} is not a part of a split. Write {TRAIN}, {DEV} or {TEST} there, or nothing, which "
                "leaves the row out."
            )
        if self.missing:
            return f"no row is in '{self.missing}'. A published split needs {TRAIN} and {TEST}."
        if self.n_blank:
            return f"{self.n_blank:,} of {self.n_rows:,} rows are in no part of it."
        return ""

    @property
    def fits(self) -> bool:
        """Whether the column can be a published split on request."""
        return not self.others and not self.missing


def unused_split(found: ColumnSummary, split: str | None, column: str) -> Iterator[str]:
    """Explain why a possible published split is not used, and what to do."""
    parts = SplitColumn.of(found, column)
    few = len(found.profiles[column].values) <= MOST_LABELS if column in found.profiles else False
    if not (parts.roles and few) and (split is not None or not says(column, "split")):
        return
    said = [f"The column '{column}' is not used as a published split:"]
    if split is not None:
        said.append(f"'{split}' is used instead.")
    elif parts.problem:
        said.append(parts.problem)
    if parts.fits:
        leaving = " and leaves the rows without a part out" if parts.n_blank else ""
        said.append(f"--split {shlex.quote(column)} uses it{leaving}.")
    yield " ".join(said)


def parts_taken(found: ColumnSummary, split: str | None) -> Iterator[str]:
    """Describe how the cells of a split are interpreted, if their names are unusual."""
    if split is None:
        return
    roles = {value: role for value in sorted(found.profiles[split].values) if (role := role_of(value))}
    if any(value.casefold() not in ROLE_NAMES for value in roles):
        taken = ", ".join(f"{value!r} is {role}" for value, role in roles.items())
        yield f"The column '{split}' is read as follows: {taken}."


def check_parts(parts: SplitColumn, split: str, name: str) -> None:
    """Raise a ConfigError if the values of a column are parts of a split, but required parts are missing."""
    if parts.roles and not parts.others and parts.missing:
        raise ConfigError(
            f"--split {split}: no row of {name} is in '{parts.missing}'.",
            f"A published split needs {TRAIN} and {TEST}. Without one, remove --split.",
        )
