"""What a task's scores are about, in words: how many examples are scored, and how they were split."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results.record import Period, SplitSizes, TaskRecord


def split_sizes(task: TaskRecord) -> list[SplitSizes]:
    """The sizes of the parts of each published split; empty if folds are made here."""
    return list(task.splits.values())


def extent(task: TaskRecord, periods: Sequence[Period] = ()) -> str:
    """Say how many examples are scored, and how they are split.

    Parameters
    ----------
    task : TaskRecord
        The task.
    periods : sequence of Period
        The run's periods, if it is forward in time.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> extent(SimpleNamespace(n_examples=1170, n_groups=5, group="document", splits={}))
    '1170 examples, 5 groups (document)'
    >>> extent(SimpleNamespace(n_examples=3786, splits={"split": SplitSizes(train=2652, dev=755, test=379)}))
    '379 test examples of 3,786 (2,652 train, 755 dev), published split'
    """
    sizes = split_sizes(task)
    if periods:
        tested = sum(period.n_test for period in periods)
        return f"{tested:,} test examples of {task.n_examples:,}, after {len(periods)} points in time"
    if not sizes:
        return f"{task.n_examples} examples, {task.n_groups} groups ({task.group})"
    scored = sum(size.test for size in sizes)
    if len(sizes) > 1:
        return f"{scored:,} test examples in {len(sizes)} published folds of {task.n_examples:,} examples"
    (size,) = sizes
    dev = f", {size.dev:,} dev" if size.dev else ""
    return f"{scored:,} test examples of {task.n_examples:,} ({size.train:,} train{dev}), published split"


def examples(task: TaskRecord) -> str:
    """What the scored examples are called: those of a published split are test examples."""
    return "test examples" if split_sizes(task) else "examples"


def predictions(task: TaskRecord) -> str:
    """What the scored predictions are called."""
    sizes = split_sizes(task)
    if not sizes:
        return "out-of-fold predictions"
    return "predictions of the test part" if len(sizes) == 1 else "predictions of the published test parts"


def chosen_on(task: TaskRecord) -> str:
    """What settings are chosen on."""
    sizes = split_sizes(task)
    if not sizes:
        return "inner folds"
    return "dev" if all(size.dev for size in sizes) else "inner folds of train"


def validation(task: TaskRecord, n_folds: int, searched: bool = True, periods: Sequence[Period] = ()) -> str:
    """Say how models are trained, chosen and scored.

    Parameters
    ----------
    task : TaskRecord
        The task.
    n_folds : int
        The run's outer folds.
    searched : bool
        Whether settings were searched.
    periods : sequence of Period
        The run's periods, if it is forward in time.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> validation(SimpleNamespace(splits={}), 5)
    '5 outer folds of whole groups; settings are chosen on inner folds'
    >>> validation(SimpleNamespace(splits={"split": SplitSizes(train=6, dev=2, test=4)}), 1)
    'the published split: trained on train, settings chosen on dev, test scored once'
    """
    sizes = split_sizes(task)
    if periods:
        chosen = "; settings are chosen on inner folds that are forward in time too" if searched else ""
        return f"trained before each of {len(periods)} points in time, tested until the next one, whole groups{chosen}"
    if not sizes:
        chosen = f"; settings are chosen on {chosen_on(task)}" if searched else ""
        return f"{n_folds} outer folds of whole groups{chosen}"
    which = "the published split" if len(sizes) == 1 else f"{len(sizes)} published folds"
    chosen = f"settings chosen on {chosen_on(task)}, " if searched else ""
    return f"{which}: trained on train, {chosen}test scored once"
