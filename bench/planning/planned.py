"""The planned runs of a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.results.cell import FINAL, Fold

if TYPE_CHECKING:
    from bench.evaluation.evaluation import Evaluation
    from bench.results.record import RunRecord
    from bench.results.store import RunFolder


@dataclass(eq=False)
class PlannedRun:
    """One model on one task.

    Parameters
    ----------
    evaluation : Evaluation
        What its cells share.
    folder : RunFolder
        Where it is stored.
    record : RunRecord
        The content for ``run.json``.
    anew : bool
        Whether to delete stored folds first.
    final : bool
        Whether a final cell fits on all examples.
    estimates_time : bool
        Whether its estimator can estimate its time.
    part : str
        The part of the training data for its cells; empty for all.
    retries : bool
        Whether to rerun stored folds in which settings failed.
    """

    evaluation: Evaluation
    folder: RunFolder
    record: RunRecord
    anew: bool = False
    final: bool = True
    estimates_time: bool = False
    part: str = ""
    retries: bool = False

    @property
    def title(self) -> str:
        """The task and the model, and the part."""
        return f"{self.evaluation.task.name}: {self.evaluation.model.name}{self.part and ', '}{self.part}"

    @property
    def parts(self) -> list[PlannedRun]:
        """Itself: a run has no other."""
        return [self]

    @property
    def all_folds(self) -> list[Fold]:
        """The folds of the run: the outer ones, then the final fit if there is one."""
        return [*self.outer_folds, FINAL] if self.final else [*self.outer_folds]

    @property
    def outer_folds(self) -> list[int]:
        """The folds that are scored."""
        return list(range(len(self.evaluation.splits)))

    def missing_folds(self) -> list[Fold]:
        """The folds that are incomplete, or stored as failed."""
        return [fold for fold in self.all_folds if not self.folder.is_done(fold)]

    def folds_to_run(self) -> list[Fold]:
        """The missing folds and, if it `retries`, those in which settings failed."""
        missing = self.missing_folds()
        return [fold for fold in self.all_folds if fold in missing or (self.retries and self.folder.has_failures(fold))]


@dataclass(eq=False)
class Plan:
    """All runs of a command.

    Parameters
    ----------
    runs : list of PlannedRun
        In the order of tasks and models.
    notes : list of str
        Notes for the user before anything runs.
    workers : int
        Processes that run them.
    """

    runs: list[PlannedRun]
    notes: list[str] = field(default_factory=list)
    workers: int = 1
