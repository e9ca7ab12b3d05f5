"""Estimate how long costly models will take on this machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.config import RunConfig, Search
from bench.discovery import config_files, load_config
from bench.engines.engine import Died, Failed, TimedOut, Unit, Value, outcome_of
from bench.engines.gpus import gpus
from bench.errors import BenchError, ConfigError
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.search import PRUNING_STARTS
from bench.planning.workers import open_engine
from bench.results.cell import Fold
from bench.support.doing import Doing, unobserved
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    from bench.planning.planned import PlannedRun

WORTH_SAYING = 60.0
"""The estimated seconds above which a run gets a note."""

LEFT_BY_PRUNING = 0.62
"""The part of the inner fits that is done all the same where the search stops settings early.

Measured with `logreg` in rounds of 8 settings over 5 seeds each, as ``tests/benchmarks/batches.py`` does: of 10 and 30
settings 0.67 and 0.74 on the task denial, 0.53 and 0.54 on stance.
"""

TIMEOUT_FACTOR = 3
"""The safety factor of the proposed time limit over the estimate of a fold."""

ROUNDED_TO = 600
"""The step in seconds for rounding that limit up."""


def time_notes(runs: Sequence[PlannedRun], config: RunConfig, workers: int, doing: Doing = unobserved) -> list[str]:
    """Estimate how long runs will take, if their estimators support it.

    An estimator's method ``estimate_seconds(X, y)`` returns the seconds of one ``fit`` on these rows in one
    process. It is called once for each run, with the model's own parameters and all examples, in a worker process.

    Parameters
    ----------
    runs : sequence of PlannedRun
        The planned runs.
    config : RunConfig
        The budget of the search, and the limit of a fold.
    workers : int
        Processes that run them.
    doing : callable
        Receives progress messages.

    Returns
    -------
    list of str
        For each run of more than a minute, its time and that of smaller searches. If a fold
        comes near ``execution.cell_timeout``, a better value.
    """
    notes = []
    for run in runs:
        folds = run.all_folds if run.anew else run.missing_folds()
        if not run.estimates_time or not folds:
            continue
        where = run.title
        doing(f"estimating how long {run.evaluation.model.name} takes on {run.evaluation.task.name}")
        with open_engine(config.execution.device) as engine:
            outcome = outcome_of(engine, Unit(one_fit_seconds, (run.evaluation,), config.execution.cell_timeout))
        # The estimator may be a plug-in, and the run does not depend on this.
        match outcome:
            case Value(one_fit):
                notes += _notes(where, run, folds, one_fit, config, workers)
                continue
            case Failed(BenchError() as error):
                reason = error.message
            case Died():
                reason = f"its process {outcome.told}"
            case Failed() | TimedOut():
                reason = outcome.told
        notes.append(f"{where}: its time cannot be estimated: {reason}")
    return notes


def one_fit_seconds(evaluation: Evaluation) -> float:
    """Ask an estimator for the time of one fit on all examples, with the model's own parameters.

    Parameters
    ----------
    evaluation : Evaluation
        Its model's estimator has the method ``estimate_seconds``.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        If the answer is not a number of seconds.
    """
    task, seed = evaluation.task, derive_seed(evaluation.seed, evaluation.task.name, "estimate")
    features = evaluation.model.build_features({}, task, seed)
    estimator = evaluation.model.build_estimator({}, task, seed)
    X = task.frame if features is None else features.fit_transform(task.frame, task.y)
    seconds = float(estimator.estimate_seconds(X, task.y))
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"estimate_seconds gave {seconds}, expected a number of seconds")
    return seconds


def fold_seconds(evaluation: Evaluation, fold: Fold, one_fit: float, search: Search) -> float:
    """Estimate a cell: its search, and the fit of the chosen setting.

    Fits are taken to cost as the number of their rows, and all settings as much as the model's own. Where the
    search stops settings early, they are taken to need the part `LEFT_BY_PRUNING` of their fits.

    Parameters
    ----------
    evaluation : Evaluation
        What is evaluated.
    fold : int or "final"
        The cell's fold.
    one_fit : float
        Seconds of one fit on all examples.
    search : Search
        The budget.

    Returns
    -------
    float
        Seconds in one process.
    """
    n = len(evaluation.task)
    final_fit = one_fit * len(evaluation.training_rows(fold)) / n
    if not evaluation.model.search or not search.trials:
        return final_fit
    one_trial = one_fit * sum(len(split.train) for split in evaluation.inner_splits(fold)) / n
    trials = float(search.trials)
    if evaluation.model.prune and trials > PRUNING_STARTS:
        trials *= LEFT_BY_PRUNING
    return min(one_trial * trials, one_trial + (search.timeout or math.inf)) + final_fit


def _notes(
    where: str, run: PlannedRun, folds: Sequence[Fold], one_fit: float, config: RunConfig, workers: int
) -> list[str]:
    evaluation, limit = run.evaluation, config.execution.cell_timeout
    on_gpu = run.record.environment.on_gpu
    on_gpus = min(workers, max(len(gpus()), 1))
    at_once = on_gpus if on_gpu else workers

    def by_fold(search: Search) -> list[float]:
        return [fold_seconds(evaluation, fold, one_fit, search) for fold in folds]

    def whole(seconds: Sequence[float]) -> float:
        return max(sum(seconds) / at_once, max(seconds))

    needed = by_fold(config.search)
    # Folds that share a GPU wait for each other, and their time goes on.
    longest = max(needed) * (math.ceil(min(workers, len(folds)) / on_gpus) if on_gpu else 1)
    notes = []
    if whole(needed) > WORTH_SAYING:
        settings = f" ({config.search.trials} settings a fold)" if evaluation.searches else ""
        shorter = [
            f"search={search.name} about {time_in_words(whole(by_fold(search)))}"
            for search in (_smaller_searches(config.search.trials) if evaluation.searches else [])
        ]
        told = f"{where} takes about {time_in_words(whole(needed))} on this machine{settings}"
        notes.append("; ".join(filter(None, [told, ", ".join(shorter)])))
    if limit is not None and longest > limit / 2:
        proposed = math.ceil(TIMEOUT_FACTOR * longest / ROUNDED_TO) * ROUNDED_TO
        notes.append(
            f"{where}: a fold takes about {time_in_words(longest)}, and is stopped after "
            f"execution.cell_timeout ({time_in_words(limit)}). Add execution.cell_timeout={proposed} "
            "(finished folds are kept)"
        )
    return notes


def _smaller_searches(trials: int) -> list[Search]:
    """The searches in configuration files that try fewer settings, from more to less."""
    smaller = []
    for name in config_files("search"):
        try:
            given = load_config("search", name).get("trials")
        except ConfigError:  # A file that was not requested may be invalid.
            continue
        if isinstance(given, int) and given < trials:
            smaller.append(Search(name, given))
    return sorted(smaller, key=lambda search: -search.trials)


def time_in_words(seconds: float) -> str:
    """Format seconds roughly.

    Examples
    --------
    >>> time_in_words(20), time_in_words(70), time_in_words(2400), time_in_words(9000)
    ('20 seconds', '1 minute', '40 minutes', '2.5 hours')
    """
    if seconds < WORTH_SAYING:
        number, unit = f"{max(1, round(seconds))}", "second"
    elif seconds < 100 * 60:
        number, unit = f"{round(seconds / 60)}", "minute"
    else:
        number, unit = f"{seconds / 3600:.1f}", "hour"
    return f"{number} {unit}" + ("" if number == "1" else "s")
