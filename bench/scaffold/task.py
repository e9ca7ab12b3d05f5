"""Write the files of a new task from a user's data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.checks import check_task
from bench.data.card import BEGIN, END, describe, insert
from bench.data.dates import DAY_FIRST
from bench.data.definition import FLAGS, ManyRepeatsError, build_task, name_problem
from bench.data.labels import LabelSet, check_label, cleaned
from bench.data.messages import listed
from bench.data.section import Section
from bench.data.sources import read_source
from bench.data.sources.column_errors import ColumnError, UnknownColumnError
from bench.data.sources.formats import ShiftedRowError
from bench.data.task import TEST, TRAIN
from bench.data.votes import KEPT
from bench.discovery import task_files
from bench.errors import ConfigError, DataError
from bench.scaffold.argilla import check_answers
from bench.scaffold.broken_labels import MANY, check_several, leave_out, shifted_labels, shifted_rows
from bench.scaffold.card import CARD, provenance
from bench.scaffold.columns import OWN_GROUPS, Chosen, choose_columns, choose_span_columns
from bench.scaffold.detection import find_data
from bench.scaffold.found import Found
from bench.scaffold.header import check_header, check_one_table
from bench.scaffold.profile import MOST_LABELS
from bench.scaffold.remarks import named_classes, remarks
from bench.scaffold.repeats import ask_for_a_claim
from bench.scaffold.request import TaskRequest
from bench.scaffold.summary import ColumnSummary, describe_columns, summarise_columns
from bench.schema.dialect import dump, parse_file
from bench.schema.export import FOLDER, editor_line, write_schema
from bench.support.places import already_there, folder_beside, make_folder
from bench.text.identity import name_key

if TYPE_CHECKING:
    import pandas as pd

    from bench.checks import Finding
    from bench.data.task import Task


@dataclass(frozen=True)
class Scaffold:
    """A new task.

    Parameters
    ----------
    task : Task
        The task, loaded from the new file.
    files : list of pathlib.Path
        The files: the definition, the data card, and the schema for editors.
    reading : str
        A sentence about the data and the columns.
    choices : tuple of str
        For each ambiguous role, the chosen column and how to choose another, a sentence each.
    remarks : tuple of str
        Notes on doubtful choices, a sentence each.
    findings : list of Finding
        The findings of the checks.
    """

    task: Task
    files: list[Path]
    reading: str
    choices: tuple[str, ...]
    remarks: tuple[str, ...]
    findings: list[Finding]


@dataclass(frozen=True)
class Draft:
    """A task of a user's data, of which nothing is written yet.

    Parameters
    ----------
    task : Task
        The task; its origin are the data.
    definition : dict of str to object
        The content of its file; paths in it are relative to the data's folder.
    source : dict of str to object
        The section of it on the data.
    found : Found
        The data.
    chosen : Chosen
        The columns.
    summary : ColumnSummary
        What the columns hold.
    reading : str
        What was read, and from which columns, in a sentence.
    """

    task: Task
    definition: dict[str, object]
    source: dict[str, object]
    found: Found
    chosen: Chosen
    summary: ColumnSummary
    reading: str

    @property
    def remarks(self) -> tuple[str, ...]:
        """What may have been meant otherwise, a sentence each."""
        label = self.chosen.columns.get("label", "label")
        return (
            *self.found.remarks,
            *named_classes(self.found, label),
            *remarks(self.task, self.summary, self.chosen.own_groups),
            *self.chosen.remarks,
        )


def scaffold_task(request: TaskRequest, folder: Path) -> Scaffold:
    """Write a new task from a user's data: ``task.yaml`` and a data card.

    The data are read, and the task is built and checked before anything is written. The data are not copied.

    Parameters
    ----------
    request : TaskRequest
        The user's request.
    folder : pathlib.Path
        The folder of ``tasks/``, which is created if missing.

    Raises
    ------
    bench.errors.UserError
        If the name is invalid or taken, or the data cannot become a task. Nothing is written then.
    """
    name = request.name
    target = folder / "tasks" / name
    _check_name(name, target, request.force)
    draft = draft_task(request)
    task = replace(draft.task, origin=target / "task.yaml")
    findings = check_task(task)
    source = {**draft.source, **draft.found.source_in(target)}
    card = CARD.format(
        name=name,
        description=task.description,
        provenance=provenance(draft.found, source),
        columns=draft.reading,
        begin=BEGIN,
        end=END,
    )
    texts = {
        "task.yaml": editor_line("task") + _to_yaml({**draft.definition, "source": source}),
        "README.md": insert(card, describe(task), target / "README.md"),
    }
    files = [*_write(target, texts), write_schema("task", folder / FOLDER)]
    return Scaffold(task, files, draft.reading, tuple(draft.chosen.choices), draft.remarks, findings)


def draft_task(request: TaskRequest) -> Draft:
    """Read a user's own data and build a task of them.

    Parameters
    ----------
    request : TaskRequest
        What the user asks for; its name is not checked against other tasks.

    Raises
    ------
    bench.errors.UserError
        If no task can be made of the data.
    """
    name, given = request.name, request.given
    found = find_data(request.data, replace(request.asked, allow_shifted=request.allow_shifted))
    with _offering(request):
        check_header(found, given)
        check_one_table(found)
        summary = summarise_columns(found.rows())
    if not summary.n_rows:
        raise DataError(f"{found.name}: there are no rows.", "A task needs examples, each with a text and a label.")
    spans = found.source["kind"] == "standoff"
    chosen = (
        choose_span_columns(summary, given, found.name)
        if spans
        else choose_columns(summary, given, found.name, found.has_split)
    )
    source = {**found.source, **({"columns": chosen.section} if chosen.columns else {})}
    if chosen.day_first is not None:
        source[DAY_FIRST] = chosen.day_first
    inputs = ["claim", "text"] if "claim" in chosen.columns else ["text"]
    label = chosen.columns.get("label", "label")
    check_answers(found, summary, label)
    _check_parts(found, chosen)
    with _telling_guesses(chosen), _telling_gaps(summary, None if spans else chosen.columns.get("group")):
        records = read_source(Section(source, "source", found.origin), tuple(inputs), _AnyLabel((), {}))
    _check_withheld(found, records.examples, records.splits)
    counts, label_map = _labels_of(records.examples["label"].tolist(), request, found, summary, label)
    definition: dict[str, object] = {
        "name": name,
        "version": 1,
        "description": f"The column {label} of {found.title}.",
        "source": source,
        "inputs": inputs,
        "labels": [value for value, _ in counts.most_common()],
        **({"label_map": label_map} if label_map else {}),
        "metric": "macro_f1",
        **{key: True for key in FLAGS if getattr(request, key)},
    }
    try:
        task = build_task(definition, found.origin)
    except ManyRepeatsError as error:
        raise ask_for_a_claim(error, request, found, chosen) from error
    return Draft(task, definition, source, found, chosen, summary, _reading(found, chosen, summary.n_rows, spans))


def _labels_of(
    values: Sequence[str], request: TaskRequest, found: Found, summary: ColumnSummary, label: str
) -> tuple[Counter[str], dict[str, str]]:
    """Count the labels in a column's values, and map spelling variants.

    Raises
    ------
    bench.errors.DataError
        If they are not labels, or rows are broken and the request does not allow it.
    """
    as_written = Counter(values)
    written = cleaned(as_written)
    counts = Counter(written[value] for value in as_written.elements())
    if len(counts) < 2 or len(counts) > MOST_LABELS:
        n_values = "one value" if len(counts) == 1 else f"{len(counts):,} different values"
        raise DataError(
            f"{found.name}: the column '{label}' has {n_values}, so it is not a column of labels.",
            f"A task has 2 to {MOST_LABELS} labels. Choose another with --label COLUMN.\n{describe_columns(summary)}",
        )
    if not request.allow_several:
        check_several(request, found, label, counts)
    shifted = shifted_labels(counts)
    if shifted and not request.allow_shifted:
        raise shifted_rows(request, found, label, counts, shifted)
    for each in shifted:
        del counts[each]
    label_map = {raw: name for raw, name in written.items() if name in counts}
    if all(raw == name for raw, name in label_map.items()):
        label_map = {}
    return counts, label_map


def _check_parts(found: Found, chosen: Chosen) -> None:
    """Raise a DataError if a file of a published split lacks a column, as a test part without labels does."""
    if not found.has_parts:
        return
    needed = {key: chosen.columns[key] for key in ("claim", "text", "label") if key in chosen.columns}
    first: set[str] = set()
    for where, row in found.rows():
        first = first or {*row}
        lacking = next((key for key, column in needed.items() if column not in row), None)
        if lacking is not None:
            others = [f"'{column}'" for column in row if column not in first]
            renamed = f"It has {listed(others, 5)}. Give each column the same name in all files.\n" if others else ""
            raise DataError(
                f"{where}: the column '{needed[lacking]}' is missing, which is the {lacking} in other parts.",
                f"{renamed}{_ALONE} --data {found.files[0]}",
            )


_ALONE = "A part without labels cannot be scored. Give only the part with labels, and bench run splits it itself:"


_NO_GROUP = f"Fill it in. If no two rows belong together, say so: --group {OWN_GROUPS}"


def _check_withheld(found: Found, examples: pd.DataFrame, splits: Sequence[str]) -> None:
    """Raise a DataError if no label of a test part occurs in its training part, such as UNKNOWN."""
    for split in splits:
        train, test = (set(examples["label"][examples[split] == role]) for role in (TRAIN, TEST))
        if len(train) > 1 and not train & test and (examples[split] == TEST).sum() >= MANY:
            if {name_key(label) for label in train} & {name_key(label) for label in test}:
                raise DataError(
                    f"{found.name}: labels are {listed(sorted(train))} in the training part, but "
                    f"{listed(sorted(test))} in the test part.",
                    "Write each label in the same way in both.",
                )
            raise DataError(
                f"{found.name}: the labels of the test part are {listed(sorted(test))}, none of which occurs in the "
                "training part.",
                f"{_ALONE} --data {found.files[0] if found.has_parts else 'FILE'}",
            )


def _to_yaml(definition: dict[str, object]) -> str:
    """Write a definition as YAML, with Arabic unescaped unless it would be read back differently."""
    for as_it_is in (True, False):
        text = dump(definition, default_flow_style=None, allow_unicode=as_it_is, width=math.inf)
        # PyYAML writes some line ends, such as U+0085, so that they get lost.
        if parse_file(text, Path("task.yaml")) == definition:
            break
    return text


@contextmanager
def _offering(request: TaskRequest) -> Iterator[None]:
    """Add the command that leaves out rows with too many or too few cells to an error about one."""
    try:
        yield
    except ShiftedRowError as error:
        raise DataError(error.message, f"{error.hint}\n{leave_out(request)}") from error


class _AnyLabel(LabelSet):
    """Accepts every label, to collect them."""

    @property
    def known(self) -> None:
        return None

    def read(self, raw: object, where: str) -> str:
        if not isinstance(raw, str) or not raw.strip():
            raise DataError(f"{where}: the label is {raw!r}.", "Every example needs a label.")
        check_label(raw, where, marked=True)
        return raw


def _check_name(name: str, target: Path, force: bool) -> None:
    if problem := name_problem(name):
        raise ConfigError(f"'{name}' {problem}.", "For example: bench new task headlines --data labels.csv")
    there = [path for path in (target / "task.yaml", target / "README.md") if path.exists()]
    folders = [target.parent, target]
    blocked = [path for path in folders if path.exists() and not path.is_dir()] + [p for p in there if not p.is_file()]
    if blocked:
        what, needed = ("a folder", "a file") if blocked[0].is_dir() else ("a file", "a folder")
        raise ConfigError(f"{blocked[0]}: it is {what}, but {needed} goes there.", "Move it to another folder.")
    if there and not force:
        raise already_there(f"tasks/{name}/{path.name}" for path in there)
    if versions := sorted(path.name for path in target.glob(KEPT.format("*"))):
        raise ConfigError(
            f"{target}: bench add has made further versions of this task ({', '.join(versions)} are the earlier ones), "
            "and --force would take their labels away.",
            "Choose another name, or move the folder away first.",
        )
    if name in task_files() and not force:
        raise ConfigError(
            f"A task '{name}' already exists, and yours would replace it.",
            "Choose another name, or replace it with --force.",
        )


def _reading(found: Found, chosen: Chosen, n_rows: int, spans: bool) -> str:
    used = {key: key for key in ("document", "start", "end", "label")} if spans else {}
    described = []
    for key, column in (used | chosen.section).items():
        names = ", ".join(f"'{name}'" for name in ([column] if isinstance(column, str) else column))
        told = f" ({chosen.told[key]})" if key in chosen.told else ""
        described.append(f"{key} from {names}{told}")
    return f"Read {n_rows:,} rows of {found.title}, {found.what}: {', '.join(described)}."


@contextmanager
def _telling_gaps(summary: ColumnSummary, group: str | None) -> Iterator[None]:
    """Say of a column that one row lacks, and others have, or of that of the groups, what to write there."""
    try:
        yield
    except ColumnError as error:
        lacks_it = isinstance(error, UnknownColumnError)
        if error.column not in summary.columns or not (lacks_it or error.column == group):
            raise
        if error.column == group:
            said = [None if lacks_it else error.hint, summary.group_gaps.get(error.column), _NO_GROUP]
            raise ColumnError(error.message, "\n".join(filter(None, said)), error.column) from error
        hint = "Other rows have it. Write null there: rows without a text or a label are left out and counted."
        raise UnknownColumnError(error.message, hint, error.column) from error


@contextmanager
def _telling_guesses(chosen: Chosen) -> Iterator[None]:
    """Add to an error about a column that the column was guessed."""
    try:
        yield
    except ColumnError as error:
        key = next((key for key in chosen.told if chosen.columns.get(key, key) == error.column), None)
        if key is None:
            raise
        hint = "" if error.hint is None else f"{error.hint}\n"
        told = f"Its {key} is in '{error.column}' ({chosen.told[key]}). Choose another with --{key} COLUMN."
        raise DataError(error.message, hint + told) from error


def _write(target: Path, texts: dict[str, str]) -> list[Path]:
    """Write all files next to their final place, then move them."""
    make_folder(target.parent)
    with folder_beside(target) as beside:
        for name, text in texts.items():
            (beside / name).write_text(text, encoding="utf-8", newline="\n")
        make_folder(target)
        for name in reversed(texts):  # the definition last, since it defines the task
            (beside / name).replace(target / name)
    return [target / name for name in texts]
