"""Views of an experiment's runs, as MLflow's page keeps them: which columns, in which order."""

from __future__ import annotations

import json

from bench.evaluation.metrics import LOWER_IS_BETTER, METRICS

RANKING, FOLDS = "ranking", "folds"
"""The views: the models by the task's metric; the models with their folds below them."""

LEVEL = "bench.level"
"""The tag that tells a model's run from an outer fold's: ``model`` or ``fold``."""

CREATED = "attributes.start_time"
"""What the page sorts by where nobody asks; it shows child runs below their parent only then."""


def view_tags(metric: str) -> dict[str, str]:
    """The tags of an experiment in which MLflow's page finds its views.

    Parameters
    ----------
    metric : str
        The task's metric. Its column comes first, then those of its interval's ends, then the other metrics.

    Examples
    --------
    >>> sorted(view_tags("macro_f1"))
    ['mlflow.sharedViewState.folds', 'mlflow.sharedViewState.ranking']
    """
    names = [metric, f"{metric}_low", f"{metric}_high", *(name for name in METRICS if name != metric)]
    columns = [f"metrics.`test/{name}`" for name in names]
    by_score = {
        "searchFilter": f"tags.`{LEVEL}` = 'model'",
        "orderByKey": columns[0],
        "orderByAsc": metric in LOWER_IS_BETTER,
    }
    by_time = {"searchFilter": "", "orderByKey": CREATED, "orderByAsc": False}
    views = {RANKING: ("Ranking", by_score), FOLDS: ("Models and folds", by_time)}
    widths = dict.fromkeys(columns, 140)
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
