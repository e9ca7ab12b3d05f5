"""The kinds of source that a task's examples come from."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.data.annotations import Units, gold_labels, read_adjudications, read_pass, unit_name
from bench.data.corpus import read_claims, read_documents, read_segments
from bench.data.files import BYTE_ORDER_MARK, read_json_lines, read_text
from bench.data.messages import place
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from bench.data.labels import LabelSet

TABLE_COLUMNS = ("id", "text", "claim", "label", "group")
"""The columns that a table can give a task."""


@dataclass(frozen=True)
class Records:
    """What a source yields.

    Parameters
    ----------
    examples : pandas.DataFrame
        Columns ``id``, the inputs, ``label`` and those that can serve as a group.
    passes : pandas.DataFrame or None
        Labels by annotation pass, one row an example in the same order.
    group : str
        The column that groups the examples where the task names none.
    """

    examples: pd.DataFrame
    passes: pd.DataFrame | None
    group: str


def read_source(source: object, inputs: tuple[str, ...], labels: LabelSet, origin: Path) -> Records:
    """Read a task's examples.

    Parameters
    ----------
    source : object
        The ``source`` section of the task's file; its ``kind`` is one of `KINDS`.
    inputs : tuple of str
        The input columns.
    labels : LabelSet
        The task's labels.
    origin : pathlib.Path
        The task's file; the paths in `source` are relative to its folder.

    Raises
    ------
    bench.errors.ConfigError
        If the section is malformed.
    bench.errors.DataError
        If the data break their contract.
    """
    if not isinstance(source, Mapping):
        raise ConfigError(f"{origin}: 'source' must be a mapping, not {source!r}.", f"Its kinds: {', '.join(KINDS)}.")
    kind = source.get("kind")
    if kind not in KINDS:
        raise ConfigError(f"{origin}: source.kind is {kind!r}.", nearest(str(kind), KINDS))
    return KINDS[kind](Section(source, "source", origin), inputs, labels)


@dataclass(frozen=True)
class Section:
    """A mapping in a task's file, read key by key with errors that name the key."""

    content: Mapping[Any, Any]
    name: str
    origin: Path

    def where(self, key: str) -> str:
        """Name a key, as all errors do."""
        return f"{self.origin}: {self.name}.{key}"

    def check_keys(self, required: tuple[str, ...], optional: tuple[str, ...]) -> None:
        """Raise a ConfigError if a key is unknown or missing."""
        known = (*required, *optional)
        for key in self.content:
            if key not in known:
                raise ConfigError(f"{self.origin}: unknown key '{self.name}.{key}'.", nearest(str(key), known))
        for key in required:
            if self.content.get(key) is None:
                raise ConfigError(f"{self.where(key)} is missing.")

    def text(self, key: str) -> str:
        """Return the text under `key`."""
        value = self.content[key]
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{self.where(key)} must be text, not {value!r}.")
        return value

    def texts(self, key: str) -> list[str]:
        """Return the list of texts under `key`; none where the key is absent."""
        value = self.content.get(key) or []
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{self.where(key)} must be a list of texts, not {value!r}.")
        return list(value)

    def path(self, relative: str) -> Path:
        """Return a path that is written relative to the task's folder."""
        return Path(os.path.normpath(self.origin.parent / relative))


def _from_segments(source: Section, inputs: tuple[str, ...], labels: LabelSet) -> Records:
    source.check_keys(
        ("kind", "documents", "segments", "annotations", "field"), ("exclude", "adjudications", "claims", "unnamed")
    )
    if ("claim" in inputs) != ("claims" in source.content):
        raise ConfigError(
            f"{source.where('claims')}: given exactly where the inputs are [claim, text], which here are "
            f"[{', '.join(inputs)}]."
        )
    documents = read_documents(source.path(source.text("documents")))
    segments = read_segments(source.path(source.text("segments")), documents)
    exclude = source.texts("exclude")
    for kind in exclude:
        if all(segment.kind != kind for segment in segments):
            known = (segment.kind for segment in segments)
            raise ConfigError(f"{source.where('exclude')}: no segment is of kind '{kind}'.", nearest(kind, known))
    claims = read_claims(source.path(source.text("claims"))) if "claim" in inputs else []
    unnamed = source.content.get("unnamed")
    if unnamed is not None:
        labels.read(unnamed, source.where("unnamed"))
    units = Units(
        segments, frozenset(exclude), tuple(claim.id for claim in claims), source.text("field"), labels, unnamed
    )
    passes = [read_pass(source.path(path), units) for path in source.texts("annotations")]
    if not passes:
        raise ConfigError(f"{source.where('annotations')} names no pass.")
    adjudications = source.path(source.text("adjudications")) if source.content.get("adjudications") else None
    decisions = read_adjudications(adjudications, units) if adjudications else {}
    gold = gold_labels(passes, decisions, adjudications)
    examples = pd.DataFrame(
        {
            "id": unit_name(segment.id, claim.id if claim else None),
            "text": segment.text,
            "document": segment.document,
            "kind": segment.kind,
            **({"claim": claim.text, "claim_id": claim.id} if claim else {}),
        }
        for segment in units.annotated
        for claim in claims or (None,)
    )
    examples["label"] = examples["id"].map(gold)
    further = [name for name in ("document", "kind", "claim_id") if name in examples]
    return Records(
        examples[["id", *inputs, "label", *further]],
        pd.DataFrame(
            {f"pass-{number}": examples["id"].map(given).tolist() for number, given in enumerate(passes, start=1)}
        ),
        "document",
    )


