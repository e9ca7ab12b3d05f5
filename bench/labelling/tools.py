"""Write drawn texts for annotation tools: Label Studio, doccano, or a table."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from bench.labelling.drawn import ANNOTATOR, LABEL, PREDICTED, PREDICTED_PROBABILITY, Sample
from bench.prediction.writing import csv_lines, json_lines, write_answers
from bench.support.json_writing import json_text

if TYPE_CHECKING:
    from bench.data.task import Task

CONTROL = "label"
"""The name of the control in Label Studio's configuration."""

GUIDELINES = "GUIDELINES.md"
"""The file beside a task's file with the rules for annotators."""


@dataclass(frozen=True)
class ForTool:
    """A text to label in a tool.

    Parameters
    ----------
    fields : mapping of str to object
        Its id, inputs and further fields.
    predicted : str or None
        The label of a model, None if it is not shown.
    probability : float or None
        The model's probability of it.
    """

    fields: Mapping[str, object]
    predicted: str | None = None
    probability: float | None = None

    @property
    def row(self) -> dict[str, object]:
        """Its fields, with the label of the model and its probability where they are shown."""
        answer = {PREDICTED: self.predicted, PREDICTED_PROBABILITY: self.probability}
        return {**self.fields, **{name: value for name, value in answer.items() if value is not None}}


@dataclass(frozen=True, eq=False)
class Sheet:
    """Texts to label in a tool.

    Parameters
    ----------
    task : Task
        What is labelled.
    texts : tuple of ForTool
        The texts, in order.
    model : str
        Where the predicted labels come from.
    """

    task: Task
    texts: tuple[ForTool, ...]
    model: str

    @property
    def rows(self) -> list[dict[str, object]]:
        """The texts as rows of one table, None where one has no such field."""
        rows = [each.row for each in self.texts]
        names = dict.fromkeys(name for row in rows for name in row)
        return [{**names, **row} for row in rows]

    @property
    def right_to_left(self) -> bool:
        """Whether most letters of the texts are written from right to left."""
        ways = Counter(
            unicodedata.bidirectional(letter)
            for each in self.texts
            for name in self.task.inputs
            for letter in str(each.fields[name])[:500]
            if letter.isalpha()
        )
        return ways["R"] + ways["AL"] > ways["L"]


def sheet_of(sample: Sample) -> Sheet:
    """The drawn texts of a sample."""
    texts = (ForTool(sample.fields(drawn), drawn.predicted, drawn.probability) for drawn in sample.texts)
    return Sheet(sample.task, tuple(texts), sample.model)


def label_studio_lines(sheet: Sheet) -> Iterator[str]:
    """Write tasks for Label Studio's import; the model's labels are predictions, which no export takes for labels."""
    tasks = []
    for each in sheet.texts:
        made: dict[str, object] = {"data": dict(each.fields)}
        choice = None if each.predicted is None else choice_of(sheet.task, each.predicted)
        if choice is not None:
            made["predictions"] = [_prediction(choice, each.probability, sheet)]
        tasks.append(made)
    yield json_text(tasks, indent=1, any_kind=True) + "\n"


def _prediction(label: str, probability: float | None, sheet: Sheet) -> dict[str, object]:
    chosen = {
        "from_name": CONTROL,
        "to_name": sheet.task.inputs[-1],
        "type": "choices",
        "value": {"choices": [label]},
    }
    made: dict[str, object] = {"model_version": sheet.model, "result": [chosen]}
    return made if probability is None else {**made, "score": probability}


def doccano_lines(sheet: Sheet) -> Iterator[str]:
    """Write JSON Lines for doccano's import.

    The model's label is a field of its own. As a label it could not be told from an annotator's in the export.
    """
    return json_lines({**each.row, LABEL: []} for each in sheet.texts)


def table_lines(sheet: Sheet) -> Iterator[str]:
    """Write CSV with the empty columns ``label`` and ``annotator``."""
    return csv_lines({**row, LABEL: "", ANNOTATOR: ""} for row in sheet.rows)


FORMATS: dict[str, Callable[[Sheet], Iterator[str]]] = {
    "label-studio": label_studio_lines,
    "doccano": doccano_lines,
    "csv": table_lines,
}
"""The formats that are written."""


def write_sheet(sheet: Sheet, form: str, output: Path) -> list[Path]:
    """Write texts for a tool, and for Label Studio its labelling configuration beside them.

    Returns
    -------
    list of pathlib.Path
        The files that were written.

    Raises
    ------
    bench.errors.UserError
        If they cannot be written.
    """
    files = written_files(form, output)
    write_answers(FORMATS[form](sheet), output)
    for config in files[1:]:
        write_answers([labelling_config(sheet.task, sheet.right_to_left)], config)
    return files


def written_files(form: str, output: Path) -> list[Path]:
    """Name the files that `write_sheet` writes.

    Examples
    --------
    >>> [path.name for path in written_files("label-studio", Path("next.json"))]
    ['next.json', 'next.config.xml']
    """
    return [output, *([output.with_name(f"{output.stem}.config.xml")] if form == "label-studio" else [])]


def labelling_config(task: Task, right_to_left: bool) -> str:
    """Write Label Studio's labelling configuration of a task: its question, inputs, labels and guidelines.

    Parameters
    ----------
    task : Task
        The task.
    right_to_left : bool
        Whether the texts are written from right to left.

    Returns
    -------
    str
        XML, for the project's labelling settings.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value=_plain(task.description), size="5")
    style = {"style": "direction: rtl; text-align: right"} if right_to_left else {}
    texts = ElementTree.SubElement(view, "View", style)
    for name in task.inputs:
        if len(task.inputs) > 1:
            ElementTree.SubElement(texts, "Header", value=name, size="6")
        ElementTree.SubElement(texts, "Text", name=name, value=f"${name}", granularity="word")
    choices = ElementTree.SubElement(
        view, "Choices", name=CONTROL, toName=task.inputs[-1], choice="single", required="true", showInLine="true"
    )
    for label in raw_labels(task):
        told = task.descriptions.get(label)
        hint = {} if told is None else {"hint": _plain(told)}
        ElementTree.SubElement(choices, "Choice", {"value": label, **hint})
    rules = [f"{label}: {_plain(told)}" for label, told in task.descriptions.items()]
    guidelines = task.origin.parent / GUIDELINES
    if task.origin.name and guidelines.is_file():
        rules += [_plain(line) for line in guidelines.read_text(encoding="utf-8").splitlines() if line.strip()]
    if rules:
        panel = ElementTree.SubElement(ElementTree.SubElement(view, "Collapse"), "Panel", value="Guidelines")
        for rule in rules:
            ElementTree.SubElement(panel, "Header", value=rule, size="6")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def raw_labels(task: Task) -> tuple[str, ...]:
    """The labels that annotators give: the task's, or the finer ones that it maps to them."""
    return tuple(label for label in task.label_map if label) or task.labels


def choice_of(task: Task, label: str) -> str | None:
    """The label that annotators give for one of the task's; None if several map to it and none has its name."""
    finer = [raw for raw, coarse in task.label_map.items() if raw and coarse == label]
    if not task.label_map or label in finer:
        return label
    return finer[0] if len(finer) == 1 else None


def _plain(text: str) -> str:
    """A text as the value of an attribute, where a dollar at its start would name a field of the data."""
    text = re.sub(r"\{claim\}", "the claim", " ".join(text.split()))
    return text.replace("$", "\uff04") if text.startswith("$") else text
