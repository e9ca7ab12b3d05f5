"""Scores of a run on perturbed texts, each against that on the texts as written, from the stored answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.contrasts import turned
from bench.comparison.equality import ENOUGH_DISAGREEMENTS
from bench.comparison.pairs import judged_pairs
from bench.comparison.predictions import scored_by
from bench.metrics.confusion import UNANSWERED
from bench.metrics.outcomes import Outcomes
from bench.results.stress import Standing, StressedFold, StressRow
from bench.statistics.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_CHANGED = 30
"""With fewer changed texts, more than one of ten such texts may get another label, even where none did (3/n)."""

AS_WRITTEN = "as written"
"""The name of the run on unperturbed texts; no perturbation can have it."""


class Described(Protocol):
    """What is said of a perturbation: by itself, and by its row."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def description(self) -> str:
        """What it does, in a few words."""

    @property
    def kind(self) -> Literal["writing", "content"]:
        """Whether it changes only how a text is written, or also what it says."""


@dataclass(frozen=True, eq=False)
class Stressed:
    """A run's predictions for the texts as a perturbation writes them.

    Parameters
    ----------
    perturbation : Described
        What changed the texts.
    changed : ndarray of bool, shape (n_rows,)
        Of which rows the text was changed.
    outcomes : Outcomes
        All rows, those with changed texts with the new predictions.
    """

    perturbation: Described
    changed: NDArray[np.bool_]
    outcomes: Outcomes


def stressed(run: ComparedRuns, perturbation: Described, answers: Mapping[int, StressedFold]) -> Stressed:
    """Put answers to perturbed texts in the place of a run's pooled predictions.

    Parameters
    ----------
    run : ComparedRuns
        The stored run, alone.
    perturbation : Described
        What changed the texts.
    answers : mapping of int to StressedFold
        By fold; a fold of which no text was changed may be missing.
    """
    (base,) = run.runs
    index: dict[str, int] = {label: code for code, label in enumerate(run.labels)} | {"": UNANSWERED}
    changed = np.zeros(len(base.outcomes), dtype=bool)
    predicted = base.predicted.copy()
    probable = None if base.probabilities is None else base.probabilities.copy()
    for fold, found in answers.items():
        if not found.rows:
            continue
        rows = np.flatnonzero(base.outcomes.parts == fold)[list(found.rows)]
        changed[rows] = True
        predicted[rows] = [index[label] for label in found.predicted]
        if probable is not None and found.probabilities is not None:
            probable[rows] = found.probabilities
    return Stressed(perturbation, changed, replace(base.outcomes, predicted=predicted, probabilities=probable))


def stress_rows(run: ComparedRuns, stressed: Sequence[Stressed], rope: float) -> list[StressRow]:
    """Compare the scores on perturbed texts with that on the texts as written.

    They are compared like models with a baseline, on the same examples and groups, and adjusted for the number of
    perturbations that changed a text: see `bench.comparison.pairs.judged_pairs`. Where few texts were changed, a drop
    is small whatever the model makes of them, so only better and worse are verdicts there.

    Parameters
    ----------
    run : ComparedRuns
        The stored run, alone.
    stressed : sequence of Stressed
        Its predictions under each perturbation.
    rope : float
        Differences up to this one are practically none.

    Returns
    -------
    list of StressRow
        In the order of `stressed`.
    """
    (base,) = run.runs
    base = replace(base, name=AS_WRITTEN)
    tested = [each for each in stressed if each.changed.any()]
    judged = _judged(run, base, tested, rope) if tested else {}
    return [judged.get(each.perturbation.name) or _row(run, base, each, "unchanged") for each in stressed]


def unjudged_row(run: ComparedRuns, found: Stressed) -> StressRow:
    """Count and score alone: the row without an interval and a verdict."""
    (base,) = run.runs
    return _row(run, base, found, "undecided" if found.changed.any() else "unchanged")


def _judged(run: ComparedRuns, base: ComparedRun, tested: Sequence[Stressed], rope: float) -> Mapping[str, StressRow]:
    sign = run.metric.sign
    others = [_as_run(run, base, each) for each in tested]
    # The order that pairs are read in: the better score first.
    ranked = sorted([base, *others], key=lambda each: (-sign * each.score, each.name))
    family = replace(run, runs=ranked)
    of_name = {each.perturbation.name: each for each in tested}
    rows = {}
    for pair in judged_pairs(family, rope, ranked.index(base)):
        found = turned(pair, AS_WRITTEN)
        interval = found.interval
        if interval is not None:
            low, high = sorted((-sign * interval.low, -sign * interval.high))
            interval = Interval(low + 0.0, high + 0.0, interval.level)
        p_value = None if pair.groups.p_value is None else pair.p_groups
        tested_here = of_name[found.name]
        if found.standing in ("practically equal", "undecided") and _too_few(run, tested_here.changed):
            rows[found.name] = _row(run, base, tested_here, "too few texts")
        else:
            rows[found.name] = _row(run, base, tested_here, found.standing, interval, p_value)
    return rows


def _too_few(run: ComparedRuns, changed: NDArray[np.bool_]) -> bool:
    """Whether too few texts or groups were changed to say what a model makes of such texts."""
    texts, groups = len(set(run.ids[changed].tolist())), len(np.unique(run.groups[changed]))
    return texts < min(FEWEST_CHANGED, len(set(run.ids.tolist()))) or groups < min(
        ENOUGH_DISAGREEMENTS, len(run.group_names)
    )


def _as_run(run: ComparedRuns, base: ComparedRun, stressed: Stressed) -> ComparedRun:
    """The run on perturbed texts, as another run to compare with."""
    summary = scored_by(run.metric, base.summary, stressed.outcomes)
    score = summary.scores[run.metric.name]
    return replace(base, name=stressed.perturbation.name, summary=summary, outcomes=stressed.outcomes, score=score)


def _row(
    run: ComparedRuns,
    base: ComparedRun,
    stressed: Stressed,
    standing: Standing,
    interval: Interval | None = None,
    p_value: float | None = None,
) -> StressRow:
    score = run.metric.score(stressed.outcomes) if standing != "unchanged" else base.score
    drop = run.metric.sign * (base.score - score) + 0.0
    flipped = base.predicted != stressed.outcomes.predicted
    if standing == "undecided" and drop == 0 and not flipped.any():
        standing, interval, p_value = "no label flipped", None, None
    return StressRow(
        name=stressed.perturbation.name,
        description=stressed.perturbation.description,
        kind=stressed.perturbation.kind,
        changed=len(set(run.ids[stressed.changed].tolist())),
        flipped=len(set(run.ids[flipped].tolist())),
        score=score,
        drop=drop,
        interval=interval,
        p_value=p_value,
        standing=standing,
    )
