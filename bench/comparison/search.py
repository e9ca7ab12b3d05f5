"""What the search of a stored run bought: budget, optimism, edges, and which parameters mattered."""

from __future__ import annotations

import json
import math
import shlex
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from bench.metrics.registry import greater_is_better, metric_of
from bench.models.space import Choice, Range
from bench.results.cell import Trial
from bench.results.store import RunFolder
from bench.statistics.budget import deviation_of_best, expected_best
from bench.support.process import setting
from bench.support.seeding import derive_seed

WITHIN = 0.01
"""How near the best inner score, in the metric's units, a shorter search counts as enough."""

EDGE = 0.05
"""The outermost part of a range that counts as its edge, at each end, on its logarithmic scale if it has one."""

BY_CHANCE = 0.05
"""An edge is noted where values drawn blindly would stand there in as many folds with at most this probability."""

FEWEST_TRIALS = 20
"""The fewest scored trials, of all folds together, from which importance is estimated."""

TOP_SHARE = 0.25
"""Importance is about reaching the best trials of a fold: this share of all."""

SHUFFLES = 19
"""How often importance is computed on shuffled scores: its largest value is passed by chance once in 20."""

End = Literal["bottom", "top"]


def search_report(folder: RunFolder, record: dict[str, Any], summary: dict[str, Any]) -> dict[str, Any] | None:
    """Say what the search of a finished run bought.

    Parameters
    ----------
    folder : RunFolder
        The run.
    record, summary : dict
        The contents of its ``run.json`` and ``summary.json``.

    Returns
    -------
    dict or None
        None where nothing was searched; else plain data:

        ``model``, ``key``, ``metric``, ``minimise``
            Which run, and whether less is better.
        ``trials``, ``failed``
            The most trials in a fold, and the failed ones of all folds.
        ``stopped``
            None, or of the trials that the search stopped before their last inner fold, in all folds: ``trials``,
            their number, and ``sentence``.
        ``folds``
            For each outer fold that was searched: ``fold``, ``trials``, ``failed``, ``inner`` (the inner
            score of the chosen setting) and ``outer`` (the score on the fold's test part).
        ``curve``
            Lists whose place n - 1 is about n trials, up to the fewest of any fold, as means over
            the folds: ``expected`` (`bench.statistics.budget.expected_best`), ``deviation`` (the
            standard deviation of that mean over repeated draws) and ``reached`` (the best score
            of the first n trials as they ran; None while some fold has no score).
        ``enough``, ``within``
            The fewest trials after which ``reached`` was at most ``within`` from its end.
        ``inner``, ``outer``, ``gap``
            The mean inner score of the chosen settings, the score of the pooled out-of-fold
            predictions, and by how much the first looks better: positive for optimism, whether
            more or less is better. ``gap`` is None where some fold was not searched.
        ``parameters``
            For each searched parameter: ``name``, the ``chosen`` values by fold, the most frequent of
            them (``favourite``) and its share (``agreement``) for a list of values, and the part of the range
            that they span (``spread``, on its scale) for a range.
        ``edges``
            Where the chosen value stands at an end of what was searched in more folds than chance explains:
            ``name``, ``end`` (bottom, top or both), ``value`` (that end, None for both), ``folds``, ``of``,
            ``override`` (the command-line word that widens the search, None where that would not help or
            no wider one can be guessed) and ``sentence``.

    Raises
    ------
    bench.errors.UserError
        If a stored cell cannot be read.
    """
    cells = [cell for cell in map(folder.read_result, folder.folds()) if cell["inner_score"] is not None]
    if not cells:
        return None
    metric = metric_of(record["task"])
    minimise = not metric.greater_is_better
    sign = -1.0 if minimise else 1.0
    trials = [[Trial(**trial) for trial in cell["trials"]] for cell in cells]
    scores = [[trial.score for trial in fold] for fold in trials]
    failed = [sum(trial.failed for trial in fold) for fold in trials]
    inner, outer = _mean([cell["inner_score"] for cell in cells]), summary["scores"][metric.name]
    curve = _curve(scores, minimise)
    return {
        "model": record["model"]["name"],
        "key": folder.key,
        "metric": metric.name,
        "title": metric.title,
        "minimise": minimise,
        "trials": max(map(len, scores)),
        "failed": sum(failed),
        "stopped": _stopped([trial for fold in trials for trial in fold]),
        "folds": [
            {
                "fold": cell["fold"],
                "trials": len(fold),
                "failed": failures,
                "inner": cell["inner_score"],
                "outer": cell["scores"][metric.name],
            }
            for cell, fold, failures in zip(cells, scores, failed, strict=True)
        ],
        "curve": curve,
        "enough": _enough(curve["reached"], sign),
        "within": WITHIN,
        "inner": inner,
        "outer": outer,
        "gap": sign * (inner - outer) if len(cells) == len(summary["folds"]) else None,
        "parameters": [_parameter(name, dim, cells) for name, dim in _dimensions(record).items()],
        "edges": [edge for name, dim in _dimensions(record).items() for edge in _edges(name, dim, cells, record)],
    }


