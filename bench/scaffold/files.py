"""Detect the formats of a user's files, and how several files belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from bench.data.encodings import detect_encoding
from bench.data.files import check_file
from bench.data.messages import listed
from bench.data.sources.archive import ARCHIVES
from bench.data.sources.cells import Rows
from bench.data.sources.formats import SUFFIXES, TEXTS, Form
from bench.data.sources.layout import NAMED_SUFFIXES, Asked, unknown_format
from bench.data.sources.plain import class_files, is_hidden
from bench.data.task import ROLES, TEST, TRAIN
from bench.data.title import check_title
from bench.errors import ConfigError, DataError
from bench.scaffold.file_form import check_header_line, check_nested, common_form, detect_form
from bench.scaffold.found import Found
from bench.scaffold.joining import called_as_labels, check_one_a_part
from bench.scaffold.parts import IN_NAMES, PartFiles, group_files, is_piece
from bench.scaffold.profile import MOST_LABELS
from bench.scaffold.unread import unread

SAVED_PART = "state.json"
"""The file that `datasets` writes into the folder of a data set or of one part of it."""

SAVED_PARTS = "dataset_dict.json"
"""The file that it writes into the folder above several parts."""

NOT_A_TEXT = {*SUFFIXES, *NAMED_SUFFIXES} - {".md"}
"""Suffixes of files that are not one text."""

LABELS_SUFFIXES = (".labels", ".label")
"""Suffixes of files with the labels of texts in other files."""


def find_data_file(path: Path, asked: Asked) -> Found:
    """Detect the content of one file."""
    layout = detect_form(path, asked)
    form = layout.form
    check_title(path, form)
    check_header_line(path, form)
    check_nested(path, form)
    source = {"kind": "table", "path": path.name, **form.settings(path.name)}
    return Found(
        str(path), form.describe(), source, lambda: form.rows(path), path, files=(path,), remarks=layout.remarks
    )


def find_folder(folder: Path, asked: Asked) -> Found:
    """Detect a folder's content: documents with labels of spans, a folder for each class, or the files of a split."""
    if (folder / SAVED_PART).is_file():
        return _saved(folder, {})
    if (folder / SAVED_PARTS).is_file():
        return _saved_parts(folder)
    found = _found_in(folder, asked)
    documents = folder.glob("*.txt") if found.source["kind"] == "standoff" else ()
    return replace(found, remarks=(*found.remarks, *unread(folder, {*found.files, *documents})))


def _found_in(folder: Path, asked: Asked) -> Found:
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
    parts, unclear = group_files(pieces or candidates)
    if unclear:
        check_one_a_part(candidates)
    together = [path for part in parts.values() for path in (*part.files, part.labels) if path is not None]
    if (TRAIN in parts and len(parts) > 1) or any(len(part.files) > 1 or part.labels for part in parts.values()):
        return find_files(together, asked)
    if len(together) == 1 and pieces:
        return find_data_file(together[0], asked)
    unreadable = [path for path in files if path.suffix.lower() in NAMED_SUFFIXES]
    if unreadable and not candidates:
        raise unknown_format(unreadable[0])
    shown = listed([path.name for path in tables or candidates], 5) or "none"
    hint = "The file of labels needs the columns document, start, end and label."
    if candidates and not texts:
        hint = f"Choose one: --data {candidates[0]}. Files named train, dev and test form a published split."
    if 1 < len(candidates) <= MOST_LABELS:
        hint = "\n".join(filter(None, (hint, called_as_labels(candidates))))
    raise DataError(f"{folder}: a folder of documents needs .txt files and a file of labels; it has {shown}.", hint)


