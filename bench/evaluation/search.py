"""The search of a setting by Optuna."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bench.config import Search
from bench.errors import one_line
from bench.models.model import Model
from bench.models.space import Setting
from bench.results.cell import Trial
from bench.support.process import setting

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial

    Report = Callable[[float, int, int], None]
    Objective = Callable[[Setting, Report | None], float]

PRUNING_STARTS = 3
"""Settings that are scored in full before the search stops any."""


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Parameters
    ----------
    trials : list of Trial
        All settings that were tried.
    params : dict
        The best setting, by dotted name; empty where none was scored.
    score : float or None
        Its score.
    notes : list of str
        What was out of the ordinary.
    """

    trials: list[Trial] = field(default_factory=list)
    params: Setting = field(default_factory=dict)
    score: float | None = None
    notes: list[str] = field(default_factory=list)


def run_trials(objective: Objective, model: Model, search: Search, minimise: bool, seed: int) -> list[Trial]:
    """Let Optuna's TPE (Bergstra et al. 2011) propose settings and record what each scores.

    The model's own setting is tried first where it has one for every searched parameter. Where the model says
    ``prune``, Optuna's median rule stops a setting whose best score so far is worse than the median of what the
    settings that were scored in full had after as many inner folds, once there are `PRUNING_STARTS` of these.

    Parameters
    ----------
    objective : callable
        From a setting to its score; a setting for which it raises is recorded as failed. Where the model says
        ``prune`` it is also given what to call after each inner fold but the last, with the score so far, the
        number of inner folds done and the number of all; else None.
    model : Model
        Whose space is searched.
    search : Search
        The budget.
    minimise : bool
        Whether less is better.
    seed : int
        Seed of the sampler.
    """
    import optuna

    with setting(optuna.logging.get_verbosity, optuna.logging.set_verbosity, optuna.logging.WARNING):
        study = optuna.create_study(
            direction="minimize" if minimise else "maximize",
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNING_STARTS, n_warmup_steps=0),
        )
    if model.first_setting is not None:
        study.enqueue_trial(dict(model.search.encode(model.first_setting)))
    trials: list[Trial] = []
    start = time.perf_counter()
    for number in range(search.trials):
        if trials and search.timeout is not None and time.perf_counter() - start > search.timeout:
            break
        asked = study.ask()
        params = model.search.suggest(asked)
        try:
            score = objective(params, partial(_report, asked) if model.prune else None)
        except _Pruned as stop:
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
            trials.append(Trial(number, params, None, pruned_after=stop.done, inner_folds=stop.of))
        except Exception as error:
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
            trials.append(Trial(number, params, None, one_line(f"{type(error).__name__}: {error}")))
        else:
            study.tell(asked, score)
            trials.append(Trial(number, params, score))
    return trials


class _Pruned(Exception):  # noqa: N818
    """The search stops a setting after some of the inner folds."""

    def __init__(self, done: int, of: int) -> None:
        super().__init__(done, of)
        self.done, self.of = done, of


def _report(asked: OptunaTrial, score: float, done: int, of: int) -> None:
    asked.report(score, done)
    if asked.should_prune():
        raise _Pruned(done, of)


def best_of(trials: list[Trial], minimise: bool) -> Searched:
    """Choose the setting with the best score, the first of equal ones; none where none was scored."""
    scored = [(trial.score, trial) for trial in trials if trial.score is not None]
    if not scored:
        return Searched(trials)
    sign = 1.0 if minimise else -1.0
    score, best = min(scored, key=lambda each: (sign * each[0], each[1].number))
    failed = [trial for trial in trials if trial.failed]
    notes = [f"{len(failed)} settings failed; the first: {failed[0].error}"] if failed else []
    return Searched(trials, best.params, score, notes)