def _from_table(source: Section, inputs: tuple[str, ...], labels: LabelSet) -> Records:
    source.check_keys(("kind", "path", "columns"), ())
    if not isinstance(source.content["columns"], Mapping):
        raise ConfigError(f"{source.where('columns')} must be a mapping, such as {{text: body, label: class}}.")
    columns = Section(source.content["columns"], "source.columns", source.origin)
    columns.check_keys((*inputs, "label"), tuple(set(TABLE_COLUMNS) - {*inputs, "label"}))
    names = {name: columns.text(name) for name in TABLE_COLUMNS if columns.content.get(name) is not None}
    if "claim" in names and "claim" not in inputs:
        raise ConfigError(f"{columns.where('claim')} is given, but the inputs are [{', '.join(inputs)}].")
    path = source.path(source.text("path"))
    rows: list[dict[str, str]] = []
    places: list[str] = []
    seen: dict[str, str] = {}
    for where, row in _table_rows(path):
        example = {name: _cell(row, column, where) for name, column in names.items()}
        example["label"] = labels.read(example["label"], where)
        if "id" in names:
            if example["id"] in seen:
                raise DataError(
                    f"{where}: id '{example['id']}' stands twice, first in {seen[example['id']]}.",
                    "Correct it, or leave source.columns.id out: the rows are then numbered.",
                )
            seen[example["id"]] = where
        rows.append(example)
        places.append(where)
    if not rows:
        raise DataError(f"{path}: the table has a header but no rows.")
    examples = pd.DataFrame(rows)
    if "id" not in names:
        width = len(str(len(rows)))
        examples["id"] = [f"{number:0{width}d}" for number in range(1, len(rows) + 1)]
    further = ["group"] if "group" in names else []
    return Records(examples[["id", *inputs, "label", *further]], None, *(further or ["id"]))


KINDS = {"segments": _from_segments, "table": _from_table}
"""What reads each kind of source."""


def _table_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if path.suffix == ".jsonl":
        yield from read_json_lines(path)
    elif path.suffix in (".csv", ".tsv"):
        yield from _delimited_rows(path)
    else:
        raise DataError(f"{path}: a table is a .csv, .tsv or .jsonl file, not '{path.suffix}'.")


def _delimited_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    lines = io.StringIO(read_text(path).removeprefix(BYTE_ORDER_MARK), newline="")
    tabbed = path.suffix == ".tsv"
    reader = csv.reader(
        lines,
        delimiter="\t" if tabbed else ",",
        quoting=csv.QUOTE_NONE if tabbed else csv.QUOTE_MINIMAL,
        strict=True,
    )
    header: list[str] = []
    while True:
        where = place(path, reader.line_num + 1)
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataError(
                f"{where}: not valid CSV: {error}.", "A text with a quotation mark is quoted, and its marks doubled."
            ) from error
        if row is None:
            return
        if not row:
            continue
        if not header:
            header = row
            if len(set(header)) < len(header):
                twice = next(name for name in header if header.count(name) > 1)
                raise DataError(f"{where}: the column '{twice}' stands twice.")
            continue
        if len(row) != len(header):
            raise DataError(
                f"{where}: {len(row)} cells, but the header has {len(header)}.",
                "Quote a text that holds the delimiter or a line end.",
            )
        yield where, dict(zip(header, row, strict=True))


def _cell(row: Mapping[str, Any], column: str, where: str) -> str:
    if column not in row:
        raise DataError(f"{where}: there is no column '{column}'.", nearest(column, row))
    value = row[column]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise DataError(f"{where}: column '{column}' must hold text, not {value!r}.")
    if not value.strip():
        raise DataError(f"{where}: column '{column}' is empty.", "Every example needs a text and a label.")
    return value
