"""What annotation tools export, as texts with each annotator's label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.data.duplicates import duplicate_keys
from bench.data.files import BYTE_ORDER_MARK, check_file, read_text
from bench.data.json_text import read_json_array, read_json_lines
from bench.data.labels import LabelSet
from bench.data.sources.annotation_tools import doccano, label_studio
from bench.data.sources.cells import Undecided
from bench.errors import DataError
from bench.labelling.sampling import ANNOTATOR, LABEL
from bench.prediction.reading import read_texts_file

SOMEBODY = "somebody"
"""The annotator of labels whose file names none."""


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


def read_export(path: Path, inputs: Sequence[str], labels: LabelSet) -> tuple[list[Labelled], int]:
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
    found, unlabelled = [], 0
    for where, row in _rows(path, inputs):
        columns = {name: value for name, value in row.items() if name.startswith(f"{LABEL}@")}
        votes = {name.partition("@")[2]: value for name, value in columns.items()}
        cell = row.get(LABEL)
        if isinstance(cell, Undecided) and not votes:
            raise DataError(f"{where}: {cell.message}", cell.hint)
        if not votes and isinstance(cell, str) and cell.strip():
            votes = {str(row.get(ANNOTATOR) or row.get("username") or SOMEBODY): cell.strip()}
        given = {who: labels.read(label, where) for who, label in votes.items()}
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


def by_text(given: Sequence[Labelled], inputs: Sequence[str]) -> dict[bytes, Labelled]:
    """Join the rows of one text, as a table has where several annotators fill it in, by the text's key.

    Raises
    ------
    bench.errors.DataError
        If an annotator gave a text two labels.
    """
    frame = pd.DataFrame([{name: each.fields[name] for name in inputs} for each in given])
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
    return joined


def _rows(path: Path, inputs: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    check_file(path)
    if path.suffix.lower() in (".csv", ".tsv", ".xlsx"):
        return iter(read_texts_file(path, {name: name for name in inputs}, ()).rows)
    array = read_text(path).removeprefix(BYTE_ORDER_MARK).lstrip().startswith("[")
    first = next(iter(read_json_array(path) if array else read_json_lines(path)), None)
    if first is None:
        raise DataError(f"{path}: it has no text.")
    return iter(label_studio(path) if "data" in first[1] and isinstance(first[1]["data"], dict) else doccano(path))
