"""Exports of annotation tools, as rows: Label Studio, doccano and Prodigy.

Each reader yields one row for each text. If several annotators labelled it, the label is the majority's, and each
annotator's own label is in a column named by `pass_column`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.data.files import BYTE_ORDER_MARK, read_text
from bench.data.json_reading import read_json_array, read_json_lines
from bench.data.messages import shortened
from bench.data.sources.cells import LeftOut, Rows, Undecided
from bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path
Cell = str | LeftOut | Undecided

UNLABELLED = LeftOut("no label")
TWICE = "Delete one of the two in the tool, and export again."
ONE_LABEL = "A task has one label for each text. Correct it in the tool, and export again."

JSON_MIN_KEYS = ("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", "history")
"""The keys of a JSON-MIN object that the tool adds."""

PRODIGY_ANSWERS = ("accept", "reject", "ignore")

PRODIGY_KEYS = ("label", "accept", "options", "answer", "config", "spans", "tokens", "style", "meta")
"""The keys of a Prodigy object that say how it was annotated."""

LONGEST_NAME = 1000
"""Characters of the name of a column of one annotator's labels."""


@dataclass(frozen=True)
class Annotation:
    """What one annotator chose for a text in Label Studio.

    Parameters
    ----------
    who : str
        The annotator, or the number of the annotation if it names none.
    named : bool
        Whether it names one.
    choices : mapping of str to str, LeftOut or Undecided
        The choice of each control.
    ground_truth : bool
        Whether it is marked as the truth.
    """

    who: str
    named: bool
    choices: Mapping[str, Cell]
    ground_truth: bool


@dataclass(frozen=True)
class LabelStudioTask:
    """A text in Label Studio's export.

    Parameters
    ----------
    where : str
        Its place in the export.
    row : mapping of str to object
        Its number and data.
    given : tuple of Annotation
        What annotators chose, without cancelled annotations.
    """

    where: str
    row: Mapping[str, object]
    given: tuple[Annotation, ...]


def pass_column(label: str, annotator: str) -> str:
    """Name the column with the labels of one annotator.

    Examples
    --------
    >>> pass_column("stance", "7")
    'stance@7'
    """
    return f"{label}@{annotator}"


def annotated(column: str, columns: Container[str]) -> str | None:
    """The column of labels that another one has one annotator's labels of; None where it has none.

    Examples
    --------
    >>> annotated("stance@sara@example.org", {"text", "stance"}), annotated("stance", {"stance"})
    ('stance', None)
    """
    if "@" not in column or len(column) > LONGEST_NAME:
        return None
    parts = column.split("@")
    names = ("@".join(parts[:number]) for number in range(1, len(parts)))
    return next((name for name in names if name in columns), None)


def label_studio(path: Path) -> Rows:
    """Read Label Studio's JSON: the choices of each ``Choices`` control as a column of the control's name.

    Cancelled annotations do not count. If some are marked as ground truth, only those count.

    Parameters
    ----------
    path : pathlib.Path
        The export: an array of tasks with ``data`` and ``annotations`` (``completions`` in old versions).

    Raises
    ------
    bench.errors.DataError
        If the file is not such an export, or has no choices.
    """
    tasks = list(label_studio_tasks(path))
    controls = list(dict.fromkeys(name for each in tasks for given in each.given for name in given.choices))
    for each in tasks:
        row = dict(each.row)
        for control in controls:
            given = [one for one in each.given if control in one.choices]
            labels = {one.who: one.choices[control] for one in given}
            truth = [one.choices[control] for one in given if one.ground_truth]
            row |= {pass_column(control, who): label for who, label in labels.items() if isinstance(label, str)}
            row[control] = _decided(truth or list(labels.values()))
        yield each.where, row


def label_studio_tasks(path: Path) -> Iterator[LabelStudioTask]:
    """Read Label Studio's JSON: what each annotator chose for each text.

    Raises
    ------
    bench.errors.DataError
        If the file is not such an export, or has no choices.
    """
    tasks = [_task(content, where) for where, content in read_json_array(path)]
    if not any(annotation.choices for each in tasks for annotation in each.given):
        raise DataError(
            f"{path}: no annotation has a choice of a Choices control.",
            "Spans, ratings and other controls do not label whole texts.",
        )
    yield from tasks


