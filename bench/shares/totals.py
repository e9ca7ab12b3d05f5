"""Reading an archive once: each text is predicted by every fold's model, and only sums are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.data.by import MOST, By, are_dates
from bench.data.drawn import texts_drawn_for
from bench.data.duplicates import duplicate_keys
from bench.data.sources.further import written
from bench.errors import DataError
from bench.prediction.labelling import in_chunks, label_chunk
from bench.shares.near import NearRepeats
from bench.statistics.sampled import Archive

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bench.data.sources.cells import Row
    from bench.data.task import Task
    from bench.prediction.fitted import FittedModel
    from bench.prediction.reading import NewText

    Floats = NDArray[np.float64]

CHUNK = 2000
"""Rows that are predicted at once."""

DEALT = 50_000
"""From how many rows on each is predicted by one model: the mean over so many is as good, and takes less time."""

KEPT = 2000
"""Texts of the archive that are kept for comparing them with the labelled ones."""


@dataclass(frozen=True, eq=False)
class FoldModel:
    """The model of an outer fold.

    Parameters
    ----------
    model : FittedModel
        The model.
    test : ndarray of int, shape (n_test,)
        The examples that it has not trained on.
    """

    model: FittedModel
    test: NDArray[np.intp]


@dataclass(eq=False)
class Totals:
    """The sums over the rows of an archive, or of a part of it.

    Parameters
    ----------
    n : int
        The unlabelled rows.
    predicted, squared, chosen : ndarray of shape (n_labels,)
        The sums over them of the probabilities and of their squares, and of whether each label is the most probable.
    known : ndarray of shape (n_labels,)
        The further rows, which are labelled, by label.
    dealt : bool
        Whether each row was predicted by one of the models only.
    later : ndarray of shape (n_labels,)
        How many of the unlabelled rows have been given each label since.
    """

    n: int
    predicted: Floats
    squared: Floats
    chosen: Floats
    known: Floats
    dealt: bool
    later: Floats = field(default_factory=lambda: np.zeros(1))

    @classmethod
    def none(cls, n_labels: int, dealt: bool) -> Totals:
        """The sums over no row."""
        predicted, squared, chosen, known = np.zeros((4, n_labels))
        return cls(0, predicted, squared, chosen, known, dealt)

    def add(self, predicted: Floats, chosen: Floats) -> None:
        """Add unlabelled rows: their probabilities and choices, of shape (n_rows, n_labels)."""
        self.n += len(predicted)
        self.predicted += predicted.sum(axis=0)
        self.squared += (predicted**2).sum(axis=0)
        self.chosen += chosen.sum(axis=0)

    @property
    def archive(self) -> Archive:
        """The means over the rows."""
        n = max(self.n, 1)
        mean = self.predicted / n
        noise = np.maximum(self.squared / n - mean**2, 0.0) / n
        noise = noise if self.dealt else np.zeros_like(noise)
        return Archive(self.n, mean, self.chosen / n, self.known, noise, self.later)

    def with_near(self, near: Totals, known: bool) -> Totals:
        """The sums with those of further rows, which count as labelled if they are `known`."""
        if known:
            return replace(self, known=self.known + near.known)
        return replace(
            self,
            n=self.n + near.n,
            predicted=self.predicted + near.predicted,
            squared=self.squared + near.squared,
            chosen=self.chosen + near.chosen,
        )

    def before(self, rows: Floats, given: Floats, predicted: Floats, chosen: Floats) -> Totals:
        """The sums before some of the examples were labelled.

        Parameters
        ----------
        rows : ndarray of shape (n_examples,)
            How many rows each of them stands in.
        given, predicted, chosen : ndarray of shape (n_examples, n_labels)
            Their labels, and what the models say.
        """
        return Totals(
            self.n + round(float(rows.sum())),
            self.predicted + rows @ predicted,
            self.squared + rows @ predicted**2,
            self.chosen + rows @ chosen,
            self.known - rows @ given,
            self.dealt,
            self.later + rows @ given,
        )


@dataclass(eq=False)
class ReadArchive:
    """What was seen of an archive.

    Parameters
    ----------
    whole : Totals
        Of all rows.
    parts : dict of str to Totals
        Of the rows of each part; empty without a column to divide by.
    copies : dict of (int, str) to int
        How often the text of each of the task's examples that are in the archive stands there, by the part.
    kept : list of tuple of str
        The inputs of some unlabelled rows, drawn at random.
    near : dict of (str or None, int) to Totals
        The unlabelled rows, whole and by part, that nearly repeat a labelled text and so could not be drawn from the
        numbered draw on. Their `known` are the labels of these texts.
    without_part : int
        How many rows have no value in the column.
    """

    whole: Totals
    parts: dict[str, Totals] = field(default_factory=dict)
    copies: Counter[tuple[int, str]] = field(default_factory=Counter)
    kept: list[tuple[str, ...]] = field(default_factory=list)
    near: dict[tuple[str | None, int], Totals] = field(default_factory=dict)
    without_part: int = 0

    @property
    def n_near(self) -> int:
        """How many rows nearly repeat a text that was labelled before the last draw."""
        return sum(totals.n for (part, _), totals in self.near.items() if part is None)

    @property
    def found(self) -> set[int]:
        """The task's examples that are in the archive."""
        return {number for number, _ in self.copies}

    def rows_of(self, examples: NDArray[np.intp], part: str | None = None) -> NDArray[np.intp]:
        """In how many rows, of the part if one is named, the text of each of these examples stands."""
        rows = Counter[int]()
        for (number, place), times in self.copies.items():
            if part is None or place == part:
                rows[number] += times
        return np.array([rows[number] for number in examples.tolist()], dtype=np.intp)


