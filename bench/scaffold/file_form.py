"""Detect the format of a user's files, and signs that it is wrong."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice, zip_longest
from pathlib import Path

from bench.data.column_names import fit, whole
from bench.data.json_reading import iter_json_lines
from bench.data.messages import free_name, place
from bench.data.sources.annotation_tools import PRODIGY_ANSWERS
from bench.data.sources.archive import unpacked
from bench.data.sources.dialects import DELIMITED, NAMES
from bench.data.sources.formats import SUFFIXES, TEXTS, Form
from bench.data.sources.json_objects import keys_of_rows, read_json_rows
from bench.data.sources.layout import LOOKED_AT, Asked, Layout, detect_layout, read_head
from bench.data.title import check_title
from bench.errors import ConfigError, DataError
from bench.scaffold.parts import labels_beside

LONGEST_SHOWN = 60
"""Characters of a header that an error shows."""

TABLES = (*SUFFIXES, *TEXTS)
"""The suffixes of files that can be tables."""


def common_form(paths: Sequence[Path], asked: Asked) -> tuple[Form, tuple[str, ...]]:
    """The common format of all files of a split: that of one of them, if it fits the others."""
    layouts = [detect_form(path, asked) for path in paths]
    for path, layout in zip(paths, layouts, strict=True):
        check_title(path, layout.form)
        check_header_line(path, layout.form)
    for layout in layouts:
        if all(
            layout.form == other.form or _reads_alike(layout.form, other.form, path)
            for path, other in zip(paths, layouts, strict=True)
        ):
            return layout.form, layout.remarks
    for path, layout in zip(paths, layouts, strict=True):
        deque(layout.form.rows(path), maxlen=0)  # A file that is broken is a better reason than its format.
    shown = ", ".join(f"{path.name} is {layout.form.describe()}" for path, layout in zip(paths, layouts, strict=True))
    raise DataError(f"The files have different formats: {shown}.", "Use one format for all parts.")


def _reads_alike(form: Form, own: Form, path: Path) -> bool:
    """Whether a format gives the same rows of a file as the file's own."""
    with suppress(DataError):
        return all(row == other for row, other in zip_longest(form.rows(path), own.rows(path)))
    return False


def detect_form(path: Path, asked: Asked | None = None) -> Layout:
    """Detect a table's format, as `detect_layout` does, or the annotation tool that wrote it."""
    asked = asked or Asked()
    layout = detect_layout(path, asked)
    form = layout.form
    if asked.columns and form.format not in (*DELIMITED, "xlsx"):
        raise ConfigError(
            f"--columns: {path} is {form.describe()}, whose columns have names.", "Choose them with --text and --label."
        )
    if asked.format is not None or form.format not in ("json", "jsonl"):
        return layout
    with unpacked(path, TABLES) as (file, _):
        format_name = _json_format(file, form)
    return Layout(Form(format_name, encoding=form.encoding), layout.remarks)


def _json_format(path: Path, form: Form) -> str:
    """The annotation tool that wrote a file of JSON, else its format."""
    rows = read_json_rows(path, form.encoding) if form.format == "json" else iter_json_lines(path, form.encoding)
    return _tool([row for _, row in islice(rows, LOOKED_AT)]) or form.format


def check_header_line(path: Path, form: Form) -> None:
    """Raise a DataError if no delimiter splits a table's header."""
    if form.format not in DELIMITED:
        return
    with unpacked(path, TABLES) as (file, _):
        head = read_head(file, form.encoding)
        header = head.lstrip("\r\n").splitlines()[0]
        if not any(delimiter in head for delimiter in NAMES):
            shown = header if len(header) <= LONGEST_SHOWN else header[: LONGEST_SHOWN - 1] + "…"
            hint = (
                "A table needs a header with column names, such as text,label, and one row for each example. "
                f"{_labels_hint(path)}"
            )
            if mark := next((mark for mark in "،؛" if mark in header), None):
                written = {"،": ",", "؛": ";"}[mark]
                hint = f"The Arabic '{mark}' does not separate cells. Write '{written}' or a tab between cells."
            if '" "' in header:
                written = free_name(f"{path.stem}.csv")
                made = f"pandas.read_csv('{path}', sep=' ', dtype=str).to_csv('{written}')"
                hint = (
                    "It looks like the output of R's write.table, with spaces between cells. To convert it:\n"
                    f'python -c "import pandas; {made}"\nThen use --data {written}'
                )
            if header.startswith("<"):
                hint = "It looks like XML or HTML. Write its texts and labels into a .csv file, or into JSON Lines."
            raise DataError(
                f"{place(file, 1)}: no comma, semicolon, tab or bar splits the header '{shown}' into columns.",
                hint,
            )


