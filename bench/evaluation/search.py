"""The search of a setting: Optuna proposes a round of settings at once, from what earlier rounds have shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from bench.models.space import SearchSpace, Setting
from bench.results.cell import Trial
from bench.results.journal import ScoredSetting
from bench.support.process import setting

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

PRUNING_STARTS = 3
"""Other settings that a setting is compared with, at least, before the search stops it."""


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Parameters
    ----------
    trials : list of Trial
        All settings that were tried.
    params : dict
        The best setting, by dotted name; empty if none was scored.
    score : float or None
        Its score.
    notes : list of str
        What was out of the ordinary.
    warnings : Counter of str
        What the fits warned of.
    seconds : float or None
        What the fits took; None where nothing was searched.
    processors : Counter of str
        How many fits ran on which processor.
    """

    trials: list[Trial] = field(default_factory=list)
    params: Setting = field(default_factory=dict)
    score: float | None = None
    notes: list[str] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    seconds: float | None = None
    processors: Counter[str] = field(default_factory=Counter)


def ask(
    space: SearchSpace, first: Setting | None, told: Sequence[ScoredSetting], count: int, minimise: bool, seed: int
) -> list[Mapping[str, object]]:
    """Let Optuna's TPE (Bergstra et al. 2011) propose the settings of a round.

    The answer depends on the arguments alone. Within a round, TPE takes the settings that it has just proposed for as
    bad as the worst (the constant liar of Ginsbourger et al. 2010), so that it proposes others.

    Parameters
    ----------
    space : SearchSpace
        What is searched.
    first : mapping or None
        The setting that the first round begins with.
    told : sequence of ScoredSetting
        All settings of earlier rounds, in order.
    count : int
        How many are proposed.
    minimise : bool
        Whether less is better.
    seed : int
        The seed of the round.

    Returns
    -------
    list of dict
        The settings as Optuna keeps them.
    """
    import optuna

    with setting(optuna.logging.get_verbosity, optuna.logging.set_verbosity, optuna.logging.WARNING):
        sampler = optuna.samplers.TPESampler(seed=seed)
        study = optuna.create_study(direction="minimize" if minimise else "maximize", sampler=sampler)
        study.add_trials([_as_optuna_keeps(space, each) for each in told])
        if not told and first is not None:
            study.enqueue_trial(dict(space.encode(first)))
        proposed = list[Mapping[str, object]]()
        for _ in range(count):
            trial = study.ask()
            space.suggest(trial)
            proposed.append(dict(trial.params))
    return proposed


def _as_optuna_keeps(space: SearchSpace, each: ScoredSetting) -> FrozenTrial:
    from optuna.trial import FixedTrial, TrialState, create_trial

    encoded = dict(each.encoded)
    fixed = FixedTrial(encoded)
    space.suggest(fixed)
    state = TrialState.FAIL if each.error is not None else TrialState.PRUNED if each.stopped else TrialState.COMPLETE
    return create_trial(
        state=state,
        value=each.score,
        params=encoded,
        distributions=fixed.distributions,
        intermediate_values=dict(enumerate(each.steps, start=1)),
    )


def decoded_setting(space: SearchSpace, encoded: Mapping[str, object]) -> Setting:
    """Convert a setting from Optuna's representation to its own values."""
    from optuna.trial import FixedTrial

    return space.suggest(FixedTrial(dict(encoded)))


def is_stopped(own: Sequence[float], others: Iterable[float], minimise: bool) -> bool:
    """Whether the median rule (Golovin et al. 2017) stops a setting.

    Parameters
    ----------
    own : sequence of float
        Its scores after each inner fold so far.
    others : iterable of float
        The scores after as many inner folds of the settings that it is compared with.
    minimise : bool
        Whether less is better.

    Returns
    -------
    bool
        Whether its best score so far is worse than the median of the others', of which there are at least
        `PRUNING_STARTS`.

    Examples
    --------
    >>> is_stopped([0.4], [0.5, 0.6, 0.3], minimise=False)
    True
    >>> is_stopped([0.4, 0.5], [0.5, 0.6, 0.3], minimise=False)
    False
    >>> is_stopped([0.4], [0.5, 0.6], minimise=False)
    False
    """
    compared = list(others)
    if len(compared) < PRUNING_STARTS:
        return False
    return min(own) > median(compared) if minimise else max(own) < median(compared)


def best_of(space: SearchSpace, scored: Sequence[ScoredSetting], inner_folds: int, minimise: bool) -> Searched:
    """Choose the setting with the best score, the first of equal ones; None if none was scored.

    Parameters
    ----------
    space : SearchSpace
        What was searched.
    scored : sequence of ScoredSetting
        All settings that were tried, in order.
    inner_folds : int
        How many inner folds there are.
    minimise : bool
        Whether less is better.
    """
    trials = [_trial(space, each, inner_folds) for each in scored]
    warnings, processors = Counter[str](), Counter[str]()
    seconds = math.fsum(each.seconds for each in scored)
    for each in scored:
        warnings.update(each.warnings)
        processors.update(each.processors)
    ranked = [(trial.score, trial) for trial in trials if trial.score is not None]
    if not ranked:
        return Searched(trials, warnings=warnings, seconds=seconds, processors=processors)
    sign = 1.0 if minimise else -1.0
    score, best = min(ranked, key=lambda each: (sign * each[0], each[1].number))
    failed = [trial for trial in trials if trial.failed]
    notes = [f"{len(failed)} settings failed; the first: {failed[0].error}"] if failed else []
    return Searched(trials, best.params, score, notes, warnings, seconds, processors)


def _trial(space: SearchSpace, each: ScoredSetting, inner_folds: int) -> Trial:
    stopped = (len(each.steps), inner_folds) if each.stopped else (None, None)
    return Trial(each.number, decoded_setting(space, each.encoded), each.score, each.error, *stopped)
