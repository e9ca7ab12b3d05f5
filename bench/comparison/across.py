"""Models over several tasks: mean ranks, and critical differences where there are tasks enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.evaluation.metrics import LOWER_IS_BETTER
from bench.statistics.ranks import ENOUGH_TASKS, mean_ranks

FEW_TASKS = 3
"""From so many tasks on, ranks are given."""


def rank_across(comparisons: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Rank the models that stand in every one of several comparisons.

    Parameters
    ----------
    comparisons : sequence of mapping
        As `bench.comparison.compare.compare` gives them, one a task.

    Returns
    -------
    dict or None
        ``tasks``, ``rows`` (``name`` and mean ``rank``, the best first),
        ``p_value`` and ``critical_difference`` (None with too few tasks) and a ``note``. None with fewer than
        three tasks, or fewer than two models that stand in all of them.
    """
    if len(comparisons) < FEW_TASKS:
        return None
    scored = [{row["name"]: row["score"] for row in comparison["rows"]} for comparison in comparisons]
    names = sorted(set.intersection(*(set(scores) for scores in scored)))
    if len(names) < 2:
        return None
    signs = [-1.0 if comparison["metric"] in LOWER_IS_BETTER else 1.0 for comparison in comparisons]
    table = np.array([[sign * scores[name] for name in names] for sign, scores in zip(signs, scored, strict=True)])
    ranks = mean_ranks(table)
    rows = sorted(
        ({"name": name, "rank": rank} for name, rank in zip(names, ranks.means, strict=True)),
        key=lambda row: (row["rank"], row["name"]),
    )
    n = len(comparisons)
    note = (
        f"{n} tasks are too few for a critical difference of ranks; {ENOUGH_TASKS} are the least (Demšar 2006)."
        if ranks.critical_difference is None
        else "Mean ranks that are further apart than the critical difference differ at 5 % (Nemenyi)."
    )
    return {
        "tasks": [comparison["task"]["name"] for comparison in comparisons],
        "rows": rows,
        "p_value": ranks.p_value,
        "critical_difference": ranks.critical_difference,
        "note": note,
    }
