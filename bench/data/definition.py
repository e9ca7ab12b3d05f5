"""A task's definition: its file, checked key by key, and the task that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.data.drawn import texts_drawn_for
from bench.data.duplicates import Settled, drop_repeats, lost_labels, settle_splits
from bench.data.figures import read_figures
from bench.data.files import read_text
from bench.data.label_definition import check_labels, left_out, read_descriptions, read_labels
from bench.data.mapped import select_rows
from bench.data.messages import listed
from bench.data.published import DOWNLOAD, PublishedFiles
from bench.data.section import Section
from bench.data.sources import Further, read_source
from bench.data.task import GROUP, TEST, TRAIN, Task
from bench.data.task_definition import TaskDefinition
from bench.errors import ConfigError, DataError, nearest
from bench.metrics import find_metric
from bench.metrics.outcomes import VALUE
from bench.schema.dialect import Document, parse_file

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from bench.data.sources import Records
    from bench.metrics.metric import Metric

FLAGS = ("strict", "allow_repeats")
"""Keys of a task's file that control how strictly its rows are read."""

MOST_VALUES = 50
"""The most values that a metric is averaged over."""

NAME = re.compile("[a-z0-9][a-z0-9_-]{0,99}")
"""Valid names of tasks, if the command line reads them as text. Folders and experiments use them."""


def name_problem(name: str) -> str:
    """Explain, to follow the name, why it is invalid. Return an empty string if it is valid.

    Examples
    --------
    >>> name_problem("headlines-2024")
    ''
    >>> name_problem("1e3")
    "cannot be a task's name: task=1e3 would be read as a number or another YAML value"
    """
    from bench.overrides import parse_overrides

    if not NAME.fullmatch(name):
        return "cannot be a task's name: use at most 100 lower-case Latin letters, digits, '-' and '_'"
    if name == "all":
        return "cannot be a task's name: task=all means every task"
    if str(parse_overrides([f"task={name}"])["task"]) != name:
        return f"cannot be a task's name: task={name} would be read as a number or another YAML value"
    return ""


def read_definition(path: Path) -> Document:
    """Read a task's file.

    Parameters
    ----------
    path : pathlib.Path
        The task's ``task.yaml``.

    Raises
    ------
    bench.errors.DataError
        If there is no such file, or it is empty or not UTF-8.
    bench.errors.ConfigError
        If it is not YAML, has a key twice, or is not a mapping.
    """
    content = parse_file(read_text(path), path)
    if not isinstance(content, Document):
        from bench.schema.check import keys_of
        from bench.schema.task import TaskFile

        raise ConfigError(f"{path}: expected a mapping with the keys {', '.join(keys_of(TaskFile))}.")
    return content


def published_files(content: Mapping[str, object], origin: Path) -> PublishedFiles | None:
    """Read which published files a task's definition names; None if it names none.

    Raises
    ------
    bench.errors.ConfigError
        If their section is malformed.
    """
    source = content.get("source")
    if not isinstance(source, Mapping) or source.get("download") is None:
        return None
    return PublishedFiles.parse(Section(source, "source", origin, content).section("download", DOWNLOAD))


def has_passes(content: Mapping[str, object]) -> bool:
    """Whether a task's definition names annotation passes."""
    source = content.get("source")
    if not isinstance(source, Mapping):
        return False
    columns = source.get("columns")
    return bool(source.get("annotations")) or (isinstance(columns, Mapping) and bool(columns.get("passes")))


