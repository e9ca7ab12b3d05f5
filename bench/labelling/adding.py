"""Add labels that an annotation tool exports to a task, as a new version of it.

The user's own files stay as they are. The examples of the new version are in a file of their own beside the task's
file, and the task's file of the version before is kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.data.definition import build_task, read_definition
from bench.data.duplicates import duplicate_keys
from bench.data.files import BYTE_ORDER_MARK, check_file, read_text
from bench.data.json_text import read_json_array, read_json_lines
from bench.data.labels import LabelSet
from bench.data.sources import read_source
from bench.data.sources.annotation_tools import doccano, label_studio
from bench.data.sources.cells import Undecided
from bench.data.sources.table_columns import DRAWN
from bench.data.task import TRAIN, Task
from bench.data.votes import KEPT, VOTES, read_votes
from bench.discovery import find, task_files
from bench.errors import DataError, UserError
from bench.labelling.sampling import ANNOTATOR, EXAMPLE_ID, LABEL
from bench.prediction.reading import read_texts_file
from bench.prediction.writing import json_lines
from bench.schema.dialect import dump
from bench.statistics.agreement import cohen_kappa
from bench.statistics.dawid_skene import dawid_skene
from bench.support.places import replacing

if TYPE_CHECKING:
    from bench.data.sources.records import Records

SOMEBODY = "somebody"
"""The annotator of labels whose file names none."""

EARLIER = "earlier label"
"""Who gave the label of an example that has no recorded votes."""

DAWID_SKENE = "dawid-skene"
"""The value of ``gold`` in a task's file that weighs annotators by their reliability."""


@dataclass(frozen=True)
class Labelled:
    """A text with the labels that annotators gave it.

    Parameters
    ----------
    where : str
        Its place in the export.
    fields : mapping of str to object
        Its id, inputs and further columns.
    labels : mapping of str to str
        Each annotator's label.
    """

    where: str
    fields: Mapping[str, Any]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class AnnotatorAgreement:
    """How far an annotator agrees with the labels that the task had.

    Parameters
    ----------
    annotator : str
        The annotator.
    n, same : int
        How many labelled examples were labelled again, and how many got the same label.
    kappa : float
        Cohen's kappa; NaN if undefined.
    """

    annotator: str
    n: int
    same: int
    kappa: float


@dataclass(frozen=True, eq=False)
class Added:
    """What was added to a task.

    Parameters
    ----------
    task : Task
        The new version.
    new, again, changed : int
        How many examples are new, how many were labelled again, and how many of these have another label now.
    tied : tuple of str
        New texts without a majority, which are not added.
    unlabelled : int
        Texts of the export without a label.
    agreement : tuple of AnnotatorAgreement
        With the labels that the task had.
    files : tuple of pathlib.Path
        The files that were written.
    """

    task: Task
    new: int
    again: int
    changed: int
    tied: tuple[str, ...]
    unlabelled: int
    agreement: tuple[AnnotatorAgreement, ...]
    files: tuple[Path, ...]


def add_labels(export: Path, name: str) -> Added:
    """Add the labels of an export to a task of a table.

    New texts become examples, with the label that most annotators gave. An example that is labelled again has the label
    of most votes, of which its earlier label is one, and which wins a tie.

    Raises
    ------
    bench.errors.UserError
        If the export or the task is not usable, or the task's file was changed meanwhile. Nothing is changed then.
    """
    path = find(name, task_files(), "task", "tasks")
    before = path.read_bytes()
    definition = dict(read_definition(path))
    _check_kind(definition, path)
    task = build_task(definition, path)
    records = read_source(definition["source"], task.inputs, LabelSet(tuple(definition["labels"]), {}), path)
    labels = tuple(definition["labels"])
    given, unlabelled = read_export(export, task.inputs, labels)
    given = _by_text(given, task)
    rows, added = _merged(given, records, task, definition, read_votes(path, task.version))
    version = task.version + 1
    data = path.with_name(f"examples-v{version}.jsonl")
    votes = path.with_name(VOTES.format(version))
    posteriors = path.with_name(f"posteriors-v{version}.jsonl")
    kept = path.with_name(KEPT.format(task.version))
    for target in (data, votes, posteriors, kept):
        if target.exists():
            raise UserError(f"{target}: the file already exists.", "Move it away, or raise the task's version.")
    source = {"kind": "table", "path": data.name, "columns": _columns(rows, records)}
    changed = {**definition, "version": version, "source": source}
    written = {data: json_lines(rows), votes: json_lines(added.votes)}
    written |= {posteriors: json_lines(added.posteriors)} if added.posteriors else {}
    after = dump(changed, default_flow_style=None, allow_unicode=True).encode()
    made: list[Path] = []
    try:
        for target, lines in written.items():
            made.append(target)
            with replacing(target) as beside:
                beside.write_bytes("".join(lines).encode())
        new = build_task(changed, path)
        if path.read_bytes() != before:
            raise UserError(f"{path}: the file was changed meanwhile.", "Run the same command again.")
        made.append(kept)
        with replacing(kept) as beside:
            beside.write_bytes(before)
        with replacing(path) as beside:
            beside.write_bytes(after)
    except BaseException:
        if path.read_bytes() != after:
            for target in made:
                target.unlink(missing_ok=True)
        raise
    files = (path, *written, kept)
    return Added(new, added.new, added.again, added.changed, tuple(added.tied), unlabelled, added.agreement, files)


