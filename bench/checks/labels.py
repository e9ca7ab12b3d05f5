"""Checks of the label names and of how many examples each label has."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bench.checks.finding import MOST_EXAMPLES, CheckResult, counted
from bench.data.messages import listed, shortened
from bench.data.splits import FEW_GROUPS, n_dealt
from bench.data.task import ROLES
from bench.text.normalization import normalize

if TYPE_CHECKING:
    from bench.checks.subject import Subject

_LONG = 8
"""Names of at least this length look alike even with two different letters, if one of them is rare."""

_RARE = 0.05
"""A label with a smaller share of a similarly named label's examples is probably a typo."""

_JOINTS = re.compile(r"[|;,/\u060c\u061b]")
"""Separators between several labels of one text."""

_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")
"""A number whose decimal mark is a comma."""

_LIST = re.compile(r"\[.*\]|\(.*,.*\)|\{.*\}", re.DOTALL)
"""A list, tuple or set as Python prints it."""

_DASHES = re.compile("[\u2010-\u2015\u2212]")
"""Dashes that mean a hyphen or a minus. Normalisation has already replaced compatibility forms."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")

_SYMBOLS = ("Sm", "Sc", "So")
"""Unicode categories that are always meaningful: mathematical symbols, currencies, pictures."""

_MEANT = re.compile(
    r"(?<=\d)[\W_]+(?=\d)"  # 1.5, 1/2, 10-20
    r"|(?<![^\W_])-(?=\d)"  # -1
    r"|(?<=[^\W_])[-#*]+$"  # A-, C#
    r"|(?<=\d)%"
)
"""Meaningful punctuation."""


def lookalikes(subject: Subject) -> Iterator[CheckResult]:
    """Find label names that differ only in spelling, or in a letter or two like a typo."""
    task = subject.task
    counts = Counter(task.y.tolist())
    for first, second in combinations(task.labels, 2):
        if difference := _difference(first, second, counts[first], counts[second]):
            yield CheckResult(
                "warning",
                f"The labels '{first}' ({counts[first]:,}) and '{second}' ({counts[second]:,}) {difference}.",
            )
    for first, second in combinations(task.label_map, 2):
        to_first, to_second = task.label_map[first], task.label_map[second]
        if to_first != to_second and (difference := _difference(first, second, 1, 1)):
            yield CheckResult(
                "warning",
                f"label_map: '{first}' and '{second}' {difference}, but map to '{to_first}' and '{to_second}'.",
            )
    for raw, label in task.label_map.items():
        if label != raw and raw in task.labels:
            yield CheckResult("warning", f"label_map: '{raw}' is a label of the task, but maps to '{label}'.")


def joined(subject: Subject) -> Iterator[CheckResult]:
    """Find label names that look like several labels in one, or like a list."""
    task = subject.task
    several, lists = joined_names(list(map(str, task.labels)))
    for labels, what, then in (
        (several, "several labels in one", "Each such name now counts as a separate label."),
        (lists, "a list written as text", "Several labels of one text now count as one label."),
    ):
        if labels:
            n_examples = int(np.isin(task.y.astype(str), labels).sum())
            names = listed([f"'{shortened(label)}'" for label in labels], MOST_EXAMPLES)
            verb = "looks" if len(labels) == 1 else "look"
            have = "has" if n_examples == 1 else "have"
            yield CheckResult(
                "warning",
                f"{counted(len(labels), 'label')} {verb} like {what}: {names}. {then} "
                f"{counted(n_examples, 'example')} {have} one.",
            )


def joined_names(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Find labels that seem to combine several others, and labels that are lists.

    Examples
    --------
    >>> joined_names(["news", "sport", "news;sport", "['news']"])
    (['news;sport'], ["['news']"])
    >>> joined_names(["-1,0", "0,0", "1,0"])
    ([], [])
    """
    lists = [label for label in labels if _LIST.fullmatch(label)]
    if all(map(_COMMA_NUMBER.fullmatch, labels)):
        return [], lists
    parts = {label: tuple(filter(None, map(str.strip, _JOINTS.split(label)))) for label in labels}
    several = {label: names for label, names in parts.items() if len(names) > 1 and label not in lists}
    shared = Counter(part for names in several.values() for part in set(names))
    known = {label for label in labels if label not in several} | {part for part, n in shared.items() if n > 1}
    return [label for label, names in several.items() if known & set(names)], lists


