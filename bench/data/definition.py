"""A task's definition: its file, checked key by key, and the task that it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.data.duplicates import Settled, drop_repeats, lost_labels, settle_splits
from bench.data.figures import read_figures
from bench.data.files import read_text
from bench.data.labels import LabelSet, check_label, respelled
from bench.data.mapped import select_rows
from bench.data.messages import listed
from bench.data.published import PublishedFiles
from bench.data.section import DOWNLOAD, Section
from bench.data.sources import read_source
from bench.data.task import TRAIN, Task
from bench.errors import ConfigError, DataError, nearest
from bench.schema.dialect import Document, parse_file

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from bench.data.sources import Records

REQUIRED = ("name", "description", "source", "inputs", "labels")
PROVENANCE = ("homepage", "licence", "citation")
FLAGS = ("strict", "allow_repeats")
OPTIONAL = ("version", "label_map", "descriptions", "group", "metric", *FLAGS, *PROVENANCE, "published")
INPUTS = (("text",), ("claim", "text"))
NAME = re.compile("[a-z0-9][a-z0-9_-]{0,99}")
"""What a task can be called, if the command line takes it for a text: folders and experiments are named after it."""


def name_problem(name: str) -> str:
    """Say why a task cannot be called so, to follow the name; an empty text where it can.

    Examples
    --------
    >>> name_problem("headlines-2024")
    ''
    >>> name_problem("1e3")
    "cannot be a task's name: task=1e3 does not mean it, but a number or the like"
    """
    from bench.overrides import parse_overrides

    if not NAME.fullmatch(name):
        return "cannot be a task's name: expected at most 100 small Latin letters, digits, '-' and '_'"
    if name == "all":
        return "cannot be a task's name: task=all means every task"
    if str(parse_overrides([f"task={name}"])["task"]) != name:
        return f"cannot be a task's name: task={name} does not mean it, but a number or the like"
    return ""


def read_definition(path: Path) -> Document:
    """Read a task's file.

    Parameters
    ----------
    path : pathlib.Path
        The task's ``task.yaml``.

    Raises
    ------
    bench.errors.DataError
        If there is no such file, or it is empty or not UTF-8.
    bench.errors.ConfigError
        If it is not YAML, has a key twice, or is no mapping.
    """
    content = parse_file(read_text(path), path)
    if not isinstance(content, Document):
        raise ConfigError(f"{path}: expected a mapping with the keys {', '.join((*REQUIRED, *OPTIONAL))}.")
    return content


def published_files(definition: Mapping[str, Any], origin: Path) -> PublishedFiles | None:
    """Read which published files a task's definition names, None where it names none.

    Raises
    ------
    bench.errors.ConfigError
        If the section about them is malformed.
    """
    source = definition.get("source")
    if not isinstance(source, Mapping) or source.get("download") is None:
        return None
    return PublishedFiles.parse(Section(source, "source", origin).section("download", DOWNLOAD))


def has_passes(definition: Mapping[str, Any]) -> bool:
    """Whether a task's definition names annotation passes."""
    source = definition.get("source")
    if not isinstance(source, Mapping):
        return False
    columns = source.get("columns")
    return bool(source.get("annotations")) or (isinstance(columns, Mapping) and bool(columns.get("passes")))