def build_task(content: Mapping[str, object], origin: Path, mirror: Path | None = None) -> Task:
    """Build a task from its definition, reading and checking all its data.

    Examples whose inputs repeat an earlier example's are left out, so that no text is on both sides of a split. The
    task's notes name them. In a published split the test part stays as it is, and copies of its inputs are removed
    from training.

    Parameters
    ----------
    content : mapping of str to object
        The content of the task's file, with any overrides merged: ``name``, ``description``, ``source``, ``inputs``
        and ``labels``, and optionally ``version`` (1), ``label_map``, ``descriptions`` (a sentence for each label),
        ``group`` (``document`` for segments; for a table its group column, or without one each example by itself),
        ``metric`` (``macro_f1``), ``averaged_over`` (a column, over whose values the metric is then averaged),
        ``strict`` (false: rows without a text or a label, and labels that only repeated inputs have, are left out with
        a note), ``allow_repeats`` (false: many repeats are an error), ``homepage``, ``licence``, ``citation`` and
        ``published`` (`bench.data.figures.read_figures`).
    origin : pathlib.Path
        The path of the task's file, for errors. Paths in the definition are relative to its folder.
    mirror : pathlib.Path, optional
        A folder to read published files from instead of downloading them; see `bench.data.published`.

    Raises
    ------
    bench.errors.ConfigError
        If a key is unknown or missing, or a value is wrong.
    bench.errors.DataError
        If the data are invalid, or a label has no example.
    """
    definition = TaskDefinition.check(content, origin)
    file, inputs = definition.file, definition.inputs
    if problem := name_problem(file.name):
        raise ConfigError(f"{definition.where('name')}: name '{file.name}' {problem}.")
    labels = read_labels(definition)
    metric = find_metric(file.metric, labels.labels, definition.where("metric"))
    descriptions = read_descriptions(definition, labels)
    figures = read_figures(content, origin, labels.labels)
    _check_averaged(definition, metric)
    records = read_source(definition.source, inputs, labels, mirror)
    group = records.group if file.group is None else file.group
    _check_records(definition, records, group)
    settled = _settled(definition, records)
    lost = lost_labels(records.examples, settled.examples, inputs, labels.labels)
    check_labels(labels, lost, records, settled, file.strict, origin)
    kept = labels.without(lost)
    task = Task(
        name=file.name,
        version=file.version,
        description=file.description,
        inputs=inputs,
        labels=kept.labels,
        metric=metric.name,
        group=group,
        examples=settled.examples,
        passes=settled.passes,
        label_map=kept.mapping,
        descriptions={raw: told for raw, told in descriptions.items() if labels.mapping.get(raw, raw) not in lost},
        splits=records.splits,
        left_out=_repeated(records, settled.examples),
        population=records.population,
        notes=(*records.notes, *settled.notes, *map(left_out, lost.items()), *_unpinned(content, origin)),
        settled=settled.notes if records.splits else (),
        origin=origin,
        published=figures,
        columns=_named(definition, definition.inputs),
        table_group=_named(definition, [GROUP]).get(GROUP, ""),
        averaged_over=file.averaged_over or "",
        homepage=file.homepage or "",
        licence=file.licence or "",
        citation=file.citation or "",
    )
    texts_drawn_for(task.examples, origin)  # a wrong probability is told here
    return replace(task, notes=(*_check_values(task), *task.notes))


def read_further(content: Mapping[str, object], origin: Path, column: str, mirror: Path | None = None) -> Further:
    """Read a column of a task's source that is no part of its examples.

    The source is read again, so that a task holds no more than its scores depend on.

    Parameters
    ----------
    content, origin, mirror
        As for `build_task`.
    column : str
        The column's name in the source.

    Raises
    ------
    bench.errors.UserError
        If the definition or the data are invalid.
    """
    definition, further = TaskDefinition.check(content, origin), Further(column)
    read_source(definition.source, definition.inputs, read_labels(definition), mirror, further)
    return further


def _check_averaged(definition: TaskDefinition, metric: Metric) -> None:
    """Raise a ConfigError if the metric is to be averaged over a column, and cannot be."""
    if definition.file.averaged_over and metric.needs_probabilities:
        raise ConfigError(
            f"{definition.where('averaged_over')}: averaged_over: {metric.name} scores probabilities, and "
            "only metrics of labels can be averaged.",
            "Choose another metric, or remove averaged_over.",
        )


def _check_records(definition: TaskDefinition, records: Records, group: str) -> None:
    """Raise a UserError if the column of groups or of averaged values is unsuitable, or a strict task has gaps."""
    averaged_over = definition.file.averaged_over
    columns = [column for column in records.examples.columns if column not in ("label", *records.splits)]
    if group not in columns:
        raise ConfigError(
            f"{definition.where('group')}: group: unknown column '{group}'.",
            nearest(group, columns),
        )
    if averaged_over and VALUE not in columns and averaged_over not in columns:
        where = definition.where("averaged_over")
        raise ConfigError(f"{where}: averaged_over: unknown column '{averaged_over}'.", nearest(averaged_over, columns))
    if averaged_over and records.population:
        raise ConfigError(
            f"{definition.where('averaged_over')}: averaged_over: the examples are a stratified sample, "
            "and its metric covers all of them together.",
            "Remove averaged_over.",
        )
    if definition.file.strict and records.gaps:
        raise DataError(
            f"{definition.origin}: {' '.join(records.gaps)}",
            "Fill it in. Without strict, such rows are left out and counted.",
        )


