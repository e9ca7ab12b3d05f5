"""The shares of labels in an archive, whole and by part, by each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.catalogue import load_further
from bench.data.by import By
from bench.data.drawn import NO_DRAW, STRATUM, drawn_by_text, draws_of, labelled_since
from bench.errors import DataError
from bench.results.shares import LabelShare, PartDifference, PartShares
from bench.shares.totals import FoldModel, ReadArchive, Totals, first_examples, predictions_of, texts_of_each
from bench.statistics.powered import (
    Method,
    adjusted_count,
    all_known,
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
class LabelledTexts:
    """The different texts of the labelled examples, of any draw or none.

    Parameters
    ----------
    first : ndarray of int, shape (n_texts,)
        The number of the first example with each.
    since : ndarray of int, shape (n_texts,)
        The first draw that was made after it had been labelled.
    draws : ndarray of int, shape (n_texts,)
        The draw that it is from.
    predicted, chosen : ndarray of shape (n_texts, n_labels)
        The probabilities and choices of the models that have not trained on it.
    tested : ndarray of bool, shape (n_texts,)
        Whether there is such a model.
    """

    first: NDArray[np.intp]
    since: NDArray[np.intp]
    draws: NDArray[np.intp]
    predicted: Floats
    chosen: Floats
    tested: NDArray[np.bool_]


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
    texts : LabelledTexts
        The texts of all labelled examples.
    """

    rows: NDArray[np.intp]
    first: NDArray[np.intp]
    predicted: Floats
    chosen: Floats
    weights: Floats
    draws: NDArray[np.intp]
    texts: LabelledTexts


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
    often = np.maximum(times, 1)[:, None]
    predicted, chosen = predicted / often, chosen / often
    known = first_examples(task)
    first = np.array([known[key] for key in task.keys[rows].tolist()], dtype=np.intp)
    texts = np.array(sorted(known.values()), dtype=np.intp)
    return LabelledExamples(
        rows,
        first,
        predicted[rows],
        chosen[rows],
        _weights(task, rows, n_texts),
        draws[rows],
        LabelledTexts(
            texts, labelled_since(draws)[texts], draws[texts], predicted[texts], chosen[texts], times[texts] > 0
        ),
    )


def _weights(task: Task, rows: NDArray[np.intp], n_texts: float) -> Floats:
    texts = texts_of_each(task)
    return np.full(len(rows), n_texts / len(rows)) if texts is None else np.asarray(texts[rows])


def _strata(task: Task, rows: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.intp] | None:
    """The stratum of each group, if these examples were drawn by strata that divide no group."""
    if STRATUM not in task.examples or not (task.population or drawn_by_text(task.examples)):
        return None
    strata = np.unique(task.examples[STRATUM].iloc[rows].astype(str), return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, strata], axis=1), axis=0)
    return pairs[:, 1] if len(pairs) == groups.max() + 1 else None


