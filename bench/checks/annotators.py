"""Checks of the labels that several annotators gave with an annotation tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.checks.finding import CheckResult, counted, first_few
from bench.data.votes import read_votes

if TYPE_CHECKING:
    from bench.checks.subject import Subject

_GAP = 0.1
"""How far an annotator's share of dissent must lie above that of the others."""

_CHANCE = 0.001
"""The highest p-value of an annotator's dissent."""

_EARLIER = "earlier label"
"""Who `bench add` says gave a label that the task had before; nobody."""


def outlying_annotators(subject: Subject) -> Iterator[CheckResult]:
    """Find annotators who contradict the others, where these agree, far more often than the others do.

    The dissent of one is compared with that of all others together by Fisher's exact test, corrected for the number of
    annotators.
    """
    task = subject.task
    if not task.origin.name:
        return
    dissent: dict[str, list[str]] = {}
    judged: Counter[str] = Counter()
    for name, votes in read_votes(task.origin, task.version).items():
        labels = {who: label for who, label in votes.items() if who != _EARLIER}
        for who, label in labels.items():
            others = {vote for other, vote in labels.items() if other != who}
            if len(labels) > 2 and len(others) == 1:
                judged[who] += 1
                if label not in others:
                    dissent.setdefault(who, []).append(name)
    if len(judged) < 3:
        return
    from scipy.stats import fisher_exact

    total, all_dissent = judged.total(), sum(map(len, dissent.values()))
    for who, names in sorted(dissent.items()):
        own, rest, n_rest = len(names), all_dissent - len(names), total - judged[who]
        if n_rest == 0 or own / judged[who] - rest / n_rest < _GAP:
            continue
        table = [[own, judged[who] - own], [rest, n_rest - rest]]
        if len(judged) * float(fisher_exact(table, alternative="greater")[1]) <= _CHANCE:
            yield CheckResult(
                "warning",
                f"Annotator {who} stands apart: alone against the others on {own:,} of the "
                f"{counted(judged[who], 'example')} on which they agree, the others on {100 * rest / n_rest:.0f} %.",
                first_few(names),
            )
