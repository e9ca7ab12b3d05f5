"""What a user's files are: their formats, by name and by content, and how several belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bench.data.column_names import fit, whole
from bench.data.encodings import detect_encoding
from bench.data.files import check_file
from bench.data.json_text import iter_json_lines
from bench.data.messages import listed, place
from bench.data.sources.annotation_tools import PRODIGY_ANSWERS
from bench.data.sources.archive import ARCHIVES, unpacked
from bench.data.sources.dialects import DELIMITED, NAMES
from bench.data.sources.formats import SUFFIXES, TEXTS, Form, Rows
from bench.data.sources.json_objects import read_json_rows
from bench.data.sources.layout import LOOKED_AT, Asked, Layout, detect_layout, read_head
from bench.data.sources.plain import class_files, is_hidden
from bench.data.task import ROLES, TEST, TRAIN
from bench.data.title import check_title
from bench.errors import ConfigError, DataError
from bench.scaffold.found import Found
from bench.scaffold.parts import IN_NAMES, PartFiles, group_files, is_piece, labels_beside
from bench.scaffold.profile import MOST_LABELS

Row = tuple[str, Mapping[str, Any]]
"""An object of JSON with its place."""

LONGEST_SHOWN = 60
"""Characters of a header that an error shows."""

SAVED_PART = "state.json"
"""What `datasets` writes into the folder of a data set or of one part of it."""

SAVED_PARTS = "dataset_dict.json"
"""What it writes into the folder above those of several parts."""

LABELS_SUFFIXES = (".labels", ".label")
"""Suffixes of files of the labels of texts in other files."""

TABLES = (*SUFFIXES, *TEXTS)
"""The suffixes of files that can be tables."""


def find_data_file(path: Path, asked: Asked) -> Found:
    """Say what one file holds."""
    layout = detect_form(path, asked)
    form = layout.form
    check_title(path, form)
    _check_header(path, form)
    _check_nested(path, form)
    source = {"kind": "table", "path": path.name, **form.settings(path.name)}
    return Found(
        str(path), form.describe(), source, lambda: form.rows(path), path, files=(path,), remarks=layout.remarks
    )


def find_folder(folder: Path, asked: Asked) -> Found:
    """Say what a folder holds: documents with labels of spans, a folder for each class, or the files of a split."""
    if (folder / SAVED_PART).is_file():
        return _saved(folder, {})
    if (folder / SAVED_PARTS).is_file():
        return _saved_parts(folder)
    there = [path for path in sorted(folder.iterdir()) if not is_hidden(Path(path.name))]
    files = [path for path in there if not path.is_dir()]
    tables = [path for path in files if path.suffix.lower() in SUFFIXES]
    texts = [path for path in files if path.suffix.lower() in TEXTS]
    if len(tables) == 1 and any(path.suffix == ".txt" for path in texts):
        return _standoff(folder, tables[0], asked)
    below = [] if tables else _pieces_below(folder)
    if not tables and not below and len([path for path in there if path.is_dir()]) > 1 and class_files(folder):
        return _class_folders(folder, asked)
    packed = [path for path in files if path.suffix.lower() in ARCHIVES]
    candidates = tables + packed + texts
    candidates += [path for path in files if path.suffix.lower() in LABELS_SUFFIXES]
    pieces = [path for path in candidates if is_piece(path)] or below
    parts, _ = group_files(pieces or candidates)
    together = [path for part in parts.values() for path in (*part.files, part.labels) if path is not None]
    if (TRAIN in parts and len(parts) > 1) or any(len(part.files) > 1 or part.labels for part in parts.values()):
        return find_files(together, asked, left=[*candidates, *pieces])
    if len(together) == 1 and pieces:
        return find_data_file(together[0], asked)
    shown = listed([path.name for path in tables or candidates], 5) or "none"
    hint = "The file of labels has the columns document, start, end and label."
    if candidates and not texts:
        hint = f"Name one: --data {candidates[0]}. Files called train, dev and test are a published split."
    if 1 < len(candidates) <= MOST_LABELS:
        hint += f"\n{_called_as_labels(candidates)}"
    raise DataError(f"{folder}: a folder of documents holds .txt files and one file of labels; there is {shown}.", hint)


def find_files(paths: Sequence[Path], asked: Asked, left: Sequence[Path] = ()) -> Found:
    """Say what several files are: the parts of a published split by their names, or texts and their labels.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        The files.
    asked : Asked
        What the user says of how they are written.
    left : sequence of pathlib.Path
        Files beside them, which a remark names as not read.
    """
    for path in paths:
        check_file(path)
    parts, unclear = group_files(paths)
    if unclear:
        raise ConfigError(
            f"--data is given {len(paths)} times, but names do not say what belongs together: "
            f"{listed([path.name for path in unclear], 5)}.",
            "Files of a published split have train, test or dev in their names, a part a file; of texts and labels in "
            "two files the one has labels in its name. Other files: put them together, or name one.\n"
            f"{_called_as_labels(paths)}",
        )
    if len(parts) > 1 or any(len(part.files) == 1 and part.labels is None for part in parts.values()):
        _check_roles(parts)
    ordered = [parts[role] for role in ("", *ROLES) if role in parts]
    files = [path for part in ordered for path in part.files]
    labels = {path: part.labels for part in ordered for path in part.files}
    if any(labels.values()):
        form, remarks = _form_beside(labels, asked), tuple[str, ...]()
    else:
        form, remarks = _common_form(files, asked)
    folder = files[0].parent
    source: dict[str, Any] = {"kind": "table"}
    if len(parts) > 1:
        source["path"] = {role: _relative_all(parts[role].files, folder) for role in ROLES if role in parts}
    else:
        source["path"] = _relative_all(files, folder)
    if form.format == "lines":
        beside = [_relative(path, folder) for path in labels.values() if path is not None]
        source["labels"] = dict(zip(source["path"], beside, strict=True)) if len(parts) > 1 else beside[0]
    source |= form.settings(files[0].name)
    read = [*files, *(path for path in labels.values() if path is not None)]
    if others := [path.name for path in dict.fromkeys(left) if path not in read]:
        remarks = (*remarks, f"These files of the folder are not read: {listed(others)}.")

    def rows() -> Rows:
        return chain.from_iterable(replace(form, labels=labels[path]).rows(path) for path in files)

    what = f"{len(files)} files, each {form.describe()}"
    if form.format == "lines":
        names = listed([path.name for path in labels.values() if path is not None])
        what = f"a text a line, with its label in the same line of {names}{form.encoded}"
    named = ", ".join(str(path) for path in files)
    return Found(named, what, source, rows, files[0], files=tuple(read), remarks=remarks)


def _called_as_labels(paths: Sequence[Path]) -> str:
    """How to make one table of files that are called as the labels of what is in them."""
    files = [str(path) for path in paths if path.suffix.lower() == paths[0].suffix.lower()]
    rows = "(line.strip(), pathlib.Path(name).stem) for line in open(name, encoding='utf-8') if line.strip()"
    read = f"pandas.DataFrame([{rows}], columns=['text', 'label'])"
    if paths[0].suffix.lower() in (".csv", ".tsv"):
        mark = ", sep='\\t'" if paths[0].suffix.lower() == ".tsv" else ""
        read = f"pandas.read_csv(name, dtype=str{mark}).assign(label=pathlib.Path(name).stem)"
    made = f"pandas.concat({read} for name in {files}).to_csv('all.csv', index=False)"
    return (
        "Are they called as the labels of what is in them? One table is made of them by:\n"
        f'python -c "import pathlib, pandas; {made}"\nThen: --data all.csv'
    )


def _check_roles(parts: Mapping[str, PartFiles]) -> None:
    """Raise a ConfigError if the parts of a published split lack one that it needs."""
    for role in (TRAIN, TEST):
        if role not in parts:
            raise ConfigError(
                f"--data: a published split needs {TRAIN} and {TEST}; there is {listed(list(parts))} alone.",
                f"Name the file of the {role} part too, or one file, which bench run then splits by itself.",
            )


def _form_beside(labels: Mapping[Path, Path | None], asked: Asked) -> Form:
    """How files of texts are written that have their labels in other files."""
    alone = [path for path, beside in labels.items() if beside is None]
    if alone:
        raise ConfigError(
            f"{alone[0]}: other parts have their labels in a file of their own, this one has none.",
            "Name the labels of each part, or texts and labels of one part alone.",
        )
    files = [path for pair in labels.items() for path in pair if path is not None]
    return Form("lines", encoding=asked.encoding or detect_encoding(files))


def _relative_all(paths: Sequence[Path], folder: Path) -> str | list[str]:
    names = [_relative(path, folder) for path in paths]
    return names[0] if len(names) == 1 else names


def _relative(path: Path, folder: Path) -> str:
    return path.name if path.parent == folder else str(path.absolute())


def _saved_parts(folder: Path) -> Found:
    """The parts that ``DatasetDict.save_to_disk`` wrote, each into a folder."""
    names = sorted(path.parent.name for path in folder.glob(f"*/{SAVED_PART}"))
    parts = {IN_NAMES[name]: name for name in names if name in IN_NAMES}
    if {TRAIN, TEST} <= parts.keys():
        return _saved(folder, {role: parts[role] for role in ROLES if role in parts}, names)
    if len(names) == 1:
        return _saved(folder / names[0], {})
    raise DataError(
        f"{folder}: a data set with the parts {listed(names) or 'none'}; a published split has {TRAIN} and {TEST}.",
        f"Name one: --data {folder / names[0]}" if names else "Save it anew by save_to_disk.",
    )


def _saved(folder: Path, parts: Mapping[str, str], there: Sequence[str] = ()) -> Found:
    """What ``save_to_disk`` of `datasets` wrote: one folder, or one for each part of a split."""
    form = Form("dataset")
    folders = [folder / name for name in parts.values()] or [folder]
    path = {role: f"{folder.name}/{name}" for role, name in parts.items()} if parts else folder.name
    unread = [name for name in there if name not in parts.values()]
    remarks = (f"These parts of the data set are not read: {listed(unread)}.",) if unread else ()

    def rows() -> Rows:
        return chain.from_iterable(form.rows(each) for each in folders)

    return Found(
        str(folder),
        "a data set saved by `datasets`",
        {"kind": "table", "path": path, "format": form.format},
        rows,
        folder,
        files=tuple(file for each in folders for file in sorted(each.glob("*.arrow"))),
        remarks=remarks,
    )


def _pieces_below(folder: Path) -> list[Path]:
    """The pieces of tables that lie in one folder below a folder, as in a data set of the Hub.

    Raises
    ------
    bench.errors.DataError
        If they lie in several folders.
    """
    pieces = [path for path in sorted(folder.rglob("*-of-*.*")) if is_piece(path) and path.suffix.lower() in SUFFIXES]
    folders = list(dict.fromkeys(path.parent for path in pieces))
    if len(folders) > 1:
        raise DataError(
            f"{folder}: it holds {len(folders)} data sets: {listed([str(each) for each in folders], 5)}.",
            f"Name one: --data {folders[0]}",
        )
    return pieces


def _class_folders(folder: Path, asked: Asked) -> Found:
    files = class_files(folder)
    form = Form("class-folders", encoding=asked.encoding or detect_encoding(files))
    source = {"kind": "table", "path": folder.name, **form.settings(folder.name)}
    what = f"a folder for each class, with a text a file{form.encoded}"
    return Found(str(folder), what, source, lambda: form.rows(folder), folder, files=tuple(files))


def _standoff(folder: Path, labels: Path, asked: Asked) -> Found:
    layout = detect_form(labels, asked)
    form = layout.form
    source = {"kind": "standoff", "documents": ".", "labels": labels.name, **form.settings(labels.name)}
    return Found(
        str(labels),
        "labels of spans of documents",
        source,
        lambda: form.rows(labels),
        labels,
        files=(labels,),
        remarks=layout.remarks,
    )


def _common_form(paths: Sequence[Path], asked: Asked) -> tuple[Form, tuple[str, ...]]:
    """How all files of a split are written: as one of them is, if the others can be read so too."""
    layouts = [detect_form(path, asked) for path in paths]
    for path, layout in zip(paths, layouts, strict=True):
        check_title(path, layout.form)
        _check_header(path, layout.form)
    for layout in layouts:
        if all(
            layout.form == other.form or _reads(layout.form, path) for path, other in zip(paths, layouts, strict=True)
        ):
            return layout.form, layout.remarks
    shown = ", ".join(f"{path.name} is {layout.form.describe()}" for path, layout in zip(paths, layouts, strict=True))
    raise DataError(f"The files are not written alike: {shown}.", "Write all parts of a published split in one way.")


def _reads(form: Form, path: Path) -> bool:
    try:
        return any(True for _ in form.rows(path))
    except DataError:
        return False


def detect_form(path: Path, asked: Asked | None = None) -> Layout:
    """Say how a file of rows is written, as `detect_layout` does, or which annotation tool wrote it."""
    asked = asked or Asked()
    layout = detect_layout(path, asked)
    form = layout.form
    if asked.columns and form.format not in (*DELIMITED, "xlsx"):
        raise ConfigError(
            f"--columns: {path} is {form.describe()}, whose columns have names.", "Name them by --text and --label."
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


def _check_header(path: Path, form: Form) -> None:
    """Raise a DataError if no delimiter splits a table's header, as one of a text and its label is split."""
    if form.format not in DELIMITED:
        return
    with unpacked(path, TABLES) as (file, _):
        head = read_head(file, form.encoding)
        header = head.lstrip("\r\n").splitlines()[0]
        if not any(delimiter in head for delimiter in NAMES):
            shown = header if len(header) <= LONGEST_SHOWN else header[: LONGEST_SHOWN - 1] + "…"
            hint = (
                "A table has a header that names its columns, such as text,label, and below it a row an example. "
                f"{_labels_hint(path)}"
            )
            if mark := next((mark for mark in "،؛" if mark in header), None):
                written = {"،": ",", "؛": ";"}[mark]
                hint = f"The Arabic '{mark}' keeps no cells apart: write '{written}' or a tab between cells."
            if '" "' in header:
                made = f"pandas.read_csv('{path}', sep=' ', dtype=str).to_csv('{path.stem}.csv')"
                hint = (
                    "It looks like a table of R's write.table, with spaces between cells. This writes it anew:\n"
                    f'python -c "import pandas; {made}"\nThen: --data {path.stem}.csv'
                )
            if header.startswith("<"):
                hint = "It looks like XML or HTML: write its texts and labels into a .csv file, or into JSON Lines."
            raise DataError(
                f"{place(file, 1)}: no comma, semicolon, tab or bar splits the header '{shown}' into columns.",
                hint,
            )