def rare(subject: Subject) -> Iterator[CheckResult]:
    """Find labels with fewer examples than folds, or with none in a part of a published split."""
    task = subject.task
    for column in task.splits:
        roles = task.examples[column].to_numpy(dtype=object)
        for role in ROLES:
            present = set(task.y[roles == role].tolist())
            absent = [label for label in task.labels if label not in present]
            if present and absent:
                which = f"{column}: " if len(task.splits) > 1 else ""
                yield CheckResult("warning", f"{which}no {role} example has the label {', '.join(map(repr, absent))}.")
    groups = len(set(task.groups.tolist()))
    if task.splits or groups <= FEW_GROUPS:
        return
    folds = n_dealt(groups, subject.folds)
    few = {label: count for label in task.labels if (count := int((task.y == label).sum())) < folds}
    for label, count in few.items():
        ids = (listed(task.ids[task.y == label].tolist(), MOST_EXAMPLES),)
        yield CheckResult("warning", f"'{label}' has {counted(count, 'example')}, fewer than the {folds} folds.", ids)


def in_one_group(subject: Subject) -> Iterator[CheckResult]:
    """Find labels that occur in one group only. When it is held out, the training part lacks them."""
    task = subject.task
    if task.splits:
        return
    for label in task.labels:
        mine = task.y == label
        groups = set(task.groups[mine].tolist())
        if len(groups) == 1:
            examples, group = counted(int(mine.sum()), "example"), shortened(groups.pop())
            verb = "is" if mine.sum() == 1 else "are all"
            yield CheckResult(
                "warning",
                f"The {examples} of '{label}' {verb} in {task.group} '{group}'. When it is in the test part, "
                "the training part lacks the label.",
                (listed(task.ids[mine].tolist(), MOST_EXAMPLES),),
            )


def _difference(first: str, second: str, n_first: int, n_second: int) -> str:
    """Describe how two names look alike. Return an empty string if they do not."""
    if _telling(first) == _telling(second):
        return "differ only in case, spacing, punctuation or spelling variants"
    a, b = (re.sub(r"[\W_]+", "", normalize(name)) for name in (first, second))
    if a == b:  # the difference is meaningful
        return ""
    if re.sub(r"\d+", "", a) != re.sub(r"\d+", "", b) and min(len(a), len(b)) >= 4:
        edits = _edits(a, b)
        lopsided = min(n_first, n_second) < _RARE * max(n_first, n_second)
        if edits == 1 and not _negates(a, b):
            return "differ in one letter"
        if edits == 2 and lopsided and min(len(a), len(b)) >= _LONG:
            return "differ in two letters, and one is rare"
    return ""


def _telling(name: str) -> str:
    """Reduce a name to what distinguishes it: letters, digits, symbols and meaningful punctuation.

    Examples
    --------
    >>> _telling("Non-news"), _telling("\u22121"), _telling("C++"), _telling("1.5"), _telling("+1.0"), _telling(":-(")
    ('nonnews', '-1', 'c++', '1.5', '1', ':-(')
    """
    plain = re.sub(r"\s+", "", _DASHES.sub("-", normalize(name)))
    if _NUMBER.fullmatch(plain):
        return f"{float(plain):g}"
    meant = {place for found in _MEANT.finditer(plain) for place in range(*found.span())}
    kept = (
        character
        for place, character in enumerate(plain)
        if character.isalnum() or place in meant or unicodedata.category(character) in _SYMBOLS
    )
    return "".join(kept) or plain


def _negates(a: str, b: str) -> bool:
    """Whether one name is the other with the prefix ``a``, as in moral and amoral."""
    return a == f"a{b}" or b == f"a{a}"


def _edits(a: str, b: str) -> int:
    """Count insertions, deletions, substitutions and transpositions between names (optimal string alignment)."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
