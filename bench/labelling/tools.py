"""Write drawn texts for annotation tools: Label Studio, doccano, or a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from bench.labelling.sampling import ANNOTATOR, LABEL, PREDICTED, PREDICTED_PROBABILITY, Sample
from bench.prediction.writing import csv_lines, json_lines
from bench.support.json_text import json_text

if TYPE_CHECKING:
    from bench.data.task import Task

CONTROL = "label"
"""The name of the control in Label Studio's configuration."""

GUIDELINES = "GUIDELINES.md"
"""The file beside a task's file with the rules for annotators."""


def label_studio_lines(sample: Sample) -> Iterator[str]:
    """Write tasks for Label Studio's import; the model's labels are predictions, which no export takes for labels."""
    tasks = []
    for drawn in sample.texts:
        made: dict[str, Any] = {"data": sample.fields(drawn)}
        if drawn.predicted is not None:
            made["predictions"] = [prediction(drawn.predicted, drawn.probability, sample.model, sample.task)]
        tasks.append(made)
    yield json_text(tasks, indent=1, any_kind=True) + "\n"


def prediction(label: str, probability: float | None, model: str, task: Task) -> dict[str, Any]:
    """Write a model's label as Label Studio takes it."""
    chosen = {
        "from_name": CONTROL,
        "to_name": task.inputs[-1],
        "type": "choices",
        "value": {"choices": [label]},
    }
    made: dict[str, Any] = {"model_version": model, "result": [chosen]}
    return made if probability is None else {**made, "score": probability}


def doccano_lines(sample: Sample) -> Iterator[str]:
    """Write JSON Lines for doccano's import.

    The model's label is a field of its own. As a label it could not be told from an annotator's in the export.
    """
    return json_lines({**sample.fields(drawn), **_predicted(drawn), LABEL: []} for drawn in sample.texts)


def table_lines(sample: Sample) -> Iterator[str]:
    """Write CSV with the empty columns ``label`` and ``annotator``."""
    return csv_lines(_table_rows(sample))


def _table_rows(sample: Sample) -> Iterable[dict[str, Any]]:
    further = list(dict.fromkeys(name for drawn in sample.texts for name in drawn.further))
    for drawn in sample.texts:
        fields = dict.fromkeys((*sample.fields(sample.texts[0]), *further)) | sample.fields(drawn)
        yield {**fields, **_predicted(drawn), LABEL: "", ANNOTATOR: ""}


def _predicted(drawn: Any) -> dict[str, Any]:
    if drawn.predicted is None:
        return {}
    made = {PREDICTED: drawn.predicted}
    return made if drawn.probability is None else {**made, PREDICTED_PROBABILITY: drawn.probability}


FORMATS: dict[str, Callable[[Sample], Iterator[str]]] = {
    "label-studio": label_studio_lines,
    "doccano": doccano_lines,
    "csv": table_lines,
}
"""The formats that are written."""


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


def config_path(output: Path) -> Path:
    """Where the labelling configuration of an output file is written.

    Examples
    --------
    >>> config_path(Path("next.json")).name
    'next.config.xml'
    """
    return output.with_name(f"{output.stem}.config.xml")


def _plain(text: str) -> str:
    """A text as the value of an attribute, where a dollar at its start would name a field of the data."""
    text = re.sub(r"\{claim\}", "the claim", " ".join(text.split()))
    return text.replace("$", "\uff04") if text.startswith("$") else text
