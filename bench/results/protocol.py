"""Find comparable runs: those with predictions for the same examples in the same folds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping

from bench.config import Validation
from bench.metrics.averaged import mean_over
from bench.results.record import ModelRecord, RunRecord, SplitSizes

SPLITS = "splits"
"""The name of the difference between runs with other outer folds."""

DIGEST = "data digest"
"""The name of the difference between runs on other data."""


def differences(one: RunRecord, other: RunRecord, but: str = "") -> list[str]:
    """List the differences between two runs that make their scores incomparable.

    Parameters
    ----------
    one, other : RunRecord
        Records of two runs.
    but : str
        The name of a part that is left out, such as `SPLITS`.

    Returns
    -------
    list of str
        One part each, with both values; empty if the runs are comparable.
    """
    parts: dict[str, Callable[[RunRecord], object]] = {
        "result format": lambda record: record.format,
        "task": lambda record: record.task.name,
        DIGEST: lambda record: record.task.digest[:12],
        "labels": lambda record: ", ".join(record.task.labels),
        "metric": lambda record: f"{record.task.metric}{mean_over(record.task.averaged_over)}",
        "groups": lambda record: record.task.group,
        SPLITS: lambda record: record.splits,
        "population": lambda record: record.task.population or None,
    }
    return [
        f"{name}: {part(one)} and {part(other)}"
        for name, part in parts.items()
        if name != but and part(one) != part(other)
    ]


def differences_but_seed(one: RunRecord, other: RunRecord) -> list[str]:
    """List the differences that remain between runs of other seeds, whose outer folds may differ for that alone."""
    ours, theirs = settings(one), settings(other)
    return differences(one, other, but=SPLITS) + [
        f"{key}: {ours[key]} and {theirs.get(key)}" for key in ours if key != "seed" and ours[key] != theirs.get(key)
    ]


def same_but_seed(one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs are of one model with the same search, and may differ in their seed."""
    return (
        model_name(one) == model_name(other)
        and _deciding_model(one) == _deciding_model(other)
        and (not one.model.search or _budget(one) == _budget(other))
    )


def is_replaced(record: RunRecord, others: Iterable[RunRecord]) -> bool:
    """Whether one of other runs of a table is the same run on a later version of the task.

    Such versions have the same examples, labels and splits, since new votes alone change none.
    """
    return any(
        other.task.version > record.task.version
        and same_but_seed(record, other)
        and record.train_on == other.train_on
        and record.seed == other.seed
        for other in others
    )


def _deciding_model(record: RunRecord) -> ModelRecord:
    return dataclasses.replace(record.model, description="", origin="", requirements={})


def _budget(record: RunRecord) -> tuple[int, float | None, int]:
    return record.search.trials, record.search.timeout, record.search.batch


def search_name(record: RunRecord) -> str | None:
    """The name of a run's search, None if its model has nothing to search."""
    return record.search.name if record.model.search else None


def model_name(record: RunRecord) -> str:
    """The name of a run's model in tables: with the task of extra training rows, if there is one."""
    name, other = record.model.name, record.train_on
    return name if other is None else f"{name}{'@' if other.only else '+'}{other.task}"


def seeds_text(seeds: Collection[int]) -> str:
    """One or several seeds, as texts name them.

    Examples
    --------
    >>> seeds_text((0,)), seeds_text((0, 1))
    ('seed 0', 'seeds 0, 1')
    """
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def names_of(record: RunRecord) -> set[str]:
    """The names by which a user can choose a run's model: its own, and that in tables."""
    return {record.model.name, model_name(record)}


def settings(record: RunRecord) -> dict[str, object]:
    """The seed and the validation of a run: what else the runs of one table have in common."""
    return {"seed": record.seed, **deciding(record.validation, record.task.splits, lent=False)}


def deciding(validation: Validation, published: Mapping[str, SplitSizes], lent: bool) -> dict[str, object]:
    """The parts of a validation that scores depend on and that are not in the task's digest.

    Parameters
    ----------
    validation : Validation
        A run's validation.
    published : mapping of str to SplitSizes
        The sizes of the parts of each published split; empty if folds are made here.
    lent : bool
        Whether there are extra training rows, so that inner folds may contain them.
    """
    idle = {"name", "repeats"} if validation.forward else {"name", "splits"}
    if published:
        idle |= {"folds", "repeats"}
    if len(published) == 1 and not lent and all(sizes.dev for sizes in published.values()):
        idle.add("inner_folds")
    return {key: value for key, value in dataclasses.asdict(validation).items() if key not in idle}


def what_differs(one: RunRecord, other: RunRecord) -> list[str]:
    """What keeps two runs out of one leaderboard, with both values.

    The digest of the splits only where nothing else explains it, and that of the data where their version is the same.
    """
    ours, theirs = settings(one), settings(other)
    changed = [f"{key}: {value} and {theirs[key]}" for key, value in ours.items() if theirs.get(key, value) != value]
    if one.validation.forward != other.validation.forward:
        changed.insert(0, f"validation: {one.validation.name} and {other.validation.name}")
    found = [*differences(one, other, but=SPLITS), *changed] or differences(one, other)
    if one.task.version == other.task.version:
        return found
    version = f"task version: {one.task.version} and {other.task.version}"
    return [version if each.startswith(f"{DIGEST}: ") else each for each in found]


def same_table(one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs belong into one leaderboard: they compare, with one seed and one validation."""
    return not differences(one, other) and settings(one) == settings(other)
