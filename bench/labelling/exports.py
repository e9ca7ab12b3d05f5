"""What annotation tools export, as texts with each annotator's label."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from bench.data.duplicates import duplicate_keys
from bench.data.files import check_file
from bench.data.json_reading import text_field
from bench.data.labels import LabelSet, label_key
from bench.data.messages import listed
from bench.data.sources.annotation_tools import (
    PRODIGY_ANSWERS,
    UNLABELLED,
    LabelStudioTask,
    annotated,
    label_studio_min,
    label_studio_tasks,
    pass_column,
    prodigy,
)
from bench.data.sources.archive import unpacked
from bench.data.sources.cells import Row, Rows, Undecided
from bench.data.sources.formats import SUFFIXES, TEXTS, Form
from bench.data.sources.layout import Asked, Layout, detect_layout
from bench.data.title import check_title
from bench.errors import DataError
from bench.labelling.drawn import ANNOTATOR, EXAMPLE_ID, LABEL, OWN_FIELDS, TEXT_DIGEST, text_digest
from bench.prediction.reading import named_columns, read_laid_out
from bench.support.digests import file_digest

TWICE = "Delete one of the two, and export again."
UNNAMED = "unnamed-"
"""What the names of annotators begin with whose file names none."""

UNEDITED = "Texts and their ids must not be edited in the tool."


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
    truth : frozenset of str
        The annotators whose label is marked as the truth.
    """

    where: str
    fields: Mapping[str, object]
    labels: Mapping[str, str]
    truth: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Export:
    """What annotators made of the texts that they were given.

    Parameters
    ----------
    labelled, unlabelled : list of Labelled
        The texts with a label, and those without.
    unnamed : str
        The annotator of labels whose file names none; empty if all are named.
    remarks : tuple of str
        Notes on doubtful readings, a sentence each.
    """

    labelled: list[Labelled] = field(default_factory=list)
    unlabelled: list[Labelled] = field(default_factory=list)
    unnamed: str = ""
    remarks: tuple[str, ...] = ()


def read_export(
    path: Path,
    inputs: Sequence[str],
    labels: LabelSet,
    columns: Mapping[str, str | None] | None = None,
    asked: Asked | None = None,
    own: Mapping[str, object] | None = None,
    annotators: Iterable[str] = (),
    annotator: str | None = None,
) -> Export:
    """Read an export of Label Studio (JSON or JSON-MIN), doccano or Prodigy (JSON Lines), or the filled-in table.

    The file is read as ``bench new task`` reads it.

    An annotator without a name is a person of the file's own, since two files without names can be of two people.

    Parameters
    ----------
    path : pathlib.Path
        The export.
    inputs : sequence of str
        The task's inputs.
    labels : LabelSet
        The labels that annotators may give.
    columns : mapping of str to str or None, optional
        A table's column of each input, where it was named.
    asked : Asked, optional
        The format that the user specifies.
    own : mapping of str to object, optional
        The columns of the task's own table by role, which a table may have instead of ``text``, ``claim`` and
        ``label``.
    annotators : iterable of str, optional
        Those of earlier labels. A name that differs from one of these, or from another of the export, only in what does
        not count, such as marks of direction or ``.0`` after a number, is the same person's.
    annotator : str, optional
        Who gave the labels without a name, or all if the export names one annotator.

    Raises
    ------
    bench.errors.DataError
        If the file is none of these, a label is unknown, or `annotator` is given for several named ones.
    """
    check_file(path)
    unnamed = f"{UNNAMED}{file_digest(path)[:8]}"
    layout = detect_layout(path, asked)
    found = Export(unnamed=unnamed, remarks=layout.remarks)
    named, respelled, people = True, dict[str, str](), dict[str, str]()
    known = {label_key(who): who for who in annotators}
    taken = named_columns(inputs, columns or {})
    rows = _rows(path, layout, taken, own or {}, unnamed)
    for where, fields, votes, truth in rows if annotator is None else _named(path, [*rows], unnamed, annotator):
        given: dict[str, str] = {}
        for who, cell in votes.items():
            if isinstance(cell, Undecided):
                raise DataError(f"{where}, annotator {who}: {cell.message}", cell.hint)
            if isinstance(cell, str) and cell.strip():
                label = labels.read(_as_known(cell.strip(), labels, respelled), where)
                if (person := known.setdefault(label_key(who), who)) != who:
                    people[who] = person
                if given.setdefault(person, label) != label:
                    raise DataError(f"{where}: annotator {person} has already labelled this text differently.", TWICE)
                named = named and not who.startswith(unnamed)
        lacks = next((name for name in inputs if not isinstance(fields.get(name), str)), None)
        if lacks is not None and given:
            raise DataError(f"{where}: the field '{lacks}' is missing.", "Export the texts that bench sample wrote.")
        true = frozenset(people.get(who, who) for who in truth) & given.keys()
        (found.labelled if given else found.unlabelled).append(Labelled(where, fields, given, true))
    if not found.labelled:
        raise DataError(f"{path}: no text has a label.", "Label some, and export again.")
    read = (
        *(f"The label {written!r} is read as {label!r}." for written, label in respelled.items()),
        *(f"The annotator {written!r} is taken for {person!r}." for written, person in people.items()),
    )
    return replace(found, unnamed="" if named else unnamed, remarks=(*found.remarks, *read))


