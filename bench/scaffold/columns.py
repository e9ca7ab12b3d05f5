"""Assign roles to a user's columns: as the user specifies, else by name, else by content."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.data.column_names import fit, plain_name, whole
from bench.data.sources.annotation_tools import annotated
from bench.errors import ConfigError, nearest
from bench.scaffold.guess import BY_NAME, Guess, guess_label, guess_pair, guess_text
from bench.scaffold.profile import Profile
from bench.scaffold.request import Given
from bench.scaffold.split_columns import SplitColumn, check_parts, parts_taken, unused_split
from bench.scaffold.summary import ColumnSummary, describe_columns, says

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


_STANCE = ("stance", plain_name("موقف"))
"""Words in a column's name that mean stance labels."""

_STANCES = frozenset(map(plain_name, ("favor", "favour", "against", "support", "oppose", "مؤيد", "معارض", "مع", "ضد")))
"""Typical stance labels; two of them identify a stance column."""


OWN_GROUPS = "id"
"""What the user names as the group where each row is one of its own."""


@dataclass(frozen=True)
class Chosen:
    """The roles of columns.

    Parameters
    ----------
    columns : dict of str to str
        The column of each role.
    told : dict of str to str
        How each guessed column was recognised.
    day_first : bool or None
        How dates such as 03/05/2024 are read; None if there are none with two readings.
    choices : list of str
        For each ambiguous role, the chosen column and how to choose another, a sentence each.
    remarks : list of str
        Notes on doubtful choices, a sentence each.
    passes : list of str
        The columns of annotation passes.
    own_groups : bool
        Whether the user says that each row is a group of its own.
    """

    columns: dict[str, str]
    told: dict[str, str]
    day_first: bool | None = None
    choices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    passes: list[str] = field(default_factory=list)
    own_groups: bool = False

    @property
    def section(self) -> dict[str, str | list[str]]:
        """The ``columns`` of a task's source."""
        named: dict[str, str | list[str]] = {}
        for key, column in self.columns.items():
            named[key] = column
            if key == "label" and self.passes:
                named["passes"] = self.passes
        return named


def choose_columns(found: ColumnSummary, given: Given, name: str, has_split: bool) -> Chosen:
    """Assign roles to the columns of a table.

    Parameters
    ----------
    found : ColumnSummary
        The data.
    given : Given
        The columns that the user names.
    name : str
        The name of the data in messages.
    has_split : bool
        Whether the parts of a published split are known without a column.

    Raises
    ------
    bench.errors.ConfigError
        If a named column is missing or repeated, or no column or several can be the text or the label.
    """
    own_groups = given.group == OWN_GROUPS and OWN_GROUPS not in found.columns
    _check_given(found, replace(given, group=None) if own_groups else given, name)
    of_pass = {column: str(annotated(column, found.columns)) for column in found.passes}
    labels = sorted({*of_pass.values(), *found.unlabelled})
    taken = [*given.columns().values()]
    only = labels[0] if len(labels) == 1 and labels[0] not in taken and given.label is None else None
    guesses = list(_guesses(found, given, name, taken, only))
    chosen: dict[str, str] = {guess.key: guess.column for guess in guesses}
    chosen |= {key: column for key in ("claim", "text", "label") if (column := getattr(given, key)) is not None}
    taken += [guess.column for guess in guesses]
    passes = [column for column, label in of_pass.items() if label == chosen["label"]]
    labelled = found.n_rows - found.unlabelled.get(chosen["label"], 0)
    partial = [column for column in passes if found.passes[column] != labelled] if len(passes) > 1 else []
    passes = [] if partial or len(passes) < 2 else passes
    if given.group is not None and not own_groups:
        chosen["group"] = given.group
    elif given.group is None and (groups := _candidates("group", found, taken)):
        guesses.append(Guess("group", groups[0], others=tuple(groups[1:])))
        chosen["group"] = groups[0]
        taken.append(groups[0])
    splits = [column for column in _candidates("split", found, taken) if not SplitColumn.of(found, column).problem]
    if not has_split and (split := given.split or next(iter(splits), None)):
        chosen["split"] = split
        check_parts(SplitColumn.of(found, split), split, name)
    date, undated = _date(found, given, [*taken, chosen.get("split", ""), *passes])
    if date is not None:
        chosen["date"] = date
        taken.append(date)
    free = [column for column in found.columns if column not in taken and column not in found.unusable]
    if ids := [column for column in free if says(column, "id")]:
        chosen["id"] = ids[0]
    columns: dict[str, str] = {
        key: chosen[key] for key in ("id", "claim", "text", "label", "group", "split", "date") if key in chosen
    }
    told: dict[str, str] = {key: BY_NAME for key in columns if getattr(given, key, None) is None}
    told |= {guess.key: guess.told for guess in guesses}
    remarks = [*undated, *parts_taken(found, columns.get("split")), *_unused(found, columns, labels, has_split)]
    if partial:
        remarks.append(
            f"The labels of each annotator are not used as passes: only {found.passes[partial[0]]:,} of {labelled:,} "
            f"texts have one in '{partial[0]}'."
        )
    day_first = _day_first(found, given, date)
    return Chosen(columns, told, day_first, list(_choices(found, guesses)), remarks, passes, own_groups)


