"""Which column of a user's data is what: as the user says, else by its name, else by what is in it."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.data.column_names import fit, plain, whole
from bench.data.messages import check_name
from bench.data.sources.annotation_tools import annotated
from bench.data.sources.cells import SHIFTED, LeftOut
from bench.data.sources.roles import ROLE_NAMES, role_of
from bench.data.task import DEV, TEST, TRAIN
from bench.errors import ConfigError, DataError, nearest
from bench.scaffold.guess import BY_NAME, Guess, guess_label, guess_pair, guess_text
from bench.scaffold.profile import MOST_LABELS, Profile
from bench.scaffold.request import Given
from bench.schema.dialect import UNWRITABLE
from bench.text.identity import name_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.data.sources.formats import Rows

SHOWN_VALUES = 3
"""Example values that an error shows of a column."""

SHOWN_COLUMNS = 15
"""Columns that an error lists."""


_STANCE = ("stance", plain("موقف"))
"""The words in a column's name that say that its labels are stances."""

_STANCES = frozenset(map(plain, ("favor", "favour", "against", "support", "oppose", "مؤيد", "معارض", "مع", "ضد")))
"""Labels of which two say that they are stances."""


@dataclass
class ColumnSummary:
    """What is in a user's data, by column.

    Parameters
    ----------
    n_rows : int
        The number of rows.
    columns : dict of str to list of str
        A few different values of each column, as far as they are texts or numbers.
    passes : dict of str to int
        How many rows have a label in the column of one annotator.
    unlabelled : dict of str to int
        How many rows have none in that column.
    unusable : dict of str to str
        Why a column whose name is that of a group or an id is neither, by the first row that tells.
    profiles : dict of str to Profile
        What the cells of each column are like.
    """

    n_rows: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)
    passes: dict[str, int] = field(default_factory=dict)
    unlabelled: dict[str, int] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """Which column is what.

    Parameters
    ----------
    columns : dict of str to object
        The ``columns`` of a task's source.
    told : dict of str to str
        How each column that the user does not name was told.
    choices : list of str
        Where several columns could have been one thing: which was taken, and how to choose another, a sentence each.
    remarks : list of str
        What may have been meant otherwise, a sentence each.
    """

    columns: dict[str, Any]
    told: dict[str, str]
    choices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def summarise_columns(rows: Rows) -> ColumnSummary:
    """Read all rows once."""
    found = ColumnSummary()
    labelled = n_shifted = 0
    ids: dict[str, set[str]] = {}
    groups: dict[str, int] = {}
    for where, row in rows:
        found.n_rows += 1
        if SHIFTED in row.values():
            n_shifted += 1
            continue
        left_out = any(isinstance(value, LeftOut) for value in row.values())
        labelled += not left_out
        for column, value in row.items():
            if annotated(column, row) is not None:
                found.passes[column] = found.passes.get(column, 0) + 1
                continue
            values = found.columns.setdefault(column, [])
            text = str(value) if isinstance(value, str | int | float) else ""
            if text and len(values) < SHOWN_VALUES and text not in values:
                values.append(text)
            if isinstance(value, LeftOut):
                found.unlabelled[column] = found.unlabelled.get(column, 0) + 1
            found.profiles.setdefault(column, Profile()).add(value)
            reason = ""
            if _says(column, "id") and column not in found.unusable:
                reason = _no_name(value, ids.setdefault(column, set()))
            elif _says(column, "group") and not left_out:
                groups[column] = groups.get(column, 0) + 1
                reason = _no_name(value)
            if reason:
                found.unusable.setdefault(column, f"in {where} it {reason}")
    lacking = [column for column, seen in ids.items() if len(seen) < found.n_rows - n_shifted]
    lacking += [column for column, seen in groups.items() if seen < labelled]
    for column in lacking:
        found.unusable.setdefault(column, "some rows lack it")
    return found