def find_files(paths: Sequence[Path], asked: Asked) -> Found:
    """Detect what several files are: parts of a published split, by their names, or texts and their labels.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        The files.
    asked : Asked
        The format that the user specifies.
    """
    for path in paths:
        check_file(path)
    parts, unclear = group_files(paths)
    if unclear:
        check_one_a_part(paths)
        raise ConfigError(
            f"--data is repeated {len(paths)} times, but the file names do not show what belongs together: "
            f"{listed([path.name for path in unclear], 5)}.",
            "Files of a published split need train, test or dev in their names. With texts and labels in "
            "two files, one needs labels in its name. Join other files, or give one of them.\n"
            f"{called_as_labels(paths)}",
        )
    if len(parts) > 1 or any(len(part.files) == 1 and part.labels is None for part in parts.values()):
        _check_roles(parts)
    ordered = [parts[role] for role in ("", *ROLES) if role in parts]
    files = [path for part in ordered for path in part.files]
    labels = {path: part.labels for part in ordered for path in part.files}
    if any(labels.values()):
        form, remarks = _form_beside(labels, asked), tuple[str, ...]()
    else:
        form, remarks = common_form(files, asked)
    folder = files[0].parent
    by_role = {role: _relative_all(parts[role].files, folder) for role in ROLES if role in parts}
    source: dict[str, object] = {"kind": "table", "path": by_role if len(parts) > 1 else _relative_all(files, folder)}
    if form.format == "lines":
        beside = [_relative(path, folder) for path in labels.values() if path is not None]
        source["labels"] = dict(zip(by_role, beside, strict=True)) if len(parts) > 1 else beside[0]
    source |= form.settings(files[0].name)
    read = [*files, *(path for path in labels.values() if path is not None)]

    def rows() -> Rows:
        return chain.from_iterable(replace(form, labels=labels[path]).rows(path) for path in files)

    what = f"{len(files)} files, each {form.describe()}"
    if form.format == "lines":
        names = listed([path.name for path in labels.values() if path is not None])
        what = f"one text on each line, with its label on the same line of {names}{form.encoded}"
    named = ", ".join(str(path) for path in files)
    return Found(named, what, source, rows, files[0], files=tuple(read), remarks=remarks)


def _check_roles(parts: Mapping[str, PartFiles]) -> None:
    """Raise a ConfigError if a published split lacks a required part."""
    for role in (TRAIN, TEST):
        if role not in parts:
            raise ConfigError(
                f"--data: a published split needs {TRAIN} and {TEST}; given: {listed(list(parts))}.",
                f"Add the file of the {role} part, or give one file, which bench run then splits itself.",
            )


def _form_beside(labels: Mapping[Path, Path | None], asked: Asked) -> Form:
    """The format of files of texts with their labels in other files."""
    alone = [path for path, beside in labels.items() if beside is None]
    if alone:
        raise ConfigError(
            f"{alone[0]}: other parts have a file of labels, this one does not.",
            "Give the labels of every part, or the texts and labels of only one part.",
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
        f"{folder}: a data set with the parts {listed(names) or 'none'}; a published split needs {TRAIN} and {TEST}.",
        f"Choose one: --data {folder / names[0]}" if names else "Save it again with save_to_disk.",
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
    """The pieces of a table in a folder below a folder, as in a data set of the Hub.

    Raises
    ------
    bench.errors.DataError
        If they are in several folders.
    """
    pieces = [path for path in sorted(folder.rglob("*-of-*.*")) if is_piece(path) and path.suffix.lower() in SUFFIXES]
    folders = list(dict.fromkeys(path.parent for path in pieces))
    if len(folders) > 1:
        raise DataError(
            f"{folder}: it contains {len(folders)} data sets: {listed([str(each) for each in folders], 5)}.",
            f"Choose one: --data {folders[0]}",
        )
    return pieces


def _class_folders(folder: Path, asked: Asked) -> Found:
    files = class_files(folder)
    for file in files:
        if file.suffix.lower() in NOT_A_TEXT:
            raise DataError(
                f"{file}: in a folder for each class, each file is one text, but '{file.suffix}' is not a text file.",
                "Save each text as a .txt file. If the files are tables, join them into one with a column of labels. "
                "Remove other files.",
            )
    form = Form("class-folders", encoding=asked.encoding or detect_encoding(files))
    source = {"kind": "table", "path": folder.name, **form.settings(folder.name)}
    what = f"a folder for each class, with one text in each file{form.encoded}"
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
