"""The summary of a run: pooled scores with intervals, made from the stored cells alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from bench.metrics.averaged import Averaged
from bench.metrics.confusion import UNANSWERED, per_class
from bench.metrics.metric import Metric
from bench.metrics.outcomes import Outcomes
from bench.metrics.scoring import Scored, all_intervals, all_scores, scored
from bench.results.cell import CellResult
from bench.results.periods import DAYS, FoldScore, Trend, period_scores, trend_of
from bench.results.withheld import too_few, without_interval
from bench.statistics.interval import Interval
from bench.support.records import LEFT_OUT, Count, Number


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The content of a run's ``summary.json``.

    Parameters
    ----------
    labels : tuple of str
        The task's labels.
    scores : mapping of str to float
        By metric, of the pooled out-of-fold predictions.
    intervals : mapping of str to Interval
        By metric, over groups, if there is one.
    no_interval : mapping of str to str
        By metric, why there is none.
    per_class : mapping of str to mapping
        By label, ``precision``, ``recall``, ``f1`` and ``support``.
    class_intervals : mapping of str to mapping
        By label, the intervals of the first three, if any.
    confusion : tuple of tuples of int
        Rows are true labels, columns predicted ones, with a last column where examples were left unanswered.
    folds : tuple of mapping
        For each outer fold its scores by metric, and with them ``fold`` and ``inner_score``.
    n_examples, n_groups : int
        How many were scored.
    notes : tuple of str
        What was out of the ordinary.
    population : Scored or None
        For a stratified sample or a draw, the scores of predicted labels with each example weighted by the number of
        texts in the population that it represents.
    by_value : mapping of str to float or None
        If the metric is averaged, its value on the examples of each value of the column.
    by_period : tuple of FoldScore
        The task's metric on each outer fold, if these train on earlier and test on later examples.
    trend : Trend or None
        How it then changes with distance from training, if that can be estimated.
    """

    labels: tuple[str, ...]
    scores: Mapping[str, Number]
    intervals: Mapping[str, Interval]
    no_interval: Mapping[str, str]
    per_class: Mapping[str, Mapping[str, Number]]
    class_intervals: Mapping[str, Mapping[str, Interval]]
    confusion: tuple[tuple[Count, ...], ...]
    folds: tuple[Mapping[str, Number | None], ...]
    n_examples: Count
    n_groups: Count
    notes: tuple[str, ...]
    population: Annotated[Scored | None, LEFT_OUT] = None
    by_value: Annotated[Mapping[str, Number] | None, LEFT_OUT] = None
    by_period: Annotated[tuple[FoldScore, ...], LEFT_OUT] = ()
    trend: Annotated[Trend | None, LEFT_OUT] = None


def summarise(
    cells: Sequence[CellResult], labels: tuple[str, ...], metric: Metric, forward: bool = False, drawn: bool = False
) -> Summary:
    """Sum up a run's outer folds.

    The scores are those of the pooled out-of-fold predictions (Forman and Scholz 2010 show that
    pooling the counts is the unbiased way to cross-validate F1), the intervals are over groups.

    Parameters
    ----------
    cells : sequence of CellResult
        The outer folds, none of them failed.
    labels : tuple of str
        The task's labels.
    metric : Metric
        The task's metric.
    forward : bool
        Whether the folds train on earlier and test on later examples.
    drawn : bool
        Whether the population is an archive that some of the examples were drawn from.
    """
    frames = [cell.predictions for cell in cells if cell.predictions is not None]
    predictions = pd.concat(frames, ignore_index=True)
    parts = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    outcomes = Outcomes.of(predictions, labels, parts)
    given, withheld = all_intervals(outcomes, metric)
    classes = per_class(outcomes.confusion)
    by_label = outcomes.shares.by_label() if outcomes.n_groups > 1 else {}
    population, told = _in_population(predictions, outcomes, metric, drawn)
    return Summary(
        labels=labels,
        scores=all_scores(outcomes, metric),
        intervals=given,
        no_interval={name: too_few(thin, labels, outcomes.value_names) for name, thin in withheld.items()},
        per_class={
            label: {name: float(values[code]) for name, values in classes.items()} for code, label in enumerate(labels)
        },
        class_intervals={
            label: {name: each for name, ends in by_label.items() if (each := ends[code]) is not None}
            for code, label in enumerate(labels)
        },
        confusion=tuple(tuple(row) for row in outcomes.confusion.tolist()),
        folds=tuple({"fold": int(cell.fold), "inner_score": cell.inner_score, **cell.scores} for cell in cells),
        n_examples=predictions["id"].nunique(),
        n_groups=outcomes.n_groups,
        notes=(
            *told,
            *_unanswered(outcomes),
            *without_interval(withheld, labels, outcomes.value_names),
            *(f"fold {cell.fold}: {note}" for cell in cells for note in cell.notes),
        ),
        population=population,
        by_value=metric.of_values(outcomes) if isinstance(metric, Averaged) else None,
        by_period=period_scores(outcomes, metric, labels, len(frames)) if forward else (),
        trend=trend_of(outcomes, predictions[DAYS].to_numpy(dtype=np.float64), metric, labels, len(frames))
        if forward and DAYS in predictions
        else None,
    )


def _in_population(
    predictions: pd.DataFrame, outcomes: Outcomes, metric: Metric, drawn: bool
) -> tuple[Scored | None, list[str]]:
    """The scores in the population, and what to know of them."""
    if "weight" not in predictions:
        return None, []
    weights = predictions["weight"].to_numpy(dtype=np.float64)
    rows = np.flatnonzero(weights > 0)
    if not len(rows):
        why = "not every stratum of the sample has a tested example"
        return None, [f"no score in the population, since {why}: all scores describe the labelled examples"]
    if not drawn:
        return scored(outcomes.in_population(weights), metric), []
    if len(np.unique(outcomes.true[rows])) < outcomes.n_labels:
        why = "a label has no tested example of the last draw"
        return None, [f"no score in the population, since {why}: all scores describe the labelled examples"]
    told = (
        f"in population: the score on the archive, from the {predictions['id'].iloc[rows].nunique():,} examples of the "
        "last draw, each weighed by the inverse of its probability; all other scores describe the labelled examples"
    )
    return scored(outcomes.rows(rows).in_population(weights[rows]), metric), [told]


def _unanswered(outcomes: Outcomes) -> list[str]:
    count = int((outcomes.predicted == UNANSWERED).sum())
    return [f"{count} of {len(outcomes)} predictions are missing and count as wrong"] if count else []