def label_studio_min(path: Path, control: str | None = None) -> Rows:
    """Read Label Studio's JSON-MIN: an object for each annotation, with the controls' names beside the text's.

    Parameters
    ----------
    path : pathlib.Path
        The export: an array of flat objects with ``id`` and ``annotator``.
    control : str, optional
        The control of which every text has each annotator's label; else only those on which annotators differ have.

    Raises
    ------
    bench.errors.DataError
        If the file is not such an export.
    """
    places: dict[Any, str] = {}
    given: dict[Any, dict[str, dict[str, object]]] = {}
    for where, item in read_json_array(path):
        name = item.get("id")
        if type(name) not in (int, str) or "annotator" not in item:
            raise DataError(f"{where}: not a Label Studio JSON-MIN object: 'id' or 'annotator' is missing.")
        places.setdefault(name, where)
        fields = {key: _choice(value, f"{where}: '{key}'") for key, value in item.items() if key not in JSON_MIN_KEYS}
        who = str(item["annotator"])
        if given.setdefault(name, {}).setdefault(who, fields) != fields:
            raise DataError(
                f"{where}: annotator {who} has already labelled {name} differently, in {places[name]}.", TWICE
            )
    columns = list(dict.fromkeys(key for by in given.values() for fields in by.values() for key in fields))
    differing = {
        key
        for by in given.values()
        for key in columns
        if len({repr(fields[key]) for fields in by.values() if key in fields}) > 1
    }
    for name, by in given.items():
        row: dict[str, object] = {"id": name}
        for key in columns:
            values = {who: fields[key] for who, fields in by.items() if key in fields}
            if key in differing or key == control:
                row |= {pass_column(key, who): value for who, value in values.items()}
            row[key] = _decided(list(values.values()))
        yield places[name], row


def doccano(path: Path) -> Rows:
    """Read doccano's JSON Lines or JSON of a text classification project, with ``text`` and ``label`` as columns.

    Parameters
    ----------
    path : pathlib.Path
        The export: objects with ``text`` (or ``data``) and a text or a list under ``label`` (or ``labels``, ``cats``).

    Raises
    ------
    bench.errors.DataError
        If the file is not such an export, or labels spans.
    """
    for where, item in _objects(path):
        if any(isinstance(item.get(key), list) for key in ("entities", "relations")):
            raise DataError(f"{where}: this labels spans and relations, not whole texts.", ONE_LABEL)
        text = next((key for key in ("text", "data") if key in item), None)
        label = next((key for key in ("label", "labels", "cats") if key in item), None)
        if text is None or label is None:
            lacks = "text" if text is None else "label"
            raise DataError(f"{where}: '{lacks}' is missing.", f"Its keys are: {', '.join(item)}.")
        value = item[label]
        given = value if isinstance(value, list) else [value]
        if any(isinstance(entry, list | dict) for entry in given):
            raise DataError(
                f"{where}: '{label}' has spans, such as {shortened(repr(given[0]))}, not labels of whole texts.",
                "Export a text classification project. For spans with offsets, use a source of kind standoff.",
            )
        row = {key: value for key, value in item.items() if key not in (text, label)}
        yield (
            where,
            {
                **row,
                "text": item[text],
                "label": _single(_labels([entry for entry in given if entry not in ("", None)], f"{where}: '{label}'")),
            },
        )


def prodigy(path: Path, each: bool = False) -> Rows:
    """Read Prodigy's JSON Lines of text classification, with ``label`` as a column and ``meta.KEY`` for its ``meta``.

    An accepted ``label``, or the only option under ``accept``, is the text's label. In a file with a single label, a
    rejected one is ``not LABEL``. In a file with several, a rejected text is left out, as is an ignored one. Lines with
    the same ``_input_hash`` are answers about the same text.

    Parameters
    ----------
    path : pathlib.Path
        The output of ``prodigy db-out``.
    each : bool
        Whether each text has its annotators' labels, also if it has one annotator; else only texts of several do.

    Raises
    ------
    bench.errors.DataError
        If the file is not such an export, or does not label whole texts.
    """
    lines = list(_objects(path))
    for where, item in lines:
        if item.get("answer") not in PRODIGY_ANSWERS:
            raise DataError(
                f"{where}: 'answer' is {item.get('answer')!r}, not one of {', '.join(PRODIGY_ANSWERS)}.",
                "Export the answers with prodigy db-out.",
            )
        _labels(_asked(item), f"{where}: 'label'")
        _labels(_options(item), f"{where}: 'accept'")
    asked = {str(label) for _, item in lines for label in _asked(item)}
    if not asked and not any("accept" in item for _, item in lines):
        raise DataError(f"{path}: no answer has a 'label' or an 'accept'.", "Only text classification can be read.")
    texts: dict[Any, list[tuple[str, dict[str, object]]]] = {}
    for number, (where, item) in enumerate(lines):
        texts.setdefault(str(item.get("_input_hash", f"line {number}")), []).append((where, item))
    for answers in texts.values():
        where, first = answers[0]
        for other, item in answers[1:]:
            if item.get("text") != first.get("text"):
                raise DataError(f"{other}: it has the _input_hash of {where}, but a different text.", "Export again.")
        by: dict[str, list[dict[str, object]]] = {}
        for _, item in answers:
            by.setdefault(str(item.get("_annotator_id", item.get("_session_id", ""))), []).append(item)
        cells = {who: _answered(items, asked) for who, items in by.items()}
        labels = {who: cell for who, cell in cells.items() if not isinstance(cell, LeftOut)}
        row = {key: value for key, value in first.items() if key not in PRODIGY_KEYS and not key.startswith("_")}
        meta = first.get("meta")
        row |= {f"meta.{key}": value for key, value in meta.items()} if isinstance(meta, dict) else {}
        if each or len(by) > 1:
            row |= {pass_column("label", who): label for who, label in labels.items()}
        yield where, {**row, "label": _decided(list(labels.values())) if labels else next(iter(cells.values()))}


