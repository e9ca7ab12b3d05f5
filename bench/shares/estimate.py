"""The shares of labels in an archive, whole and by part, by each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.data.drawn import STRATUM, draw_weights, drawn_by_text, of_last_draw
from bench.errors import DataError
from bench.results.shares import LabelShare, PartDifference, PartShares
from bench.shares.slices import By
from bench.shares.totals import FoldModel, ReadArchive, Totals, first_examples, predictions_of
from bench.statistics.powered import (
    Method,
    Sample,
    adjusted_count,
    difference,
    further_labels,
    labels_alone,
    powered,
    without_labelled,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Labelled:
    """The labelled examples that count: those that a fold's model has not trained on.

    Parameters
    ----------
    rows : ndarray of int, shape (n_examples,)
        Their numbers in the task.
    first : ndarray of int, shape (n_examples,)
        The number of the first example with the same input.
    predicted, chosen : ndarray of shape (n_examples, n_labels)
        The probabilities and choices of that model.
    weights : ndarray of shape (n_examples,)
        How many texts of the archive each stands for.
    """

    rows: NDArray[np.intp]
    first: NDArray[np.intp]
    predicted: Floats
    chosen: Floats
    weights: Floats


def labelled_examples(task: Task, models: Sequence[FoldModel], n_texts: float) -> Labelled:
    """Predict each labelled example by the models that have not trained on it: one, or one for each repeat.

    Parameters
    ----------
    task : Task
        The task.
    models : sequence of FoldModel
        The models of the outer folds.
    n_texts : float
        The texts of the archive.
    """
    n_labels = len(task.labels)
    predicted, chosen, times = np.zeros((len(task), n_labels)), np.zeros((len(task), n_labels)), np.zeros(len(task))
    for each in models:
        probabilities, choices = predictions_of(each.model.label(task.frame.iloc[each.test]), task.labels)
        predicted[each.test] += probabilities
        chosen[each.test] += choices
        times[each.test] += 1
    rows = np.flatnonzero((times > 0) & of_last_draw(task.examples))
    if len(rows) == 0:
        raise DataError(
            f"{task.origin}: no example of the last draw was tested by the run, so nothing corrects the model.",
            f"Run the task again: bench run task={task.name}",
        )
    often = times[rows, None]
    known = first_examples(task)
    first = np.array([known[key] for key in task.keys[rows].tolist()], dtype=np.intp)
    return Labelled(rows, first, predicted[rows] / often, chosen[rows] / often, _weights(task, rows, n_texts))


def _weights(task: Task, rows: NDArray[np.intp], n_texts: float) -> Floats:
    weights = draw_weights(task.examples, task.origin)
    weights = task.weights if weights is None else weights
    if weights is not None:
        return np.asarray(weights[rows])
    return np.full(len(rows), n_texts / len(rows))


def estimate(
    task: Task, labelled: Labelled, read: ReadArchive, by: By | None, pairs: Sequence[tuple[str, str]]
) -> tuple[PartShares, list[PartShares], list[PartDifference]]:
    """Estimate the shares of the whole archive, of its parts, and the differences between parts.

    Parameters
    ----------
    task : Task
        The task.
    labelled : Labelled
        Its examples.
    read : ReadArchive
        The archive.
    by : By, optional
        The column that divides it.
    pairs : sequence of (str, str)
        The parts to compare.
    """
    copies = np.array([read.copies[row] for row in labelled.first.tolist()])
    _, same, times = np.unique(labelled.first, return_inverse=True, return_counts=True)
    given = np.eye(len(task.labels))[task.codes[labelled.rows]]
    groups = np.unique(task.groups[labelled.rows].astype(str), return_inverse=True)[1]
    weights = without_labelled(labelled.weights, copies, times[same], drawn_by_text(task.examples))
    sample = Sample(given, labelled.predicted, weights, groups, _strata(task, labelled.rows, groups))
    power = sample.power
    whole, _ = _shares(None, task.labels, sample, labelled.chosen, read.whole, power)
    parts: list[PartShares] = []
    methods: dict[str, tuple[Method, NDArray[np.intp]]] = {}
    part_of = np.array(parts_of_examples(task, labelled, read, by), dtype=object)
    for name in sorted(read.parts):
        here = part_of == name
        shares, method = _shares(name, task.labels, sample.only(here), labelled.chosen[here], read.parts[name], power)
        parts.append(shares)
        if method is not None:
            methods[name] = method, np.unique(groups[here])
    return whole, parts, [found for pair in pairs for found in _differences(pair, methods, task.labels)]


def _strata(task: Task, rows: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """The stratum of each group, if the examples were drawn by strata that divide no group."""
    if STRATUM not in task.examples or not (task.population or drawn_by_text(task.examples)):
        return None
    strata = np.unique(task.examples[STRATUM].iloc[rows].astype(str), return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, strata], axis=1), axis=0)
    return pairs[:, 1] if len(pairs) == groups.max() + 1 else None


def _differences(
    pair: tuple[str, str], methods: dict[str, tuple[Method, NDArray[np.intp]]], labels: Sequence[str]
) -> list[PartDifference]:
    if missing := [name for name in pair if name not in methods]:
        raise DataError(
            f"--difference: no labelled example is in the part '{missing[0]}'.",
            f"Parts with labelled examples: {', '.join(methods) or 'none'}",
        )
    (one, its), (other, others) = methods[pair[0]], methods[pair[1]]
    found = difference(one, other, (its, others))
    return [
        PartDifference(label=label, one=pair[0], other=pair[1], difference=each)
        for label, each in zip(labels, found, strict=True)
    ]


def parts_of_examples(task: Task, labelled: Labelled, read: ReadArchive, by: By | None) -> list[str]:
    """The part that each example is in: of its row in the archive, else of its own column; empty if unknown."""
    if by is None:
        return [""] * len(labelled.rows)
    own = [""] * len(task)
    if by.column in task.examples:
        own = task.examples[by.column].fillna("").astype(str).tolist()
    place = f"{task.origin}: example "
    return [
        read.found[other] if other in read.found else by.part_of(own[row], f"{place}{task.ids[row]}")
        for row, other in zip(labelled.rows.tolist(), labelled.first.tolist(), strict=True)
    ]


def _shares(
    part: str | None, labels: Sequence[str], sample: Sample, chosen: Floats, totals: Totals, power: Floats
) -> tuple[PartShares, Method | None]:
    archive = totals.archive
    counted = dict(zip(labels, archive.counted().tolist(), strict=True))
    described = PartShares(
        part=part,
        n_texts=round(archive.total),
        n_labelled=len(sample),
        n_groups=len(np.unique(sample.groups)),
        shares=(),
        counted=counted,
    )
    if archive.n > 0 and (len(sample) == 0 or not sample.weights.any()):
        return described, None
    method, adjusted = powered(sample, archive, power), adjusted_count(sample, archive, chosen)
    columns = zip(
        labels,
        method.shares(),
        labels_alone(sample, archive).shares(),
        [None] * len(labels) if adjusted is None else adjusted.shares(),
        strict=True,
    )
    shares = [
        LabelShare(
            label=label,
            powered=own,
            labels_alone=alone,
            adjusted=corrected,
            counted=counted[label],
            narrowest="labels_alone" if alone.width < own.width else "powered",
        )
        for label, own, alone, corrected in columns
    ]
    return replace(described, shares=tuple(shares)), method


def labels_needed(whole: PartShares, within: float) -> dict[str, int]:
    """How many more examples, drawn like the labelled ones, make each label's interval at most ``± within``.

    Labels without an interval are left out.
    """
    known = {each.label: further_labels(each.powered, whole.n_labelled, whole.n_texts, within) for each in whole.shares}
    return {label: n for label, n in known.items() if n is not None}
