"""Checks of inputs that repeat: exactly, nearly, and with another label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.checks.finding import CheckResult, Severity, counted, first_few, quoted, quoted_apart
from bench.checks.near import jaccard
from bench.data.duplicates import input_keys
from bench.data.task import ROLES, TEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.checks.subject import NearPairs, Subject

NOTABLE = 0.01
"""The least share of leaking near repeats that can change a score."""


def exact(subject: Subject) -> Iterator[CheckResult]:
    """Find inputs that repeat an earlier one: those that were left out, and those that a test part keeps."""
    task = subject.task
    if len(subject.left_out):
        number = len(subject.left_out)
        group_of = dict(zip(subject.keys.tolist(), task.groups.tolist(), strict=True))
        own = subject.left_out_groups.tolist()
        others = sum(group_of[key] != group for key, group in zip(subject.left_out_keys.tolist(), own, strict=True))
        which = "" if number == 1 else f"{others:,} of them "
        place = f"the same {task.group} as" if number == 1 and not others else f"a different {task.group} from"
        elsewhere = "" if task.group == "id" else f", {which}in {place} the copy"
        yield CheckResult(
            "note",
            f"{counted(number, 'example')} with a repeated input "
            f"{'was' if number == 1 else 'were'} left out{elsewhere}.",
            first_few(_places(subject.left_out, task.inputs[-1])),
        )
    again = pd.Series(subject.keys).duplicated().to_numpy()
    if again.any():
        verb = "repeats" if again.sum() == 1 else "repeat"
        yield CheckResult(
            "note",
            f"{counted(int(again.sum()), 'example')} {verb} an earlier input of the same part of the published split.",
            first_few(_places(task.examples[again], task.inputs[-1])),
        )


def contradicting(subject: Subject) -> Iterator[CheckResult]:
    """Find inputs with different labels, among all examples including those left out."""
    task = subject.task
    everything = pd.DataFrame(
        {
            "key": np.concatenate([subject.keys, subject.left_out_keys]),
            "id": np.concatenate([task.ids, subject.left_out["id"].to_numpy(dtype=object)]),
            "label": np.concatenate([task.y, subject.left_out["label"].to_numpy(dtype=object)]),
        }
    )
    everything = everything[everything["key"].duplicated(keep=False)]
    labels = everything.groupby("key", sort=False)["label"].nunique()
    keys = labels.index[labels > 1]
    if not len(keys):
        return
    text = dict(zip(subject.keys.tolist(), task.examples[task.inputs[-1]].tolist(), strict=True))
    rows = {key: everything[everything["key"] == key] for key in keys[:5]}
    yield CheckResult(
        "warning",
        f"{counted(len(keys), 'input')} {'has' if len(keys) == 1 else 'have'} different labels.",
        tuple(
            f"{', '.join(f'{i} ({label})' for i, label in zip(some['id'][:4], some['label'][:4], strict=True))}: "
            f"{quoted(text[key])}"
            for key, some in rows.items()
        ),
    )


def near_across_groups(subject: Subject) -> Iterator[CheckResult]:
    """Find near repeats in two groups, which a split may separate."""
    task = subject.task
    if task.splits:
        return
    near = subject.near
    found = near.where(task.groups[near.first] != task.groups[near.second])
    if len(found):
        where = "another one" if task.group == "id" else f"one of another {task.group}"
        number = _number_in(found)
        severity: Severity = "warning" if number >= NOTABLE * len(task) else "note"
        yield CheckResult(severity, f"{number:,} examples nearly repeat {where}.", _pairs(subject, found))


def near_elsewhere(subject: Subject) -> Iterator[CheckResult]:
    """Find near repeats that every split keeps on the same side."""
    task, near = subject.task, subject.near
    if task.splits:
        within = ~np.logical_or.reduce([across(subject, column) for column in task.splits])
        where = "in its part of the published split"
    else:
        within = task.groups[near.first] == task.groups[near.second]
        where = f"in the same {task.group}"
    found = near.where(within)
    if len(found):
        message = f"{_number_in(found):,} examples nearly repeat another one {where}."
        yield CheckResult("note", message, _pairs(subject, found))


def near_contradicting(subject: Subject) -> Iterator[CheckResult]:
    """Find near repeats with different labels."""
    task, near = subject.task, subject.near
    found = near.where(task.y[near.first] != task.y[near.second])
    if len(found):
        pairs = counted(len(found), "pair")
        if len(task.inputs) > 1:
            yield CheckResult(
                "note", f"{pairs} of nearly the same claim and text with different labels.", _pairs(subject, found)
            )
        else:
            yield CheckResult(
                "warning", f"{pairs} of nearly the same text with different labels.", _pairs(subject, found)
            )


def leaked(subject: Subject) -> Iterator[CheckResult]:
    """Find near repeats across two parts of a published split, one of them held out."""
    task, near = subject.task, subject.near
    for column in task.splits:
        roles = task.examples[column].to_numpy(dtype=object)
        found = near.where(across(subject, column))
        for role in ROLES[:0:-1]:
            before = ROLES[: ROLES.index(role)]
            rows = {
                row: other
                for a, b in zip(found.first.tolist(), found.second.tolist(), strict=True)
                for row, other in ((a, b), (b, a))
                if roles[row] == role and roles[other] in before
            }
            if rows:
                size = int((roles == role).sum())
                which = f"{column}: " if len(task.splits) > 1 else ""
                yield CheckResult(
                    "warning" if role == TEST and len(rows) >= NOTABLE * size else "note",
                    f"{which}{counted(len(rows), f'{role} example', size)} nearly "
                    f"{'repeats' if len(rows) == 1 else 'repeat'} one of {' or '.join(before)}.",
                    first_few(_pair(subject, row, other) for row, other in rows.items()),
                )


def shared_groups(subject: Subject) -> Iterator[CheckResult]:
    """Find groups that a published split divides."""
    task = subject.task
    for column in task.splits:
        test = (task.examples[column] == TEST).to_numpy()
        shared = test.copy()
        shared[test] = task.shared_groups(column)
        if shared.any():
            which = f"{column}: " if len(task.splits) > 1 else ""
            share = counted(int(shared.sum()), "test example", int(test.sum()))
            yield CheckResult(
                "warning",
                f"{which}{share} {'has' if shared.sum() == 1 else 'have'} a {task.group} that is also in train or dev.",
                first_few(
                    f"{i}: {quoted(group)}" for i, group in zip(task.ids[shared], task.groups[shared], strict=True)
                ),
            )


def across(subject: Subject, column: str) -> NDArray[np.bool_]:
    """Mark the near repeats across two parts of a published split."""
    roles = subject.task.examples[column].to_numpy(dtype=object)
    first, second = roles[subject.near.first], roles[subject.near.second]
    marked: NDArray[np.bool_] = (first != second) & (first != "") & (second != "")
    return marked


def _places(examples: pd.DataFrame, column: str) -> Iterator[str]:
    return (f"{i}: {quoted(text)}" for i, text in zip(examples["id"], examples[column], strict=True))


def _number_in(pairs: NearPairs) -> int:
    return len(np.unique(np.concatenate([pairs.first, pairs.second])))


def _pairs(subject: Subject, pairs: NearPairs) -> tuple[str, ...]:
    return first_few(_pair(subject, a, b) for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def _pair(subject: Subject, a: int, b: int) -> str:
    task = subject.task
    keys = (key.split("\x1f") for key in input_keys(task.frame.iloc[[a, b]]))
    column = min(zip(task.inputs, *keys, strict=True), key=lambda each: jaccard(each[1], each[2]))[0]
    texts = task.examples[column]
    labels = [f" ({task.y[row]})" if task.y[a] != task.y[b] else "" for row in (a, b)]
    first, second = quoted_apart(texts[a], texts[b])
    return f"{task.ids[a]}{labels[0]}: {first}\n{task.ids[b]}{labels[1]}: {second}"
