"""Reference rows: the score of each annotation pass as a model, with the others as gold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.outcomes import Outcomes, label_indices
from bench.metrics.scoring import scored
from bench.results.record import Reference

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bench.metrics import Metric


def pass_scores(
    passes: pd.DataFrame,
    groups: NDArray[np.str_],
    labels: tuple[str, ...],
    metric: Metric,
    values: NDArray[np.intp] | None = None,
) -> tuple[Reference, ...]:
    """Score each annotation pass against the majority of the others.

    If the others are tied, each label with the most votes counts as an equal share of gold, so that
    a pass gets its average score over random tie-breaking.

    Parameters
    ----------
    passes : pandas.DataFrame of shape (n_examples, n_passes)
        Label names; at least two passes.
    groups : ndarray of str, shape (n_examples,)
        The examples' groups.
    labels : tuple of str
        The task's labels.
    metric : Metric
        The task's metric.
    values : ndarray of int, shape (n_examples,), optional
        The value of each example that the metric is averaged over.

    Returns
    -------
    tuple of Reference
        One for each pass, by the metrics of predicted labels.

    Examples
    --------
    >>> import pandas as pd
    >>> from bench.metrics import find_metric
    >>> passes = pd.DataFrame({"a": ["yes", "no"], "b": ["yes", "no"], "c": ["yes", "yes"]})
    >>> rows = pass_scores(passes, np.array(["d1", "d2"]), ("yes", "no"), find_metric("macro_f1"))
    >>> [(row.name, row.scores["accuracy"], row.tied) for row in rows]
    [('a', 0.75, 1), ('b', 0.75, 1), ('c', 0.5, 0)]
    """
    codes = {str(name): label_indices(passes[name].to_numpy(dtype=str), labels) for name in passes.columns}
    votes = {name: np.eye(len(labels))[of_pass] for name, of_pass in codes.items()}
    places = np.unique(groups, return_inverse=True)[1]
    rows = []
    for name, of_pass in codes.items():
        others = sum((counted for other, counted in votes.items() if other != name), np.zeros(()))
        most = others == others.max(axis=1, keepdims=True)
        gold = most / most.sum(axis=1, keepdims=True)
        example, label = np.nonzero(gold)
        outcomes = Outcomes(
            true=label,
            predicted=of_pass[example],
            n_labels=len(labels),
            groups=places[example],
            parts=np.zeros(len(example), dtype=np.intp),
            weights=gold[example, label],
            values=None if values is None else values[example],
        )
        known = scored(outcomes, metric)
        rows.append(Reference(name, known.scores, known.intervals, tied=int((most.sum(axis=1) > 1).sum())))
    return tuple(rows)
