"""A task as a dataset's folder of the Hub: Parquet files, a card, and Croissant metadata."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cards.croissant import DataFile, croissant
from bench.cards.front import card, licence_of, new_folder
from bench.citations.bibliography import Entry, of_task
from bench.data.card import describe
from bench.data.export import dataset_dict
from bench.results.files import to_json

if TYPE_CHECKING:
    from bench.data.task import Task

CARD, CROISSANT, DATA = "README.md", "croissant.json", "data"

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
"""The Hub's names of sizes, by the number of examples that they end at."""


def write_dataset_folder(task: Task, target: Path) -> None:
    """Write a task as a folder that can be uploaded to the Hub; it appears whole or not at all.

    Parameters
    ----------
    task : Task
        The task.
    target : pathlib.Path
        The folder, which must not be there yet.

    Raises
    ------
    bench.errors.ConfigError
        If something stands there already.
    bench.errors.UserError
        If nothing can be written there.
    """
    with new_folder(target) as folder:
        (folder / DATA).mkdir()
        parts, columns = [], []
        for name, rows in dataset_dict(task).items():
            path = folder / DATA / f"{name}.parquet"
            rows.to_parquet(str(path))
            columns = list(rows.column_names)
            content = path.read_bytes()
            parts.append(DataFile(str(name), f"{DATA}/{path.name}", len(content), hashlib.sha256(content).hexdigest()))
        entries = of_task(task.name, task.citation, task.homepage)
        (folder / CARD).write_text(dataset_card(task, parts, entries), encoding="utf-8")
        cited = "\n".join(entry.to_bibtex() for entry in entries)
        described = croissant(task, parts, columns, licence_of(task.licence)["license"], cited)
        (folder / CROISSANT).write_text(to_json(described), encoding="utf-8")


def dataset_card(task: Task, parts: list[DataFile], entries: list[Entry]) -> str:
    """The card of a task's data."""
    names = dict(enumerate(task.labels))
    metadata: dict[str, object] = {
        "language": ["ar"],
        **licence_of(task.licence),
        "pretty_name": task.name,
        "task_categories": ["text-classification"],
        "size_categories": [next((name for most, name in SIZES if len(task) < most), "n>1M")],
        "tags": ["arabic", "bench-arabic"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": part.name, "path": part.path} for part in parts]}
        ],
    }
    labels = [f"- {code}: `{label}`{_meaning(task, label)}" for code, label in names.items()]
    return card(
        metadata,
        f"# {task.name}",
        task.description,
        "## Labels\n\n" + "\n".join(labels),
        "## Data\n\n" + describe(task),
        "## Splits\n\n" + _splits(task),
        "## Licence\n\n" + (task.licence or "The task's file names no licence. Ask whoever made the texts and labels."),
        "## Citation\n\n" + "\n".join(f"```bibtex\n{entry.to_bibtex()}```" for entry in entries) if entries else "",
    )


def _meaning(task: Task, label: str) -> str:
    return f": {task.descriptions[label]}" if label in task.descriptions else ""


def _splits(task: Task) -> str:
    if len(task.splits) == 1:
        return "The files are the published split."
    if task.splits:
        return f"The columns {', '.join(f'`{name}`' for name in task.splits)} hold the published folds."
    column = "id" if task.group == "id" else "group"
    return (
        f"All examples are in one file. Split them so that no value of `{column}` is on both sides: examples of one "
        "group are alike, and a model that has seen one does better on the others than on new text."
    )