def _date(found: ColumnSummary, given: Given, taken: list[str]) -> tuple[str | None, list[str]]:
    """The column of dates, if any, and remarks: why columns with such a name are not used, or how dates are read."""
    if given.date is not None:
        return given.date, _order_told(found, given, given.date)
    named = _candidates("date", found, taken)
    problems = {column: found.no_dates.get(column) or _two_readings(found, given, column) for column in named}
    dates = [column for column, problem in problems.items() if not problem]
    if dates:
        return dates[0], _order_told(found, given, dates[0])
    return None, [f"The column '{column}' is not used as the date. {problem}" for column, problem in problems.items()]


def _day_first(found: ColumnSummary, given: Given, date: str | None) -> bool | None:
    if given.day_first is not None or date is None:
        return given.day_first
    order = found.orders[date]
    return order.day_first if order.either else None


def _two_readings(found: ColumnSummary, given: Given, column: str) -> str:
    """Why the dates of a column cannot be read; empty if they can."""
    order = found.orders[column]
    if not order.either or _day_first(found, given, column) is not None:
        return ""
    if order.day:
        return f"{order.day} has the day first, {order.month} the month, and {order.either} can be read both ways."
    return f"{order.either} can be read with the day or the month first: set --day-first or --month-first."


def _order_told(found: ColumnSummary, given: Given, column: str) -> list[str]:
    order = found.orders[column]
    if given.day_first is not None or not order.either or order.day_first is None:
        return []
    first, shown = ("day", order.day) if order.day_first else ("month", order.month)
    return [f"The dates in '{column}' are read with the {first} first, as {shown} shows."]


def _guesses(found: ColumnSummary, given: Given, name: str, taken: list[str], only: str | None) -> Iterator[Guess]:
    """Guess the inputs and the label that the user does not name; `only` is the only annotated column."""
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
            yield Guess("label", only, "the only one with annotations")
        elif given.label is None:
            yield guess_label(free, name)


def _choices(found: ColumnSummary, guesses: Sequence[Guess]) -> Iterator[str]:
    """Describe the choice for each ambiguous role."""
    by_key = {guess.key: guess for guess in guesses}
    if "claim" in by_key:
        claim, text = by_key["claim"].column, by_key["text"].column
        yield (
            f"The inputs are pairs: the claim is in '{claim}', the text about it in '{text}'. "
            f"To use only the texts: --text {shlex.quote(text)}"
        )
    yield from filter(None, (guess.choice(found.profiles) for guess in guesses))


@contextmanager
def _listing(found: ColumnSummary, given: Given) -> Iterator[None]:
    """List the available columns for an error message."""
    try:
        yield
    except ConfigError as error:
        taken = [f"'{column}' is the {key} by --{key}." for key, column in given.columns().items()]
        hints = [*filter(None, [error.hint]), *taken, describe_columns(found)]
        raise ConfigError(error.message, "\n".join(hints)) from error


def _unused(found: ColumnSummary, columns: dict[str, str], labels: list[str], has_split: bool) -> Iterator[str]:
    """Describe possible uses of unused columns."""
    for column in labels:
        if column != columns["label"] and column not in columns.values():
            yield f"'{column}' has annotations too: --label {shlex.quote(column)} makes a task of them."
    for column, profile in found.profiles.items():
        if whole(column, "claim") is not None and profile.holds_text and column not in columns.values():
            yield f"There is a column '{column}': --claim {shlex.quote(column)} makes this a task on pairs."
    yield from _stance_targets(found, columns)
    for column in found.columns:
        if column in columns.values():
            continue
        if not has_split:
            yield from unused_split(found, columns.get("split"), column)
        if column in found.unusable:
            key = "id" if says(column, "id") else "group"
            if key not in columns:
                yield f"The column '{column}' is not used as the {key}: {found.unusable[column]}."


