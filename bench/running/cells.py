"""Running cells on an engine: the fits of their searches, in rounds, then each chosen setting."""

from __future__ import annotations

import math
import sys
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.config import Execution
from bench.engines.engine import Died, Engine, Failed, Lost, Outcome, TimedOut, Unit, Value
from bench.errors import printable
from bench.evaluation.rounds import Fit, Fitted, Rounds
from bench.evaluation.search import Searched
from bench.planning.workers import open_cells_engine
from bench.results.cell import CellResult, Fold
from bench.results.journal import ScoredSetting
from bench.running.pace import UNIT_SECONDS, Pace

if TYPE_CHECKING:
    from bench.data.splits import Split
    from bench.evaluation.evaluation import Evaluation
    from bench.features.cache import FeatureCache


DEATHS = 2
"""How often the process of a fit may end before the fit counts as failed; the first may have come from outside."""

MOST_LOST = 20
"""How many workers a cell may lose."""


KEPT_SPLITS = 4
"""The most cells whose inner folds a worker keeps in memory."""

IDLE = 0.1
"""Seconds after which it is looked again for workers where none has work."""

LOOK = 2.0
"""The interval in seconds for giving work to new workers."""


@dataclass(frozen=True)
class Cell:
    """A cell to run.

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
    """A worker's state while it evaluates cells: their evaluations, and the features of each task.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        What cells refer to by number.
    """

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        self._evaluations = evaluations
        self._caches: dict[int, FeatureCache] = {}
        self._inner: OrderedDict[Cell, Sequence[Split]] = OrderedDict()

    def fit(self, cell: Cell, fits: Sequence[Fit]) -> list[Fitted]:
        """Fit settings on inner folds of a cell."""
        from bench.evaluation.evaluate import fit_inner

        evaluation, inner, cache = self._evaluations[cell.evaluation], self._inner_of(cell), self._cache_of(cell)
        return [fit_inner(evaluation, cell.fold, fit.params, inner[fit.part], cache) for fit in fits]

    def finish(self, cell: Cell, searched: Searched) -> CellResult:
        """Fit and score the setting that a cell's search has chosen."""
        from bench.evaluation.evaluate import finish

        return finish(self._evaluations[cell.evaluation], cell.fold, searched, self._cache_of(cell))

    def _cache_of(self, cell: Cell) -> FeatureCache:
        from bench.features.cache import FeatureCache

        task = self._evaluations[cell.evaluation].task
        if id(task) not in self._caches:
            self._caches[id(task)] = FeatureCache(task.frame)
        return self._caches[id(task)]

    def _inner_of(self, cell: Cell) -> Sequence[Split]:
        if cell not in self._inner:
            self._inner[cell] = self._evaluations[cell.evaluation].inner_splits(cell.fold)
            if len(self._inner) > KEPT_SPLITS:
                self._inner.popitem(last=False)
        return self._inner[cell]


class CellObserver:
    """Records and reports the progress of cells' searches. This one does nothing."""

    def known(self, cell: Cell) -> Iterable[ScoredSetting]:
        """The settings of a cell that an earlier run has tried."""
        return ()

    def scored(self, cell: Cell, scored: ScoredSetting) -> None:
        """A setting has been tried."""

    def noted(self, told: str) -> None:
        """The engine has a message for the user, possibly from another thread."""


_NOBODY = CellObserver()


def run_cells(
    evaluations: Sequence[Evaluation],
    cells: Sequence[Cell],
    workers: int,
    execution: Execution,
    observer: CellObserver = _NOBODY,
) -> Generator[tuple[Cell, CellResult]]:
    """Run cells.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        What the cells refer to.
    cells : sequence of Cell
        The cells; their order does not change any result.
    workers : int
        Fits that run at the same time.
    execution : Execution
        Where they run, and how long a cell's fits may take.
    observer : CellObserver, optional
        Receives each tried setting, and knows those of earlier runs.

    Yields
    ------
    tuple of Cell and CellResult
        In the order in which they finish. A cell whose process hung or died counts as failed.
    """
    if not cells:
        return
    _give_back()
    fits = sum(evaluations[cell.evaluation].fits_at_once for cell in cells)
    models = [evaluation.model for evaluation in evaluations]
    state = Unit(Evaluator, (evaluations,))
    with open_cells_engine(execution, min(workers, fits), state, models, observer.noted) as engine:
        yield from _Dealer(engine, evaluations, cells, execution.cell_timeout, observer).results()


