"""Checks of annotation passes: outlying passes, and labels that passes disagree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bench.checks.finding import CheckResult, counted, first_few, quoted
from bench.statistics.agreement import agreement, krippendorff_alpha

if TYPE_CHECKING:
    import pandas as pd

    from bench.checks.subject import Subject

RELIABLE = 0.667
"""The least alpha that allows tentative conclusions (Krippendorff 2004, Content Analysis, p. 241)."""

_GAP = 0.1
"""How far an outlying pass's mean kappa with the others must fall below theirs with each other."""

_CHANCE = 0.001
"""The highest p-value of an outlying pass's dissent."""

_LEAST = 10
"""The fewest examples to which some pass gives a label for the check to apply."""


def outlying_passes(subject: Subject) -> Iterator[CheckResult]:
    """Find a pass that is the only dissenter far more often than the others.

    Cohen's kappa measures how far it is from the others. Chance is tested on the examples on which all passes but one
    agree: if all passes were alike, each would be the dissenter equally often (an exact binomial test).
    Passes that are found are left out, and the rest is compared again, so that a bad pass does not hide a second one.
    """
    left = subject.task.passes
    while left is not None and len(left.columns) > 2:
        found = dict(_apart(left))
        for name, (told, rows) in found.items():
            yield CheckResult("warning", f"{name} {told}", first_few(_votes(subject, row) for row in rows))
        left = left.drop(columns=[*found]) if found else None


def _apart(passes: pd.DataFrame) -> Iterator[tuple[str, tuple[str, list[int]]]]:
    """The passes that stand apart, with what tells it and the examples of which each is the only dissenter."""
    from scipy.stats import binom

    if (found := agreement(passes)) is None:
        return
    alone = _alone(passes)
    for name in passes.columns:
        own = np.mean([pair.kappa for pair in found.pairs if name in (pair.first, pair.second)])
        rest = np.mean([pair.kappa for pair in found.pairs if name not in (pair.first, pair.second)])
        dissent = int(np.count_nonzero(alone == name))
        total = int(np.count_nonzero(alone != ""))
        chance = len(passes.columns) * binom.sf(dissent - 1, total, 1 / len(passes.columns))
        if rest - own >= _GAP and chance <= _CHANCE:
            told = (
                f"stands apart: its mean kappa is {own:.2f} with the others and {rest:.2f} among them. It "
                f"is the only dissenter on {dissent:,} of the {counted(total, 'example')} with one dissenter."
            )
            yield name, (told, np.flatnonzero(alone == name).tolist())


def contested(subject: Subject) -> Iterator[CheckResult]:
    """Find labels with unreliable agreement, by Krippendorff's alpha of each label against the rest."""
    passes = subject.task.passes
    if passes is None or len(passes.columns) < 2:
        return
    labels = passes.to_numpy(dtype=object)
    overall = krippendorff_alpha(labels)
    if overall < RELIABLE:
        split = np.flatnonzero((labels != labels[:, :1]).any(axis=1))
        yield CheckResult(
            "warning",
            f"The passes agree with a Krippendorff's alpha of {overall:.2f}, below {RELIABLE}.",
            first_few(_votes(subject, row) for row in split.tolist()),
        )
    for label in subject.task.labels if len(subject.task.labels) > 2 else ():  # of two labels, both have the same
        given = labels == label
        some = given.any(axis=1)
        alpha = krippendorff_alpha(given.astype(int))
        if some.sum() >= _LEAST and alpha < RELIABLE:
            split = np.flatnonzero(some & ~given.all(axis=1))
            yield CheckResult(
                "warning",
                f"The passes agree on '{label}' with an alpha of {alpha:.2f}, below {RELIABLE}: "
                f"{counted(len(split), 'example', int(some.sum()))} get this label from some passes, but not all.",
                first_few(_votes(subject, row) for row in split.tolist()),
            )


def _alone(passes: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """The name of each example's only dissenting pass; an empty string if there is none or more than one."""
    alone = np.full(len(passes), "", dtype=object)
    for row, votes in enumerate(passes.itertuples(index=False, name=None)):
        (_, most), *others = Counter(votes).most_common()
        if len(others) == 1 and others[0][1] == 1 < most:
            alone[row] = passes.columns[votes.index(others[0][0])]
    return alone


def _votes(subject: Subject, row: int) -> str:
    task = subject.task
    assert task.passes is not None
    tally = ", ".join(f"{name}: {label}" for name, label in task.passes.iloc[row].items())
    return f"{task.ids[row]} ({tally}): {quoted(task.examples[task.inputs[-1]][row], 40)}"
