"""Models over several tasks: mean ranks, and critical differences where there are tasks enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.comparison.compare import ComparedRow, Comparison
from bench.metrics.registry import greater_is_better
from bench.statistics.ranks import ENOUGH_TASKS, mean_ranks

Key = tuple[str, str | None]
"""A model and the search of its settings, which tell runs apart in every task alike."""

FEW_TASKS = 3
"""From so many tasks on, ranks are given."""


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
        The best first.
    p_value, critical_difference : float or None
        See `bench.statistics.ranks.Ranks`; None with too few tasks.
    note : str
        What to make of it, and which models are left out.
    """

    tasks: tuple[str, ...]
    rows: tuple[RankedModel, ...]
    p_value: float | None
    critical_difference: float | None
    note: str


def rank_across(comparisons: Sequence[Comparison]) -> Across | None:
    """Rank the models that stand in every one of several comparisons, once and with the same search.

    None with fewer than three tasks, or fewer than two models that stand in all of them.
    """
    if len(comparisons) < FEW_TASKS:
        return None
    counted = [Counter(_key(row) for row in comparison.rows) for comparison in comparisons]
    every = sorted(set[Key]().union(*counted), key=lambda key: (key[0], key[1] or ""))
    keys = [key for key in every if all(count[key] == 1 for count in counted)]
    if len(keys) < 2:
        return None
    scored = [{_key(row): row.score for row in comparison.rows} for comparison in comparisons]
    signs = [1.0 if greater_is_better(each.metric) else -1.0 for each in comparisons]
    table = np.array([[sign * scores[key] for key in keys] for sign, scores in zip(signs, scored, strict=True)])
    ranks = mean_ranks(table)
    rows = sorted(
        (RankedModel(_name(key, keys), rank) for key, rank in zip(keys, ranks.means, strict=True)),
        key=lambda row: (row.rank, row.name),
    )
    n = len(comparisons)
    note = (
        f"{n} tasks are too few for a critical difference of ranks; {ENOUGH_TASKS} are the least (Demšar 2006)."
        if ranks.critical_difference is None
        else "Mean ranks that are further apart than the critical difference differ at 5 % (Nemenyi)."
    )
    out = list(dict.fromkeys(_name(key, [*keys, key]) for key in every if key not in keys))
    if out:
        note += f" Left out: {', '.join(out)}, which {'is' if len(out) == 1 else 'are'} not alike in all tasks."
    return Across(
        tasks=tuple(comparison.task.name for comparison in comparisons),
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