def importance(folder: RunFolder, record: dict[str, Any]) -> list[dict[str, Any]] | None:
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
    record : dict
        The content of its ``run.json``.

    Returns
    -------
    list of dict or None
        The most important first: ``name``, ``importance`` (a share of 1), ``chance`` (the largest value on
        shuffled scores, on the same scale) and ``matters``. None where fewer than `FEWEST_TRIALS` trials
        have a score, or no parameter varied.
    """
    cells = map(folder.read_result, folder.folds())
    scored = [[trial for trial in cell["trials"] if trial["score"] is not None] for cell in cells]
    pooled = [trial["params"] for trials in scored for trial in trials]
    if len(pooled) < FEWEST_TRIALS:
        return None
    searched = {
        name: dimension
        for name, dimension in _dimensions(record).items()
        if all(name in params for params in pooled) and len({json.dumps(params[name]) for params in pooled}) > 1
    }
    if not searched:
        return None
    sign = -1.0 if greater_is_better(record["task"]["metric"]) else 1.0
    losses = [sign * np.array([trial["score"] for trial in trials], dtype=np.float64) for trials in scored]
    centred = [fold - fold.mean() for fold in losses if fold.size]
    rng = np.random.default_rng(derive_seed(record["seed"], record["task"]["name"], record["model"]["name"], "shuffle"))
    shuffled = [np.concatenate([rng.permutation(fold) for fold in centred]) for _ in range(SHUFFLES)]
    found, *by_chance = _ped_anova(searched, pooled, [np.concatenate(centred), *shuffled])
    total = sum(found.values())
    rows = [
        {
            "name": name,
            "importance": found[name] / total if total else 0.0,
            "chance": max(values[name] for values in by_chance) / total if total else 0.0,
            "matters": found[name] > max(values[name] for values in by_chance),
        }
        for name in searched
    ]
    return sorted(rows, key=lambda row: (-row["importance"], row["name"]))


def _dimensions(record: dict[str, Any]) -> dict[str, Choice | Range]:
    """What was searched, but for parameters with one possible value."""
    declared: dict[str, Choice | Range] = {
        name: Choice(tuple(spec["values"])) if "values" in spec else Range(**spec)
        for name, spec in record["model"]["search"].items()
    }
    return {name: dim for name, dim in declared.items() if len({json.dumps(end) for end in dim.ends()}) > 1}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _stopped(trials: Sequence[Trial]) -> dict[str, Any] | None:
    counts = Counter(trial.stopped for trial in trials if trial.stopped is not None)
    if not counts:
        return None
    when = ", ".join(f"{count} {stopped}" for stopped, count in sorted(counts.items()))
    return {"trials": counts.total(), "sentence": f"of {len(trials)} settings the search stopped {when}"}


def _curve(scores: list[list[float | None]], minimise: bool) -> dict[str, list[Any]]:
    n = min(map(len, scores))
    expected = np.array([expected_best(fold, minimise)[:n] for fold in scores])
    deviation = np.array([deviation_of_best(fold, minimise)[:n] for fold in scores])
    best = np.minimum if minimise else np.maximum
    worst = math.inf if minimise else -math.inf
    reached = np.array([best.accumulate([worst if s is None else s for s in fold])[:n] for fold in scores])
    means = reached.mean(axis=0).tolist()
    return {
        "expected": expected.mean(axis=0).tolist(),
        "deviation": (np.sqrt((deviation**2).sum(axis=0)) / len(scores)).tolist(),
        "reached": [mean if math.isfinite(mean) else None for mean in means],
    }


def _enough(reached: list[float | None], sign: float) -> int | None:
    """The fewest trials after which the search stood within `WITHIN` of where it ended."""
    end = reached[-1]
    if end is None:
        return None
    return next(
        n for n, score in enumerate(reached, start=1) if score is not None and sign * (end - score) <= WITHIN + 1e-12
    )


def _parameter(name: str, dimension: Choice | Range, cells: list[dict[str, Any]]) -> dict[str, Any]:
    chosen = [cell["params"][name] for cell in cells if name in cell["params"]]
    described: dict[str, Any] = {"name": name, "chosen": chosen, "favourite": None, "agreement": None, "spread": None}
    if isinstance(dimension, Range) and chosen:
        places = [_place(dimension, value) for value in chosen]
        described["spread"] = max(places) - min(places)
    elif chosen:
        ((favourite, count),) = Counter(map(json.dumps, chosen)).most_common(1)
        described |= {"favourite": json.loads(favourite), "agreement": count / len(chosen)}
    return described


def _edges(
    name: str, dimension: Choice | Range, cells: list[dict[str, Any]], record: dict[str, Any]
) -> list[dict[str, Any]]:
    chosen = [cell["params"][name] for cell in cells if name in cell["params"]]
    counts = _counts_at_ends(dimension, chosen)
    noted = [end for end, (count, chance) in counts.items() if _at_least(count, len(chosen), chance) <= BY_CHANCE]
    if not noted:
        return []
    edge: dict[str, Any] = {"name": name, "value": None, "of": len(chosen), "override": None}
    if len(noted) == 2:
        low, high = counts["bottom"][0], counts["top"][0]
        edge |= {"end": "both", "folds": low + high}
        edge["sentence"] = (
            f"{name} stands at the bottom of what was searched in {low} and at the top in {high} of {len(chosen)} "
            "folds: the data do not settle it"
        )
        return [edge]
    (end,) = noted
    if isinstance(dimension, Range):
        value, what = _end_of_range(dimension, end), f"the {end} of its range"
    else:
        numbers = _numbers(dimension)
        value = numbers[0] if end == "bottom" else numbers[-1]
        what = f"the {'smallest' if end == 'bottom' else 'largest'} of its values"
    edge |= {"end": end, "folds": counts[end][0], "value": value}
    advice = ""
    wider = _wider(dimension, end)
    if wider is not None and not record["model"]["origin"].startswith("entry point"):
        edge["override"] = f"model.search.{name}={wider}"
        advice = f": widen it with {shlex.quote(edge['override'])}"
    edge["sentence"] = f"{name} stands at {what} ({value:g}) in {edge['folds']} of {edge['of']} folds{advice}"
    return [edge]


def _counts_at_ends(dimension: Choice | Range, chosen: list[Any]) -> dict[End, tuple[int, float]]:
    """In how many folds the chosen value stands at each end, and the probability of that in one fold by chance."""
    ends: tuple[End, End] = ("bottom", "top")
    if isinstance(dimension, Range):
        return {
            end: (sum(_at_edge(dimension, value, end) for value in chosen), _chance_of_edge(dimension, end))
            for end in ends
        }
    numbers = _numbers(dimension)
    if len(numbers) < 3:
        return {}
    return {
        end: (chosen.count(number), 1 / len(numbers))
        for end, number in zip(ends, (numbers[0], numbers[-1]), strict=True)
    }


def _at_least(count: int, n: int, chance: float) -> float:
    """The probability that a binomial count of `n` is `count` or more."""
    return math.fsum(math.comb(n, k) * chance**k * (1 - chance) ** (n - k) for k in range(count, n + 1))


def _place(dimension: Range, value: float) -> float:
    """Where a value stands in its range, from 0 to 1, on the range's scale."""
    low, high = dimension.low, _end_of_range(dimension, "top")
    if dimension.log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _end_of_range(dimension: Range, end: End) -> float:
    """The lowest or highest value that can be drawn; a step may keep the highest from the range's end."""
    if end == "bottom":
        return dimension.low
    if dimension.step is None:
        return dimension.high
    highest = dimension.low + dimension.step * math.floor((dimension.high - dimension.low) / dimension.step + 1e-9)
    return int(highest) if dimension.whole else highest


