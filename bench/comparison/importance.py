"""Which searched parameters of a stored run mattered."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.comparison.search import searched_dimensions
from bench.metrics.registry import greater_is_better
from bench.models.space import Choice, Range, Setting
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.support.process import setting
from bench.support.seeding import derive_seed

FEWEST_TRIALS = 20
"""The fewest scored trials, of all folds together, from which importance is estimated."""

TOP_SHARE = 0.25
"""Importance is about reaching the best trials of a fold: this share of all."""

SHUFFLES = 19
"""How often importance is computed on shuffled scores: its largest value is passed by chance once in 20."""


@dataclass(frozen=True)
class Importance:
    """How much a parameter decided whether a trial was among the best.

    Parameters
    ----------
    name : str
        The parameter.
    importance : float
        A share of 1.
    chance : float
        The largest value on shuffled scores, on the same scale.
    matters : bool
        Whether its importance passes that.
    """

    name: str
    importance: float
    chance: float
    matters: bool


def importance(folder: RunFolder, record: RunRecord) -> list[Importance] | None:
    """Estimate which searched parameters decided whether a trial was among the best.

    PED-ANOVA (Watanabe, Bansal and Hutter 2023) as Optuna has it, over the trials of all outer
    folds, each score less its fold's mean: how much the distribution of a parameter's values in
    the best `TOP_SHARE` of the trials differs from that in all trials. Interactions are not seen.

    Importances add up to 1 even where no parameter matters. So the same is computed with the
    scores shuffled inside each fold, `SHUFFLES` times, and a parameter is said to matter where it passes
    the largest of these.

    Parameters
    ----------
    folder : RunFolder
        The run.
    record : RunRecord
        What is stored of it.

    Returns
    -------
    list of Importance or None
        The most important first. None where fewer than `FEWEST_TRIALS` trials have a score, or no parameter varied.
    """
    cells = map(folder.read_result, folder.folds())
    scored = [[(trial.params, trial.score) for trial in cell.trials if trial.score is not None] for cell in cells]
    pooled = [params for trials in scored for params, _ in trials]
    if len(pooled) < FEWEST_TRIALS:
        return None
    searched = {
        name: dimension
        for name, dimension in searched_dimensions(record).items()
        if all(name in params for params in pooled) and len({json.dumps(params[name]) for params in pooled}) > 1
    }
    if not searched:
        return None
    sign = -1.0 if greater_is_better(record.task.metric) else 1.0
    losses = [sign * np.array([score for _, score in trials], dtype=np.float64) for trials in scored]
    centred = [fold - fold.mean() for fold in losses if fold.size]
    rng = np.random.default_rng(derive_seed(record.seed, record.task.name, record.model.name, "shuffle"))
    shuffled = [np.concatenate([rng.permutation(fold) for fold in centred]) for _ in range(SHUFFLES)]
    found, *by_chance = _ped_anova(searched, pooled, [np.concatenate(centred), *shuffled])
    total = sum(found.values())
    greatest = {name: max(values[name] for values in by_chance) for name in searched}
    rows = [
        Importance(
            name=name,
            importance=found[name] / total if total else 0.0,
            chance=greatest[name] / total if total else 0.0,
            matters=found[name] > greatest[name],
        )
        for name in searched
    ]
    return sorted(rows, key=lambda row: (-row.importance, row.name))


def _ped_anova(
    searched: Mapping[str, Choice | Range], settings: Sequence[Setting], losses: Sequence[np.ndarray[Any, Any]]
) -> list[dict[str, float]]:
    """PED-ANOVA's importances, not normalised, of the same settings under each of several losses."""
    import optuna

    quiet = setting(optuna.logging.get_verbosity, optuna.logging.set_verbosity, optuna.logging.WARNING)
    with quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the step of a range, and that the target is minimised
        distributions = {name: _distribution(dimension) for name, dimension in searched.items()}
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        study.add_trials(
            [
                optuna.trial.create_trial(
                    params={
                        name: json.dumps(params[name]) if isinstance(dimension, Choice) else params[name]
                        for name, dimension in searched.items()
                    },
                    distributions=distributions,
                    value=0.0,
                )
                for params in settings
            ]
        )

        def found(loss: np.ndarray[Any, Any]) -> dict[str, float]:
            return optuna.importance.get_param_importances(
                study,
                evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=TOP_SHARE),
                params=list(searched),
                target=lambda trial: float(loss[trial.number]),
                normalize=False,
            )

        return [found(loss) for loss in losses]


def _distribution(dimension: Choice | Range) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(list(dict.fromkeys(map(json.dumps, dimension.values))))
    if dimension.whole:
        step = int(dimension.step or 1)
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)