def build_task(definition: Mapping[str, Any], origin: Path, mirror: Path | None = None) -> Task:
    """Build a task from its definition, reading and checking all its data.

    Examples whose inputs repeat an earlier example's are left out, so that no text stands on
    both sides of a split; the task's notes name them. In a published split the test part is kept as it is, and
    copies of its inputs are left out of training.

    Parameters
    ----------
    definition : mapping of str to object
        The content of the task's file, with any overrides merged in: ``name``, ``description``, ``source``, ``inputs``
        and ``labels``, and optionally ``version`` (1), ``label_map``, ``descriptions`` (a sentence for each label),
        ``group`` (``document`` for segments; for a table its group column, or without one each example by itself),
        ``metric`` (``macro_f1``), ``strict`` (false: rows without a text or a label, and labels that only repeated
        inputs have, are left out with a note), ``allow_repeats`` (false: many repeats are an error), ``homepage``,
        ``licence``, ``citation`` and ``published`` (`bench.data.figures.read_figures`).
    origin : pathlib.Path
        The task's file, named in errors; paths in the definition are relative to its folder.
    mirror : pathlib.Path, optional
        A folder to take published files from in the network's place; see `bench.data.published`.

    Raises
    ------
    bench.errors.ConfigError
        If a key is unknown or missing, or a value is wrong.
    bench.errors.DataError
        If the data break their contract, or no example has some label.
    """
    from bench.evaluation.metrics import METRICS

    _check_keys(definition, origin)
    name, description = (_text(definition, key, origin) for key in ("name", "description"))
    if problem := name_problem(name):
        raise ConfigError(f"{origin}: name '{name}' {problem}.")
    version = definition.get("version", 1)
    if type(version) is not int or version < 1:
        raise ConfigError(f"{origin}: 'version' must be a whole number from 1, not {version!r}.")
    metric = definition.get("metric", "macro_f1")
    if metric not in METRICS:
        raise ConfigError(f"{origin}: unknown metric '{metric}'.", nearest(str(metric), METRICS))
    inputs = _names(definition, "inputs", origin)
    if inputs not in INPUTS:
        raise ConfigError(f"{origin}: 'inputs' must be [text] or [claim, text], not [{', '.join(inputs)}].")
    labels = _label_set(definition, origin)
    descriptions = _descriptions(definition, labels, inputs, origin)
    provenance = _provenance(definition, origin)
    figures = read_figures(definition, origin)

    strict, allow_repeats = (_flag(definition, key, origin) for key in FLAGS)
    records = read_source(definition["source"], inputs, labels, origin, mirror)
    group = records.group if definition.get("group") is None else definition["group"]
    columns = [column for column in records.examples.columns if column not in ("label", *records.splits)]
    if group not in columns:
        raise ConfigError(f"{origin}: group: there is no column '{group}'.", nearest(str(group), columns))
    if strict and records.gaps:
        raise DataError(
            f"{origin}: {' '.join(records.gaps)}", "Fill it in. Without strict such rows are left out and counted."
        )
    if records.splits:
        settled = settle_splits(records.examples, inputs, records.passes, records.splits)
        for column in records.splits:
            if not (settled.examples[column] == TRAIN).any():
                raise DataError(
                    f"{origin}: {column}: every train example repeats an input of dev or test, so none is left.",
                    "Is one file named for both parts, or is the column none of a split?",
                )
    else:
        settled = drop_repeats(records.examples, inputs, records.passes)
    if not allow_repeats:
        _check_repeats(settled, inputs, origin)
    lost = lost_labels(records.examples, settled.examples, inputs, labels.labels)
    _check_labels(labels, lost, records, settled, strict, origin)
    kept = LabelSet(
        tuple(label for label in labels.labels if label not in lost),
        {raw: label for raw, label in labels.mapping.items() if label not in lost},
    )
    return Task(
        name=name,
        version=version,
        description=description,
        inputs=inputs,
        labels=kept.labels,
        metric=metric,
        group=group,
        examples=settled.examples,
        passes=settled.passes,
        label_map=kept.mapping,
        descriptions={raw: told for raw, told in descriptions.items() if labels.mapping.get(raw, raw) not in lost},
        splits=records.splits,
        left_out=_repeated(records, settled.examples),
        population=records.population,
        notes=(*records.notes, *settled.notes, *map(_left_out, lost.items()), *_unpinned(definition, origin)),
        settled=settled.notes if records.splits else (),
        origin=origin,
        published=figures,
        columns=_input_columns(definition, inputs),
        **provenance,
    )


def _input_columns(definition: Mapping[str, Any], inputs: tuple[str, ...]) -> dict[str, str]:
    columns = definition["source"].get("columns")
    if not isinstance(columns, Mapping):
        return {}
    return {name: columns[name] for name in inputs if isinstance(columns.get(name), str)}


