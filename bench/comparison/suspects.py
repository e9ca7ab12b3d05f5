"""Examples whose label good models contradict with one voice: candidates for a second look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.comparison.predictions import ComparedRun, ComparedRuns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BASELINES = ("majority", "stratified")
"""Models that look at no text, so that their agreement says nothing."""


def suspects(runs: ComparedRuns) -> list[dict[str, Any]]:
    """List the examples of which all good models predict one and the same label that is not gold.

    Good models are those that look at the text and score above those that do not; at least two kinds of
    model are needed. Predictions are out-of-fold, so no model has seen the label that it contradicts. Where there
    are probabilities, that of the predicted label must be at least what examples with that label as gold have
    on average: the threshold of confident learning (Northcutt, Jiang and Chuang 2021), without which a
    frequent label would be suspected everywhere.

    Returns
    -------
    list of dict
        ``id``, ``group``, ``gold``, ``predicted``, ``models`` (how many agree) and ``margin`` (the mean of
        the probability of the predicted label minus that of gold, None without probabilities); those with
        the greatest margin first.
    """
    good = _good(runs)
    if len({run.record["model"]["name"] for run in good}) < 2:
        return []
    votes = np.array([run.predicted for run in good])
    voted = votes[0]
    agreed = (votes == voted).all(axis=0) & (voted != runs.true)
    given = [run.probabilities for run in good if run.probabilities is not None]
    every = np.arange(len(voted))
    if given:
        mean = np.mean(given, axis=0)
        agreed &= mean[every, voted] >= _self_confidence(mean, runs.true)[voted]
        margin = mean[every, voted] - mean[every, runs.true]
    rows = np.flatnonzero(agreed)
    margins = [float(margin[row]) if given else None for row in rows]
    found = [
        {
            "id": str(runs.ids[row]),
            "group": runs.group_names[runs.groups[row]],
            "gold": runs.labels[runs.true[row]],
            "predicted": runs.labels[voted[row]],
            "models": len(good),
            "margin": margin,
        }
        for row, margin in zip(rows, margins, strict=True)
    ]
    return sorted(found, key=lambda each: (-(each["margin"] or 0.0), each["id"]))


def _self_confidence(probabilities: Floats, true: NDArray[np.intp]) -> Floats:
    """The mean probability of each label where it is gold, infinite where it never is; shape (n_labels,)."""
    return np.array(
        [
            probabilities[true == code, code].mean() if (true == code).any() else np.inf
            for code in range(probabilities.shape[1])
        ]
    )


def _good(runs: ComparedRuns) -> list[ComparedRun]:
    sign = -1.0 if runs.lower_is_better else 1.0
    scores = {run.name: sign * run.summary["scores"][runs.metric] for run in runs.runs}
    blind = [scores[run.name] for run in runs.runs if run.record["model"]["name"] in BASELINES]
    return [
        run
        for run in runs.runs
        if run.record["model"]["name"] not in BASELINES and all(scores[run.name] > score for score in blind)
    ]
