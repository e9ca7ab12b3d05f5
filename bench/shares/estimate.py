"""The shares of labels in an archive, whole and by part, by each method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.catalogue import load_further
from bench.data.by import By
from bench.data.drawn import NO_DRAW, STRATUM, drawn_by_text, draws_of, texts_drawn_for
from bench.errors import DataError
from bench.results.shares import LabelShare, PartDifference, PartShares
from bench.shares.totals import FoldModel, ReadArchive, Totals, first_examples, predictions_of
from bench.statistics.powered import (
    Method,
    adjusted_count,
    combined,
    difference,
    further_labels,
    labels_alone,
    powered,
    without_labelled,
)
from bench.statistics.sampled import Archive, LabelledSample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LabelledExamples:
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
    draws : ndarray of int, shape (n_examples,)
        The number of the draw that each is from.
    """

    rows: NDArray[np.intp]
    first: NDArray[np.intp]
    predicted: Floats
    chosen: Floats
    weights: Floats
    draws: NDArray[np.intp]


def labelled_examples(task: Task, models: Sequence[FoldModel], n_texts: float) -> LabelledExamples:
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
    draws = draws_of(task.examples)
    rows = np.flatnonzero((times > 0) & (draws != NO_DRAW))
    if len(rows) == 0:
        raise DataError(
            f"{task.origin}: no example that was drawn from the archive was tested by the run, so nothing corrects the "
            "model.",
            f"Run it with folds that test each example: bench run task={task.name}"
            + (" validation.splits=grouped" if task.splits else ""),
        )
    often = times[rows, None]
    known = first_examples(task)
    first = np.array([known[key] for key in task.keys[rows].tolist()], dtype=np.intp)
    weights = _weights(task, rows, n_texts)
    return LabelledExamples(rows, first, predicted[rows] / often, chosen[rows] / often, weights, draws[rows])


def _weights(task: Task, rows: NDArray[np.intp], n_texts: float) -> Floats:
    weights = texts_drawn_for(task.examples, task.origin)
    weights = task.weights if weights is None else weights
    return np.full(len(rows), n_texts / len(rows)) if weights is None else np.asarray(weights[rows])


def _strata(task: Task, rows: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """The stratum of each group, if these examples were drawn by strata that divide no group."""
    if STRATUM not in task.examples or not (task.population or drawn_by_text(task.examples)):
        return None
    strata = np.unique(task.examples[STRATUM].iloc[rows].astype(str), return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, strata], axis=1), axis=0)
    return pairs[:, 1] if len(pairs) == groups.max() + 1 else None


