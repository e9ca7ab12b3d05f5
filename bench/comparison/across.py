"""Models over several tasks: mean ranks, and critical differences where there are enough tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.comparison.compare import ComparedRow, Comparison
from bench.metrics.registry import greater_is_better
from bench.statistics.ranks import ENOUGH_TASKS, mean_ranks

Key = tuple[str, str | None]
"""A model and the search of its settings, which identify a run in every task."""

FEW_TASKS = 3
"""The fewest tasks that models are ranked over."""


@dataclass(frozen=True)
class RankedModel:
    """A model and its mean rank."""

    name: str
    rank: float


@dataclass(frozen=True, kw_only=True)
class Across:
    """Models over several tasks.

    Parameters
    ----------
    tasks : tuple of str
        The tasks.
    rows : tuple of RankedModel
        The best first; empty where there are no ranks.
    p_value, critical_difference : float or None
        See `bench.statistics.ranks.Ranks`; None with too few tasks.
    note : str
        How far the ranks go, or why there are none, and which models are left out.
    """

    tasks: tuple[str, ...]
    rows: tuple[RankedModel, ...]
    p_value: float | None
    critical_difference: float | None
    note: str


def rank_across(comparisons: Sequence[Comparison]) -> Across | None:
    """Rank the models that are in every one of several comparisons, once and with the same search.

    None with fewer than two tasks. With fewer than three, or fewer than two models that are in all of them, there are
    no ranks, and the note says so.
    """
    n = len(comparisons)
    if n < 2:
        return None
    counted = [Counter(_key(row) for row in comparison.rows) for comparison in comparisons]
    every = sorted(set[Key]().union(*counted), key=lambda key: (key[0], key[1] or ""))
    keys = [key for key in every if all(count[key] == 1 for count in counted)]
    tasks = tuple(comparison.task.name for comparison in comparisons)
    if n < FEW_TASKS or len(keys) < 2:
        why = (
            f"Models are ranked from {FEW_TASKS} tasks on; these are {n}."
            if n < FEW_TASKS
            else "No ranks: fewer than two models were run on every task with the same search."
        )
        return Across(tasks=tasks, rows=(), p_value=None, critical_difference=None, note=why)
    scored = [{_key(row): row.score for row in comparison.rows} for comparison in comparisons]
    signs = [1.0 if greater_is_better(each.metric) else -1.0 for each in comparisons]
    table = np.array([[sign * scores[key] for key in keys] for sign, scores in zip(signs, scored, strict=True)])
    ranks = mean_ranks(table)
    rows = sorted(
        (RankedModel(_name(key, keys), rank) for key, rank in zip(keys, ranks.means, strict=True)),
        key=lambda row: (row.rank, row.name),
    )
    note = (
        f"{n} tasks are too few for a critical difference of mean ranks; it takes {ENOUGH_TASKS} (Demšar 2006)."
        if ranks.critical_difference is None
        else "Mean ranks that differ by more than the critical difference differ at 5 % (Nemenyi)."
    )
    out = list(dict.fromkeys(_name(key, [*keys, key]) for key in every if key not in keys))
    if out:
        note += f" Left out, since not run on every task with the same search: {', '.join(out)}."
    return Across(
        tasks=tasks,
        rows=tuple(rows),
        p_value=ranks.p_value,
        critical_difference=ranks.critical_difference,
        note=note,
    )


def _key(row: ComparedRow) -> Key:
    return row.model, row.search


def _name(key: Key, among: Sequence[Key]) -> str:
    """The model's name, with the search where others of that model are among the keys."""
    model, search = key
    return f"{model} ({search})" if search and sum(other == model for other, _ in among) > 1 else model