def _check_repeats(settled: Settled, inputs: tuple[str, ...], origin: Path) -> None:
    """Raise a ManyRepeatsError if so many inputs repeat that what was read can hardly be all of an input."""
    if not (counts := settled.repeats).too_many:
        return
    contradicting = f", {counts.n_contradicting:,} of them with another label" if counts.n_contradicting else ""
    message = (
        f"{origin}: {counts.n_left_out:,} of {counts.n_examples:,} examples repeat an earlier input{contradicting}. "
        f"So {' and '.join(inputs)} can hardly be all that {'decides' if len(inputs) == 1 else 'decide'} a label."
    )
    if "claim" in inputs:
        hint = "Do claim and text name the right columns?"
    else:
        hint = "Is a second column the claim that the text is held against? Then inputs is [claim, text]."
    raise ManyRepeatsError(message, f"{hint} To go on, the first of each input counting: allow_repeats: true.")


class ManyRepeatsError(DataError):
    """Most examples repeat the input of another."""


def _check_labels(
    labels: LabelSet, lost: Mapping[str, list[str]], records: Records, settled: Settled, strict: bool, origin: Path
) -> None:
    """Raise a DataError if a label has no example, or only such that repeat and it cannot be left out."""
    given = set() if settled.passes is None else set(settled.passes.to_numpy(dtype=object).ravel())
    if lost and (strict or given & lost.keys() or len(labels.labels) - len(lost) < 2):
        which = listed([example for examples in lost.values() for example in examples])
        without = " Without strict it is left out with a note." if strict else ""
        raise DataError(
            f"{origin}: all examples with the label {', '.join(map(repr, lost))} repeat other inputs: {which}.",
            f"Correct the labels of inputs that have two, or take the label out.{without}",
        )
    present = set(settled.examples["label"])
    absent = [label for label in labels.labels if label not in present and label not in lost]
    if absent:
        raise DataError(
            " ".join([f"{origin}: no example has the label {', '.join(map(repr, absent))}.", *records.gaps]),
            "Take it out of labels, or label examples of it: a class without examples cannot be learned or scored.",
        )


def _left_out(lost: tuple[str, list[str]]) -> str:
    label, examples = lost
    what = "its one example repeats another's input" if len(examples) == 1 else "its examples repeat others' inputs"
    return f"The label '{label}' is left out, since {what}: {listed(examples)}."


def _repeated(records: Records, examples: pd.DataFrame) -> pd.DataFrame:
    """The examples that were left out since they repeat another's input."""
    gone = ~records.examples["id"].isin(examples["id"])
    if records.splits:  # and not since they never had a part
        gone &= (records.examples[list(records.splits)] != "").any(axis=1)
    return select_rows(records.examples, gone.to_numpy())


def _check_keys(definition: Mapping[str, Any], origin: Path) -> None:
    known = (*REQUIRED, *OPTIONAL)
    for key in definition:
        if key not in known:
            raise ConfigError(f"{origin}: unknown key '{key}'.", nearest(str(key), known))
    for key in REQUIRED:
        if definition.get(key) is None:
            raise ConfigError(f"{origin}: '{key}' is missing.")


def _text(definition: Mapping[str, Any], key: str, origin: Path) -> str:
    value = definition[key]
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{origin}: '{key}' must be text, not {value!r}.")
    return value


def _flag(definition: Mapping[str, Any], key: str, origin: Path) -> bool:
    value = definition.get(key, False)
    if not isinstance(value, bool):
        raise ConfigError(f"{origin}: '{key}' must be true or false, not {value!r}.")
    return value


def _provenance(definition: Mapping[str, Any], origin: Path) -> dict[str, str]:
    """Where the data are published, under which licence, and what to cite, as far as the task's file says."""
    given = {key: _text(definition, key, origin) for key in PROVENANCE if definition.get(key) is not None}
    homepage = given.get("homepage")
    if homepage is not None and not re.fullmatch(r"https?://\S+", homepage):
        raise ConfigError(f"{origin}: homepage: '{homepage}' is no https address.")
    return given


