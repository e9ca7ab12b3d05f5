"""Execute planned runs and learning curves: lock, execute, store, conclude."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from bench.config import Execution
from bench.errors import BenchError, UserError, describe_os_error
from bench.results.cell import FINAL, CellResult, Fold
from bench.results.journal import Journal, ScoredSetting
from bench.results.record import RunRecord, RunStatus
from bench.results.store import BusyError, RunFolder
from bench.running.cells import Cell, CellObserver, run_cells

if TYPE_CHECKING:
    from bench.planning.planned import Plan, PlannedRun


class Observer(Protocol):
    """Receives the progress of a job."""

    def doing(self, what: str) -> None:
        """Something that may take a while begins: a task is read, models are examined, runs are logged."""

    def planned(self, plan: Plan, cells: Sequence[tuple[PlannedRun, Fold]]) -> None:
        """All is checked; these cells are missing and will run."""

    def tried(self, run: PlannedRun, fold: Fold, settings: int) -> None:
        """The search of a cell has tried so many settings."""

    def noted(self, told: str) -> None:
        """A message for the user from the place where cells run, possibly from another thread."""

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

    Attributes
    ----------
    failures : list of str
        One line for each failed cell, with the file of its traceback, and for each run that cannot be completed.
    stored : int
        Cells that were stored.
    """

    def __init__(self, execution: Execution, workers: int, observer: Observer) -> None:
        self.execution, self.workers, self.observer = execution, workers, observer
        self.failures = list[str]()
        self.stored = 0
        self._told: set[tuple[PlannedRun, Fold]] = set()
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
        evaluations, keeper = [part.evaluation for part in parts], _Keeper(parts, self.observer)
        with closing(run_cells(evaluations, todo, self.workers, self.execution, keeper)) as results:
            for cell, result in results:
                part = parts[cell.evaluation]
                part.folder.write_cell(result)
                self.stored += 1
                if result.status == "failed":
                    self.failures.append(_failure(part, result))
                    self._told.add((part, result.fold))
                self.observer.finished(part, result)
                item = item_of[part]
                waiting[item] -= 1
                if not waiting[item]:
                    with self.concluding(item):
                        seconds = {"wall": time.perf_counter() - self._start, **_seconds(item)}
                        item.record = replace(item.record, seconds=seconds)
                        conclude(item)

    @contextmanager
    def concluding(self, item: Stored) -> Iterator[None]:
        """Limit the effect of a stored file that was changed or removed meanwhile to its item."""
        try:
            yield
        except UserError as error:
            self.failures.append(f"{item.title}: {error.message}")

    def check_stored(self, items: Sequence[Stored]) -> None:
        """Add everything that is not stored at the end to the failures."""
        for item in items:
            lost = [(part, fold) for part in item.parts for fold in part.missing_folds()]
            untold = [each for each in lost if each not in self._told]
            where = f"{item.folder.path}: the folder was moved, deleted or changed during the command"
            if untold:
                several = len(item.parts) > 1
                named = [f"{part.part}, {_name(fold)}" if several else _name(fold) for part, fold in untold]
                self.failures.append(f"{item.title}: not stored: {'; '.join(named)}\n  {where}")
            elif not lost and item.folder.status() != "complete":
                self.failures.append(f"{item.title}: the folds are stored, but not marked as complete\n  {where}")


class _Keeper(CellObserver):
    """Keeps the settings that the searches of cells have tried in their journals."""

    def __init__(self, parts: Sequence[PlannedRun], observer: Observer) -> None:
        self._parts, self._observer = parts, observer
        self._journals = dict[Cell, Journal]()
        self._tried = Counter[Cell]()

    def known(self, cell: Cell) -> Iterable[ScoredSetting]:
        folder = self._parts[cell.evaluation].folder
        journal = self._journals[cell] = folder.journal(cell.fold)
        if folder.cell_path(cell.fold).exists():
            journal.keep(lambda scored: scored.error is None)
        known = journal.read()
        self._tried[cell] = len(known)
        return known

    def scored(self, cell: Cell, scored: ScoredSetting) -> None:
        self._journals[cell].append(scored)
        self._tried[cell] += 1
        self._observer.tried(self._parts[cell.evaluation], cell.fold, self._tried[cell])

    def noted(self, told: str) -> None:
        self._observer.noted(told)