def _named(path: Path, rows: Sequence[_Votes], unnamed: str, annotator: str) -> Iterator[_Votes]:
    """Rows with an annotator's name for labels without one, or for all if one person gave them."""
    people = {who for _, _, votes, _ in rows for who, cell in votes.items() if isinstance(cell, str) and cell.strip()}
    without = {who for who in people if who.startswith(unnamed)}
    if len(people) > 1 and not without:
        raise DataError(
            f"{path}: it names {len(people)} annotators, {listed(sorted(people))}, not only '{annotator}'.",
            "Leave --annotator out, or export one annotator's labels.",
        )
    names = dict.fromkeys(without or people, annotator)
    for where, fields, votes, truth in rows:
        given = {who: cell for who, cell in votes.items() if who in people}
        if len({names.get(who, who) for who in given}) < len(given):
            raise DataError(f"{where}: it has labels of several annotators, not only of '{annotator}'.", TWICE)
        yield (
            where,
            fields,
            {names.get(who, who): cell for who, cell in given.items()},
            frozenset(names.get(who, who) for who in truth),
        )


def _as_known(label: str, labels: LabelSet, respelled: dict[str, str]) -> str:
    """The known label that differs only in what does not count, such as marks of direction; it is noted."""
    known = labels.known or {}
    same = [] if label in known else [each for each in known if label_key(each) == label_key(label)]
    if len(same) == 1:
        respelled[label] = same[0]
    return respelled.get(label, label)


def with_keys(texts: Sequence[Labelled], inputs: Sequence[str]) -> list[tuple[bytes, Labelled]]:
    """The key of each text that has all inputs, as repeats are found by.

    Raises
    ------
    bench.errors.DataError
        If an id has two texts, or a text is not the one that was drawn.
    """
    texts = [each for each in texts if all(isinstance(each.fields.get(name), str) for name in inputs)]
    frame = pd.DataFrame([{name: each.fields[name] for name in inputs} for each in texts], columns=list(inputs))
    found = list(zip(duplicate_keys(frame).tolist(), texts, strict=True))
    first: dict[str, tuple[bytes, str]] = {}
    for key, each in found:
        name = str(each.fields.get(EXAMPLE_ID) or "")
        known, where = first.setdefault(name, (key, each.where))
        if name and known != key:
            raise DataError(f"{each.where}: example '{name}' has another text than in {where}.", UNEDITED)
        if (was := each.fields.get(TEXT_DIGEST)) and was != text_digest(key):
            raise DataError(f"{each.where}: its text is not the one that was drawn as '{name}'.", UNEDITED)
    return found


def by_text(given: Sequence[tuple[bytes, Labelled]]) -> dict[bytes, Labelled]:
    """Join the rows of one text, as a table has where several annotators fill it in, by the text's key.

    Raises
    ------
    bench.errors.DataError
        If an annotator gave a text two labels.
    """
    joined: dict[bytes, Labelled] = {}
    for key, each in given:
        first = joined.setdefault(key, each)
        for who, label in each.labels.items():
            if first.labels.get(who, label) != label:
                raise DataError(
                    f"{each.where}: annotator {who} has already labelled this text differently, in {first.where}.",
                    TWICE,
                )
        joined[key] = replace(first, labels={**first.labels, **each.labels}, truth=first.truth | each.truth)
    return joined


def n_repeated(given: Sequence[tuple[bytes, Labelled]]) -> int:
    """How many rows only repeat labels that their annotators gave the same text in earlier rows."""
    seen: set[tuple[bytes, str]] = set()
    repeated = 0
    for key, each in given:
        votes = {(key, who) for who in each.labels}
        repeated += votes <= seen
        seen |= votes
    return repeated


_Votes = tuple[str, Mapping[str, object], Mapping[str, object], frozenset[str]]
"""A text's place, fields and votes, and the annotators whose vote is the truth."""


