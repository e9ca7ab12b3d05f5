"""Training examples for a task from another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.data.duplicates import duplicate_keys
from bench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task

GROUP = "group"
"""The column of a transfer's groups: the target's own, and those of the source behind its name."""


@dataclass(frozen=True, eq=False)
class Transfer:
    """A task together with examples of another, which only ever train.

    Parameters
    ----------
    task : Task
        The target's examples, then those of the source; without published splits.
    lent : ndarray of int, shape (n_lent,)
        The rows of the source's examples.
    labels : dict of str to str
        The target's label for each of the source's labels that train.
    notes : tuple of str
        What was left out.
    """

    task: Task
    lent: NDArray[np.intp]
    labels: dict[str, str]
    notes: tuple[str, ...]


def transfer(target: Task, source: Task, labels: Mapping[str, str] | None = None) -> Transfer:
    """Put another task's examples beside a task's own.

    Examples of the source whose label has no place in the target are left out, and those whose input or group stands in
    the target: no test example may be seen in training.

    Parameters
    ----------
    target : Task
        What is scored.
    source : Task
        What trains.
    labels : mapping of str to str, optional
        The target's label for each of the source's; by default the labels that have the same name in both.

    Raises
    ------
    bench.errors.ConfigError
        If the two have other input columns, or the labels do not fit.
    """
    where = f"train_on={source.name}"
    if source.inputs != target.inputs:
        raise ConfigError(
            f"{where}: its inputs are [{', '.join(source.inputs)}], but those of {target.name} are "
            f"[{', '.join(target.inputs)}]."
        )
    mapping = _label_map(target, source, labels, where)
    examples = source.examples
    fitting = examples["label"].isin(list(mapping)).to_numpy()
    seen = np.isin(source.keys, target.keys)
    notes = []
    if not fitting.all():
        unused = ", ".join(label for label in source.labels if label not in mapping)
        left = f"{int((~fitting).sum()):,} of {len(examples):,} examples do not train"
        notes.append(f"{left}: the label {unused} is not mapped")
    if (seen & fitting).any():
        notes.append(f"{int((seen & fitting).sum()):,} examples do not train: {target.name} has their inputs too")
    met = _shares_group(target, source) & fitting & ~seen
    if met.any():
        notes.append(f"{int(met.sum()):,} examples do not train: {target.name} has their {target.group} too")
    trains = fitting & ~seen & ~met
    if not trains.any():
        raise ConfigError(f"{where}: none of its {len(examples):,} examples can train. {'; '.join(notes)}.")
    kept = examples[trains]
    added = pd.DataFrame(
        {
            "id": [f"{source.name}:{name}" for name in kept["id"]],
            **{name: kept[name] for name in target.inputs},
            "label": kept["label"].map(mapping),
            GROUP: [f"{source.name}:{group}" for group in source.groups[trains]],
        }
    )
    own = target.examples.drop(columns=list(target.splits)).assign(**{GROUP: target.groups})
    together = pd.concat([own, added], ignore_index=True)
    lent = np.arange(len(own), len(together))
    task = replace(target, examples=together, group=GROUP, splits=(), passes=None)
    return Transfer(task, lent, mapping, tuple(notes))


def _shares_group(target: Task, source: Task) -> NDArray[np.bool_]:
    """Mark the source's examples of a group that the target has too, of shape (n_source,).

    Groups are the same where both tasks call their column by one name that says what they are and their names count
    as the same, and claims where their texts do.
    """
    if target.group.startswith("claim") and "claim" in target.inputs:
        one, other = (duplicate_keys(task.examples[["claim"]]) for task in (source, target))
        return np.isin(one, other)
    if source.group == target.group and target.group not in ("id", GROUP):
        known = set(map(target.group_key, target.groups.tolist()))
        return np.array([key in known for key in map(source.group_key, source.groups.tolist())], dtype=bool)
    return np.zeros(len(source), dtype=bool)


def _label_map(target: Task, source: Task, labels: Mapping[str, str] | None, where: str) -> dict[str, str]:
    for raw, label in (labels or {}).items():
        if raw not in source.labels:
            raise ConfigError(f"train_on.labels.{raw}: {source.name} has no such label.", nearest(raw, source.labels))
        if label not in target.labels:
            where = f"train_on.labels.{raw}={label}"
            raise ConfigError(f"{where}: {target.name} has no such label.", nearest(label, target.labels))
    mapping = dict(labels) if labels else {label: label for label in source.labels if label in target.labels}
    if not mapping:
        raise ConfigError(
            f"{where}: it has the labels {', '.join(source.labels)}, and {target.name} has none of them.",
            f'Say which is which: "train_on.labels={{{source.labels[0]}: {target.labels[0]}}}"',
        )
    return mapping