def read_archive(
    new: NewText,
    task: Task,
    models: Sequence[FoldModel],
    by: By | None,
    n_rows: int,
    seed: int,
    doing: Callable[[str], None],
) -> ReadArchive:
    """Read and predict an archive.

    Rows that repeat the input of a labelled example are not predicted: their label is known. Where the rows have the
    task's group column, under its name in the task's table or the task's own, one of a labelled group is predicted by
    the fold's model that has not trained on the group.

    Parameters
    ----------
    new : NewText
        The archive.
    task : Task
        The task with the labelled examples.
    models : sequence of FoldModel
        The models of the outer folds.
    by : By, optional
        The column that divides the archive.
    n_rows : int
        How many rows it has.
    seed : int
        For the models that are drawn, and the texts that are kept.
    doing : callable
        Receives progress messages.

    Raises
    ------
    bench.errors.DataError
        If a row has no such column or there are too many parts.
    """
    import pandas as pd

    labels = task.labels
    example_of, near = first_examples(task), NearRepeats(task)
    folds_of, weights = _folds_by_group(task, models), _weights_of_models(task, models)
    dealt = n_rows >= DEALT and len(models) > 1
    read, draw, seen = ReadArchive(Totals.none(len(labels), dealt)), np.random.default_rng(seed), 0
    for chunk in in_chunks(new.rows, CHUNK):
        frame = pd.DataFrame({name: [row[column] for _, row in chunk] for name, column in new.columns.items()})
        parts = _parts(chunk, by)
        examples = [example_of.get(key, -1) for key in duplicate_keys(frame).tolist()]
        for number, part in zip(examples, parts, strict=True):
            if number >= 0:
                read.copies[number, part] += 1
                for totals in _of(read, part, by, len(labels)):
                    totals.known[task.codes[number]] += 1
        unlabelled = np.flatnonzero(np.array(examples) < 0)
        folds = [folds_of.get(_group(task, chunk[row][1]), -1) for row in unlabelled.tolist()]
        if len(unlabelled):
            own = np.array(folds)
            if dealt:
                own = np.where(own < 0, draw.choice(len(models), len(own), p=weights), own)
            predicted, chosen = _predict(models, weights, frame.iloc[unlabelled], own, labels, chunk[0][0])
            repeated = near.of(frame.iloc[unlabelled])
            drawable, others = np.flatnonzero(repeated < 0), np.flatnonzero(repeated >= 0)
            own_parts = [parts[row] for row in unlabelled.tolist()]
            _add(read, predicted[drawable], chosen[drawable], [own_parts[row] for row in drawable.tolist()], by)
            for row in others.tolist():
                example, part = int(repeated[row]), own_parts[row]
                _of(read, part, by, len(labels))
                for place in {None, part or None}:
                    totals = read.near.setdefault((place, near.since(example)), Totals.none(len(labels), dealt))
                    totals.add(predicted[[row]], chosen[[row]])
                    totals.known[task.codes[example]] += 1
            for row in unlabelled[drawable].tolist():
                seen += 1
                _keep(read.kept, tuple(frame.iloc[row]), seen, draw)
        read.without_part += 0 if by is None else sum(not part for part in parts)
        doing(f"predicting the archive, {seen + read.n_near + int(read.whole.known.sum()):,} texts")
    return read


