"""A folder of documents, with span labels in a separate file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.data.corpus import read_documents
from bench.data.dates import DATE, DAY_FIRST
from bench.data.messages import listed
from bench.data.sources.column_errors import check_cell, date_of_cell, unknown_column, wrong_cell
from bench.data.sources.formats import form_of
from bench.data.sources.records import Records
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet
    from bench.data.section import Section
    from bench.data.sources.further import Further

REQUIRED = ("document", "start", "end", "label")
OPTIONAL = ("text", "group", DATE)

SHOWN = 40
"""Characters of a text that an error shows."""

LONGEST_OFFSET = 18
"""Digits of an offset."""


def from_standoff(
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    mirror: Path | None,
    further: Further | None = None,
) -> Records:
    """Read spans of documents by their offsets, each with its label.

    Offsets count Unicode code points of the document's text, and the end is exclusive.
    """
    source.check_keys(("kind", "documents", "labels"), ("format", "quote", "encoding", "header", "columns", DAY_FIRST))
    if inputs != ("text",):
        raise ConfigError(f"{source.origin}: 'inputs' must be [text] for spans of documents.")
    names = {name: name for name in REQUIRED}
    if source.content.get("columns") is not None:
        columns = source.section("columns", "such as {document: file, label: class}")
        columns.check_keys((), (*REQUIRED, *OPTIONAL))
        names |= {name: columns.text(name) for name in columns.content}
    documents = read_documents(source.path(source.text("documents")))
    path = source.path(source.text("labels"))
    used = [names[name] for name in ("start", "end", "label", "text") if name in names]
    rows: list[dict[str, str]] = []
    places: dict[str, str] = {}
    for where, row in form_of(source, path.name).rows(path):
        for column in names.values():
            if column not in row:
                raise unknown_column(column, row, where)
        document = str(row[names["document"]]).removesuffix(".txt")
        if document not in documents:
            raise DataError(f"{where}: unknown document '{document}'.", nearest(document, documents))
        start, end = (_offset(row[names[name]], names[name], where) for name in ("start", "end"))
        expected = row[names["text"]] if "text" in names else None
        name = f"{document}:{start}-{end}"
        if name in places:
            raise DataError(f"{where}: the span {start} to {end} of '{document}' is repeated, first in {places[name]}.")
        places[name] = where
        example = {
            "id": name,
            "text": _span(documents[document], document, start, end, expected, where),
            "label": labels.read(row[names["label"]], where),
            "document": document,
        }
        if "group" in names:
            example["group"] = _group(row[names["group"]], names["group"], where)
        if DATE in names:
            example[DATE] = date_of_cell(row[names[DATE]], names[DATE], where, source.choice(DAY_FIRST))
        rows.append(example)
        if further is not None:
            further.add(name, row, used)
    if not rows:
        raise DataError(f"{path}: the table has a header but no rows.")
    unused = sorted(documents.keys() - {row["document"] for row in rows})
    verb = "has" if len(unused) == 1 else "have"
    note = f"{len(unused):,} of {len(documents):,} documents {verb} no labelled span: {listed(unused)}."
    return Records(pd.DataFrame(rows), "group" if "group" in names else "document", notes=(note,) if unused else ())


def _offset(value: Any, column: str, where: str) -> int:
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= LONGEST_OFFSET:
        value = int(value)
    if type(value) is not int or value < 0:
        raise wrong_cell(f"must be a whole number from 0, not {value!r}.", column, where)
    return value


def _group(value: Any, column: str, where: str) -> str:
    if type(value) not in (str, int) or not str(value).strip():
        raise wrong_cell(f"must be the name of a group, not {value!r}.", column, where)
    check_cell(str(value), column, where)
    return str(value)


def _span(document: str, name: str, start: int, end: int, expected: Any, where: str) -> str:
    if not start < end <= len(document):
        raise DataError(
            f"{where}: the span {start} to {end} is not in '{name}', which has {len(document):,} characters.",
            "Offsets count Unicode code points from 0, not bytes, and the end is exclusive.",
        )
    text = document[start:end]
    if expected is not None and text != expected:
        found = document.find(expected) if isinstance(expected, str) and expected else -1
        raise DataError(
            f"{where}: '{name}' has {_shown(text)} from {start} to {end}, not {_shown(str(expected))}.",
            f"This text is at {found} to {found + len(expected)}. Offsets count Unicode code points, not bytes."
            if found >= 0
            else "The document does not contain this text. It has changed, or it is the wrong document.",
        )
    if not text.strip():
        raise DataError(f"{where}: the span {start} to {end} of '{name}' is empty.", "Every example needs a text.")
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
