"""Checks of the labels that several annotators gave with an annotation tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bench.checks.finding import CheckResult, counted, first_few
from bench.data.votes import NOBODY, read_votes

if TYPE_CHECKING:
    from bench.checks.subject import Subject

_GAP = 0.1
"""How far an annotator's share of dissent must lie above that of the others."""

_CHANCE = 0.001
"""The highest p-value of an annotator's dissent."""


def outlying_annotators(subject: Subject) -> Iterator[CheckResult]:
    """Find annotators who contradict the others, where these agree, far more often than the others do.

    The dissent of one is compared with that of all others together by Fisher's exact test, corrected for the number of
    annotators. Those who are found are left out of these others, and the rest is compared again, so that a bad
    annotator does not hide a second one.
    """
    task = subject.task
    if not task.origin.name:
        return
    dissent: dict[str, list[str]] = {}
    judged: Counter[str] = Counter()
    for name, votes in read_votes(task.origin, task.version).items():
        labels = {who: label for who, label in votes.items() if who not in NOBODY}
        for who, label in labels.items():
            others = {vote for other, vote in labels.items() if other != who}
            if len(labels) > 2 and len(others) == 1:
                judged[who] += 1
                if label not in others:
                    dissent.setdefault(who, []).append(name)
    if len(judged) < 3:
        return
    counts = {who: (len(dissent.get(who, ())), n) for who, n in judged.items()}
    apart: set[str] = set()
    while found := _apart({who: each for who, each in counts.items() if who not in apart}, _CHANCE / len(counts)):
        apart |= found
    rest = [each for who, each in counts.items() if who not in apart]
    usual = 100 * sum(own for own, _ in rest) / sum(n for _, n in rest)
    for who in sorted(apart):
        yield CheckResult(
            "warning",
            f"Annotator {who} stands apart: alone against the others on {counts[who][0]:,} of the "
            f"{counted(counts[who][1], 'example')} on which they agree, annotators who do not stand apart on "
            f"{usual:.0f} %.",
            first_few(dissent[who]),
        )


def _apart(counts: Mapping[str, tuple[int, int]], chance: float) -> set[str]:
    """Who dissents far more often than all others together, of how often each dissents and is judged."""
    from scipy.stats import fisher_exact

    all_dissent, total = (sum(column) for column in zip(*counts.values(), strict=True))
    found = set()
    for who, (own, n) in counts.items():
        rest, n_rest = all_dissent - own, total - n
        if n_rest == 0 or own / n - rest / n_rest < _GAP:
            continue
        table = [[own, n - own], [rest, n_rest - rest]]
        if float(fisher_exact(table, alternative="greater")[1]) <= chance:
            found.add(who)
    return found