def _check_nested(path: Path, form: Form) -> None:
    """Raise a DataError if the text or the label of rows of JSON stands in an object within them."""
    if form.format not in ("json", "jsonl"):
        return
    row = next((row for _, row in form.rows(path)), {})
    plain = {name: value for name, value in row.items() if not isinstance(value, Mapping)}
    lacking = []
    if not any(fit(name, "text") is not None or _is_phrase(value) for name, value in plain.items()):
        lacking.append("text")
    others = [value for name, value in plain.items() if fit(name, "id") is None and fit(name, "text") is None]
    if not any(isinstance(value, str) and not _is_phrase(value) for value in others):
        lacking.append("label")
    for role in lacking:
        for key in (key for key in row if key not in plain):
            inner = next((name for name in row[key] if whole(name, role) is not None), None)
            if inner is None:
                continue
            read = f"pandas.json_normalize([json.loads(line) for line in open('{path}', encoding='utf-8')])"
            if form.format == "json":
                read = f"pandas.json_normalize(json.load(open('{path}', encoding='utf-8')))"
            raise DataError(
                f"{path}: '{key}' holds an object, with '{inner}' in it, and not a value.",
                f"Write a column for each, as '{key}.{inner}':\npython -c \"import json, pandas; {read}"
                ".to_json('flat.jsonl', orient='records', lines=True, force_ascii=False)\"\nThen: --data flat.jsonl",
            )


def _is_phrase(value: object) -> bool:
    return isinstance(value, str) and len(value.split()) > 2


def _labels_hint(path: Path) -> str:
    """How to name the file of the labels of a file of texts, if there is one beside it."""
    if path.suffix.lower() not in TEXTS:
        return ""
    beside = (other for other in sorted(path.parent.iterdir()) if other.suffix.lower() in TEXTS)
    labels = next((other for other in beside if labels_beside((path, other)) is not None), None)
    if labels is not None:
        return f"Its labels may be in another file: --data {path} --data {labels}"
    return "Where the labels are in another file, let its name have the word labels, and name both by a --data each."


def _tool(rows: Sequence[Mapping[str, Any]]) -> str | None:
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
    return "doccano" if texts and (lists or any("entities" in row for row in rows)) else None