def read_export(path: Path, inputs: Sequence[str], labels: tuple[str, ...]) -> tuple[list[Labelled], int]:
    """Read an annotation tool's export: Label Studio's JSON, doccano's JSON Lines, or the table that was filled in.

    Returns
    -------
    labelled : list of Labelled
        The texts with a label.
    unlabelled : int
        How many have none.

    Raises
    ------
    bench.errors.DataError
        If the file is none of these, or a label is unknown.
    """
    known = LabelSet(labels, {})
    found, unlabelled = [], 0
    for where, row in _rows(path, inputs):
        columns = {name: value for name, value in row.items() if name.startswith(f"{LABEL}@")}
        votes = {name.partition("@")[2]: value for name, value in columns.items()}
        cell = row.get(LABEL)
        if isinstance(cell, Undecided) and not votes:
            raise DataError(f"{where}: {cell.message}", cell.hint)
        if not votes and isinstance(cell, str) and cell.strip():
            votes = {str(row.get(ANNOTATOR) or row.get("username") or SOMEBODY): cell.strip()}
        given = {who: known.read(label, where) for who, label in votes.items()}
        if not given:
            unlabelled += 1
            continue
        fields = {key: value for key, value in row.items() if key not in (*columns, LABEL, ANNOTATOR)}
        for name in inputs:
            if not isinstance(fields.get(name), str):
                raise DataError(f"{where}: the field '{name}' is missing.", "Export the texts that bench sample wrote.")
        found.append(Labelled(where, fields, given))
    if not found:
        raise DataError(f"{path}: no text has a label.", "Label some, and export again.")
    return found, unlabelled


