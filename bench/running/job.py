"""Carrying out what is planned, the same for runs and for learning curves: lock, execute, store, conclude."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from bench.config import Execution
from bench.results.cell import FINAL, CellResult, Fold
from bench.results.record import RunRecord, Status
from bench.results.store import RunFolder
from bench.running.cells import Cell, run_cells

if TYPE_CHECKING:
    from bench.planning.planned import Plan, PlannedRun


class Observer(Protocol):
    """What wants to know how a job goes on."""

    def doing(self, what: str) -> None:
        """Something that may take a while begins: a task is read, models are examined, runs are logged."""

    def planned(self, plan: Plan, cells: Sequence[tuple[PlannedRun, Fold]]) -> None:
        """All is checked; these cells are missing and will run."""

    def finished(self, run: PlannedRun, result: CellResult) -> None:
        """A cell has been stored."""


class Stored(Protocol):
    """What has one ``run.json``: a run, or a learning curve with all its parts."""

    folder: RunFolder
    record: RunRecord
    anew: bool

    @property
    def title(self) -> str:
        """The task and the model."""

    @property
    def parts(self) -> Sequence[PlannedRun]:
        """What its cells belong to."""


T = TypeVar("T", bound=Stored)


class InterruptedRun(Exception):  # noqa: N818
    """The user stopped a job.

    Parameters
    ----------
    kept : int
        Cells that are stored.
    missing : int
        Cells that the same command will run.
    """

    def __init__(self, kept: int, missing: int) -> None:
        super().__init__(kept, missing)
        self.kept, self.missing = kept, missing


class Job:
    """Carries out cells in processes and stores them as they finish.

    Parameters
    ----------
    execution : Execution
        Where cells run.
    workers : int
        Processes.
    observer : Observer
        Told of each cell.
    """

    def __init__(self, execution: Execution, workers: int, observer: Observer) -> None:
        self.execution, self.workers, self.observer = execution, workers, observer
        self.failures = list[str]()
        self._start = time.perf_counter()

    def carry_out(
        self, items: Sequence[T], cells: Sequence[tuple[PlannedRun, Fold]], conclude: Callable[[T], None]
    ) -> None:
        """Execute cells and store them.

        Parameters
        ----------
        items : sequence of Stored
            What the cells are of.
        cells : sequence of (PlannedRun, fold)
            The cells; their order changes no result.
        conclude : callable
            Is called with each item once all its cells among `cells` are stored.
        """
        parts = list(dict.fromkeys(part for part, _ in cells))
        numbers = {part: number for number, part in enumerate(parts)}
        item_of = {part: item for item in items for part in item.parts}
        waiting = Counter(item_of[part] for part, _ in cells)
        todo = [Cell(numbers[part], fold) for part, fold in cells]
        evaluations, execution = [part.evaluation for part in parts], self.execution
        with closing(run_cells(evaluations, todo, self.workers, execution.cell_timeout, execution.device)) as results:
            for cell, result in results:
                part = parts[cell.evaluation]
                part.folder.write_cell(result)
                if result.status == "failed":
                    self.failures.append(_failure(part, result))
                self.observer.finished(part, result)
                item = item_of[part]
                waiting[item] -= 1
                if not waiting[item]:
                    seconds = {"wall": time.perf_counter() - self._start, **_seconds(item)}
                    item.record = replace(item.record, seconds=seconds)
                    conclude(item)


@contextmanager
def interruptible(items: Sequence[Stored]) -> Iterator[None]:
    """Write into the records what is unfinished where the user stops the job.

    Raises
    ------
    InterruptedRun
        In place of a `KeyboardInterrupt`.
    """
    try:
        yield
    except KeyboardInterrupt:
        missing = 0
        for item in items:
            if count := missing_cells(item):
                set_status(item, "interrupted")
                missing += count
        kept = sum(len(part.all_folds) for item in items for part in item.parts) - missing
        raise InterruptedRun(kept, missing) from None


def lock(stack: ExitStack, item: Stored, patience: float = 0.0) -> None:
    """Lock a folder until the stack ends, and clear it where it is made anew."""
    stack.enter_context(item.folder.locked(patience=patience))
    if item.anew:
        item.folder.clear()


def missing_cells(item: Stored) -> int:
    """The number of cells that are not stored whole, or stored as failed."""
    return sum(len(part.missing_folds()) for part in item.parts)


def start(item: Stored) -> None:
    """Write into the record that cells are being run, and since when."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    item.record = replace(item.record, started=now, seconds={})
    set_status(item, "running")


def set_status(item: Stored, status: Status) -> None:
    """Write how it stands into the record."""
    item.record = replace(item.record, status=status)
    item.folder.write_record(item.record)


def _seconds(item: Stored) -> dict[str, float]:
    total = Counter[str]()
    for part in item.parts:
        total.update(part.folder.read_seconds())
    return dict(total)


def _failure(part: PlannedRun, result: CellResult) -> str:
    fold = "the final fit" if result.fold == FINAL else f"fold {result.fold}"
    where = part.folder.cell_path(result.fold) / "error.txt"
    return f"{part.title}, {fold}: {result.reason}\n  {where}"
