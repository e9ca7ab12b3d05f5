"""What MLflow's page shows first of an experiment: which columns and charts, in which order."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bench.metrics.registry import METRICS, greater_is_better

RANKING, FOLDS = "ranking", "folds"
"""The views: the models by the task's metric; the models with their folds below them."""

LEVEL = "bench.level"
"""The tag that tells a model's run from an outer fold's: ``model`` or ``fold``."""

SCORE = "bench.score"
"""The tag with a run's score by the task's metric and its interval, in three digits."""

AGAINST_MAJORITY = "bench.against_majority"
"""The tag with the verdict on a model's run: ``better``, ``worse``, ``practically equal`` or ``undecided``."""

CREATED = "attributes.start_time"
"""The page's default sort column; only then does it show child runs below their parent."""

PAGE_STATE = 'MLflowLocalStorage-1.1-ExperimentPage-["{}"]-ReactComponentState'
"""Where MLflow's page keeps, in the browser, how one experiment was last looked at."""

PAGE_SETTINGS: Mapping[str, object] = {
    "mlflow.workflowType_v1": "machine_learning",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": True,
    "mlflow.assistant.panelOpen_v1": False,
}
"""The page's own settings: it opens on trained models rather than on chats, without its assistant.

`bench ui` does not offer the assistant, which would take a third of the width.
"""


def view_tags(metric: str) -> dict[str, str]:
    """The tags of an experiment in which MLflow's page finds its saved views.

    Parameters
    ----------
    metric : str
        The task's metric.

    Examples
    --------
    >>> sorted(view_tags("macro_f1"))
    ['mlflow.sharedViewState.folds', 'mlflow.sharedViewState.ranking']
    """
    ranking = {**_ranking(metric), **_charts(metric)}
    views = {
        RANKING: ("Ranking", ranking),
        FOLDS: ("Models and folds", {**ranking, "searchFilter": "", "orderByKey": CREATED, "orderByAsc": False}),
    }
    return {
        f"mlflow.sharedViewState.{key}": json.dumps({"name": name, "createdAt": 0, "state": json.dumps(view)})
        for key, (name, view) in views.items()
    }


def page_storage(metrics: Mapping[str, str]) -> dict[str, object]:
    """What the browser stores before it opens the page, so that every experiment opens on its ranking.

    MLflow's page keeps in the browser how each experiment was last looked at, and opens it so again.

    Parameters
    ----------
    metrics : mapping of str to str
        The metric of each experiment, by the experiment's id.

    Returns
    -------
    dict
        ``settings`` of the page as a whole; and ``experiments``: by the place in the browser's storage, ``order``,
        which is set each time, and ``charts``, which are set where there are none.

    Examples
    --------
    >>> storage = page_storage({"2": "log_loss"})
    >>> storage["experiments"][PAGE_STATE.format(2)]["order"]["orderByKey"]
    'metrics.`test/log_loss`'
    """
    return {
        "settings": PAGE_SETTINGS,
        "experiments": {
            PAGE_STATE.format(experiment): {"order": _ranking(metric), "charts": _charts(metric)}
            for experiment, metric in metrics.items()
        },
    }


def _ranking(metric: str) -> dict[str, object]:
    """The state of MLflow's page that ranks the models by a metric.

    The score in three digits and the verdict come first, then the figures, the task's metric before the others.
    """
    figures = [f"{metric}_low", f"{metric}_high", *_others(metric)]
    ranked_by = f"metrics.`test/{metric}`"
    columns = [
        f"tags.`{SCORE}`",
        f"tags.`{AGAINST_MAJORITY}`",
        ranked_by,
        *(f"metrics.`test/{name}`" for name in figures),
    ]
    # Pixels, so that no title is cut.
    widths = {column: max(140, 7 * len(column)) for column in columns}
    return {
        "searchFilter": f"tags.`{LEVEL}` = 'model'",
        "orderByKey": ranked_by,
        "orderByAsc": not greater_is_better(metric),
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": {**widths, f"tags.`{SCORE}`": 190},
    }


def _charts(metric: str) -> dict[str, object]:
    """The state of MLflow's page whose charts begin with a metric; the page adds those that are missing."""
    return {
        "compareRunSections": [{"uuid": "test", "name": "test", "display": True, "isReordered": True}],
        "compareRunCharts": [_chart(f"test/{name}") for name in (metric, *_others(metric))],
        # The page sorts sections by name unless somebody has moved them.
        "isAccordionReordered": True,
    }


def _others(metric: str) -> list[str]:
    return [each.name for each in METRICS if each.name != metric]


def _chart(metric: str) -> dict[str, object]:
    return {
        "uuid": metric,
        "type": "BAR",
        "metricKey": metric,
        "displayName": metric.rpartition("/")[2],
        "metricSectionId": "test",
        "runsCountToCompare": 20,
        "deleted": False,
        "isGenerated": True,
    }
