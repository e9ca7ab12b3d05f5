"""Examples whose label good models contradict with one voice: candidates for a second look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.verdict import LEVEL
from bench.metrics.confusion import UNANSWERED
from bench.metrics.matthews import MCC
from bench.statistics.paired import FEWEST_GROUPS, group_difference, holm

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

    Good models are those that look at the text, score above those that do not, of which one must be among the runs,
    and have a correlation with the labels that is surely above 0 and above theirs; at least two kinds of model are
    needed. Where the outer folds were repeated, the label must be the same in every repeat, and probabilities are means
    over repeats. Predictions are out-of-fold, so no model has seen the label that it contradicts. Where there are
    probabilities, that of the predicted label must be at least what examples with that label as gold have on average:
    the threshold of confident learning (Northcutt, Jiang and Chuang 2021), without which a frequent label would be
    suspected everywhere.

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
    blind = [run for run in runs.runs if run.record.model.name in BASELINES]
    seeing = [run for run in runs.runs if run.record.model.name not in BASELINES]
    if not blind or not seeing:
        return []
    best = max(runs.metric.sign * run.score for run in blind)
    p_values = holm(_p_values(runs, seeing, blind))
    return [
        run
        for run, p_value in zip(seeing, p_values, strict=True)
        if runs.metric.sign * run.score > best and p_value < LEVEL
    ]


def _p_values(runs: ComparedRuns, seeing: Sequence[ComparedRun], blind: Sequence[ComparedRun]) -> list[float]:
    """The p-value of each model that its correlation with the labels is none, or no higher than that of a blind one."""
    n_groups = len(runs.group_names)
    factor = runs.training_factor()
    none = _Correlation(0.0, np.zeros(runs.bootstrap.draws), np.zeros(n_groups))
    by_chance = [none, *(_Correlation.of(run, runs) for run in blind)]

    def p_value(one: _Correlation, other: _Correlation) -> float:
        found = group_difference(
            [one.score, other.score], [one.drawn, other.drawn], n_groups, factor, left_out=[one.without, other.without]
        )
        return (found.p_value or 0.0) if found.difference > 0.0 and n_groups >= FEWEST_GROUPS else 1.0

    correlations = (_Correlation.of(run, runs) for run in seeing)
    return [max(p_value(each, other) for other in by_chance) for each in correlations]


@dataclass(frozen=True)
class _Correlation:
    """A model's Matthews correlation: of all groups, of each bootstrap draw, and without each group.

    Unlike most metrics it does not reward a guess for how often it gives each label.
    """

    score: float
    drawn: Floats
    without: Floats

    @classmethod
    def of(cls, run: ComparedRun, runs: ComparedRuns) -> _Correlation:
        outcomes = run.outcomes
        return cls(MCC.score(outcomes), MCC.drawn(outcomes, runs.bootstrap), MCC.without_each(outcomes))
