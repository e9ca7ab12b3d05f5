"""Checks of groups: near copies, names spelled in several ways, and unknown groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from bench.checks.finding import CheckResult, counted, first_few
from bench.data.messages import shortened
from bench.text.identity import spellings

if TYPE_CHECKING:
    from bench.checks.subject import Subject

_LEAST = 3
"""The fewest inputs that two groups must share to be reported."""

_SHARE = 0.5
"""The least share of the smaller group's inputs that makes it a copy."""

_UNKNOWN = {
    *("nan", "null", "none", "nil", "na", "n/a", "#n/a", "<na>", "nat", "-", "--", "—", "?", "unknown", "missing"),
    *("not available", "unspecified", "غير معروف", "غير محدد", "غير متوفر", "مجهول", "لا يوجد"),
}
"""Values that mean an unknown group."""

_COMMON = 20
"""An input in more groups than this is boilerplate and does not count."""


def copies(subject: Subject) -> Iterator[CheckResult]:
    """Find groups of which at least half the inputs also appear in another group, exactly or nearly."""
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
            first_few(
                f"'{shortened(a)}' and '{shortened(b)}' share {number:,} of {size:,} inputs"
                for (a, b), number, size in found
            ),
        )


def respelled_groups(subject: Subject) -> Iterator[CheckResult]:
    """Find groups whose names are spelled in several ways that count as one."""
    column, key = subject.task.group, subject.task.group_key
    found = [] if key is str else spellings(subject.task.examples[column].tolist(), key)
    if found:
        verb = "is" if len(found) == 1 else "are"
        yield CheckResult(
            "warning",
            f"{counted(len(found), 'group')} of {column} {verb} spelled in several ways, which count as one.",
            first_few(" and ".join(map(repr, ways)) for ways in found),
        )


def unknown(subject: Subject) -> Iterator[CheckResult]:
    """Find groups whose names mean that the group is unknown, so that their examples count as one group."""
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
            f"{column}: {counted(total, 'example', len(subject.task))} have a group name that means "
            f"unknown: {names}. All examples with the same name count as one group. Give each of these rows its "
            "real group, or a unique name.",
        )
