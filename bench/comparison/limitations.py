"""The limitations of the data that a comparison rests on."""

from __future__ import annotations

import numpy as np

from bench.comparison.compared import ComparedRuns
from bench.data.messages import listed
from bench.data.splits import FEW_GROUPS
from bench.metrics.confusion import UNANSWERED
from bench.results.extent import examples, split_sizes
from bench.statistics.paired import FEWEST_GROUPS

FEW_EXAMPLES = 10
"""A label with fewer examples moves macro scores by large steps."""

COSTLY_ERRORS = ("log_loss", "expected_calibration_error")
"""Metrics in which a rare error of a model that is sure of itself outweighs many right answers."""

FEW_ERRORS = 10
"""With fewer groups that hold an error, what errors cost is poorly known."""

NAMED = 3
"""How many of the groups that decide which model is best are named."""


def limitations(runs: ComparedRuns) -> list[str]:
    """List where few groups, few examples or a single group decide the scores.

    Returns
    -------
    list of str
        A sentence for each: fewer than ten groups, a label with fewer than ten examples, a label that one group alone
        holds (where folds are made here, so that training lacks it), a group that holds half of the examples, a model
        that left examples unanswered, one that is wrong in fewer than ten groups (by log-loss), groups without which
        another model would be best (the jackknife of Efron and Tibshirani 1993, chapter 11), and processors of several
        kinds.
    """
    n_groups, column, scored = len(runs.group_names), runs.task.group, examples(runs.task)
    warnings = []
    if n_groups < FEWEST_GROUPS:
        warnings.append(
            f"{n_groups} groups ({column}): too few to call any model better; at least {FEWEST_GROUPS} are needed"
        )
    elif n_groups < FEW_GROUPS:
        warnings.append(f"{n_groups} groups ({column}): few to say how models score on other groups")
    table = np.zeros((n_groups, len(runs.labels)), dtype=np.int64)
    np.add.at(table, (runs.groups[runs.once], runs.true[runs.once]), 1)
    for label, counts in zip(runs.labels, table.T, strict=True):
        holders = np.flatnonzero(counts)
        if counts.sum() < FEW_EXAMPLES:
            held = f"1 {scored.removesuffix('s')}" if counts.sum() == 1 else f"{counts.sum()} {scored}"
            warnings.append(f"label {label} has {held}")
        if len(holders) == 1 and n_groups > 1 and not split_sizes(runs.task):
            warnings.append(
                f"label {label} occurs only in {column} {runs.group_names[holders[0]]}, so no model is trained on it "
                "before it is tested"
            )
    share = table.sum(axis=1) / table.sum()
    if n_groups > 1 and share.max() >= 0.5:
        name = runs.group_names[int(share.argmax())]
        warnings.append(f"{column} {name} holds {share.max():.0%} of the {scored}")
    for run in runs.runs:
        missing = int((run.predicted == UNANSWERED).sum())
        if missing:
            warnings.append(
                f"{run.name} left {missing} of {len(run.predicted)} predictions unanswered; they count as wrong"
            )
    return [*warnings, *_rarely_wrong(runs), *_hanging(runs), *_processors(runs)]


def _rarely_wrong(runs: ComparedRuns) -> list[str]:
    """Name models that are wrong in so few groups that these do not show what their errors cost."""
    if runs.metric.name not in COSTLY_ERRORS:
        return []
    wrong = {run.name: len(np.unique(runs.groups[run.predicted != runs.true])) for run in runs.runs}
    return [
        f"{name} is wrong in {n} of {len(runs.group_names)} groups ({runs.task.group}): too few to know what errors "
        "cost it, so another model may be better by this metric"
        for name, n in wrong.items()
        if n < FEW_ERRORS
    ]


def _processors(runs: ComparedRuns) -> list[str]:
    """Say if fits ran on processors of several kinds, on which the last digits of scores can differ."""
    names = sorted({name for run in runs.runs for name in run.folder.read_processors()})
    if len(names) < 2:
        return []
    return [f"fits ran on {len(names)} kinds of processor, so equal settings may differ slightly: {', '.join(names)}"]


def _hanging(runs: ComparedRuns) -> list[str]:
    """Name the groups without which another model would be best."""
    if runs.metric.needs_probabilities or len(runs.runs) < 2 or len(runs.group_names) < 3:
        return []
    without = np.array([runs.without_each(run) for run in runs.runs])
    ahead = without.max(axis=0) - without[0]
    found = sorted(np.flatnonzero(ahead > 0.0).tolist(), key=lambda group: -ahead[group])
    best = [runs.runs[place].name for place in without.argmax(axis=0)]
    if len(found) > 1:
        named = listed([f"{runs.group_names[group]} ({best[group]})" for group in found], NAMED)
        return [f"without any one of {len(found)} groups ({runs.task.group}), another model would be best: {named}"]
    return [
        f"without {runs.task.group} {runs.group_names[group]}, {best[group]} would be best "
        f"({without[:, group].max():.3f} against {without[0, group]:.3f})"
        for group in found
    ]
