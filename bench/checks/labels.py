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
"""Names of this length may differ in two letters and still look alike, where one of them is rare."""

_RARE = 0.05
"""The share of a label's examples below which another of nearly the same name is taken for a mistyped one."""

_JOINTS = re.compile(r"[|;,/\u060c\u061b]")
"""What people write between several labels of one text."""

_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")
"""A number whose decimal mark is a comma."""

_LIST = re.compile(r"\[.*\]|\(.*,.*\)|\{.*\}", re.DOTALL)
"""A list, a tuple or a set as programs print them."""

_DASHES = re.compile("[\u2010-\u2015\u2212]")
"""What stands for a hyphen or a minus; compatibility forms are hyphens already."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")

_SYMBOLS = ("Sm", "Sc", "So")
"""Categories of characters that mean something wherever they stand: of mathematics, currencies, pictures."""

_MEANT = re.compile(
    r"(?<=\d)[\W_]+(?=\d)"  # 1.5, 1/2, 10-20
    r"|(?<![^\W_])-(?=\d)"  # -1
    r"|(?<=[^\W_])[-#*]+$"  # A-, C#
    r"|(?<=\d)%"
)
"""Punctuation that means something."""


def lookalikes(subject: Subject) -> Iterator[CheckResult]:
    """Label names that differ in spelling only, or in a letter or two as mistyped ones do."""
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
                f"label_map: '{first}' and '{second}' {difference}, but become '{to_first}' and '{to_second}'.",
            )
    for raw, label in task.label_map.items():
        if label != raw and raw in task.labels:
            yield CheckResult("warning", f"label_map: '{raw}' is a label of the task, but becomes '{label}'.")


def joined(subject: Subject) -> Iterator[CheckResult]:
    """Label names that seem to be several labels in one, or a list."""
    task = subject.task
    several, lists = joined_names(list(map(str, task.labels)))
    for labels, what, then in (
        (several, "several labels in one", "Each such name is a label of its own now."),
        (lists, "a list that was written as text", "Several labels of one text are one label now."),
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
    """The labels that seem to be several in one, as others stand alone or in several of them; and those that are lists.

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
    """Labels with fewer examples than folds, or none in a part of a published split."""
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
        yield CheckResult("warning", f"'{label}' has {counted(count, 'example')}, fewer than {folds} folds.", ids)


def in_one_group(subject: Subject) -> Iterator[CheckResult]:
    """Labels that only one group has: held out, training lacks them."""
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
                f"The {examples} of '{label}' {verb} in {task.group} '{group}'. Where that is the test part, "
                "training lacks the label.",
                (listed(task.ids[mine].tolist(), MOST_EXAMPLES),),
            )


def _difference(first: str, second: str, n_first: int, n_second: int) -> str:
    """How two names nearly are one; an empty text where they are not."""
    if _telling(first) == _telling(second):
        return "differ only in case, spacing, punctuation or spelling variants"
    a, b = (re.sub(r"[\W_]+", "", normalize(name)) for name in (first, second))
    if a == b:  # and what differs means something
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
    """What of a name tells it from others: letters, digits, symbols, and punctuation where it means something.

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
    """Whether one is the other with ``a`` before it, as in moral and amoral."""
    return a == f"a{b}" or b == f"a{a}"


def _edits(a: str, b: str) -> int:
    """Insertions, deletions, replacements and exchanges of neighbours between two names (optimal string alignment)."""
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
