"""The table of a user's own task: its rows as annotators labelled them, and a new version of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data.dates import DATE, DAY_FIRST, read_date
from bench.data.definition import read_definition
from bench.data.labels import LabelSet
from bench.data.sources import Further, read_source
from bench.data.sources.annotation_tools import annotated, pass_column
from bench.data.sources.further import written as as_text
from bench.data.sources.table_columns import DRAWN
from bench.data.task import GROUP, TEST, TRAIN, Task
from bench.data.task_definition import TaskDefinition
from bench.discovery import find, task_files
from bench.errors import DataError, UserError
from bench.labelling.drawn import ANNOTATOR, EXAMPLE_ID, LABEL, OWN_FIELDS
from bench.metrics.outcomes import VALUE
from bench.support.json_writing import plain_text

if TYPE_CHECKING:
    from bench.labelling.exports import Labelled
    from bench.schema.task import TaskFile


@dataclass(frozen=True, eq=False)
class OwnTable:
    """The rows of a task of a user's own table.

    Parameters
    ----------
    task : Task
        The task.
    definition : TaskDefinition
        What its file defines.
    rows : list of dict
        Its examples by role, in order, with the labels that annotators gave.
    passes : list of dict
        Each example's label of each annotation pass, by the pass's column; empty without passes.
    splits : tuple of str
        The columns of published splits.
    columns : mapping of str to (str or list of str)
        The table's column of each role, as the task's file names it.
    labels : LabelSet
        The labels that annotators may give, and the task's label for each of them.
    further : dict of str to dict of str to str
        The table's other columns, each by the example's id; those of new examples are added.
    """

    task: Task
    definition: TaskDefinition
    rows: list[dict[str, str]]
    passes: list[dict[str, str]]
    splits: tuple[str, ...]
    columns: Mapping[str, str | list[str]]
    labels: LabelSet
    further: dict[str, dict[str, str]]

    @cached_property
    def votes(self) -> list[dict[str, str]]:
        """Each example's label by annotator, of its passes and of the columns that an annotation tool's export has."""
        label = str(self.columns[LABEL])
        whose = pass_column(label, "")
        given = [{name.removeprefix(whose): each for name, each in passes.items()} for passes in self.passes]
        for column in (name for name in self.further if annotated(name, (label,)) == label):
            for row, votes in zip(self.rows, given, strict=True):
                vote = self.further[column].get(row["id"], "").strip()
                if vote and vote in self.labels.mapping:
                    votes.setdefault(column.removeprefix(whose), vote)
        return given

    @property
    def given(self) -> LabelSet:
        """The labels that annotators may give, each as it is."""
        return _given(self.definition.file)

    @classmethod
    def read(cls, definition: TaskDefinition, task: Task) -> OwnTable:
        """Read the rows of a table that `check_own_table` has accepted."""
        file, further, named = definition.file, Further(None, whole=True), definition.source.content["columns"]
        records = read_source(definition.source, task.inputs, _given(file), further=further)
        rows = [{str(name): value for name, value in row.items()} for row in records.examples.to_dict("records")]
        passes: list[dict[str, str]] = [{} for _ in rows]
        if records.passes is not None:
            names = _names(named["passes"])
            passes = [dict(zip(names, each, strict=True)) for each in records.passes.itertuples(index=False, name=None)]
        columns = {role: names[0] if len(names := _names(given)) == 1 else names for role, given in named.items()}
        own = LabelSet(tuple(file.labels), _mapping(file))
        return cls(task, definition, rows, passes, records.splits, columns, own, further.by_column)

    def new_row(self, name: str, each: Labelled, label: str, drawn: bool) -> tuple[dict[str, str], frozenset[str]]:
        """The row of a new example, and which of its group and its date the export does not tell.

        Without a group it is one of its own.

        Examples of a published split are new in its training parts only.

        Raises
        ------
        bench.errors.DataError
            If the value that the metric is averaged over is missing, or the group is a known one but for zeros.
        """
        row = {"id": name, **{column: str(each.fields[column]) for column in self.task.inputs}, "label": label}
        present = self.rows[0]
        lacks = set()
        if GROUP in present:
            own = self._field(GROUP, each)
            of_id = self.columns[GROUP] in _names(self.columns.get("id", ()))
            lacks |= {GROUP} if own == "" and not of_id else set()
            row[GROUP] = name if of_id or not own else own
            self._check_zeros(row[GROUP], each.where)
        if VALUE in present:
            row[VALUE] = self._field(VALUE, each)
            if not row[VALUE]:
                raise DataError(
                    f"{each.where}: the field '{self.columns[VALUE]}' is missing, over which the metric is averaged.",
                    "Add it to the export, or draw from an archive with this column.",
                )
        if DATE in present:
            where, day_first = f"{each.where}, field '{self.columns[DATE]}'", self.definition.source.choice(DAY_FIRST)
            row[DATE] = read_date(self._field(DATE, each) or None, where, day_first)
            lacks |= set() if row[DATE] else {DATE}
        for column, value in each.fields.items():
            if column not in (*(OWN_FIELDS if drawn else (EXAMPLE_ID, LABEL, ANNOTATOR)), *self.task.inputs):
                # The example's id is not the archive's, which may have a column of the same name.
                kept = f"{column}_" if column == self.columns.get("id") else column
                self.further.setdefault(kept, {})[name] = as_text(value, whole=True)
        return {**row, **dict.fromkeys(self.splits, TRAIN)}, frozenset(lacks)

    @cached_property
    def _numbered(self) -> dict[str, str]:
        """The groups whose names are numbers, by these without zeros at their front."""
        return {name.lstrip("0"): name for row in self.rows if (name := row[GROUP]).isdecimal()}

    def _check_zeros(self, group: str, where: str) -> None:
        known = self._numbered.get(group.lstrip("0"), group) if group.isdecimal() else group
        if known != group and all(row[GROUP] != group for row in self.rows):
            raise DataError(
                f"{where}: the group is '{group}', which the task does not have, but it has '{known}'.",
                "A program for spreadsheets may have dropped zeros. Write it as in the task, or rename another group.",
            )

    def _field(self, role: str, each: Labelled) -> str:
        """A field under the name of the table's column, or of the role."""
        value = next((each.fields[name] for name in (*_names(self.columns[role]), role) if name in each.fields), None)
        return "" if value is None or value != value else plain_text(value).strip()

    def is_test(self, row: Mapping[str, str]) -> bool:
        """Whether an example is in the test part of a published split."""
        return any(row[name] == TEST for name in self.splits)

    def written(
        self, rows: Sequence[Mapping[str, str]], passes: Mapping[str, Sequence[str]]
    ) -> tuple[list[dict[str, str]], dict[str, str | list[str]]]:
        """The rows of a new version under the table's own column names, and the section that names these.

        Parameters
        ----------
        rows : sequence of mapping
            The examples by role.
        passes : mapping of str to sequence of str
            Each annotation pass's labels of all examples.
        """
        taken: dict[str, list[str]] = {}
        named: dict[str, str] = {}
        for role in sorted(rows[0], key=lambda role: role != VALUE):  # the task's file names its column elsewhere
            values = [row[role] for row in rows]
            own = self.columns.get(role)
            wanted = own if isinstance(own, str) else role
            named[role] = wanted = _free(wanted, role, values, taken)
            taken[wanted] = values
        elsewhere = (VALUE, *self.splits)
        columns: dict[str, str | list[str]] = {role: name for role, name in named.items() if role not in elsewhere}
        if self.splits:
            splits = [named[name] for name in self.splits]
            columns["split"] = splits if len(splits) > 1 else splits[0]
        for name, given in passes.items():
            wanted = _free(name, f"pass of {name}", list(given), taken)
            taken[wanted] = list(given)
            columns["passes"] = [*columns.get("passes", ()), wanted]
        of_roles = {name for given in self.columns.values() for name in _names(given)}
        for name, by_id in self.further.items():
            if name in of_roles:
                continue
            free = f"{name}_" if name in DRAWN and name in taken else name
            taken.setdefault(free, [by_id.get(str(row["id"]), "") for row in rows])
        made = [dict(zip(taken, values, strict=True)) for values in zip(*taken.values(), strict=True)]
        return made, columns