class _CellWork:
    """The finished and remaining work of a cell."""

    def __init__(self, cell: Cell, rounds: Rounds, limit: float | None, pace: Pace) -> None:
        self.cell, self.rounds, self.limit, self.pace = cell, rounds, limit, pace
        self.last_worker: str | None = None
        self.finishing = False
        self.result: CellResult | None = None
        self._deaths = Counter[Fit | None]()
        self._alone = list[Fit]()
        self._lost = 0
        self._fitted, self._fit_seconds = 0, 0.0
        self._workers_of = dict[int, set[str]]()

    @property
    def left(self) -> float | None:
        """The seconds that its fits may still take."""
        return None if self.limit is None else max(self.limit - self.rounds.seconds, 1e-3)

    @property
    def ready(self) -> int:
        """How many fits could start, that of the chosen setting being one."""
        if self.rounds.searched is not None:
            return 0 if self.finishing else 1
        return len(self.rounds.ready())

    @property
    def expected(self) -> float | None:
        """The seconds that its next unit may take."""
        return self.pace.expected(finishing=self.rounds.searched is not None)

    def unit_for(self, worker: str, sharing: int) -> tuple[Unit, Sequence[Fit] | None]:
        """What a worker does next, where so many workers share the cell."""
        self.last_worker = worker
        if (searched := self.rounds.searched) is not None:
            self.finishing = True
            return Unit(Evaluator.finish, (self.cell, searched), self.left, self.expected), None
        fits = self._chosen(worker, sharing)
        self.rounds.take(fits)
        for fit in fits:
            self._workers_of.setdefault(fit.part, set()).add(worker)
        return Unit(Evaluator.fit, (self.cell, fits), self.left, self.expected), fits

    def _chosen(self, worker: str, sharing: int) -> list[Fit]:
        """Fits for a worker: first those whose features it has, or no worker has."""
        ready = self.rounds.ready()
        alone = [fit for fit in ready if fit in self._alone]
        if alone:
            return alone[:1]

        def cost(fit: Fit) -> int:
            workers = self._workers_of.get(fit.part, set())
            return (0 if worker in workers or not workers else 1) + len(workers - {worker})

        ready.sort(key=cost)
        many = 1 if not self._fitted else int(UNIT_SECONDS * self._fitted / max(self._fit_seconds, 1e-9))
        return ready[: max(1, min(many, len(ready) // sharing))]

    def fitted(self, fits: Sequence[Fit], fitted: Sequence[Fitted]) -> list[ScoredSetting]:
        scored = []
        self.pace.saw_fits(len(fits), math.fsum(each.seconds for each in fitted))
        for fit, each in zip(fits, fitted, strict=True):
            self._fitted, self._fit_seconds = self._fitted + 1, self._fit_seconds + each.seconds
            scored += self.rounds.tell(fit, each)
        return scored

    def died(self, fits: Sequence[Fit], died: Died) -> list[ScoredSetting]:
        """Rerun fits whose process ended, one at a time. A fit that ends its process again has failed."""
        if len(fits) > 1:
            self._alone += fits
        else:
            self._deaths[fits[0]] += 1
            if self._deaths[fits[0]] >= DEATHS:
                return self.fitted(fits, [Fitted(None, f"its process {died.told}")])
        self.rounds.give_back(fits)
        return []

    def finish_died(self, died: Died) -> None:
        self._deaths[None] += 1
        self.finishing = False
        if self._deaths[None] >= DEATHS:
            self.fail(f"The process of this fold {died.told} before it returned a result.")

    def lost(self, fits: Sequence[Fit] | None, lost: Lost, seconds: float) -> None:
        """Have done again what a worker did that was lost; a cell that has lost many may be what they were lost for.

        It may have been lost because its time was over, and what it did takes longer than it had.
        """
        if fits is None:
            self.pace.saw_finish(seconds)
        else:
            self.pace.saw_fits(len(fits), seconds)
        self._lost += 1
        self.finishing = False
        self.rounds.give_back(fits or ())
        if self._lost >= MOST_LOST:
            self.fail(f"{self._lost} workers were lost while running this fold. The last one: {lost.told}.")

    def fail(self, reason: str) -> None:
        self.result = CellResult(fold=self.cell.fold, status="failed", error=reason)


@dataclass(frozen=True)
class _Sent:
    """A unit that a worker has."""

    work: _CellWork
    fits: Sequence[Fit] | None
    """None for the chosen setting's."""
    at: float = field(default_factory=time.monotonic)


class _Dealer:
    """Gives the workers of an engine the work of cells.

    A worker stays with its current cell, whose features it has, and then opens the next one. Only once all are
    open, workers share cells.
    """

    def __init__(
        self,
        engine: Engine,
        evaluations: Sequence[Evaluation],
        cells: Sequence[Cell],
        limit: float | None,
        observer: CellObserver,
    ) -> None:
        self._engine, self._evaluations, self._limit, self._observer = engine, evaluations, limit, observer
        self._unopened = list(reversed(cells))
        self._open = list[_CellWork]()
        self._units = dict[int, _Sent]()
        self._paces = defaultdict[int, Pace](Pace)

    def results(self) -> Generator[tuple[Cell, CellResult]]:
        self._deal()
        while self._open or self._unopened:
            if not self._units:  # There are no workers, or none has time: new ones will come.
                time.sleep(IDLE)
            for number, outcome in self._engine.outcomes(within=LOOK):
                sent = self._units.pop(number)
                work = sent.work
                self._hear(sent, outcome)
                if work.result is not None:
                    self._close(work)
                self._deal()
                if work.result is not None:
                    yield work.cell, work.result
            self._deal()

    def _hear(self, sent: _Sent, outcome: Outcome[Any]) -> None:
        work, fits, scored = sent.work, sent.fits, list[ScoredSetting]()
        match outcome:
            case Value(value) if fits is None:
                work.result = value
                work.pace.saw_finish(math.fsum(value.seconds.values()) - value.seconds.get("search", 0.0))
            case Value(value):
                scored = work.fitted(fits or (), value)
            case Failed():
                work.fail(printable(outcome.traceback or outcome.told))
            case Died() if fits is None:
                work.finish_died(outcome)
            case Died():
                scored = work.died(fits or (), outcome)
            case Lost():
                work.lost(fits, outcome, time.monotonic() - sent.at)
            case TimedOut():
                work.fail(f"The fold was stopped after {work.limit:g} s. Raise execution.cell_timeout or search less.")
        for each in scored:
            self._observer.scored(work.cell, each)

    def _close(self, work: _CellWork) -> None:
        self._open.remove(work)
        for number in [number for number, sent in self._units.items() if sent.work is work]:
            self._engine.cancel(number)
            del self._units[number]

    def _deal(self) -> None:
        """Give work to the workers that want some."""
        for worker in self._engine.wanting():
            work = self._work_for(worker)
            if work is None:
                if not self._unopened and not any(each.ready for each in self._open):
                    return
                continue
            unit, fits = work.unit_for(worker, 1 if self._unopened else self._engine.at_once)
            self._units[self._engine.submit(unit, worker)] = _Sent(work, fits)

    def _work_for(self, worker: str) -> _CellWork | None:
        """What a worker does next that it has time for; None where there is nothing."""

        def fits_in(work: _CellWork) -> bool:
            return bool(work.ready) and self._engine.has_time(worker, work.expected)

        own = next((work for work in self._open if work.last_worker == worker and fits_in(work)), None)
        if own is not None:
            return own
        while self._unopened and self._has_time_to_open(worker, self._unopened[-1]):
            work = self._opened(self._unopened.pop())
            self._open.append(work)
            if fits_in(work):
                return work
        return max((each for each in self._open if fits_in(each)), key=lambda each: each.ready, default=None)

    def _has_time_to_open(self, worker: str, cell: Cell) -> bool:
        searches = self._evaluations[cell.evaluation].searches
        return self._engine.has_time(worker, self._paces[cell.evaluation].expected(finishing=not searches))

    def _opened(self, cell: Cell) -> _CellWork:
        known, pace = [*self._observer.known(cell)], self._paces[cell.evaluation]
        rounds = Rounds(self._evaluations[cell.evaluation], cell.fold, known)
        for each in known:
            pace.saw_fits(len(each.steps) or len(rounds.inner), each.seconds)
        return _CellWork(cell, rounds, self._limit, pace)


def _give_back() -> None:
    """Give the system the memory that Arrow keeps for later, so that the workers can take it."""
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