def _settled(definition: TaskDefinition, records: Records) -> Settled:
    """Drop repeated inputs. Raise a DataError if no training example is left, or too many inputs repeat."""
    inputs, origin = definition.inputs, definition.origin
    if records.splits:
        settled = settle_splits(records.examples, inputs, records.passes, records.splits)
    else:
        settled = drop_repeats(records.examples, inputs, records.passes)
    for column in records.splits:
        if not (settled.examples[column] == TRAIN).any():
            raise DataError(
                f"{origin}: {column}: every train example repeats an input of dev or test. None is left.",
                "Does one file serve both parts, or is this column not a split?",
            )
    if not definition.file.allow_repeats:
        _check_repeats(settled, inputs, origin)
    return settled


def _check_values(task: Task) -> tuple[str, ...]:
    """Raise a DataError if the metric cannot be averaged over the column; return notes on missing labels."""
    if task.values is None:
        return ()
    where = f"averaged_over: {task.averaged_over}"
    empty = [name for name, value in zip(task.ids, task.values, strict=True) if not value.strip()]
    if empty:
        raise DataError(
            f"{task.origin}: {where} is empty in {listed(empty)}.", "Fill it in. Every example needs a value."
        )
    needed = [task.labels[code] for code in task.scored_by.rests_on(len(task.labels))]
    notes = []
    parts = [(f" in test of {name}", (task.examples[name] == TEST).to_numpy()) for name in task.splits]
    for part, scored in parts or [("", np.ones(len(task), dtype=bool))]:
        names, codes = np.unique(task.values[scored].astype(str), return_inverse=True)
        if len(names) > MOST_VALUES:
            raise DataError(
                f"{task.origin}: {where} has {len(names):,} values{part}; at most {MOST_VALUES} are allowed.",
                "Name another column, or remove averaged_over.",
            )
        for code, value in enumerate(names):
            present = set(task.y[scored][codes == code].tolist())
            if absent := [label for label in needed if label not in present]:
                notes.append(f"{where}: no example of '{value}'{part} has the label {', '.join(map(repr, absent))}.")
    return tuple(notes)


def _named(definition: TaskDefinition, roles: Iterable[str]) -> dict[str, str]:
    """The names of some columns in the task's table, as far as its file gives one for each."""
    columns = definition.source.content.get("columns")
    if not isinstance(columns, Mapping):
        return {}
    return {name: columns[name] for name in roles if isinstance(columns.get(name), str)}


def _check_repeats(settled: Settled, inputs: tuple[str, ...], origin: Path) -> None:
    """Raise a ManyRepeatsError if so many inputs repeat that the inputs must be incomplete."""
    if not (counts := settled.repeats).too_many:
        return
    contradicting = f", {counts.n_contradicting:,} of them with another label" if counts.n_contradicting else ""
    message = (
        f"{origin}: {counts.n_left_out:,} of {counts.n_examples:,} examples repeat an earlier input{contradicting}. "
        f"So a label probably depends on more than {' and '.join(inputs)}."
    )
    if "claim" in inputs:
        hint = "Check that claim and text name the right columns."
    else:
        hint = "If another column has a claim that each text is about, set inputs to [claim, text]."
    raise ManyRepeatsError(message, f"{hint} To go on with the first example of each input: allow_repeats: true.")


class ManyRepeatsError(DataError):
    """Too many examples repeat the input of another."""


def _repeated(records: Records, examples: pd.DataFrame) -> pd.DataFrame:
    """The examples that were left out because they repeat another's input."""
    gone = ~records.examples["id"].isin(examples["id"])
    if records.splits:  # not because they never had a part
        gone &= (records.examples[list(records.splits)] != "").any(axis=1)
    return select_rows(records.examples, gone.to_numpy())


def _unpinned(content: Mapping[str, object], origin: Path) -> list[str]:
    files = published_files(content, origin)
    return [] if files is None else files.notes()