def first_examples(task: Task) -> dict[bytes, int]:
    """The first example with each input, by the input's key."""
    found: dict[bytes, int] = {}
    for number, key in enumerate(task.keys.tolist()):
        found.setdefault(key, number)
    return found


def texts_of_each(task: Task) -> Floats | None:
    """How many texts of the archive each example stands for, of shape (n_examples,); None if all for as many."""
    drawn = texts_drawn_for(task.examples, task.origin)
    return task.weights if drawn is None else drawn


def _weights_of_models(task: Task, models: Sequence[FoldModel]) -> Floats:
    """For how much of the labelled sample each model's errors are known; the weights sum to 1.

    The archive's mean prediction counts each model as much as its errors do, which are subtracted.
    """
    texts = texts_of_each(task)
    texts = np.ones(len(task)) if texts is None else texts
    weights = np.array([texts[each.test].sum() for each in models])
    return np.asarray(weights / weights.sum()) if weights.any() else np.full(len(models), 1.0 / len(models))


def _folds_by_group(task: Task, models: Sequence[FoldModel]) -> dict[str, int]:
    """A fold in whose test part each group is, by the key of its name."""
    return {
        task.group_key(str(group)): number
        for number, each in enumerate(models)
        for group in task.groups[each.test].tolist()
    }


def _group(task: Task, row: Mapping[str, object]) -> str:
    """The key of a row's group; empty without one."""
    name = next((written(row[column]) for column in task.group_names if column in row), "")
    return task.group_key(name) if name else ""


def _parts(chunk: Sequence[Row], by: By | None) -> list[str]:
    if by is None:
        return [""] * len(chunk)
    return [by.part_of(by.value_of(row), place) for place, row in chunk]


def _of(read: ReadArchive, part: str, by: By | None, n_labels: int) -> list[Totals]:
    """The sums that a row belongs to."""
    if not part:
        return [read.whole]
    if part not in read.parts and len(read.parts) == MOST:
        assert by is not None
        raise DataError(
            f"The column '{by.column}' has more than {MOST} values, so it divides the archive into too few texts.",
            f"Count by month or year: --by {by.column}:month" if by.period is None and are_dates(read.parts) else None,
        )
    return [read.whole, read.parts.setdefault(part, Totals.none(n_labels, read.whole.dealt))]


def _add(read: ReadArchive, predicted: Floats, chosen: Floats, parts: Sequence[str], by: By | None) -> None:
    names, codes = np.unique(np.array(parts, dtype=object), return_inverse=True)
    for number, name in enumerate(names.tolist()):
        here = codes == number
        for totals in _of(read, name, by, predicted.shape[1]):
            totals.add(predicted[here], chosen[here])


def _keep(kept: list[tuple[str, ...]], inputs: tuple[str, ...], seen: int, draw: np.random.Generator) -> None:
    """Keep each of the texts so far with equal probability (reservoir sampling)."""
    if len(kept) < KEPT:
        kept.append(inputs)
    elif (place := int(draw.integers(seen))) < KEPT:
        kept[place] = inputs


def _predict(
    models: Sequence[FoldModel],
    weights: Floats,
    frame: pd.DataFrame,
    folds: NDArray[np.intp],
    labels: tuple[str, ...],
    where: str,
) -> tuple[Floats, Floats]:
    """The weighted mean probabilities and choices of the models, or those of the one that a row's group asks for."""
    predicted, chosen = np.zeros((2, len(frame), len(labels)))
    for number, each in enumerate(models):
        asked = np.flatnonzero((folds == number) | (folds < 0))
        if len(asked):
            weight = np.where(folds[asked] < 0, weights[number], 1.0)[:, None]
            probabilities, choices = predictions_of(label_chunk(each.model, frame.iloc[asked], where), labels)
            predicted[asked] += weight * probabilities
            chosen[asked] += weight * choices
    return predicted, chosen


def predictions_of(answers: pd.DataFrame, labels: Sequence[str]) -> tuple[Floats, Floats]:
    """Each label's probability and whether it is the predicted one, both of shape (n_texts, n_labels).

    The answers are those of `FittedModel.label`. A model without probabilities gives its label the probability 1.
    """
    chosen = np.stack([answers["label"].to_numpy() == label for label in labels], axis=1).astype(np.float64)
    if len(answers.columns) == 1:
        return chosen, chosen
    return answers.iloc[:, 1:].to_numpy(dtype=np.float64), chosen