def with_draws(rows: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Give all rows the columns that say how an example was drawn, if one has them."""
    found = [dict(row) for row in rows]
    if not any(name in row for row in found for name in DRAWN):
        return found
    return [{**row, **{name: row.get(name, "") for name in DRAWN}} for row in found]


def _free(wanted: str, role: str, values: list[str], taken: Mapping[str, list[str]]) -> str:
    """A column's name that no other values have."""
    names = [wanted, role]
    while names[-1] in taken and taken[names[-1]] != values:
        names.append(f"{names[-1]}_")
    return next(name for name in names if name not in taken or taken[name] == values)


def _mapping(file: TaskFile) -> dict[str, str]:
    """The task's label for each label that annotators may give."""
    return {label: label for label in file.labels} | (file.label_map or {})


def _given(file: TaskFile) -> LabelSet:
    """The labels that annotators may give, each as it is."""
    mapping = _mapping(file)
    return LabelSet(tuple(mapping), {label: label for label in mapping if file.label_map})


def _names(given: str | Iterable[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def check_own_table(content: Mapping[str, object], path: Path, name: str) -> None:
    """Raise a UserError if a task's examples are not in a table of the user's own; nothing is downloaded for it."""
    source = content.get("source")
    if not isinstance(source, Mapping):
        return  # Reading the task says what is wrong with it.
    own = source.get("kind") == "table"
    if own and not source.get("download"):
        return
    why = "its examples are downloaded" if own or source.get("kind") == "hub" else "its examples are not in one table"
    steps = f"bench export task={name} --to {name}.jsonl, then bench new task my-{name} --data {name}.jsonl."
    split = " New examples then join its train part, and its test part stays as published." if own else ""
    raise UserError(
        f"{path}: labels can be added to a task of your own table only; {why}.", f"Make one of them: {steps}{split}"
    )


def how_to_add(name: str) -> str:
    """Say how an export of an annotation tool is added to a task of this name."""
    path = find(name, task_files(), "task", "tasks")
    try:
        check_own_table(read_definition(path), path, name)
    except UserError as error:
        told = error.message.removeprefix(f"{path}: ")
        return f"Next: label it and export it. But {told} {error.hint} Then run: bench add EXPORT --to my-{name}"
    return f"Next: label it, export it, and run: bench add EXPORT --to {name}"
