"""The search of a cell as rounds of fits, which may run anywhere and in any order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import one_line
from bench.evaluation.search import Searched, ask, best_of, decoded_setting, is_stopped
from bench.metrics import Outcomes
from bench.models.space import Setting
from bench.results.journal import ScoredSetting

if TYPE_CHECKING:
    from bench.data.splits import Split
    from bench.evaluation.evaluation import Evaluation
    from bench.evaluation.predictions import Predictions
    from bench.results.cell import Fold


@dataclass(frozen=True)
class Fit:
    """A fit of a search: one setting on one inner fold.

    Parameters
    ----------
    number : int
        The setting's place in the search.
    part : int
        The inner fold.
    params : dict
        The setting.
    """

    number: int
    part: int
    params: Setting = field(hash=False, compare=False)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit of a search left: predictions or an error.

    Parameters
    ----------
    predictions : Predictions or None
        Of the inner fold's test part; None if it failed.
    error : str or None
        Why it failed.
    warnings : dict of str to int
        What it warned of, and how often.
    seconds : float
        What it took.
    processor : str
        Where it ran; empty where that is not known.
    """

    predictions: Predictions | None
    error: str | None = None
    warnings: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    processor: str = ""


class Rounds:
    """The search of a cell.

    Settings are proposed in rounds of ``search.batch``. The fits of a round may run in any order and at the same time;
    neither the next proposals nor the chosen setting depends on that. If the model sets ``prune``, all
    settings of a round are fitted on one inner fold before the next one, and a setting is stopped if its best score
    so far is worse than the median of the others': of the round's, and of earlier ones that were scored in full.

    Parameters
    ----------
    evaluation : Evaluation
        What is searched.
    fold : int or "final"
        The cell's fold.
    known : iterable of ScoredSetting
        Settings that were tried before. They are not tried again if the search proposes them again.

    Attributes
    ----------
    inner : sequence of Split
        The inner folds; empty without a search.
    searched : Searched or None
        What the search found, None while it runs.
    """

    def __init__(self, evaluation: Evaluation, fold: Fold, known: Iterable[ScoredSetting] = ()) -> None:
        self._evaluation, self._fold = evaluation, fold
        self._metric, self._search = evaluation.task.scored_by, evaluation.search
        self._space, self._prunes = evaluation.model.search, evaluation.model.prune
        self._known = {each.number: each for each in known}
        self.inner: Sequence[Split] = []
        self.searched: Searched | None = None
        self._earlier = list[ScoredSetting]()
        self._round = dict[int, _Setting]()
        self._new = list[ScoredSetting]()
        self._stage = 0
        if not evaluation.searches:
            self.searched = Searched()
            return
        self.inner = evaluation.inner_splits(fold)
        if not self.inner:
            note = "training has one group, which inner folds cannot split, so there was no search"
            self.searched = Searched(notes=[note])
        self._go_on()

    @property
    def seconds(self) -> float:
        """What the fits so far took."""
        return math.fsum([*(each.seconds for each in self._earlier), *(each.seconds for each in self._round.values())])

    def ready(self) -> list[Fit]:
        """The available fits that are not taken, by setting."""
        parts = [self._stage] if self._prunes else range(len(self.inner))
        return [
            Fit(setting.number, part, setting.params)
            for setting in self._round.values()
            for part in parts
            if setting.needs(part)
        ]

    def take(self, fits: Iterable[Fit]) -> None:
        """Take fits, which are going to run."""
        for fit in fits:
            self._round[fit.number].taken.add(fit.part)

    def give_back(self, fits: Iterable[Fit]) -> None:
        """Return fits that were taken but not finished."""
        for fit in fits:
            if fit.number in self._round:
                self._round[fit.number].taken.discard(fit.part)

    def tell(self, fit: Fit, fitted: Fitted) -> list[ScoredSetting]:
        """Record the result of a fit, and return the settings that it finishes."""
        setting = self._round.get(fit.number)
        if setting is None or setting.scored is not None:  # Another of its fits has failed meanwhile.
            return []
        setting.fitted[fit.part] = fitted
        self._go_on()
        new, self._new = self._new, []
        return new

    @property
    def _minimise(self) -> bool:
        return not self._metric.greater_is_better

    def _go_on(self) -> None:
        """Score complete settings, and propose the next round once all of this one are complete."""
        while self.searched is None:
            self._keep_to_the_time()
            if self._prunes:
                self._end_stages()
            else:
                self._end_complete()
            if any(setting.scored is None for setting in self._round.values()):
                return
            self._earlier += [setting.scored for setting in self._round.values() if setting.scored is not None]
            self._propose()

    def _out_of_time(self) -> bool:
        return self._search.timeout is not None and self.seconds > self._search.timeout

    def _keep_to_the_time(self) -> None:
        """Drop settings of the round that were not begun when the time was up; one setting at least is tried."""
        begun = {number: setting for number, setting in self._round.items() if setting.begun}
        if (begun or self._earlier) and self._out_of_time():
            self._round = begun

    def _propose(self) -> None:
        number = len(self._earlier)
        count = min(self._search.batch, self._search.trials - number)
        self._round, self._stage = {}, 0
        if count <= 0 or (number and self._out_of_time()):
            self.searched = best_of(self._space, self._earlier, len(self.inner), self._minimise)
            return
        seed = self._evaluation.seed_of(self._fold, "search", number // self._search.batch)
        first = self._evaluation.model.first_setting
        proposed = ask(self._space, first, self._earlier, count, self._minimise, seed)
        for place, encoded in enumerate(proposed, start=number):
            known = self._known.get(place)
            if known is not None and known.encoded != encoded:
                known = None
            self._round[place] = _Setting(place, encoded, decoded_setting(self._space, encoded), known)

    def _going(self) -> list[_Setting]:
        return [setting for setting in self._round.values() if setting.scored is None]

    def _end_complete(self) -> None:
        """Score the settings with finished fits. If a fit of a setting fails, only earlier fits count."""
        for setting in self._going():
            failed = min((part for part, each in setting.fitted.items() if each.error is not None), default=None)
            needed = range(len(self.inner) if failed is None else failed)
            if set(needed) <= setting.fitted.keys():
                setting.fitted = {part: each for part, each in setting.fitted.items() if part <= needed.stop}
                if failed is not None:
                    self._end(setting, error=setting.fitted[failed].error)
                elif (score := self._pooled(setting)) is not None:
                    self._end(setting, score)

    def _end_stages(self) -> None:
        """Score the round after each inner fold that all its settings have come to, and stop some of them."""
        while self._stage < len(self.inner) and all(self._stage in setting.fitted for setting in self._going()):
            for setting in self._going():
                if (error := setting.fitted[self._stage].error) is not None:
                    self._end(setting, error=error)
                elif (score := self._pooled(setting)) is not None:
                    setting.steps.append(score)
            self._stage += 1
            for setting in self._to_be_stopped():
                self._end(setting)
        for setting in self._going() if self._stage == len(self.inner) else []:
            self._end(setting, setting.steps[-1])

    def _to_be_stopped(self) -> list[_Setting]:
        if self._stage == len(self.inner):
            return []
        earlier = [each.steps[self._stage - 1] for each in self._earlier if each.score is not None]
        reached = {
            number: setting.steps[self._stage - 1]
            for number, setting in self._round.items()
            if len(setting.steps) >= self._stage
        }
        return [
            setting
            for setting in self._going()
            if is_stopped(
                setting.steps,
                [*earlier, *(score for number, score in reached.items() if number != setting.number)],
                self._minimise,
            )
        ]

    def _end(self, setting: _Setting, score: float | None = None, error: str | None = None) -> None:
        warnings = Counter[str]()
        for each in setting.fitted.values():
            warnings.update(each.warnings)
        setting.scored = ScoredSetting(
            setting.number,
            setting.encoded,
            score,
            error,
            tuple(setting.steps),
            dict(warnings),
            setting.seconds,
            Counter(each.processor for each in setting.fitted.values() if each.processor),
        )
        setting.fitted = {}
        self._new.append(setting.scored)

    def _pooled(self, setting: _Setting) -> float | None:
        """The score of a setting's predictions so far, each inner fold as its own test part; None ends it."""
        task, parts = self._evaluation.task, self.inner[: len(setting.fitted)]
        rows = np.concatenate([split.test for split in parts])
        predictions = [each for part in range(len(parts)) if (each := setting.fitted[part].predictions) is not None]
        probabilities = [each.probabilities for each in predictions if each.probabilities is not None]
        outcomes = Outcomes(
            true=task.codes[rows],
            predicted=np.concatenate([each.codes for each in predictions]).astype(np.intp),
            n_labels=len(task.labels),
            groups=np.zeros(len(rows), dtype=np.intp),
            parts=np.repeat(np.arange(len(parts)), [len(each.codes) for each in predictions]),
            probabilities=np.concatenate(probabilities) if probabilities else None,
            values=None if task.value_codes is None else task.value_codes[rows],
        )
        try:
            score = float(self._metric.score(outcomes))
            if not math.isfinite(score):
                raise ValueError(f"its {self._metric.title} is {score}")
        except Exception as error:
            self._end(setting, error=one_line(f"{type(error).__name__}: {error}"))
            return None
        return score


class _Setting:
    """A setting of the round."""

    def __init__(
        self, number: int, encoded: Mapping[str, object], params: Setting, known: ScoredSetting | None
    ) -> None:
        self.number, self.encoded, self.params = number, encoded, params
        self.scored = known
        self.steps = [] if known is None else list(known.steps)
        self.taken = set[int]()
        self.fitted = dict[int, Fitted]()

    @property
    def begun(self) -> bool:
        return bool(self.taken) or self.scored is not None

    @property
    def seconds(self) -> float:
        if self.scored is not None:
            return self.scored.seconds
        return math.fsum(each.seconds for each in self.fitted.values())

    def needs(self, part: int) -> bool:
        """Whether a fit that would count is still available."""
        failed = any(each.error is not None and before < part for before, each in self.fitted.items())
        return self.scored is None and part not in self.taken and not failed
