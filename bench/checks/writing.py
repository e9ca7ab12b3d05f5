"""Check for differences in writing between the parts of a published split."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.checks.finding import CheckResult, first_few
from bench.data.task import DEV, TEST, TRAIN
from bench.text.identity import TATWEEL

if TYPE_CHECKING:
    import pandas as pd

    from bench.checks.subject import Subject

APART = 0.2
"""The least reported difference between two parts' shares of texts with a habit."""

STANDARD_ERRORS = 4.0
"""The fewest standard errors of a reported difference. It is high because many habits are compared."""

HABITS = {
    "diacritics": re.compile(r"[\u064b-\u0652]"),
    "tatweel": re.compile(TATWEEL),
    "a space before a punctuation mark": re.compile(r"\s[،؛؟,;:!?.](?:\s|$)"),
    "several spaces in a row": re.compile(r"\S[ \u00a0]{2,}\S"),
    "a full stop at the end": re.compile(r"[.۔]\s*$"),
    "Arabic digits": re.compile("[\u0660-\u0669\u06f0-\u06f9]"),
    "Western digits": re.compile("[0-9]"),
    "an alef with hamza": re.compile("[أإ]"),
    "teh marbuta": re.compile("ة"),
    "straight quotation marks": re.compile('"'),
    "angled or curly quotation marks": re.compile("[«»“”]"),
    "a Latin comma": re.compile(","),
    "an Arabic comma": re.compile("،"),
}
"""Features of a text that depend on who wrote or prepared it."""


def differing(subject: Subject) -> Iterator[CheckResult]:
    """Find writing habits that differ between train and another part of a published split."""
    task = subject.task
    for split in task.splits:
        roles = task.examples[split].to_numpy(dtype=object)
        of_train, of_test, of_dev = (_habits(task.frame[roles == role]) for role in (TRAIN, TEST, DEV))
        for role, of_part in ((TEST, of_test), (DEV, of_dev)):
            apart = [
                (place, part.share, of_train[place].share)
                for place, part in of_part.items()
                if abs(part.share - of_train[place].share) >= max(APART, _chance(part, of_train[place]))
            ]
            if apart:
                apart.sort(key=lambda each: -abs(each[1] - each[2]))
                which = f"{split}: " if len(task.splits) > 1 else ""
                (column, habit), here, there = apart[0]
                yield CheckResult(
                    "warning",
                    f"{which}{role} is written differently from train: {here:.0%} of its {column}s have {habit}, "
                    f"{there:.0%} of train's.",
                    first_few(
                        f"{habit}: {here:.0%} of {role}, {there:.0%} of train"
                        + (f" ({column})" if len(task.inputs) > 1 else "")
                        for (column, habit), here, there in apart
                    ),
                )


class _Habit(NamedTuple):
    """The share of a column's distinct texts with a habit, and their number."""

    share: float
    n_texts: int


def _habits(part: pd.DataFrame) -> dict[tuple[str, str], _Habit]:
    """Every habit in every column of a part; empty if the part is."""
    distinct = {column: part[column].drop_duplicates() for column in part.columns if len(part)}
    return {
        (column, name): _Habit(float(np.mean([pattern.search(text) is not None for text in texts])), len(texts))
        for column, texts in distinct.items()
        for name, pattern in HABITS.items()
    }


def _chance(one: _Habit, other: _Habit) -> float:
    """The difference that two similarly written parts may show by chance."""
    pooled = (one.share * one.n_texts + other.share * other.n_texts) / (one.n_texts + other.n_texts)
    return STANDARD_ERRORS * math.sqrt(pooled * (1 - pooled) * (1 / one.n_texts + 1 / other.n_texts))