def estimate(
    task: Task, labelled: LabelledExamples, read: ReadArchive, placed: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> tuple[PartShares, list[PartShares], list[PartDifference]]:
    """Estimate the shares of the whole archive, of its parts, and the differences between parts.

    Parameters
    ----------
    task : Task
        The task.
    labelled : LabelledExamples
        Its examples.
    read : ReadArchive
        The archive.
    placed : sequence of str
        The part that each of the examples is in; see `parts_of_examples`.
    pairs : sequence of (str, str)
        The parts to compare.
    """
    examples = _Examples.of(task, labelled, read)
    whole, _ = _shares(None, examples, np.ones(len(labelled.rows), dtype=bool), read.whole)
    parts: list[PartShares] = []
    methods: dict[str, tuple[Method, NDArray[np.intp]]] = {}
    part_of = np.array(placed, dtype=object)
    for name in sorted(read.parts):
        here = part_of == name
        shares, method = _shares(name, examples, here, read.parts[name])
        parts.append(shares)
        if method is not None:
            methods[name] = method, np.unique(examples.groups[here])
    return whole, parts, [found for pair in pairs for found in _differences(pair, methods, task.labels)]


@dataclass(frozen=True, eq=False)
class _Examples:
    """The labelled examples, as the methods need them."""

    task: Task
    labelled: LabelledExamples
    read: ReadArchive
    given: Floats
    groups: NDArray[np.intp]
    weights: Floats
    times: NDArray[np.intp]

    @classmethod
    def of(cls, task: Task, labelled: LabelledExamples, read: ReadArchive) -> _Examples:
        _, same, times = np.unique(labelled.first, return_inverse=True, return_counts=True)
        weights = without_labelled(
            labelled.weights, read.rows_of(labelled.first), times[same], by_text=drawn_by_text(task.examples)
        )
        groups = np.unique(task.groups[labelled.rows].astype(str), return_inverse=True)[1]
        given = np.eye(len(task.labels))[task.codes[labelled.rows]]
        return cls(task, labelled, read, given, groups, weights, times[same])

    @cached_property
    def together(self) -> LabelledSample:
        """The examples of all draws, from which the power is estimated."""
        if len(self.draws) == 1:
            return self.draws[0][1]
        scale = {draw: sample.effective / sample.total for draw, sample in self.draws}
        weights = self.weights * np.array([scale[draw] for draw in self.labelled.draws.tolist()])
        return LabelledSample(self.given, self.labelled.predicted, weights, self.groups)

    @cached_property
    def draws(self) -> list[tuple[int, LabelledSample]]:
        """The draws, in order, with the examples of each."""
        return [(draw, self._sample(self.labelled.draws == draw)) for draw in np.unique(self.labelled.draws).tolist()]

    def _sample(self, here: NDArray[np.bool_]) -> LabelledSample:
        groups = np.unique(self.groups[here], return_inverse=True)[1]
        strata = _strata(self.task, self.labelled.rows[here], groups)
        return LabelledSample(self.given[here], self.labelled.predicted[here], self.weights[here], groups, strata)

    def archive(self, draw: int, totals: Totals, part: str | None) -> Archive:
        """What was unlabelled after a draw, of which later draws have labelled some.

        Texts that nearly repeat one that was labelled before the draw could not be drawn, and count as its label.
        """
        for (place, earlier), near in self.read.near.items():
            if place == part:
                totals = totals.with_near(near, known=earlier < draw)
        later = self.labelled.draws > draw
        first = self.labelled.first[later]
        rows = self.read.rows_of(first, part) / self.times[later]
        given = np.eye(self.given.shape[1])[self.task.codes[first]]
        return totals.before(rows, given, self.labelled.predicted[later], self.labelled.chosen[later]).archive


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


def parts_of_examples(task: Task, labelled: LabelledExamples, read: ReadArchive, by: By | None) -> list[str]:
    """The part that each example is in: of its row in the archive, else of its own column; empty if unknown."""
    if by is None:
        return [""] * len(labelled.rows)
    pairs = list(zip(labelled.rows.tolist(), labelled.first.tolist(), strict=True))
    if by.column in task.examples:
        own = task.examples[by.column].fillna("").astype(str).tolist()
        place = f"{task.origin}: example "
        return [
            read.found[other] if other in read.found else by.part_of(own[row], f"{place}{task.ids[row]}")
            for row, other in pairs
        ]
    values = {} if all(other in read.found for _, other in pairs) else load_further(task.name, by.column).values
    return [
        read.found[other] if other in read.found else _part_or_none(by, values.get(str(task.ids[row]), ""))
        for row, other in pairs
    ]


def _part_or_none(by: By, value: str) -> str:
    """The part of a value; empty if it is not a date and a period is asked for."""
    try:
        return by.part_of(value, "")
    except DataError:
        return ""


def _shares(
    part: str | None, examples: _Examples, here: NDArray[np.bool_], totals: Totals
) -> tuple[PartShares, Method | None]:
    labels, archive = examples.task.labels, examples.archive(examples.draws[-1][0], totals, part)
    counted = dict(zip(labels, archive.counted().tolist(), strict=True))
    described = PartShares(
        part=part,
        n_texts=round(archive.total),
        n_labelled=int(here.sum()),
        n_groups=len(np.unique(examples.groups[here])),
        shares=(),
        counted=counted,
    )
    own, alone, adjusted = [], [], []
    groups = []
    for draw, sample in examples.draws:
        of_draw = examples.labelled.draws == draw
        chosen = here & of_draw
        drawn = sample if part is None else sample.only(here[of_draw])
        left = examples.archive(draw, totals, part)
        if left.n > 0 and not drawn.weights.any():
            continue
        groups.append(np.unique(examples.groups[chosen]))
        own.append(powered(drawn, left, examples.together.power_for(drawn)))
        alone.append(labels_alone(drawn, left))
        adjusted.append(adjusted_count(drawn, left, examples.labelled.chosen[chosen]))
    if not own:
        return described, None
    method = combined(own, groups)
    counts = [each for each in adjusted if each is not None]
    columns = zip(
        labels,
        method.shares(),
        combined(alone, groups).shares(),
        combined(counts, groups).shares() if len(counts) == len(groups) else [None] * len(labels),
        strict=True,
    )
    shares = [
        LabelShare(
            label=label,
            powered=powers,
            labels_alone=unaided,
            adjusted=corrected,
            counted=counted[label],
            narrowest="labels_alone" if unaided.width < powers.width else "powered",
        )
        for label, powers, unaided, corrected in columns
    ]
    return replace(described, shares=tuple(shares)), method


def labels_needed(whole: PartShares, within: float) -> dict[str, int]:
    """How many more examples, drawn like the labelled ones, make each label's interval at most ``± within``.

    Labels without an interval are left out.
    """
    known = {each.label: further_labels(each.powered, whole.n_labelled, whole.n_texts, within) for each in whole.shares}
    return {label: n for label, n in known.items() if n is not None}
