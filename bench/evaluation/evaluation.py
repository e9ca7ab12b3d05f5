"""What the cells of one (task, model, seed) share: the data, the model, the splits and the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.config import Search
from bench.data.drawn import STRATUM, weights_of_tested
from bench.data.forward import forward_splits
from bench.data.splits import FEW_GROUPS, Split, split_by_group
from bench.data.task import Task
from bench.models.model import Model
from bench.models.space import Setting
from bench.results.cell import FINAL, Fold
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator


@dataclass(eq=False)
class Evaluation:
    """All that the cells of one (task, model, seed) share.

    Parameters
    ----------
    task : Task
        The examples.
    model : Model
        What is searched and fitted.
    splits : list of Split
        The outer folds.
    search : Search
        The budget of each search.
    inner_folds : int
        Inner folds, if the training part has more than ten groups.
    seed : int
        The run's seed.
    keeps_model : bool
        Whether a fold's fitted model is part of its result. Published splits need it: their only model is the one that
        is scored.
    lent : ndarray of int, shape (n_lent,), or None
        Rows of another task's examples, which only ever train.
    forward : bool
        Whether inner folds train on earlier and test on later examples too.
    """

    task: Task
    model: Model
    splits: list[Split]
    search: Search
    inner_folds: int
    seed: int
    keeps_model: bool = False
    lent: NDArray[np.intp] | None = None
    forward: bool = False

    @cached_property
    def weights(self) -> NDArray[np.float64] | None:
        """How many texts of the population each tested example stands for, of shape (n_examples,); None without one."""
        task, tested = self.task, np.zeros(len(self.task), dtype=bool)
        for split in self.splits:
            tested[split.test] = True
        if task.weights is None or tested.all():
            return task.weights
        strata = task.examples[STRATUM].astype(str).tolist() if STRATUM in task.examples else [""] * len(task)
        return weights_of_tested(task.weights, strata, tested)

    @property
    def final_rows(self) -> NDArray[np.intp]:
        """The training rows of the final model: all examples, or the extra training rows if they replace them."""
        alone = self.lent is not None and all(np.array_equal(split.train, self.lent) for split in self.splits)
        return self.lent if alone and self.lent is not None else np.arange(len(self.task))

    def training_rows(self, fold: Fold) -> NDArray[np.intp]:
        """The rows that a cell searches and fits on."""
        return self.final_rows if fold == FINAL else self.splits[int(fold)].train

    @property
    def searches(self) -> bool:
        """Whether its cells search for a setting."""
        return bool(self.model.search) and self.search.trials > 0

    @property
    def fits_at_once(self) -> int:
        """How many fits of a cell can run at the same time, at most."""
        if not self.searches:
            return 1
        settings = min(self.search.batch, self.search.trials)
        return settings if self.model.prune else settings * max(self.inner_folds, FEW_GROUPS)

    def fits_of(self, fold: Fold) -> int:
        """How many fits a cell takes, at most: those of its search, and that of the chosen setting."""
        return 1 + (self.search.trials * len(self.inner_splits(fold)) if self.searches else 0)

    def inner_splits(self, fold: Fold) -> list[Split]:
        """The inner folds of a cell's training part, or the one that a published split names with its dev part.

        Parameters
        ----------
        fold : int or "final"
            The cell's fold.

        Returns
        -------
        list of Split
            Empty if the part has one group. Extra training rows are in each training part and in no test part,
            unless they alone train.
        """
        rows = self.training_rows(fold)
        dev = None if fold == FINAL else self.splits[int(fold)].dev
        if dev is not None:
            return [Split(rows, dev, dev)]
        if self.forward:
            task = self.task
            inner = forward_splits(task.codes[rows], task.groups[rows], task.times[rows], self.inner_folds)
            return [Split(rows[split.train], rows[split.test]) for split in inner]
        own, lent = rows, rows[:0]
        if self.lent is not None and len(rows) > len(self.lent):
            own, lent = np.setdiff1d(rows, self.lent), self.lent
        seed = derive_seed(self.seed, self.task.name, str(fold), "inner")
        return [
            Split(np.concatenate([own[split.train], lent]), own[split.test])
            for split in split_by_group(self.task.codes[own], self.task.groups[own], self.inner_folds, seed)
        ]

    def seed_of(self, fold: Fold, *purpose: str | int) -> int:
        """The seed of a cell's model, or of a round of its search."""
        return derive_seed(self.seed, self.task.name, self.model.name, str(fold), *purpose)

    def features(self, params: Setting) -> BaseEstimator | None:
        """The unfitted transformer of a setting, with a seed that all of a task's models and folds share.

        They share its features.
        """
        return self.model.build_features(params, self.task, derive_seed(self.seed, self.task.name, "features"))