@contextmanager
def interruptible(items: Sequence[Stored]) -> Iterator[None]:
    """If the job is stopped, count what is stored, and mark in the records what is not.

    Raises
    ------
    InterruptedRun
        In place of a `KeyboardInterrupt`.
    bench.errors.BenchError
        In place of an `OSError`, once a cell is stored.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedRun(*_interrupted(items)) from None
    except OSError as error:
        kept, missing = _interrupted(items)
        if not kept:
            raise
        raise BenchError(
            f"{describe_os_error(error)} {kept} finished folds are stored, {missing} are missing.",
            "The same command continues from there.",
        ) from error


def _interrupted(items: Sequence[Stored]) -> tuple[int, int]:
    """Mark runs with missing cells, if possible, and return the numbers of stored and missing cells."""
    missing = 0
    for item in items:
        if count := missing_cells(item):
            missing += count
            with suppress(OSError, UserError):
                set_status(item, "interrupted")
    return sum(len(part.all_folds) for item in items for part in item.parts) - missing, missing


@contextmanager
def kept_up_to_date(results: Path, warnings: list[str], needed: bool = False) -> Iterator[None]:
    """Warn once about files that cannot be written if all results are stored, unless a file is needed."""
    try:
        yield
    except OSError as error:
        if needed:
            raise
        told = f"{results}: all results are stored, but derived files cannot be updated: {error.strerror}."
        if told not in warnings:
            warnings.append(told)


def turns(items: Sequence[T], observer: Observer) -> Iterator[list[T]]:
    """Give items to work on, locked meanwhile: all that no other process works on, then each of the others.

    Parameters
    ----------
    items : sequence of Stored
        The items; complete ones need no lock.
    observer : Observer
        Receives progress messages.
    """
    free, busy = list[T](), list[T]()
    with ExitStack() as locks:
        for item in items:
            if not is_to_run(item):
                sweep(item)
            else:
                try:
                    locks.enter_context(_held(item))
                except BusyError:
                    busy.append(item)
                    continue
            free.append(item)
        if free:
            yield free
    for item in busy:
        observer.doing(f"waiting for another process that is working on {item.title}")
        with _held(item, wait=True):
            yield [item]


@contextmanager
def _held(item: Stored, wait: bool = False) -> Iterator[None]:
    """Lock a folder, and clear it for a rerun, unless another process has just done so."""
    with item.folder.locked(wait):
        item.anew = item.anew and not (wait and missing_cells(item) == 0)
        if item.anew:
            item.folder.clear()
        yield


def sweep(item: Stored) -> None:
    """Delete what killed processes have left of a complete item, unless another process works on it."""
    if item.folder.leftovers():
        with suppress(OSError, BenchError), item.folder.locked():
            pass


def missing_cells(item: Stored) -> int:
    """The number of cells that are not stored whole, or stored as failed."""
    return sum(len(part.missing_folds()) for part in item.parts)


def is_to_run(item: Stored) -> bool:
    """Whether cells are missing or run again."""
    return item.anew or any(part.folds_to_run() for part in item.parts)


def start(item: Stored) -> None:
    """Write into the record that cells are being run, and since when."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    item.record = replace(item.record, started=now, seconds={})
    set_status(item, "running")
    item.folder.forget_summary()


def set_status(item: Stored, status: RunStatus) -> None:
    """Write the status into the record."""
    item.record = replace(item.record, status=status)
    item.folder.write_record(item.record)


def _seconds(item: Stored) -> dict[str, float]:
    total = Counter[str]()
    for part in item.parts:
        total.update(part.folder.read_seconds())
    return dict(total)


def _failure(part: PlannedRun, result: CellResult) -> str:
    where = part.folder.cell_path(result.fold) / "error.txt"
    return f"{part.title}, {_name(result.fold)}: {result.reason}\n  {where}"


def _name(fold: Fold) -> str:
    return "the final fit" if fold == FINAL else f"fold {fold}"
