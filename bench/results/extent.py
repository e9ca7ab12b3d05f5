"""What a task's scores are about, in words: how many examples are scored, and how they were split.

All take the task's part of ``run.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def split_sizes(task: Mapping[str, Any]) -> list[dict[str, int]]:
    """The numbers of ``train``, ``dev`` and ``test`` examples of each published split; none where folds are made here.

    Examples
    --------
    >>> split_sizes({"splits": {"split": {"train": 6, "dev": 0, "test": 4}}})
    [{'train': 6, 'dev': 0, 'test': 4}]
    """
    return list(task.get("splits", {}).values())


def extent(task: Mapping[str, Any]) -> str:
    """Say how many examples are scored, and how they are split.

    Examples
    --------
    >>> extent({"n_examples": 1170, "n_groups": 5, "group": "document"})
    '1170 examples, 5 groups (document)'
    >>> extent({"n_examples": 3786, "splits": {"split": {"train": 2652, "dev": 755, "test": 379}}})
    '379 test examples of 3,786 (2,652 train, 755 dev), published split'
    """
    sizes = split_sizes(task)
    if not sizes:
        return f"{task['n_examples']} examples, {task['n_groups']} groups ({task['group']})"
    scored = sum(size["test"] for size in sizes)
    if len(sizes) > 1:
        return f"{scored:,} test examples in {len(sizes)} published folds of {task['n_examples']:,} examples"
    (size,) = sizes
    dev = f", {size['dev']:,} dev" if size["dev"] else ""
    return f"{scored:,} test examples of {task['n_examples']:,} ({size['train']:,} train{dev}), published split"


def examples(task: Mapping[str, Any]) -> str:
    """What the scored examples are called: those of a published split are test examples."""
    return "test examples" if split_sizes(task) else "examples"


def predictions(task: Mapping[str, Any]) -> str:
    """What the scored predictions are called.

    Examples
    --------
    >>> predictions({}), predictions({"splits": {"split": {"train": 6, "dev": 0, "test": 4}}})
    ('out-of-fold predictions', 'predictions of the test part')
    """
    sizes = split_sizes(task)
    if not sizes:
        return "out-of-fold predictions"
    return "predictions of the test part" if len(sizes) == 1 else "predictions of the published test parts"


def chosen_on(task: Mapping[str, Any]) -> str:
    """What settings are chosen on.

    Examples
    --------
    >>> chosen_on({}), chosen_on({"splits": {"split": {"train": 6, "dev": 2, "test": 4}}})
    ('inner folds', 'dev')
    """
    sizes = split_sizes(task)
    if not sizes:
        return "inner folds"
    return "dev" if all(size["dev"] for size in sizes) else "inner folds of train"


def validation(task: Mapping[str, Any], n_folds: int) -> str:
    """Say how models are trained, chosen and scored.

    Parameters
    ----------
    task : mapping
        The task's part of ``run.json``.
    n_folds : int
        The run's outer folds.

    Examples
    --------
    >>> validation({}, 5)
    '5 outer folds of whole groups; settings are chosen on inner folds'
    >>> validation({"splits": {"split": {"train": 6, "dev": 2, "test": 4}}}, 1)
    'the published split: trained on train, settings chosen on dev, test scored once'
    """
    sizes = split_sizes(task)
    if not sizes:
        return f"{n_folds} outer folds of whole groups; settings are chosen on {chosen_on(task)}"
    which = "the published split" if len(sizes) == 1 else f"{len(sizes)} published folds"
    return f"{which}: trained on train, settings chosen on {chosen_on(task)}, test scored once"
