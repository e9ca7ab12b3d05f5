"""Training examples from another task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.data.duplicates import duplicate_keys
from bench.data.task import GROUP, Task
from bench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Transfer:
    """A task together with another task's examples, which are used for training only.

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
    """Add another task's examples to a task's own.

    Source examples are left out if their label has no counterpart in the target, or if their input or group is also in
    the target: training must not see a test example.

    Parameters
    ----------
    target : Task
        The task to score.
    source : Task
        The task with the extra training rows.
    labels : mapping of str to str, optional
        The target's label for each of the source's; by default, the labels with the same name in both.

    Raises
    ------
    bench.errors.ConfigError
        If the input columns differ, or the labels do not match.
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
        left = f"{int((~fitting).sum()):,} of {len(examples):,} examples are not used"
        notes.append(f"{left}: the label {unused} is not mapped")
    if (seen & fitting).any():
        notes.append(f"{int((seen & fitting).sum()):,} examples are not used: {target.name} also has their inputs")
    met = _shares_group(target, source) & fitting & ~seen
    if met.any():
        notes.append(f"{int(met.sum()):,} examples are not used: {target.name} also has their {target.group}")
    trains = fitting & ~seen & ~met
    if not trains.any():
        raise ConfigError(f"{where}: none of its {len(examples):,} examples can be used. {'; '.join(notes)}.")
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
    """Mark the source's examples whose group is also in the target, of shape (n_source,).

    Groups match if both tasks give their column the same meaningful name and the groups' names count as the same.
    Claims match if their texts do.
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
            f'Map the labels: "train_on.labels={{{source.labels[0]}: {target.labels[0]}}}"',
        )
    return mapping