def _unpinned(definition: Mapping[str, Any], origin: Path) -> list[str]:
    files = published_files(definition, origin)
    return [] if files is None else files.notes()


def _names(definition: Mapping[str, Any], key: str, origin: Path) -> tuple[str, ...]:
    value = definition[key]
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{origin}: '{key}' must be a list, not {value!r}.")
    for item in value:
        if not isinstance(item, str):
            raise ConfigError(
                f"{origin}: '{key}' must hold text, not {item!r}.",
                "Quote it: YAML reads true, null and 1 as values.",
            )
    if len(set(value)) < len(value):
        raise ConfigError(f"{origin}: '{key}' names '{next(v for v in value if value.count(v) > 1)}' twice.")
    return tuple(value)


def _label_set(definition: Mapping[str, Any], origin: Path) -> LabelSet:
    labels = _names(definition, "labels", origin)
    if len(labels) < 2:
        raise ConfigError(f"{origin}: 'labels' must name at least two labels, not {len(labels)}.")
    for label in labels:
        if not label.strip():
            raise ConfigError(f"{origin}: labels: {label!r} is no name.")
        check_label(label, f"{origin}: labels")
    mapping = {} if definition.get("label_map") is None else definition["label_map"]
    if not isinstance(mapping, Mapping):
        raise ConfigError(f"{origin}: 'label_map' must be a mapping of the annotators' labels to the task's.")
    for raw, label in mapping.items():
        if not isinstance(raw, str):
            raise ConfigError(f"{origin}: label_map: {raw!r} is not text.", "Quote it.")
        if label not in labels:
            raise ConfigError(f"{origin}: label_map.{raw}: '{label}' is not in labels.", nearest(str(label), labels))
    if ways := respelled(labels):
        raise ConfigError(
            f"{origin}: labels: {' and '.join(map(repr, ways[0]))} are one label, written in several ways.",
            "Keep one of them in labels, and map the others to it with label_map.",
        )
    return LabelSet(labels, dict(mapping))


def _descriptions(
    definition: Mapping[str, Any], labels: LabelSet, inputs: tuple[str, ...], origin: Path
) -> dict[str, str]:
    """What labels mean, by annotators' label where `label_map` names it; a label's own sentence comes before theirs."""
    given = definition.get("descriptions")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(f"{origin}: 'descriptions' must be a mapping of each label to a sentence, not {given!r}.")
    known = {*labels.mapping, *labels.labels}
    for label, sentence in given.items():
        if not isinstance(label, str):
            hint = "Quote it: YAML reads true, null and 1 as values."
            raise ConfigError(f"{origin}: descriptions: {label!r} is not text.", hint)
        if label not in known:
            raise ConfigError(f"{origin}: descriptions.{label}: '{label}' is not in labels.", nearest(label, known))
        _check_sentence(sentence, f"{origin}: descriptions.{label}", [name for name in inputs if name == "claim"])
    own = {label for label in given if label not in labels.mapping}
    described = {raw: labels.mapping.get(raw, raw) for raw in given}
    missing = [repr(label) for label in labels.labels if label not in described.values()]
    if missing:
        hint = "Describe every label, or leave descriptions out."
        raise ConfigError(f"{origin}: descriptions: there is none for {', '.join(missing)}.", hint)
    return {raw: given[raw] for raw, label in described.items() if raw in own or label not in own}


def _check_sentence(sentence: object, where: str, placeholders: list[str]) -> None:
    if not isinstance(sentence, str) or not sentence.strip():
        raise ConfigError(f"{where}: expected a sentence, not {sentence!r}.")
    for name in re.findall(r"\{([^{}]*)\}", sentence):
        if name not in placeholders:
            hint = nearest(name, placeholders) if placeholders else "Only {claim} is, in a task that has claims."
            raise ConfigError(f"{where}: '{{{name}}}' is not replaced by anything.", hint)
