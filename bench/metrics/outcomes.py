"""The input of metrics: the true labels of examples and a model's answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.confusion import UNANSWERED, grouped_confusion
from bench.statistics.shares import LabelShares
from bench.statistics.support import Support

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.intp]

VALUE = "value"
"""The column of a task's examples, and of predictions, with the value that the task's metric is averaged over."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Examples with their labels, a model's predictions and what varies together.

    Parameters
    ----------
    true, predicted : ndarray of int, shape (n_examples,)
        Label indices; a predicted one is `UNANSWERED` where the model gave no answer.
    n_labels : int
        The number of the task's labels.
    groups : ndarray of int, shape (n_examples,)
        Group indices, from 0 on.
    parts : ndarray of int, shape (n_examples,)
        The test part that each example is in.
    probabilities : ndarray of shape (n_examples, n_labels) or None
        Predicted probabilities; rows sum to 1.
    weights : ndarray of shape (n_examples,) or None
        What each example counts; None counts each once.
    strata : ndarray of int, shape (n_groups,), or None
        The stratum that each group was drawn from.
    values : ndarray of int, shape (n_examples,), or None
        The value of each example to average the task's metric over, from 0; None if it is not averaged.
    value_names : tuple of str
        The names of the values, if known.
    """

    true: Codes
    predicted: Codes
    n_labels: int
    groups: Codes
    parts: Codes
    probabilities: Floats | None = None
    weights: Floats | None = None
    strata: Codes | None = None
    values: Codes | None = None
    value_names: tuple[str, ...] = ()

    @classmethod
    def of(cls, predictions: pd.DataFrame, labels: tuple[str, ...], parts: Codes | None = None) -> Outcomes:
        """Read a frame of predictions.

        Parameters
        ----------
        predictions : pandas.DataFrame of shape (n_examples, n_columns)
            With ``group``, ``label``, ``predicted`` and, where the model gives probabilities, ``p_<label>``; where
            the task's metric is averaged, with ``value``.
        labels : tuple of str
            The task's labels.
        parts : ndarray of int, shape (n_examples,), optional
            The test part of each example; one for all without it.
        """
        true, predicted = label_codes(predictions, labels)
        groups = np.unique(predictions["group"].to_numpy(dtype=object), return_inverse=True)[1]
        parts = np.zeros(len(true), dtype=np.intp) if parts is None else parts
        outcomes = cls(true, predicted, len(labels), groups, parts, probability_columns(predictions, labels))
        if VALUE not in predictions:
            return outcomes
        names, values = np.unique(predictions[VALUE].to_numpy(dtype=str), return_inverse=True)
        return replace(outcomes, values=values, value_names=tuple(names.tolist()))

    def __len__(self) -> int:
        return len(self.true)

    @cached_property
    def n_groups(self) -> int:
        """The number of groups."""
        return len(self.strata) if self.strata is not None else int(self.groups.max(initial=-1)) + 1

    @cached_property
    def by_group(self) -> NDArray[np.generic]:
        """A confusion matrix for each group; see `bench.metrics.confusion.grouped_confusion`."""
        return grouped_confusion(self.true, self.predicted, self.groups, self.n_groups, self.n_labels, self.weights)

    @cached_property
    def by_value(self) -> NDArray[np.generic]:
        """A confusion matrix for each group and value, of shape (n_groups, n_values, n_labels, n_columns)."""
        assert self.values is not None, "only outcomes with values are averaged over them"
        n_values = int(self.values.max(initial=-1)) + 1
        cells, n_cells = self.groups * n_values + self.values, self.n_groups * n_values
        counts = grouped_confusion(self.true, self.predicted, cells, n_cells, self.n_labels, self.weights)
        return counts.reshape(self.n_groups, n_values, *counts.shape[1:])

    @cached_property
    def confusion(self) -> NDArray[np.generic]:
        """The confusion matrix of all examples."""
        return np.asarray(self.by_group.sum(axis=0))

    @cached_property
    def shares(self) -> LabelShares:
        """The shares of examples of which scores of predicted labels are made, with their intervals."""
        return LabelShares.of(self.by_group, self.strata)

    @cached_property
    def support(self) -> Support:
        """In which groups the examples of each label are."""
        return Support.of(self.groups, self.true, self.n_labels)

    def rows(self, chosen: Codes) -> Outcomes:
        """Some of the examples, all of them without strata."""
        probabilities = None if self.probabilities is None else self.probabilities[chosen]
        weights = None if self.weights is None else self.weights[chosen]
        values = None if self.values is None else self.values[chosen]
        return Outcomes(
            self.true[chosen],
            self.predicted[chosen],
            self.n_labels,
            self.groups[chosen],
            self.parts[chosen],
            probabilities,
            weights,
            values=values,
            value_names=self.value_names,
        )

    def alone(self, chosen: Codes) -> Outcomes:
        """Some of the examples, with only the groups and values that they have."""
        own = self.rows(chosen)
        own = replace(own, groups=np.unique(own.groups, return_inverse=True)[1])
        if own.values is None:
            return own
        held, codes = np.unique(own.values, return_inverse=True)
        names = tuple(own.value_names[code] for code in held.tolist()) if own.value_names else ()
        return replace(own, values=codes, value_names=names)

    def within(self, value: int) -> Outcomes:
        """The examples of one value, in the groups that have any, which are renumbered."""
        assert self.values is not None
        return replace(self.alone(np.flatnonzero(self.values == value)), values=None)

    def in_population(self, weights: Floats) -> Outcomes:
        """The examples of a stratified sample, each weighted by how many of the population it represents.

        Examples of one stratum have the same weight, and each stratum was drawn for itself, so the groups of each are
        units of their own.
        """
        strata = np.unique(weights, return_inverse=True)[1]
        n_groups = self.n_groups
        units, codes = np.unique(strata * n_groups + self.groups, return_inverse=True)
        return replace(self, groups=codes, weights=weights, strata=units // n_groups, probabilities=None)


def label_codes(predictions: pd.DataFrame, labels: tuple[str, ...]) -> tuple[Codes, Codes]:
    """The true and the predicted label indices of a frame of predictions, each of shape (n_examples,).

    Where a prediction is empty, the example is unanswered.
    """
    true = label_indices(predictions["label"].to_numpy(dtype=str), labels)
    names = predictions["predicted"].to_numpy(dtype=str)
    answered = names != ""
    predicted = np.full(len(names), UNANSWERED, dtype=np.intp)
    predicted[answered] = label_indices(names[answered], labels)
    return true, predicted


def probability_columns(predictions: pd.DataFrame, labels: tuple[str, ...]) -> Floats | None:
    """The probabilities of a frame of predictions, of shape (n_examples, n_labels), None if a row has none."""
    columns = [f"p_{label}" for label in labels]
    if not set(columns) <= set(predictions.columns):
        return None
    probabilities = predictions[columns].to_numpy(dtype=np.float64)
    return probabilities if np.isfinite(probabilities).all() else None


def label_indices(names: NDArray[np.str_], labels: tuple[str, ...]) -> Codes:
    """Turn label names into their indices in `labels`.

    Raises
    ------
    ValueError
        If a name is not one of `labels`.

    Examples
    --------
    >>> label_indices(np.array(["b", "a"]), ("a", "b"))
    array([1, 0])
    """
    index = {label: code for code, label in enumerate(labels)}
    try:
        return np.array([index[name] for name in names.tolist()], dtype=np.intp)
    except KeyError as unknown:
        raise ValueError(f"label {unknown} is not one of {', '.join(labels)}") from None
