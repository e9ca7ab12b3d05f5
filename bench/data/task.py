"""A task: examples with labels and groups, ready to be split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd

from bench.data.dates import DATE, Times, read_times
from bench.data.drawn import last_draw_weights
from bench.data.mapped import MappedFile, is_large, read_mapped, write_mapped
from bench.errors import ConfigError, nearest
from bench.metrics import Metric, metric_of
from bench.metrics.outcomes import VALUE, label_indices
from bench.support.carried import CarriedFile
from bench.text.identity import canonical, name_key, text_key

if TYPE_CHECKING:
    import datasets
    from numpy.typing import NDArray

    from bench.data.figures import PublishedFigure


GROUP = "group"
"""The column of examples with the groups that a table names."""

ROLES = TRAIN, DEV, TEST = ("train", "dev", "test")
"""The parts of a published split."""


class TaskContext(TypedDict):
    """What an estimator may request about its task, as plain values by parameter name."""

    labels: tuple[str, ...]
    inputs: tuple[str, ...]
    label_map: dict[str, str]
    descriptions: dict[str, str]


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """Labelled examples, and how to split and score them.

    Parameters
    ----------
    name : str
        The task's name, as in ``task=name``.
    version : int
        The version of the task's definition.
    description : str
        A one-line description.
    inputs : tuple of str
        The input columns: ``("text",)`` or ``("claim", "text")``.
    labels : tuple of str
        All label names, in the order that every table and matrix uses.
    metric : str
        The primary metric's name.
    group : str
        The column of `examples` whose groups no split may divide.
    examples : pandas.DataFrame of shape (n_examples, n_columns)
        One row for each example, with a range index; columns ``id``, the inputs and ``label``
        (a label's name), then every column that can serve as a group.
    passes : pandas.DataFrame or None
        Label names given by each annotation pass, one row for each example in the same order,
        one column for each pass.
    label_map : mapping of str to str
        From the annotators' labels to the task's, where the task is coarser; else empty.
    descriptions : mapping of str to str
        Descriptions of labels, one sentence each, for models that read them; ``{claim}`` is replaced. Keys
        are the task's labels, or annotators' labels that `label_map` maps to them. Empty if the task's file
        has none. Not part of the digest, since the examples do not depend on it.
    splits : tuple of str
        Columns of `examples` with the published splits, one for each split. Each gives the part of every example:
        ``train``, ``dev``, ``test``, or none of them (an empty string). Empty if the task
        has no published split.
    population : mapping of str to int
        For a stratified sample: the number of texts with each value of the column ``stratum`` in the
        population. Otherwise empty.
    left_out : pandas.DataFrame or None
        The examples that were left out because they repeat another's input, with the columns of `examples`.
    notes : tuple of str
        What was done to the data, one sentence each.
    settled : tuple of str
        Those of `notes` that are about the published splits alone.
    origin : pathlib.Path
        The file that defines the task.
    homepage, licence, citation : str
        Where the data are published, the licence, and what to cite; empty if the task's file does not say.
    published : tuple of PublishedFigure
        Results that others published on the task's own split. Like the three above, not part of the digest.
    columns : mapping of str to str
        The names of the input columns in the task's table, if it has one. Not part of the digest.
    table_group : str
        The name in the task's table of the column ``group``, if it has one. Not part of the digest.
    averaged_over : str
        The column over whose values the primary metric is averaged, by its name in the data. It is the column
        ``value`` of `examples`, or the one of that name. Empty if the metric covers all examples together.
    further : callable or None
        Reads another column of the data that a program has given. Other processes do not get it.
    """

    name: str
    version: int
    description: str
    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    metric: str
    group: str
    examples: pd.DataFrame
    passes: pd.DataFrame | None = None
    label_map: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    splits: tuple[str, ...] = ()
    population: Mapping[str, int] = field(default_factory=dict)
    left_out: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    origin: Path = Path()
    homepage: str = ""
    licence: str = ""
    citation: str = ""
    published: tuple[PublishedFigure, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    table_group: str = ""
    averaged_over: str = ""
    further: Callable[[str], object] | None = None

    def __len__(self) -> int:
        return len(self.examples)

    def __repr__(self) -> str:
        groups = f"{len(set(self.groups.tolist())):,} groups ({self.group})"
        return f"<Task {self.name}: {len(self):,} examples, labels {', '.join(self.labels)}, {groups}>"

    def __getstate__(self) -> dict[str, object]:
        """The state sent to other processes: the fields, with large examples replaced by their file.

        Cached results are left out because they can be larger. The file exists as long as the task.
        """
        state = {each.name: getattr(self, each.name) for each in fields(self)} | {"further": None}
        if is_large(self.examples):
            state["examples"] = CarriedFile(self._file.path)
        return state

    def __setstate__(self, state: dict[str, object]) -> None:
        examples = state["examples"]
        self.__dict__.update(
            state, examples=read_mapped(examples.path) if isinstance(examples, CarriedFile) else examples
        )

    @cached_property
    def _file(self) -> MappedFile:
        """A file with the examples that other processes share."""
        file = write_mapped(self.examples)
        file.close()
        return file

    @property
    def context(self) -> TaskContext:
        """What an estimator may request about its task, as plain values by parameter name."""
        return TaskContext(
            labels=self.labels,
            inputs=self.inputs,
            label_map=dict(self.label_map),
            descriptions=dict(self.descriptions),
        )

    @property
    def frame(self) -> pd.DataFrame:
        """The input columns, of shape (n_examples, n_inputs): what a model sees."""
        return self.examples[list(self.inputs)]

    @cached_property
    def keys(self) -> NDArray[np.bytes_]:
        """The inputs' keys (`bench.data.duplicates.duplicate_keys`), of shape (n_examples,)."""
        from bench.data.duplicates import duplicate_keys

        return duplicate_keys(self.frame)

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        """The examples' ids, of shape (n_examples,)."""
        return self.examples["id"].to_numpy(dtype=object)

    @cached_property
    def y(self) -> NDArray[np.str_]:
        """The label names, of shape (n_examples,)."""
        return self.examples["label"].to_numpy(dtype=str)

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        """Each example's label as its index in `labels`, of shape (n_examples,)."""
        return label_indices(self.y, self.labels)

    @cached_property
    def groups(self) -> NDArray[Any]:
        """Each example's group, of shape (n_examples,).

        Groups whose names count as the same are one, under the first spelling. The dtype is object: in a NumPy
        array of strings, each would take as much memory as the longest name.
        """
        return np.array(canonical(self.examples[self.group].astype(str).tolist(), self.group_key), dtype=object)

    @property
    def group_names(self) -> tuple[str, ...]:
        """The names that the column of groups may have in other tables, the likeliest first."""
        return (self.table_group, self.group) if self.group == GROUP and self.table_group else (self.group,)

    @property
    def group_key(self) -> Callable[[str], str]:
        """The key function of group names. Inputs are compared as inputs, and ids are unique."""
        return str if self.group == "id" else text_key if self.group in self.inputs else name_key

    @property
    def scored_by(self) -> Metric:
        """The primary metric."""
        return metric_of(self)

    @cached_property
    def values(self) -> NDArray[np.object_] | None:
        """The value of each example to average the metric over, of shape (n_examples,); None if it is not averaged.

        Values whose names count as the same are one, under the first spelling.
        """
        if not self.averaged_over:
            return None
        column = VALUE if VALUE in self.examples else self.averaged_over
        key = text_key if column in self.inputs else name_key
        return np.array(canonical(self.examples[column].astype(str).tolist(), key), dtype=object)

    @cached_property
    def value_codes(self) -> NDArray[np.intp] | None:
        """Each example's value as its index in the sorted values, of shape (n_examples,); None without `values`."""
        return None if self.values is None else np.unique(self.values.astype(str), return_inverse=True)[1]

    @cached_property
    def times(self) -> Times:
        """When the examples appeared.

        Raises
        ------
        bench.errors.UserError
            If they have no dates, or a date is missing.
        """
        if DATE not in self.examples:
            raise ConfigError(
                f"{self.origin}: task '{self.name}' has no dates, which validation=forward needs.",
                "Name their column in task.yaml: columns: {..., date: published}.",
            )
        return read_times(self.examples[DATE].tolist(), self.ids.tolist(), str(self.origin))

    @cached_property
    def weights(self) -> NDArray[np.float64] | None:
        """How many texts of the population each example represents, of shape (n_examples,).

        The inverse of the rate at which its stratum was drawn (Horvitz and Thompson 1952). In a table with drawing
        probabilities the population is the archive, and an example that is not of the last draw represents none of it.
        None without either, or if the metric is averaged over values.
        """
        if self.averaged_over:
            return None
        if not self.population:
            return last_draw_weights(self.examples, self.origin)
        strata = self.examples["stratum"]
        return (strata.map(self.population) / strata.map(strata.value_counts())).to_numpy(dtype=np.float64)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content: inputs, labels and every row of `examples`, in hexadecimal."""
        content = hashlib.sha256()
        header = [*self.inputs, "\x1d", *self.labels, "\x1d", *self.examples.columns]
        content.update("\x1f".join(header).encode())
        for row in self.examples.itertuples(index=False, name=None):
            content.update(("\x1e" + "\x1f".join(map(str, row))).encode())
        return content.hexdigest()

    def grouped_by(self, column: str) -> Task:
        """Return the same task with another group column.

        Raises
        ------
        bench.errors.ConfigError
            If the examples have no such column.
        """
        choices = [c for c in self.examples.columns if c not in ("label", *self.splits)]
        if column not in choices:
            raise ConfigError(
                f"validation.group={column}: task '{self.name}' has no such column.",
                nearest(column, choices),
            )
        return replace(self, group=column)

    def shared_groups(self, column: str) -> NDArray[np.bool_]:
        """Mark the test examples of a published split whose group is also in train or dev, of shape (n_test,)."""
        roles = self.examples[column].to_numpy(dtype=object)
        elsewhere = self.groups[(roles == TRAIN) | (roles == DEV)]
        shared: NDArray[np.bool_] = pd.Index(self.groups[roles == TEST]).isin(elsewhere)
        return shared

    def without_splits(self) -> Task:
        """Return the same task without its published splits, all its examples pooled and each input once."""
        from bench.data.duplicates import drop_repeats

        examples, passes, notes, _ = drop_repeats(
            self.examples.drop(columns=list(self.splits)), self.inputs, self.passes
        )
        left_out = pd.concat([self.left_out, self.examples[~self.examples["id"].isin(examples["id"])]])
        notes = (*(note for note in self.notes if note not in self.settled), *notes)
        pooled = replace(self, examples=examples, passes=passes, splits=(), left_out=left_out, notes=notes)
        return replace(pooled, settled=())

    def to_pandas(self) -> pd.DataFrame:
        """Return the examples: ``id``, the inputs, ``label``, ``group``, and any further columns after them.

        Returns
        -------
        pandas.DataFrame of shape (n_examples, n_columns)
            The caller's own, to change as it likes.
        """
        first = self.examples[["id", *self.inputs, "label"]].assign(group=self.groups)
        return first.join(self.examples.drop(columns=first.columns, errors="ignore"))

    def to_dataset(self) -> datasets.Dataset:
        """Return the task as a `datasets.Dataset` with ``ClassLabel`` labels.

        Returns
        -------
        datasets.Dataset
            Columns ``id``, the inputs, ``label`` and ``group``, with any further columns
            of `examples` after them.
        """
        import datasets

        columns: dict[str, object] = {name: self.examples[name].tolist() for name in ("id", *self.inputs)}
        columns["label"] = self.codes.tolist()
        columns["group"] = self.groups.tolist()
        further = [c for c in self.examples.columns if c not in columns]
        columns |= {name: self.examples[name].tolist() for name in further}
        features = datasets.Features(
            {
                name: datasets.ClassLabel(names=list(self.labels)) if name == "label" else datasets.Value("string")
                for name in columns
            }
        )
        return datasets.Dataset.from_dict(columns, features=features)