def _at_edge(dimension: Range, value: float, end: End) -> bool:
    place = _place(dimension, value)
    return (place if end == "bottom" else 1 - place) <= EDGE + 1e-9


def _chance_of_edge(dimension: Range, end: End) -> float:
    """The probability that a value drawn blindly stands at an edge, which whole numbers and steps raise."""
    low, high = dimension.low, _end_of_range(dimension, "top")
    if dimension.log:
        if not dimension.whole:
            return EDGE
        width = math.log((high + 0.5) / (low - 0.5))
        if end == "bottom":
            last = math.floor(low * (high / low) ** EDGE + 1e-9)
            return math.log((last + 0.5) / (low - 0.5)) / width
        first = math.ceil(high / (high / low) ** EDGE - 1e-9)
        return math.log((high + 0.5) / (first - 0.5)) / width
    step = dimension.step or (1 if dimension.whole else None)
    if step is None:
        return EDGE
    n_steps = round((high - low) / step)
    return (math.floor(EDGE * n_steps + 1e-9) + 1) / (n_steps + 1)


def _numbers(choice: Choice) -> list[float]:
    """The values in order where all are numbers, else none."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in choice.values):
        return []
    return sorted(set(choice.values))


def _wider(dimension: Choice | Range, end: End) -> str | None:
    """A wider range or list as the command line takes it, None where none can be guessed.

    A range grows tenfold on a logarithmic scale, else by its width; a list by one value that goes
    on in equal steps or equal ratios. Nothing positive becomes zero or negative, and what ends at 1 on
    a linear scale, as fractions do, or below 1, does not pass it.
    """
    if isinstance(dimension, Choice):
        numbers = _numbers(dimension)
        last, before = (numbers[0], numbers[1]) if end == "bottom" else (numbers[-1], numbers[-2])
        steps = np.diff(numbers)
        equal = bool(np.allclose(steps, steps[0])) or numbers[0] <= 0
        further = last + (last - before) if equal else last * last / before
        whole = all(isinstance(number, int) for number in numbers)
        new = _sensible(further, last, numbers[0], numbers[-1], whole, log=False)
        longer = [new, *numbers] if end == "bottom" else [*numbers, new]
        return None if new == last else f"[{','.join(map(repr, longer))}]"
    low, high = dimension.low, dimension.high
    last = low if end == "bottom" else high
    if dimension.log:
        further = low / 10 if end == "bottom" else high * 10
    else:
        further = low - (high - low) if end == "bottom" else high + (high - low)
    new = _sensible(further, last, low, high, dimension.whole, dimension.log)
    if new == last:
        return None
    grown = replace(dimension, low=new) if end == "bottom" else replace(dimension, high=new)
    rest = (",log:true" if grown.log else "") + (f",step:{grown.step!r}" if grown.step is not None else "")
    return f"{{low:{grown.low!r},high:{grown.high!r}{rest}}}"


def _sensible(further: float, last: float, low: float, high: float, whole: bool, log: bool) -> float:
    """A value beyond `last` that keeps the sign and the fractions of the numbers from `low` to `high`."""
    if low >= 0 and further <= 0:
        further = last / 2
    if not whole and low >= 0 and (high < 1 or (high == 1 and not log)):
        further = min(further, 1.0)
    return max(round(further), min(round(low), 1)) if whole else float(f"{further:.6g}")


def _ped_anova(
    searched: dict[str, Choice | Range], settings: list[dict[str, Any]], losses: list[np.ndarray[Any, Any]]
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
        return [
            optuna.importance.get_param_importances(
                study,
                evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=TOP_SHARE),
                params=list(searched),
                target=lambda trial, loss=loss: float(loss[trial.number]),
                normalize=False,
            )
            for loss in losses
        ]


def _distribution(dimension: Choice | Range) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(list(dict.fromkeys(map(json.dumps, dimension.values))))
    if dimension.whole:
        step = int(dimension.step or 1)
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)