def _rows(path: Path, inputs: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    check_file(path)
    if path.suffix.lower() in (".csv", ".tsv", ".xlsx"):
        return iter(read_texts_file(path, {name: name for name in inputs}, ()).rows)
    array = read_text(path).removeprefix(BYTE_ORDER_MARK).lstrip().startswith("[")
    first = next(iter(read_json_array(path) if array else read_json_lines(path)), None)
    if first is None:
        raise DataError(f"{path}: it has no text.")
    return iter(label_studio(path) if "data" in first[1] and isinstance(first[1]["data"], dict) else doccano(path))


def _check_kind(definition: Mapping[str, Any], path: Path) -> None:
    source = definition["source"]
    if not isinstance(source, Mapping) or source.get("kind") != "table" or source.get("download"):
        raise UserError(
            f"{path}: labels can be added to a task of your own table only.",
            "Make one of the exported examples: bench export task=NAME --format jsonl, then bench new task.",
        )
    if definition.get("label_map") or source["columns"].get("passes"):
        which = "label_map" if definition.get("label_map") else "source.columns.passes"
        raise UserError(f"{path}: labels cannot be added to a task with {which}.", "Make a task without it.")
    if definition.get("averaged_over"):
        raise UserError(f"{path}: labels cannot be added to a task with averaged_over.", "Make a task without it.")


@dataclass
class _Counts:
    """What `_merged` did, and the votes to record."""

    new: int = 0
    again: int = 0
    changed: int = 0
    tied: list[str] = field(default_factory=list)
    agreement: tuple[AnnotatorAgreement, ...] = ()
    votes: list[dict[str, Any]] = field(default_factory=list)
    posteriors: list[dict[str, Any]] = field(default_factory=list)


def _by_text(given: Sequence[Labelled], task: Task) -> list[Labelled]:
    """Join the rows of one text, as a table has where several annotators fill it in."""
    frame = pd.DataFrame([{name: each.fields[name] for name in task.inputs} for each in given])
    joined: dict[bytes, Labelled] = {}
    for each, key in zip(given, duplicate_keys(frame).tolist(), strict=True):
        first = joined.setdefault(key, each)
        for who, label in each.labels.items():
            if first.labels.get(who, label) != label:
                raise DataError(
                    f"{each.where}: annotator {who} has already labelled this text differently, in {first.where}.",
                    "Delete one of the two, and export again.",
                )
        joined[key] = replace(first, labels={**first.labels, **each.labels})
    return list(joined.values())


def _merged(
    given: Sequence[Labelled],
    records: Records,
    task: Task,
    definition: Mapping[str, Any],
    votes: Mapping[str, Mapping[str, str]],
) -> tuple[list[dict[str, Any]], _Counts]:
    """The rows of the new version: the old examples in their order, then the new ones."""
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in records.examples.to_dict("records")
    ]
    keys = duplicate_keys(records.examples[list(task.inputs)]).tolist()
    places: dict[bytes, int] = {}
    for number, key in enumerate(keys):
        places.setdefault(key, number)
    by_id = {row["id"]: number for number, row in enumerate(rows)}
    drawn = any(name in each.fields for each in given for name in DRAWN) or DRAWN[0] in records.examples
    group = definition["source"]["columns"].get("group")
    counts = _Counts()
    earlier: dict[str, list[tuple[str, str]]] = {}
    weighed = (
        _weighed(given, rows, by_id, places, votes, task.inputs, definition["labels"])
        if definition.get("gold") == DAWID_SKENE
        else {}
    )
    frame = pd.DataFrame([{name: each.fields[name] for name in task.inputs} for each in given])
    for each, key in zip(given, duplicate_keys(frame).tolist(), strict=True):
        name = str(each.fields.get(EXAMPLE_ID) or "")
        place = by_id.get(name, places.get(key))
        if place is None:
            name = name or f"added-{hashlib.sha256(key).hexdigest()[:12]}"
            (best, most), *others = Counter(each.labels.values()).most_common()
            if key in weighed:
                best = max(weighed[key], key=weighed[key].__getitem__)
            elif others and others[0][1] == most:
                counts.tied.append(name)
                continue
            row: dict[str, Any] = {"id": name, **{column: each.fields[column] for column in task.inputs}, "label": best}
            if "group" in records.examples:
                own = each.fields.get(group) if isinstance(group, str) else None
                row["group"] = name if own in (None, "") else str(own)
            row |= dict.fromkeys(records.splits, TRAIN)
            rows.append(row | {column: str(each.fields.get(column) or "") for column in DRAWN if drawn})
            counts.new += 1
            counts.posteriors += [{"example": name, **weighed[key]}] if key in weighed else []
            counts.votes += [{"example": name, "annotator": who, "label": vote} for who, vote in each.labels.items()]
            continue
        if keys[place] != key:
            raise DataError(
                f"{each.where}: its text is not that of example '{name}'.", "Texts must not be edited in the tool."
            )
        row = rows[place]
        label, known = row["label"], votes.get(row["id"], {EARLIER: row["label"]})
        for who, vote in each.labels.items():
            earlier.setdefault(who, []).append((label, vote))
        new = {**({} if row["id"] in votes else known), **each.labels}
        counts.votes += [{"example": row["id"], "annotator": who, "label": vote} for who, vote in new.items()]
        tally = Counter({**known, **each.labels}.values())
        row["label"] = max(weighed.get(key, tally), key=lambda vote: (weighed.get(key, tally)[vote], vote == label))
        counts.posteriors += [{"example": row["id"], **weighed[key]}] if key in weighed else []
        counts.again += 1
        counts.changed += row["label"] != label
    if drawn:
        rows = [{**row, **{name: row.get(name, "") for name in DRAWN}} for row in rows]
    counts.agreement = tuple(
        AnnotatorAgreement(who, len(pairs), sum(a == b for a, b in pairs), cohen_kappa(*zip(*pairs, strict=True)))
        for who, pairs in sorted(earlier.items())
    )
    return rows, counts


def _weighed(
    given: Sequence[Labelled],
    rows: Sequence[Mapping[str, Any]],
    by_id: Mapping[str, int],
    places: Mapping[bytes, int],
    votes: Mapping[str, Mapping[str, str]],
    inputs: Sequence[str],
    labels: Sequence[str],
) -> dict[bytes, dict[str, float]]:
    """The probability of each label of the given texts, from their votes and all that were recorded before."""
    frame = pd.DataFrame([{name: each.fields[name] for name in inputs} for each in given])
    keys = duplicate_keys(frame).tolist()
    units: list[Mapping[str, str]] = []
    named = set()
    for each, key in zip(given, keys, strict=True):
        place = by_id.get(str(each.fields.get(EXAMPLE_ID) or ""), places.get(key))
        row = None if place is None else rows[place]
        known = {} if row is None else votes.get(row["id"], {EARLIER: row["label"]})
        named.add(None if row is None else row["id"])
        units.append({**known, **each.labels})
    units += [known for name, known in votes.items() if name not in named]
    annotators = sorted({who for unit in units for who in unit})
    codes = np.full((len(units), len(annotators)), -1, dtype=np.intp)
    for number, unit in enumerate(units):
        for who, label in unit.items():
            codes[number, annotators.index(who)] = labels.index(label)
    posterior = dawid_skene(codes, len(labels)).posterior[: len(given)].tolist()
    return {key: dict(zip(labels, chances, strict=True)) for key, chances in zip(keys, posterior, strict=True)}


def _columns(rows: Sequence[Mapping[str, Any]], records: Records) -> dict[str, Any]:
    roles = [name for name in rows[-1] if name not in records.splits]
    columns: dict[str, Any] = {name: name for name in roles}
    if records.splits:
        columns["split"] = list(records.splits) if len(records.splits) > 1 else records.splits[0]
    return columns