def _no_name(value: object, ids: set[str] | None = None) -> str:
    """Why a cell names no group, or no example where `ids` has the names of those before it; empty where it does."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return "is empty"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "holds no text"
    if isinstance(value, float) and abs(value) >= 2**53:
        return "holds a number whose last digits are lost"
    text = str(value)
    if ids is None:
        return "holds a hidden character" if UNWRITABLE.search(text) else ""
    try:
        check_name(text, "", "id")
    except DataError:
        return "holds a hidden character"
    key = name_key(text, fold_case=False)
    if key in ids:
        return f"holds '{text}', which stands twice"
    ids.add(key)
    return ""


def choose_columns(found: ColumnSummary, given: Given, name: str, has_split: bool) -> Chosen:
    """Say which column of a table is what.

    Parameters
    ----------
    found : ColumnSummary
        The data.
    given : Given
        What the user says.
    name : str
        What messages call the data.
    has_split : bool
        Whether the parts of a published split are known without a column.

    Raises
    ------
    bench.errors.ConfigError
        If a named column is not there, one is named twice, or none or several can be the text or the label.
    """
    _check_given(found, given, name)
    of_pass = {column: str(annotated(column, found.columns)) for column in found.passes}
    labels = sorted({*of_pass.values(), *found.unlabelled})
    taken = [column for column in vars(given).values() if column is not None]
    only = labels[0] if len(labels) == 1 and labels[0] not in taken and given.label is None else None
    guesses = list(_guesses(found, given, name, taken, only))
    chosen: dict[str, Any] = {guess.key: guess.column for guess in guesses}
    chosen |= {key: column for key in ("claim", "text", "label") if (column := getattr(given, key)) is not None}
    taken += [guess.column for guess in guesses]
    passes = [column for column, label in of_pass.items() if label == chosen["label"]]
    labelled = found.n_rows - found.unlabelled.get(chosen["label"], 0)
    if len(passes) > 1 and all(found.passes[column] == labelled for column in passes):
        chosen["passes"] = passes
    if group := given.group or _optional("group", found, taken):
        chosen["group"] = group
        taken.append(group)
    splits = [column for column in _candidates("split", found, taken) if not _Parts.of(found, column).problem]
    if not has_split and (split := given.split or next(iter(splits), None)):
        chosen["split"] = split
        _check_parts(_Parts.of(found, split), split, name)
    free = [column for column in found.columns if column not in taken and column not in found.unusable]
    if ids := [column for column in free if _says(column, "id")]:
        chosen["id"] = ids[0]
    columns: dict[str, Any] = {
        key: chosen[key] for key in ("id", "claim", "text", "label", "passes", "group", "split") if key in chosen
    }
    told = {key: BY_NAME for key in columns if key != "passes" and getattr(given, key, None) is None}
    told |= {guess.key: guess.told for guess in guesses}
    remarks = [*_parts_taken(found, columns.get("split")), *_unused(found, columns, labels, has_split)]
    return Chosen(columns, told, list(_choices(found, guesses)), remarks)


def _guesses(found: ColumnSummary, given: Given, name: str, taken: list[str], only: str | None) -> Iterator[Guess]:
    """Guess the inputs and the label that the user does not name; `only` is the one that annotators filled in."""
    free = {column: profile for column, profile in found.profiles.items() if column not in (*taken, only)}
    with _listing(found, given):
        inputs: tuple[Guess, ...] = ()
        if given.text is None:
            pair = guess_pair(free) if given.claim is None else None
            inputs = pair or (guess_text(free, name),)
        yield from inputs
        for guess in inputs:
            del free[guess.column]
        if only is not None:
            yield Guess("label", only, "the only one that annotators filled in")
        elif given.label is None:
            yield guess_label(free, name)


def _choices(found: ColumnSummary, guesses: Sequence[Guess]) -> Iterator[str]:
    """Say where several columns could have been one thing which was taken."""
    by_key = {guess.key: guess for guess in guesses}
    if "claim" in by_key:
        claim, text = by_key["claim"].column, by_key["text"].column
        yield (
            f"The inputs are pairs: the claim is taken from '{claim}', the text that is held against it from '{text}'. "
            f"For texts alone: --text {shlex.quote(text)}"
        )
    yield from filter(None, (guess.choice(found.profiles) for guess in guesses))


@contextmanager
def _listing(found: ColumnSummary, given: Given) -> Iterator[None]:
    """List the columns in an error that asks for one."""
    try:
        yield
    except ConfigError as error:
        taken = [f"'{column}' is the {key} by --{key}." for key, column in vars(given).items() if column is not None]
        hints = [*filter(None, [error.hint]), *taken, describe_columns(found)]
        raise ConfigError(error.message, "\n".join(hints)) from error


def _unused(found: ColumnSummary, columns: dict[str, Any], labels: list[str], has_split: bool) -> Iterator[str]:
    """Say of columns that are not used what they could have been."""
    for column in labels:
        if column != columns["label"] and column not in columns.values():
            yield f"Annotators filled in '{column}' too: --label {shlex.quote(column)} makes a task of that."
    for column, profile in found.profiles.items():
        if whole(column, "claim") is not None and profile.holds_text and column not in columns.values():
            yield f"There is a column '{column}': --claim {shlex.quote(column)} makes this a task of pairs."
    yield from _stance_targets(found, columns)
    for column in found.columns:
        if column in columns.values():
            continue
        if not has_split:
            yield from _unused_split(found, columns.get("split"), column)
        if column in found.unusable:
            key = "id" if _says(column, "id") else "group"
            if key not in columns:
                yield f"The column '{column}' is not taken for the {key}: {found.unusable[column]}."


def _stance_targets(found: ColumnSummary, columns: dict[str, Any]) -> Iterator[str]:
    """Say of a task of stances that what they are towards is not part of the input."""
    label = columns["label"]
    values = found.profiles.get(label, Profile()).values
    says = fit(label, "label") is not None and any(word in plain(label) for word in _STANCE)
    if "claim" in columns or not (says or len(_STANCES & {plain(value) for value in values}) > 1):
        return
    for column, profile in found.profiles.items():
        if whole(column, "target") is not None and column not in columns.values() and profile.holds_text:
            yield (
                f"The label '{label}' is a stance, and '{column}' seems to say towards what. The model does not see "
                f"it: --claim {shlex.quote(column)} makes this a task of pairs of it and the text."
            )


def choose_span_columns(found: ColumnSummary, given: Given, name: str) -> Chosen:
    """Say which column of a file of spans is what, as `choose_columns` does; only those with a name of their own.

    Raises
    ------
    bench.errors.ConfigError
        As `choose_columns`, or if the user names a claim or a split, which spans cannot have.
    """
    for key in ("claim", "split"):
        if getattr(given, key) is not None:
            raise ConfigError(f"--{key} {getattr(given, key)}: labels of spans of documents have no {key}.")
    _check_given(found, given, name)
    taken = [column for column in vars(given).values() if column is not None]
    chosen = {}
    for key in ("document", "start", "end"):
        chosen[key] = _named(key, found, name, taken)
        taken.append(chosen[key])
    free = {column: profile for column, profile in found.profiles.items() if column not in taken}
    with _listing(found, given):
        chosen["label"] = given.label or guess_label(free, name).column
    text = given.text or ("text" if "text" in found.columns and "text" not in taken else None)
    chosen |= {key: column for key, column in (("text", text), ("group", given.group)) if column is not None}
    columns: dict[str, Any] = {
        key: column for key, column in chosen.items() if key != column or key in ("text", "group")
    }
    told: dict[str, str] = {key: BY_NAME for key in ("text", "label") if key in chosen and getattr(given, key) is None}
    return Chosen(columns, told)


def describe_columns(found: ColumnSummary) -> str:
    """List columns with a few of their values, a line each."""
    lines = []
    for column, values in list(found.columns.items())[:SHOWN_COLUMNS]:
        shown = ", ".join(repr(value if len(value) <= 24 else value[:23] + "…") for value in values)
        lines.append(f"  {column}: {shown}" if shown else f"  {column}")
    if len(found.columns) > SHOWN_COLUMNS:
        lines.append(f"  and {len(found.columns) - SHOWN_COLUMNS} more")
    return "Its columns, with some of their values:\n" + "\n".join(lines)


def _check_given(found: ColumnSummary, given: Given, name: str) -> None:
    """Raise a ConfigError if the user names a column that is not there, or one column for two things."""
    named: dict[str, str] = {}
    for key, column in vars(given).items():
        if column is None:
            continue
        if column not in found.columns:
            raise ConfigError(
                f"--{key} {column}: {name} has no such column.",
                f"{nearest(column, found.columns)}\n{describe_columns(found)}",
            )
        if column in named and {key, named[column]} & {"text", "label", "split"}:
            raise ConfigError(f"--{named[column]} and --{key} name the same column, '{column}'.")
        named[column] = key


def _named(key: str, found: ColumnSummary, name: str, taken: list[str]) -> str:
    """The column that a role's names say."""
    column = _optional(key, found, taken)
    if column is not None:
        return column
    candidates = _candidates(key, found, taken)
    problem = f"It can be any of {', '.join(candidates)}" if candidates else "None has a name that tells"
    raise ConfigError(f"{name}: which column is the {key}? {problem}.", f"Call it '{key}'.\n{describe_columns(found)}")


