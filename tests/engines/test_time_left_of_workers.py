"""Work that would not end before its worker does is not started there, and waits for one that has the time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from small_tasks import text_task

from bench.catalogue import load_model
from bench.config import Execution, Search
from bench.data.splits import outer_splits
from bench.engines.engine import Engine, Lost, Outcome, Unit, Value
from bench.evaluation.evaluation import Evaluation
from bench.results.cell import CellResult
from bench.running.cells import Cell, run_cells
from bench.running.pace import MARGIN, WHOLE


class Jobs(Engine):
    """Runs units here, as if in jobs one after another that each have some seconds, and each unit takes as it is told.

    Parameters
    ----------
    span : float
        Seconds of a job.
    fit, finish : float
        Seconds of each fit of a search, and of each last one.
    state : Unit
        What units are given.
    """

    at_once = 1

    def __init__(self, span: float, fit: float, finish: float, state: Unit) -> None:
        self._span, self._fit, self._finish = span, fit, finish
        self._state = state.function(*state.args)
        self._waiting: deque[tuple[int, Unit]] = deque()
        self._left, self._number = span, 0
        self.lost: list[float | None] = []
        self.jobs = 1

    def wanting(self) -> Sequence[str]:
        return () if self._waiting else ("job",)

    def has_time(self, worker: str, expected: float | None) -> bool:
        if expected is None or self._left >= min(expected, 0.9 * self._span):
            return True
        self._left, self.jobs = self._span, self.jobs + 1  # A job that does nothing ends, and another one comes.
        return False

    def submit(self, unit: Unit, worker: str | None = None) -> int:
        self._number += 1
        self._waiting.append((self._number, unit))
        return self._number

    def outcomes(self, within: float | None = None) -> Iterator[tuple[int, Outcome[Any]]]:
        while self._waiting:
            number, unit = self._waiting.popleft()
            value = unit.function(self._state, *unit.args)
            if isinstance(value, CellResult):
                took = self._finish
                value.seconds = {"search": value.seconds.get("search", 0.0), "fit": took}
            else:
                took = self._fit * len(value)
                for each in value:
                    object.__setattr__(each, "seconds", self._fit)
            if took > self._left:
                self._left, self.jobs = self._span, self.jobs + 1
                self.lost.append(unit.expected)
                yield number, Lost("job")
            else:
                self._left -= took
                yield number, Value(value)

    def cancel(self, number: int) -> None:
        self._waiting = deque(each for each in self._waiting if each[0] != number)

    def close(self) -> None:
        self._waiting.clear()


def jobs_of(monkeypatch: pytest.MonkeyPatch, span: float, fit: float, finish: float, trials: int) -> Jobs:
    """The jobs in which four folds were evaluated."""
    task = text_task(n_groups=4, per_group=6)
    splits = outer_splits(task.codes, task.groups, "document", 4, 0, 1)
    evaluation = Evaluation(task, load_model("complement-nb"), splits, Search("some", trials), 3, 0)
    engines = list[Jobs]()

    def open_engine(execution: Execution, at_once: int, state: Unit, *rest: object) -> Jobs:
        engines.append(Jobs(span, fit, finish, state))
        return engines[0]

    monkeypatch.setattr("bench.running.cells.open_cells_engine", open_engine)
    monkeypatch.setattr("bench.running.cells.IDLE", 0.0)
    results = dict(run_cells([evaluation], [Cell(0, fold) for fold in range(4)], 1, Execution("local")))
    assert {result.status for result in results.values()} == {"ok"}
    return engines[0]


@pytest.mark.slow
def test_no_fit_is_lost_once_one_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_of(monkeypatch, span=100.0, fit=9.0, finish=9.0, trials=8)
    assert jobs.lost == []
    assert jobs.jobs > 4


def test_no_last_fit_is_lost_once_fits_of_the_search_were_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_of(monkeypatch, span=100.0, fit=9.0, finish=9.0 * WHOLE, trials=3)
    assert jobs.lost == []


def test_what_was_lost_once_is_given_to_a_job_that_has_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of the folds of a model that searches nothing until one of them has ended."""
    jobs = jobs_of(monkeypatch, span=100.0, fit=0.0, finish=60.0, trials=0)
    assert jobs.lost == []
    assert jobs.jobs == 4


def test_fits_that_take_nearly_a_whole_job_each_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_of(monkeypatch, span=100.0, fit=85.0, finish=85.0, trials=2)
    assert len(jobs.lost) <= 1
    assert all(expected is None for expected in jobs.lost)
    assert jobs._span < MARGIN * 85.0


@pytest.mark.slow
def test_a_short_walltime_ends_nothing_that_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jobs_of(monkeypatch, span=40.0, fit=0.01, finish=0.01, trials=8).jobs == 1
