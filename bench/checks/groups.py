"""Checks of groups: those that are nearly copies of each other, and those that are written in several ways."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from bench.checks.finding import CheckResult, counted, shown
from bench.data.messages import shortened
from bench.text.identity import spellings

if TYPE_CHECKING:
    from bench.checks.subject import Subject

_LEAST = 3
"""Inputs that two groups must share, at least."""

_SHARE = 0.5
"""The share of the smaller group's inputs from which it counts as a copy."""

_UNKNOWN = {
    *("nan", "null", "none", "nil", "na", "n/a", "#n/a", "<na>", "nat", "-", "--", "—", "?", "unknown", "missing"),
    *("not available", "unspecified", "غير معروف", "غير محدد", "غير متوفر", "مجهول", "لا يوجد"),
}
"""What stands for a group that nobody knows."""

_COMMON = 20
"""An input that more groups have is boilerplate, and tells nothing of any two of them."""


def copies(subject: Subject) -> Iterator[CheckResult]:
    """Groups of which half or more stands in another group too, the same or nearly so."""
    families, groups = subject.families
    members: dict[int, set[str]] = defaultdict(set)
    sizes: Counter[str] = Counter()
    for family, group in zip(families.tolist(), groups.tolist(), strict=True):
        if group not in members[family]:
            members[family].add(group)
            sizes[group] += 1
    shared = Counter(
        pair for having in members.values() if 1 < len(having) <= _COMMON for pair in combinations(sorted(having), 2)
    )
    found = [
        (pair, number, min(sizes[name] for name in pair))
        for pair, number in shared.most_common()
        if number >= _LEAST and number >= _SHARE * min(sizes[name] for name in pair)
    ]
    if found:
        column = subject.task.group
        what = f"Two values of {column} are" if len(found) == 1 else f"{len(found):,} pairs of values of {column} are"
        yield CheckResult(
            "warning",
            f"{what} nearly copies of each other.",
            shown(
                f"'{shortened(a)}' and '{shortened(b)}' share {number:,} of {size:,} inputs"
                for (a, b), number, size in found
            ),
        )


def respelled_groups(subject: Subject) -> Iterator[CheckResult]:
    """Groups whose names are written in several ways, which count as one."""
    column, key = subject.task.group, subject.task.group_key
    found = [] if key is str else spellings(subject.task.examples[column].tolist(), key)
    if found:
        verb = "is" if len(found) == 1 else "are"
        yield CheckResult(
            "warning",
            f"{counted(len(found), 'group')} of {column} {verb} written in several ways, which count as one.",
            shown(" and ".join(map(repr, ways)) for ways in found),
        )


def unknown(subject: Subject) -> Iterator[CheckResult]:
    """Groups whose names say that the group is not known: their examples count as one group."""
    column = subject.task.group
    if column == "id":
        return
    counts = Counter(map(str, subject.task.examples[column].tolist()))
    found = {name: number for name, number in counts.items() if name.strip().casefold() in _UNKNOWN}
    total = sum(found.values())
    if total > 1:
        names = ", ".join(f"'{name}' ({number:,})" for name, number in found.items())
        yield CheckResult(
            "warning",
            f"{column}: {counted(total, 'example', len(subject.task))} have a group whose name says that none is "
            f"known: {names}. Those of one name count as one group. Give each such row its group, or a name of "
            "its own.",
        )