def _rows(
    path: Path, layout: Layout, columns: Mapping[str, str], own: Mapping[str, object], unnamed: str
) -> Iterator[_Votes]:
    if layout.form.format not in ("json", "jsonl"):
        return _filled_in(_table(path, layout, columns, own), unnamed)
    first = next(layout.form.rows(path), None)
    if first is None:
        raise DataError(f"{path}: it has no text.")
    if isinstance(first[1].get("data"), dict):
        return _label_studio(path, unnamed)
    if first[1].get("answer") in PRODIGY_ANSWERS:
        return _by_annotator(path, lambda file: prodigy(file, each=True), unnamed)
    if "annotator" in first[1] and "annotation_id" in first[1]:
        return _by_annotator(path, lambda file: label_studio_min(file, LABEL), unnamed)
    return _filled_in(((where, _flat(row)) for where, row in Form("doccano").rows(path)), unnamed)


def _table(path: Path, layout: Layout, columns: Mapping[str, str], own: Mapping[str, object]) -> Iterator[Row]:
    """The rows of a table, with inputs and label under their own names."""
    check_title(path, layout.form)
    _, first = next(layout.form.rows(path), ("", {LABEL: ""}))
    spelled = _respelled(first)
    names = [spelled.get(name, name) for name in first]
    others = {"text": "data"}  # doccano's CSV

    def column_of(role: str, column: str) -> str:
        known = [each for each in (others.get(role), own.get(role)) if isinstance(each, str) and each in names]
        return known[0] if column == role and role not in names and known else column

    columns, label = {role: column_of(role, column) for role, column in columns.items()}, column_of(LABEL, LABEL)
    if label not in names:
        raise DataError(
            f"{path}: there is no column '{LABEL}'.",
            f"Its columns: {listed([repr(name) for name in names])}. Rename the one with the labels to '{LABEL}'.",
        )
    for where, read in read_laid_out(path, layout, columns).rows:
        row = {spelled.get(name, name): value for name, value in read.items()}
        inputs = {role: text_field(dict(row), column, where) for role, column in columns.items()}
        yield where, {**row, **inputs, LABEL: row[label]}


def _respelled(names: Iterable[str]) -> dict[str, str]:
    """The fields of a draw whose column has other capitals, or spaces around its name, by that name."""
    given = [str(name) for name in names]
    found = {field: [name for name in given if name.strip().casefold() == field] for field in OWN_FIELDS}
    return {same[0]: field for field, same in found.items() if field not in given and len(same) == 1}


def _flat(row: Mapping[str, object]) -> Mapping[str, object]:
    """A row with the fields that old versions of doccano keep apart."""
    meta = row.get("meta")
    if isinstance(meta, str) and meta.lstrip().startswith("{"):
        with suppress(ValueError):
            meta = json.loads(meta)
    return {**meta, **row} if isinstance(meta, dict) else row


def _filled_in(rows: Iterable[Row], unnamed: str) -> Iterator[_Votes]:
    """Rows with a label, and perhaps its annotator."""
    for where, row in rows:
        who = row.get(ANNOTATOR)
        who = unnamed if who is None or not str(who).strip() else str(who).strip()
        fields = {name: value for name, value in row.items() if name not in (LABEL, ANNOTATOR)}
        yield where, fields, {who: row.get(LABEL, UNLABELLED)}, frozenset()


def _by_annotator(path: Path, read: Callable[[Path], Rows], unnamed: str) -> Iterator[_Votes]:
    """Texts of Prodigy or of JSON-MIN with the label of each annotator."""
    with unpacked(path, (*SUFFIXES, *TEXTS)) as (file, shown):
        for where, row in read(file):
            named = {name: name.removeprefix(pass_column(LABEL, "")) for name in row if annotated(name, (LABEL,))}
            votes = {who or unnamed: row[name] for name, who in named.items()} or {unnamed: row.get(LABEL, UNLABELLED)}
            fields = {name: value for name, value in row.items() if name not in (LABEL, *named)}
            yield where.replace(str(file), shown), fields, votes, frozenset()


def _label_studio(path: Path, unnamed: str) -> Iterator[_Votes]:
    with unpacked(path, (*SUFFIXES, *TEXTS)) as (file, shown):
        tasks = [replace(each, where=each.where.replace(str(file), shown)) for each in label_studio_tasks(file)]
    _check_control(path, tasks)
    for each in tasks:
        named = [(one.who if one.named else f"{unnamed}, {one.who}", one) for one in each.given]
        votes = {who: one.choices[LABEL] for who, one in named if LABEL in one.choices}
        yield each.where, each.row, votes, frozenset(who for who, one in named if one.ground_truth)


def _check_control(path: Path, tasks: Sequence[LabelStudioTask]) -> None:
    controls = list(dict.fromkeys(name for each in tasks for one in each.given for name in one.choices))
    if LABEL not in controls:
        raise DataError(
            f"{path}: no control is named '{LABEL}'. Its controls: {listed([repr(name) for name in controls])}.",
            f'bench sample writes a labelling configuration with this name. Or replace "from_name": '
            f'"{controls[0]}" in the export by "from_name": "{LABEL}".',
        )
