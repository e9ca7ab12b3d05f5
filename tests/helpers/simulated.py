"""Searches whose scores are given, so that nothing need be fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from bench.config import Search
from bench.data.splits import Split
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.predictions import Predictions
from bench.evaluation.rounds import Fit, Fitted, Rounds
from bench.metrics import Outcomes
from bench.models.model import Model
from bench.results.journal import ScoredSetting
from bench.support.seeding import derive_seed

Curve = Callable[[Fit], float]
"""From a fit to its setting's score after its inner fold; where it raises a ValueError, the fit fails."""


class GivenScores:
    """A metric that looks its scores up."""

    name, title, needs_probabilities = "given", "given", False

    def __init__(self, minimise: bool) -> None:
        self.greater_is_better = not minimise
        self.scores = dict[tuple[int, int], float]()

    def score(self, outcomes: Outcomes) -> float:
        return self.scores[int(outcomes.predicted[0]), int(outcomes.parts.max()) + 1]


class Simulated:
    """A search of a model by given scores.

    Its fits run one by one, in the order that `chosen` gives: from the fits that are ready to the place of the next.
    """

    def __init__(
        self,
        curve: Curve,
        model: Model,
        search: Search,
        minimise: bool = False,
        seed: int = 0,
        folds: int = 1,
        seconds: float = 0.0,
        known: Iterable[ScoredSetting] = (),
    ) -> None:
        self.curve, self.seconds = curve, seconds
        self.metric = GivenScores(minimise)
        rows = np.arange(folds)
        task = SimpleNamespace(scored_by=self.metric, codes=np.zeros(folds, int), labels=("a",), value_codes=None)
        evaluation = SimpleNamespace(
            task=task,
            model=model,
            search=search,
            searches=bool(model.search) and search.trials > 0,
            inner_splits=lambda _: [Split(rows, rows[place : place + 1]) for place in range(folds)],
            seed_of=lambda _, *purpose: derive_seed(seed, *purpose),
        )
        self.rounds = Rounds(cast(Evaluation, evaluation), 0, known)
        self.done: Counter[int] = Counter()
        self.scored = list[ScoredSetting]()
        self.warned = False

    def fit(self, fit: Fit) -> None:
        self.rounds.take([fit])
        self.done[fit.number] += 1
        warnings = {"UserWarning: odd": 1} if self.warned else {}
        try:
            self.metric.scores[fit.number, fit.part + 1] = self.curve(fit)
        except ValueError as error:
            fitted = Fitted(None, f"ValueError: {error}", warnings, self.seconds)
        else:
            fitted = Fitted(Predictions(np.full(1, fit.number)), None, warnings, self.seconds)
        self.scored += self.rounds.tell(fit, fitted)

    def run(self, chosen: Callable[[list[Fit]], int] = lambda _: 0) -> Any:
        while self.rounds.searched is None:
            ready = self.rounds.ready()
            self.fit(ready[chosen(ready)])
        return self.rounds.searched


def searched(*args: Any, **settings: Any) -> Any:
    """What such a search finds."""
    return Simulated(*args, **settings).run()
