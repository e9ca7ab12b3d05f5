"""The labels of a task file, their spellings and descriptions, and whether every label has examples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bench.data.duplicates import Settled
from bench.data.labels import LabelSet, check_label, respelled
from bench.data.messages import listed
from bench.errors import ConfigError, DataError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.sources import Records
    from bench.data.task_definition import TaskDefinition


def check_labels(
    labels: LabelSet, lost: Mapping[str, list[str]], records: Records, settled: Settled, strict: bool, origin: Path
) -> None:
    """Raise a DataError if a label has no example, or only repeated inputs and cannot be left out."""
    given = set() if settled.passes is None else set(settled.passes.to_numpy(dtype=object).ravel())
    if lost and (strict or given & lost.keys() or len(labels.labels) - len(lost) < 2):
        which = listed([example for examples in lost.values() for example in examples])
        without = " Without strict, it is left out with a note." if strict else ""
        raise DataError(
            f"{origin}: all examples with the label {', '.join(map(repr, lost))} repeat other inputs: {which}.",
            f"Correct the labels of inputs that have two, or remove the label.{without}",
        )
    present = set(settled.examples["label"])
    absent = [label for label in labels.labels if label not in present and label not in lost]
    if absent:
        raise DataError(
            " ".join([f"{origin}: no example has the label {', '.join(map(repr, absent))}.", *records.gaps]),
            "Remove it from labels, or label examples of it. A class without examples cannot be learned or scored.",
        )


def left_out(lost: tuple[str, list[str]]) -> str:
    """Say that a label is left out, and why."""
    label, examples = lost
    what = "its one example repeats another's input" if len(examples) == 1 else "its examples repeat others' inputs"
    return f"The label '{label}' is left out because {what}: {listed(examples)}."


def read_labels(definition: TaskDefinition) -> LabelSet:
    """Read `labels` and `label_map`, and raise a ConfigError if they contradict."""
    labels, where = tuple(definition.file.labels), definition.where("labels")
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise ConfigError(f"{where}: 'labels' lists '{twice}' twice.")
    if len(labels) < 2:
        raise ConfigError(f"{where}: 'labels' must name at least two labels, not {len(labels)}.")
    for label in labels:
        if not label.strip():
            raise ConfigError(f"{where}: labels: {label!r} is not a name.")
        check_label(label, f"{where}: labels")
    mapping = definition.file.label_map or {}
    for raw, label in mapping.items():
        if label not in labels:
            at = definition.where("label_map", raw)
            raise ConfigError(f"{at}: label_map.{raw}: '{label}' is not in labels.", nearest(label, labels))
    if ways := respelled(labels):
        raise ConfigError(
            f"{where}: labels: {' and '.join(map(repr, ways[0]))} are spellings of the same label.",
            "Keep one of them in labels, and map the others to it with label_map.",
        )
    return LabelSet(labels, mapping)


def read_descriptions(definition: TaskDefinition, labels: LabelSet) -> dict[str, str]:
    """Descriptions by annotators' label where `label_map` has it; a label's own description comes first."""
    given = definition.file.descriptions
    if given is None:
        return {}
    known = {*labels.mapping, *labels.labels}
    for label, sentence in given.items():
        where = f"{definition.where('descriptions', label)}: descriptions.{label}"
        if label not in known:
            raise ConfigError(f"{where}: '{label}' is not in labels.", nearest(label, known))
        _check_sentence(sentence, where, [name for name in definition.inputs if name == "claim"])
    own = {label for label in given if label not in labels.mapping}
    described = {raw: labels.mapping.get(raw, raw) for raw in given}
    missing = [repr(label) for label in labels.labels if label not in described.values()]
    if missing:
        where = definition.where("descriptions")
        hint = "Describe every label, or leave descriptions out."
        raise ConfigError(f"{where}: descriptions: missing for {', '.join(missing)}.", hint)
    return {raw: given[raw] for raw, label in described.items() if raw in own or label not in own}


def _check_sentence(sentence: str, where: str, placeholders: list[str]) -> None:
    for name in re.findall(r"\{([^{}]*)\}", sentence):
        if name not in placeholders:
            hint = nearest(name, placeholders) if placeholders else "Only {claim} is, in tasks with claims."
            raise ConfigError(f"{where}: '{{{name}}}' is not a known placeholder.", hint)
