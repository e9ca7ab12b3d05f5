"""Examples whose label good models contradict with one voice: candidates for a second look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.metrics.confusion import UNANSWERED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MAJORITY = "majority"
"""The baseline that is always run."""

BASELINES = (MAJORITY, "stratified")
"""Models that look at no text, so that their agreement says nothing."""


@dataclass(frozen=True)
class Suspect:
    """An example whose label is worth a second look.

    Parameters
    ----------
    id, group : str
        The example and its group.
    gold, predicted : str
        Its label, and the one that good models predict.
    models : int
        How many kinds of model agree.
    margin : float or None
        The mean of the probability of the predicted label minus that of gold; None without probabilities.
    """

    id: str
    group: str
    gold: str
    predicted: str
    models: int
    margin: float | None


def suspects(runs: ComparedRuns) -> list[Suspect]:
    """List the examples of which all good models predict one and the same label that is not gold.

    An answer that is missing agrees with none.

    Good models are those that look at the text and score above those that do not, of which one must be among the
    runs; at least two kinds of model are needed. Where the outer folds were repeated, the label must be the same in
    every repeat, and probabilities are means over repeats. Predictions are out-of-fold, so no model has seen the
    label that it contradicts. Where there are probabilities, that of the predicted label must be at least what
    examples with that label as gold have on average: the threshold of confident learning (Northcutt, Jiang and
    Chuang 2021), without which a frequent label would be suspected everywhere.

    Returns
    -------
    list of Suspect
        Those with the greatest margin first.
    """
    good = _good(runs)
    kinds = len({run.record.model.name for run in good})
    if kinds < 2:
        return []
    votes = np.array([run.predicted for run in good])
    # Each example once: its first row, and of all its rows which example they are of.
    first, example = np.unique(runs.ids.astype(str), return_index=True, return_inverse=True)[1:]
    voted, true = votes[0, first], runs.true[first]
    alike = (votes == voted[example]).all(axis=0)
    agreed = (np.bincount(example, weights=~alike) == 0) & (voted != true) & (voted != UNANSWERED)
    given = [run.probabilities for run in good if run.probabilities is not None]
    every = np.arange(len(voted))
    if given:
        by_row = np.mean(given, axis=0)
        mean = np.array([np.bincount(example, weights=column) for column in by_row.T]).T
        mean /= np.bincount(example)[:, None]
        agreed &= mean[every, voted] >= _self_confidence(mean, true)[voted]
        margin = mean[every, voted] - mean[every, true]
    places = np.flatnonzero(agreed)
    margins = [float(margin[place]) if given else None for place in places]
    found = [
        Suspect(
            id=str(runs.ids[first[place]]),
            group=runs.group_names[runs.groups[first[place]]],
            gold=runs.labels[true[place]],
            predicted=runs.labels[voted[place]],
            models=kinds,
            margin=margin,
        )
        for place, margin in zip(places, margins, strict=True)
    ]
    return sorted(found, key=lambda each: (-(each.margin or 0.0), each.id))


def _self_confidence(probabilities: Floats, true: NDArray[np.intp]) -> Floats:
    """The mean probability of each label where it is gold, infinite where it never is; shape (n_labels,)."""
    return np.array(
        [
            probabilities[true == code, code].mean() if (true == code).any() else np.inf
            for code in range(probabilities.shape[1])
        ]
    )


def _good(runs: ComparedRuns) -> list[ComparedRun]:
    """The runs of good models; none where no model that looks at no text shows what chance does."""
    scores = {run.name: runs.metric.sign * run.score for run in runs.runs}
    blind = [scores[run.name] for run in runs.runs if run.record.model.name in BASELINES]
    return [
        run for run in runs.runs if run.record.model.name not in BASELINES and blind and scores[run.name] > max(blind)
    ]