def _optional(key: str, found: ColumnSummary, taken: list[str]) -> str | None:
    candidates = _candidates(key, found, taken)
    return candidates[0] if len(candidates) == 1 or (candidates and whole(candidates[0], key) == (0, 0)) else None


def _candidates(key: str, found: ColumnSummary, taken: list[str]) -> list[str]:
    """The columns that a role's names fit, by the order of those names."""
    free = [column for column in found.columns if column not in taken and _says(column, key)]
    if key == "group":
        free = [column for column in free if column not in found.unusable]
    return sorted(free, key=lambda column: whole(column, key) or ())


@dataclass(frozen=True)
class _Parts:
    """The parts of a published split that a column's cells name.

    Parameters
    ----------
    roles : frozenset of str
        The parts.
    others : tuple of str
        The values that name none.
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
    def of(cls, found: ColumnSummary, column: str) -> _Parts:
        profile = found.profiles.get(column, Profile())
        roles = frozenset(role for value in profile.values if (role := role_of(value)))
        others = tuple(sorted(value for value in profile.values if not role_of(value)))
        return cls(roles, others, max(found.n_rows - profile.filled, 0), found.n_rows)

    @property
    def missing(self) -> str | None:
        """The part that a published split needs, and none of the cells names."""
        return next((role for role in (TRAIN, TEST) if role not in self.roles), None)

    @property
    def problem(self) -> str:
        """Why the column is not taken for a published split unasked, and what to do; empty where it can be."""
        if not self.roles:
            more = " …" if len(self.others) > SHOWN_VALUES else ""
            shown = f" ({', '.join(map(repr, self.others[:SHOWN_VALUES]))}{more})" if self.others else ""
            return (
                f"no value{shown} is the name of a part. If it is a published split, write {TRAIN}, {DEV} or {TEST} "
                "into it."
            )
        if self.others:
            return (
                f"{self.others[0]!r} is no part of a split. Write {TRAIN}, {DEV} or {TEST} there, or nothing, which "
                "leaves the row out."
            )
        if self.missing:
            return f"no row is in '{self.missing}'. A published split needs {TRAIN} and {TEST}."
        if self.n_blank:
            return f"{self.n_blank:,} of {self.n_rows:,} rows are in no part of it."
        return ""

    @property
    def fits(self) -> bool:
        """Whether the column can be taken for a published split if the user says so."""
        return not self.others and not self.missing


def _unused_split(found: ColumnSummary, split: str | None, column: str) -> Iterator[str]:
    """Say of a column that may be a published split why it is not used, and what to do."""
    parts = _Parts.of(found, column)
    few = len(found.profiles[column].values) <= MOST_LABELS if column in found.profiles else False
    if not (parts.roles and few) and (split is not None or not _says(column, "split")):
        return
    said = [f"The column '{column}' is not used as a published split:"]
    if split is not None:
        said.append(f"that is taken from '{split}'.")
    elif parts.problem:
        said.append(parts.problem)
    if parts.fits:
        leaving = " and leaves the rows without a part out" if parts.n_blank else ""
        said.append(f"--split {shlex.quote(column)} takes it{leaving}.")
    yield " ".join(said)


def _parts_taken(found: ColumnSummary, split: str | None) -> Iterator[str]:
    """Say what the cells of a split are taken for, where they are not the usual names."""
    if split is None:
        return
    roles = {value: role for value in sorted(found.profiles[split].values) if (role := role_of(value))}
    if any(value.casefold() not in ROLE_NAMES for value in roles):
        taken = ", ".join(f"{value!r} is {role}" for value, role in roles.items())
        yield f"The parts of the column '{split}' are taken so: {taken}."


def _check_parts(parts: _Parts, split: str, name: str) -> None:
    """Raise a ConfigError if all values of a column are parts of a split, but not those that one needs."""
    if parts.roles and not parts.others and parts.missing:
        raise ConfigError(
            f"--split {split}: no row of {name} is in '{parts.missing}'.",
            f"A published split needs {TRAIN} and {TEST}; without it leave --split out.",
        )


def _says(column: str, key: str) -> bool:
    """Whether a whole name says what a column is."""
    return whole(column, key) is not None