def check_nested(path: Path, form: Form) -> None:
    """Raise a DataError if the text or label of rows is in a nested object, or in a list of objects."""
    if form.format not in ("json", "jsonl", "parquet"):
        return
    row: Mapping[str, object] = next((row for _, row in form.rows(path)), {})
    lists = {name: value[0] for name, value in row.items() if isinstance(value, list) and value}
    nested = {name: value for name, value in {**row, **lists}.items() if isinstance(value, Mapping)}
    plain = {name: value for name, value in row.items() if name not in nested}
    lacking = []
    if not any(fit(name, "text") is not None or _is_phrase(value) for name, value in plain.items()):
        lacking.append("text")
    others = [value for name, value in plain.items() if fit(name, "id") is None and fit(name, "text") is None]
    if not any(isinstance(value, str) and not _is_phrase(value) for value in others):
        lacking.append("label")
    for role in lacking:
        for key, content in nested.items():
            inner = _field_of(content, key, role)
            if inner is None:
                continue
            rows = f"[json.loads(line) for line in open('{path}', encoding='utf-8')]"
            if form.format == "parquet":
                rows = f"pandas.read_parquet('{path}').to_dict('records')"
            elif form.format == "json":
                under = "".join(f"[{name!r}]" for name in keys_of_rows(path, form.encoding))
                rows = f"json.load(open('{path}', encoding='utf-8')){under}"
            what, each, written = "an object", "", free_name("flat.jsonl")
            if key in lists:
                what, each = "a list of objects", ", and one row for each item"
                rows = f"pandas.DataFrame({rows}).explode('{key}').to_dict('records')"
            raise DataError(
                f"{path}: '{key}' is {what} with '{inner}' in it, not a value.",
                f"Write one column for each field, as '{key}.{inner}'{each}:\n"
                f'python -c "import json, pandas; pandas.json_normalize({rows})'
                f".to_json('{written}', orient='records', lines=True, force_ascii=False)\"\nThen use --data {written}",
            )


def _field_of(content: Mapping[str, object], key: str, role: str) -> str | None:
    """The field of a nested object that is a role of the task, by its name or by that of the object."""
    named = [name for name in content if whole(name, role) is not None]
    texts = [name for name, value in content.items() if isinstance(value, str)]
    of_key = texts if fit(key, role) is not None else []
    found = [*(name for name in named if name in texts), *of_key, *named]
    return found[0] if found else None


def _is_phrase(value: object) -> bool:
    return isinstance(value, str) and len(value.split()) > 2


def _labels_hint(path: Path) -> str:
    """A hint about the file with the labels of a file of texts."""
    if path.suffix.lower() not in TEXTS:
        return ""
    beside = (other for other in sorted(path.parent.iterdir()) if other.suffix.lower() in TEXTS)
    labels = next((other for other in beside if labels_beside((path, other)) is not None), None)
    if labels is not None:
        return f"Its labels may be in another file: --data {path} --data {labels}"
    return "If the labels are in another file, put the word labels into its name, and give both with --data."


def _tool(rows: Sequence[Mapping[str, object]]) -> str | None:
    """The annotation tool whose export has such rows."""
    if not rows:
        return None
    first = rows[0]
    if isinstance(first.get("data"), dict) and ("annotations" in first or "completions" in first):
        return "label-studio"
    if "annotation_id" in first and "annotator" in first:
        return "label-studio-min"
    if all(row.get("answer") in PRODIGY_ANSWERS for row in rows):
        return "prodigy"
    texts = all(isinstance(row.get("text", row.get("data")), str) for row in rows)
    lists = any(isinstance(row.get(key), list) for row in rows for key in ("label", "labels", "cats"))
    spans = any(isinstance(row.get("entities"), list) for row in rows)  # those of a tweet are an object
    return "doccano" if texts and (lists or spans) else None