def _task(content: Mapping[str, object], where: str) -> LabelStudioTask:
    data, annotations = content.get("data"), content.get("annotations", content.get("completions", ()))
    # The tool sometimes writes null for nothing.
    annotations = [] if annotations is None else annotations
    if not isinstance(data, dict) or not isinstance(annotations, list):
        raise DataError(f"{where}: not a Label Studio task: 'data' or 'annotations' is missing.")
    return LabelStudioTask(where, {"id": content.get("id"), **data}, tuple(_annotations(annotations, where).values()))


def _annotations(annotations: Sequence[Any], where: str) -> dict[str, Annotation]:
    """What each annotator chose."""
    given: dict[str, Annotation] = {}
    for number, annotation in enumerate(annotations, start=1):
        if annotation is None or (isinstance(annotation, dict) and annotation.get("result", ()) is None):
            continue
        results = annotation.get("result") if isinstance(annotation, dict) else None
        if not isinstance(results, list):
            raise DataError(f"{where}: annotation {number} has no list under 'result'.")
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            continue
        by = annotation.get("completed_by")
        by = (by.get("email") or by.get("id")) if isinstance(by, dict) else by
        who = f"annotation {number}" if by is None else str(by)
        choices: dict[str, list[str]] = {}
        for result in results:
            value = result.get("value") if isinstance(result, dict) else None
            if isinstance(value, dict) and result.get("type") == "choices" and "start" not in value:
                labels = _labels(value.get("choices") or [], f"{where}: annotation {number}: 'choices'")
                choices.setdefault(str(result.get("from_name")), []).extend(labels)
        made = {name: _single(labels) for name, labels in choices.items()}
        each = Annotation(who, by is not None, made, bool(annotation.get("ground_truth")))
        earlier = given.get(who, each)
        if earlier.choices != made and earlier.ground_truth == each.ground_truth:
            raise DataError(f"{where}: annotation {number}: annotator {who} has already labelled it.", TWICE)
        given[who] = earlier if earlier.ground_truth else each
    return given


def _choice(value: Any, what: str) -> Any:
    """A control's value in JSON-MIN: a text, or an object for several choices."""
    if isinstance(value, dict) and isinstance(value.get("choices"), list):
        return _single(_labels(value["choices"], what))
    return value


def _options(item: dict[str, object]) -> list[Any]:
    options = item.get("accept") or []
    return options if isinstance(options, list) else [options]


def _asked(item: dict[str, object]) -> list[object]:
    """The label that was shown; none where a line of another tool's file has an empty one."""
    return [item["label"]] if item.get("label") not in (None, "", []) else []


def _labels(given: Any, what: str) -> list[str]:
    """The labels of a list; they are texts, or numbers or truth values as the tools write them."""
    if not isinstance(given, list):
        raise DataError(f"{what} must be a list of labels, not {shortened(repr(given))}.")
    for label in given:
        if not isinstance(label, str | int) or label == "":
            raise DataError(f"{what} must be labels, not {shortened(repr(label))}.")
    return [str(label) for label in given]


def _answered(items: list[dict[str, object]], asked: set[str]) -> Cell:
    """What one annotator's answers about a text say of its label."""
    accepted: list[str] = []
    for item in items:
        if item["answer"] == "accept":
            accepted += map(str, _options(item))
            accepted += map(str, _asked(item))
        elif item["answer"] == "reject" and _asked(item) and len(asked) == 1:
            accepted.append(f"not {item['label']}")
    if accepted:
        return _single(list(dict.fromkeys(accepted)))
    answers = {item["answer"] for item in items}
    return LeftOut("rejected") if "reject" in answers else LeftOut("ignored") if "ignore" in answers else UNLABELLED


def _single(labels: list[str]) -> Cell:
    if len(labels) > 1:
        return Undecided(f"it has {len(labels)} labels: {', '.join(labels)}.", ONE_LABEL)
    return labels[0] if labels else UNLABELLED


def _decided(given: list[Any]) -> Any:
    """The majority label; annotators without an answer do not count."""
    labelled = [value for value in given if not isinstance(value, LeftOut)]
    if not labelled:
        return UNLABELLED
    given = [value for value in labelled if value is not None] or labelled
    by_text = {repr(value): value for value in given}
    if len(by_text) == 1:
        return given[0]
    undecided = next((value for value in given if isinstance(value, Undecided)), None)
    if undecided is not None:
        return undecided
    (first, most), (_, second) = Counter(map(repr, given)).most_common(2)
    if most == second:
        counts = ", ".join(f"{by_text[text]} ({count})" for text, count in Counter(map(repr, given)).most_common())
        return Undecided(f"its annotators are tied: {counts}.", "Decide it in the tool, and export again.")
    return by_text[first]


def _objects(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """The objects of a JSON array, or of JSON Lines."""
    array = read_text(path).removeprefix(BYTE_ORDER_MARK).lstrip().startswith("[")
    yield from read_json_array(path) if array else read_json_lines(path)
