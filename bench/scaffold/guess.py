"""Guess which columns are the text, the claim and the label."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.data.column_names import fit, plain_name, whole
from bench.data.messages import listed
from bench.errors import ConfigError
from bench.scaffold.argilla import is_about
from bench.scaffold.profile import Profile

Profiles = Mapping[str, Profile]
"""The profile of each unassigned column."""

BY_NAME = "recognised by its name"

_FAR_LONGER = 2.0
"""The least ratio of a text's length to that of any other column, for a guess without a name."""

_PERHAPS = 2
"""The tier of names that may be a label's, but often mean something else."""

_CODERS = {"annotator", "coder", "rater", "annotation", "worker", "judge", plain_name("مصنف"), plain_name("محكم")}
"""The names of columns of one annotator's labels, followed by a number."""

_TEXT_ID = re.compile("(tweet|status|post|comment|message|review|text|sentence)s?ids?")
"""The names of columns of ids that refer to texts."""

MOST_SHOWN = 5
"""The most columns in a message."""

_COUNTED = re.compile(r"(?P<base>\D+)\d+")

_NUMBERED = re.compile(r"(?P<base>.+)(?P<number>[12ab])")


@dataclass(frozen=True)
class Guess:
    """A guess about a column.

    Parameters
    ----------
    key : str
        Its guessed role.
    column : str
        The column.
    told : str
        The evidence.
    others : tuple of str
        Other candidates.
    """

    key: str
    column: str
    told: str = BY_NAME
    others: tuple[str, ...] = ()

    def choice(self, profiles: Profiles) -> str:
        """Describe the choice, the alternatives and how to choose one; empty if there are none."""
        if not self.others:
            return ""
        named = [f"'{other}'{_counted(profiles[other]) if self.key == 'label' else ''}" for other in self.others]
        named, more = named[:MOST_SHOWN], len(named) - MOST_SHOWN
        which = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"
        which += f" or one of {more} more" if more > 0 else ""
        return (
            f"The {self.key} is in '{self.column}'. It could also be {which}: --{self.key} "
            f"{shlex.quote(self.others[0])} chooses {'that' if len(self.others) == 1 else 'another'}."
        )


def guess_pair(profiles: Profiles) -> tuple[Guess, Guess] | None:
    """Find the claim and the text of a task of pairs; None if the columns do not look like one."""
    texts = {column: profile for column, profile in profiles.items() if profile.holds_text and profile.is_wordy}
    found = _numbered(texts) or _held_against(texts) or _headline_and_body(texts, profiles)
    return None if found is None else (Guess("claim", found[0]), Guess("text", found[1]))


def guess_text(profiles: Profiles, name: str) -> Guess:
    """Find the column of the text.

    Raises
    ------
    bench.errors.ConfigError
        If no name fits, and not exactly one column has long texts.
    """
    named = _by_fit("text", profiles)
    usable = [column for column in named if _can_be_text(profiles[column])]
    usable = usable or [column for column in _by_fit("claim", profiles) if _can_be_text(profiles[column])] or named
    if usable:
        others = [column for column in usable[1:] if _can_be_text(profiles[column])]
        if whole(usable[0], "text") == (0, 0):  # no other is meant, unless this one is cut off
            others = [column for column in others if profiles[column].length > profiles[usable[0]].length]
        return Guess("text", usable[0], others=tuple(others))
    unsaid = [column for column, profile in profiles.items() if profile.looks_like_text and not _is_other(column)]
    longest = sorted(unsaid, key=lambda column: -profiles[column].length)
    if len(longest) == 1 or (longest and profiles[longest[0]].length >= _FAR_LONGER * profiles[longest[1]].length):
        told = "the only column with long texts" if len(longest) == 1 else "the column with the longest texts"
        return Guess("text", longest[0], told, tuple(longest[1:]))
    raise _ask("text", longest, profiles, name)


def guess_label(profiles: Profiles, name: str) -> Guess:
    """Find the column of the gold label.

    Raises
    ------
    bench.errors.ConfigError
        If no name fits, and not exactly one column has few values.
    """
    profiles = {column: profile for column, profile in profiles.items() if not is_about(column, profiles)}
    named = _by_fit("label", profiles)
    usable = [column for column in named if profiles[column].holds_labels]
    if usable:
        sure = [column for column in usable if (fit(column, "label") or (_PERHAPS,))[0] < _PERHAPS]
        votes = _votes(sure, profiles)
        if votes and len(votes) == len(sure):
            raise _ask_annotator(votes, name, "Those with its name have the same values")
        first, *others = sorted(sure or usable, key=lambda column: column in votes)
        return Guess("label", first, others=(*others, *_like(first, profiles, others)))
    if named:
        return Guess("label", named[0])
    few = [column for column, profile in profiles.items() if profile.looks_like_labels and not _is_other(column)]
    if len(few) == 1:
        return Guess("label", few[0], "the only column with few values")
    coders = [column for column, profile in profiles.items() if profile.looks_like_labels and is_coder(column)]
    if not few and coders:
        raise _ask_annotator(coders, name, "No column has a usual name for it")
    if len(few) > 1 and all(profiles[column].is_yes_or_no for column in few):
        raise ConfigError(
            f"{name}: which column is the label? {len(few):,} columns have yes or no: {listed(_quoted(few), 5)}.",
            f"For one of these questions: --label {shlex.quote(few[0])}. If each text has one of them, write "
            "its name into a column 'label', for example with pandas: table['label'] = table[columns].idxmax(axis=1)",
        )
    raise _ask("label", few, profiles, name)