def estimate(
    task: Task,
    labelled: LabelledExamples,
    read: ReadArchive,
    divided: Mapping[str, Floats],
    pairs: Sequence[tuple[str, str]],
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
    divided : mapping of str to ndarray of shape (n_examples,)
        For each part, how much of each example is in it; see `examples_by_part`.
    pairs : sequence of (str, str)
        The parts to compare.
    """
    examples = _Examples.of(task, labelled, read)
    whole, _ = _shares(None, examples, np.ones(len(labelled.rows)), read.whole)
    parts: list[PartShares] = []
    methods: dict[str, Method] = {}
    for name in sorted(read.parts):
        shares, method = _shares(name, examples, divided[name], read.parts[name])
        parts.append(shares)
        if method is not None:
            methods[name] = method
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
    copies: NDArray[np.intp]

    @classmethod
    def of(cls, task: Task, labelled: LabelledExamples, read: ReadArchive) -> _Examples:
        _, same, times = np.unique(labelled.first, return_inverse=True, return_counts=True)
        copies = read.rows_of(labelled.first)
        weights = without_labelled(labelled.weights, copies, times[same], by_text=drawn_by_text(task.examples))
        groups = np.unique(task.groups[labelled.rows].astype(str), return_inverse=True)[1]
        given = np.eye(len(task.labels))[task.codes[labelled.rows]]
        return cls(task, labelled, read, given, groups, weights, copies)

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
        numbers, groups = np.unique(self.groups[here], return_inverse=True)
        strata = _strata(self.task, self.labelled.rows[here], groups)
        return LabelledSample(
            self.given[here], self.labelled.predicted[here], self.weights[here], groups, strata, numbers
        )

    def archive(self, totals: Totals, part: str | None) -> Archive:
        """What is unlabelled now. Near repeats of texts that were labelled before the last draw have their labels."""
        return self._without_near(totals, part, self.draws[-1][0]).archive

    def archive_before(self, draw: int, totals: Totals, part: str | None, shares: Floats) -> tuple[Archive, bool]:
        """What was unlabelled before a draw, apart from the draw itself, and whether all of it has predictions.

        Labels that came later, of whatever origin, are of texts for which the draw stands too.

        Parameters
        ----------
        draw : int
            The draw.
        totals : Totals
            The sums over the archive or the part.
        part : str or None
            The part.
        shares : ndarray of shape (n_examples,)
            How much of each example is in it.
        """
        texts = self.labelled.texts
        rows = self.read.rows_of(texts.first, part) * ((texts.since > draw) & (texts.draws != draw))
        given = np.eye(self.given.shape[1])[self.task.codes[texts.first]]
        before = self._without_near(totals, part, draw).before(rows, given, texts.predicted, texts.chosen)
        own = shares * (self.labelled.draws == draw)
        weights = own * self.weights
        different = float((weights / np.maximum(own * self.copies, 1.0)).sum())
        copies = float(weights.sum()) / different if different > 0 else 1.0
        return replace(before.archive, copies=copies), bool(texts.tested[rows > 0].all())

    def _without_near(self, totals: Totals, part: str | None, draw: int) -> Totals:
        """The sums where texts that nearly repeat one that was labelled before the draw count as its label."""
        for (place, since), near in self.read.near.items():
            if place == part:
                totals = totals.with_near(near, known=since <= draw)
        return totals


def _differences(pair: tuple[str, str], methods: Mapping[str, Method], labels: Sequence[str]) -> list[PartDifference]:
    if missing := [name for name in pair if name not in methods]:
        raise DataError(
            f"--difference: no labelled example is in the part '{missing[0]}'.",
            f"Parts with labelled examples: {', '.join(methods) or 'none'}",
        )
    found = difference(methods[pair[0]], methods[pair[1]])
    return [
        PartDifference(label=label, one=pair[0], other=pair[1], difference=each)
        for label, each in zip(labels, found, strict=True)
    ]


def examples_by_part(task: Task, labelled: LabelledExamples, read: ReadArchive, by: By | None) -> dict[str, Floats]:
    """How much of each example is in each part of the archive, of shape (n_examples,) by part.

    A text that stands in several parts is divided between them. One that is not in the archive is in the part that its
    own column names.
    """
    if by is None:
        return {}
    rows = read.rows_of(labelled.first)
    divided = {name: read.rows_of(labelled.first, name) / np.maximum(rows, 1) for name in read.parts}
    for place, name in _own_parts(task, labelled, np.flatnonzero(rows == 0), by).items():
        if name in divided:
            divided[name][place] = 1.0
    return divided


def _own_parts(task: Task, labelled: LabelledExamples, places: NDArray[np.intp], by: By) -> dict[int, str]:
    """The part that an example's own column names; empty if unknown."""
    rows = {place: int(labelled.rows[place]) for place in places.tolist()}
    if by.column in task.examples:
        own = task.examples[by.column].fillna("").astype(str).tolist()
        return {place: by.part_of(own[row], f"{task.origin}: example {task.ids[row]}") for place, row in rows.items()}
    values = load_further(task.name, by.column).values if rows else {}
    return {place: _part_or_none(by, values.get(str(task.ids[row]), "")) for place, row in rows.items()}


def _part_or_none(by: By, value: str) -> str:
    """The part of a value; empty if it is not a date and a period is asked for."""
    try:
        return by.part_of(value, "")
    except DataError:
        return ""


def _shares(part: str | None, examples: _Examples, shares: Floats, totals: Totals) -> tuple[PartShares, Method | None]:
    """The shares in the archive or a part, given how much of each example is in it."""
    labels, archive, here = examples.task.labels, examples.archive(totals, part), shares > 0
    counted = dict(zip(labels, archive.counted().tolist(), strict=True))
    described = PartShares(
        part=part,
        n_texts=round(archive.total),
        n_labelled=int(here.sum()),
        n_groups=len(np.unique(examples.groups[here])),
        shares=(),
        counted=counted,
    )
    own, alone, adjusted = list[Method](), list[Method](), list[Method | None]()
    if archive.n == 0:
        own, alone, adjusted = [all_known(archive)], [all_known(archive)], [None]
    for draw, sample in examples.draws if archive.n else ():
        of_draw = examples.labelled.draws == draw
        drawn = sample if part is None else sample.part(shares[of_draw])
        if not drawn.weights.any():
            continue
        left, predicted = examples.archive_before(draw, totals, part, shares)
        alone.append(labels_alone(drawn, left))
        own.append(powered(drawn, left, examples.together.power_for(drawn)) if predicted else alone[-1])
        adjusted.append(adjusted_count(drawn, left, examples.labelled.chosen[here & of_draw]) if predicted else None)
    if not own:
        return described, None
    method = combined(own)
    counts = [each for each in adjusted if each is not None]
    columns = zip(
        labels,
        method.shares(),
        combined(alone).shares(),
        combined(counts).shares() if len(counts) == len(adjusted) else [None] * len(labels),
        strict=True,
    )
    found = [
        LabelShare(
            label=label,
            powered=powers,
            labels_alone=unaided,
            adjusted=None if corrected is None or np.isnan(corrected.value) else corrected,
            counted=counted[label],
            narrowest="labels_alone" if unaided.width < powers.width else "powered",
        )
        for label, powers, unaided, corrected in columns
    ]
    return replace(described, shares=tuple(found)), method


def labels_needed(
    task: Task, labelled: LabelledExamples, read: ReadArchive, whole: PartShares, within: float
) -> dict[str, int]:
    """How many more examples, drawn like the labelled ones, make each label's interval at most ``± within``.

    Labels without an interval are left out.
    """
    examples = _Examples.of(task, labelled, read)
    before, _ = examples.archive_before(examples.draws[-1][0], read.whole, None, np.ones(len(labelled.rows)))
    unlabelled = examples.archive(read.whole, None).n / before.copies
    known = {each.label: further_labels(each.powered, whole.n_labelled, unlabelled, within) for each in whole.shares}
    return {label: n for label, n in known.items() if n is not None}
