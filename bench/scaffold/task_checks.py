"""What keeps a new task from being written: its name, its parts, and labels that are several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.checks.labels import joined_names
from bench.data.definition import name_problem
from bench.data.messages import listed, shortened
from bench.data.task import TEST, TRAIN
from bench.discovery import task_files
from bench.errors import ConfigError, DataError
from bench.scaffold.columns import (
    Chosen,
)
from bench.scaffold.found import Found
from bench.scaffold.request import TaskRequest

if TYPE_CHECKING:
    import pandas as pd


MANY = 5
"""The rows that each of the other labels has then, on average."""


SINGLE = 0.5
"""The share of labels that stand in one row each from which rows are taken for broken, where the others are common."""


MANY_JOINED = 0.05
"""The share of rows with several labels in one cell from which that is no slip."""


def check_labelled_parts(found: Found, chosen: Chosen) -> None:
    """Raise a DataError if a file of a published split lacks a column, as a test part without labels does."""
    if not found.has_parts:
        return
    needed = {key: chosen.columns[key] for key in ("claim", "text", "label") if key in chosen.columns}
    for where, row in found.rows():
        lacking = next((key for key, column in needed.items() if column not in row), None)
        if lacking is not None:
            raise DataError(
                f"{where}: there is no column '{needed[lacking]}', which is the {lacking} in other parts.",
                f"{_ALONE} --data {found.files[0]}",
            )


_ALONE = "Without labels a part cannot be scored. Name the part that has them alone, and bench run splits it by itself:"


def check_withheld(found: Found, examples: pd.DataFrame, splits: Sequence[str]) -> None:
    """Raise a DataError if no label of a test part is one of its training part, as UNKNOWN is none."""
    for split in splits:
        train, test = (set(examples["label"][examples[split] == role]) for role in (TRAIN, TEST))
        if len(train) > 1 and not train & test and (examples[split] == TEST).sum() >= MANY:
            raise DataError(
                f"{found.name}: the labels of the test part are {listed(sorted(test))}, none of which stands in the "
                "training part.",
                f"{_ALONE} --data {found.files[0] if found.has_parts else 'FILE'}",
            )


def check_several(request: TaskRequest, found: Found, column: str, counts: Counter[str]) -> None:
    """Raise a DataError if many rows have several labels in one cell; a few are left to the checks, which warn.

    Raises
    ------
    bench.errors.DataError
        With the commands that make a task of such rows.
    """
    several, lists = joined_names(list(counts))
    n_rows = sum(counts[label] for label in (*several, *lists))
    if n_rows < MANY_JOINED * counts.total():
        return
    shown = listed([f"'{shortened(label, 24)}'" for label in (*several, *lists)], 3)
    raise DataError(
        f"{found.name}: {n_rows:,} of {counts.total():,} rows have several labels in the column '{column}': {shown}.",
        "A task has one label for each text. Which is meant? Write one into each row; or, to ask for one of them, "
        "make a column that says yes or no of it and name that by --label.\n"
        f"To take all that stands in a cell as one label:\n  {request.command(None, 'allow-several')}",
    )


def shifted_labels(counts: Counter[str]) -> set[str]:
    """The labels of rows that are not as they should be: most stand in one row each, beside others in many."""
    single = {label for label, count in counts.items() if count == 1}
    others = len(counts) - len(single)
    few = len(single) < 3 or len(single) < SINGLE * len(counts)
    return set() if few or not others or counts.total() - len(single) < MANY * others else single


def shifted_rows(
    request: TaskRequest, found: Found, column: str, counts: Counter[str], shifted: Container[str]
) -> DataError:
    """The error of rows whose cells stand one column further, so that texts are taken for labels."""
    places = [
        f"{where.removeprefix(f'{found.origin}, ')} ('{shortened(label, 24)}')"
        for where, row in found.rows()
        if (label := " ".join(str(row.get(column)).split())) in shifted
    ]
    return DataError(
        f"{found.name}: of {len(counts)} labels in the column '{column}', {len(places)} stand in one row each: "
        f"{listed(places, 10)}.",
        "A comma in a text that is not quoted shifts the cells behind it. Correct these rows, or name another column "
        f"with --label COLUMN.\n{leave_out(request)}",
    )


def leave_out(request: TaskRequest) -> str:
    """Say how rows whose cells stand one column further are left out."""
    return f"To leave such rows out, counted and listed:\n  {request.command(None, 'allow-shifted')}"


def check_task_name(name: str, target: Path, force: bool) -> None:
    """Refuse a name that no task can have, or that one has already."""
    if problem := name_problem(name):
        raise ConfigError(f"'{name}' {problem}.", "For example: bench new task headlines --data labels.csv")
    there = [path for path in (target / "task.yaml", target / "README.md") if path.exists()]
    folders = [target.parent, target]
    blocked = [path for path in folders if path.exists() and not path.is_dir()] + [p for p in there if not p.is_file()]
    if blocked:
        what, needed = ("a folder", "a file") if blocked[0].is_dir() else ("a file", "a folder")
        raise ConfigError(f"{blocked[0]}: it is {what}, where {needed} is to be written.", "Move it out of the way.")
    if there and not force:
        names = ", ".join(f"tasks/{name}/{path.name}" for path in there)
        raise ConfigError(f"There is already {names}.", "Choose another name, or write over it with --force.")
    if name in task_files() and not force:
        raise ConfigError(
            f"There is already a task '{name}'; yours would be taken in its place.",
            "Choose another name, or replace it with --force.",
        )
