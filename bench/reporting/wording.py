"""Comparisons in words, the same in the terminal and on pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from bench.checks.finding import counted
from bench.comparison.across import Across
from bench.comparison.compare import ComparedRow, Comparison
from bench.comparison.contrasts import Contrast, Standing, by_standing, to_the_baseline, to_the_best
from bench.comparison.pairs import Pair
from bench.comparison.suspects import Suspect
from bench.metrics.registry import metric_title
from bench.results.board import interval_text, published_rows
from bench.results.extent import examples, extent, predictions, split_sizes, validation
from bench.results.record import TaskRecord
from bench.statistics.paired import FEWEST_GROUPS

MOST_LINES = 10
"""Lines of the answer in the terminal."""


def answer(comparison: Comparison, most: int = 4) -> list[str]:
    """Say what a comparison found: who is best, who is not distinguishable from it, and what would decide.

    Parameters
    ----------
    comparison : Comparison
        The comparison.
    most : int
        How many names a sentence lists; it counts the rest.

    Returns
    -------
    list of str
        Sentences, at most six.
    """
    rows, task = comparison.rows, comparison.task
    if len(rows) < 2:
        return ["There is one run, and nothing to compare it with."]
    among = " of those run here" if published_rows(task, comparison.metric) else ""
    best = rows[0]
    said = [f"{best.name} has the best {metric_title(comparison.metric, task)}{among}: {_score(best)}."]
    to_best, to_baseline = to_the_best(comparison), to_the_baseline(comparison)
    if to_best:
        said += _against_the_best(comparison, to_best, most)
    if to_baseline:
        said += _against_the_baseline(to_baseline, most)
    decisive = what_would_decide(comparison, to_best or to_baseline)
    return [*said, decisive] if decisive else said


def wrapped_answer(comparison: Comparison, width: int) -> list[str]:
    """The sentences of `answer` as at most `MOST_LINES` lines, with fewer names where they need more."""
    for most in (8, 6, 4, 3, 2, 1):
        sentences = answer(comparison, most)
        lines = [line for each in sentences for line in wrap(each, width)]
        if len(lines) <= MOST_LINES:
            break
    return lines[:MOST_LINES]


def _score(row: ComparedRow) -> str:
    ends = "" if row.interval is None else f" {interval_text(row.interval)}"
    return f"{row.score:.3f}{ends}"


def _against_the_best(comparison: Comparison, found: Sequence[Contrast], most: int) -> list[str]:
    names = by_standing(found)
    n = len(found)
    others = "both other models" if n == 2 else "all other models" if n > 1 else found[0].name
    if set(names) == {"worse"}:
        return [f"It is better than {others}."]
    if set(names) == {"undecided"}:
        if n == 1:
            return [f"{others} is not distinguishable from it."]
        return [f"No other model is distinguishable from it: {_names(names['undecided'], most, 'and')}."]
    said = []
    if "undecided" in names:
        said.append(f"Not distinguishable from it: {_names(names['undecided'], most, 'and')}.")
    if "practically equal" in names:
        equal = _names(names["practically equal"], most, "and")
        said.append(f"Practically equal to it (within {comparison.rope:g}): {equal}.")
    if "worse" in names:
        said.append(f"It is better than {_names(names['worse'], most, 'and')}.")
    return said


def _against_the_baseline(found: Sequence[Contrast], most: int) -> list[str]:
    reference, names, n = found[0].reference, by_standing(found), len(found)
    wordings: tuple[tuple[Standing, str], ...] = (
        ("better", "Better than {}: {}."),
        ("practically equal", "Practically equal to {}: {}."),
        ("undecided", "Not distinguishable from {}: {}."),
        ("worse", "Worse than {}: {}."),
    )
    if n > 1 and len(names) == 1 and "better" in names:
        return [f"{'Both' if n == 2 else f'All {n}'} models are better than {reference}."]
    said = [] if "better" in names else [f"No model is better than {reference}."]
    if not said or len(names) > 1 or n == 1 or "undecided" not in names:
        said += [
            wording.format(reference, _names(names[each], most, "and")) for each, wording in wordings if each in names
        ]
    return said


def what_would_decide(comparison: Comparison, found: Sequence[Contrast]) -> str | None:
    """Say which difference the labels at hand can show, and what half of it takes; None where all is decided.

    Parameters
    ----------
    comparison : Comparison
        The comparison.
    found : sequence of Contrast
        Models against one reference; the best of the undecided ones is looked at.
    """
    task = comparison.task
    undecided = [each for each in found if each.standing == "undecided"]
    if not undecided:
        return None
    if not split_sizes(task) and task.n_groups < FEWEST_GROUPS:
        return (
            f"What would decide: more groups. With {counted(task.n_groups, 'group')} ({task.group}) no model is called "
            f"better; {FEWEST_GROUPS} are the least."
        )
    needed = undecided[0].pair.needed
    if needed is None:
        return "What would decide: the groups at hand do not vary enough to say."
    more = f"more groups ({task.group})" if task.n_groups < task.n_examples and not split_sizes(task) else "more labels"
    shown = f"The present {examples(task)} show a difference of {undecided[0].name} from {undecided[0].reference}"
    if needed.seen is None:
        return (
            f"What would decide: {more}. The present {examples(task)} cannot show any difference of "
            f"{undecided[0].name} from {undecided[0].reference}; it takes at least "
            f"{_amount(needed.examples, needed.groups, task)}."
        )
    half = _with("; half of that takes {}", needed.half_examples, needed.half_groups, task)
    return f"What would decide: {more}. {shown} if it is {needed.seen:.3f} or more (with a chance of 80 %){half}."


def _names(names: Sequence[str], most: int, last: str) -> str:
    """Join names, of which at most so many are written out."""
    rest = len(names) - most
    return enumerate_names(names if rest <= 1 else [*names[:most], f"{rest} more"], last)


def protocol_sentence(comparisons: Sequence[Comparison]) -> str:
    """State the protocol of a comparison, or of several under one protocol, in a sentence."""
    first = comparisons[0]
    titles = dict.fromkeys(metric_title(each.metric, each.task) for each in comparisons)
    tasks = enumerate_names([f"{each.task.name} ({extent(each.task, each.periods)})" for each in comparisons], "and")
    how = list(dict.fromkeys(validation(each.task, each.n_folds, each.searched, each.periods) for each in comparisons))
    repeated = first.validation.repeats
    repeats = f", repeated {repeated} times" if repeated > 1 and not split_sizes(first.task) else ""
    seeds = enumerate_names(dict.fromkeys(each.seeds_text for each in comparisons), "and")
    scored = enumerate_names(dict.fromkeys(predictions(each.task) for each in comparisons), "or")
    what = enumerate_names(titles, "and")
    return (
        f"{what[:1].upper()}{what[1:]} of the pooled {scored} on {tasks}: {' or '.join(how)}{repeats}; {seeds}; "
        "intervals of 95 % by group."
    )


def across_answer(across: Across) -> list[str]:
    """Say which model ranks best over several tasks, and how far that goes."""
    if not across.rows:
        return [across.note]
    best = across.rows[0]
    alike = [row.name for row in across.rows if row.rank == best.rank]
    if len(alike) > 1:
        first = f"{enumerate_names(alike, 'and')} rank best on average: mean rank {best.rank:.2f}."
    else:
        first = f"{best.name} ranks best on average: mean rank {best.rank:.2f} of {len(across.rows)} models."
    return [first, across.note]


def tied_text(comparison: Comparison) -> str:
    """How many of the other models are not distinguishable from the best, such as ``2 of 5``."""
    tied = sum(row.tied for row in comparison.rows)
    return f"{tied} of {len(comparison.rows) - 1}" if comparison.baseline is None else ""


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
    less = f"by up to {min(-reverse, needed.difference):.3f}" if reverse < 0 else "not at all"
    now = f"The present {examples(task)} show"
    told = [
        f"{first} and {second}: {first} may be better by up to {needed.difference:.3f}, {second} {less}",
        f"{now} no difference, however large"
        if needed.seen is None
        else f"{now} a difference of {needed.seen:.3f} or more"
        + _with("; half of that takes {}", needed.half_examples, needed.half_groups, task),
    ]
    if needed.more:
        told.append(f"At the very least it takes {_amount(needed.examples, needed.groups, task)}")
    measured = f"If the true difference is the measured one, {abs(difference):.3f}, it takes"
    told.append(
        (
            _with(f"{measured} {{}}", needed.measured_examples, needed.measured_groups, task)
            or f"{measured} more than can be advised"
        )
        + "; if it is smaller, more"
    )
    equal = "If there is none, calling them practically equal takes {}"
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


ASSUMPTION = "Each number gives a chance of 80 %, if new groups are like these and as many pairs are tested."
"""What `needed_sentence` assumes."""


def suspects_sentence(suspects: Sequence[Suspect]) -> str | None:
    """Say how many labels are worth a second look, and which first."""
    if not suspects:
        return None
    n, models = len(suspects), suspects[0].models
    first = "; ".join(f"{each.id} ({each.gold}, predicted {each.predicted})" for each in suspects[:3])
    who = "both" if models == 2 else f"all {models}"
    labels = f"{counted(n, 'label')} {'is' if n == 1 else 'are'} worth a second look"
    return f"{labels}: {who} good models predict the same other label. {first}{_and_so_on(n)}"


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
    return f"; and {n - 3} more." if n > 3 else "."


def _about(number: int) -> str:
    """A number of two digits that count.

    >>> _about(1234), _about(47), _about(86)
    ('1,200', '47', '86')
    """
    return f"{float(f'{number:.2g}'):,.0f}"