def _votes(named: Sequence[str], profiles: Profiles) -> list[str]:
    """The columns of one name with different numbers, and the same values: the labels of one annotator each."""
    by_base: dict[str, list[str]] = {}
    for column in named:
        if found := _COUNTED.fullmatch(plain_name(column)):
            by_base.setdefault(found["base"], []).append(column)
    alike = [columns for columns in by_base.values() if len(columns) > 1]
    return [
        column
        for columns in alike
        for column in columns
        if all(profiles[column].values == profiles[other].values for other in columns)
    ]


def _ask_annotator(columns: Sequence[str], name: str, why: str) -> ConfigError:
    return ConfigError(
        f"{name}: which column is the label? {why}; {', '.join(_quoted(columns))} seem to be annotators.",
        "Write one label for each row into a column 'label', such as the majority label. Or use one annotator: "
        f"--label {shlex.quote(columns[0])}",
    )


def _like(column: str, profiles: Profiles, others: Sequence[str]) -> list[str]:
    """Other yes-or-no columns, if a column is one."""
    if not profiles[column].is_yes_or_no:
        return []
    like = [name for name, profile in profiles.items() if profile.is_yes_or_no and not _is_other(name)]
    return [name for name in like if name != column and name not in others]


def _quoted(columns: Sequence[str]) -> list[str]:
    return [f"'{column}'" for column in columns]


def _by_fit(key: str, profiles: Profiles) -> list[str]:
    """The columns whose names fit, the best first."""
    ranks = {column: rank for column in profiles if (rank := fit(column, key)) is not None}
    return sorted(ranks, key=lambda column: ranks[column])


def _is_other(column: str) -> bool:
    """Whether a name means that a column is neither a text nor a label."""
    told = any(whole(column, key) is not None for key in ("id", "split", "group"))
    return told or fit(column, "other") is not None or (fit(column, "id") is not None)


def is_coder(column: str) -> bool:
    """Whether a name is that of an annotator, with or without a number."""
    return plain_name(column).rstrip("0123456789").removesuffix("id") in _CODERS


def _can_be_text(profile: Profile) -> bool:
    return profile.holds_text and not profile.looks_like_labels


def _numbered(texts: Profiles) -> tuple[str, str] | None:
    """Two texts with one name followed by 1 and 2, or a and b, and no third."""
    bases: dict[str, dict[str, str]] = {}
    for column in texts:
        if found := _NUMBERED.fullmatch(plain_name(column)):
            bases.setdefault(found["base"], {})[found["number"]] = column
    pairs = [
        (columns[first], columns[second])
        for columns in bases.values()
        for first, second in ("12", "ab")
        if columns.keys() == {first, second} and _are_alike(texts[columns[first]], texts[columns[second]])
    ]
    return pairs[0] if len(pairs) == 1 else None


def _are_alike(first: Profile, second: Profile) -> bool:
    """Whether neither's texts are far longer than the other's."""
    return max(first.length, second.length) < _FAR_LONGER * min(first.length, second.length)


def _held_against(texts: Profiles) -> tuple[str, str] | None:
    """A claim and a text by their names. A hypothesis is the claim, and a premise the text."""
    claims = _by_fit("claim", texts)
    named = [column for column in _by_fit("text", texts) if column not in claims]
    premises = [column for column in texts if plain_name(column) == "premise"]
    unsaid = [column for column in texts if column not in claims and not _is_other(column)]
    behind = premises or named or (unsaid if len(unsaid) == 1 else [])
    return (claims[0], behind[0]) if claims and behind else None


def _headline_and_body(texts: Profiles, profiles: Profiles) -> tuple[str, str] | None:
    """The stance of an article towards a headline."""
    if not any(plain_name(column) == "stance" for column in profiles):
        return None
    heads = [column for column in texts if plain_name(column) in ("headline", "title")]
    bodies = [column for column in texts if plain_name(column) in ("body", "articlebody", "article", "content", "text")]
    return (heads[0], bodies[0]) if len(heads) == len(bodies) == 1 else None


def _counted(profile: Profile) -> str:
    return f" ({len(profile.values)} values)"


def _ask(key: str, candidates: Sequence[str], profiles: Profiles, name: str) -> ConfigError:
    what = "long texts" if key == "text" else "few values"
    if not candidates:
        ids = next((column for column in profiles if key == "text" and _TEXT_ID.fullmatch(plain_name(column))), None)
        hint = f"If '{ids}' refers to texts elsewhere, put those texts into a column." if ids else None
        return ConfigError(f"{name}: which column is the {key}? No column has a usual name for it, or {what}.", hint)
    named = [f"'{column}'{_counted(profiles[column]) if key == 'label' else ''}" for column in candidates]
    if len(named) > MOST_SHOWN:
        named[MOST_SHOWN:] = [f"{len(named) - MOST_SHOWN:,} more"]
    if key == "text" and len(candidates) == len(profiles) > 2:
        return ConfigError(
            f"{name}: which column is the text? All have texts: {listed(_quoted(candidates), MOST_SHOWN)}.",
            "If each column is named after the label of its texts, join them into one column, for example with pandas: "
            "table.melt(var_name='label', value_name='text').dropna()",
        )
    options = f"--{key} {shlex.quote(candidates[0])}"
    if key == "text" and len(candidates) == 2:
        options += f", or for pairs --claim {shlex.quote(candidates[0])} --text {shlex.quote(candidates[1])}"
    return ConfigError(
        f"{name}: which column is the {key}? No column has a usual name for it, and {' and '.join(named)} have {what}.",
        f"Choose one: {options}",
    )
