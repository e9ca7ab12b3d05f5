"""Views of an experiment's runs, as MLflow's page keeps them: which columns, in which order."""

from __future__ import annotations

import json

from bench.metrics.registry import METRICS, greater_is_better

RANKING, FOLDS = "ranking", "folds"
"""The views: the models by the task's metric; the models with their folds below them."""

LEVEL = "bench.level"
"""The tag that tells a model's run from an outer fold's: ``model`` or ``fold``."""

AGAINST_MAJORITY = "bench.against_majority"
"""The tag with the verdict on a model's run: ``better``, ``worse``, ``practically equal`` or ``undecided``."""

CREATED = "attributes.start_time"
"""What the page sorts by where nobody asks; it shows child runs below their parent only then."""


def view_tags(metric: str) -> dict[str, str]:
    """The tags of an experiment in which MLflow's page finds its views.

    Parameters
    ----------
    metric : str
        The task's metric. Its column comes first, then those of its interval's ends, the verdict against the
        majority, and the other metrics.

    Examples
    --------
    >>> sorted(view_tags("macro_f1"))
    ['mlflow.sharedViewState.folds', 'mlflow.sharedViewState.ranking']
    """
    names = [metric, f"{metric}_low", f"{metric}_high", *(each.name for each in METRICS if each.name != metric)]
    columns = [f"metrics.`test/{name}`" for name in names]
    columns.insert(3, f"tags.`{AGAINST_MAJORITY}`")
    by_score = {
        "searchFilter": f"tags.`{LEVEL}` = 'model'",
        "orderByKey": columns[0],
        "orderByAsc": not greater_is_better(metric),
    }
    by_time = {"searchFilter": "", "orderByKey": CREATED, "orderByAsc": False}
    views = {RANKING: ("Ranking", by_score), FOLDS: ("Models and folds", by_time)}
    # Pixels, so that no title is cut.
    widths = {column: max(140, 7 * len(column)) for column in columns}
    return {
        f"mlflow.sharedViewState.{key}": json.dumps(
            {
                "name": name,
                "createdAt": 0,
                "state": json.dumps(
                    {**order, "selectedColumns": columns, "columnOrder": columns, "columnWidths": widths}
                ),
            }
        )
        for key, (name, order) in views.items()
    }
