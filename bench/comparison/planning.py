"""How many labels a comparison takes, before they are made: the power of its test (Card et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from bench.comparison.compared import ComparedRuns
from bench.comparison.equality import Disagreement, groups_for_equality, groups_to_meet
from bench.comparison.pairs import judged_pairs
from bench.comparison.suspects import BASELINES
from bench.comparison.verdict import LEVEL, POWER, groups_to_decide, power
from bench.errors import ConfigError, UserError
from bench.metrics.registry import check_metric_name
from bench.overrides import parse_overrides
from bench.schema.check import Place, check
from bench.schema.requests import PlanWords
from bench.statistics.paired import FEWEST_GROUPS
from bench.statistics.training import USUAL, training_factor

INDEPENDENT = 0.6
"""How often just one of two models is right, as a share of how often it would be if they erred independently."""


@dataclass(frozen=True)
class LabelPlan:
    """What is planned.

    Parameters
    ----------
    task : str or None
        A task whose stored runs say how much groups vary; None goes by the assumptions below.
    examples : tuple of int
        Numbers of scored examples.
    difference : tuple of float
        True differences that are to be found.
    per_group : int
        Examples of a group, such as a document; 1 where each is a group of its own.
    alike : float
        How alike the examples of a group are: the correlation of what one model gains on two of them, from 0 to 1.
    accuracy : float
        The share of examples that the better model gets right.
    agreement : float or None
        The share of examples that both models get right or both get wrong; None takes it from the accuracy.
    folds : int
        Outer folds.
    models : int
        Models that are compared with each other.
    rope : float
        The region of practical equivalence.
    metric : str or None
        What is compared where runs are stored; None is the task's own metric.
    results : pathlib.Path
        The store.
    """

    task: str | None = None
    examples: tuple[int, ...] = (200, 500, 1_000, 2_000, 5_000)
    difference: tuple[float, ...] = (0.02, 0.05, 0.10)
    per_group: int = 1
    alike: float = 0.05
    accuracy: float = 0.8
    agreement: float | None = None
    folds: int = 5
    models: int = 2
    rope: float = 0.01
    metric: str | None = None
    results: Path = Path("results")


KEYS = tuple(each.name for each in fields(LabelPlan))


def parse_plan(words: Sequence[str]) -> LabelPlan:
    """Read the words of a command line.

    Raises
    ------
    bench.errors.ConfigError
        If a key or a value is wrong.

    Examples
    --------
    >>> parse_plan(["examples=300,1000", "difference=0.05", "per_group=20"]).examples
    (300, 1000)
    """
    given = parse_overrides(words, ("examples", "difference"))
    read = check(PlanWords, given, Place("", words=True))
    if read.metric is not None:
        check_metric_name(read.metric, f"metric={read.metric}")
    plan = LabelPlan(
        **read.model_dump(exclude={"examples", "difference", "results"}),
        examples=tuple(read.examples),
        difference=tuple(read.difference),
        results=Path(read.results or "results").expanduser(),
    )
    most = 2 * min(plan.accuracy, 1.0 - plan.accuracy + max(plan.difference))
    if plan.agreement is not None and 1.0 - plan.agreement > most + 1e-9:
        raise ConfigError(
            f"agreement={plan.agreement:g}: with accuracy={plan.accuracy:g} models agree on at least {1 - most:.2f}.",
            "Agreement is the share of examples that both models get right or both get wrong.",
        )
    return plan


@dataclass(frozen=True)
class PowerRow:
    """The power with one number of examples.

    Parameters
    ----------
    examples, groups : int
        Scored examples, and the groups that they are in.
    power : tuple of float
        By difference, the chance that the better model is called better.
    smallest : float or None
        The smallest difference that is found with a chance of 80 %; None with fewer than five groups.
    """

    examples: int
    groups: int
    power: tuple[float, ...]
    smallest: float | None


@dataclass(frozen=True)
class PowerTable:
    """What labels would show.

    Parameters
    ----------
    basis : str
        What it rests on.
    metric : str
        What differences are of.
    difference : tuple of float
        The columns.
    rows : tuple of PowerRow
        One for each number of examples.
    needed : tuple of int or None
        By difference, the examples with which it is found with a chance of 80 %.
    equal : int or None
        The examples with which models without a difference are called practically equal with that chance.
    """

    basis: str
    metric: str
    difference: tuple[float, ...]
    rows: tuple[PowerRow, ...]
    needed: tuple[int | None, ...]
    equal: int | None


def plan_labels(plan: LabelPlan, runs: ComparedRuns | None = None) -> PowerTable:
    """Compute the power of the test that `bench.comparison.pairs.judged_pairs` makes.

    Parameters
    ----------
    plan : LabelPlan
        What is planned.
    runs : ComparedRuns or None
        Stored runs of the task: how much groups vary is then the median of what it is between their models.

    Raises
    ------
    bench.errors.UserError
        If the stored runs say nothing of how much groups vary.
    """
    level = LEVEL / math.comb(plan.models, 2)
    if runs is not None:
        per_group = runs.n_scored / len(runs.group_names)
        deviation, n_pairs, disagreement = _measured(runs, plan.rope)
        metric, failing = runs.metric.name, runs.metric.share_to_lose(runs.runs[0].outcomes, plan.rope)
        basis = (
            f"how much the differences of {n_pairs} pairs of stored models vary between {len(runs.group_names)} groups "
            f"({runs.task.group}) of {per_group:.1f} examples"
        )
    else:
        per_group, disagreement = float(plan.per_group), _disagreement(plan)
        metric, failing = "accuracy", plan.rope / plan.accuracy
        basis = _assumed(plan)

    def spread(difference: float) -> float:
        """The deviation of a group's part in a difference."""
        return deviation if runs is not None else _deviation(plan, difference)

    def chance(difference: float, groups: int) -> float:
        return power(difference / spread(difference), groups, level) if groups >= FEWEST_GROUPS else 0.0

    rows = []
    for n in plan.examples:
        groups = max(1, round(n / per_group))
        found = tuple(chance(difference, groups) for difference in plan.difference)
        rows.append(PowerRow(n, groups, found, _smallest(lambda size, g=groups: chance(size, g))))
    needed = [groups_to_decide(difference / spread(difference), level) for difference in plan.difference]
    fewest = groups_to_meet(failing, LEVEL / (plan.models - 1))
    equal = groups_for_equality(plan.rope, spread(0.0), level, disagreement, fewest)
    return PowerTable(
        basis,
        metric,
        plan.difference,
        tuple(rows),
        tuple(None if groups is None else math.ceil(groups * per_group) for groups in needed),
        None if equal is None else math.ceil(equal * per_group),
    )


