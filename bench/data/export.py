"""Export a task as a file that other tools, and bench itself, can read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data.own_files import check_replaced
from bench.data.task import DEV, TEST, TRAIN
from bench.errors import ConfigError, nearest
from bench.support.json_writing import json_text
from bench.support.places import make_folder, replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    import datasets
    import pandas as pd

    from bench.data.task import Task

HUB = "hub"
"""The format of a folder in the form of the Hugging Face Hub."""

FOLDERS = ("dataset", HUB)
"""The formats that are folders."""

SPLITS = {TRAIN: "train", DEV: "validation", TEST: "test"}
"""The names in `datasets` of the parts of a published split."""


def export_frame(task: Task) -> pd.DataFrame:
    """Put all that a task knows about its examples into one table of text.

    Parameters
    ----------
    task : Task
        The task.

    Returns
    -------
    pandas.DataFrame of shape (n_examples, n_columns)
        ``id``, the inputs, ``label`` (its name), the other columns of the examples, ``group`` where the examples are
        grouped by something other than their ids, and a column for each annotation pass.
    """
    columns = ["id", *task.inputs, "label"]
    frame = task.examples[[*columns, *(name for name in task.examples.columns if name not in columns)]].copy()
    if task.group != "id":
        frame["group"] = task.groups
    if task.passes is not None:
        frame[list(task.passes.columns)] = task.passes
    return frame


def dataset_dict(task: Task) -> datasets.DatasetDict:
    """Make a `datasets.DatasetDict` of a task, with ``ClassLabel`` labels in the task's order.

    Parameters
    ----------
    task : Task
        The task.

    Returns
    -------
    datasets.DatasetDict
        ``train``, ``validation`` and ``test`` if one split is published. Otherwise all are ``train``, with
        published folds in columns of their own.
    """
    import datasets

    frame = export_frame(task)
    label = datasets.ClassLabel(names=list(task.labels))
    kinds = {name: label if name == "label" else datasets.Value("string") for name in frame.columns}
    whole = datasets.Dataset.from_dict(
        {name: frame[name].tolist() for name in frame.columns} | {"label": task.codes.tolist()},
        features=datasets.Features(kinds),
    )
    if len(task.splits) != 1:
        return datasets.DatasetDict({"train": whole})
    roles = frame[task.splits[0]].to_numpy()
    parts = {name: (roles == role).nonzero()[0] for role, name in SPLITS.items()}
    return datasets.DatasetDict({name: whole.select(rows) for name, rows in parts.items() if len(rows)})


def export_format(given: str | None, target: Path | None) -> str:
    """Choose the format of an export: the one that is given, else by its name, else Parquet.

    A name without a suffix is that of a folder in the form of the Hugging Face Hub, which `bench.cards` writes.

    Parameters
    ----------
    given : str or None
        A format's name.
    target : pathlib.Path or None
        The file or folder, None if it has no name yet.

    Raises
    ------
    bench.errors.ConfigError
        If the format is unknown or contradicts the file's suffix.

    Examples
    --------
    >>> export_format(None, Path("denial.jsonl")), export_format("dataset", Path("denial"))
    ('jsonl', 'dataset')
    """
    if given is not None and given != HUB:
        _check_format(given)
    suffix = "" if target is None else target.suffix.lower()
    meant = SUFFIXES.get(suffix)
    if meant is None and suffix and given not in FOLDERS:
        raise ConfigError(
            f"--to {target}: export a task as a {' or '.join(SUFFIXES)} file, not '{suffix}'.",
            f"{nearest(suffix, SUFFIXES)} For a folder: --format hub or dataset",
        )
    if meant is not None and given not in (None, meant):
        raise ConfigError(
            f"--to {target}: its suffix means {meant}, but --format is {given}.",
            "Remove one of them, or make them agree.",
        )
    return given or meant or ("parquet" if target is None else HUB)


def export_task(task: Task, target: Path, format_name: str, force: bool = False) -> None:
    """Write a task to a file, or a folder for ``dataset``; the result is complete or absent.

    Parameters
    ----------
    task : Task
        The task.
    target : pathlib.Path
        The file or folder, which must not exist yet.
    format_name : str
        One of `FORMATS`.
    force : bool
        Whether to overwrite an existing file. A folder is never overwritten.

    Raises
    ------
    bench.errors.ConfigError
        If the format is unknown, or the target exists.
    bench.errors.UserError
        If the target cannot be written.
    """
    _check_format(format_name)
    if os.path.lexists(target) and not (force and target.is_file() and format_name in SUFFIXES.values()):
        way = "remove it" if target.is_dir() or format_name not in SUFFIXES.values() else "overwrite it with --force"
        raise ConfigError(f"{target} already exists.", f"Name another target with --to, or {way}.")
    check_replaced(target, str(target), force=True)
    make_folder(target.parent)
    with replacing(target) as path:
        FORMATS[format_name](task, path)


def _check_format(name: str) -> None:
    if name not in FORMATS:
        raise ConfigError(f"--format {name}: unknown format.", nearest(name, (*FORMATS, HUB)))


def _parquet(task: Task, target: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = export_frame(task)
    columns = {name: pa.array(frame[name].tolist(), pa.string()) for name in frame.columns}
    pq.write_table(pa.table(columns), target)


def _jsonl(task: Task, target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for row in export_frame(task).to_dict("records"):
            file.write(json_text(row) + "\n")


def _dataset(task: Task, target: Path) -> None:
    dataset_dict(task).save_to_disk(target)


FORMATS: dict[str, Callable[[Task, Path], None]] = {"parquet": _parquet, "jsonl": _jsonl, "dataset": _dataset}
"""The writer of each format."""

SUFFIXES = {".parquet": "parquet", ".jsonl": "jsonl"}
"""The format of each file suffix."""
