"""Comparisons in words, the same in the terminal and on pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bench.comparison.compare import ComparedRow, Comparison
from bench.comparison.pairs import Pair
from bench.comparison.suspects import Suspect
from bench.comparison.verdict import LEVEL
from bench.metrics.registry import metric_title
from bench.results.board import published_rows
from bench.results.extent import examples
from bench.results.record import TaskRecord


def answer(comparison: Comparison) -> str:
    """Say in a sentence how the best model, or the baseline, stands to the others."""
    rows, baseline = comparison.rows, comparison.baseline
    if len(rows) < 2:
        return "There is one run, and nothing to compare it with."
    if baseline is not None:
        return _against_baseline(comparison.pairs, baseline)
    best = rows[0].name
    among = " of those run here" if published_rows(comparison.task, comparison.metric) else ""
    told = f"{best} has the best {metric_title(comparison.metric, comparison.task)}{among}"
    seconds = _by_verdict(pair for pair in comparison.pairs if pair.first == best)
    if set(seconds) == {"undecided"}:
        return f"{told}, but no model can be told from it."
    if set(seconds) == {"better"}:
        return f"{told}, and is better than every other model."
    parts = [
        wording.format(enumerate_names(seconds[verdict], "and"))
        for verdict, wording in (
            ("better", "it is better than {}"),
            ("practically equal", "it is practically equal to {}"),
            ("undecided", "{} cannot be told from it"),
        )
        if verdict in seconds
    ]
    return f"{told}: {'; '.join(parts)}."


def _against_baseline(pairs: Sequence[Pair], baseline: str) -> str:
    above = _by_verdict(replace(pair, second=pair.first) for pair in pairs if pair.second == baseline)
    below = _by_verdict(pair for pair in pairs if pair.first == baseline)
    either = {
        verdict: above.get(verdict, []) + below.get(verdict, []) for verdict in ("practically equal", "undecided")
    }
    parts = [
        f"{verdict} {baseline}: {', '.join(names)}"
        for names, verdict in (
            (above.get("better", []), "better than"),
            (either["practically equal"], "practically equal to"),
            (either["undecided"], "cannot be told from"),
            (below.get("better", []), "worse than"),
        )
        if names
    ]
    told = "; ".join(parts)
    return f"{told[0].upper()}{told[1:]}."


def _by_verdict(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """The second models of pairs, by verdict."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        found.setdefault(pair.verdict, []).append(pair.second)
    return found


def ranks_text(row: ComparedRow) -> str:
    """The ranks that a model may have, such as ``1-3``; empty where they were not asked for."""
    if row.ranks is None:
        return ""
    first, last = row.ranks
    return str(first) if first == last else f"{first}-{last}"


def alone_sentence(comparison: Comparison) -> str | None:
    """Say which pairs are undecided only because so many were tested, None where none is."""
    pairs = [
        f"{pair.first} and {pair.second}"
        for pair in comparison.pairs
        if pair.verdict == "undecided" and pair.groups.p_value is not None and pair.groups.p_value < LEVEL
    ]
    if not pairs:
        return None
    rest = len(pairs) - 2
    which = enumerate_names([*pairs[:2], *([f"one of {rest} more"] if rest > 0 else [])], "or")
    return (
        f"Were {which} the only pair tested, it would be decided. If you chose it before you saw any score, name it "
        "alone with model=A,B."
    )


def needed_sentence(pair: Pair, task: TaskRecord) -> str | None:
    """Say how much data an undecided pair takes, None where nothing can be said.

    Parameters
    ----------
    pair : Pair
        One of a comparison's pairs.
    task : TaskRecord
        The task.
    """
    needed, interval, first, second = pair.needed, pair.interval, pair.first, pair.second
    if needed is None or interval is None:
        return None
    difference = pair.groups.difference
    # The first has the better score, which with some metrics is the lower one.
    reverse = min((-1 if difference < 0 else 1) * end for end in (interval.low, interval.high))
    less = f"by up to {min(-reverse, needed.difference):.3f}; more is excluded" if reverse < 0 else "not at all"
    now = f"As many {examples(task)} as now would show"
    told = [
        f"{first} and {second}: {first} may be better by up to {needed.difference:.3f}, {second} {less}",
        f"{now} no difference, however large"
        if needed.seen is None
        else f"{now} a difference from {needed.seen:.3f} on"
        + _with("; half of that takes {}", needed.half_examples, needed.half_groups, task),
    ]
    if needed.more:
        least = _amount(needed.examples, needed.groups, task)
        told.append(f"The largest that is not excluded takes {least}, which is the least that can be enough")
    told.append(
        (
            _with(
                f"One as large as measured, {abs(difference):.3f}, takes {{}}",
                needed.measured_examples,
                needed.measured_groups,
                task,
            )
            or f"One as large as measured, {abs(difference):.3f}, takes more than can be named"
        )
        + "; smaller ones take more, and no number shows a difference of none"
    )
    equal = "To call them practically equal, were there no difference: {}"
    if equal := _with(equal, needed.equal_examples, needed.equal_groups, task):
        told.append(equal)
    return f"{'. '.join(told)}."


def _with(sentence: str, n_examples: int | None, n_groups: int | None, task: TaskRecord) -> str:
    """A sentence with an amount of data; empty where that is not known."""
    if n_examples is None or n_groups is None:
        return ""
    return sentence.format(_amount(n_examples, n_groups, task))


def _amount(n_examples: int, n_groups: int, task: TaskRecord) -> str:
    return f"about {_about(n_examples)} {examples(task)} in {_about(n_groups)} groups ({task.group})"


ASSUMPTION = "Taken for granted: new groups are like these, and as many pairs are tested; the chance is then 80 %."
"""What `needed_sentence` takes for granted."""


def suspects_sentence(suspects: Sequence[Suspect]) -> str | None:
    """Say how many labels are worth a second look, and which first."""
    if not suspects:
        return None
    n, models = len(suspects), suspects[0].models
    first = "; ".join(f"{each.id} ({each.gold}, predicted {each.predicted})" for each in suspects[:3])
    labels = "1 label" if n == 1 else f"{n} labels"
    who = "both" if models == 2 else f"all {models}"
    return f"{labels} that {who} good models contradict alike are worth a second look: {first}{_and_so_on(n)}"


def enumerate_names(names: Iterable[str], last: str) -> str:
    """Join names as people do.

    Examples
    --------
    >>> enumerate_names(["a", "b", "c"], "and"), enumerate_names(["a"], "and")
    ('a, b and c', 'a')
    """
    *before, end = names
    return f"{', '.join(before)} {last} {end}" if before else end


def _and_so_on(n: int) -> str:
    return "; and so on." if n > 3 else "."


def _about(number: int) -> str:
    """A number of two digits that count.

    >>> _about(1234), _about(47), _about(86)
    ('1,200', '47', '86')
    """
    return f"{float(f'{number:.2g}'):,.0f}"