def _disagreement(plan: LabelPlan) -> Disagreement:
    """How much models without a difference disagree by the assumptions."""
    apart = 1.0 - agreement_of(plan, 0.0) ** plan.per_group
    return Disagreement([apart], [1.0 / plan.per_group], 1, _factor(plan))


def _factor(plan: LabelPlan) -> float:
    return training_factor(1.0, 1.0 - 1.0 / plan.folds, USUAL)


def agreement_of(plan: LabelPlan, difference: float) -> float:
    """The share of examples that both models get right or both get wrong, given or taken from the accuracy.

    Examples
    --------
    >>> round(agreement_of(LabelPlan(accuracy=0.8), 0.0), 3), agreement_of(LabelPlan(agreement=0.9), 0.05)
    (0.808, 0.9)
    """
    if plan.agreement is not None:
        return plan.agreement
    better, worse = plan.accuracy, max(plan.accuracy - difference, 0.0)
    apart = better * (1 - worse) + worse * (1 - better)
    return 1.0 - max(INDEPENDENT * apart, difference)


def _deviation(plan: LabelPlan, difference: float) -> float:
    """The deviation of a group's mean difference of right answers, with what the fitting adds."""
    apart = max(1.0 - agreement_of(plan, difference), difference)
    variance = (apart - difference**2) * (1 + (plan.per_group - 1) * plan.alike) / plan.per_group
    return math.sqrt(max(variance, 1e-12)) * _factor(plan)


def _assumed(plan: LabelPlan) -> str:
    groups = (
        "each a group of its own" if plan.per_group == 1 else f"in groups of {plan.per_group}, alike by {plan.alike:g}"
    )
    alike = agreement_of(plan, min(plan.difference))
    return (
        f"these assumptions: the better model gets {plan.accuracy:.0%} right, both are right or both wrong on "
        f"{alike:.0%}, examples are {groups}, {plan.folds} folds, and no rare label"
    ).replace("%", " %")


def _measured(runs: ComparedRuns, rope: float) -> tuple[float, int, Disagreement]:
    """The median deviation of a group's part in the difference of two models, the pairs, and how much they disagree."""
    named = {run.name: run for run in runs.runs if run.record.model.name not in BASELINES}
    pairs = [
        pair
        for pair in judged_pairs(runs, rope, None)
        if pair.groups.standard_error and {pair.first, pair.second} <= named.keys()
    ]
    if not pairs:
        raise UserError(
            f"{runs.task.name}: the stored runs do not say how much groups vary; it takes at least two models besides "
            f"{' and '.join(BASELINES)}.",
            f"Run them: bench run task={runs.task.name}. Or leave task= out and plan by assumptions.",
        )
    n_groups, factor = len(runs.group_names), runs.training_factor()
    apart = [Disagreement.between(runs, named[pair.first], named[pair.second], factor) for pair in pairs]
    holding, steps = np.median([(each.holding, each.steps) for each in apart], axis=0).tolist()
    error = float(np.median([pair.groups.standard_error for pair in pairs]))
    return error * math.sqrt(n_groups), len(pairs), Disagreement(holding, steps, n_groups, factor)


def _smallest(chance: Any) -> float | None:
    """The smallest difference with a chance of 80 %."""
    if chance(1.0) < POWER:
        return None
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if chance(middle) >= POWER else (middle, high)
    return high
