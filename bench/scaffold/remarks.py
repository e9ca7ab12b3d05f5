"""What a person should look at in a new task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bench.data.dates import DATE
from bench.data.messages import listed
from bench.data.sources.classes import class_names_of
from bench.data.task import ROLES
from bench.scaffold.found import Found
from bench.scaffold.summary import ColumnSummary

if TYPE_CHECKING:
    from bench.data.task import Task


MISSING = ("na", "n/a", "nan", "null", "<na>", "#n/a", "#ref!", "#value!", "#name?", "#div/0!", "nat", r"\n")
"""Texts that programs write for a missing value."""


NO_GROUPS = "No group column"
"""How the remark begins that each example is its own group."""


def named_classes(found: Found, label: str) -> Iterator[str]:
    """Report that the labels are the file's names for codes."""
    if found.format == "parquet" and (names := class_names_of(found.files[0]).get(label)):
        yield f"The labels are the file's names for the codes of '{label}': {listed(names)}."


def remarks(task: Task, summary: ColumnSummary, own_groups: bool = False) -> Iterator[str]:
    """Name dates, parts, groups and labels of a task that are not as they should be, or as one would expect.

    `own_groups` says that the user wants each example to be its own group.
    """
    undated = int((task.examples[DATE] == "").sum()) if DATE in task.examples else 0
    if undated:
        yield f"{undated:,} of {len(task):,} examples have no date, and validation=forward needs one for each."
    for split in task.splits:
        parts = ", ".join(f"{role} {int((task.examples[split] == role).sum()):,}" for role in ROLES)
        yield f"The published {split} is used as it is: {parts}."
    if task.group == "id" and not task.splits and not own_groups:
        yield (
            f"{NO_GROUPS}: each example is its own group, so texts of one document, author or outlet can be in both "
            "the training and the test part. --group COLUMN keeps them together."
        )
    if {"annotation_id", "annotator"} <= summary.columns.keys():
        yield (
            "This is Label Studio's CSV, with a row for each annotation. A text that several annotators "
            "labelled repeats, and the first label counts. Its JSON export has annotation passes."
        )
    for label in task.labels:
        others = [repr(raw) for raw, target in task.label_map.items() if target == label != raw]
        if others and label in task.label_map:
            yield (
                f"The label {label!r} is also written as {', '.join(others)}. label_map in the task's file makes them "
                "one."
            )
        elif others:
            yield (
                f"The label {label!r} is written as {', '.join(others)} in the data. label_map in the task's file "
                "cleans it."
            )
    yield from _marked(task)
    for label in task.labels:
        if label.casefold() in MISSING:
            yield (f"The label '{label}' looks like a missing value written as text. If it is, remove its rows.")
    for name in task.inputs:
        for text in dict.fromkeys(text for text in task.examples[name] if text.strip().casefold() in MISSING):
            yield (f"The {name} '{text}' looks like a missing value written as text. If it is, remove its rows.")
    for label in task.labels:
        if any(part in task.labels for part in label.split("#") if part != label):
            yield (
                f"The label '{label}' looks like several in one, as in doccano's CSV. Its JSONL export keeps "
                "them separate."
            )


def _marked(task: Task) -> Iterator[str]:
    """Report that all values are in quotation marks, which other programs would not read as text."""
    values: dict[str, Iterable[str]] = {f"{name}s": task.examples[name] for name in task.inputs}
    values["labels"] = task.labels
    for what, each in values.items():
        for name, mark in (("single", "'"), ("double", '"')):
            if all(len(value) > 1 and value[0] == value[-1] == mark for value in (value.strip() for value in each)):
                yield (
                    f"All {what} are in {name} quotation marks, which are read as part of them. If they are quoting, "
                    "remove them from the file."
                )