def _stance_targets(found: ColumnSummary, columns: dict[str, str]) -> Iterator[str]:
    """Warn if the target of stances is not part of the input."""
    label = columns["label"]
    values = found.profiles.get(label, Profile()).values
    says = fit(label, "label") is not None and any(word in plain_name(label) for word in _STANCE)
    if "claim" in columns or not (says or len(_STANCES & {plain_name(value) for value in values}) > 1):
        return
    for column, profile in found.profiles.items():
        if whole(column, "target") is not None and column not in columns.values() and profile.holds_text:
            yield (
                f"The label '{label}' is a stance, and '{column}' seems to be its target. The model does not see "
                f"it: --claim {shlex.quote(column)} makes this a task on pairs of it and the text."
            )


def choose_span_columns(found: ColumnSummary, given: Given, name: str) -> Chosen:
    """Assign roles to the columns of a file of spans, as `choose_columns` does, without default names.

    Raises
    ------
    bench.errors.ConfigError
        As `choose_columns`, or if the user names a claim or a split, which spans cannot have.
    """
    for key in ("claim", "split"):
        if getattr(given, key) is not None:
            raise ConfigError(f"--{key} {getattr(given, key)}: labels of document spans have no {key}.")
    _check_given(found, given, name)
    taken = [*given.columns().values()]
    chosen = {}
    for key in ("document", "start", "end"):
        chosen[key] = _named(key, found, name, taken)
        taken.append(chosen[key])
    free = {column: profile for column, profile in found.profiles.items() if column not in taken}
    with _listing(found, given):
        chosen["label"] = given.label or guess_label(free, name).column
    date, undated = _date(found, given, [*taken, chosen["label"]])
    text = given.text or ("text" if "text" in found.columns and "text" not in taken else None)
    chosen |= {
        key: column for key, column in (("text", text), ("group", given.group), ("date", date)) if column is not None
    }
    columns = {key: column for key, column in chosen.items() if key != column or key in ("text", "group", "date")}
    told: dict[str, str] = {
        key: BY_NAME for key in ("text", "label", "date") if key in chosen and getattr(given, key) is None
    }
    return Chosen(columns, told, _day_first(found, given, date), remarks=undated)


def _check_given(found: ColumnSummary, given: Given, name: str) -> None:
    """Raise a ConfigError if the user names a missing column, or one column for two roles."""
    named: dict[str, str] = {}
    for key, column in given.columns().items():
        if column not in found.columns:
            raise ConfigError(
                f"--{key} {column}: {name} has no such column.",
                f"{nearest(column, found.columns)}\n{describe_columns(found)}",
            )
        if column in named and {key, named[column]} & {"text", "claim", "label", "split"}:
            raise ConfigError(f"--{named[column]} and --{key} are the same column, '{column}'.")
        named[column] = key


def _named(key: str, found: ColumnSummary, name: str, taken: list[str]) -> str:
    """The column with a role's names."""
    column = _optional(key, found, taken)
    if column is not None:
        return column
    candidates = _candidates(key, found, taken)
    problem = f"It can be any of {', '.join(candidates)}" if candidates else "No name tells"
    raise ConfigError(f"{name}: which column is the {key}? {problem}.", f"Call it '{key}'.\n{describe_columns(found)}")


def _optional(key: str, found: ColumnSummary, taken: list[str]) -> str | None:
    candidates = _candidates(key, found, taken)
    return candidates[0] if len(candidates) == 1 or (candidates and whole(candidates[0], key) == (0, 0)) else None


def _candidates(key: str, found: ColumnSummary, taken: list[str]) -> list[str]:
    """The columns whose names fit a role, in the order of the role's names."""
    free = [column for column in found.columns if column not in taken and says(column, key)]
    if key == "group":
        usable = [column for column in free if column not in found.unusable]
        # Reading one with gaps is an error: without it, rows of one group would be on both sides of a split.
        free = usable or [column for column in free if column in found.group_gaps]
    return sorted(free, key=lambda column: whole(column, key) or ())
