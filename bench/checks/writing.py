"""Check of how the parts of a published split are written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.checks.finding import Found, shown
from bench.data.task import DEV, TEST, TRAIN

if TYPE_CHECKING:
    import pandas as pd

    from bench.checks.subject import Subject

APART = 0.2
"""The least difference between the shares of two parts' texts with a habit."""

STANDARD_ERRORS = 4.0
"""How many standard errors of such a difference it must have besides: many are looked at."""

HABITS = {
    "diacritics": re.compile(r"[\u064b-\u0652]"),
    "tatweel": re.compile("\u0640"),
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
"""What a text may have by the habit of who wrote, or prepared, it."""


def differing(subject: Subject) -> Iterator[Found]:
    """Habits of writing that the texts of one part of a published split have and those of train have not, or less."""
    task = subject.task
    for split in task.splits:
        roles = task.examples[split].to_numpy(dtype=object)
        train = task.frame[roles == TRAIN]
        for role in (TEST, DEV):
            part = task.frame[roles == role]
            if part.empty:
                continue
            apart = [
                (habit, column, here, there)
                for column in task.inputs
                for habit, pattern in HABITS.items()
                for here, there in [(_share(part[column], pattern), _share(train[column], pattern))]
                if abs(here - there) >= max(APART, _chance(here, len(part), there, len(train)))
            ]
            if apart:
                apart.sort(key=lambda each: -abs(each[2] - each[3]))
                which = f"{split}: " if len(task.splits) > 1 else ""
                habit, column, here, there = apart[0]
                yield Found(
                    "warning",
                    f"{which}{role} is written differently from train: {here:.0%} of its {column}s have {habit}, "
                    f"{there:.0%} of train's.",
                    shown(
                        f"{habit}: {here:.0%} of {role}, {there:.0%} of train"
                        + (f" ({column})" if len(task.inputs) > 1 else "")
                        for habit, column, here, there in apart
                    ),
                )


def _chance(here: float, n_here: int, there: float, n_there: int) -> float:
    """What two parts that are written alike may differ by."""
    pooled = (here * n_here + there * n_there) / (n_here + n_there)
    return STANDARD_ERRORS * math.sqrt(pooled * (1 - pooled) * (1 / n_here + 1 / n_there))


def _share(texts: pd.Series, habit: re.Pattern[str]) -> float:
    return float(texts.map(lambda text: habit.search(text) is not None).mean())
