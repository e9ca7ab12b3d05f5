"""Running cells on an engine: one that hangs or dies takes only its own cell with it."""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.engines.engine import Died, Failed, Outcome, TimedOut, Unit, Value
from bench.errors import printable
from bench.planning.workers import open_engine
from bench.results.cell import CellResult, Fold

if TYPE_CHECKING:
    from bench.evaluation.evaluation import Evaluation
    from bench.features.cache import FeatureCache


@dataclass(frozen=True)
class Cell:
    """A cell to be run.

    Parameters
    ----------
    evaluation : int
        The number of its `Evaluation`.
    fold : int or "final"
        Its outer fold.
    """

    evaluation: int
    fold: Fold


class Evaluator:
    """What a worker holds while it evaluates cells: what they refer to, and the features of each task.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        What cells refer to by number.
    """

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        self._evaluations = evaluations
        self._caches: dict[int, FeatureCache] = {}

    def evaluate(self, cell: Cell) -> CellResult:
        """Search, fit and score one cell."""
        from bench.evaluation.evaluate import evaluate
        from bench.features.cache import FeatureCache

        evaluation = self._evaluations[cell.evaluation]
        task = evaluation.task
        if id(task) not in self._caches:
            self._caches[id(task)] = FeatureCache(task.frame)
        return evaluate(evaluation, cell.fold, self._caches[id(task)])


def run_cells(
    evaluations: Sequence[Evaluation],
    cells: Sequence[Cell],
    workers: int,
    cell_timeout: float | None,
    device: str = "auto",
) -> Generator[tuple[Cell, CellResult]]:
    """Run cells.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        What the cells refer to.
    cells : sequence of Cell
        The cells; their order does not change any result.
    workers : int
        Cells that run at the same time.
    cell_timeout : float or None
        Seconds after which a cell is stopped.
    device : {"auto", "cpu", "cuda"}
        What torch computes on.

    Yields
    ------
    tuple of Cell and CellResult
        As they finish. A cell whose process hung or died is a failed one.
    """
    if not cells:
        return
    _give_back()
    with open_engine(device, min(workers, len(cells)), Unit(Evaluator, (evaluations,))) as engine:
        numbers = {engine.submit(Unit(Evaluator.evaluate, (cell,), cell_timeout)): cell for cell in cells}
        for number, outcome in engine.outcomes():
            cell = numbers[number]
            yield cell, _result(cell, outcome)


def _result(cell: Cell, outcome: Outcome[Any]) -> CellResult:
    match outcome:
        case Value(result):
            return result
        case Failed():
            reason = printable(outcome.traceback or outcome.told)
        case Died():
            reason = f"The process of this fold {outcome.told} before it gave a result."
        case TimedOut(limit):
            reason = f"The fold was stopped after {limit:g} s: raise execution.cell_timeout or search less."
    return CellResult(fold=cell.fold, status="failed", error=reason)


def _give_back() -> None:
    """Give the system the memory that Arrow keeps for later, so that the workers can take it."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
